//! How a list of tokens is sorted, and the places in it at which its pages begin and end.

use super::{Part, Row, State, used};

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

impl Place {
    /// The place of this row, which was found in a part of the tokens.
    pub(super) fn of(row: &Row, part: Part, by: Order) -> Self {
        let (key, name) = (&row.0, &row.2);
        let name = || name.clone().unwrap_or_default();
        let place = Self { id: key.id, ..Self::default() };
        match by {
            Order::Created => place,
            Order::Name => Self { name: name(), ..place },
            Order::LastUse => Self { seconds: used(key), ..place },
            Order::End => Self { seconds: part.end_of(key), ..place },
            Order::State => Self { rank: part.rank(), name: name(), ..place },
        }
    }
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

/// Which page of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How the list is sorted.
    pub sort: Sort,
    /// Where the page begins.
    pub from: PageFrom,
    /// Most tokens on it.
    pub limit: i64,
}

impl PageRequest {
    /// Whether the page is read towards the end of the order, whatever the direction of the list is.
    pub(super) const fn reads_upwards(&self) -> bool {
        self.sort.is_descending == matches!(self.from, PageFrom::Before(_))
    }

    /// Whether the place is among the tokens of this part, rather than before or behind all of them.
    pub(super) fn stands_in(&self, place: &Place, part: Part) -> bool {
        self.sort.by != Order::State || place.rank == part.rank()
    }

    /// Whether the page may have tokens of this part.
    pub(super) fn may_reach(&self, part: Part) -> bool {
        let Some(place) = self.from.place().filter(|_| self.sort.by == Order::State) else { return true };
        if self.reads_upwards() { part.rank() >= place.rank } else { part.rank() <= place.rank }
    }
}

/// The tokens in these states, of which an index has each.
pub(super) const fn parts(state: Option<State>, by: Order) -> &'static [Part] {
    // What has expired is written down a little later: until then it is told by the clock, through another index.
    match (state, by) {
        (Some(State::Active), _) => &[Part::Active],
        (Some(State::Revoked), _) => &[Part::Revoked],
        (Some(State::Expired), _) => &[Part::Expired, Part::Due],
        (None, Order::Created) => &[Part::All],
        (None, Order::State) => &[Part::Active, Part::Expired, Part::Due, Part::Revoked],
        (None, Order::Name | Order::LastUse | Order::End) => &[Part::Held, Part::Expired, Part::Revoked],
    }
}
