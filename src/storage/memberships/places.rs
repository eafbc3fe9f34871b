//! The memberships of users in all their organizations, as the operator sees them.

use super::{SetRow, Standing, standing_of};
use crate::{
    AnyConnection, Result,
    connection::MultiBackend,
    schema::{memberships, organizations, permission_sets},
};
use diesel::prelude::*;
use domain::{
    organization::{MembershipId, OrganizationId},
    permission::OwnPermissions,
    permission_set::SetName,
    user::UserId,
};

/// A user's membership in an organization.
#[derive(Clone, Debug)]
pub struct Place {
    /// The user.
    pub user: UserId,
    /// The membership.
    pub membership: MembershipId,
    /// The organization.
    pub organization: OrganizationId,
    /// The organization's slug.
    pub slug: String,
    /// The state of the membership: active or deactivated.
    pub standing: Standing,
    /// The name of their permission set.
    pub set: SetName,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
struct Row {
    id: i64,
    user_id: i64,
    organization_id: i64,
    is_active: bool,
    removed_at: Option<i64>,
}

/// Lists the memberships of one user or of all, the oldest organization first, without ended memberships.
pub fn list(connection: &mut AnyConnection, user: Option<UserId>) -> Result<Vec<Place>> {
    let mut query = memberships::table
        .inner_join(organizations::table)
        .inner_join(permission_sets::table)
        .filter(memberships::removed_at.is_null())
        .order((memberships::organization_id, memberships::id))
        .select((Row::as_select(), organizations::slug, SetRow::as_select()))
        .into_boxed::<MultiBackend>();
    if let Some(user) = user {
        query = query.filter(memberships::user_id.eq(user.0));
    }
    query.load(connection)?.into_iter().map(place).collect()
}

fn place((row, slug, set): (Row, String, SetRow)) -> Result<Place> {
    Ok(Place {
        user: UserId(row.user_id),
        membership: MembershipId(row.id),
        organization: OrganizationId(row.organization_id),
        slug,
        standing: standing_of(row.is_active, row.removed_at),
        set: set.set(&OwnPermissions::default())?.name,
    })
}
