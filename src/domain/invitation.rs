//! Invitations to organizations, and how long they are valid.

use super::{
    organization::OrganizationId,
    permission_set::PermissionSet,
    time::{DAY, Timestamp},
};

/// The row id of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvitationId(pub i64);

/// For how many days the link of an invitation works.
pub const VALID_DAYS: i64 = 7;
/// For how many days an expired invitation stays on its organization's list.
pub const KEPT_DAYS: i64 = 30;

/// Returns the time from which an invitation created at `now` no longer works.
pub const fn expires_at(now: Timestamp) -> Timestamp {
    now.plus(VALID_DAYS * DAY)
}

/// An invitation that was neither accepted nor withdrawn.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The row.
    pub id: InvitationId,
    /// The organization.
    pub organization: OrganizationId,
    /// The organization's slug.
    pub slug: String,
    /// Its name.
    pub organization_name: String,
    /// The invited address, in the stored form ([`Email::as_str`](crate::user::Email::as_str)).
    pub email: String,
    /// The permission set of the new member.
    pub set: PermissionSet,
    /// The name of the user who invited them.
    pub invited_by_name: String,
    /// The time from which its link no longer works.
    pub expires_at: Timestamp,
}
