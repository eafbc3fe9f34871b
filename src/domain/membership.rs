//! Memberships: users in organizations.

pub mod listed;

use super::{
    organization::{MembershipId, OrganizationId},
    permission::{OwnPermissions, Permissions},
    permission_set::PermissionSet,
    time::Timestamp,
    user::UserId,
};

/// A user's active membership in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The row.
    pub id: MembershipId,
    /// The organization.
    pub organization: OrganizationId,
    /// The public id of the organization, by which programs know it forever.
    pub organization_public_id: String,
    /// The organization's slug.
    pub slug: String,
    /// Its name.
    pub organization_name: String,
    /// The user's permissions there.
    pub permissions: Permissions,
    /// The permissions that the organization has added, whoever holds them.
    pub known: OwnPermissions,
}

/// The state of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is active, and takes a seat.
    Active,
    /// The user is still on the list, but their access has ended.
    Deactivated,
    /// The user left or was removed.
    Removed,
}

/// A member of an organization.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their membership.
    pub membership: MembershipId,
    /// The organization.
    pub organization: OrganizationId,
    /// The user.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Whether they are an installation administrator.
    pub is_installation_admin: bool,
    /// Whether the operator has blocked their account.
    pub is_blocked: bool,
    /// The state of their membership.
    pub standing: Standing,
    /// Their permission set.
    pub set: PermissionSet,
    /// The id by which other programs know them.
    pub external_id: Option<String>,
    /// When they joined.
    pub joined_at: Timestamp,
    /// When they last used its pages.
    pub seen_at: Option<Timestamp>,
}
