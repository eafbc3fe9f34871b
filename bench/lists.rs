//! Long lists: an organization filled with people, tokens and entries in its log, and how the databases carry out what the
//! pages ask of them. For `bench/run`, and for the tests of the same plans.

use diesel::{
    Connection, QueryableByName, RunQueryDsl,
    connection::InstrumentationEvent,
    sql_query,
    sql_types::{BigInt, Text},
};
use std::sync::{Arc, Mutex, PoisonError};
use storage::{AnyConnection, StorageError};

/// Adds so many people, personal tokens and entries of the log to the first organization, and twenty service users, and lets
/// the database gather its statistics. Of 25 tokens one is revoked and one expired; the others were used up to 170 days ago. The entries are no
/// true chain.
pub fn fill(connection: &mut AnyConnection, rows: i64, now: i64) -> Result<(), StorageError> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = BigInt)]
        last: i64,
    }
    let user = sql_query("SELECT max(id) AS last FROM users").get_result::<Last>(connection)?.last;
    let position = sql_query("SELECT coalesce(max(position), 0) AS last FROM activity WHERE organization_id = 1")
        .get_result::<Last>(connection)?
        .last;
    let hash = match connection {
        AnyConnection::Sqlite(_) => "randomblob(32)",
        AnyConnection::Postgres(_) => "sha256(gen_random_uuid()::text::bytea)",
    };
    let numbers =
        |to: i64| format!("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {to})");
    let (to, twenty) = (numbers(rows), numbers(20));
    if let AnyConnection::Postgres(_) = connection {
        // Longer than any statement of Jeton's own may take.
        sql_query("SET LOCAL statement_timeout = '5min'").execute(connection)?;
    }
    for statement in [
        format!(
            "INSERT INTO users (name, search, email, email_folded, password_hash, time_zone, theme, session_generation,
                is_installation_admin, created_at)
            {to} SELECT 'Person ' || n, 'person ' || n, 'person-' || n || '@example.com', 'person-' || n || '@example.com',
                '', 'UTC', 'system', 0, FALSE, {now} FROM numbers"
        ),
        format!(
            "INSERT INTO memberships (user_id, organization_id, permission_set_id, is_active, created_at, search)
            SELECT id, 1, (SELECT min(id) FROM permission_sets WHERE organization_id = 1), id % 10 <> 0, {now},
                lower(name) || ' ' || email FROM users WHERE id > {user} ORDER BY id"
        ),
        format!(
            "INSERT INTO api_tokens (public_id, kind, organization_id, membership_id, user_id, label, search, scope,
                digest, pepper_version, form_nonce, created_at, revoked_at, expired_at, slot)
            {to} SELECT 't' || substr('' || (1000000000 + n), 2), 'personal', 1,
                memberships.id, user_id, 'Nightly export, warehouse ' || n, 'nightly export, warehouse ' || n, 'read',
                {hash}, 1, 'long list ' || n,
                {now} - 175 * 86400, CASE WHEN n % 25 = 8 THEN {now} END, CASE WHEN n % 25 = 9 THEN {now} END,
                CASE WHEN n % 25 NOT IN (8, 9) THEN n % 10 + 1 END
            FROM numbers JOIN memberships ON user_id = {user} + 1 + n / 10 AND organization_id = 1 ORDER BY n"
        ),
        format!(
            "INSERT INTO token_uses (token_id, organization_id, kind, state, inactivity_days, idle_since, address, program,
                refused_count)
            {to} SELECT id, 1, 'personal', CASE n % 25 WHEN 8 THEN 'revoked' WHEN 9 THEN 'expired' ELSE 'active' END, 180,
                CASE WHEN n % 100 > 0 THEN {now} - n * 7919 % 170 * 86400 ELSE created_at END,
                CASE WHEN n % 100 > 0 THEN '192.0.2.24' END, CASE WHEN n % 100 > 0 THEN 'python-requests/2.32.4' END, 0
            FROM numbers JOIN api_tokens ON form_nonce = 'long list ' || n ORDER BY n"
        ),
        format!(
            "INSERT INTO service_users (public_id, organization_id, name, permissions, created_at, created_by, created_by_name,
                version)
            {twenty} SELECT 's' || (100000000 + n), 1, 'Warehouse ' || n, 'assets.view', {now}, 1, 'Ann', 1 FROM numbers"
        ),
        format!(
            "INSERT INTO api_tokens (public_id, kind, organization_id, service_user_id, label, search, scope,
                digest, pepper_version, form_nonce, created_at, slot)
            {twenty} SELECT 'k' || (100000000 + n), 'service', 1, id, name, lower(name), 'read_write', {hash}, 1,
                'service ' || n, {now}, n
            FROM numbers JOIN service_users ON service_users.public_id = 's' || (100000000 + n) ORDER BY n"
        ),
        format!(
            "INSERT INTO token_uses (token_id, organization_id, kind, state, inactivity_days, idle_since, address, program,
                refused_count)
            {twenty} SELECT id, 1, 'service', 'active', 180, {now}, '192.0.2.24', 'python-requests/2.32.4', 0
            FROM numbers JOIN api_tokens ON form_nonce = 'service ' || n ORDER BY n"
        ),
        format!(
            "INSERT INTO activity (organization_id, at, action, actor_user_id, actor_name, token_public_id, token_label, count,
                address, program, request_id, target_user_id, target_name, position, hash)
            {to} SELECT 1, {now} - 60 * ({rows} - n),
                CASE n % 3 WHEN 0 THEN 'token.created' WHEN 1 THEN 'token.revoked' ELSE 'token.first_used' END,
                {user} + 1 + n / 10, 'Person ' || (1 + n / 10), 't' || substr('' || (1000000000 + n), 2),
                'Nightly export, warehouse ' || n, 1, '192.0.2.24', 'python-requests/2.32.4', 'long list', {user} + 1 + n / 7,
                'Person ' || (1 + n / 7), {position} + n, {hash}
            FROM numbers ORDER BY n"
        ),
        format!(
            "UPDATE activity_heads SET position = {position} + {rows}, hash = (SELECT hash FROM activity
                WHERE organization_id = 1 AND position = {position} + {rows}) WHERE organization_id = 1"
        ),
        "ANALYZE".to_owned(),
    ] {
        sql_query(statement).execute(connection)?;
    }
    if let AnyConnection::Sqlite(_) = connection {
        // Jeton gathers no statistics on SQLite, and neither may what stands for it.
        sql_query("DELETE FROM sqlite_stat1").execute(connection)?;
        sql_query("ANALYZE sqlite_schema").execute(connection)?;
    }
    Ok(())
}

/// How the database carries out each query that `work` sends, one step a line.
pub fn plans<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, StorageError>,
) -> Result<Vec<String>, StorageError> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&sent);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(query.to_string());
        }
    });
    let done = work(connection);
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| ());
    done?;
    let sent = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    sent.iter().map(|query| plan(connection, query)).collect()
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// `query` is as diesel shows it: with numbers for what is bound, which follows after ` -- binds: `.
fn plan(connection: &mut AnyConnection, query: &str) -> Result<String, StorageError> {
    let (mut sql, binds) =
        query.rsplit_once(" -- binds: ").map_or((query.to_owned(), ""), |(sql, binds)| (sql.to_owned(), binds));
    match connection {
        AnyConnection::Sqlite(_) => {
            let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(connection)?;
            Ok(steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n"))
        }
        AnyConnection::Postgres(_) => {
            let binds: Vec<&str> = binds.trim_matches(['[', ']']).split(", ").collect();
            for (index, bound) in binds.iter().enumerate().rev() {
                sql = sql.replace(&format!("${}", index + 1), &bound.replace('"', "'").replace("\\\\", "\\"));
            }
            let lines: Vec<Line> = sql_query(format!("EXPLAIN (COSTS OFF) {sql}")).load(connection)?;
            Ok(lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n"))
        }
    }
}
