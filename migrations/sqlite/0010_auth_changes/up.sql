-- Which keys a step of the epoch is about: their digests, one after the other. A step without a row is about everything.
CREATE TABLE auth_changes (
    epoch INTEGER PRIMARY KEY,
    digests BLOB NOT NULL
);
