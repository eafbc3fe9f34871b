//! Which subjects of an organization some recipients stand for: a search the other way round, from an item to those
//! who reach it.

use crate::{
    AnyConnection, Result,
    connection::MultiBackend,
    schema::{group_members, memberships, service_users, site_ancestors, site_members},
};
use diesel::prelude::*;
use domain::{
    access::{Recipient, RecipientKind},
    organization::{MembershipId, OrganizationId, PermissionSetId, ServiceUserId},
};

/// Lists the active members of an organization who are among these recipients and have one of these permission sets: by
/// row, after `after`, at most `limit`.
pub fn members_reaching(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    recipients: &[Recipient],
    sets: &[PermissionSetId],
    after: MembershipId,
    limit: i64,
) -> Result<Vec<MembershipId>> {
    let mut query = memberships::table
        .filter(memberships::organization_id.eq(organization.0).and(memberships::is_active.eq(true)))
        .filter(memberships::removed_at.is_null())
        .filter(memberships::permission_set_id.eq_any(sets.iter().map(|set| set.0).collect::<Vec<_>>()))
        .filter(memberships::id.gt(after.0))
        .order(memberships::id)
        .limit(limit)
        .select(memberships::id)
        .into_boxed::<MultiBackend>();
    if !recipients.contains(&Recipient::Organization(organization)) {
        let in_groups = group_members::table
            .filter(group_members::group_id.eq_any(ids(recipients, RecipientKind::Group)))
            .select(group_members::membership_id);
        // Whoever is assigned to a site belongs to all sites below it.
        let at_sites = site_members::table
            .inner_join(site_ancestors::table.on(site_ancestors::ancestor_id.eq(site_members::site_id)))
            .filter(site_ancestors::site_id.eq_any(ids(recipients, RecipientKind::Site)))
            .select(site_members::membership_id);
        let named = memberships::id.eq_any(ids(recipients, RecipientKind::User));
        query = query.filter(named.or(memberships::id.eq_any(in_groups)).or(memberships::id.eq_any(at_sites)));
    }
    let found: Vec<i64> = query.load(connection)?;
    Ok(found.into_iter().map(MembershipId).collect())
}

/// Lists the service users of an organization who are among these recipients: by row, after `after`, at most `limit`.
pub fn service_users_reaching(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    recipients: &[Recipient],
    after: ServiceUserId,
    limit: i64,
) -> Result<Vec<ServiceUserId>> {
    let mut query = service_users::table
        .filter(service_users::organization_id.eq(organization.0).and(service_users::id.gt(after.0)))
        .order(service_users::id)
        .limit(limit)
        .select(service_users::id)
        .into_boxed::<MultiBackend>();
    if !recipients.contains(&Recipient::Organization(organization)) {
        query = query.filter(service_users::id.eq_any(ids(recipients, RecipientKind::ServiceUser)));
    }
    let found: Vec<i64> = query.load(connection)?;
    Ok(found.into_iter().map(ServiceUserId).collect())
}

fn ids(recipients: &[Recipient], kind: RecipientKind) -> Vec<i64> {
    recipients.iter().filter(|one| one.kind() == kind).map(|one| one.id()).collect()
}
