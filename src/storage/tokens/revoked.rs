//! What all revocations of a key have in common.

use super::REVOKED;
use crate::{AnyConnection, Result, schema::token_uses};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool},
};

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
