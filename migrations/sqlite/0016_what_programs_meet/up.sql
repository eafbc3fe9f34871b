-- What programs know an organization by: it stays the same for ever, whatever becomes of the slug.
ALTER TABLE organizations ADD COLUMN public_id TEXT NOT NULL DEFAULT '';
UPDATE organizations SET public_id = lower(hex(randomblob(5)));
CREATE UNIQUE INDEX organizations_public_id ON organizations (public_id);
CREATE TRIGGER organizations_public_id AFTER INSERT ON organizations WHEN NEW.public_id = ''
BEGIN
    UPDATE organizations SET public_id = lower(hex(randomblob(5))) WHERE id = NEW.id;
END;

-- Every slug that an organization has or had: none is ever given to another.
CREATE TABLE organization_slugs (
    slug TEXT NOT NULL PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organizations (id)
) WITHOUT ROWID;
INSERT INTO organization_slugs (slug, organization_id) SELECT slug, id FROM organizations;

-- Whether browsers may ask without a key whether a page of another site may call the API.
ALTER TABLE protected_apis ADD COLUMN lets_preflights BOOLEAN NOT NULL DEFAULT FALSE;
