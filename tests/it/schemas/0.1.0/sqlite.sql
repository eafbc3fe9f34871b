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
INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('0001', '2026-11-27 17:24:01');
INSERT INTO installation (id, pepper_check, is_demo, created_at) VALUES (1, X'9B9DAD5ABE7727248D4D950E165930CD2FC2D1C8F024374118F97067DBBD487F', 0, 1795800241);
INSERT INTO nodes (id, name, came_at, first_epoch, seen_at, epoch) VALUES ('40mnda69rs', 'node:1', 1795800241653, 1, 1795800254142, 4);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (1, X'797B299982CDE53713976E5F609471C7E22587F460380905DA80C4104EE221BA66EE28E6E61D83A8F42C2C471F3DD35DEA5CA8D183BC4DAD941DE4C066E56A63E243D6B108FDD9827D98818DC4FC2195F46A1101135A8263B3EF8FB465F8FDB69073511C7005781BA4DA85E407D456A72C130588373E2BFF457B3761CE336C5320647F213AC511118311E97D2CBA2976FD71AFC766189C9F026C266BEB33E29EE9D44B8C099CE24EE9E72556ACC867EF47FD878535B397D7952B24295A269BD4C4AC1C8C5631393F590F1221BEBCA85DCC29A94EAD42DE2A85A1196C77E7E64A8242A3EEB0A4A8297467505D671C80CFFC9389B9BA4C84EDDF2F826B5C9BF63F8BF5799F1E4AD0FB3C9008693FF03DF149803483157FED5EE8AD6C174044C9125950F89825F4039252705F7D8F0BB4BC19C6D663E4231456F8DCA4A598E1BB4FA8EE2859380C045B2DF42FAD52128D1E73F01B0C250E556FF1206DA7158B63DD066EAB0E2C340DADBDB1772A9EB178C89E3A311F67306712EDE31361F3687B6C0C5B154475ECBECE032734AEBC705BC6D8253BB64AD37532', 'aab1dfd5d84e01fa', 1795800241, 1795800256, 1);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (2, X'DEE175CD52CD85628C011B34148CD1EEA14440233F7E24078D3CDA86210DE80A51BAF071A4EF439E0437C2D6D5C0C903C15AB9D5556E1E00AA7B3DCD2C4C76656DA5C3163816EB4EC32B1395BC78A52BE07A9D1D6D74581B3E0DFA848AC538771D46DF0BE62E3E532D0BE5E08D6BC8BDCF65520854551AFE39E5C80014C3EEBD92AD63C1A3727E96A1B280DAECBAFEDABF87F0161F2531BC42C7D6B349F2B434A818B8C06B1F4A5327BF5EFD9A34F61F79395CB7888EA006EEC7409FDC56EF600AA9EEEC16EEFE823C93BA6CEDF6EA19D9338BD5B35689BF884D30FE0C490FABE94D67E4A9346FC9F6837B3BF32EDDECFA8CC28074376582661AE7DB1DA12D3CCBD59B73C4DC8B22FC4A905C472541FF659F0B781E809B4D9F27526740BBD1B9A1AEB34E623CD14C1B9CBAA0DEEBA36221887BC7C0C08507B568368E3848EABF68CB626DE6996D438836C91DBAC14B0683AB4992B1B75CAE87C3AE8B22CE8E87E4359681216A0423A489650C66F490FC58E576E817FE5E98792F953C104169F7705151F0EEA5E7C95B38B7C2813A6F56C44576B36B841BCD', '85584d02562d7639', 1795800242, 1795800257, 1);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (3, X'8AAAD349F0655DB0BE13011DCFF135624791B40F5A6B8AA3104AD33E1A1F2B382A1F73ABC159C1CFBCDE4301CD4A89D21C9A5EC83BA197079F008FC1A4705A49BBE6747E6660079A0280EB555C3E948456803D4D9DE7BD2359A88AA8EFC0843CDF37A0F02B039BFEDA35F955ED84906E7ADB794780B5AB2FD5F659F1667EC285D757B7B8D87FA114A9F1ED52474A9CC2EAFDDBFEC2B68061FD1761A1A4262EA8E32B72DC950F4BC50376C30AFD0098D2DAC7E6B86C584FEEB3F3A59643D37A16CF47DBF4B30090B01652717B13884C739965C17C9BF0E145C3C67586744A503A4A6B60AEE68B0917BE1A816B801282C31F219F3DCB59A9B436170D4DE44AD255D9D0CB39864F4691E4D5A48D3A56C9A32975227031F17210C084A12370587B63B4E66F182EBD09B87EE176F8D3ABC6C05786AB0F64B57D40C798336B01859CB28FBDE842BA911135D65033E0DB7B86E7BD019EFF1FD4590DF31184E0CE20E346BCCBD8CB3D49BA162AE5BBABCF4A289ECEDE9A5B46C2CD4D9791B7186F4B0F105D18928037812DC2A8095886AFDC017EC5A753A82BA26471DB7D635A3A1624C7FFFECA7247397458C55844602F342E780B018D2AC09294846CCE3106660C2FA4AB0F0EF36893F9752036CF4011611EC708734D10A65F91E555382323544254D4EB3FC97429444B578299FC745B670011318456E95D8307F650AB394660F4CE2FB8827C9855EF4ACF3A', 'fe3633e85357668d', 1795800242, 1795800257, 1);
INSERT INTO mails (id, sealed, request_id, created_at, next_at, tries) VALUES (4, X'D11B897347C56EDC773C00C18A03B052605E82A6A373BF27E6E4B6F32A565141AE690D47AD67DD9B66AF74CB08FC92254AD3D2A5F4B3E4BCEF830AF6FCAF357596575C075CC765A09F04B85BE016D75B556FE0D80DE6DF8B77AC95276D5CFE31A86FE7EBA49885F84481362F4D56E2736606FE23EF0328A89AB25D1CE4E6B19BDDB79AE18E4977F2C25EA90F0180612DA4F62049D720A9D632B52DDA8A10A80B6F9011851000E40D186E9E50097EF7A5E44D4F5D99A249BE398FAFB421C6383AFFD41833D1E4462C19D1CCB58B45FD1F2C26B7FF1E87592D5C1FD56583C84BDD23BE59F044BC62EA0BA1DA7A0EEF120ED3B06F3298537B7EB1314EEE9C3F14C7A262153C9548CE6A5FE379C04591A03C3B5DCDC30996D200F480E0719848642A3DCCC9E156A5902D4DC00E5E53825CCDD17112AEA7B0463CBA121223196B12F099C6CAB2FDBA2D7207378487B71CA3B9D878DCD8D2C9D55623F0EB021BBCD93012AAB7AD1D48A88A718A8753CB2F210206C794B02A596D8C69ACED0D0DC3E07591BADA1953BEF800439ADFF3A76DF0DA74DB48BFB111231ED29A9802D5820FFD699C72BDFAB7AB01606860811519268A755D726DB20D1083C9C0B62BF56E0CA034E0454F83C13F2B98F9D4D6B9DCA80EE2AC8135DD334A8212B23CE49D51295EF313CE7A62F78CAF8AC9C66C2BB6635CF3D0E7C29DA2BF6D0D4AF76A740E59B69298CA0FBF2C5BD6EA196FCD79FA03FE8EBA1B', 'fe3633e85357668d', 1795800242, 1795800257, 1);
INSERT INTO users (id, name, search, email, email_folded, password_hash, language, time_zone, theme, session_generation, is_installation_admin, blocked_at, created_at) VALUES (1, 'Ann', 'ann', 'ann@example.org', 'ann@example.org', '$argon2id$v=19$m=19456,t=2,p=1$asdNTWYkZ1VgDyXobQDReA$7PjuCySxvoPFz2TRN7cEquegEeVINK/asSG2AR79cso', NULL, 'UTC', 'system', 0, 1, NULL, 1795800241);
INSERT INTO users (id, name, search, email, email_folded, password_hash, language, time_zone, theme, session_generation, is_installation_admin, blocked_at, created_at) VALUES (2, 'Leo', 'leo', 'leo@example.org', 'leo@example.org', '$argon2id$v=19$m=19456,t=2,p=1$3Q96cocHKXNeEY51GefFqQ$AM3Pn+AyJcdzjAuo9x0W4xuPZTKBUBBqljq2XaRSLuc', 'en', 'UTC', 'system', 0, 0, NULL, 1795800242);
INSERT INTO password_links (code_hash, user_id, made_by, created_at, expires_at) VALUES (X'91EC6DC2241BB258EBAC00459BFB6FCBD081534F9DB0FE83900C3CFAB6AFEE0A', 2, 'administrator', 1795800242, 1795803842);
INSERT INTO email_changes (user_id, email, code_hash, created_at, expires_at) VALUES (1, 'ann.new@example.org', X'BBAB070CEF4263FBF8A6DB27E785BEFC207BFF03F7CA9C92A606AD23B8BB705E', 1795800242, 1795886642);
INSERT INTO organizations (id, public_id, slug, name, created_at) VALUES (1, '62wq4chfq8', 'croix-bleue-sahel', 'Croix-Bleue Sahel', 1795800241);
INSERT INTO organization_slugs (slug, organization_id) VALUES ('croix-bleue-sahel', 1);
INSERT INTO permission_sets (id, organization_id, built_in, name, permissions, version) VALUES (1, 1, 'administrator', 'administrator', 'platform.users platform.groups platform.sites platform.permission_sets platform.integrations platform.activity platform.billing platform.verify_tokens templates.view templates.edit templates.delete templates.share inspections.view inspections.conduct inspections.delete inspections.share assets.view assets.edit assets.delete assets.share', 1);
INSERT INTO permission_sets (id, organization_id, built_in, name, permissions, version) VALUES (2, 1, 'standard', 'standard', 'templates.view templates.edit inspections.view inspections.conduct assets.view assets.edit', 1);
INSERT INTO permission_sets (id, organization_id, built_in, name, permissions, version) VALUES (3, 1, 'reader', 'reader', 'templates.view inspections.view assets.view', 1);
INSERT INTO memberships (id, user_id, organization_id, permission_set_id, search, is_active, created_at, seen_at, removed_at) VALUES (1, 1, 1, 1, 'ann ann@example.org', 1, 1795800241, NULL, NULL);
INSERT INTO memberships (id, user_id, organization_id, permission_set_id, search, is_active, created_at, seen_at, removed_at) VALUES (2, 2, 1, 3, 'leo leo@example.org', 1, 1795800242, NULL, NULL);
INSERT INTO seats (id, organization_id, membership_id, began_at, ended_at) VALUES (1, 1, 1, 1795800241, NULL);
INSERT INTO seats (id, organization_id, membership_id, began_at, ended_at) VALUES (2, 1, 2, 1795800242, NULL);
INSERT INTO invitations (id, organization_id, permission_set_id, email, email_folded, search, code_hash, invited_by, invited_by_name, created_at, expires_at) VALUES (2, 1, 3, 'zoe@example.org', 'zoe@example.org', 'zoe@example.org', X'19EC15C602BA32B3317AF0085DC892FB945EFA59547F92AC3278BBEC96E474FD', 1, 'Ann', 1795800242, 1796405042);
INSERT INTO sessions (key_hash, public_id, user_id, generation, organization_id, started_at, seen_at, proved_at, address, program) VALUES (X'E50BC6880A5E2FDD14C91F8693E5AB0FD924EB39CF0658933CA0C566877ED623', '5qnes4z6sq', 1, 0, NULL, 1795800241, 1795800241, 1795800241, '127.0.0.1', '');
INSERT INTO sessions (key_hash, public_id, user_id, generation, organization_id, started_at, seen_at, proved_at, address, program) VALUES (X'0054F2A254DA0A3A2E528B8694DFC605A9686819DBAE846BA4876877B2165342', 'b28d3822hf', 2, 0, NULL, 1795800242, 1795800242, 1795800242, '127.0.0.1', '');
INSERT INTO service_users (id, public_id, organization_id, name, permissions, created_at, created_by, created_by_name, version) VALUES (1, 'vwtha3xxn9', 1, 'Warehouse', 'templates.view', 1795800241, 1, 'Ann', 1);
INSERT INTO api_tokens (id, public_id, kind, organization_id, membership_id, user_id, service_user_id, label, search, scope, inactivity_days, digest, pepper_version, form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, revoked_by_name, revocation_reason, expired_at, ends_at, quiet_seconds, refused_count, refused_at, refused_address, refused_program, slot) VALUES (1, 'ry17wwxewf', 'personal', 1, 1, 1, NULL, 'Power BI', 'power bi', 'read', 45, X'B385199DACD6C8B62226689EDF3EB4C11207DA921C3A93C899916C9131BCFE37', 1, 'fj6evg93bbyxnv64h9dcad2b0pp8bjcth7p0g7gp', 1795800241, 1795800241, '127.0.0.1', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 1);
INSERT INTO api_tokens (id, public_id, kind, organization_id, membership_id, user_id, service_user_id, label, search, scope, inactivity_days, digest, pepper_version, form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, revoked_by_name, revocation_reason, expired_at, ends_at, quiet_seconds, refused_count, refused_at, refused_address, refused_program, slot) VALUES (2, 'vwtha3xxn9', 'service', 1, NULL, NULL, 1, 'Warehouse', 'warehouse', 'read_write', 45, X'88C406CDE3032B6149B882401B541C23C279F8600DF24DB381DB8C341C3BF286', 1, '87t1tejehqg711x4h49zm926vq8ysvspqz1esvzf', 1795800241, 1795800241, '127.0.0.1', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 1);
INSERT INTO api_tokens (id, public_id, kind, organization_id, membership_id, user_id, service_user_id, label, search, scope, inactivity_days, digest, pepper_version, form_nonce, created_at, last_used_at, last_used_address, last_used_program, revoked_at, revoked_by, revoked_by_name, revocation_reason, expired_at, ends_at, quiet_seconds, refused_count, refused_at, refused_address, refused_program, slot) VALUES (3, 'nyj48r1s6r', 'personal', 1, 1, 1, NULL, 'Old export', 'old export', 'read', 45, X'E6686A3DD0BB5A30492F5E9067878971583680AF97E0B3CACE67F1E7C614B320', 1, 'e9hhb9tsq2kwyvnk224vrb81ez8vnsj9y80fgc00', 1795800241, NULL, NULL, NULL, 1795800241, 'owner', NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO token_calls (token_id, day, calls) VALUES (1, 20784, 1);
INSERT INTO token_calls (token_id, day, calls) VALUES (2, 20784, 1);
INSERT INTO auth_epoch (id, epoch) VALUES (1, 4);
INSERT INTO auth_changes (epoch, digests) VALUES (2, X'E6686A3DD0BB5A30492F5E9067878971583680AF97E0B3CACE67F1E7C614B320');
INSERT INTO revocations (token_id, public_id, label, organization_id, user_id, is_old_key, epoch, revoked_at) VALUES (3, 'nyj48r1s6r', 'Old export', 1, 1, 0, 2, 1795800241844);
INSERT INTO revocation_nodes (token_id, node_id, node_name, epoch, refuses_since, last_accepted_at) VALUES (3, '40mnda69rs', 'node:1', 4, 1795800253135, NULL);
INSERT INTO protected_apis (id, public_id, organization_id, name, address, lets_preflights, created_at, version) VALUES (1, '6qgavsmzk9', 1, 'Order API', 'https://api.example.org/v1/', 0, 1795800242, 1);
INSERT INTO protected_api_rules (protected_api_id, position, methods, path, needs, permission) VALUES (1, 1, 'any', '/**', 'by_method', NULL);
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (1, 1, 1, X'DA42D05BDC368BC73386CC08F2E8DF4AB701DE5FDE3909511B1F04929BCB4E3E', 1795800241, 'installation.set_up', 1, 'Ann', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', 'a1e0b16a6185b4e9');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (2, 1, 2, X'52D108DC372F3C7D2E8446D07D7865AB516D38CD1760EBD3008140D5F586B490', 1795800241, 'token.created', 1, 'Ann', NULL, NULL, 'ry17wwxewf', 'Power BI', NULL, 1, '127.0.0.1', '', '7c871e96df652928');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (3, 1, 3, X'FA6682B314F9BA4A883FDFED08E8E2658E7AAAD79014C1CF9D58DB8BDCAD1137', 1795800241, 'token.created', 1, 'Ann', NULL, NULL, 'vwtha3xxn9', 'Warehouse', NULL, 1, '127.0.0.1', '', 'b8f61209ddfa2152');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (4, 1, 4, X'85C3E983AEA063518D5CB0BF93F6968807AB3C9168498A7D5F2D039B9D6EE56C', 1795800241, 'token.first_used', 1, 'Ann', NULL, NULL, 'ry17wwxewf', 'Power BI', NULL, 1, '127.0.0.1', '', '572d8bc35d449d67');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (5, 1, 5, X'99E4B8E0E1A4BA1D00D88972738A23D2743DA40B9E3E60BECA4DC5D075C61502', 1795800241, 'token.first_used', NULL, 'Warehouse', NULL, NULL, 'vwtha3xxn9', 'Warehouse', NULL, 1, '127.0.0.1', '', 'f565057cdc8f197c');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (6, 1, 6, X'6575AA6401F44D7B543EBEB8190F89A8273AAF5927C67C4CF3F63DEA3E06B0B1', 1795800241, 'token.created', 1, 'Ann', NULL, NULL, 'nyj48r1s6r', 'Old export', NULL, 1, '127.0.0.1', '', '31d3f8efdb2411a6');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (7, 1, 7, X'60E1DFA4DBD5ED0F72CC9268DE68D979BEC3776D7FEDCEE8092B220E813B324A', 1795800241, 'token.revoked', 1, 'Ann', NULL, NULL, 'nyj48r1s6r', 'Old export', NULL, 1, '127.0.0.1', '', '6e42ec62d9b909d0');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (8, 1, 8, X'21D830B965A1EAA8F88CD0B1D2F48B16D9CB49468FDC28CE03EB23980BE41300', 1795800241, 'user.invited', 1, 'Ann', NULL, 'leo@example.org', NULL, NULL, NULL, 1, '127.0.0.1', '', 'aab1dfd5d84e01fa');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (9, 1, 9, X'AE1AC3A7588C585F8C3FF03DFFF5E7E91EC58C5354E779BEDAE3A31E50319FF3', 1795800242, 'user.joined', 2, 'Leo', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', '48e9598f57987e0f');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (10, 1, 10, X'76C906ECFC68CD1931A6CCB8E53F1CDFAE7900B073978664B1EA800F3001A308', 1795800242, 'user.invited', 1, 'Ann', NULL, 'zoe@example.org', NULL, NULL, NULL, 1, '127.0.0.1', '', '85584d02562d7639');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (11, 1, 11, X'A28682D16772E0B62900F11F3439CC8069BC2691AC5C5C934AC717ECCA95EFEF', 1795800242, 'password.link_made', 1, 'Ann', 2, 'Leo', NULL, NULL, NULL, 1, '127.0.0.1', '', 'c1c7407554c26e63');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (12, 1, 12, X'4FE205AF7EBBC3EF6EFE61B32C840FDCF9C482C0B5391A0E8929411C7FB9DA71', 1795800242, 'profile.changed', 1, 'Ann', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', 'fe3633e85357668d');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (13, 1, 13, X'75CA032D6A844EDB52727EF6760BC835BC16000EFEC084198D3D014E30F7192F', 1795800242, 'profile.email_change_asked', 1, 'Ann', NULL, NULL, NULL, NULL, NULL, 1, '127.0.0.1', '', 'fe3633e85357668d');
INSERT INTO activity (id, organization_id, position, hash, at, action, actor_user_id, actor_name, target_user_id, target_name, token_public_id, token_label, detail, count, address, program, request_id) VALUES (14, 1, 14, X'539F6C08D193C4BF7345ACA1023BCE287963818A9783099904380AEC32C3F948', 1795800242, 'protected_api.created', 1, 'Ann', NULL, 'Order API', NULL, NULL, 'https://api.example.org/v1/
any /** → by_method', 1, '127.0.0.1', '', '9c6dada1d2a1e2a2');
INSERT INTO activity_heads (organization_id, position, hash) VALUES (1, 14, X'539F6C08D193C4BF7345ACA1023BCE287963818A9783099904380AEC32C3F948');
