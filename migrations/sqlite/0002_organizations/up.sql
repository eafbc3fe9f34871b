-- Whoever set the installation up makes organizations.
ALTER TABLE users ADD COLUMN is_installation_admin BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE users SET is_installation_admin = TRUE WHERE id = (SELECT min(id) FROM users);

-- The organization that somebody works in with this session; NULL: the first that they joined.
ALTER TABLE sessions ADD COLUMN organization_id BIGINT REFERENCES organizations (id);

-- Stepped at each change, so that a form that was opened before it is refused.
ALTER TABLE permission_sets ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- When the user left the organization or was removed from it; such a membership is not active.
ALTER TABLE memberships ADD COLUMN removed_at BIGINT;

-- When each membership was active: what billing counts.
CREATE TABLE seats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    membership_id BIGINT NOT NULL REFERENCES memberships (id),
    began_at BIGINT NOT NULL,
    -- NULL: it still is.
    ended_at BIGINT
);
CREATE INDEX seats_organization ON seats (organization_id, began_at);
CREATE UNIQUE INDEX seats_current ON seats (membership_id) WHERE ended_at IS NULL;
INSERT INTO seats (organization_id, membership_id, began_at)
    SELECT organization_id, id, created_at FROM memberships WHERE is_active;

CREATE TABLE service_users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Its token's, too: a service user has one.
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- Permission keys separated by spaces.
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id),
    -- Copied, so that it stays what it was.
    created_by_name TEXT NOT NULL,
    -- Stepped at each change, so that a form that was opened before it is refused.
    version BIGINT NOT NULL
);
CREATE INDEX service_users_organization ON service_users (organization_id, id);

-- SQLite cannot change the checks of a table, so it is made anew.
CREATE TABLE api_tokens_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Of a personal token; of a service user's it tells one key from the next.
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('personal', 'service', 'system')),
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- Whose it is, if it is a personal token.
    membership_id BIGINT REFERENCES memberships (id),
    user_id BIGINT REFERENCES users (id),
    -- Whose it is, if it is a service user's. Each of its keys is a row; the newest is the current one.
    service_user_id BIGINT REFERENCES service_users (id),
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
    -- Who or what revoked it: 'owner' on a page, 'key' through the API with the key itself, 'operator' at the command
    -- line, 'administrator' of the organization, 'membership' that ended, 'replaced' by another key.
    revoked_by TEXT CHECK (revoked_by IN ('owner', 'key', 'operator', 'administrator', 'membership', 'replaced')),
    -- The administrator's name and reason.
    revoked_by_name TEXT,
    revocation_reason TEXT,
    expired_at BIGINT,
    -- An old key next to a new one works until this moment, or until it has been quiet for so many seconds.
    ends_at BIGINT,
    quiet_seconds BIGINT,
    -- Refused uses since it was revoked, and the last of them.
    refused_count BIGINT NOT NULL DEFAULT 0,
    refused_at BIGINT,
    refused_address TEXT,
    refused_program TEXT,
    -- The place that an active token takes: among its user's ten, or its organization's twenty of service users. The
    -- schema's own guard of the limits.
    slot SMALLINT CHECK (slot BETWEEN 1 AND CASE kind WHEN 'personal' THEN 10 ELSE 20 END),
    UNIQUE (user_id, slot),
    CHECK (slot IS NULL OR (revoked_at IS NULL AND expired_at IS NULL)),
    CHECK ((kind = 'personal') = (membership_id IS NOT NULL AND user_id IS NOT NULL)),
    CHECK ((kind = 'service') = (service_user_id IS NOT NULL))
);
INSERT INTO api_tokens_new (
    id, public_id, kind, organization_id, membership_id, user_id, label, scope, inactivity_days, digest, pepper_version,
    form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, expired_at, slot
) SELECT
    id, public_id, kind, organization_id, membership_id, user_id, label, scope, inactivity_days, digest, pepper_version,
    form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, expired_at, slot
FROM api_tokens;
DROP TABLE api_tokens;
ALTER TABLE api_tokens_new RENAME TO api_tokens;
CREATE INDEX api_tokens_membership ON api_tokens (membership_id);
-- Finds the tokens whose inactivity period has ended without reading the others.
CREATE INDEX api_tokens_due ON api_tokens ((coalesce(last_used_at, created_at) + inactivity_days * 86400))
    WHERE slot IS NOT NULL;
CREATE UNIQUE INDEX api_tokens_service_slot ON api_tokens (organization_id, slot) WHERE kind = 'service';
CREATE INDEX api_tokens_service_user ON api_tokens (service_user_id, id);
CREATE INDEX api_tokens_organization ON api_tokens (organization_id, id);
-- Old keys that still work.
CREATE INDEX api_tokens_ending ON api_tokens (ends_at) WHERE ends_at IS NOT NULL AND revoked_at IS NULL;

-- Whom or what it happened to, where that is not a token.
ALTER TABLE activity ADD COLUMN target_user_id BIGINT;
ALTER TABLE activity ADD COLUMN target_name TEXT;
-- What a sentence about it needs besides, such as a reason.
ALTER TABLE activity ADD COLUMN detail TEXT;
-- The entry's place in the log of its organization, from 1, and what chains it to the one before. Entries that were
-- written before there was a chain get both at the next start.
ALTER TABLE activity ADD COLUMN position BIGINT;
ALTER TABLE activity ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX activity_position ON activity (coalesce(organization_id, 0), position);
CREATE INDEX activity_actor ON activity (organization_id, actor_user_id, id);
CREATE INDEX activity_target ON activity (organization_id, target_user_id, id);
CREATE INDEX activity_token ON activity (organization_id, token_public_id, id);
CREATE INDEX activity_action ON activity (organization_id, action, id);
CREATE INDEX activity_at ON activity (organization_id, at);

-- The last entry of each organization's chain; 0 stands for entries that belong to none.
CREATE TABLE activity_heads (
    organization_id INTEGER PRIMARY KEY,
    position BIGINT NOT NULL,
    hash BLOB NOT NULL
);
