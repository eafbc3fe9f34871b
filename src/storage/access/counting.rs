//! How many items a list has, or has left after a place.
//!
//! What access rules cover as a whole (all items of a kind, or all at some sites) is counted when it is written
//! (`item_counts`), as it may be a million. Of it, only the shorter way is read: from the place to the end, or from the
//! beginning to the place. Everything else that somebody reaches is read, along the index of its ground, and so is
//! whatever a filter leaves of which there is no count.

use super::{
    Asked, Direction, Filter, Narrowed, Reachable,
    cell::{Cell, Cells},
    ids_of, list, patterns,
};
use crate::{AnyConnection, Result};
use domain::{access::SiteId, item::Place, organization::OrganizationId};
use std::collections::BTreeMap;

/// How the items of a list are counted.
pub(crate) enum Counting {
    /// By this query for `count`.
    Read(Asked),
    /// By what is written down.
    Known(Known),
}

/// A number of which most is written down.
pub(crate) struct Known {
    /// The query for `total`: how many items there are of those that are counted as a whole.
    total: String,
    /// The queries for those of them after the place and up to it; none without a place.
    sides: Option<[String; 2]>,
    /// The query for `count`, the number of all other items after the place.
    pub others: Option<Asked>,
}

impl Known {
    /// Returns the query for `total`, and for `after` and `before`: how many there are on each side of the place, read up
    /// to `most` and one.
    pub fn asked(&self, most: i64) -> Asked {
        let some = |side: &String| {
            format!("(SELECT count(*) FROM (SELECT id FROM ({side}) AS side LIMIT {}) AS few)", most + 1)
        };
        let (total, [after, before]) = (
            &self.total,
            match &self.sides {
                Some(sides) => [some(&sides[0]), some(&sides[1])],
                // All are after it.
                None => [format!("CAST({} AS BIGINT)", most + 1), "CAST(0 AS BIGINT)".to_owned()],
            },
        );
        let sql = format!("SELECT ({total}) AS total, {after} AS after, {before} AS before");
        Asked { sql, bound: Vec::new() }
    }

    /// Returns how many items are after the place, as far as these numbers say it.
    pub fn left(total: i64, after: i64, before: i64, most: i64) -> Option<i64> {
        if before <= most && before <= after { Some(total - before) } else { (after <= most).then_some(after) }
    }
}

impl Reachable {
    /// Returns how the items that a list has after `from` are counted.
    pub(crate) fn counting(
        &self,
        connection: &mut AnyConnection,
        filter: &Filter,
        direction: Direction,
        from: Option<Place>,
    ) -> Result<Counting> {
        // After a place, nothing was changed before it.
        let is_later = matches!((filter.modified_since, from, direction), (Some(since), Some(from), Direction::Ascending)
            if since <= from.modified_at);
        let filter = &Filter { modified_since: filter.modified_since.filter(|_| !is_later), ..filter.clone() };
        let all = self.narrowed(connection, filter, direction, None, self.cells.by_coverage())?;
        let counted: Cells =
            all.cells.iter().filter(|cell| cell.template.is_none()).copied().collect::<Vec<_>>().into();
        if !is_written_down(filter) || counted.is_empty() {
            return Ok(Counting::Read(self.read_all(connection, filter, direction, from)?));
        }
        let sides = from.map(|from| {
            let (beyond, up_to) = match direction {
                Direction::Ascending => (">", "<="),
                Direction::Descending => ("<", ">="),
            };
            [beyond, up_to].map(|side| {
                let place = format!("(i.modified_at, i.id) {side} ({}, {})", from.modified_at.seconds(), from.id.0);
                self.all_of(&all.with(place), &counted).join(" UNION ALL ")
            })
        });
        let others = self.others(connection, filter, direction, from, &counted)?;
        Ok(Counting::Known(Known { total: self.total(&all, &counted), sides, others }))
    }

    /// Returns the query for `count` that reads everything.
    fn read_all(
        &self,
        connection: &mut AnyConnection,
        filter: &Filter,
        direction: Direction,
        from: Option<Place>,
    ) -> Result<Asked> {
        let cells = self.cells.at_least(filter.at_least);
        let narrowed = self.narrowed(connection, filter, direction, from, cells.by_coverage())?;
        // Where a rule covers all items of an organization, nothing else adds to them, and none is counted twice.
        let whole = cells.whole();
        let (apart, rest): (Vec<_>, Vec<_>) =
            narrowed.cells.iter().copied().partition(|cell| whole.contains(&cell.organization));
        let mut parts = Vec::new();
        for covered in self.all_of(&narrowed, &apart.into()) {
            parts.push(format!("(SELECT count(*) FROM ({covered}) AS covered)"));
        }
        let grounds = self.grounds(&narrowed, &whole, &rest.into());
        if !grounds.is_empty() {
            parts.push(format!("(SELECT count(*) FROM ({}) AS others)", grounds.join(" UNION ")));
        }
        let sum = if parts.is_empty() { "CAST(0 AS BIGINT)".to_owned() } else { parts.join(" + ") };
        Ok(Asked { sql: format!("SELECT {sum} AS count"), bound: narrowed.bound })
    }

    /// Returns the query for `count` of all items that are in none of the cells that are counted; `None` if there can be
    /// none.
    fn others(
        &self,
        connection: &mut AnyConnection,
        filter: &Filter,
        direction: Direction,
        from: Option<Place>,
        counted: &Cells,
    ) -> Result<Option<Asked>> {
        let mut narrowed = self.narrowed(connection, filter, direction, from, self.cells.by_coverage())?;
        let mut sites: BTreeMap<OrganizationId, Vec<SiteId>> = BTreeMap::new();
        for Cell { organization, site, .. } in counted.iter() {
            if let Some(site) = site {
                sites.entry(*organization).or_default().push(*site);
            }
        }
        narrowed.conditions.extend(sites.iter().map(|(organization, sites)| {
            let sites = list(sites.iter().map(|site| site.0));
            format!("(i.organization_id <> {} OR coalesce(i.site_id, 0) NOT IN ({sites}))", organization.0)
        }));
        let rest: Vec<Cell> = narrowed.cells.iter().filter(|cell| cell.template.is_some()).copied().collect();
        let grounds = self.grounds(&narrowed, &self.cells.whole(), &rest.into());
        let sql = format!("SELECT count(*) AS count FROM ({}) AS others", grounds.join(" UNION "));
        Ok((!grounds.is_empty()).then_some(Asked { sql, bound: narrowed.bound }))
    }

    /// Returns the queries for `id` of what is shared, owned and covered by these cells, without what belongs to the
    /// organizations `whole`.
    fn grounds(&self, narrowed: &Narrowed, whole: &[OrganizationId], cells: &Cells) -> Vec<String> {
        let mut grounds: Vec<String> = self.shared(narrowed, whole).map(ids_of).collect();
        if !whole.contains(&self.facts.organization) {
            grounds.push(ids_of(self.owned(narrowed)));
        }
        grounds.extend(self.all_of(narrowed, cells).into_iter().map(ids_of));
        grounds
    }

    /// Returns the queries for everything in these cells.
    fn all_of(&self, narrowed: &Narrowed, cells: &Cells) -> Vec<String> {
        cells.shapes().map(|shape| self.covered(narrowed, &shape)).collect()
    }

    /// Returns the query for the number of items in these cells, as it is written down.
    fn total(&self, narrowed: &Narrowed, cells: &Cells) -> String {
        let mut places: BTreeMap<OrganizationId, Option<Vec<SiteId>>> = BTreeMap::new();
        for Cell { organization, site, .. } in cells.iter() {
            match (places.entry(*organization).or_insert_with(|| Some(Vec::new())), site) {
                (Some(sites), Some(site)) => sites.push(*site),
                (place, _) => *place = None,
            }
        }
        let place = |(organization, sites): (&OrganizationId, &Option<Vec<SiteId>>)| match sites {
            None => format!("organization_id = {}", organization.0),
            Some(sites) => {
                let sites = list(sites.iter().map(|site| site.0));
                format!("(organization_id = {} AND site_id IN ({sites}))", organization.0)
            }
        };
        let places = places.iter().map(place).collect::<Vec<_>>().join(" OR ");
        let (kind, states) = (self.kind.key(), list(narrowed.states));
        format!(
            "SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM item_counts \
             WHERE kind = '{kind}' AND state IN ({states}) AND ({places})"
        )
    }
}

/// Whether nothing but what is written down narrows the list: whether items are archived, and their sites.
fn is_written_down(filter: &Filter) -> bool {
    let Filter { words, site: _, template, owner, archived: _, finished, modified_since, modified_before, at_least } =
        filter;
    patterns(words).is_empty()
        && template.is_none()
        && owner.is_none()
        && finished.is_none()
        && modified_since.is_none()
        && modified_before.is_none()
        && at_least.is_none()
}
