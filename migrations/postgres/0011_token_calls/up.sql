-- How often a key was accepted on a day (days since 1970, UTC).
CREATE TABLE token_calls (
    token_id BIGINT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (token_id, day)
);
