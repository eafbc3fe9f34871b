//! How a list of tokens is sorted, and the positions at which its pages begin and end.

use super::{Part, Row, State, used};
use domain::{
    paging::PageFrom,
    token::listing::{Order, Place, Sort},
};

/// Returns the position of this row, which was found in a part of the tokens.
pub(super) fn place_of(row: &Row, part: Part, by: Order) -> Place {
    let (key, name) = (&row.0, &row.2);
    let name = || name.clone().unwrap_or_default();
    let place = Place { id: key.id, ..Place::default() };
    match by {
        Order::Created => place,
        Order::Name => Place { name: name(), ..place },
        Order::LastUse => Place { seconds: used(key), ..place },
        Order::End => Place { seconds: part.end_of(key), ..place },
        Order::State => Place { rank: part.rank(), name: name(), ..place },
    }
}

/// The requested page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How the list is sorted.
    pub sort: Sort,
    /// Where the page begins.
    pub from: PageFrom<Place>,
    /// The maximum number of tokens on the page.
    pub limit: i64,
}

impl PageRequest {
    /// Returns whether the page is read in ascending order, whatever the direction of the list is.
    pub(super) const fn reads_upwards(&self) -> bool {
        self.sort.is_descending == matches!(self.from, PageFrom::Before(_))
    }

    /// Returns whether the position is among the tokens of this part, rather than before or after all of them.
    pub(super) fn stands_in(&self, place: &Place, part: Part) -> bool {
        self.sort.by != Order::State || place.rank == part.rank()
    }

    /// Returns whether the page may have tokens of this part.
    pub(super) fn may_reach(&self, part: Part) -> bool {
        let Some(place) = self.from.place().filter(|_| self.sort.by == Order::State) else { return true };
        if self.reads_upwards() { part.rank() >= place.rank } else { part.rank() <= place.rank }
    }
}

/// Returns whether a part of the tokens is read in this order for each inactivity expiry by itself.
pub(super) const fn needs_period(part: Part, by: Order) -> bool {
    match part {
        Part::Held | Part::Active => matches!(by, Order::LastUse | Order::End),
        Part::Due => true,
        Part::All | Part::Revoked | Part::Expired => false,
    }
}

/// Returns the parts with the tokens in this state, each of which has an index.
pub(super) const fn parts(state: Option<State>, by: Order) -> &'static [Part] {
    // Expired tokens are recorded as such a little later: until then the clock decides, through another index.
    match (state, by) {
        (Some(State::Active), _) => &[Part::Active],
        (Some(State::Revoked), _) => &[Part::Revoked],
        (Some(State::Expired), _) => &[Part::Expired, Part::Due],
        (None, Order::Created) => &[Part::All],
        (None, Order::State) => &[Part::Active, Part::Expired, Part::Due, Part::Revoked],
        (None, Order::Name | Order::LastUse | Order::End) => &[Part::Held, Part::Expired, Part::Revoked],
    }
}
