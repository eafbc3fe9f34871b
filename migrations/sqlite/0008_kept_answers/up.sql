-- Answers to requests that were sent with an Idempotency-Key, for whoever sends them again. Each is written in the
-- transaction of what it tells of.
CREATE TABLE kept_answers (
    token_id BIGINT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- SHA-256 of the key, and of what was sent.
    key_digest BLOB NOT NULL CHECK (length(key_digest) = 32),
    request_digest BLOB NOT NULL CHECK (length(request_digest) = 32),
    status BIGINT NOT NULL,
    -- Headers; empty: none.
    location TEXT NOT NULL,
    etag TEXT NOT NULL,
    -- JSON.
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (token_id, key_digest)
);
CREATE INDEX kept_answers_created ON kept_answers (created_at);
