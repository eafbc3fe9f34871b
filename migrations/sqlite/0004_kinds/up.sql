-- The kinds of items that organizations have added.
CREATE TABLE kinds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- For programs. It never changes.
    key TEXT NOT NULL,
    -- The names of one item and of several.
    singular TEXT NOT NULL,
    plural TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Increased with each change, so that a form that was opened earlier is refused.
    version BIGINT NOT NULL,
    UNIQUE (organization_id, key)
);

-- What may be done with them beside viewing, editing, deleting and sharing.
CREATE TABLE kind_actions (
    kind_id BIGINT NOT NULL REFERENCES kinds (id) ON DELETE CASCADE,
    position SMALLINT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Whether it only reads, so that read-only tokens may do it.
    reads BOOLEAN NOT NULL,
    PRIMARY KEY (kind_id, position),
    UNIQUE (kind_id, key)
);

-- The permissions that the actions of these kinds become, separated by spaces, with `:r` behind those that only read.
-- Each change of a kind writes it, so that whoever looks a token up needs neither of the two tables.
ALTER TABLE organizations ADD COLUMN own_permissions TEXT NOT NULL DEFAULT '';

-- Who could do everything can also manage kinds.
UPDATE permission_sets
    SET permissions = replace(permissions, 'platform.permission_sets ', 'platform.permission_sets platform.kinds ')
    WHERE permissions = 'platform.users platform.groups platform.sites platform.permission_sets platform.integrations '
        || 'platform.activity platform.billing platform.verify_tokens templates.view templates.edit '
        || 'templates.delete templates.share inspections.view inspections.conduct inspections.delete '
        || 'inspections.share assets.view assets.edit assets.delete assets.share';
