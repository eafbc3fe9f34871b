//! E-mail addresses that users want to have, until a link that was mailed there proves that they are theirs.

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

/// Stores a change under the hash of its code, in the place of the one that the user wanted before.
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

/// The change that a user waits for.
pub fn of_user(connection: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Option<EmailChange>> {
    let theirs = email_changes::user_id.eq(user.0).and(email_changes::expires_at.gt(now.seconds()));
    let row: Option<Row> = email_changes::table.filter(theirs).select(COLUMNS).get_result(connection).optional()?;
    Ok(row.map(change))
}

/// The change that the link with this code hash proves; none once it has expired, was used, cancelled or replaced.
pub fn find(connection: &mut AnyConnection, code_hash: &[u8], now: Timestamp) -> Result<Option<EmailChange>> {
    // One that was asked for by a clock that was ahead would wait for as long.
    let its_time = email_changes::expires_at.gt(now.seconds());
    let its_time = its_time.and(email_changes::expires_at.le(expires_at(now.latest()).seconds()));
    let living = email_changes::code_hash.eq(code_hash).and(its_time);
    let row: Option<Row> = email_changes::table.filter(living).select(COLUMNS).get_result(connection).optional()?;
    Ok(row.map(change))
}

/// Ends the change that a user waits for. Returns false if there is none.
pub fn delete(connection: &mut AnyConnection, user: UserId) -> Result<bool> {
    Ok(diesel::delete(email_changes::table.find(user.0)).execute(connection)? == 1)
}

/// Removes the rows of changes that have expired.
pub fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(email_changes::table.filter(email_changes::expires_at.le(now.seconds()))).execute(connection)?)
}
