-- Links with which somebody chooses a new password without the old one. A row goes when its user's password changes, by
-- this link or otherwise, and soon after it has expired.
CREATE TABLE password_links (
    -- SHA-256 of the code in the link: 200 random bits need no slow hash.
    code_hash BLOB PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    made_by TEXT NOT NULL CHECK (made_by IN ('user', 'administrator', 'operator')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX password_links_user ON password_links (user_id);
