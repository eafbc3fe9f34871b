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
pub use identity::{identities, identity, touched, unrevoked};
pub use key::Revocation;
pub use personal::{NewToken, active, find, find_by_form, find_owned, insert, list, list_owned};
pub use uses::{NotedUse, Uses, count_calls, note_refused, note_use, note_uses};

use super::{AnyConnection, Result, schema::api_tokens};
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use domain::{organization::OrganizationId, time::Timestamp, token::TokenId};
use key::{KeyRow, LifeRow};
use revoked::{Revoked, note_revoked};

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
    let expired =
        diesel::update(api_tokens::table.find(id.0).filter(api_tokens::slot.is_not_null()).filter(is_due(now)))
            .set((api_tokens::expired_at.eq(counted_from_last_use().nullable()), api_tokens::slot.eq(None::<i16>)))
            .execute(connection)?;
    Ok(expired == 1)
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
    let rows: Vec<(i64, String, String, i64)> = api_tokens::table
        .filter(api_tokens::slot.is_not_null())
        .filter(is_due(now))
        .order((api_tokens::organization_id, api_tokens::id))
        .limit(limit)
        .select((api_tokens::id, api_tokens::public_id, api_tokens::label, api_tokens::organization_id))
        .load(connection)?;
    let due = |(id, public_id, label, organization)| Due {
        id: TokenId(id),
        public_id,
        label,
        organization: OrganizationId(organization),
    };
    Ok(rows.into_iter().map(due).collect())
}

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
    diesel::update(api_tokens::table.filter(api_tokens::last_used_at.between(from, until)))
        .set(api_tokens::last_used_at.eq(api_tokens::last_used_at + by))
        .execute(connection)?;
    Ok(())
}

/// [`Life::expires_at`] in SQL. It must be exactly the expression of the index `api_tokens_due`.
const COUNTED_FROM_LAST_USE: &str = "(coalesce(last_used_at, created_at) + inactivity_days * 86400)";

fn counted_from_last_use() -> diesel::expression::SqlLiteral<BigInt> {
    sql(COUNTED_FROM_LAST_USE)
}

fn is_due(now: Timestamp) -> diesel::dsl::LtEq<diesel::expression::SqlLiteral<BigInt>, i64> {
    counted_from_last_use().le(now.seconds())
}
