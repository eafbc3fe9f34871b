-- A member's name and e-mail address as lists sort and search them: lower case, without accents. Empty in rows that were
-- written before there was this column; the next start fills it in.
ALTER TABLE memberships ADD COLUMN search TEXT NOT NULL DEFAULT '';
-- When the member last used the pages of this organization, to the minute.
ALTER TABLE memberships ADD COLUMN seen_at BIGINT;
CREATE INDEX memberships_people ON memberships (organization_id, search, id) WHERE removed_at IS NULL;
CREATE INDEX memberships_people_by_state ON memberships (organization_id, is_active, search, id)
    WHERE removed_at IS NULL;
CREATE INDEX memberships_permission_set ON memberships (permission_set_id);

-- A row goes when the invitation is accepted, withdrawn or replaced, and some time after it has expired.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    permission_set_id BIGINT NOT NULL REFERENCES permission_sets (id),
    -- SHA-256 of the code in the link: 200 random bits need no slow hash.
    code_hash BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    invited_by BIGINT NOT NULL REFERENCES users (id),
    -- Copied, so that it stays what it was.
    invited_by_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (organization_id, email_folded)
);
CREATE INDEX invitations_permission_set ON invitations (permission_set_id);
