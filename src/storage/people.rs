//! The current and former members of an organization, as the activity log names and finds them.

use super::{
    AnyConnection, Result,
    connection::MultiBackend,
    schema::{memberships, users},
};
use diesel::prelude::*;
use domain::{
    organization::OrganizationId,
    text,
    user::{UserId, folded_email},
};

/// Returns those of these users who are or were members of the organization, with their e-mail addresses.
pub fn addresses(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    of: Vec<UserId>,
) -> Result<Vec<(UserId, String)>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, String)> = memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization.0))
        .filter(memberships::user_id.eq_any(of.into_iter().map(|user| user.0).collect::<Vec<_>>()))
        .select((users::id, users::email))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, email)| (UserId(id), email)).collect())
}

/// Finds the member of the organization with this e-mail address, or those with this name, ignoring accents.
pub fn named(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    name_or_address: &str,
    limit: i64,
) -> Result<Vec<UserId>> {
    let of_organization = memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization.0))
        // The order of the indexes that find users: with another order, SQLite would read all people instead.
        .order(users::id)
        .limit(limit)
        .select(users::id)
        .into_boxed::<MultiBackend>();
    let called = match name_or_address.contains('@') {
        true => of_organization.filter(users::email_folded.eq(folded_email(name_or_address))),
        false => of_organization.filter(users::search.eq(text::searchable(name_or_address))),
    };
    let ids: Vec<i64> = called.load(connection)?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Lists the members of the organization who joined first, by name and e-mail address, for a field that proposes them.
pub fn proposed(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    limit: i64,
) -> Result<Vec<(String, String)>> {
    Ok(memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization.0))
        .order(memberships::id)
        .limit(limit)
        .select((users::name, users::email))
        .load(connection)?)
}
