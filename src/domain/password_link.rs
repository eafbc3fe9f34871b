//! Links with which somebody chooses a new password without the old one.

use super::time::Timestamp;

/// Minutes for which a link can be used.
pub const MINUTES: i64 = 60;

/// When a link that was made at `made_at` stops working; at that very second it does not any more.
pub const fn expires_at(made_at: Timestamp) -> Timestamp {
    made_at.plus(MINUTES * 60)
}

/// Who had a link made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeBy {
    /// Whoever typed the user's e-mail address: the link went there by mail.
    User,
    /// An administrator of the user's organization.
    Administrator,
    /// Whoever runs the server, at its command line.
    Operator,
}

impl MadeBy {
    /// The word in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }
}
