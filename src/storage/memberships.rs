//! Memberships: users in organizations, and the seats that they take.

use super::{
    AnyConnection, Result,
    schema::{memberships, organizations, permission_sets, seats},
};
use crate::domain::{
    organization::{MembershipId, OrganizationId, PermissionSetId},
    permission::Permissions,
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
    /// The organization's part of addresses.
    pub slug: String,
    /// Its name.
    pub organization_name: String,
    /// What the user may do there.
    pub permissions: Permissions,
}

/// Makes a user an active member.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] for a member.
pub fn insert(
    connection: &mut AnyConnection,
    user: UserId,
    organization: OrganizationId,
    permission_set: PermissionSetId,
    now: Timestamp,
) -> Result<MembershipId> {
    let id = diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(user.0),
            memberships::organization_id.eq(organization.0),
            memberships::permission_set_id.eq(permission_set.0),
            memberships::is_active.eq(true),
            memberships::created_at.eq(now.seconds()),
        ))
        .returning(memberships::id)
        .get_result(connection)?;
    take_seat(connection, organization, MembershipId(id), now)?;
    Ok(MembershipId(id))
}

fn take_seat(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    membership: MembershipId,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(seats::table)
        .values((
            seats::organization_id.eq(organization.0),
            seats::membership_id.eq(membership.0),
            seats::began_at.eq(now.seconds()),
        ))
        .execute(connection)?;
    Ok(())
}

/// The organizations that a user is active in, the one joined first at the head.
///
/// # Errors
/// When the database fails.
pub fn list(connection: &mut AnyConnection, user: UserId) -> Result<Vec<Membership>> {
    let rows: Vec<(i64, i64, String, String, String)> = memberships::table
        .inner_join(organizations::table)
        .inner_join(permission_sets::table)
        .filter(memberships::user_id.eq(user.0).and(memberships::is_active.eq(true)))
        .order(memberships::id)
        .select((
            memberships::id,
            organizations::id,
            organizations::slug,
            organizations::name,
            permission_sets::permissions,
        ))
        .load(connection)?;
    let membership = |(id, organization, slug, organization_name, permissions): (i64, i64, _, _, String)| Membership {
        id: MembershipId(id),
        organization: OrganizationId(organization),
        slug,
        organization_name,
        permissions: Permissions::from_keys(&permissions),
    };
    Ok(rows.into_iter().map(membership).collect())
}

/// The organization that a user works in unless they choose another: the first that they joined and are active in.
///
/// # Errors
/// When the database fails.
pub fn first(connection: &mut AnyConnection, user: UserId) -> Result<Option<Membership>> {
    Ok(list(connection, user)?.into_iter().next())
}

/// What an active membership may do at this moment; none if it is not active.
///
/// # Errors
/// When the database fails.
pub fn permissions(connection: &mut AnyConnection, id: MembershipId) -> Result<Option<Permissions>> {
    let keys: Option<String> = memberships::table
        .inner_join(permission_sets::table)
        .filter(memberships::id.eq(id.0).and(memberships::is_active.eq(true)))
        .select(permission_sets::permissions)
        .get_result(connection)
        .optional()?;
    Ok(keys.map(|keys| Permissions::from_keys(&keys)))
}
