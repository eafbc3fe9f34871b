-- The last use of each token. Uses are written all the time, and api_tokens is wide and has many indexes: here, a use
-- changes one short row and one index. A token has its row from its creation on.
CREATE TABLE token_uses (
    token_id INTEGER PRIMARY KEY REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- The token's, for the indexes.
    organization_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- 'active' until it is recorded that it has ended.
    state TEXT NOT NULL CHECK (state IN ('active', 'expired', 'revoked')),
    -- After how many days without use it expires.
    inactivity_days SMALLINT NOT NULL,
    -- The last use, or the creation of a token that was never used.
    idle_since BIGINT NOT NULL,
    -- Where the last use came from. NULL: it was never used.
    address TEXT,
    program TEXT,
    -- Refused calls since it was revoked, and the last of them.
    refused_count BIGINT NOT NULL,
    refused_at BIGINT,
    refused_address TEXT,
    refused_program TEXT
);
INSERT INTO token_uses (token_id, organization_id, kind, state, inactivity_days, idle_since, address, program,
        refused_count, refused_at, refused_address, refused_program)
    SELECT id, organization_id, kind,
        CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expired_at IS NOT NULL THEN 'expired' ELSE 'active' END,
        inactivity_days, coalesce(last_used_at, created_at),
        CASE WHEN last_used_at IS NOT NULL THEN coalesce(last_used_address, '') END,
        CASE WHEN last_used_at IS NOT NULL THEN coalesce(last_used_program, '') END,
        refused_count, refused_at, refused_address, refused_program
    FROM api_tokens ORDER BY id;
-- Active tokens of one inactivity expiry are in the same order by last use and by expiry: lists by both, and what finds
-- tokens whose inactivity period has ended, read this for each of the few choices.
CREATE INDEX token_uses_active ON token_uses (organization_id, kind, inactivity_days, idle_since, token_id)
    WHERE state = 'active';
-- Lists of ended tokens by last use. No use of an active token changes these.
CREATE INDEX token_uses_revoked ON token_uses (organization_id, kind, idle_since, token_id) WHERE state = 'revoked';
CREATE INDEX token_uses_expired ON token_uses (organization_id, kind, idle_since, token_id) WHERE state = 'expired';

DROP INDEX api_tokens_due;
DROP INDEX api_tokens_idle;
DROP INDEX api_tokens_revoked_used;
DROP INDEX api_tokens_expired_used;
DROP INDEX api_tokens_active_end;
ALTER TABLE api_tokens DROP COLUMN inactivity_days;
ALTER TABLE api_tokens DROP COLUMN last_used_at;
ALTER TABLE api_tokens DROP COLUMN last_used_address;
ALTER TABLE api_tokens DROP COLUMN last_used_program;
ALTER TABLE api_tokens DROP COLUMN refused_count;
ALTER TABLE api_tokens DROP COLUMN refused_at;
ALTER TABLE api_tokens DROP COLUMN refused_address;
ALTER TABLE api_tokens DROP COLUMN refused_program;
