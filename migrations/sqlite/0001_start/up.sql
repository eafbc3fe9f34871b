-- Moments are whole seconds since 1970-01-01T00:00:00Z, unless a comment says milliseconds.

-- The installation

-- One row. `pepper_check` tells whether the pepper beside the database belongs to it.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pepper_check BLOB NOT NULL,
    is_demo BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- The servers that work on this database. A server that stops deletes its row. Moments are in milliseconds.
CREATE TABLE nodes (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- When the server started, and the epoch at that moment: it never accepted a key that had been revoked before.
    came_at BIGINT NOT NULL,
    first_epoch BIGINT NOT NULL,
    -- When the server last wrote this row, and the epoch that it had read by then.
    seen_at BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);

-- Mails that the mail server has not accepted yet. A row is deleted once its mail is sent, refused for good or too old.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Recipient, subject and text, encrypted with a key derived from the pepper: mails contain links that are secret.
    sealed BLOB NOT NULL,
    -- The request that caused the mail, as the server's log names it.
    request_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- No node tries to send the mail before. A node that tries moves this ahead first, so that no other node tries too.
    next_at BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
CREATE INDEX mails_next ON mails (next_at);

-- Users

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    -- The name as searches compare it: lower case, without accents.
    search TEXT NOT NULL,
    email TEXT NOT NULL,
    -- In lower case: two users cannot have addresses that differ only in case.
    email_folded TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    -- NULL: the language that the browser asks for.
    language TEXT CHECK (language IN ('en', 'fr')),
    time_zone TEXT NOT NULL,
    theme TEXT NOT NULL CHECK (theme IN ('system', 'light', 'dark')),
    -- Increased to end all sessions of the user at once.
    session_generation BIGINT NOT NULL,
    is_installation_admin BOOLEAN NOT NULL,
    -- When the operator blocked the whole account. NULL: it is not blocked.
    blocked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX users_search ON users (search);
CREATE INDEX users_installation_admins ON users (id) WHERE is_installation_admin;

-- Links to choose a new password without the old one. A row is deleted when its user's password changes, and soon after
-- the link has expired.
CREATE TABLE password_links (
    -- SHA-256 of the code in the link: 200 random bits need no slow hash.
    code_hash BLOB NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    made_by TEXT NOT NULL CHECK (made_by IN ('user', 'administrator', 'operator')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX password_links_user ON password_links (user_id);

-- New e-mail addresses of users, until the link that was mailed there is opened.
CREATE TABLE email_changes (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    -- SHA-256 of the code in the link.
    code_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Organizations and their people

CREATE TABLE organizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The id that APIs show. It never changes, unlike the slug.
    public_id TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Every slug that an organization has or had: no other organization ever gets it.
CREATE TABLE organization_slugs (
    slug TEXT NOT NULL PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organizations (id)
) WITHOUT ROWID;

CREATE TABLE permission_sets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- The key of a built-in set, whose name pages translate.
    built_in TEXT,
    name TEXT NOT NULL,
    -- Permission keys separated by spaces.
    permissions TEXT NOT NULL,
    -- Increased with each change, so that a form that was opened earlier is refused.
    version BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);

CREATE TABLE memberships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id),
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    permission_set_id BIGINT NOT NULL REFERENCES permission_sets (id),
    -- Name and e-mail address as lists sort and search them: lower case, without accents.
    search TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- When the member last used the pages of this organization, to the minute.
    seen_at BIGINT,
    -- When the member left or was removed. Such a membership is not active.
    removed_at BIGINT,
    UNIQUE (user_id, organization_id)
);
CREATE INDEX memberships_organization ON memberships (organization_id);
CREATE INDEX memberships_permission_set ON memberships (permission_set_id);
-- One index for each filter of the list of people, in the order of its pages.
CREATE INDEX memberships_people ON memberships (organization_id, search, id) WHERE removed_at IS NULL;
CREATE INDEX memberships_people_by_state ON memberships (organization_id, is_active, search, id)
    WHERE removed_at IS NULL;
CREATE INDEX memberships_people_by_set ON memberships (organization_id, permission_set_id, search, id)
    WHERE removed_at IS NULL;

-- The periods in which memberships were active, which billing counts.
CREATE TABLE seats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    membership_id BIGINT NOT NULL REFERENCES memberships (id),
    began_at BIGINT NOT NULL,
    -- NULL: the membership is still active.
    ended_at BIGINT
);
CREATE INDEX seats_organization ON seats (organization_id, began_at);
CREATE UNIQUE INDEX seats_current ON seats (membership_id) WHERE ended_at IS NULL;

-- A row is deleted when the invitation is accepted, withdrawn or replaced, and some time after it has expired.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    permission_set_id BIGINT NOT NULL REFERENCES permission_sets (id),
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    -- The address as lists search it: lower case, without accents.
    search TEXT NOT NULL,
    -- SHA-256 of the code in the link: 200 random bits need no slow hash.
    code_hash BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    invited_by BIGINT NOT NULL REFERENCES users (id),
    -- The name at that time.
    invited_by_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (organization_id, email_folded)
);
CREATE INDEX invitations_permission_set ON invitations (permission_set_id);
CREATE INDEX invitations_email ON invitations (email_folded);

CREATE TABLE sessions (
    -- SHA-256 of the session's key, which only the browser has.
    key_hash BLOB NOT NULL PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- The user's `session_generation` at the sign-in. The session ends when the user's is increased.
    generation BIGINT NOT NULL,
    -- The organization that the user works in. NULL: the first that the user joined.
    organization_id BIGINT REFERENCES organizations (id),
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- When the password was last entered.
    proved_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    program TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

-- Tokens

CREATE TABLE service_users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Also the id of its token: a service user has one.
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- Permission keys separated by spaces.
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id),
    -- The name at that time.
    created_by_name TEXT NOT NULL,
    -- Increased with each change, so that a form that was opened earlier is refused.
    version BIGINT NOT NULL
);
CREATE INDEX service_users_organization ON service_users (organization_id, id);

-- A row is a personal token, or one key of a service user's token, whose newest key is the current one.
CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The id of a personal token. For a service user it tells one key from the next.
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('personal', 'service')),
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- The owner of a personal token.
    membership_id BIGINT REFERENCES memberships (id),
    user_id BIGINT REFERENCES users (id),
    -- The owner of a service user's key.
    service_user_id BIGINT REFERENCES service_users (id),
    label TEXT NOT NULL,
    -- The label as searches compare it: lower case, without accents.
    search TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'read_write')),
    inactivity_days SMALLINT NOT NULL,
    -- HMAC-SHA-256 of the key under the pepper of this version.
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    pepper_version SMALLINT NOT NULL,
    -- The form that created the row: a form that is sent twice creates one.
    form_nonce TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    last_used_address TEXT,
    last_used_program TEXT,
    revoked_at BIGINT,
    -- 'owner' on a page, 'key' through the API with the key itself, 'leak' when the key was reported as found in the
    -- open, 'operator' at the command line, 'administrator' of the organization, 'membership' that ended, 'replaced' by
    -- a new key.
    revoked_by TEXT
        CHECK (revoked_by IN ('owner', 'key', 'leak', 'operator', 'administrator', 'membership', 'replaced')),
    -- The administrator's name and reason. For a leak, the reason is where the key was found.
    revoked_by_name TEXT,
    revocation_reason TEXT,
    expired_at BIGINT,
    -- An old key works beside a new one until this moment, or until it has not been used for so many seconds.
    ends_at BIGINT,
    quiet_seconds BIGINT,
    -- Refused calls since it was revoked, and the last of them.
    refused_count BIGINT NOT NULL,
    refused_at BIGINT,
    refused_address TEXT,
    refused_program TEXT,
    -- The place of an active token among the ten of its user, or the twenty of its organization's service users. With
    -- the unique keys below, the database itself guards these limits.
    slot SMALLINT CHECK (slot BETWEEN 1 AND CASE kind WHEN 'personal' THEN 10 ELSE 20 END),
    UNIQUE (user_id, slot),
    CHECK (slot IS NULL OR (revoked_at IS NULL AND expired_at IS NULL)),
    CHECK ((kind = 'personal') = (membership_id IS NOT NULL AND user_id IS NOT NULL)),
    CHECK ((kind = 'service') = (service_user_id IS NOT NULL))
);
CREATE UNIQUE INDEX api_tokens_service_slot ON api_tokens (organization_id, slot) WHERE kind = 'service';
CREATE INDEX api_tokens_membership ON api_tokens (membership_id);
CREATE INDEX api_tokens_service_user ON api_tokens (service_user_id, id);
-- Finds tokens whose inactivity period has ended.
CREATE INDEX api_tokens_due ON api_tokens ((coalesce(last_used_at, created_at) + inactivity_days * 86400))
    WHERE slot IS NOT NULL;
-- Finds old keys that still work.
CREATE INDEX api_tokens_ending ON api_tokens (ends_at) WHERE ends_at IS NOT NULL AND revoked_at IS NULL;
-- One index for each filter of the inventory, in the order of its pages, so that no planner chooses a wrong one.
CREATE INDEX api_tokens_kind ON api_tokens (organization_id, kind, id);
CREATE INDEX api_tokens_active ON api_tokens (organization_id, kind, id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked ON api_tokens (organization_id, kind, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired ON api_tokens (organization_id, kind, id) WHERE expired_at IS NOT NULL;
CREATE INDEX api_tokens_idle ON api_tokens (organization_id, kind, (coalesce(last_used_at, created_at)), id)
    WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_owner ON api_tokens (organization_id, user_id, id) WHERE user_id IS NOT NULL;
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

-- Accepted calls with a key on a day (days since 1970-01-01, UTC).
CREATE TABLE token_calls (
    token_id BIGINT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (token_id, day)
) WITHOUT ROWID;
CREATE INDEX token_calls_day ON token_calls (day);

-- Revocation on all nodes

-- One row. The epoch is increased by the last statement of each transaction that changes what a token may do.
CREATE TABLE auth_epoch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL
);
INSERT INTO auth_epoch (id, epoch) VALUES (1, 1);

-- The digests of the keys that an epoch is about, one after the other. An epoch without a row is about every key.
CREATE TABLE auth_changes (
    epoch INTEGER PRIMARY KEY,
    digests BLOB NOT NULL
);

-- Which keys were revoked when, and by which epoch. Rows outlive their tokens, so they have no foreign keys.
CREATE TABLE revocations (
    -- The row of the key, which is revoked only once.
    token_id INTEGER PRIMARY KEY,
    -- The token's public id and label at that time.
    public_id TEXT NOT NULL,
    label TEXT NOT NULL,
    organization_id BIGINT NOT NULL,
    -- The owner of a personal token.
    user_id BIGINT,
    -- Whether the token goes on with a newer key.
    is_old_key BOOLEAN NOT NULL,
    -- Both are set by the last statement of the transaction. The moment is in milliseconds, by the database's clock.
    epoch BIGINT,
    revoked_at BIGINT
);
CREATE INDEX revocations_public_id ON revocations (public_id, epoch);
CREATE INDEX revocations_epoch ON revocations (epoch);
CREATE INDEX revocations_revoked_at ON revocations (revoked_at);
CREATE INDEX revocations_unfinished ON revocations (token_id) WHERE epoch IS NULL;

-- From when on a node refuses a revoked key.
CREATE TABLE revocation_nodes (
    token_id BIGINT NOT NULL REFERENCES revocations (token_id) ON DELETE CASCADE,
    -- The node and its name at that time. Rows outlive nodes, so this is no foreign key.
    node_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    -- The first epoch that the node read, of the revocation's and all later ones, and when, in milliseconds.
    epoch BIGINT NOT NULL,
    refuses_since BIGINT NOT NULL,
    -- When the node last accepted the key, in whole seconds. NULL: it does not know.
    last_accepted_at BIGINT,
    PRIMARY KEY (token_id, node_id)
) WITHOUT ROWID;

-- Protected APIs

-- APIs whose reverse proxy asks Jeton about each request.
CREATE TABLE protected_apis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- The beginning of the addresses of its requests.
    address TEXT NOT NULL,
    -- Whether browsers may ask without a key whether a page of another site may call the API.
    lets_preflights BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- Increased with each change, so that a form that was opened earlier is refused.
    version BIGINT NOT NULL
);
CREATE INDEX protected_apis_organization ON protected_apis (organization_id, name);

-- What a request needs: the first rule that matches decides.
CREATE TABLE protected_api_rules (
    protected_api_id BIGINT NOT NULL REFERENCES protected_apis (id) ON DELETE CASCADE,
    position SMALLINT NOT NULL,
    methods TEXT NOT NULL,
    path TEXT NOT NULL,
    needs TEXT NOT NULL CHECK (needs IN ('read', 'read_write', 'by_method')),
    permission TEXT,
    PRIMARY KEY (protected_api_id, position)
);

-- The activity log

-- Rows are only inserted. They copy names, so that an entry stays readable when what it names is gone.
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL: what happens to a user outside of any organization.
    organization_id BIGINT REFERENCES organizations (id),
    -- The entry's place in the log of its organization, from 1, and the hash that chains it to the entry before.
    position BIGINT NOT NULL,
    hash BLOB NOT NULL,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor_user_id BIGINT,
    -- Empty: nobody did it.
    actor_name TEXT NOT NULL,
    -- What it happened to: a user, or something else that has a name.
    target_user_id BIGINT,
    target_name TEXT,
    -- The token that it happened to or through.
    token_public_id TEXT,
    token_label TEXT,
    -- What else its sentence needs, such as a reason.
    detail TEXT,
    -- How often it has happened since the entry before, for what is counted.
    count BIGINT NOT NULL,
    address TEXT NOT NULL,
    program TEXT NOT NULL,
    request_id TEXT NOT NULL
);
CREATE UNIQUE INDEX activity_position ON activity (coalesce(organization_id, 0), position);
-- One index for each filter of the log, newest first.
CREATE INDEX activity_organization ON activity (organization_id, at, id);
CREATE INDEX activity_actor ON activity (organization_id, actor_user_id, at, id) WHERE actor_user_id IS NOT NULL;
CREATE INDEX activity_target ON activity (organization_id, target_user_id, at, id) WHERE target_user_id IS NOT NULL;
CREATE INDEX activity_token ON activity (organization_id, token_public_id, at, id) WHERE token_public_id IS NOT NULL;
CREATE INDEX activity_action ON activity (organization_id, action, at, id);

-- The last entry of each organization's chain. 0 stands for the entries without an organization.
CREATE TABLE activity_heads (
    organization_id INTEGER PRIMARY KEY,
    position BIGINT NOT NULL,
    hash BLOB NOT NULL
);
