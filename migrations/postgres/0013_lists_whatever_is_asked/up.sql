-- The inventory asks for one kind of tokens at a time, in one state: each such question has an index in the order of its page,
-- so that no planner has a choice to get wrong.
DROP INDEX api_tokens_organization;
DROP INDEX api_tokens_active;
DROP INDEX api_tokens_revoked;
DROP INDEX api_tokens_expired;
CREATE INDEX api_tokens_active ON api_tokens (organization_id, kind, id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked ON api_tokens (organization_id, kind, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired ON api_tokens (organization_id, kind, id) WHERE expired_at IS NOT NULL;
CREATE INDEX api_tokens_idle ON api_tokens (organization_id, kind, (coalesce(last_used_at, created_at)), id)
    WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_owner ON api_tokens (organization_id, user_id, id) WHERE user_id IS NOT NULL;

-- Finds the people of one name.
CREATE INDEX users_name ON users (name);
CREATE INDEX memberships_people_by_set ON memberships (organization_id, permission_set_id, search, id)
    WHERE removed_at IS NULL;
