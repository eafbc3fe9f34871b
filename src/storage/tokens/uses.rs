//! Uses of tokens, written for many tokens at a time: hundreds take as many statements as one.

use super::EXPIRES_AT;
use crate::{AnyConnection, Result, schema::token_uses};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Text},
};
use domain::{
    activity::Source,
    calls::day_of,
    organization::OrganizationId,
    time::Timestamp,
    token::{InactivityExpiry, TokenId, TokenKind},
};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// A token that has not ended, as far as this is recorded.
pub(super) const ACTIVE: &str = "active";
/// A token that is recorded as expired.
pub(super) const EXPIRED: &str = "expired";
/// A token that was revoked.
pub(super) const REVOKED: &str = "revoked";

/// A token that was just created.
pub(super) struct Unused {
    /// The token.
    pub(super) token: TokenId,
    /// Its organization.
    pub(super) organization: OrganizationId,
    /// Its kind.
    pub(super) kind: TokenKind,
    /// Its inactivity expiry.
    pub(super) inactivity: InactivityExpiry,
}

/// Makes room for the uses of a new token.
pub(super) fn begin(connection: &mut AnyConnection, new: &Unused, now: Timestamp) -> Result<()> {
    diesel::insert_into(token_uses::table)
        .values((
            token_uses::token_id.eq(new.token.0),
            token_uses::organization_id.eq(new.organization.0),
            token_uses::kind.eq(new.kind.key()),
            token_uses::state.eq(ACTIVE),
            token_uses::inactivity_days.eq(new.inactivity.days()),
            token_uses::idle_since.eq(now.seconds()),
            token_uses::refused_count.eq(0),
        ))
        .execute(connection)?;
    Ok(())
}

/// Uses of one token.
#[derive(Clone, Copy, Debug)]
pub struct Uses<'a> {
    /// The token.
    pub token: TokenId,
    /// When the newest use was.
    pub at: Timestamp,
    /// Where the newest use came from.
    pub source: &'a Source,
    /// The number of uses.
    pub count: u64,
}

/// The result of writing a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotedUse {
    /// It was the first use.
    First,
    /// It was a later use, or a newer one was already stored.
    Later,
    /// Nothing was written, as the token has ended.
    Ended,
}

/// Writes a use that was accepted at `at`, as [`note_uses`].
pub fn note_use(connection: &mut AnyConnection, token: TokenId, at: Timestamp, source: &Source) -> Result<NotedUse> {
    let noted = note_uses(connection, &[Uses { token, at, source, count: 1 }])?;
    Ok(noted.get(&token).copied().unwrap_or(NotedUse::Ended))
}

/// Writes when and from where tokens were last used; no token may appear twice. The stored time never moves back, and a
/// token that had ended by then is left unchanged (L8, V16). Uses before a revocation are still written.
pub fn note_uses(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<HashMap<TokenId, NotedUse>> {
    let before = lock(connection, uses)?;
    let written = write_last_uses(connection, uses)?;
    let noted = |new: &Uses<'_>| match before.get(&new.token) {
        Some(Some(before)) if new.at <= *before => NotedUse::Later,
        Some(Some(_)) if written.contains(&new.token) => NotedUse::Later,
        Some(None) if written.contains(&new.token) => NotedUse::First,
        _ => NotedUse::Ended,
    };
    Ok(uses.iter().map(|new| (new.token, noted(new))).collect())
}

/// Adds accepted uses to the calls of their day. Uses of deleted tokens are ignored.
pub fn count_calls(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<()> {
    let counted = format!(
        "INSERT INTO token_calls (day, calls, token_id) SELECT new.day, new.count, api_tokens.id \
         FROM {} JOIN api_tokens ON api_tokens.id = new.id WHERE new.count > 0 \
         ON CONFLICT (token_id, day) DO UPDATE SET calls = token_calls.calls + excluded.calls",
        table(connection)
    );
    sql_query(counted).bind::<Text, _>(rows(uses)).execute(connection)?;
    Ok(())
}

/// Adds refused uses of revoked tokens.
pub fn note_refused(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<()> {
    lock(connection, uses)?;
    let added = format!(
        "UPDATE token_uses SET refused_count = refused_count + new.count, refused_at = new.at, \
         refused_address = new.address, refused_program = new.program FROM {} WHERE token_id = new.id",
        table(connection)
    );
    sql_query(added).bind::<Text, _>(rows(uses)).execute(connection)?;
    Ok(())
}

/// Returns when these tokens were last used. Locks their uses in a fixed order, so that nodes that write at the same
/// time never deadlock.
fn lock(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<HashMap<TokenId, Option<Timestamp>>> {
    #[derive(QueryableByName)]
    struct Before {
        #[diesel(sql_type = BigInt)]
        token_id: i64,
        #[diesel(sql_type = BigInt)]
        idle_since: i64,
        #[diesel(sql_type = Bool)]
        is_used: bool,
    }
    let lock = match connection {
        AnyConnection::Sqlite(_) => "",
        AnyConnection::Postgres(_) => "FOR UPDATE OF token_uses",
    };
    let before = format!(
        "SELECT token_id, idle_since, token_uses.address IS NOT NULL AS is_used FROM {} \
         JOIN token_uses ON token_id = new.id ORDER BY token_id {lock}",
        table(connection)
    );
    let found: Vec<Before> = sql_query(before).bind::<Text, _>(rows(uses)).load(connection)?;
    let last_use = |before: &Before| before.is_used.then(|| Timestamp::from_seconds(before.idle_since));
    Ok(found.iter().map(|before| (TokenId(before.token_id), last_use(before))).collect())
}

/// Writes the last uses. At the exact end of its period, a token has expired: a use and the expiry cannot both succeed.
fn write_last_uses(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<HashSet<TokenId>> {
    #[derive(QueryableByName)]
    struct Written {
        #[diesel(sql_type = BigInt)]
        token_id: i64,
    }
    // Only of a revoked token, it matters when it ended.
    let written = format!(
        "UPDATE token_uses SET idle_since = new.at, address = new.address, program = new.program FROM {} \
         WHERE token_id = new.id AND (token_uses.address IS NULL OR idle_since < new.at) AND {EXPIRES_AT} > new.at \
         AND (state = 'active' OR \
              state = 'revoked' AND (SELECT revoked_at FROM api_tokens WHERE api_tokens.id = token_id) >= new.at) \
         RETURNING token_id",
        table(connection)
    );
    let written: Vec<Written> = sql_query(written).bind::<Text, _>(rows(uses)).load(connection)?;
    Ok(written.into_iter().map(|token| TokenId(token.token_id)).collect())
}

/// Returns the table after FROM for uses in the first parameter of a statement: both databases can read JSON as a
/// table, each in its own syntax.
fn table(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Sqlite(_) => {
            "(SELECT value ->> 'id' AS id, value ->> 'at' AS at, value ->> 'day' AS day, value ->> 'address' AS address, \
             value ->> 'program' AS program, value ->> 'count' AS count FROM json_each($1)) AS new"
        }
        AnyConnection::Postgres(_) => {
            "json_to_recordset($1::json) \
             AS new (id bigint, at bigint, day bigint, address text, program text, count bigint)"
        }
    }
}

/// Returns that parameter.
fn rows(uses: &[Uses<'_>]) -> String {
    let row = |new: &Uses<'_>| {
        let Source { address, program, .. } = new.source;
        json!({ "id": new.token.0, "at": new.at.seconds(), "day": day_of(new.at), "address": address,
                "program": program, "count": new.count })
    };
    Value::Array(uses.iter().map(row).collect()).to_string()
}
