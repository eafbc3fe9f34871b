//! The demonstration's second organization, so that there is something to switch to.

use super::Person;
use crate::{Result, random};
use domain::{permission::BuiltInSet, time::Timestamp, token};
use storage::{AnyConnection, memberships, organizations, users};

/// Makes `maker` an installation administrator, and since `at` the administrator of a second organization.
pub fn add(connection: &mut AnyConnection, maker: &Person, at: Timestamp) -> Result<()> {
    users::set_installation_admin(connection, maker.user, true)?;
    let organization = organizations::insert(
        connection,
        &token::public_id(random::fill),
        ("croix-bleue-niger", "Croix-Bleue Niger"),
        at,
    )?;
    let set = organizations::built_in_set(connection, organization, BuiltInSet::Administrator)?;
    memberships::insert(connection, maker.user, organization, set, at)?;
    Ok(())
}
