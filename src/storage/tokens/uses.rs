//! Uses of tokens, written for many tokens at a time: on Postgres, hundreds take as many statements as one.

use crate::{
    AnyConnection, Result,
    schema::{api_tokens, token_uses},
};
use diesel::{
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_query,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use domain::{
    activity::Source,
    calls::day_of,
    organization::OrganizationId,
    time::{DAY, Timestamp},
    token::{InactivityExpiry, TokenId, TokenKind},
};
use serde_json::{Value, json};
use std::collections::HashMap;

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
    let revoked: Vec<i64> =
        before.values().filter(|before| before.state == REVOKED).map(|before| before.token_id).collect();
    let revoked_at = revocations(connection, revoked)?;
    let mut noted = HashMap::with_capacity(uses.len());
    let mut newer = Vec::with_capacity(uses.len());
    for new in uses {
        let outcome = match before.get(&new.token) {
            Some(before) if before.is_used && new.at.seconds() <= before.idle_since => NotedUse::Later,
            Some(before) if before.may_be_used(new.at, revoked_at.get(&before.token_id)) => {
                newer.push(*new);
                if before.is_used { NotedUse::Later } else { NotedUse::First }
            }
            _ => NotedUse::Ended,
        };
        noted.insert(new.token, outcome);
    }
    write_last_uses(connection, &newer)?;
    Ok(noted)
}

/// Adds accepted uses to the calls of their day. Uses of deleted tokens are ignored.
pub fn count_calls(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<()> {
    let counted = format!(
        "INSERT INTO token_calls (day, calls, token_id) SELECT new.day, new.count, token_uses.token_id \
         FROM {} JOIN token_uses ON token_uses.token_id = new.id WHERE new.count > 0 \
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

/// The uses of a token as they are stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_uses)]
struct Before {
    token_id: i64,
    state: String,
    inactivity_days: i16,
    idle_since: i64,
    #[diesel(select_expression = token_uses::address.is_not_null())]
    is_used: bool,
}

impl Before {
    /// Returns whether the token had not ended at `at`. At the exact end of its period, it has expired: a use and the
    /// expiry cannot both succeed.
    fn may_be_used(&self, at: Timestamp, revoked_at: Option<&i64>) -> bool {
        let is_there = self.state == ACTIVE || revoked_at.is_some_and(|revoked| *revoked >= at.seconds());
        is_there && self.idle_since + i64::from(self.inactivity_days) * DAY > at.seconds()
    }
}

/// Returns what is stored of these tokens' uses. Locks it in a fixed order, so that nodes that write at the same time
/// never deadlock.
fn lock(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<HashMap<TokenId, Before>> {
    let found: Vec<Before> = match connection {
        // One after the other: such a statement stays prepared.
        AnyConnection::Sqlite(sqlite) => {
            let one = |new: &Uses<'_>| {
                let stored = token_uses::table.find(new.token.0).select(Before::as_select());
                stored.get_result(sqlite).optional().transpose()
            };
            uses.iter().filter_map(one).collect::<QueryResult<_>>()
        }
        AnyConnection::Postgres(postgres) => token_uses::table
            .filter(token_uses::token_id.eq_any(uses.iter().map(|new| new.token.0)))
            .order(token_uses::token_id)
            .select(Before::as_select())
            .for_update()
            .load(postgres),
    }?;
    Ok(found.into_iter().map(|before| (TokenId(before.token_id), before)).collect())
}

/// Returns when these tokens were revoked, as it is known once their uses are locked.
fn revocations(connection: &mut AnyConnection, revoked: Vec<i64>) -> Result<HashMap<i64, i64>> {
    if revoked.is_empty() {
        return Ok(HashMap::new());
    }
    let moments: Vec<(i64, i64)> = api_tokens::table
        .filter(api_tokens::id.eq_any(revoked).and(api_tokens::revoked_at.is_not_null()))
        .select((api_tokens::id, api_tokens::revoked_at.assume_not_null()))
        .load(connection)?;
    Ok(moments.into_iter().collect())
}

/// Writes last uses of tokens that are locked.
fn write_last_uses(connection: &mut AnyConnection, uses: &[Uses<'_>]) -> Result<()> {
    let AnyConnection::Sqlite(sqlite) = connection else {
        let written = format!(
            "UPDATE token_uses SET idle_since = new.at, address = new.address, program = new.program FROM {} \
             WHERE token_id = new.id",
            table(connection)
        );
        sql_query(written).bind::<Text, _>(rows(uses)).execute(connection)?;
        return Ok(());
    };
    for Uses { token, at, source, .. } in uses {
        let one = WriteOne { token: token.0, at: at.seconds(), address: &source.address, program: &source.program };
        one.execute(sqlite)?;
    }
    Ok(())
}

/// The last use of one token in SQLite. This statement stays prepared, which diesel's own updates do not: that would
/// take longer than to carry it out.
struct WriteOne<'a> {
    token: i64,
    at: i64,
    address: &'a str,
    program: &'a str,
}

impl QueryId for WriteOne<'_> {
    type QueryId = WriteOne<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for WriteOne<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE token_uses SET idle_since = ");
        out.push_bind_param::<BigInt, _>(&self.at)?;
        out.push_sql(", address = ");
        out.push_bind_param::<Text, _>(self.address)?;
        out.push_sql(", program = ");
        out.push_bind_param::<Text, _>(self.program)?;
        out.push_sql(" WHERE token_id = ");
        out.push_bind_param::<BigInt, _>(&self.token)
    }
}

impl RunQueryDsl<SqliteConnection> for WriteOne<'_> {}

/// Returns the table after FROM for uses in the first parameter of a statement: both databases can read JSON as a
/// table, each in its own syntax.
fn table(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Sqlite(_) => {
            "(SELECT value ->> 'id' AS id, value ->> 'at' AS at, value ->> 'day' AS day, value ->> 'address' AS address, \
             value ->> 'program' AS program, value ->> 'count' AS count FROM jsonb_each($1)) AS new"
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
