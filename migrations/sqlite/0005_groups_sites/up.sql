-- Groups and sites of people, and the ids by which other programs know people and service users.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- The name as names are compared.
    name_folded TEXT NOT NULL,
    -- The name as lists sort and search it: lower case, without accents.
    search TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Incremented by each change of the name, so that two editors notice each other.
    version BIGINT NOT NULL,
    UNIQUE (organization_id, name_folded)
);
CREATE INDEX groups_by_name ON groups (organization_id, search, id);

-- Only current members of the group's organization: removing one deletes their rows.
CREATE TABLE group_members (
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    membership_id BIGINT NOT NULL REFERENCES memberships (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, membership_id)
) WITHOUT ROWID;
CREATE INDEX group_members_membership ON group_members (membership_id, group_id);

CREATE TABLE sites (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- The site that it is in. NULL: none.
    parent_id BIGINT REFERENCES sites (id),
    -- From 1 for a site that is in no other one.
    level SMALLINT NOT NULL CHECK (level BETWEEN 1 AND 8),
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    search TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Incremented by each change of the name or the place.
    version BIGINT NOT NULL
);
CREATE INDEX sites_by_name ON sites (organization_id, search, id);
-- No two sites in the same place have the same name.
CREATE UNIQUE INDEX sites_name_below ON sites (parent_id, name_folded) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX sites_name_at_top ON sites (organization_id, name_folded) WHERE parent_id IS NULL;

-- Every site with itself and each site that it is in, however far above, so that one join finds everything below a site.
CREATE TABLE site_ancestors (
    site_id BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    ancestor_id BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    PRIMARY KEY (site_id, ancestor_id)
) WITHOUT ROWID;
CREATE INDEX site_ancestors_below ON site_ancestors (ancestor_id, site_id);

-- As group_members.
CREATE TABLE site_members (
    site_id BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    membership_id BIGINT NOT NULL REFERENCES memberships (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, membership_id)
) WITHOUT ROWID;
CREATE INDEX site_members_membership ON site_members (membership_id, site_id);

-- Unique among both tables of an organization. A removed member has none.
ALTER TABLE memberships ADD COLUMN external_id TEXT;
ALTER TABLE service_users ADD COLUMN external_id TEXT;
CREATE UNIQUE INDEX memberships_external_id ON memberships (organization_id, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX service_users_external_id ON service_users (organization_id, external_id)
    WHERE external_id IS NOT NULL;
