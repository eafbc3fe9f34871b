//! Tokens as lists and pages show them: what a key may do, and what has become of it.

use super::{Life, Scope, TokenId};
use crate::{
    organization::{MembershipId, OrganizationId},
    time::Timestamp,
    user::UserId,
};

/// Who revoked a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedBy {
    /// Its owner, on a page.
    Owner,
    /// Whoever held its key, through the API.
    Key,
    /// Whoever found its key in the open and reported it; the reason is where.
    Leak,
    /// Whoever runs the server, at the command line.
    Operator,
    /// An administrator of the organization.
    Administrator,
    /// Its owner was deactivated or left the organization.
    Membership,
    /// A new key took its place.
    Replaced,
}

impl RevokedBy {
    const ALL: [Self; 7] =
        [Self::Owner, Self::Key, Self::Leak, Self::Operator, Self::Administrator, Self::Membership, Self::Replaced];

    /// The stable name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Key => "key",
            Self::Leak => "leak",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
            Self::Membership => "membership",
            Self::Replaced => "replaced",
        }
    }

    /// The value with this name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.key() == key)
    }
}

/// Refused uses of a token since it was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUses {
    /// How many.
    pub count: i64,
    /// The last of them.
    pub last: LastUse,
}

/// The last accepted use of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: String,
    /// By which program.
    pub program: String,
}

/// A key and what has become of it.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// Its row.
    pub token: TokenId,
    /// The moments that decide whether it lives.
    pub life: Life,
    /// Its last accepted use.
    pub last_use: Option<LastUse>,
    /// Who revoked it, if somebody did.
    pub revoked_by: Option<RevokedBy>,
    /// The name of whoever revoked it, if it was not the owner.
    pub revoked_by_name: Option<String>,
    /// The reason that they gave, or where its key was found.
    pub revocation_reason: Option<String>,
    /// Its refused uses since it was revoked.
    pub refused: Option<RefusedUses>,
    /// An old key ends after this many seconds without use, once its replacement is used.
    pub quiet_seconds: Option<i64>,
}

/// A personal token as lists and its page show it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The row.
    pub id: TokenId,
    /// Whose it is, in which organization.
    pub membership: MembershipId,
    /// The id that may be shown.
    pub public_id: String,
    /// Its label.
    pub label: String,
    /// How far it reaches.
    pub scope: Scope,
    /// The moments that decide whether it lives.
    pub life: Life,
    /// Its last accepted use.
    pub last_use: Option<LastUse>,
    /// Who revoked it, if somebody did.
    pub revoked_by: Option<RevokedBy>,
    /// The name of whoever revoked it, if it was not the owner.
    pub revoked_by_name: Option<String>,
    /// The reason that they gave, or where its key was found.
    pub revocation_reason: Option<String>,
    /// Its refused uses since it was revoked.
    pub refused: Option<RefusedUses>,
}

/// A personal token with its owner, as an operator sees it.
#[derive(Clone, Debug)]
pub struct OwnedToken {
    /// The token.
    pub token: Token,
    /// Whose it is.
    pub owner: UserId,
    /// Their e-mail address.
    pub owner_email: String,
    /// In which organization.
    pub organization: OrganizationId,
}
