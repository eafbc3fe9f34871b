-- What a change of authority affects besides the keys in `digests`, separated by spaces: subjects, all subjects of an
-- organization, and protected APIs.
ALTER TABLE auth_changes ADD COLUMN affected TEXT NOT NULL DEFAULT '';
