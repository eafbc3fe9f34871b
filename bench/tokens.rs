//! Many tokens, quickly: what a million calls of Jeton's own verbs would leave in the database, in a few thousand statements.

use app::random;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use domain::{
    time::DAY,
    token::{KeyDigest, PERSONAL_LIMIT, public_id},
};
use std::fmt::Write;
use storage::{AnyConnection, StorageError};

/// Rows of one statement.
const ROWS: usize = 500;

#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = BigInt)]
    membership_id: i64,
}

/// Adds users to the first organization until each has ten of these tokens, and the tokens, used within the last ten days.
pub fn fill(connection: &mut AnyConnection, digests: &[KeyDigest], now: i64) -> Result<(), StorageError> {
    let preparing = match connection {
        // A gigabyte: what does not fit would be written to the disk more than once.
        AnyConnection::Sqlite(_) => "PRAGMA cache_size = -1000000",
        // Longer than any statement of Jeton's own may take.
        AnyConnection::Postgres(_) => "SET LOCAL statement_timeout = '5min'",
    };
    sql_query(preparing).execute(connection)?;
    let others = digests.len().div_ceil(usize::try_from(PERSONAL_LIMIT).unwrap_or(1)).saturating_sub(1);
    sql_query(format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {others})
        INSERT INTO users (name, search, email, email_folded, password_hash, time_zone, theme, session_generation,
                is_installation_admin, created_at)
            SELECT 'Person ' || n, 'person ' || n, 'person-' || n || '@example.org', 'person-' || n || '@example.org', '', 'UTC',
                'system', 0, FALSE, {now} FROM numbers"
    ))
    .execute(connection)?;
    sql_query(format!(
        "INSERT INTO memberships (user_id, organization_id, permission_set_id, is_active, created_at, search)
            SELECT id, 1, (SELECT id FROM permission_sets WHERE organization_id = 1 AND built_in = 'standard'), TRUE, {now},
                lower(name) || ' ' || email FROM users WHERE users.id > 1 ORDER BY users.id"
    ))
    .execute(connection)?;
    let members: Vec<Member> =
        sql_query("SELECT user_id, id AS membership_id FROM memberships ORDER BY user_id").load(connection)?;
    let places = members.iter().flat_map(|member| (1..=PERSONAL_LIMIT).map(move |slot| (member, slot)));
    let rows: Vec<_> = digests.iter().zip(places).collect();
    for rows in rows.chunks(ROWS) {
        insert(connection, rows, now)?;
    }
    sql_query(format!(
        "INSERT INTO token_uses (token_id, organization_id, kind, state, inactivity_days, idle_since, address, program,
                refused_count)
            SELECT id, 1, 'personal', 'active', 45, {now} - slot * {DAY}, '192.0.2.24', 'python-requests/2.32.4', 0
            FROM api_tokens ORDER BY id"
    ))
    .execute(connection)?;
    if let AnyConnection::Postgres(_) = connection {
        sql_query("ANALYZE").execute(connection)?;
    }
    Ok(())
}

fn insert(connection: &mut AnyConnection, rows: &[(&KeyDigest, (&Member, i16))], now: i64) -> Result<(), StorageError> {
    let (open, close) = match connection {
        AnyConnection::Sqlite(_) => ("x'", "'"),
        AnyConnection::Postgres(_) => ("'\\x", "'::bytea"),
    };
    let mut statement = String::from(
        "INSERT INTO api_tokens (public_id, kind, organization_id, membership_id, user_id, label, search, scope,
            digest, pepper_version, form_nonce, created_at, slot) VALUES ",
    );
    for (index, (digest, (Member { user_id, membership_id }, slot))) in rows.iter().enumerate() {
        let (comma, id, digest) = (if index > 0 { "," } else { "" }, public_id(random::fill), hex::encode(digest.0));
        let scope = if slot % 2 == 0 { "read_write" } else { "read" };
        write!(
            statement,
            "{comma} ('{id}', 'personal', 1, {membership_id}, {user_id}, 'Nightly export {slot}, warehouse {user_id}',
                'nightly export {slot}, warehouse {user_id}', '{scope}', {open}{digest}{close}, 1, 'filled {user_id} {slot}', {}, {slot})",
            now - 20 * DAY,
        )
        .map_err(|error| StorageError::Row(error.to_string()))?;
    }
    sql_query(statement).execute(connection)?;
    Ok(())
}
