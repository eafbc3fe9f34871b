CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pepper_check BLOB NOT NULL,
    is_demo BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE nodes (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- When the server started, and the epoch at that moment: it never accepted a key that had been revoked before.
    came_at BIGINT NOT NULL,
    first_epoch BIGINT NOT NULL,
    -- When the server last wrote this row, and the epoch that it had read by then.
    seen_at BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Recipient, subject and text, encrypted with a key derived from the pepper: mails contain links that are secret.
    sealed BLOB NOT NULL,
    -- The request that caused the mail, as the server's log names it.
    request_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- No node tries to send the mail before. A node that tries moves this ahead first, so that no other node tries too.
    next_at BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    -- The name as searches compare it: lower case, without accents.
    search TEXT NOT NULL,
    email TEXT NOT NULL,
    -- In lower case: two users cannot have addresses that differ only in case.
    email_folded TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    -- NULL: the language that the browser asks for.
    language TEXT CHECK (language IN ('en', 'fr')),
    time_zone TEXT NOT NULL,
    theme TEXT NOT NULL CHECK (theme IN ('system', 'light', 'dark')),
    -- Increased to end all sessions of the user at once.
    session_generation BIGINT NOT NULL,
    is_installation_admin BOOLEAN NOT NULL,
    -- When the operator blocked the whole account. NULL: it is not blocked.
    blocked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE TABLE password_links (
    -- SHA-256 of the code in the link: 200 random bits need no slow hash.
    code_hash BLOB NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    made_by TEXT NOT NULL CHECK (made_by IN ('user', 'administrator', 'operator')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE email_changes (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    -- SHA-256 of the code in the link.
    code_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE organizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The id that APIs show. It never changes, unlike the slug.
    public_id TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE organization_slugs (
    slug TEXT NOT NULL PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organizations (id)
) WITHOUT ROWID;
CREATE TABLE permission_sets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- The key of a built-in set, whose name pages translate.
    built_in TEXT,
    name TEXT NOT NULL,
    -- Permission keys separated by spaces.
    permissions TEXT NOT NULL,
    -- Increased with each change, so that a form that was opened earlier is refused.
    version BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);
CREATE TABLE memberships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id),
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    permission_set_id BIGINT NOT NULL REFERENCES permission_sets (id),
    -- Name and e-mail address as lists sort and search them: lower case, without accents.
    search TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- When the member last used the pages of this organization, to the minute.
    seen_at BIGINT,
    -- When the member left or was removed. Such a membership is not active.
    removed_at BIGINT,
    UNIQUE (user_id, organization_id)
);
CREATE TABLE seats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    membership_id BIGINT NOT NULL REFERENCES memberships (id),
    began_at BIGINT NOT NULL,
    -- NULL: the membership is still active.
    ended_at BIGINT
);
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    permission_set_id BIGINT NOT NULL REFERENCES permission_sets (id),
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    -- The address as lists search it: lower case, without accents.
    search TEXT NOT NULL,
    -- SHA-256 of the code in the link: 200 random bits need no slow hash.
    code_hash BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    invited_by BIGINT NOT NULL REFERENCES users (id),
    -- The name at that time.
    invited_by_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (organization_id, email_folded)
);
CREATE TABLE sessions (
    -- SHA-256 of the session's key, which only the browser has.
    key_hash BLOB NOT NULL PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- The user's `session_generation` at the sign-in. The session ends when the user's is increased.
    generation BIGINT NOT NULL,
    -- The organization that the user works in. NULL: the first that the user joined.
    organization_id BIGINT REFERENCES organizations (id),
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- When the password was last entered.
    proved_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    program TEXT NOT NULL
);
CREATE TABLE service_users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Also the id of its token: a service user has one.
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- Permission keys separated by spaces.
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id),
    -- The name at that time.
    created_by_name TEXT NOT NULL,
    -- Increased with each change, so that a form that was opened earlier is refused.
    version BIGINT NOT NULL
);
CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The id of a personal token. For a service user it tells one key from the next.
    public_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('personal', 'service')),
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    -- The owner of a personal token.
    membership_id BIGINT REFERENCES memberships (id),
    user_id BIGINT REFERENCES users (id),
    -- The owner of a service user's key.
    service_user_id BIGINT REFERENCES service_users (id),
    label TEXT NOT NULL,
    -- The label as searches compare it: lower case, without accents.
    search TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'read_write')),
    inactivity_days SMALLINT NOT NULL,
    -- HMAC-SHA-256 of the key under the pepper of this version.
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    pepper_version SMALLINT NOT NULL,
    -- The form that created the row: a form that is sent twice creates one.
    form_nonce TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    last_used_address TEXT,
    last_used_program TEXT,
    revoked_at BIGINT,
    -- 'owner' on a page, 'key' through the API with the key itself, 'leak' when the key was reported as found in the
    -- open, 'operator' at the command line, 'administrator' of the organization, 'membership' that ended, 'replaced' by
    -- a new key.
    revoked_by TEXT
        CHECK (revoked_by IN ('owner', 'key', 'leak', 'operator', 'administrator', 'membership', 'replaced')),
    -- The administrator's name and reason. For a leak, the reason is where the key was found.
    revoked_by_name TEXT,
    revocation_reason TEXT,
    expired_at BIGINT,
    -- An old key works beside a new one until this moment, or until it has not been used for so many seconds.
    ends_at BIGINT,
    quiet_seconds BIGINT,
    -- Refused calls since it was revoked, and the last of them.
    refused_count BIGINT NOT NULL,
    refused_at BIGINT,
    refused_address TEXT,
    refused_program TEXT,
    -- The place of an active token among the ten of its user, or the twenty of its organization's service users. With
    -- the unique keys below, the database itself guards these limits.
    slot SMALLINT CHECK (slot BETWEEN 1 AND CASE kind WHEN 'personal' THEN 10 ELSE 20 END),
    UNIQUE (user_id, slot),
    CHECK (slot IS NULL OR (revoked_at IS NULL AND expired_at IS NULL)),
    CHECK ((kind = 'personal') = (membership_id IS NOT NULL AND user_id IS NOT NULL)),
    CHECK ((kind = 'service') = (service_user_id IS NOT NULL))
);
CREATE TABLE token_calls (
    token_id BIGINT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (token_id, day)
) WITHOUT ROWID;
CREATE TABLE auth_epoch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL
);
CREATE TABLE auth_changes (
    epoch INTEGER PRIMARY KEY,
    digests BLOB NOT NULL
);
CREATE TABLE revocations (
    -- The row of the key, which is revoked only once.
    token_id INTEGER PRIMARY KEY,
    -- The token's public id and label at that time.
    public_id TEXT NOT NULL,
    label TEXT NOT NULL,
    organization_id BIGINT NOT NULL,
    -- The owner of a personal token.
    user_id BIGINT,
    -- Whether the token goes on with a newer key.
    is_old_key BOOLEAN NOT NULL,
    -- Both are set by the last statement of the transaction. The moment is in milliseconds, by the database's clock.
    epoch BIGINT,
    revoked_at BIGINT
);
CREATE TABLE revocation_nodes (
    token_id BIGINT NOT NULL REFERENCES revocations (token_id) ON DELETE CASCADE,
    -- The node and its name at that time. Rows outlive nodes, so this is no foreign key.
    node_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    -- The first epoch that the node read, of the revocation's and all later ones, and when, in milliseconds.
    epoch BIGINT NOT NULL,
    refuses_since BIGINT NOT NULL,
    -- When the node last accepted the key, in whole seconds. NULL: it does not know.
    last_accepted_at BIGINT,
    PRIMARY KEY (token_id, node_id)
) WITHOUT ROWID;
CREATE TABLE protected_apis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- The beginning of the addresses of its requests.
    address TEXT NOT NULL,
    -- Whether browsers may ask without a key whether a page of another site may call the API.
    lets_preflights BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- Increased with each change, so that a form that was opened earlier is refused.
    version BIGINT NOT NULL
);
CREATE TABLE protected_api_rules (
    protected_api_id BIGINT NOT NULL REFERENCES protected_apis (id) ON DELETE CASCADE,
    position SMALLINT NOT NULL,
    methods TEXT NOT NULL,
    path TEXT NOT NULL,
    needs TEXT NOT NULL CHECK (needs IN ('read', 'read_write', 'by_method')),
    permission TEXT,
    PRIMARY KEY (protected_api_id, position)
);
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL: what happens to a user outside of any organization.
    organization_id BIGINT REFERENCES organizations (id),
    -- The entry's place in the log of its organization, from 1, and the hash that chains it to the entry before.
    position BIGINT NOT NULL,
    hash BLOB NOT NULL,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor_user_id BIGINT,
    -- Empty: nobody did it.
    actor_name TEXT NOT NULL,
    -- What it happened to: a user, or something else that has a name.
    target_user_id BIGINT,
    target_name TEXT,
    -- The token that it happened to or through.
    token_public_id TEXT,
    token_label TEXT,
    -- What else its sentence needs, such as a reason.
    detail TEXT,
    -- How often it has happened since the entry before, for what is counted.
    count BIGINT NOT NULL,
    address TEXT NOT NULL,
    program TEXT NOT NULL,
    request_id TEXT NOT NULL
);
CREATE TABLE activity_heads (
    organization_id INTEGER PRIMARY KEY,
    position BIGINT NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX mails_next ON mails (next_at);
CREATE INDEX users_search ON users (search);
CREATE INDEX users_installation_admins ON users (id) WHERE is_installation_admin;
CREATE INDEX password_links_user ON password_links (user_id);
CREATE INDEX memberships_organization ON memberships (organization_id);
CREATE INDEX memberships_permission_set ON memberships (permission_set_id);
CREATE INDEX memberships_people ON memberships (organization_id, search, id) WHERE removed_at IS NULL;
CREATE INDEX memberships_people_by_state ON memberships (organization_id, is_active, search, id)
    WHERE removed_at IS NULL;
CREATE INDEX memberships_people_by_set ON memberships (organization_id, permission_set_id, search, id)
    WHERE removed_at IS NULL;
CREATE INDEX seats_organization ON seats (organization_id, began_at);
CREATE UNIQUE INDEX seats_current ON seats (membership_id) WHERE ended_at IS NULL;
CREATE INDEX invitations_permission_set ON invitations (permission_set_id);
CREATE INDEX invitations_email ON invitations (email_folded);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX service_users_organization ON service_users (organization_id, id);
CREATE UNIQUE INDEX api_tokens_service_slot ON api_tokens (organization_id, slot) WHERE kind = 'service';
CREATE INDEX api_tokens_membership ON api_tokens (membership_id);
CREATE INDEX api_tokens_service_user ON api_tokens (service_user_id, id);
CREATE INDEX api_tokens_due ON api_tokens ((coalesce(last_used_at, created_at) + inactivity_days * 86400))
    WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_ending ON api_tokens (ends_at) WHERE ends_at IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX api_tokens_kind ON api_tokens (organization_id, kind, id);
CREATE INDEX api_tokens_active ON api_tokens (organization_id, kind, id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked ON api_tokens (organization_id, kind, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired ON api_tokens (organization_id, kind, id) WHERE expired_at IS NOT NULL;
CREATE INDEX api_tokens_idle ON api_tokens (organization_id, kind, (coalesce(last_used_at, created_at)), id)
    WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_owner ON api_tokens (organization_id, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX api_tokens_active_name ON api_tokens (organization_id, kind, search, id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked_name ON api_tokens (organization_id, kind, search, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired_name ON api_tokens (organization_id, kind, search, id) WHERE expired_at IS NOT NULL;
CREATE INDEX api_tokens_revoked_used ON api_tokens (organization_id, kind, (coalesce(last_used_at, created_at)), id)
    WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired_used ON api_tokens (organization_id, kind, (coalesce(last_used_at, created_at)), id)
    WHERE expired_at IS NOT NULL;
CREATE INDEX api_tokens_active_end ON api_tokens
    (organization_id, kind, (coalesce(last_used_at, created_at) + inactivity_days * 86400), id) WHERE slot IS NOT NULL;
CREATE INDEX api_tokens_revoked_end ON api_tokens (organization_id, kind, revoked_at, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_tokens_expired_end ON api_tokens (organization_id, kind, expired_at, id) WHERE expired_at IS NOT NULL;
CREATE INDEX token_calls_day ON token_calls (day);
CREATE INDEX revocations_public_id ON revocations (public_id, epoch);
CREATE INDEX revocations_epoch ON revocations (epoch);
CREATE INDEX revocations_revoked_at ON revocations (revoked_at);
CREATE INDEX revocations_unfinished ON revocations (token_id) WHERE epoch IS NULL;
CREATE INDEX protected_apis_organization ON protected_apis (organization_id, name);
CREATE UNIQUE INDEX activity_position ON activity (coalesce(organization_id, 0), position);
CREATE INDEX activity_organization ON activity (organization_id, at, id);
CREATE INDEX activity_actor ON activity (organization_id, actor_user_id, at, id) WHERE actor_user_id IS NOT NULL;
CREATE INDEX activity_target ON activity (organization_id, target_user_id, at, id) WHERE target_user_id IS NOT NULL;
CREATE INDEX activity_token ON activity (organization_id, token_public_id, at, id) WHERE token_public_id IS NOT NULL;
CREATE INDEX activity_action ON activity (organization_id, action, at, id);
INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('0001', '2026-11-27 18:07:23');
INSERT INTO installation (id, pepper_check, is_demo, created_at) VALUES (1, X'9B9DAD5ABE7727248D4D950E165930CD2FC2D1C8F024374118F97067DBBD487F', 0, 1795802843);
INSERT INTO nodes (id, name, came_at, first_epoch, seen_at, epoch) VALUES ('rcqtkkvzvc', 'node:1', 1795802843316, 1, 1795802845342, 4);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (1, X'0F908F28DAA57898B13F293F5E4FA203C8A97384A6FF08D191366EEE98320EA4449BDBED2DB5A8F8CC69D42102E87DBFAF1F8D71FF2394ADE07130B5E72AE0BB288E2795871DACF0E8D4D54E9284978FE02F6A41CEE289816FD34299EF485029AEABC0F398BA0941326FE935F7E0D7DD3E471ABCB00160EF3371353ED1F68C8A7EB6C5994255FBDB453E41C9910D29D0DFCAD87E53C4A1CD3B271ED16349DB1F1691896C081B1A63D599C27DAB523A1BA74ED7211EDE39D698EC913306BCE06822B279478047FF01699D4367CBCDA583EC63B928DFCC4B5E31FBC4CF87C7CC97265E6407900D3FF872BD60B865438C48AA8B3BF940927E48D4B4061236C3950440C1490C4B060A0044349502DFC3E0B5060EF196B365939EA1BD89F9DF335124C2EF8A613693E779E9FC766364690C80126B490454105996A494E025E12FB18358985FD1A0BEE9BA5D2A11D2EEC0E773536A249749F17316A48981A304815A328EA76B025D64254D777018C88C7EA3D22B62094F6ADF0EB4EB54EF8F0A42E95BC9AD876F863B2BF134A5DBC9C4A21EB796CBC802FF58F7F7', 'c58404278116c9fe', 1795802843, 1795802858, 1);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (2, X'20043D5544772FC130529B4228E69DCF7B2B74150B23BDD6442B8E4EAE2294D0159A9C2374C1FF2086E3195860B1CF53505AD91436021F3B0FF89254AC6DA97EF8FC40224F0F13A9547EF03E1834025AB22430FEEA94EAD6EDE88B99DB1EB8AB7FF07D9A0509BF5510FDE01FDAA9DE48DA364E392DE27AD3F083DCDD20644B973C113CEE03CC9248B1731CAD920706AD66A61074C8A337E1D18AC62394050A694605732370F71EA042AB0536A912107CB93FD2E62D347DAA29054DB79BB69DBF8F822CCC73E709BA33F67005AD3A0EA4D835AF919BDA6EDD5AA794B184E546354F5E9F126B1C8488471E1CBF2F29A07184672B0F6BF18F822DFAB358F18D6E3F99B16A2DF98CC6148BE41E2123ED66A8FAF6E26711E48C6739288402658EC41CBCAB0E887450D1A569858D85CE583E20824729C17E2AEC5F997EAEF643C1555FF1DA689B95081EFF11CE3F86EAD6D32E7025F5E0AA1477401416847003787E4C33C5D3059CFB4989F435BAC45D48C3190D80F0A595F98D7F970C9EA6903F340DE06C9EFBA0D4D773776A29366BD79D66F5446D0A919AFF64', 'a02a7153fef63e3d', 1795802843, 1795802858, 1);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (3, X'225F553BE8702585739C51A3433914A76D9247E0FA5123B45CA39BA12B9ACD9D0B849A7D0BFF70163B6BDD4FE0EB0AACCE7204647373A29305505E2852AF98AA391EE10BE638DCA551E6DEA89185963BB4856ED8CDB2E60D8AF4696092E9B21AD8783366D991CA667AD28BAC5166146B6FA223EE959814F3A8135C6F6E67C4763ED034273C55D8E9D54A3701729297F0CE23EAA86A141CCA647DFE94E5F79BF0D9D23564C70BE4E9AB7E700560C019428736EC1B8753780EC2B906B9EBC3C8D23BFFD4533908D469F201A68D6E5CA984348F9F49996228154E8FC4186DD0A254C2F559CD3996D6076E76AE7200D1F4D83A08E38829642FDE89EBC29D1F94999E9D7A8AD33F92C2BDEEEB2988422E2A70194DD94AE0FDF9B663289FCF401B077548EBF326B5C454ADF163931D9789CBCF6C2ACF60EAA2B42EFB59B501B5A65837120A13EF0FAEE99F97DC292666594B8BAE224480618AF6BC9248B20B5A9B99FE17F03F3719D85943B6A0BF1BF2093BB1192597BF5904DBF361C69CEC37345F5F53DA761CA2928D638588345345A271FFCA2F92DE4B53940782A6383E8F7664E046C8C7327E8D5F352FE3CB3A64056F40F19E7862ECF7B15F9DF9F4930EC1F1E389310E3C2AF5F24E32FAA6D629D64508F2334B624A38B4A5008716F9D6963AE668BD91D27632058BD42D42206992D9177B5CEB1BF15B7ECFCCD92C801CA93B10483FC8B7BE69C3D905', '19085839fc202e91', 1795802843, 1795802858, 1);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (4, X'A58616132948682B77B895E1027B03DFC9F91A14F7029FDDABB22327A82AB37A09B9CDDA4C9F6F4C016112CE752389C7F65F0227D5C48B2BC4B2948AE0013CD802FB57D61DE717A13006850B2167F53BB5FD692E573835BE915BE97211FDCED7FFB27424FE406BE04FFF120DEABFC543BF25024ADC5E9E73DB5E19BF5B40DB29A2A19F7E69452F12D7C581A055C7C7854E162C68438F459DD0B66D3F43ACF37A6D6E6E9BD16837E277AC6839B89273F3A913AD4D5BB06025211F9E8E0663C1C0AFCF5AB85D1CED95FAA1228E026A523DF0872EAD9240BD80E7E6BAD86FA18640A168AAAA9806235C037AADC0CEF7A538557F3940C94946F71798676B421DC33F545899877629B12FE7F9FAEC37077D88D8611436BAFC20B9A82FC3820FD6CCC9F8824B710E6C86DB898FC87B324790E86376441CA2D3673CF0FBEA09AAD66F019F7D8C4F8180197FCEBB7F6CE0DF7E424839CC2A0258C48619C081807F4115F397CB2B1E78C16E31DD9A40C78E414151C907F0AD8E86B1F633EF18A9D961AB5DA660308AC02088B2A5CECDBFB74E25CE40A768E1EC2DCFEEC0D7E1601DCBA4A921FCD7152520960A282612ADDC753390075562CE83DD1F3225D65665AD2EA574EBEA564AB69E32EF2345026138FCA16A5C4CABC53F07943E3F6D220F7C3CA318A2941FAD88B74D62994B9E0DB07A6E7F62127B21E302E94B948A3A31F905DC9411A6D0DE12E167007D754C07510FEE24E71A54', '19085839fc202e91', 1795802843, 1795802858, 1);
INSERT INTO users (id, name, search, email, email_folded, password_hash, language, time_zone, theme, session_generation, is_installation_admin, blocked_at, created_at) VALUES (1, 'Ann', 'ann', 'ann@example.org', 'ann@example.org', '$argon2id$v=19$m=19456,t=2,p=1$soyCdE3k/CpSzbhvdEKbSQ$CVws4Vqqo1va+tmpIqjYs3IeXii/V6QzYYa2tIJMyZo', NULL, 'UTC', 'system', 0, 1, NULL, 1795802843);
INSERT INTO users (id, name, search, email, email_folded, password_hash, language, time_zone, theme, session_generation, is_installation_admin, blocked_at, created_at) VALUES (2, 'Leo', 'leo', 'leo@example.org', 'leo@example.org', '$argon2id$v=19$m=19456,t=2,p=1$NlX78uCBOnJ871uqOe1GYg$2mGuI8f4RRh5W6PSHoYxLrz708Zhg61cBmT/GRFL99Q', 'en', 'UTC', 'system', 0, 0, NULL, 1795802843);
INSERT INTO password_links (code_hash, user_id, made_by, created_at, expires_at) VALUES (X'C9C66F8D18673A1745990CADC5D575807561AF8C6095B789E4824C8A98F6DB85', 2, 'administrator', 1795802843, 1795806443);
INSERT INTO email_changes (user_id, email, code_hash, created_at, expires_at) VALUES (1, 'ann.new@example.org', X'D79169C5B5B6311EAFC4BFA594877D93524F08878DCE077E800C0A49219C6DA7', 1795802843, 1795889243);
INSERT INTO organizations (id, public_id, slug, name, created_at) VALUES (1, '13wnrt9kkb', 'croix-bleue-sahel', 'Croix-Bleue Sahel', 1795802843);
INSERT INTO organization_slugs (slug, organization_id) VALUES ('croix-bleue-sahel', 1);
INSERT INTO permission_sets (id, organization_id, built_in, name, permissions, version) VALUES (1, 1, 'administrator', 'administrator', 'platform.users platform.groups platform.sites platform.permission_sets platform.integrations platform.activity platform.billing platform.verify_tokens templates.view templates.edit templates.delete templates.share inspections.view inspections.conduct inspections.delete inspections.share assets.view assets.edit assets.delete assets.share', 1);
INSERT INTO permission_sets (id, organization_id, built_in, name, permissions, version) VALUES (2, 1, 'standard', 'standard', 'templates.view templates.edit inspections.view inspections.conduct assets.view assets.edit', 1);
INSERT INTO permission_sets (id, organization_id, built_in, name, permissions, version) VALUES (3, 1, 'reader', 'reader', 'templates.view inspections.view assets.view', 1);
INSERT INTO memberships (id, user_id, organization_id, permission_set_id, search, is_active, created_at, seen_at, removed_at) VALUES (1, 1, 1, 1, 'ann ann@example.org', 1, 1795802843, NULL, NULL);
INSERT INTO memberships (id, user_id, organization_id, permission_set_id, search, is_active, created_at, seen_at, removed_at) VALUES (2, 2, 1, 3, 'leo leo@example.org', 1, 1795802843, NULL, NULL);
INSERT INTO seats (id, organization_id, membership_id, began_at, ended_at) VALUES (1, 1, 1, 1795802843, NULL);
INSERT INTO seats (id, organization_id, membership_id, began_at, ended_at) VALUES (2, 1, 2, 1795802843, NULL);
INSERT INTO invitations (id, organization_id, permission_set_id, email, email_folded, search, code_hash, invited_by, invited_by_name, created_at, expires_at) VALUES (2, 1, 3, 'zoe@example.org', 'zoe@example.org', 'zoe@example.org', X'3ADF2B2AB0EA1EC264663F262276380E6D16791A9BC8459ECCFAC9FA482338A2', 1, 'Ann', 1795802843, 1796407643);
INSERT INTO sessions (key_hash, public_id, user_id, generation, organization_id, started_at, seen_at, proved_at, address, program) VALUES (X'B3704DF15223FE068DD93B25D27ABB9EA320EB2C8B3A07A5DA1AD7413D8838A5', 'pw0nak9t4q', 1, 0, NULL, 1795802843, 1795802843, 1795802843, '127.0.0.1', '');
INSERT INTO sessions (key_hash, public_id, user_id, generation, organization_id, started_at, seen_at, proved_at, address, program) VALUES (X'EA1D3B246969F29C074DD78EAF3B20E1C6FD473DC85A429493ADEA3422B3C5F1', 'n3gw8hnq4z', 2, 0, NULL, 1795802843, 1795802843, 1795802843, '127.0.0.1', '');
INSERT INTO service_users (id, public_id, organization_id, name, permissions, created_at, created_by, created_by_name, version) VALUES (1, 'd8f9hgnkrw', 1, 'Warehouse', 'templates.view', 1795802843, 1, 'Ann', 1);
INSERT INTO api_tokens (id, public_id, kind, organization_id, membership_id, user_id, service_user_id, label, search, scope, inactivity_days, digest, pepper_version, form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, revoked_by_name, revocation_reason, expired_at, ends_at, quiet_seconds, refused_count, refused_at, refused_address, refused_program, slot) VALUES (1, '63zmypr33v', 'personal', 1, 1, 1, NULL, 'Power BI', 'power bi', 'read', 45, X'B385199DACD6C8B62226689EDF3EB4C11207DA921C3A93C899916C9131BCFE37', 1, 'nst2kz1n168a8bsac0a4ra6kv4cby7c418mhz0fm', 1795802843, 1795802843, '127.0.0.1', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 1);
INSERT INTO api_tokens (id, public_id, kind, organization_id, membership_id, user_id, service_user_id, label, search, scope, inactivity_days, digest, pepper_version, form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, revoked_by_name, revocation_reason, expired_at, ends_at, quiet_seconds, refused_count, refused_at, refused_address, refused_program, slot) VALUES (2, 'd8f9hgnkrw', 'service', 1, NULL, NULL, 1, 'Warehouse', 'warehouse', 'read_write', 45, X'88C406CDE3032B6149B882401B541C23C279F8600DF24DB381DB8C341C3BF286', 1, '8d0659xnvmff78nfyfqv85gnjbxw24ckvg8qk4wh', 1795802843, 1795802843, '127.0.0.1', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 1);
INSERT INTO api_tokens (id, public_id, kind, organization_id, membership_id, user_id, service_user_id, label, search, scope, inactivity_days, digest, pepper_version, form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, revoked_by_name, revocation_reason, expired_at, ends_at, quiet_seconds, refused_count, refused_at, refused_address, refused_program, slot) VALUES (3, 'px4hb1f52t', 'personal', 1, 1, 1, NULL, 'Old export', 'old export', 'read', 45, X'B85D168B8BDED9A7A9A22771001F70ECD9E3E4783C8A3727ED629C48632A1128', 1, '167e2kx5hqdvhjcjx1hsjnkt5h7twkv0jb9xg179', 1795802843, NULL, NULL, NULL, 1795802843, 'owner', NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO token_calls (token_id, day, calls) VALUES (1, 20784, 1);
INSERT INTO token_calls (token_id, day, calls) VALUES (2, 20784, 1);
INSERT INTO auth_epoch (id, epoch) VALUES (1, 4);
INSERT INTO auth_changes (epoch, digests) VALUES (2, X'B85D168B8BDED9A7A9A22771001F70ECD9E3E4783C8A3727ED629C48632A1128');
INSERT INTO revocations (token_id, public_id, label, organization_id, user_id, is_old_key, epoch, revoked_at) VALUES (3, 'px4hb1f52t', 'Old export', 1, 1, 0, 2, 1795802843419);
INSERT INTO revocation_nodes (token_id, node_id, node_name, epoch, refuses_since, last_accepted_at) VALUES (3, 'rcqtkkvzvc', 'node:1', 4, 1795802844334, NULL);
INSERT INTO protected_apis (id, public_id, organization_id, name, address, lets_preflights, created_at, version) VALUES (1, 'hyz4x3bzjx', 1, 'Order API', 'https://api.example.org/v1/', 0, 1795802843, 1);
INSERT INTO protected_api_rules (protected_api_id, position, methods, path, needs, permission) VALUES (1, 1, 'any', '/**', 'by_method', NULL);
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (1, 1, 1, X'4F67F964AF95F326387EC814FB19E100ACE8D722F808C94D7DC5C818A7BCF391', 1795802843, 'installation.set_up', 1, 'Ann', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', 'bcb2d5bc0a4e7ced');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (2, 1, 2, X'F8626DF1DCBEA39F8E1B7A039EFDABE4BF68FAA4DA8074598BAC1A218ADAECB5', 1795802843, 'token.created', 1, 'Ann', NULL, NULL, '63zmypr33v', 'Power BI', NULL, 1, '127.0.0.1', '', '975942e8882df12c');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (3, 1, 3, X'895C1C6751FAC0D70BCEDF1EBC4D98CB2E37350D8F9D6802858ECDBCA101A555', 1795802843, 'token.created', 1, 'Ann', NULL, NULL, 'd8f9hgnkrw', 'Warehouse', NULL, 1, '127.0.0.1', '', 'd3c8365b86c2e956');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (4, 1, 4, X'E462D2DBEA2B93BAABBBA39294386BB19D16F5876EB518CF04D04D17116A09A4', 1795802843, 'token.first_used', 1, 'Ann', NULL, NULL, '63zmypr33v', 'Power BI', NULL, 1, '127.0.0.1', '', '71ffb015060d656b');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (5, 1, 5, X'77E5776EA8DB7C973BEACD949A0BF971F31085FB9E05F2DE71802FDC77F61C6B', 1795802843, 'token.first_used', NULL, 'Warehouse', NULL, NULL, 'd8f9hgnkrw', 'Warehouse', NULL, 1, '127.0.0.1', '', '103729ce8557e180');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (6, 1, 6, X'21C85F16AF099966778F1CDA3364E9113EF833039818AC695AF0C8BCE875EA0E', 1795802843, 'token.created', 1, 'Ann', NULL, NULL, 'px4hb1f52t', 'Old export', NULL, 1, '127.0.0.1', '', '4ca61d4183ecd9aa');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (7, 1, 7, X'5637EC46B87D1DA9818A44EAA6DD2830CDED5971C6408B36C100B3D8FAE3D88D', 1795802843, 'token.revoked', 1, 'Ann', NULL, NULL, 'px4hb1f52t', 'Old export', NULL, 1, '127.0.0.1', '', '891510b48281d1d4');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (8, 1, 8, X'8E72B33A64780C3BCBD868A758B1C4999D8667E4BFAB660E6956A1C0B1C48AD3', 1795802843, 'user.invited', 1, 'Ann', NULL, 'leo@example.org', NULL, NULL, NULL, 1, '127.0.0.1', '', 'c58404278116c9fe');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (9, 1, 9, X'20106E1991D6A4BF542C4D0BCBA0A24921EF659FDD8D70FB42AD7CC9E9332A6B', 1795802843, 'user.joined', 2, 'Leo', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', '63bb7de100614613');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (10, 1, 10, X'6CC06A58B9BEE8CAF91A5D971E7F7446182D156BF674600AE9527918A7BC5CBA', 1795802843, 'user.invited', 1, 'Ann', NULL, 'zoe@example.org', NULL, NULL, NULL, 1, '127.0.0.1', '', 'a02a7153fef63e3d');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (11, 1, 11, X'804E121773DCE86A4FAF8A3D0EC58585C78F74EA7B1039B2FC72430C21BC6EF7', 1795802843, 'password.link_made', 1, 'Ann', 2, 'Leo', NULL, NULL, NULL, 1, '127.0.0.1', '', 'dc9964c6fd8b3667');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (12, 1, 12, X'15EE7291245D641D2D3A708F45C91B08B6E454B9EE44A1CD5EABE66630348C32', 1795802843, 'profile.changed', 1, 'Ann', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', '19085839fc202e91');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (13, 1, 13, X'99E452629D1643584A1277E36036C5B3BA89FA47B4EA737145BD64C2D88B5784', 1795802843, 'profile.email_change_asked', 1, 'Ann', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', '19085839fc202e91');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (14, 1, 14, X'82E042BACB4D61CB2FE7ECDEDCC073FA7FF83EA74E199924322E87B09194602B', 1795802843, 'protected_api.created', 1, 'Ann', NULL, 'Order API', NULL, NULL, 'https://api.example.org/v1/
any /** → by_method', 1, '127.0.0.1', '', 'b73fd1f37b6aaaa6');
INSERT INTO activity_heads (organization_id, position, hash) VALUES (1, 14, X'82E042BACB4D61CB2FE7ECDEDCC073FA7FF83EA74E199924322E87B09194602B');
