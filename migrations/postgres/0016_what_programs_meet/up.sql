-- What programs know an organization by: it stays the same for ever, whatever becomes of the slug.
ALTER TABLE organizations ADD COLUMN public_id TEXT NOT NULL UNIQUE DEFAULT substr(md5(random()::text), 1, 10);

-- Every slug that an organization has or had: none is ever given to another.
CREATE TABLE organization_slugs (
    slug TEXT NOT NULL PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organizations (id)
);
INSERT INTO organization_slugs (slug, organization_id) SELECT slug, id FROM organizations;

-- Whether browsers may ask without a key whether a page of another site may call the API.
ALTER TABLE protected_apis ADD COLUMN lets_preflights BOOLEAN NOT NULL DEFAULT FALSE;
