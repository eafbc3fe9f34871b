//! Which items a subject reaches, and with which level: the rules of `domain::access::reach`, as SQL.
//!
//! There is one query for lists ([`Reachable`]), and one for items that are named ([`levels()`]). The first is put together from *grounds*: what the subject owns, what is shared with it, and
//! what access rules cover. Whoever finds, lists or counts items, or sends them page by page, asks it: a page reads
//! from each ground as many rows as it needs, in the order of an index, and nobody reads items to throw them away. What
//! it depends on is read for each request, so that what was taken away is gone at its commit, on every node.
//!
//! Numbers of rows and keys of kinds stand in the text of the query, which they cannot alter; what people typed is
//! bound.

mod cell;
mod counting;
mod facts;
mod levels;
mod reaching;
mod rules;

pub(super) use counting::{Counting, Known};
pub use facts::{item_facts, members_facts, sites_above, subject_facts};
pub use levels::{LevelAsked, levels};
pub use reaching::{members_reaching, service_users_reaching};

use super::{AnyConnection, Result, expect_column, patterns};
use cell::{Cells, sites_below};
use domain::{
    access::{Level, Recipient, RecipientKind, SiteId, SubjectFacts, SubjectId},
    item::{ItemId, ItemKind, Place},
    organization::OrganizationId,
    time::Timestamp,
};

/// Whether an item is archived, as in the indexes.
const STATE: &str = "(CASE WHEN i.archived_at IS NULL THEN 0 ELSE 1 END)";

/// Whose items a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnedBy {
    /// Those of one owner.
    Subject(SubjectId),
    /// Those of nobody.
    Nobody,
}

/// The filter of items; an empty field matches everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Words that must all appear in the name.
    pub words: String,
    /// Only items at this site and below it.
    pub site: Option<SiteId>,
    /// Only inspections of this template.
    pub template: Option<ItemId>,
    /// Only items with this owner, or with none.
    pub owner: Option<OwnedBy>,
    /// Only items that are archived, or that are not.
    pub archived: Option<bool>,
    /// Only inspections that are finished, or drafts.
    pub finished: Option<bool>,
    /// Only items that were changed at this time or later.
    pub modified_since: Option<Timestamp>,
    /// Only items on which the subject has this level or a higher one.
    pub at_least: Option<Level>,
    /// Only items that were changed before this time.
    pub modified_before: Option<Timestamp>,
}

/// A direction of the order by last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The one that was changed first comes first, as in feeds.
    Ascending,
    /// The one that was changed last comes first, as in lists.
    Descending,
}

/// The items of a kind that a subject reaches.
#[derive(Clone, Debug)]
pub struct Reachable {
    facts: SubjectFacts,
    kind: ItemKind,
    /// What access rules cover.
    cells: Cells,
}

/// What a query is about, beside access.
#[derive(Clone)]
struct Narrowed {
    /// Conditions on `i` that are the same for every ground.
    conditions: Vec<String>,
    /// What is bound in them, in order.
    bound: Vec<String>,
    /// The states of [`STATE`].
    states: &'static [u8],
    /// What is left of the cells.
    cells: Cells,
    /// The levels of shares that count.
    levels: Vec<Level>,
}

impl Narrowed {
    /// Returns the same with one more condition.
    fn with(&self, condition: String) -> Self {
        let mut narrowed = self.clone();
        narrowed.conditions.push(condition);
        narrowed
    }
}

/// The order and the number of rows of a page.
struct Cut {
    order: &'static str,
    limit: i64,
}

/// A query with what is bound in it: `$1`, `$2` and so on.
pub(super) struct Asked {
    pub(super) sql: String,
    pub(super) bound: Vec<String>,
}

impl Reachable {
    /// Reads what the access of a subject to items of a kind depends on, besides the items and their shares.
    pub fn read(connection: &mut AnyConnection, facts: &SubjectFacts, kind: &ItemKind) -> Result<Self> {
        let cells = rules::concerning(connection, facts, kind)?;
        Ok(Self { facts: facts.clone(), kind: kind.clone(), cells: Cells::of(connection, cells)? })
    }

    /// Returns the kind.
    pub const fn kind(&self) -> &ItemKind {
        &self.kind
    }

    /// Returns the query for some of these items: `id` and `level` of those that the subject reaches.
    pub(super) fn among(&self, items: &[ItemId]) -> Asked {
        let ids = list(items.iter().map(|item| item.0));
        let all = Narrowed {
            conditions: vec![format!("i.id IN ({ids})")],
            bound: Vec::new(),
            states: &[0, 1],
            cells: self.cells.clone(),
            levels: Level::ALL.into(),
        };
        let mut grounds = vec![self.owned(&all)];
        grounds.extend(self.shared(&all, &[]).map(|shared| format!("{shared} AND s.item_id IN ({ids})")));
        grounds.extend(all.cells.shapes().map(|shape| self.covered(&all, &shape)));
        let ways = union("id, level", grounds);
        Asked { sql: format!("SELECT id, max(level) AS level FROM ({ways}) AS ways GROUP BY id"), bound: Vec::new() }
    }

    /// Returns the query for a page: `id` and `level`, in the order of the list. It begins after `from`.
    pub(super) fn page(
        &self,
        connection: &mut AnyConnection,
        filter: &Filter,
        direction: Direction,
        from: Option<Place>,
        limit: i64,
    ) -> Result<Asked> {
        let cells = self.cells.at_least(filter.at_least);
        let narrowed = self.narrowed(connection, filter, direction, from, cells.by_level())?;
        let order = match direction {
            Direction::Ascending => "",
            Direction::Descending => " DESC",
        };
        let cut = Cut { order, limit };
        let mut grounds = Vec::new();
        if !self.cells.cover(self.facts.organization, Level::Manage) {
            grounds.push(cut.lateral(connection, &narrowed, &[vec![3]], &self.owned_by(&narrowed)));
        }
        grounds.extend(self.shared(&narrowed, &[]).map(|shared| cut.few(&shared)));
        for shape in narrowed.cells.shapes() {
            grounds.push(cut.lateral(connection, &narrowed, &shape.rows, &self.condition(&narrowed, shape.condition)));
        }
        let sql = format!(
            "SELECT id, max(level) AS level FROM ({}) AS ways GROUP BY id, modified_at \
             ORDER BY modified_at{order}, id{order} LIMIT {limit}",
            union("id, level, modified_at", grounds)
        );
        Ok(Asked { sql, bound: narrowed.bound })
    }

    fn narrowed(
        &self,
        connection: &mut AnyConnection,
        filter: &Filter,
        direction: Direction,
        from: Option<Place>,
        cells: Cells,
    ) -> Result<Narrowed> {
        let bound = patterns(&filter.words);
        let mut conditions: Vec<String> =
            (1..=bound.len()).map(|number| format!("i.search LIKE ${number} ESCAPE '\\'")).collect();
        let mut cells = cells;
        if let Some(site) = filter.site {
            let sites = sites_below(connection, &[site])?.into_iter().map(|(_, below)| below).collect::<Vec<_>>();
            conditions.push(format!("i.site_id IN ({})", list(sites.iter().map(|site| site.0))));
            cells = cells.at(&sites);
        }
        if let Some(template) = filter.template {
            conditions.push(format!("i.template_id = {}", template.0));
            cells = cells.of_template(template);
        }
        conditions.extend(filter.owner.map(|owner| match owner {
            OwnedBy::Subject(subject) => owns(subject),
            OwnedBy::Nobody => "i.owner_membership_id IS NULL AND i.owner_service_user_id IS NULL".to_owned(),
        }));
        conditions.extend(filter.finished.map(|is_finished| match is_finished {
            true => "i.finished_at IS NOT NULL".to_owned(),
            false => "i.finished_at IS NULL".to_owned(),
        }));
        conditions.extend(filter.modified_since.map(|since| format!("i.modified_at >= {}", since.seconds())));
        conditions.extend(filter.modified_before.map(|before| format!("i.modified_at < {}", before.seconds())));
        conditions.extend(from.map(|from| {
            let beyond = match direction {
                Direction::Ascending => ">",
                Direction::Descending => "<",
            };
            format!("(i.modified_at, i.id) {beyond} ({}, {})", from.modified_at.seconds(), from.id.0)
        }));
        let states = match filter.archived {
            None => &[0, 1][..],
            Some(false) => &[0],
            Some(true) => &[1],
        };
        let levels =
            Level::ALL.into_iter().filter(|level| filter.at_least.is_none_or(|least| *level >= least)).collect();
        Ok(Narrowed { conditions, bound, states, cells, levels })
    }

    /// Returns the conditions for a ground whose own is `ground`.
    fn condition(&self, narrowed: &Narrowed, ground: &str) -> String {
        let kind = format!("i.kind = '{}'", self.kind.key());
        let all = [ground, &kind].into_iter().chain(narrowed.conditions.iter().map(String::as_str));
        all.collect::<Vec<_>>().join(" AND ")
    }

    fn owned_by(&self, narrowed: &Narrowed) -> String {
        let own = format!("{} AND +i.organization_id = {}", owns(self.facts.id), self.facts.organization.0);
        self.condition(narrowed, &own)
    }

    fn owned(&self, narrowed: &Narrowed) -> String {
        let (own, states) = (self.owned_by(narrowed), list(narrowed.states));
        format!("SELECT i.id, 3 AS level FROM items i WHERE {own} AND {STATE} IN ({states})")
    }

    /// Returns the queries for all items that a shape of cells covers.
    fn covered(&self, narrowed: &Narrowed, shape: &cell::Shape) -> String {
        let condition = self.condition(narrowed, shape.condition);
        let rows = with_states(&shape.rows, narrowed.states);
        let state = state_column(&shape.rows);
        format!(
            "SELECT i.id, c.column1 AS level FROM (VALUES {rows}) AS c CROSS JOIN items i \
             WHERE {condition} AND {STATE} = c.{state}"
        )
    }

    /// Returns the queries for what is shared with the subject: one for each kind of recipient, so that each reads the
    /// index of recipients. What `without` shares is left out.
    fn shared<'a>(
        &'a self,
        narrowed: &'a Narrowed,
        without: &'a [OrganizationId],
    ) -> impl Iterator<Item = String> + 'a {
        RecipientKind::ALL.into_iter().filter_map(move |kind| {
            let named = self.facts.recipients().filter(|recipient| recipient.kind() == kind).map(Recipient::id);
            let named = list(named);
            let origin = self.accepts(kind, "i.organization_id", without)?;
            let condition = self.condition(narrowed, &origin);
            let states = list(narrowed.states);
            let levels = list(narrowed.levels.iter().map(|level| format!("'{}'", level.key())));
            (!named.is_empty()).then(|| {
                format!(
                    "SELECT i.id, {RANK} AS level, i.modified_at FROM shares s CROSS JOIN items i \
                     WHERE i.id = s.item_id AND s.recipient_kind = '{}' AND s.recipient_id IN ({named}) \
                     AND s.level IN ({levels}) AND {condition} AND {STATE} IN ({states})",
                    kind.key()
                )
            })
        })
    }

    /// Returns the condition that what an organization gives to a recipient of this kind counts; `None` if none does.
    fn accepts(&self, recipient: RecipientKind, organization: &str, without: &[OrganizationId]) -> Option<String> {
        let home = self.facts.organization;
        if !crosses(&self.kind, recipient) {
            return (!without.contains(&home)).then(|| format!("+{organization} = {}", home.0));
        }
        let refused = self.facts.refused.iter().filter(|refused| **refused != home).chain(without);
        let refused = list(refused.map(|organization| organization.0));
        Some(if refused.is_empty() { "1 = 1".to_owned() } else { format!("{organization} NOT IN ({refused})") })
    }
}

/// The rank of a share's level.
const RANK: &str = "CASE s.level WHEN 'manage' THEN 3 WHEN 'edit' THEN 2 ELSE 1 END";

/// Returns the level of this rank.
pub(super) fn level_of(rank: i32) -> Result<Level> {
    let level = usize::try_from(rank).ok().and_then(|rank| Level::ALL.get(rank.checked_sub(1)?).copied());
    expect_column(level, "level")
}

/// Whether what is given to a recipient of this kind may come from another organization.
fn crosses(kind: &ItemKind, recipient: RecipientKind) -> bool {
    kind.is_built_in() && !matches!(recipient, RecipientKind::Group | RecipientKind::Site)
}

fn owns(subject: SubjectId) -> String {
    match subject {
        SubjectId::Membership(id) => format!("i.owner_membership_id = {}", id.0),
        SubjectId::ServiceUser(id) => format!("i.owner_service_user_id = {}", id.0),
    }
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(",")
}

fn ids_of(ground: String) -> String {
    format!("SELECT id FROM ({ground}) AS ground")
}

/// Returns these columns of all grounds, an item as often as there are grounds for it.
fn union(columns: &str, grounds: Vec<String>) -> String {
    let columns_of = |ground| format!("SELECT {columns} FROM ({ground}) AS ground");
    grounds.into_iter().map(columns_of).collect::<Vec<_>>().join(" UNION ALL ")
}

/// Returns the rows of a `VALUES` list, once with each state as the last column.
fn with_states(rows: &[Vec<i64>], states: &[u8]) -> String {
    let row = |row: &Vec<i64>, state: &u8| format!("({},{state})", list(row));
    states.iter().flat_map(|state| rows.iter().map(move |values| row(values, state))).collect::<Vec<_>>().join(",")
}

/// Returns the name of the last column.
fn state_column(rows: &[Vec<i64>]) -> String {
    format!("column{}", rows.first().map_or(0, Vec::len) + 1)
}

impl Cut {
    /// Returns the rows at the beginning of each of some lists: `rows` are the level and what `condition` names of
    /// each, and the database reads the index of that list alone, in its order.
    fn lateral(&self, connection: &AnyConnection, narrowed: &Narrowed, rows: &[Vec<i64>], condition: &str) -> String {
        let Self { order, limit } = self;
        let (values, state) = (with_states(rows, narrowed.states), state_column(rows));
        let beginning = |columns: &str| {
            format!(
                "SELECT {columns} FROM items i WHERE {condition} AND {STATE} = c.{state} \
                 ORDER BY i.modified_at{order}, i.id{order} LIMIT {limit}"
            )
        };
        match connection {
            AnyConnection::Sqlite(_) => format!(
                "SELECT r.id, c.column1 AS level, r.modified_at FROM (VALUES {values}) AS c CROSS JOIN items r \
                 WHERE r.id IN ({})",
                beginning("i.id")
            ),
            AnyConnection::Postgres(_) => format!(
                "SELECT r.id, c.column1 AS level, r.modified_at FROM (VALUES {values}) AS c \
                 CROSS JOIN LATERAL ({}) AS r",
                beginning("i.id, i.modified_at")
            ),
        }
    }

    /// Returns the first rows of a query in no order, with each item once.
    fn few(&self, query: &str) -> String {
        let Self { order, limit } = self;
        format!(
            "SELECT id, max(level) AS level, modified_at FROM ({query}) AS few GROUP BY id, modified_at \
             ORDER BY modified_at{order}, id{order} LIMIT {limit}"
        )
    }
}
