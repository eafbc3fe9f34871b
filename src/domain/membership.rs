//! Memberships: users in organizations.

use super::{
    organization::{MembershipId, OrganizationId},
    permission::Permissions,
    permission_set::PermissionSet,
    time::Timestamp,
    user::UserId,
};

/// A user's active place in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The row.
    pub id: MembershipId,
    /// The organization.
    pub organization: OrganizationId,
    /// What programs know the organization by, for ever.
    pub organization_public_id: String,
    /// The organization's part of addresses.
    pub slug: String,
    /// Its name.
    pub organization_name: String,
    /// What the user may do there.
    pub permissions: Permissions,
}

/// How a user stands in an organization that they once joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They take a seat.
    Active,
    /// They are still on the list, but their access has ended.
    Deactivated,
    /// They left or were removed.
    Removed,
}

/// A person in an organization.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their place in it.
    pub membership: MembershipId,
    /// In which organization.
    pub organization: OrganizationId,
    /// The user.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Whether they administer the installation.
    pub is_installation_admin: bool,
    /// Whether whoever runs the server has blocked their account as a whole.
    pub is_blocked: bool,
    /// How they stand in it.
    pub standing: Standing,
    /// What they may do while they are active.
    pub set: PermissionSet,
    /// When they joined.
    pub joined_at: Timestamp,
    /// When they last used its pages.
    pub seen_at: Option<Timestamp>,
}

/// From where a page goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageFrom {
    /// The first people.
    #[default]
    Start,
    /// Those who come after this one.
    After(MembershipId),
    /// Those who come before this one, the nearest first.
    Before(MembershipId),
}
