//! An organization with very many items: what a million calls of Jeton's own verbs would leave in the database, in a few
//! statements. For `bench/items`.

use diesel::{RunQueryDsl, sql_query, sql_types::Binary};
use domain::token::KeyDigest;
use storage::{AnyConnection, StorageError};

/// Users, groups, sites, service users and access rules, however many items there are.
const USERS: i64 = 10_000;
const GROUPS: i64 = 1_000;
const SITES: i64 = 500;
const SERVICE_USERS: i64 = 20;
const RULES: i64 = 2_000;

/// Who asks in the benchmark: a name, and the kind and the row of the subject.
pub const ASKING: [(&str, bool, i64); 4] =
    [("administrator", true, 1), ("five items", true, 2), ("rule for all", false, 1), ("rule for a site", false, 2)];

/// Adds so many assets to the first organization, with the people, groups, sites and rules around them, and a token with
/// each of these digests for those in [`ASKING`]. The administrator has a rule for all items, the second user owns five,
/// the first service user has a rule for all items, the second one for a site and the 99 below it.
pub fn fill(connection: &mut AnyConnection, items: i64, digests: &[KeyDigest], now: i64) -> Result<(), StorageError> {
    let preparing = match connection {
        AnyConnection::Sqlite(_) => "PRAGMA cache_size = -1000000",
        AnyConnection::Postgres(_) => "SET LOCAL statement_timeout = '15min'",
    };
    sql_query(preparing).execute(connection)?;
    for statement in people(now).into_iter().chain(things(items, now)).chain(rules(now)) {
        sql_query(&statement).execute(connection)?;
    }
    for ((name, is_member, row), digest) in ASKING.into_iter().zip(digests) {
        token(connection, name, (is_member, row), digest, now)?;
    }
    sql_query("ANALYZE").execute(connection)?;
    if let AnyConnection::Sqlite(_) = connection {
        // Jeton gathers no statistics on SQLite, and neither may what stands for it.
        sql_query("DELETE FROM sqlite_stat1").execute(connection)?;
        sql_query("ANALYZE sqlite_schema").execute(connection)?;
    }
    Ok(())
}

fn numbers(to: i64) -> String {
    format!("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {to})")
}

/// The first user and the first organization are there.
fn people(now: i64) -> Vec<String> {
    vec![
        format!(
            "INSERT INTO users (name, search, email, email_folded, password_hash, time_zone, theme, session_generation,
                is_installation_admin, created_at)
            {} SELECT 'Person ' || n, 'person ' || n, 'person-' || n || '@example.com', 'person-' || n || '@example.com',
                '', 'UTC', 'system', 0, FALSE, {now} FROM numbers",
            numbers(USERS - 1)
        ),
        format!(
            "INSERT INTO memberships (user_id, organization_id, permission_set_id, is_active, created_at, search)
            SELECT id, 1, (SELECT id FROM permission_sets WHERE organization_id = 1 AND built_in = 'standard'), TRUE, {now},
                lower(name) || ' ' || email FROM users WHERE users.id > 1 ORDER BY users.id"
        ),
        format!(
            "INSERT INTO service_users (public_id, organization_id, name, permissions, created_at, created_by, created_by_name,
                version)
            {} SELECT 's' || (100000000 + n), 1, 'Warehouse ' || n, 'assets.view', {now}, 1, 'Ann', 1 FROM numbers",
            numbers(SERVICE_USERS)
        ),
        format!(
            "INSERT INTO groups (public_id, organization_id, name, name_folded, search, created_at, version)
            {} SELECT 'g' || (100000000 + n), 1, 'Group ' || n, 'group ' || n, 'group ' || n, {now}, 1 FROM numbers",
            numbers(GROUPS)
        ),
        format!(
            "INSERT INTO group_members (group_id, membership_id, added_at)
            SELECT g.id, m.id, {now} FROM memberships m JOIN groups g ON g.id IN (1 + m.id % {GROUPS}, 1 + m.id * 7 % {GROUPS})
            WHERE m.id > 2"
        ),
        // Five at the top, 20 in each of them, and 95 more below those.
        format!(
            "INSERT INTO sites (public_id, organization_id, parent_id, level, name, name_folded, search, created_at, version)
            {} SELECT 'p' || (100000000 + n), 1, CASE WHEN n > 105 THEN 6 + n % 100 WHEN n > 5 THEN 1 + n % 5 END,
                CASE WHEN n > 105 THEN 3 WHEN n > 5 THEN 2 ELSE 1 END, 'Site ' || n, 'site ' || n, 'site ' || n, {now}, 1
            FROM numbers",
            numbers(SITES)
        ),
        "INSERT INTO site_ancestors (site_id, ancestor_id)
            SELECT id, id FROM sites UNION SELECT id, parent_id FROM sites WHERE parent_id IS NOT NULL
            UNION SELECT s.id, p.parent_id FROM sites s JOIN sites p ON p.id = s.parent_id WHERE p.parent_id IS NOT NULL"
            .to_owned(),
        format!("INSERT INTO site_members (site_id, membership_id, added_at) SELECT 6 + id % 490, id, {now} FROM memberships WHERE id > 2"),
    ]
}

fn things(items: i64, now: i64) -> Vec<String> {
    vec![
        // A minute apart, ten at a time; every twentieth is archived.
        format!(
            "INSERT INTO items (public_id, organization_id, kind, name, search, owner_membership_id, site_id, archived_at,
                version, created_at, modified_at)
            {} SELECT 'i' || substr('' || (1000000000 + n), 2), 1, 'assets', 'Fridge ' || n, 'fridge ' || n,
                CASE WHEN n % ({items} / 5) = 7 THEN 2 ELSE 3 + n % {} END, 1 + n % {SITES},
                CASE WHEN n % 20 = 19 THEN {now} END, 1, {now} - 90000000, {now} - 60 * (({items} - n) / 10)
            FROM numbers ORDER BY n",
            numbers(items),
            USERS - 3
        ),
        "INSERT INTO item_contents (item_id, description, form, answers) SELECT id, 'Blue, second shelf', '', '{}' FROM items ORDER BY id"
            .to_owned(),
        "INSERT INTO item_counts (organization_id, kind, state, site_id, count)
            SELECT organization_id, kind, CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END, coalesce(site_id, 0), count(*)
            FROM items GROUP BY 1, 2, 3, 4"
            .to_owned(),
        format!(
            "INSERT INTO shares (public_id, item_id, recipient_kind, recipient_id, level, created_at, created_by_name)
            SELECT 'h' || (100000000 + id), id, 'user', 3 + id % {}, 'view', {now}, 'Ann' FROM items WHERE id % 10 = 0",
            USERS - 3
        ),
    ]
}

fn rules(now: i64) -> Vec<String> {
    let insert =
        "INSERT INTO access_rules (public_id, organization_id, kind, site_id, recipient_kind, recipient_id, level,
        created_at, created_by_name, version)";
    vec![
        format!(
            "{insert} {} SELECT 'r' || (100000000 + n), 1, 'assets', 1 + n % {SITES}, 'group', 1 + n % {GROUPS}, 'view', {now},
                'Ann', 1 FROM numbers WHERE n <= {GROUPS}",
            numbers(RULES)
        ),
        format!(
            "{insert} {} SELECT 'q' || (100000000 + n), 1, 'assets', 1 + n * 3 % {SITES}, 'user', 3 + n, 'edit', {now}, 'Ann', 1
            FROM numbers",
            numbers(RULES - GROUPS - 3)
        ),
        format!(
            "{insert} VALUES ('administrator', 1, 'assets', NULL, 'user', 1, 'manage', {now}, 'Ann', 1),
                ('service-all', 1, 'assets', NULL, 'service_user', 1, 'view', {now}, 'Ann', 1),
                ('service-site', 1, 'assets', 1, 'service_user', 2, 'view', {now}, 'Ann', 1)"
        ),
    ]
}

fn token(
    connection: &mut AnyConnection,
    name: &str,
    (is_member, row): (bool, i64),
    digest: &KeyDigest,
    now: i64,
) -> Result<(), StorageError> {
    let (kind, column, user) = match is_member {
        true => ("personal", "membership_id", row.to_string()),
        false => ("service", "service_user_id", "NULL".to_owned()),
    };
    let number = if is_member { row } else { 10 + row };
    sql_query(format!(
        "INSERT INTO api_tokens (public_id, kind, organization_id, {column}, user_id, label, search, scope, digest,
            pepper_version, form_nonce, created_at, slot)
        VALUES ('k{}', '{kind}', 1, {row}, {user}, '{name}', '{name}', 'read_write', $1, 1, 'items {number}', {now}, {row})",
        100_000_000 + number
    ))
    .bind::<Binary, _>(digest.0.to_vec())
    .execute(connection)?;
    sql_query(format!(
        "INSERT INTO token_uses (token_id, organization_id, kind, state, inactivity_days, idle_since, address, program,
            refused_count)
        SELECT id, 1, '{kind}', 'active', 180, {now}, '192.0.2.24', 'python-requests/2.32.4', 0 FROM api_tokens
        WHERE form_nonce = 'items {number}'"
    ))
    .execute(connection)?;
    Ok(())
}
