//! How many items there are of each kind and state at each site, written whenever one comes, goes or moves.

use crate::{AnyConnection, Result, schema::item_counts};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use domain::{access::SiteId, item::ItemKind, organization::OrganizationId};

/// Where an item is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Whether it is archived.
    pub is_archived: bool,
    /// The site that it is at.
    pub site: Option<i64>,
}

/// Counts so many more items of an organization and kind at a spot.
pub fn add(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
    spot: Spot,
    more: i64,
) -> Result<()> {
    sql_query(
        "INSERT INTO item_counts (organization_id, kind, state, site_id, count) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (organization_id, kind, state, site_id) DO UPDATE SET count = item_counts.count + excluded.count",
    )
    .bind::<BigInt, _>(organization.0)
    .bind::<Text, _>(kind.key())
    .bind::<BigInt, _>(i64::from(spot.is_archived))
    .bind::<BigInt, _>(spot.site.unwrap_or_default())
    .bind::<BigInt, _>(more)
    .execute(connection)?;
    Ok(())
}

/// Counts an item that was somewhere else before.
pub fn relocate(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
    before: Spot,
    after: Spot,
) -> Result<()> {
    if before == after {
        return Ok(());
    }
    add(connection, organization, kind, before, -1)?;
    add(connection, organization, kind, after, 1)
}

/// Counts what was at a site as being at none.
pub fn leave_site(connection: &mut AnyConnection, site: SiteId) -> Result<()> {
    sql_query(
        "INSERT INTO item_counts (organization_id, kind, state, site_id, count) \
         SELECT organization_id, kind, state, 0, count FROM item_counts WHERE site_id = $1 \
         ON CONFLICT (organization_id, kind, state, site_id) DO UPDATE SET count = item_counts.count + excluded.count",
    )
    .bind::<BigInt, _>(site.0)
    .execute(connection)?;
    diesel::delete(item_counts::table.filter(item_counts::site_id.eq(site.0))).execute(connection)?;
    Ok(())
}
