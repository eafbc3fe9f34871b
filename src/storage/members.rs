//! The members of groups and sites, which are stored alike.

use super::{
    AnyConnection, Result,
    schema::{group_members, site_members},
};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use domain::{
    group::GroupId,
    organization::{MembershipId, OrganizationId},
    site::SiteId,
    time::Timestamp,
};
use std::collections::HashMap;

/// A set of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The members of a group.
    Group(GroupId),
    /// The people who are assigned to a site itself.
    Site(SiteId),
}

impl Of {
    const fn id(self) -> i64 {
        match self {
            Self::Group(GroupId(id)) | Self::Site(SiteId(id)) => id,
        }
    }

    /// The table, and its column of the group or site.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Group(_) => ("group_members", "group_id"),
            Self::Site(_) => ("site_members", "site_id"),
        }
    }
}

#[derive(QueryableByName)]
struct Added {
    #[diesel(sql_type = BigInt)]
    membership_id: i64,
}

/// Adds those of these members who belong to the organization, active or deactivated, and are not in the set yet, in
/// one statement. Returns whom it added.
pub fn add(
    connection: &mut AnyConnection,
    of: Of,
    organization: OrganizationId,
    members: &[MembershipId],
    now: Timestamp,
) -> Result<Vec<MembershipId>> {
    let (table, column) = of.names();
    let listed = listed(connection);
    let added: Vec<Added> = sql_query(format!(
        "INSERT INTO {table} ({column}, membership_id, added_at) SELECT $1, id, $2 FROM memberships \
         WHERE organization_id = $3 AND removed_at IS NULL AND id IN ({listed}) \
         ON CONFLICT DO NOTHING RETURNING membership_id"
    ))
    .bind::<BigInt, _>(of.id())
    .bind::<BigInt, _>(now.seconds())
    .bind::<BigInt, _>(organization.0)
    .bind::<Text, _>(array(members))
    .load(connection)?;
    Ok(ids(added))
}

/// Removes these members, or all, in one statement. Returns whom it removed.
pub fn remove(connection: &mut AnyConnection, of: Of, members: Option<&[MembershipId]>) -> Result<Vec<MembershipId>> {
    let (table, column) = of.names();
    let removed: Vec<Added> = match members {
        Some(members) => {
            let listed = listed(connection).replace("$4", "$2");
            let removal = format!(
                "DELETE FROM {table} WHERE {column} = $1 AND membership_id IN ({listed}) RETURNING membership_id"
            );
            sql_query(removal).bind::<BigInt, _>(of.id()).bind::<Text, _>(array(members)).load(connection)?
        }
        None => sql_query(format!("DELETE FROM {table} WHERE {column} = $1 RETURNING membership_id"))
            .bind::<BigInt, _>(of.id())
            .load(connection)?,
    };
    Ok(ids(removed))
}

fn ids(rows: Vec<Added>) -> Vec<MembershipId> {
    rows.into_iter().map(|row| MembershipId(row.membership_id)).collect()
}

/// A query for the numbers in the array `$4`, of whatever length: with a value for each, a statement could not have as
/// many.
const fn listed(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Sqlite(_) => "SELECT value FROM json_each($4)",
        AnyConnection::Postgres(_) => {
            "SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($4 AS JSON)) AS listed (value)"
        }
    }
}

fn array(members: &[MembershipId]) -> String {
    let numbers: Vec<String> = members.iter().map(|member| member.0.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

/// Returns since when each of these members has been in a set.
pub fn since(
    connection: &mut AnyConnection,
    of: Of,
    members: &[MembershipId],
) -> Result<HashMap<MembershipId, Timestamp>> {
    let members: Vec<i64> = members.iter().map(|member| member.0).collect();
    let rows: Vec<(i64, i64)> = match of {
        Of::Group(GroupId(id)) => group_members::table
            .filter(group_members::group_id.eq(id).and(group_members::membership_id.eq_any(members)))
            .select((group_members::membership_id, group_members::added_at))
            .load(connection)?,
        Of::Site(SiteId(id)) => site_members::table
            .filter(site_members::site_id.eq(id).and(site_members::membership_id.eq_any(members)))
            .select((site_members::membership_id, site_members::added_at))
            .load(connection)?,
    };
    Ok(rows.into_iter().map(|(member, at)| (MembershipId(member), Timestamp::from_seconds(at))).collect())
}
