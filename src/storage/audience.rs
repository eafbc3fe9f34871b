//! Whom recipients stand for: how many people and service users, and what the access of each depends on.

use super::{
    AnyConnection, Result, known_in,
    schema::{group_members, memberships, service_users, site_ancestors, site_members},
};
use diesel::{dsl::count, prelude::*};
use domain::{
    access::{Recipient, RecipientKind},
    organization::{OrganizationId, ServiceUserId},
    permission::Permissions,
};

/// How many active people and how many service users there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// People whose membership is active.
    pub people: i64,
    /// Service users.
    pub service_users: i64,
}

/// A service user, and what it may do.
#[derive(Clone, Debug)]
pub struct ServiceUser {
    /// The row.
    pub id: ServiceUserId,
    /// Its public id.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// Its permissions.
    pub permissions: Permissions,
}

/// Counts whom a recipient of an organization stands for.
pub fn size(connection: &mut AnyConnection, recipient: Recipient) -> Result<Size> {
    let active = || memberships::table.filter(memberships::is_active.eq(true));
    let people = match recipient {
        Recipient::User(member) => active().filter(memberships::id.eq(member.0)).count().get_result(connection)?,
        Recipient::ServiceUser(_) => return Ok(Size { people: 0, service_users: 1 }),
        Recipient::Group(group) => {
            let of_group = group_members::table.filter(group_members::group_id.eq(group.0));
            let members = active().filter(memberships::id.eq_any(of_group.select(group_members::membership_id)));
            members.count().get_result(connection)?
        }
        Recipient::Site(site) => site_members::table
            .inner_join(site_ancestors::table.on(site_ancestors::ancestor_id.eq(site_members::site_id)))
            .inner_join(memberships::table.on(memberships::id.eq(site_members::membership_id)))
            .filter(site_ancestors::site_id.eq(site.0).and(memberships::is_active.eq(true)))
            .select(count(site_members::membership_id).aggregate_distinct())
            .get_result(connection)?,
        Recipient::Organization(organization) => {
            let all = service_users::table.filter(service_users::organization_id.eq(organization.0));
            let service_users = all.count().get_result(connection)?;
            let members = active().filter(memberships::organization_id.eq(organization.0));
            return Ok(Size { people: members.count().get_result(connection)?, service_users });
        }
    };
    Ok(Size { people, service_users: 0 })
}

/// Lists the service users of an organization for whom some of these recipients stand, by name, at most `limit`.
pub fn service_users(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    recipients: &[Recipient],
    limit: i64,
) -> Result<Vec<ServiceUser>> {
    let mut all = service_users::table
        .filter(service_users::organization_id.eq(organization.0))
        .order((service_users::name, service_users::id))
        .limit(limit)
        .select((service_users::id, service_users::public_id, service_users::name, service_users::permissions))
        .into_boxed::<super::connection::MultiBackend>();
    if !recipients.contains(&Recipient::Organization(organization)) {
        let named = recipients.iter().filter(|one| one.kind() == RecipientKind::ServiceUser);
        all = all.filter(service_users::id.eq_any(named.map(|one| one.id()).collect::<Vec<_>>()));
    }
    let known = known_in(connection, organization)?;
    let rows: Vec<(i64, String, String, String)> = all.load(connection)?;
    let read = |(id, public_id, name, permissions): (i64, String, String, String)| ServiceUser {
        id: ServiceUserId(id),
        public_id,
        name,
        permissions: Permissions::from_keys(&permissions, &known),
    };
    Ok(rows.into_iter().map(read).collect())
}
