//! What all revocations of a key have in common.

use super::{REVOKED, Revocation};
use crate::{
    AnyConnection, Result,
    schema::{api_tokens, token_uses},
};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool},
};
use domain::time::Timestamp;

/// What a revocation writes into the row of a token.
#[derive(AsChangeset)]
#[diesel(table_name = api_tokens, treat_none_as_null = true)]
pub(super) struct Revoked<'a> {
    revoked_at: i64,
    revoked_by: &'static str,
    revoked_by_name: Option<&'a str>,
    revocation_reason: Option<&'a str>,
    slot: Option<i16>,
}

impl<'a> Revoked<'a> {
    pub(super) fn new(revocation: Revocation<'a>, now: Timestamp) -> Self {
        Self {
            revoked_at: now.seconds(),
            revoked_by: revocation.by.key(),
            revoked_by_name: revocation.name,
            revocation_reason: revocation.reason,
            slot: None,
        }
    }
}

/// Records that the current transaction revokes these keys. The increment of the epoch at its end adds the time
/// ([`crate::epoch::step`]). Returns whether there was any.
pub(super) fn note_revoked(connection: &mut AnyConnection, keys: &[i64], is_old_key: bool) -> Result<bool> {
    for key in keys {
        sql_query(
            "INSERT INTO revocations (token_id, public_id, label, organization_id, user_id, is_old_key) \
             SELECT api_tokens.id, coalesce(service_users.public_id, api_tokens.public_id), api_tokens.label, \
             api_tokens.organization_id, api_tokens.user_id, $1 \
             FROM api_tokens LEFT JOIN service_users ON service_users.id = api_tokens.service_user_id \
             WHERE api_tokens.id = $2",
        )
        .bind::<Bool, _>(is_old_key)
        .bind::<BigInt, _>(key)
        .execute(connection)?;
    }
    diesel::update(token_uses::table.filter(token_uses::token_id.eq_any(keys)))
        .set(token_uses::state.eq(REVOKED))
        .execute(connection)?;
    Ok(!keys.is_empty())
}
