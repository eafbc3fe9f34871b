//! New e-mail addresses of users that are not yet confirmed with the link that was mailed there.

use super::{AnyConnection, Result, schema::email_changes};
use diesel::prelude::*;
use domain::{
    email_change::{EmailChange, expires_at},
    time::Timestamp,
    user::{Email, UserId},
};

type Row = (i64, String, i64);

fn change((user, email, expires_at): Row) -> EmailChange {
    EmailChange { user: UserId(user), email, expires_at: Timestamp::from_seconds(expires_at) }
}

const COLUMNS: (email_changes::user_id, email_changes::email, email_changes::expires_at) =
    (email_changes::user_id, email_changes::email, email_changes::expires_at);

/// Stores a change under the hash of its code, and replaces the user's earlier one.
pub fn replace(
    connection: &mut AnyConnection,
    user: UserId,
    email: &Email,
    code_hash: &[u8],
    now: Timestamp,
) -> Result<()> {
    delete(connection, user)?;
    diesel::insert_into(email_changes::table)
        .values((
            email_changes::user_id.eq(user.0),
            email_changes::email.eq(email.as_str()),
            email_changes::code_hash.eq(code_hash),
            email_changes::created_at.eq(now.seconds()),
            email_changes::expires_at.eq(expires_at(now).seconds()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Returns the user's change that is not yet confirmed.
pub fn of_user(connection: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Option<EmailChange>> {
    let theirs = email_changes::user_id.eq(user.0).and(email_changes::expires_at.gt(now.seconds()));
    let row: Option<Row> = email_changes::table.filter(theirs).select(COLUMNS).get_result(connection).optional()?;
    Ok(row.map(change))
}

/// Returns the change that the link with this code hash confirms; `None` once it has expired, or was used, cancelled or
/// replaced.
pub fn find(connection: &mut AnyConnection, code_hash: &[u8], now: Timestamp) -> Result<Option<EmailChange>> {
    // A change that was stored while the clock was ahead would otherwise stay valid for longer.
    let its_time = email_changes::expires_at.gt(now.seconds());
    let its_time = its_time.and(email_changes::expires_at.le(expires_at(now.latest()).seconds()));
    let living = email_changes::code_hash.eq(code_hash).and(its_time);
    let row: Option<Row> = email_changes::table.filter(living).select(COLUMNS).get_result(connection).optional()?;
    Ok(row.map(change))
}

/// Deletes the user's change that is not yet confirmed. Returns false if there is none.
pub fn delete(connection: &mut AnyConnection, user: UserId) -> Result<bool> {
    Ok(diesel::delete(email_changes::table.find(user.0)).execute(connection)? == 1)
}

/// Deletes the rows of expired changes.
pub fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(email_changes::table.filter(email_changes::expires_at.le(now.seconds()))).execute(connection)?)
}
