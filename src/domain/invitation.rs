//! Invitations: how long somebody may take to join an organization.

use super::time::{DAY, Timestamp};

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
