-- Mails that the mail server has not taken yet. A row goes once its mail is sent, refused for good, or too old.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Recipient, subject and text, encrypted under a key that only the pepper gives: there are links in them.
    sealed BLOB NOT NULL,
    -- The log tells of it under this id.
    request_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- No node tries to send it before: whoever tries moves it ahead, so that no other does meanwhile.
    next_at BIGINT NOT NULL,
    -- How often it was tried.
    tries BIGINT NOT NULL
);
CREATE INDEX mails_next ON mails (next_at);

-- E-mail addresses that users want to have, each until a link that was mailed there is opened.
CREATE TABLE email_changes (
    user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    -- SHA-256 of the code in the link.
    code_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
