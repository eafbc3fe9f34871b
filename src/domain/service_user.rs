//! Service users: programs that an organization gives a token of their own.

use super::{organization::ServiceUserId, permission::Permissions, time::Timestamp, token::KeyFacts};

/// A service user with its token.
#[derive(Clone, Debug)]
pub struct ServiceToken {
    /// The row of the service user.
    pub id: ServiceUserId,
    /// The id of both that may be shown.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub permissions: Permissions,
    /// When it was made.
    pub made_at: Timestamp,
    /// The name of whoever made it.
    pub made_by: String,
    /// Steps at each change.
    pub version: i64,
    /// The current key, whose state is that of the token.
    pub key: KeyFacts,
    /// The key before, as long as it works beside the current one.
    pub old_key: Option<KeyFacts>,
    /// The key before, if it has ended and somebody has gone on calling with it, or it was found in the open.
    pub replaced_key: Option<KeyFacts>,
}
