-- For how many milliseconds a node may answer from memory after it has read the epoch, and how long a change of authority
-- waits at least before it is answered. The second is the larger while a new, smaller bound takes effect: a node may still
-- hold a reading under the old one. The version tells one setting of the bound from the next.
ALTER TABLE auth_epoch ADD COLUMN freshness_ms BIGINT NOT NULL DEFAULT 20 CHECK (freshness_ms BETWEEN 0 AND 1000);
ALTER TABLE auth_epoch ADD COLUMN longest_freshness_ms BIGINT NOT NULL DEFAULT 20
    CHECK (longest_freshness_ms BETWEEN freshness_ms AND 1000);
ALTER TABLE auth_epoch ADD COLUMN freshness_version BIGINT NOT NULL DEFAULT 0;

-- A random number that each change of authority sets: it tells an epoch from another one of the same number, which a
-- database gets that has lost its last commits. 0: from before there were marks.
ALTER TABLE auth_epoch ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;
ALTER TABLE auth_changes ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;
-- Whether the change is about every key, and not only those in `digests`. Earlier changes about every key have no row.
ALTER TABLE auth_changes ADD COLUMN affects_all BOOLEAN NOT NULL DEFAULT FALSE;
