-- How many items there are, by what access rules cover as a whole: whoever reaches all of a kind, or all at some sites,
-- is told how many that are without reading each.
CREATE TABLE item_counts (
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    -- 1: archived. As in the indexes of items.
    state BIGINT NOT NULL CHECK (state IN (0, 1)),
    -- 0: at no site.
    site_id BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (organization_id, kind, state, site_id)
);
CREATE INDEX item_counts_site ON item_counts (site_id);
INSERT INTO item_counts (organization_id, kind, state, site_id, count)
    SELECT organization_id, kind, CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END, coalesce(site_id, 0), count(*)
    FROM items GROUP BY 1, 2, 3, 4;
