//! Recipients of shares and access rules: found by what people and programs call them, and their names.

use super::{
    AnyConnection, Result,
    schema::{groups, memberships, organizations, service_users, sites, users},
};
use diesel::prelude::*;
use domain::{
    access::{GroupId, Recipient, RecipientKind, SiteId},
    organization::{MembershipId, OrganizationId, ServiceUserId},
    text::fold,
    user::shown_email,
};
use std::collections::HashMap;

/// A recipient as people and programs know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The recipient.
    pub recipient: Recipient,
    /// The organization to which it belongs, or which it is.
    pub organization: OrganizationId,
    /// That organization's name.
    pub organization_name: String,
    /// For programs: `membership:12`, or a public id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The e-mail address of a user.
    pub email: Option<String>,
}

/// Returns the group of an organization with this public id.
pub fn group(connection: &mut AnyConnection, organization: OrganizationId, public_id: &str) -> Result<Option<GroupId>> {
    let id: Option<i64> = groups::table
        .filter(groups::organization_id.eq(organization.0).and(groups::public_id.eq(public_id)))
        .select(groups::id)
        .get_result(connection)
        .optional()?;
    Ok(id.map(GroupId))
}

/// Returns the group of an organization with this name, ignoring case.
pub fn group_named(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<GroupId>> {
    let id: Option<i64> = groups::table
        .filter(groups::organization_id.eq(organization.0).and(groups::name_folded.eq(fold(name))))
        .select(groups::id)
        .get_result(connection)
        .optional()?;
    Ok(id.map(GroupId))
}

/// Returns the site of an organization with this public id.
pub fn site(connection: &mut AnyConnection, organization: OrganizationId, public_id: &str) -> Result<Option<SiteId>> {
    let id: Option<i64> = sites::table
        .filter(sites::organization_id.eq(organization.0).and(sites::public_id.eq(public_id)))
        .select(sites::id)
        .get_result(connection)
        .optional()?;
    Ok(id.map(SiteId))
}

/// Returns the service user with this public id, and its organization.
pub fn service_user(
    connection: &mut AnyConnection,
    public_id: &str,
) -> Result<Option<(ServiceUserId, OrganizationId)>> {
    let found: Option<(i64, i64)> = service_users::table
        .filter(service_users::public_id.eq(public_id))
        .select((service_users::id, service_users::organization_id))
        .get_result(connection)
        .optional()?;
    Ok(found.map(|(id, organization)| (ServiceUserId(id), OrganizationId(organization))))
}

/// Returns the organization of a member who has not left it.
pub fn organization_of(connection: &mut AnyConnection, member: MembershipId) -> Result<Option<OrganizationId>> {
    let organization: Option<i64> = memberships::table
        .find(member.0)
        .filter(memberships::removed_at.is_null())
        .select(memberships::organization_id)
        .get_result(connection)
        .optional()?;
    Ok(organization.map(OrganizationId))
}

/// Lists the memberships of the user with this address, folded for comparison, that they have not left, the oldest
/// first.
pub fn memberships_of(
    connection: &mut AnyConnection,
    email_folded: &str,
) -> Result<Vec<(MembershipId, OrganizationId)>> {
    let found: Vec<(i64, i64)> = memberships::table
        .inner_join(users::table)
        .filter(users::email_folded.eq(email_folded).and(memberships::removed_at.is_null()))
        .order(memberships::id)
        .select((memberships::id, memberships::organization_id))
        .load(connection)?;
    Ok(found.into_iter().map(|(id, organization)| (MembershipId(id), OrganizationId(organization))).collect())
}

/// Id, what programs call it, name and organization.
type Row = (i64, String, String, i64);

/// Returns the names of these recipients. Those that are gone are left out.
pub fn names(connection: &mut AnyConnection, recipients: &[Recipient]) -> Result<HashMap<Recipient, Known>> {
    let ids = |kind: RecipientKind| -> Vec<i64> {
        let mut ids: Vec<i64> = recipients.iter().filter(|one| one.kind() == kind).map(|one| one.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let mut all: Vec<(Recipient, String, String, i64, Option<String>)> = Vec::new();
    for kind in RecipientKind::ALL {
        let ids = ids(kind);
        if ids.is_empty() {
            continue;
        }
        if kind == RecipientKind::User {
            let rows: Vec<(i64, String, String, i64)> = memberships::table
                .inner_join(users::table)
                .filter(memberships::id.eq_any(ids))
                .select((memberships::id, users::email, users::name, memberships::organization_id))
                .load(connection)?;
            all.extend(rows.into_iter().map(|(id, email, name, organization)| {
                let recipient = Recipient::User(MembershipId(id));
                (recipient, format!("membership:{id}"), name, organization, Some(shown_email(&email)))
            }));
            continue;
        }
        let rows: Vec<Row> = match kind {
            RecipientKind::User => Vec::new(),
            RecipientKind::ServiceUser => service_users::table
                .filter(service_users::id.eq_any(ids))
                .select((
                    service_users::id,
                    service_users::public_id,
                    service_users::name,
                    service_users::organization_id,
                ))
                .load(connection)?,
            RecipientKind::Group => groups::table
                .filter(groups::id.eq_any(ids))
                .select((groups::id, groups::public_id, groups::name, groups::organization_id))
                .load(connection)?,
            RecipientKind::Site => sites::table
                .filter(sites::id.eq_any(ids))
                .select((sites::id, sites::public_id, sites::name, sites::organization_id))
                .load(connection)?,
            RecipientKind::Organization => organizations::table
                .filter(organizations::id.eq_any(ids))
                .select((organizations::id, organizations::public_id, organizations::name, organizations::id))
                .load(connection)?,
        };
        all.extend(rows.into_iter().map(|(id, public_id, name, organization)| {
            (Recipient::new(kind, id), public_id, name, organization, None)
        }));
    }
    let places: Vec<i64> = all.iter().map(|(.., organization, _)| *organization).collect();
    let called: HashMap<i64, String> = organizations::table
        .filter(organizations::id.eq_any(places))
        .select((organizations::id, organizations::name))
        .load::<(i64, String)>(connection)?
        .into_iter()
        .collect();
    let known = |(recipient, id, name, organization, email)| {
        let organization_name = called.get(&organization).cloned().unwrap_or_default();
        let organization = OrganizationId(organization);
        (recipient, Known { recipient, organization, organization_name, id, name, email })
    };
    Ok(all.into_iter().map(known).collect())
}
