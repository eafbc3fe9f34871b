//! Links that prove that a new e-mail address is the user's.

use super::{time::Timestamp, user::UserId};

/// Hours for which a link can be used.
pub const HOURS: i64 = 24;

/// When a link that was made at `made_at` stops working; at that very second it does not any more.
pub const fn expires_at(made_at: Timestamp) -> Timestamp {
    made_at.plus(HOURS * 3600)
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailChange {
    /// Who wants it.
    pub user: UserId,
    /// The new address, as it was typed.
    pub email: String,
    /// The first moment at which its link does not work any more.
    pub expires_at: Timestamp,
}
