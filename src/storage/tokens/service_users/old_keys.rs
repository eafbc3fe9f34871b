//! Old keys of service users, which keep working for a while next to the key that replaces them.

use crate::{
    AnyConnection, Result, expect_column,
    schema::{api_tokens, service_users, token_uses},
    tokens::{key::IdleRow, note_revoked},
};
use diesel::prelude::*;
use domain::{
    organization::OrganizationId,
    time::Timestamp,
    token::{RevokedBy, TokenId},
};

/// Lets a key keep working until `ends_at`, or until it has been unused for so many seconds, and gives its slot to the
/// key that replaces it.
pub fn let_run_out(
    connection: &mut AnyConnection,
    key: TokenId,
    ends_at: Timestamp,
    quiet_seconds: Option<i64>,
) -> Result<()> {
    diesel::update(api_tokens::table.find(key.0))
        .set((
            api_tokens::ends_at.eq(ends_at.seconds()),
            api_tokens::quiet_seconds.eq(quiet_seconds),
            api_tokens::slot.eq(None::<i16>),
        ))
        .execute(connection)?;
    Ok(())
}

/// An old key that keeps working next to the one that replaces it.
#[derive(Clone, Debug)]
pub struct RunningOut {
    /// The key.
    pub key: TokenId,
    /// The public id of its token.
    pub public_id: String,
    /// The name of its service user.
    pub name: String,
    /// The organization.
    pub organization: OrganizationId,
    /// When it ends at the latest.
    pub ends_at: Timestamp,
    /// How long it must be unused to end before that, in seconds.
    pub quiet_seconds: Option<i64>,
    /// Its last use.
    pub last_used_at: Option<Timestamp>,
    /// When the key that replaced it was created.
    pub replaced_at: Timestamp,
    /// Whether the key that replaced it has been used.
    pub replacement_is_used: bool,
}

/// Lists the old keys that are not recorded as ended.
pub fn running_out(connection: &mut AnyConnection) -> Result<Vec<RunningOut>> {
    // Two plain queries, as one that joins the table with itself takes the compiler longer than the rest of the
    // program.
    type Old = (i64, i64, i64, Option<i64>);
    let old: Vec<(Old, IdleRow, (String, String, i64))> = api_tokens::table
        .inner_join(token_uses::table)
        .inner_join(service_users::table)
        .filter(api_tokens::ends_at.is_not_null().and(api_tokens::revoked_at.is_null()))
        .order((service_users::organization_id, api_tokens::id))
        .select((
            (api_tokens::id, service_users::id, api_tokens::ends_at.assume_not_null(), api_tokens::quiet_seconds),
            IdleRow::as_select(),
            (service_users::public_id, service_users::name, service_users::organization_id),
        ))
        .load(connection)?;
    let mut running = Vec::new();
    for ((key, service_user, ends_at, quiet_seconds), idle, (public_id, name, organization)) in old {
        let newer: Vec<(i64, IdleRow)> = api_tokens::table
            .inner_join(token_uses::table)
            .filter(api_tokens::service_user_id.eq(service_user).and(api_tokens::id.gt(key)))
            .order(api_tokens::id)
            .select((api_tokens::created_at, IdleRow::as_select()))
            .load(connection)?;
        let (replaced_at, replacement) = expect_column(newer.first(), "an old key without a newer one")?;
        running.push(RunningOut {
            key: TokenId(key),
            public_id,
            name,
            organization: OrganizationId(organization),
            ends_at: Timestamp::from_seconds(ends_at),
            quiet_seconds,
            last_used_at: idle.last_used_at(),
            replaced_at: Timestamp::from_seconds(*replaced_at),
            replacement_is_used: replacement.last_used_at().is_some(),
        });
    }
    Ok(running)
}

/// Ends an old key at `at`. Returns false if it had already ended.
pub fn end_old_key(connection: &mut AnyConnection, key: TokenId, at: Timestamp) -> Result<bool> {
    let ended: Vec<i64> = diesel::update(api_tokens::table.find(key.0).filter(api_tokens::revoked_at.is_null()))
        .set((api_tokens::revoked_at.eq(at.seconds()), api_tokens::revoked_by.eq(RevokedBy::Replaced.key())))
        .returning(api_tokens::id)
        .get_results(connection)?;
    note_revoked(connection, &ended, true)
}
