//! The ids by which other programs know members and service users: unique among both in an organization, which must be
//! locked to set one.

use super::{
    AnyConnection, Result,
    schema::{memberships, service_users},
};
use diesel::prelude::*;
use domain::{
    access::SubjectId,
    organization::{MembershipId, OrganizationId, ServiceUserId},
};
use std::collections::HashMap;

/// Who has an external id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A member.
    Member(MembershipId),
    /// A service user.
    ServiceUser(ServiceUserId),
}

impl From<Known> for SubjectId {
    fn from(known: Known) -> Self {
        match known {
            Known::Member(id) => Self::Membership(id),
            Known::ServiceUser(id) => Self::ServiceUser(id),
        }
    }
}

/// Returns who has this external id in an organization.
pub fn find(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<Option<Known>> {
    let member: Option<i64> = memberships::table
        .filter(memberships::organization_id.eq(organization.0).and(memberships::external_id.eq(id)))
        .select(memberships::id)
        .get_result(connection)
        .optional()?;
    if let Some(member) = member {
        return Ok(Some(Known::Member(MembershipId(member))));
    }
    let service_user: Option<i64> = service_users::table
        .filter(service_users::organization_id.eq(organization.0).and(service_users::external_id.eq(id)))
        .select(service_users::id)
        .get_result(connection)
        .optional()?;
    Ok(service_user.map(|id| Known::ServiceUser(ServiceUserId(id))))
}

/// Gives a member or service user an external id, or none.
pub fn set(connection: &mut AnyConnection, whom: Known, id: Option<&str>) -> Result<()> {
    match whom {
        Known::Member(MembershipId(member)) => {
            diesel::update(memberships::table.find(member)).set(memberships::external_id.eq(id)).execute(connection)?
        }
        Known::ServiceUser(ServiceUserId(user)) => diesel::update(service_users::table.find(user))
            .set((service_users::external_id.eq(id), service_users::version.eq(service_users::version + 1)))
            .execute(connection)?,
    };
    Ok(())
}

/// Returns the members of an organization with these external ids.
pub fn members(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    ids: &[&str],
) -> Result<HashMap<String, MembershipId>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, i64)> = memberships::table
        .filter(memberships::organization_id.eq(organization.0).and(memberships::external_id.eq_any(ids)))
        .select((memberships::external_id.assume_not_null(), memberships::id))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, member)| (id, MembershipId(member))).collect())
}
