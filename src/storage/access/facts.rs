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
use std::collections::{BTreeSet, HashMap};

/// Reads what the access of a subject of an organization depends on.
pub fn subject_facts(
    connection: &mut AnyConnection,
    id: SubjectId,
    organization: OrganizationId,
) -> Result<SubjectFacts> {
    let refused = refused(connection, organization)?;
    let (groups, sites) = match id {
        SubjectId::Membership(member) => (groups(connection, member)?, sites(connection, member)?),
        SubjectId::ServiceUser(_) => Default::default(),
    };
    Ok(SubjectFacts { id, organization, groups, sites, refused })
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

/// Reads what the access of several members of an organization depends on, in a few queries.
pub fn members_facts(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    members: &[MembershipId],
) -> Result<HashMap<MembershipId, SubjectFacts>> {
    let ids: Vec<i64> = members.iter().map(|member| member.0).collect();
    let in_groups: Vec<(i64, i64)> = group_members::table
        .filter(group_members::membership_id.eq_any(&ids))
        .select((group_members::membership_id, group_members::group_id))
        .load(connection)?;
    let at_sites: Vec<(i64, i64)> = site_members::table
        .inner_join(site_ancestors::table.on(site_ancestors::ancestor_id.eq(site_members::site_id)))
        .filter(site_members::membership_id.eq_any(&ids))
        .select((site_members::membership_id, site_ancestors::site_id))
        .load(connection)?;
    let refused: BTreeSet<OrganizationId> = refused(connection, organization)?;
    let nothing = |id: MembershipId| SubjectFacts {
        id: SubjectId::Membership(id),
        organization,
        groups: BTreeSet::new(),
        sites: BTreeSet::new(),
        refused: refused.clone(),
    };
    let mut all: HashMap<MembershipId, SubjectFacts> = members.iter().map(|id| (*id, nothing(*id))).collect();
    for (member, group) in in_groups {
        all.entry(MembershipId(member)).and_modify(|facts| facts.groups.extend([GroupId(group)]));
    }
    for (member, site) in at_sites {
        all.entry(MembershipId(member)).and_modify(|facts| facts.sites.extend([SiteId(site)]));
    }
    Ok(all)
}

/// Returns the organizations from which one accepts nothing.
fn refused(connection: &mut AnyConnection, organization: OrganizationId) -> Result<BTreeSet<OrganizationId>> {
    let refused: Vec<i64> = refused_organizations::table
        .filter(refused_organizations::organization_id.eq(organization.0))
        .select(refused_organizations::refused_id)
        .load(connection)?;
    Ok(refused.into_iter().map(OrganizationId).collect())
}

/// Returns a site and those above it.
pub fn sites_above(connection: &mut AnyConnection, site: SiteId) -> Result<BTreeSet<SiteId>> {
    let above: Vec<i64> = site_ancestors::table
        .filter(site_ancestors::site_id.eq(site.0))
        .select(site_ancestors::ancestor_id)
        .load(connection)?;
    Ok(above.into_iter().map(SiteId).collect())
}

/// Reads what access to an item depends on.
pub fn item_facts(connection: &mut AnyConnection, item: &Item) -> Result<ItemFacts> {
    let sites = match item.site {
        None => BTreeSet::new(),
        Some(site) => sites_above(connection, site)?,
    };
    Ok(ItemFacts {
        id: item.id,
        organization: item.organization,
        kind: item.kind.clone(),
        owner: item.owner,
        sites,
        template: item.template,
    })
}
