//! Tables of tokens that can be sorted and paged: the links in their heads, the selection that replaces them where a
//! row is a card, and the links between pages. The order is a field of the search beside the table, so that each keeps
//! the other.

use super::{
    search::Search,
    texts::Texts,
    words::{Calendar, Moment},
};
use domain::{
    paging::{ByName, PageFrom},
    token::{
        KeyFacts, LastUse, TokenState,
        listing::{Order, Place, Sort},
    },
};

/// The name of the order's field in addresses and forms.
pub const SORT: &str = "sort";

/// A column that the table can be sorted by.
pub struct Head {
    /// Identifies the column; the link keeps the focus by it.
    pub key: &'static str,
    /// Its name.
    pub words: &'static str,
    /// The address that a press leads to.
    pub href: String,
    /// The order after the press.
    pub hint: &'static str,
    /// `ascending` or `descending`, if the table is sorted by it.
    pub direction: Option<&'static str>,
}

/// The columns that can be sorted by.
pub struct Heads {
    /// When tokens were created.
    pub created: Head,
    /// Labels and names.
    pub name: Head,
    /// Last uses.
    pub used: Head,
    /// When tokens expire or ended.
    pub expiry: Head,
    /// States.
    pub state: Head,
}

/// An order, as the selection shows it.
pub struct Choice {
    /// The value that the form sends; empty for the default order.
    pub value: String,
    /// Its name.
    pub words: &'static str,
    /// Whether the table is sorted in this order.
    pub is_chosen: bool,
}

/// The links to another order or page of a table.
pub struct Controls {
    /// The heads of its columns.
    pub heads: Heads,
    /// All orders.
    pub choices: Vec<Choice>,
    /// The previous page.
    pub previous: Option<String>,
    /// The next page.
    pub next: Option<String>,
}

impl Controls {
    /// Creates the links for a table with the results of `search`, sorted by `sort`, with the default order `usual`.
    /// `first` and `last` are the positions where its page begins and ends, if there are more pages before and after
    /// it.
    pub fn new<const N: usize>(
        t: Texts,
        slug: &str,
        search: &Search<'_, N>,
        [sort, usual]: [Sort; 2],
        [first, last]: [Option<&Place>; 2],
    ) -> Self {
        let value = |sort: Sort| if sort == usual { String::new() } else { typed(sort) };
        let head = |by, words| {
            let next = pressed(sort, by);
            let direction = if sort.is_descending { "descending" } else { "ascending" };
            Head {
                key: by.key(),
                words,
                href: search.with(slug, SORT, &value(next)),
                hint: t.order(next),
                direction: (sort.by == by).then_some(direction),
            }
        };
        let orders = Order::ALL.into_iter().flat_map(|by| [natural(by), reversed(natural(by))]);
        Self {
            heads: Heads {
                created: head(Order::Created, t.tables_created()),
                name: head(Order::Name, t.tables_name()),
                used: head(Order::LastUse, t.tables_used()),
                expiry: head(Order::End, t.tables_expires()),
                state: head(Order::State, t.tables_state()),
            },
            choices: orders
                .map(|order| Choice { value: value(order), words: t.order(order), is_chosen: order == sort })
                .collect(),
            previous: first.map(|place| search.with(slug, "before", &typed_place(place))),
            next: last.map(|place| search.with(slug, "after", &typed_place(place))),
        }
    }

    /// Returns whether everything fits on one page.
    pub const fn is_whole(&self) -> bool {
        self.previous.is_none() && self.next.is_none()
    }
}

/// The last use of a token in its column.
pub struct Used {
    /// When.
    pub when: Moment,
    /// From which address and by what.
    pub source: String,
}

impl Used {
    /// Creates the cell for this use.
    pub fn new(t: Texts, calendar: Calendar, used: &LastUse) -> Self {
        let program = Some(&used.program).filter(|program| !program.is_empty()).map(|program| t.program(program));
        let address = Some(&used.address).filter(|address| !address.is_empty()).cloned();
        let source = address.into_iter().chain(program).collect::<Vec<_>>().join(" · ");
        Self { when: calendar.brief(used.at), source }
    }
}

/// When a token expires or ended, in its column.
pub struct End {
    /// The day.
    pub day: Moment,
    /// Whether it has ended.
    pub is_past: bool,
}

impl End {
    /// Creates the cell for this key.
    pub fn new(t: Texts, calendar: Calendar, key: &KeyFacts) -> Self {
        match key.life.state(calendar.now()) {
            TokenState::Active { expires_at } => Self { day: calendar.date(expires_at), is_past: false },
            TokenState::Expired { at } | TokenState::Revoked { at } => {
                let day = calendar.date(at);
                Self { day: Moment { words: t.tables_ended(day.words), ..day }, is_past: true }
            }
        }
    }
}

/// Parses the chosen order. An unknown one is ignored.
pub fn sort(typed: &str) -> Option<Sort> {
    let (name, is_descending) = typed.strip_prefix('-').map_or((typed, false), |name| (name, true));
    let by = Order::from_key(name)?;
    Some(Sort { by, is_descending })
}

/// Parses the position where the requested page begins. An invalid one is ignored, like a page that no longer exists.
pub fn page_from(before: &str, after: &str) -> PageFrom<Place> {
    match (place(before), place(after)) {
        (Some(place), _) => PageFrom::Before(place),
        (None, Some(place)) => PageFrom::After(place),
        (None, None) => PageFrom::Start,
    }
}

/// Parses the position in a list by name where the requested page begins, as [`page_from`] does.
pub fn by_name(before: &str, after: &str) -> PageFrom<ByName> {
    match (name_place(before), name_place(after)) {
        (Some(place), _) => PageFrom::Before(place),
        (None, Some(place)) => PageFrom::After(place),
        (None, None) => PageFrom::Start,
    }
}

/// `ROW.NAME`
pub fn typed_by_name(ByName { search, id }: &ByName) -> String {
    format!("{id}.{search}")
}

/// Parses what [`typed_by_name`] wrote.
pub fn name_place(typed: &str) -> Option<ByName> {
    let (id, search) = typed.split_once('.')?;
    // Postgres does not allow NUL in a text.
    let search = Some(search).filter(|search| !search.contains('\0'))?.to_owned();
    Some(ByName { search, id: id.parse().ok()? })
}

fn typed(sort: Sort) -> String {
    format!("{}{}", if sort.is_descending { "-" } else { "" }, sort.by.key())
}

/// Returns the usual direction of an order: new or recently used first, soonest end first.
const fn natural(by: Order) -> Sort {
    match by {
        Order::Created | Order::LastUse => Sort::descending(by),
        Order::Name | Order::End | Order::State => Sort::ascending(by),
    }
}

const fn reversed(sort: Sort) -> Sort {
    Sort { is_descending: !sort.is_descending, ..sort }
}

/// Returns the order after a press on the head of a column: a second press reverses it.
fn pressed(sort: Sort, by: Order) -> Sort {
    if sort.by == by { reversed(sort) } else { natural(by) }
}

/// `RANK.SECONDS.ROW.NAME`
fn typed_place(Place { rank, seconds, id, name }: &Place) -> String {
    format!("{rank}.{seconds}.{id}.{name}")
}

fn place(typed: &str) -> Option<Place> {
    let mut parts = typed.splitn(4, '.');
    let mut part = || parts.next();
    let (rank, seconds, id) = (part()?.parse().ok()?, part()?.parse().ok()?, part()?.parse().ok()?);
    // Postgres does not allow NUL in a text.
    let name = part().filter(|name| !name.contains('\0'))?.to_owned();
    Some(Place { rank, seconds, id, name })
}

impl Texts {
    /// The name of an order.
    fn order(self, Sort { by, is_descending }: Sort) -> &'static str {
        match (by, is_descending) {
            (Order::Created, true) => self.tables_newest(),
            (Order::Created, false) => self.tables_oldest(),
            (Order::Name, false) => self.tables_a_to_z(),
            (Order::Name, true) => self.tables_z_to_a(),
            (Order::LastUse, true) => self.tables_just_used(),
            (Order::LastUse, false) => self.tables_longest_unused(),
            (Order::End, false) => self.tables_ends_soonest(),
            (Order::End, true) => self.tables_ends_last(),
            (Order::State, false) => self.tables_active_first(),
            (Order::State, true) => self.tables_ended_first(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        for by in Order::ALL {
            for order in [Sort::ascending(by), Sort::descending(by)] {
                assert_eq!(sort(&typed(order)), Some(order));
            }
        }
        for odd in ["", "-", "--name", "Name", "owner"] {
            assert_eq!(sort(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_second_click_reverses_an_order() {
        for by in Order::ALL {
            let other = if by == Order::Name { Order::State } else { Order::Name };
            let first = pressed(Sort::ascending(other), by);
            assert_eq!(first, natural(by));
            assert_eq!(pressed(first, by), reversed(first));
            assert_eq!(pressed(reversed(first), by), first);
        }
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for name in ["", "power bi", "a.b..c", "é \u{1f511}"] {
            let there = Place { rank: 2, seconds: -5, name: name.into(), id: 51 };
            assert_eq!(place(&typed_place(&there)), Some(there));
        }
        for odd in ["", "x", "5", "1.2", "1.2.3", "1.2.3.a\0b", "256.1.1.", "0.99999999999999999999.1.", "0.1..a"] {
            assert_eq!(place(odd), None, "{odd:?}");
        }
    }
}
