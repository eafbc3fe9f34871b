-- How often a key was accepted on a day (days since 1970, UTC).
CREATE TABLE token_calls (
    token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (token_id, day)
) WITHOUT ROWID;
