//! Service users: programs to which an organization gives their own token.

use super::{organization::ServiceUserId, permission::Permissions, time::Timestamp, token::KeyFacts};

/// A service user with its token.
#[derive(Clone, Debug)]
pub struct ServiceToken {
    /// The row of the service user.
    pub id: ServiceUserId,
    /// The public id of both.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// Its permissions.
    pub permissions: Permissions,
    /// When it was created.
    pub created_at: Timestamp,
    /// The name of the user who created it.
    pub made_by: String,
    /// The id by which other programs know it.
    pub external_id: Option<String>,
    /// Its version, incremented by each change.
    pub version: i64,
    /// The current key, whose state is that of the token.
    pub key: KeyFacts,
    /// The old key, as long as it works next to the current one.
    pub old_key: Option<KeyFacts>,
    /// The previous key, if it has ended and clients still call with it, or if it was leaked.
    pub replaced_key: Option<KeyFacts>,
}
