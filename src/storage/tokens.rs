//! API tokens of both kinds, which are used, are revoked and expire in the same way.

mod calls;
mod identity;
pub mod inventory;
mod key;
mod personal;
mod revoked;
pub mod service_users;
mod uses;

pub use calls::{calls_since, forget_calls, keys_of};
pub use identity::{Key, current, identities, keys, named, subjects, touched, touched_subject, unrevoked};
pub use key::Revocation;
pub use personal::{NewToken, active, find, find_by_form, find_owned, insert, list, list_owned};
pub use uses::{NotedUse, Uses, count_calls, note_refused, note_use, note_uses};

use super::{
    AnyConnection, Result,
    schema::{api_tokens, token_uses},
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{BigInt, SmallInt, Text},
};
use domain::{
    organization::OrganizationId,
    time::Timestamp,
    token::{InactivityExpiry, TokenId},
};
use key::{KeyRow, LifeRow};
use revoked::{Revoked, note_revoked};
use uses::{ACTIVE, EXPIRED, REVOKED};

/// Revokes a token that has not ended. Returns false if it has.
pub fn revoke<'a>(
    connection: &mut AnyConnection,
    id: TokenId,
    revocation: impl Into<Revocation<'a>>,
    now: Timestamp,
) -> Result<bool> {
    let alive = api_tokens::revoked_at.is_null().and(api_tokens::expired_at.is_null());
    let revoked: Vec<i64> = diesel::update(api_tokens::table.find(id.0).filter(alive))
        .set(Revoked::new(revocation.into(), now))
        .returning(api_tokens::id)
        .get_results(connection)?;
    note_revoked(connection, &revoked, false)
}

/// Records that a token has expired and frees its slot, unless it was used or revoked meanwhile.
pub fn expire(connection: &mut AnyConnection, id: TokenId, now: Timestamp) -> Result<bool> {
    if !lock_held(connection, id)? {
        return Ok(false);
    }
    let is_due = token_uses::state.eq(ACTIVE).and(expires_at().le(now.seconds()));
    let expired: Option<i64> = diesel::update(token_uses::table.find(id.0).filter(is_due))
        .set(token_uses::state.eq(EXPIRED))
        .returning(expires_at())
        .get_result(connection)
        .optional()?;
    let Some(expired_at) = expired else { return Ok(false) };
    diesel::update(api_tokens::table.find(id.0))
        .set((api_tokens::expired_at.eq(expired_at), api_tokens::slot.eq(None::<i16>)))
        .execute(connection)?;
    Ok(true)
}

/// Locks a token that has a slot. Whoever ends a token locks it before its uses, in this order; who writes uses locks
/// those alone.
fn lock_held(connection: &mut AnyConnection, id: TokenId) -> Result<bool> {
    let held = api_tokens::table.find(id.0).filter(api_tokens::slot.is_not_null()).select(api_tokens::id);
    let found: Option<i64> = match connection {
        AnyConnection::Sqlite(sqlite) => held.get_result(sqlite),
        AnyConnection::Postgres(postgres) => held.for_no_key_update().get_result(postgres),
    }
    .optional()?;
    Ok(found.is_some())
}

/// A token whose inactivity period is over, with what the activity log needs.
pub struct Due {
    /// The row.
    pub id: TokenId,
    /// Its public id.
    pub public_id: String,
    /// Its label.
    pub label: String,
    /// Its organization.
    pub organization: OrganizationId,
}

/// Lists tokens whose inactivity period is over but that are not yet recorded as expired, at most `limit`.
pub fn due(connection: &mut AnyConnection, now: Timestamp, limit: i64) -> Result<Vec<Due>> {
    let mut rows: Vec<DueRow> = Vec::new();
    for inactivity in InactivityExpiry::ALL {
        let of_period: Vec<DueRow> = sql_query(DUE)
            .bind::<SmallInt, _>(inactivity.days())
            .bind::<BigInt, _>(now.plus(-inactivity.seconds()).seconds())
            .bind::<BigInt, _>(limit)
            .load(connection)?;
        rows.extend(of_period);
    }
    rows.sort_unstable_by_key(|row| (row.organization_id, row.id));
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let due = |row: DueRow| Due {
        id: TokenId(row.id),
        public_id: row.public_id,
        label: row.label,
        organization: OrganizationId(row.organization_id),
    };
    Ok(rows.into_iter().map(due).collect())
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    public_id: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = BigInt)]
    organization_id: i64,
}

/// Due tokens of one inactivity expiry. Each organization and kind has a range of the index `token_uses_active`.
const DUE: &str = "SELECT api_tokens.id, api_tokens.public_id, api_tokens.label, api_tokens.organization_id \
     FROM organizations CROSS JOIN (SELECT 'personal' AS kind UNION ALL SELECT 'service') AS kinds \
     JOIN token_uses ON token_uses.organization_id = organizations.id AND token_uses.kind = kinds.kind \
     JOIN api_tokens ON api_tokens.id = token_uses.token_id \
     WHERE token_uses.state = 'active' AND token_uses.inactivity_days = $1 AND token_uses.idle_since <= $2 \
     AND api_tokens.slot IS NOT NULL ORDER BY api_tokens.organization_id, api_tokens.id LIMIT $3";

/// Returns how many tokens have not ended, as far as this is recorded.
pub fn count_active(connection: &mut AnyConnection) -> Result<i64> {
    Ok(api_tokens::table.filter(api_tokens::slot.is_not_null()).count().get_result(connection)?)
}

/// Moves the times of creation and use of tokens between two times by `by` seconds, as the clock was wrong then.
pub fn move_moments(connection: &mut AnyConnection, from: Timestamp, until: Timestamp, by: i64) -> Result<()> {
    let (from, until) = (from.seconds(), until.seconds());
    diesel::update(api_tokens::table.filter(api_tokens::created_at.between(from, until)))
        .set(api_tokens::created_at.eq(api_tokens::created_at + by))
        .execute(connection)?;
    diesel::update(token_uses::table.filter(token_uses::idle_since.between(from, until)))
        .set(token_uses::idle_since.eq(token_uses::idle_since + by))
        .execute(connection)?;
    Ok(())
}

/// When a token expires unless it is used before, in SQL.
const EXPIRES_AT: &str = "(token_uses.idle_since + token_uses.inactivity_days * 86400)";

fn expires_at() -> diesel::expression::SqlLiteral<BigInt> {
    sql(EXPIRES_AT)
}
