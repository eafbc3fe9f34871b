//! What other organizations share with one, and from whom it accepts nothing.

use super::{
    AnyConnection, Result,
    schema::{access_rules, items, organizations, refused_organizations as refused, shares},
};
use diesel::{dsl::count_star, prelude::*};
use domain::{organization::OrganizationId, time::Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// An organization that shares something with another one, or is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giver {
    /// The row.
    pub id: OrganizationId,
    /// Its public id.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// How many shares with the other one, or with its people, it has.
    pub shares: i64,
    /// How many access rules for them it has.
    pub rules: i64,
    /// Whether none of this counts.
    pub is_refused: bool,
}

/// Lists who shares something with an organization or is refused by it, by name.
pub fn givers(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<Giver>> {
    let shared: BTreeMap<i64, i64> = shares::table
        .inner_join(items::table)
        .filter(shares::outside_organization_id.eq(organization.0))
        .group_by(items::organization_id)
        .select((items::organization_id, count_star()))
        .load::<(i64, i64)>(connection)?
        .into_iter()
        .collect();
    let ruled: BTreeMap<i64, i64> = access_rules::table
        .filter(access_rules::outside_organization_id.eq(organization.0))
        .group_by(access_rules::organization_id)
        .select((access_rules::organization_id, count_star()))
        .load::<(i64, i64)>(connection)?
        .into_iter()
        .collect();
    let refused: BTreeSet<i64> = refused::table
        .filter(refused::organization_id.eq(organization.0))
        .select(refused::refused_id)
        .load::<i64>(connection)?
        .into_iter()
        .collect();
    let ids: BTreeSet<i64> = shared.keys().chain(ruled.keys()).chain(&refused).copied().collect();
    let rows: Vec<(i64, String, String)> = organizations::table
        .filter(organizations::id.eq_any(ids))
        .order((organizations::name, organizations::id))
        .select((organizations::id, organizations::public_id, organizations::name))
        .load(connection)?;
    let count = |counts: &BTreeMap<i64, i64>, id| counts.get(&id).copied().unwrap_or(0);
    let giver = |(id, public_id, name): (i64, String, String)| Giver {
        id: OrganizationId(id),
        public_id,
        name,
        shares: count(&shared, id),
        rules: count(&ruled, id),
        is_refused: refused.contains(&id),
    };
    Ok(rows.into_iter().map(giver).collect())
}

/// Lets nothing count that an organization gives to another one. Returns false if this was already so.
pub fn refuse(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    giver: OrganizationId,
    now: Timestamp,
) -> Result<bool> {
    if is_refused(connection, organization, giver)? {
        return Ok(false);
    }
    diesel::insert_into(refused::table)
        .values((
            refused::organization_id.eq(organization.0),
            refused::refused_id.eq(giver.0),
            refused::created_at.eq(now.seconds()),
        ))
        .execute(connection)?;
    Ok(true)
}

fn is_refused(connection: &mut AnyConnection, organization: OrganizationId, giver: OrganizationId) -> Result<bool> {
    let known = refused::table.find((organization.0, giver.0));
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(connection)?)
}

/// Lets it count again. Returns false if it did.
pub fn accept(connection: &mut AnyConnection, organization: OrganizationId, giver: OrganizationId) -> Result<bool> {
    Ok(diesel::delete(refused::table.find((organization.0, giver.0))).execute(connection)? == 1)
}
