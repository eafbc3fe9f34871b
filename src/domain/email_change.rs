//! Links that confirm a user's new e-mail address.

use super::{time::Timestamp, user::UserId};

/// For how many hours a link works.
pub const HOURS: i64 = 24;

/// Returns when a link that was created at `created_at` stops working; at that second, it no longer works.
pub const fn expires_at(created_at: Timestamp) -> Timestamp {
    created_at.plus(HOURS * 3600)
}

/// A change that is not yet confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailChange {
    /// The user who requested it.
    pub user: UserId,
    /// The new address, as it was typed.
    pub email: String,
    /// The time from which its link no longer works.
    pub expires_at: Timestamp,
}
