-- APIs that a reverse proxy protects by asking Jeton about each of their requests.
CREATE TABLE protected_apis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- What the addresses of its requests begin with.
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Stepped at each change, so that a form that was opened before it is refused.
    version BIGINT NOT NULL
);
CREATE INDEX protected_apis_organization ON protected_apis (organization_id, name);

-- What its requests demand: the first rule that matches decides.
CREATE TABLE protected_api_rules (
    protected_api_id BIGINT NOT NULL REFERENCES protected_apis (id) ON DELETE CASCADE,
    position SMALLINT NOT NULL,
    methods TEXT NOT NULL,
    path TEXT NOT NULL,
    needs TEXT NOT NULL CHECK (needs IN ('read', 'read_write', 'by_method')),
    permission TEXT,
    PRIMARY KEY (protected_api_id, position)
);
