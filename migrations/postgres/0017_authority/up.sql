-- When whoever runs the server blocked the account as a whole; NULL: it is not blocked.
ALTER TABLE users ADD COLUMN blocked_at BIGINT;
-- Finds those few who administer the installation.
CREATE INDEX users_installation_admins ON users (id) WHERE is_installation_admin;
-- Whether somebody who is active nowhere is invited anywhere.
CREATE INDEX invitations_email ON invitations (email_folded);
