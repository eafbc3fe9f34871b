-- Items, and who has access to them.
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- The key of a built-in kind, or of one of the organization's own.
    kind TEXT NOT NULL,
    -- The id that it has in the system where it comes from. NULL: none.
    external_id TEXT,
    name TEXT NOT NULL,
    -- The name as lists search it: lower case, without accents.
    search TEXT NOT NULL,
    -- The owner: one of the two, or nobody.
    owner_membership_id BIGINT REFERENCES memberships (id) ON DELETE SET NULL,
    owner_service_user_id BIGINT REFERENCES service_users (id) ON DELETE SET NULL,
    site_id BIGINT REFERENCES sites (id) ON DELETE SET NULL,
    -- Of an inspection: what it was started from. NULL: it was deleted.
    template_id BIGINT REFERENCES items (id) ON DELETE SET NULL,
    -- NULL: it is not archived.
    archived_at BIGINT,
    -- Of an inspection. NULL: it is a draft.
    finished_at BIGINT,
    -- Incremented by each change.
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Never before that of an item of the same organization and kind that was changed earlier.
    modified_at BIGINT NOT NULL,
    CHECK (owner_membership_id IS NULL OR owner_service_user_id IS NULL)
);
CREATE UNIQUE INDEX items_external ON items (organization_id, kind, external_id) WHERE external_id IS NOT NULL;
-- Lists and feeds read one of these in its order, for each way in which somebody may reach items. Whether an item is
-- archived stands before the order, as almost every list asks for one of the two.
CREATE INDEX items_kind ON items
    (organization_id, kind, (CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END), modified_at, id);
CREATE INDEX items_member ON items
    (owner_membership_id, kind, (CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END), modified_at, id)
    WHERE owner_membership_id IS NOT NULL;
CREATE INDEX items_service_user ON items
    (owner_service_user_id, kind, (CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END), modified_at, id)
    WHERE owner_service_user_id IS NOT NULL;
CREATE INDEX items_site ON items
    (site_id, kind, (CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END), modified_at, id)
    WHERE site_id IS NOT NULL;
CREATE INDEX items_template ON items
    (template_id, kind, (CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END), modified_at, id)
    WHERE template_id IS NOT NULL;
CREATE INDEX items_template_site ON items
    (template_id, site_id, kind, (CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END), modified_at, id)
    WHERE template_id IS NOT NULL AND site_id IS NOT NULL;

-- What is too long for lists.
CREATE TABLE item_contents (
    item_id INTEGER PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
    description TEXT NOT NULL,
    -- The questions of a template, or those that an inspection was started with, as JSON. Empty for other kinds.
    form TEXT NOT NULL,
    -- The answers, as JSON.
    answers TEXT NOT NULL
);

-- Levels on one item.
CREATE TABLE shares (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    item_id BIGINT NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    -- user (a membership), service_user, group, site or organization, and the row there.
    recipient_kind TEXT NOT NULL,
    recipient_id BIGINT NOT NULL,
    -- The organization of the recipient, if it is another one than that of the item.
    outside_organization_id BIGINT REFERENCES organizations (id),
    level TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by_name TEXT NOT NULL,
    UNIQUE (item_id, recipient_kind, recipient_id)
);
CREATE INDEX shares_recipient ON shares (recipient_kind, recipient_id, item_id);
CREATE INDEX shares_outside ON shares (outside_organization_id) WHERE outside_organization_id IS NOT NULL;

-- Levels on all items of a kind, or on some of them.
CREATE TABLE access_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    -- Only items at this site and below it. NULL: wherever they are.
    site_id BIGINT REFERENCES sites (id) ON DELETE CASCADE,
    -- Only inspections of this template. NULL: of any.
    template_id BIGINT REFERENCES items (id) ON DELETE CASCADE,
    -- As in shares.
    recipient_kind TEXT NOT NULL,
    recipient_id BIGINT NOT NULL,
    outside_organization_id BIGINT REFERENCES organizations (id),
    level TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by_name TEXT NOT NULL,
    version BIGINT NOT NULL
);
-- The same items and the same recipient have one rule.
CREATE UNIQUE INDEX access_rules_same ON access_rules
    (organization_id, kind, coalesce(site_id, 0), coalesce(template_id, 0), recipient_kind, recipient_id);
CREATE INDEX access_rules_recipient ON access_rules (recipient_kind, recipient_id, kind);
CREATE INDEX access_rules_site ON access_rules (site_id) WHERE site_id IS NOT NULL;
CREATE INDEX access_rules_template ON access_rules (template_id) WHERE template_id IS NOT NULL;
CREATE INDEX access_rules_outside ON access_rules (outside_organization_id) WHERE outside_organization_id IS NOT NULL;

-- From whom an organization accepts nothing: what they share with it, or with its people, does not count.
CREATE TABLE refused_organizations (
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    refused_id BIGINT NOT NULL REFERENCES organizations (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, refused_id)
) WITHOUT ROWID;

-- The fields of a kind, as JSON. A kind without a row has none.
CREATE TABLE kind_forms (
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    form TEXT NOT NULL,
    -- Incremented by each change.
    version BIGINT NOT NULL,
    PRIMARY KEY (organization_id, kind)
) WITHOUT ROWID;
