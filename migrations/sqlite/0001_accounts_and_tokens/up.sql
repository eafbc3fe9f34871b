-- Every moment is a whole number of seconds since 1970-01-01T00:00:00Z.

-- One row: facts about this installation. `pepper_check` tells whether the pepper beside the database belongs to it.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pepper_check BLOB NOT NULL,
    is_demo BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row, stepped as the last statement of each transaction that changes what a token may do.
CREATE TABLE auth_epoch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL
);
INSERT INTO auth_epoch (id, epoch) VALUES (1, 1);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    -- NULL: as the browser says.
    language TEXT CHECK (language IN ('en', 'fr')),
    time_zone TEXT NOT NULL,
    theme TEXT NOT NULL CHECK (theme IN ('system', 'light', 'dark')),
    -- Stepped to end all sessions of the user at once.
    session_generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE organizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE permission_sets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- The key of a built-in set, whose name pages translate.
    built_in TEXT,
    name TEXT NOT NULL,
    -- Permission keys separated by spaces.
    permissions TEXT NOT NULL,
    UNIQUE (organization_id, name)
);

CREATE TABLE memberships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id),
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    permission_set_id BIGINT NOT NULL REFERENCES permission_sets (id),
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (user_id, organization_id)
);
CREATE INDEX memberships_organization ON memberships (organization_id);

CREATE TABLE sessions (
    -- SHA-256 of the session's key; the key itself is only in the browser.
    key_hash BLOB PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    user_id BIGINT NOT NULL REFERENCES users (id),
    generation BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- When the password was entered last.
    proved_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    program TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('personal', 'service', 'system')),
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- Whose it is, if it is a personal token.
    membership_id BIGINT REFERENCES memberships (id),
    user_id BIGINT REFERENCES users (id),
    label TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'read_write')),
    inactivity_days SMALLINT NOT NULL,
    -- HMAC-SHA-256 of the key under the pepper of this version.
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    pepper_version SMALLINT NOT NULL,
    -- The form that made it: a form sent twice makes one token.
    form_nonce TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    last_used_address TEXT,
    last_used_program TEXT,
    revoked_at BIGINT,
    -- Who revoked it: 'owner' on a page, 'key' through the API with the key itself, 'operator' at the command line.
    revoked_by TEXT CHECK (revoked_by IN ('owner', 'key', 'operator')),
    expired_at BIGINT,
    -- The place that an active token takes among its owner's ten; the schema's own guard of the limit.
    slot SMALLINT CHECK (slot BETWEEN 1 AND 10),
    UNIQUE (user_id, slot),
    CHECK (slot IS NULL OR (revoked_at IS NULL AND expired_at IS NULL)),
    CHECK ((kind = 'personal') = (membership_id IS NOT NULL AND user_id IS NOT NULL))
);
CREATE INDEX api_tokens_membership ON api_tokens (membership_id);
-- Finds the tokens whose inactivity period has ended without reading the others.
CREATE INDEX api_tokens_due ON api_tokens ((coalesce(last_used_at, created_at) + inactivity_days * 86400))
    WHERE slot IS NOT NULL;

-- Insert only. Names are copied so that an entry stays readable when what it tells of is gone.
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT REFERENCES organizations (id),
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor_user_id BIGINT,
    actor_name TEXT NOT NULL,
    token_public_id TEXT,
    token_label TEXT,
    -- How many times it happened since the entry before, for what is counted.
    count BIGINT NOT NULL,
    address TEXT NOT NULL,
    program TEXT NOT NULL,
    request_id TEXT NOT NULL
);
CREATE INDEX activity_organization ON activity (organization_id, id);
