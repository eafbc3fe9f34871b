-- The log is read newest first and paged by (at, id): every filter of its page has an index in that order. Those that were
-- ordered by id alone are not needed any more.
DROP INDEX activity_organization;
DROP INDEX activity_actor;
DROP INDEX activity_target;
DROP INDEX activity_token;
DROP INDEX activity_action;
DROP INDEX activity_at;
CREATE INDEX activity_organization ON activity (organization_id, at, id);
CREATE INDEX activity_actor ON activity (organization_id, actor_user_id, at, id) WHERE actor_user_id IS NOT NULL;
CREATE INDEX activity_target ON activity (organization_id, target_user_id, at, id) WHERE target_user_id IS NOT NULL;
CREATE INDEX activity_token ON activity (organization_id, token_public_id, at, id) WHERE token_public_id IS NOT NULL;
CREATE INDEX activity_action ON activity (organization_id, action, at, id);

-- The inventory is paged by id, whatever it is filtered by.
CREATE INDEX api_tokens_kind ON api_tokens (organization_id, kind, id);
CREATE INDEX api_tokens_active ON api_tokens (organization_id, id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked ON api_tokens (organization_id, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired ON api_tokens (organization_id, id) WHERE expired_at IS NOT NULL;
