//! Lists of tokens: what a row shows, how a list is sorted, and where its pages begin and end.

use super::{KeyFacts, Scope, TokenKind};
use crate::user::UserId;

keyed! {
    /// What a list of tokens is sorted by. Equal tokens are in the order in which they were created.
    pub enum Order {
        /// When they were created.
        Created = "created",
        /// Their label or the name of their service user, in its searchable form.
        Name = "name",
        /// When they were last used; one that was never used counts from its creation.
        LastUse = "used",
        /// When they expire, or when they ended.
        End = "expiry",
        /// Active, expired, revoked; by name within each.
        State = "state",
    }
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// What the list is sorted by.
    pub by: Order,
    /// Whether it begins at the end of that order.
    pub is_descending: bool,
}

impl Sort {
    /// Sorts in ascending order.
    pub const fn ascending(by: Order) -> Self {
        Self { by, is_descending: false }
    }

    /// Sorts in descending order.
    pub const fn descending(by: Order) -> Self {
        Self { by, is_descending: true }
    }
}

/// A position in a list: the values by which its order sorts, in this sequence. Values that the order does not use are
/// empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The rank of a state.
    pub rank: u8,
    /// A time, in seconds.
    pub seconds: i64,
    /// A name in its searchable form.
    pub name: String,
    /// The row.
    pub id: i64,
}

/// A token of the organization.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The public id; for a service user's token, that of the service user.
    pub public_id: String,
    /// The label, or the name of the service user.
    pub label: String,
    /// Whose credential it is.
    pub kind: TokenKind,
    /// Its scope.
    pub scope: Scope,
    /// The owner; `None` for a service user's token.
    pub owner: Option<Owner>,
    /// The (current) key, its last use, and how it ended.
    pub key: KeyFacts,
}

/// The owner of a token.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The user.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}
