//! Links for a new password.

use super::{
    AnyConnection, Result,
    schema::{memberships, password_links},
};
use diesel::prelude::*;
use domain::{
    organization::PermissionSetId,
    password_link::{MadeBy, expires_at},
    time::Timestamp,
    user::UserId,
};

/// Stores a new link under the hash of its code.
pub fn insert(
    connection: &mut AnyConnection,
    code_hash: &[u8],
    user: UserId,
    made_by: MadeBy,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(password_links::table)
        .values((
            password_links::code_hash.eq(code_hash),
            password_links::user_id.eq(user.0),
            password_links::made_by.eq(made_by.key()),
            password_links::created_at.eq(now.seconds()),
            password_links::expires_at.eq(expires_at(now).seconds()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Returns the user whose password the link with this code hash changes; `None` once it has expired, was used or was
/// ended.
pub fn find(connection: &mut AnyConnection, code_hash: &[u8], now: Timestamp) -> Result<Option<UserId>> {
    // A link that was stored while the clock was ahead would otherwise work for longer.
    let its_time = password_links::expires_at.gt(now.seconds());
    let its_time = its_time.and(password_links::expires_at.le(expires_at(now.latest()).seconds()));
    let living = password_links::code_hash.eq(code_hash).and(its_time);
    let user: Option<i64> =
        password_links::table.filter(living).select(password_links::user_id).get_result(connection).optional()?;
    Ok(user.map(UserId))
}

/// Ends all links of a user.
pub fn delete_all(connection: &mut AnyConnection, user: UserId) -> Result<()> {
    diesel::delete(password_links::table.filter(password_links::user_id.eq(user.0))).execute(connection)?;
    Ok(())
}

/// Ends all links of the members who have a permission set.
pub fn delete_for_set(connection: &mut AnyConnection, set: PermissionSetId) -> Result<()> {
    let users: Vec<i64> = memberships::table
        .filter(memberships::permission_set_id.eq(set.0))
        .select(memberships::user_id)
        .load(connection)?;
    for user in users {
        delete_all(connection, UserId(user))?;
    }
    Ok(())
}

/// Deletes the rows of expired links.
pub fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(password_links::table.filter(password_links::expires_at.le(now.seconds())))
        .execute(connection)?)
}
