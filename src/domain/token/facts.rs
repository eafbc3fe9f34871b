//! Tokens as lists and pages show them: what a key may do, its last use, and how it ended.

use super::{Life, Scope, TokenId};
use crate::{
    organization::{MembershipId, OrganizationId},
    time::Timestamp,
    user::UserId,
};

keyed! {
    /// Who revoked a token.
    pub enum RevokedBy {
        /// Its owner, on a page.
        Owner = "owner",
        /// Somebody with its key, through the API.
        Key = "key",
        /// Somebody who found its leaked key and reported it; the reason says where.
        Leak = "leak",
        /// The operator, with a command.
        Operator = "operator",
        /// An administrator of the organization.
        Administrator = "administrator",
        /// Its owner was deactivated or left the organization.
        Membership = "membership",
        /// A new key replaced it.
        Replaced = "replaced",
    }
}

/// The refused uses of a token since it was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUses {
    /// The number of uses.
    pub count: i64,
    /// The last one.
    pub last: LastUse,
}

/// The last accepted use of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The time.
    pub at: Timestamp,
    /// The IP address of the client.
    pub address: String,
    /// The client's `User-Agent`.
    pub program: String,
}

/// A key, its last use, and how it ended.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// Its row.
    pub token: TokenId,
    /// The times that decide whether it is active.
    pub life: Life,
    /// Its last accepted use.
    pub last_use: Option<LastUse>,
    /// Who revoked it, if anybody did.
    pub revoked_by: Option<RevokedBy>,
    /// The name of that person, if it was not the owner.
    pub revoked_by_name: Option<String>,
    /// The reason given, or where the key was found.
    pub revocation_reason: Option<String>,
    /// Its refused uses since it was revoked.
    pub refused: Option<RefusedUses>,
    /// An old key ends after this many seconds without use, once its replacement is used.
    pub quiet_seconds: Option<i64>,
}

/// A personal token as lists and its page show it.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its key, last use and end.
    pub key: KeyFacts,
    /// The owner's membership in the organization.
    pub membership: MembershipId,
    /// The public id.
    pub public_id: String,
    /// Its label.
    pub label: String,
    /// Its scope.
    pub scope: Scope,
}

/// A personal token with its owner, as the operator sees it.
#[derive(Clone, Debug)]
pub struct OwnedToken {
    /// The token.
    pub token: Token,
    /// The owner.
    pub owner: UserId,
    /// Their e-mail address.
    pub owner_email: String,
    /// The organization.
    pub organization: OrganizationId,
}
