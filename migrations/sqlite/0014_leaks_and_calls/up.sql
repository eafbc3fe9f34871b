-- Whether it was revoked because its key was reported as found in the open. It says so beside 'key' in revoked_by, which the
-- version before knows; the reason is where the key was found.
ALTER TABLE api_tokens ADD COLUMN is_leaked BOOLEAN NOT NULL DEFAULT FALSE;

-- Finds the calls of days long past.
CREATE INDEX token_calls_day ON token_calls (day);
