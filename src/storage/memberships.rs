//! Memberships: users in organizations.

use super::{
    AnyConnection, Result,
    schema::{memberships, organizations},
};
use crate::domain::{
    organization::{MembershipId, OrganizationId},
    time::Timestamp,
    user::UserId,
};
use diesel::prelude::*;

/// A user's active place in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The row.
    pub id: MembershipId,
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub organization_name: String,
}

/// Makes a user an active member.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] for a member.
pub fn insert(
    connection: &mut AnyConnection,
    user: UserId,
    organization: OrganizationId,
    permission_set: i64,
    now: Timestamp,
) -> Result<MembershipId> {
    let id = diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(user.0),
            memberships::organization_id.eq(organization.0),
            memberships::permission_set_id.eq(permission_set),
            memberships::is_active.eq(true),
            memberships::created_at.eq(now.seconds()),
        ))
        .returning(memberships::id)
        .get_result(connection)?;
    Ok(MembershipId(id))
}

/// The organization that a user works in: the first that they joined and are active in.
///
/// # Errors
/// When the database fails.
pub fn current(connection: &mut AnyConnection, user: UserId) -> Result<Option<Membership>> {
    let rows: Vec<(i64, i64, String)> = memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user.0).and(memberships::is_active.eq(true)))
        .order(memberships::id)
        .select((memberships::id, organizations::id, organizations::name))
        .load(connection)?;
    Ok(rows.into_iter().next().map(|(id, organization, organization_name)| Membership {
        id: MembershipId(id),
        organization: OrganizationId(organization),
        organization_name,
    }))
}
