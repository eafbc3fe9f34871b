//! What access rules cover, in pieces that each have an index: all items of an organization, those at one site, those
//! of one template, those of one template at one site.

use crate::{AnyConnection, Result, schema::site_ancestors};
use diesel::prelude::*;
use domain::{
    access::{Level, SiteId},
    item::ItemId,
    organization::OrganizationId,
};
use std::collections::BTreeMap;

/// A part of the items of a kind, with the level that somebody has on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The organization to which they belong.
    pub organization: OrganizationId,
    /// The site that they are at, without those below it; `None` for wherever they are.
    pub site: Option<SiteId>,
    /// The template that they are of; `None` for whatever they are of.
    pub template: Option<ItemId>,
    /// The level.
    pub level: Level,
}

/// Cells that differ in more than their level.
#[derive(Clone, Debug, Default)]
pub struct Cells(Vec<Cell>);

/// The cells that are asked for in the same way.
pub struct Shape {
    /// The condition on an item `i` that it is in the cell of the row `c`.
    pub condition: &'static str,
    /// The rank of the level, then what the condition names.
    pub rows: Vec<Vec<i64>>,
}

/// Returns these sites and those below each: the site above first.
pub fn sites_below(connection: &mut AnyConnection, sites: &[SiteId]) -> Result<Vec<(SiteId, SiteId)>> {
    let above: Vec<i64> = sites.iter().map(|site| site.0).collect();
    let rows: Vec<(i64, i64)> = site_ancestors::table
        .filter(site_ancestors::ancestor_id.eq_any(above))
        .select((site_ancestors::ancestor_id, site_ancestors::site_id))
        .load(connection)?;
    Ok(rows.into_iter().map(|(above, below)| (SiteId(above), SiteId(below))).collect())
}

impl Cells {
    /// Returns the cells of rules, which cover what is below their sites, too.
    pub fn of(connection: &mut AnyConnection, rules: Vec<Cell>) -> Result<Self> {
        let mut sites: Vec<SiteId> = rules.iter().filter_map(|rule| rule.site).collect();
        sites.sort_unstable();
        sites.dedup();
        let mut below: BTreeMap<SiteId, Vec<SiteId>> = BTreeMap::new();
        if !sites.is_empty() {
            for (above, site) in sites_below(connection, &sites)? {
                below.entry(above).or_default().push(site);
            }
        }
        let mut cells = Vec::new();
        for rule in rules {
            match rule.site {
                None => cells.push(rule),
                Some(site) => {
                    let all = below.get(&site).into_iter().flatten();
                    cells.extend(all.map(|site| Cell { site: Some(*site), ..rule }));
                }
            }
        }
        Ok(cells.into())
    }

    /// Iterates over them.
    pub fn iter(&self) -> std::slice::Iter<'_, Cell> {
        self.0.iter()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether all items of an organization are covered with at least this level.
    pub fn cover(&self, organization: OrganizationId, level: Level) -> bool {
        self.0.iter().any(|cell| cell.is_whole() && cell.organization == organization && cell.level >= level)
    }

    /// Returns the organizations of which all items are covered.
    pub fn whole(&self) -> Vec<OrganizationId> {
        self.0.iter().filter(|cell| cell.is_whole()).map(|cell| cell.organization).collect()
    }

    /// Returns those with this level or a higher one; all if there is none.
    pub fn at_least(&self, least: Option<Level>) -> Self {
        Self(self.0.iter().filter(|cell| least.is_none_or(|least| cell.level >= least)).copied().collect())
    }

    /// Returns those that add something to the level on some item.
    pub fn by_level(&self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|cell| cell.is_whole() || !self.cover(cell.organization, cell.level))
                .copied()
                .collect(),
        )
    }

    /// Returns those that add items.
    pub fn by_coverage(&self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|cell| cell.is_whole() || !self.cover(cell.organization, Level::View))
                .copied()
                .collect(),
        )
    }

    /// Returns the parts of them at these sites.
    pub fn at(self, sites: &[SiteId]) -> Self {
        let parts = self.0.into_iter().flat_map(|cell| {
            let inside = sites.iter().filter(move |site| cell.site.is_none_or(|at| at == **site));
            inside.map(move |site| Cell { site: Some(*site), ..cell })
        });
        parts.collect::<Vec<_>>().into()
    }

    /// Returns the parts of them that are of this template.
    pub fn of_template(self, template: ItemId) -> Self {
        let parts = self.0.into_iter().filter(|cell| cell.template.is_none_or(|of| of == template));
        parts.map(|cell| Cell { template: Some(template), ..cell }).collect::<Vec<_>>().into()
    }

    /// Iterates over them by how they are asked for.
    pub fn shapes(&self) -> impl Iterator<Item = Shape> {
        let shape = |condition, fits: fn(&Cell) -> bool| Shape {
            condition,
            rows: self.0.iter().filter(|cell| fits(cell)).map(Cell::row).collect(),
        };
        // Within a site or template, the organization must neither choose the index nor count as rare: Postgres would
        // read all items there to sort them.
        let shapes = [
            shape("i.organization_id = c.column2", |cell| cell.site.is_none() && cell.template.is_none()),
            shape(
                "i.site_id = c.column3 AND CASE WHEN i.organization_id = c.column2 THEN TRUE ELSE FALSE END",
                |cell| cell.site.is_some() && cell.template.is_none(),
            ),
            shape(
                "i.template_id = c.column3 AND CASE WHEN i.organization_id = c.column2 THEN TRUE ELSE FALSE END",
                |cell| cell.site.is_none() && cell.template.is_some(),
            ),
            shape(
                "i.site_id = c.column3 AND i.template_id = c.column4 \
                 AND CASE WHEN i.organization_id = c.column2 THEN TRUE ELSE FALSE END",
                |cell| cell.site.is_some() && cell.template.is_some(),
            ),
        ];
        shapes.into_iter().filter(|shape| !shape.rows.is_empty())
    }
}

impl From<Vec<Cell>> for Cells {
    /// Of cells that differ in their level alone, the highest counts.
    fn from(cells: Vec<Cell>) -> Self {
        let mut highest = BTreeMap::new();
        for Cell { organization, site, template, level } in cells {
            let known = highest.entry((organization, site, template)).or_insert(level);
            *known = level.max(*known);
        }
        let cell = |((organization, site, template), level)| Cell { organization, site, template, level };
        Self(highest.into_iter().map(cell).collect())
    }
}

impl Cell {
    const fn is_whole(&self) -> bool {
        self.site.is_none() && self.template.is_none()
    }

    /// Returns the rank of the level, the organization, and the site and the template if there are any.
    fn row(&self) -> Vec<i64> {
        let rank = Level::ALL.iter().position(|level| *level == self.level).unwrap_or_default() + 1;
        let rank = i64::try_from(rank).unwrap_or_default();
        let parts = [self.site.map(|site| site.0), self.template.map(|template| template.0)];
        [rank, self.organization.0].into_iter().chain(parts.into_iter().flatten()).collect()
    }
}
