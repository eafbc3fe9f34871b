-- Lists of tokens are also sorted by name, last use and end. They ask for one kind of tokens in one state at a time, and
-- each such question has an index in the order of its page, ties told apart by id. Active tokens by last use have one
-- already (api_tokens_idle).
CREATE INDEX api_tokens_active_name ON api_tokens (organization_id, kind, search, id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked_name ON api_tokens (organization_id, kind, search, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired_name ON api_tokens (organization_id, kind, search, id) WHERE expired_at IS NOT NULL;
CREATE INDEX api_tokens_revoked_used ON api_tokens (organization_id, kind, (coalesce(last_used_at, created_at)), id)
    WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired_used ON api_tokens (organization_id, kind, (coalesce(last_used_at, created_at)), id)
    WHERE expired_at IS NOT NULL;
CREATE INDEX api_tokens_active_end ON api_tokens
    (organization_id, kind, (coalesce(last_used_at, created_at) + inactivity_days * 86400), id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked_end ON api_tokens (organization_id, kind, revoked_at, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired_end ON api_tokens (organization_id, kind, expired_at, id) WHERE expired_at IS NOT NULL;
