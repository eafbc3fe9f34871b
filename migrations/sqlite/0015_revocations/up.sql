-- Which keys were revoked when, and by which step of the epoch. It outlives the tokens themselves, so it names none by reference.
CREATE TABLE revocations (
    -- The row of the key, which is revoked once for all.
    token_id INTEGER PRIMARY KEY,
    -- The token's public id and label, as people know it.
    public_id TEXT NOT NULL,
    label TEXT NOT NULL,
    organization_id BIGINT NOT NULL,
    -- The owner of a personal token.
    user_id BIGINT,
    -- Whether it was the old key of a token that goes on with a new one.
    is_old_key BOOLEAN NOT NULL,
    -- Both are written by the last statement of the transaction; the moment is in milliseconds since 1970, by the database's clock.
    epoch BIGINT,
    revoked_at BIGINT
);
CREATE INDEX revocations_public_id ON revocations (public_id, epoch);
CREATE INDEX revocations_epoch ON revocations (epoch);
CREATE INDEX revocations_revoked_at ON revocations (revoked_at);
CREATE INDEX revocations_unfinished ON revocations (token_id) WHERE epoch IS NULL;

-- The servers at work on this database. One that stops takes its row away. Moments are in milliseconds.
CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- When it came and the epoch that it began with: it never knew any key that had been revoked before.
    came_at BIGINT NOT NULL,
    first_epoch BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- The epoch that it had read then.
    epoch BIGINT NOT NULL
);

-- From when on a node cannot but refuse a revoked key.
CREATE TABLE revocation_nodes (
    token_id BIGINT NOT NULL REFERENCES revocations (token_id) ON DELETE CASCADE,
    node_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    -- The first epoch that it read of those from the revocation's on, and when, in milliseconds.
    epoch BIGINT NOT NULL,
    refuses_since BIGINT NOT NULL,
    -- The last time that it accepted the key, in whole seconds, if it remembers one.
    last_accepted_at BIGINT,
    PRIMARY KEY (token_id, node_id)
) WITHOUT ROWID;
