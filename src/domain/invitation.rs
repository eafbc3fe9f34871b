//! Invitations: how long somebody may take to join an organization.

use super::{
    organization::OrganizationId,
    permission_set::PermissionSet,
    time::{DAY, Timestamp},
};

/// The row id of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvitationId(pub i64);

/// Days for which the link of an invitation works.
pub const VALID_DAYS: i64 = 7;
/// Days for which an expired invitation stays on its organization's list.
pub const KEPT_DAYS: i64 = 30;

/// The first moment at which an invitation made at `now` does not work any more.
pub const fn expires_at(now: Timestamp) -> Timestamp {
    now.plus(VALID_DAYS * DAY)
}

/// An invitation that was neither accepted nor withdrawn.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The row.
    pub id: InvitationId,
    /// To which organization.
    pub organization: OrganizationId,
    /// That organization's part of addresses.
    pub slug: String,
    /// Its name.
    pub organization_name: String,
    /// Whom it is for, as addresses are kept ([`Email::as_str`](crate::user::Email::as_str)).
    pub email: String,
    /// What they may do once they have joined.
    pub set: PermissionSet,
    /// Who invited them.
    pub invited_by_name: String,
    /// The first moment at which its link does not work any more.
    pub expires_at: Timestamp,
}
