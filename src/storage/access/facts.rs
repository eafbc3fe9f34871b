//! What the domain must know to say why somebody reaches an item.

use crate::{
    AnyConnection, Result,
    schema::{group_members, refused_organizations, site_ancestors, site_members},
};
use diesel::prelude::*;
use domain::{
    access::{GroupId, ItemFacts, SiteId, SubjectFacts, SubjectId},
    item::Item,
    organization::{MembershipId, OrganizationId},
};
use std::collections::BTreeSet;

/// Reads what the access of a subject of an organization depends on.
pub fn subject_facts(
    connection: &mut AnyConnection,
    id: SubjectId,
    organization: OrganizationId,
) -> Result<SubjectFacts> {
    let refused: Vec<i64> = refused_organizations::table
        .filter(refused_organizations::organization_id.eq(organization.0))
        .select(refused_organizations::refused_id)
        .load(connection)?;
    let (groups, sites) = match id {
        SubjectId::Membership(member) => (groups(connection, member)?, sites(connection, member)?),
        SubjectId::ServiceUser(_) => Default::default(),
    };
    Ok(SubjectFacts { id, organization, groups, sites, refused: refused.into_iter().map(OrganizationId).collect() })
}

fn groups(connection: &mut AnyConnection, member: MembershipId) -> Result<BTreeSet<GroupId>> {
    let rows: Vec<i64> = group_members::table
        .filter(group_members::membership_id.eq(member.0))
        .select(group_members::group_id)
        .load(connection)?;
    Ok(rows.into_iter().map(GroupId).collect())
}

/// Returns the sites to which a member is assigned, and those below them.
fn sites(connection: &mut AnyConnection, member: MembershipId) -> Result<BTreeSet<SiteId>> {
    let rows: Vec<i64> = site_members::table
        .inner_join(site_ancestors::table.on(site_ancestors::ancestor_id.eq(site_members::site_id)))
        .filter(site_members::membership_id.eq(member.0))
        .select(site_ancestors::site_id)
        .load(connection)?;
    Ok(rows.into_iter().map(SiteId).collect())
}

/// Reads what access to an item depends on.
pub fn item_facts(connection: &mut AnyConnection, item: &Item) -> Result<ItemFacts> {
    let sites: Vec<i64> = match item.site {
        None => Vec::new(),
        Some(site) => site_ancestors::table
            .filter(site_ancestors::site_id.eq(site.0))
            .select(site_ancestors::ancestor_id)
            .load(connection)?,
    };
    Ok(ItemFacts {
        id: item.id,
        organization: item.organization,
        kind: item.kind.clone(),
        owner: item.owner,
        sites: sites.into_iter().map(SiteId).collect(),
        template: item.template,
    })
}
