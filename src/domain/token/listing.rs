//! Lists of tokens: what a row shows, how a list is sorted, and where its pages begin and end.

use super::{KeyFacts, Scope, TokenKind};
use crate::user::UserId;

/// What a list of tokens is sorted by. Equal ones stand in the order in which they were created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// When they were created.
    Created,
    /// Their label or the name of their service user, in its searchable form.
    Name,
    /// When they were used last; one that was never used counts from its creation.
    LastUse,
    /// When they expire, or when they ended.
    End,
    /// Active, expired, revoked; by name within each.
    State,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Created, Self::Name, Self::LastUse, Self::End, Self::State];
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
    /// From the beginning of an order.
    pub const fn ascending(by: Order) -> Self {
        Self { by, is_descending: false }
    }

    /// From the end of an order.
    pub const fn descending(by: Order) -> Self {
        Self { by, is_descending: true }
    }
}

/// A place in a list: what its order looks at, in this sequence. What the order does not look at is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The rank of a state.
    pub rank: u8,
    /// A moment, in seconds.
    pub seconds: i64,
    /// A name in its searchable form.
    pub name: String,
    /// The row.
    pub id: i64,
}

/// From where a page goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageFrom {
    /// The first tokens.
    #[default]
    Start,
    /// Tokens that come after this place.
    After(Place),
    /// Tokens that come before this place, the nearest first.
    Before(Place),
}

impl PageFrom {
    /// The place from which the page goes on, in either direction.
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::Start => None,
            Self::After(place) | Self::Before(place) => Some(place),
        }
    }
}

/// A token of the organization.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The id that may be shown; a service user's is its own.
    pub public_id: String,
    /// The label, or the name of the service user.
    pub label: String,
    /// Whose credential it is.
    pub kind: TokenKind,
    /// How far it reaches.
    pub scope: Scope,
    /// The user whose it is; none for a service user's.
    pub owner: Option<Owner>,
    /// The (current) key and what has become of it.
    pub key: KeyFacts,
}

/// The user whose token it is.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The user.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}
