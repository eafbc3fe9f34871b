-- Names, labels and addresses as searches compare them: small letters without accents. NULL in rows that were written
-- before there were these columns; the next start fills them in, and gives e-mail addresses the form in which they are
-- kept since then.
ALTER TABLE users ADD COLUMN search TEXT;
ALTER TABLE invitations ADD COLUMN search TEXT;
ALTER TABLE api_tokens ADD COLUMN search TEXT;
CREATE INDEX users_unsearchable ON users (id) WHERE search IS NULL;
CREATE INDEX invitations_unsearchable ON invitations (id) WHERE search IS NULL;
CREATE INDEX api_tokens_unsearchable ON api_tokens (id) WHERE search IS NULL;

-- Finds the people of one name, however it is written.
DROP INDEX users_name;
CREATE INDEX users_search ON users (search);

-- The same column of members has another form since then where there is more than ASCII; the next start writes it down.
UPDATE memberships SET search = ''
    WHERE length(search) <> length(CAST(search AS BLOB))
        OR user_id IN (SELECT id FROM users WHERE length(email) <> length(CAST(email AS BLOB)));
CREATE INDEX memberships_unsearchable ON memberships (id) WHERE search = '';
