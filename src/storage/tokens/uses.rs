//! Uses of tokens, written down many tokens at a time: each function takes as many statements for hundreds as for one.

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
    /// Of which token.
    pub token: TokenId,
    /// When the newest was.
    pub at: Timestamp,
    /// Where the newest came from.
    pub source: &'a Source,
    /// How many.
    pub count: u64,
}

/// What became of writing down a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotedUse {
    /// It was the first.
    First,
    /// It was a later one, or a newer one stands there already.
    Later,
    /// Nothing was written, since the token has ended.
    Ended,
}

/// Writes down a use that was accepted at `at`, as [`note_uses`] does.
pub fn note_use(connection: &mut AnyConnection, token: TokenId, at: Timestamp, source: &Source) -> Result<NotedUse> {
    let noted = note_uses(connection, &[Uses { token, at, source, count: 1 }])?;
    Ok(noted.get(&token).copied().unwrap_or(NotedUse::Ended))
}

/// Writes down when and from where tokens were used last; none may be there twice. The stored moment never moves back, and a
/// token that had ended by then is left alone (L8, V16). One that was revoked since keeps the uses from before.
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

/// Adds accepted uses to the calls of their day. A token that is gone counts no more.
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

/// Tells when these tokens were used last, and locks them in one order, so that two nodes that write at once never wait for
/// each other in a ring.
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

/// At its very end a token is expired: the use and the end of the period cannot both win.
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

/// What stands behind FROM for uses that are the first parameter of a statement: both databases make a table of JSON, each
/// in its own words.
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

/// That parameter.
fn rows(uses: &[Uses<'_>]) -> String {
    let row = |new: &Uses<'_>| {
        let Source { address, program, .. } = new.source;
        json!({ "id": new.token.0, "at": new.at.seconds(), "day": day_of(new.at), "address": address,
                "program": program, "count": new.count })
    };
    Value::Array(uses.iter().map(row).collect()).to_string()
}
