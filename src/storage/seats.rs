//! Seats: when each membership was active.

use super::{
    AnyConnection, Result,
    schema::{memberships, seats, service_users},
};
use diesel::{
    dsl::{count, count_star},
    prelude::*,
};
use domain::{organization::OrganizationId, time::Timestamp};

/// Returns how many memberships are active.
pub fn in_use(connection: &mut AnyConnection, organization: OrganizationId) -> Result<i64> {
    Ok(memberships::table
        .filter(memberships::organization_id.eq(organization.0).and(memberships::is_active.eq(true)))
        .select(count_star())
        .get_result(connection)?)
}

/// Returns how many memberships were active at any time from `start` until before `end`. One that ended and was
/// reactivated counts once.
pub fn between(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    start: Timestamp,
    end: Timestamp,
) -> Result<i64> {
    let not_over = seats::ended_at.is_null().or(seats::ended_at.gt(start.seconds()).assume_not_null());
    Ok(seats::table
        .filter(seats::organization_id.eq(organization.0).and(seats::began_at.lt(end.seconds())))
        .filter(not_over)
        .select(count(seats::membership_id).aggregate_distinct())
        .get_result(connection)?)
}

/// Returns how many service users there are, which take no seats.
pub fn service_users(connection: &mut AnyConnection, organization: OrganizationId) -> Result<i64> {
    Ok(service_users::table
        .filter(service_users::organization_id.eq(organization.0))
        .select(count_star())
        .get_result(connection)?)
}
