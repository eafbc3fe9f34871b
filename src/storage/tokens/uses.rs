//! Uses of tokens, written for many tokens at a time: hundreds take as many statements as one.

use super::COUNTED_FROM_LAST_USE;
use crate::{AnyConnection, Result, schema::api_tokens};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use domain::{activity::Source, calls::day_of, time::Timestamp, token::TokenId};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

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
        "UPDATE api_tokens SET refused_count = refused_count + new.count, refused_at = new.at, \
         refused_address = new.address, refused_program = new.program FROM {} WHERE api_tokens.id = new.id",
        table(connection)
    );
    sql_query(added).bind::<Text, _>(rows(uses)).execute(connection)?;
    Ok(())
}

/// Returns when these tokens were last used. Locks them in a fixed order, so that nodes that write at the same time
/// never deadlock.
fn lock(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<HashMap<TokenId, Option<Timestamp>>> {
    let tokens = api_tokens::table
        .filter(api_tokens::id.eq_any(uses.iter().map(|new| new.token.0)))
        .order((api_tokens::organization_id, api_tokens::id))
        .select((api_tokens::id, api_tokens::last_used_at));
    let found: Vec<(i64, Option<i64>)> = match connection {
        AnyConnection::Sqlite(sqlite) => tokens.load(sqlite),
        AnyConnection::Postgres(postgres) => tokens.for_update().load(postgres),
    }?;
    Ok(found.into_iter().map(|(id, at)| (TokenId(id), at.map(Timestamp::from_seconds))).collect())
}

/// Writes the last uses. At the exact end of its period, a token has expired: a use and the expiry cannot both succeed.
fn write_last_uses(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<HashSet<TokenId>> {
    #[derive(QueryableByName)]
    struct Written {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let written = format!(
        "UPDATE api_tokens SET last_used_at = new.at, last_used_address = new.address, last_used_program = new.program \
         FROM {} WHERE api_tokens.id = new.id AND expired_at IS NULL \
         AND (revoked_at IS NULL OR revoked_at >= new.at) AND (last_used_at IS NULL OR last_used_at < new.at) \
         AND {COUNTED_FROM_LAST_USE} > new.at RETURNING api_tokens.id",
        table(connection)
    );
    let written: Vec<Written> = sql_query(written).bind::<Text, _>(rows(uses)).load(connection)?;
    Ok(written.into_iter().map(|token| TokenId(token.id)).collect())
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
