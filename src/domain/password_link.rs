//! Links for a new password without the old one.

use super::time::Timestamp;

/// For how many minutes a link works.
pub const MINUTES: i64 = 60;

/// Returns when a link that was created at `created_at` stops working; at that second, it no longer works.
pub const fn expires_at(created_at: Timestamp) -> Timestamp {
    created_at.plus(MINUTES * 60)
}

/// Who requested a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeBy {
    /// Somebody who typed the user's e-mail address, to which the link was mailed.
    User,
    /// An administrator of the user's organization.
    Administrator,
    /// The operator, with a command.
    Operator,
}

impl MadeBy {
    /// Returns the word in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }
}
