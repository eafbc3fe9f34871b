//! The members of an organization, for the list and the pages of people.

use super::{SetRow, standing_of};
use crate::{
    AnyConnection, Result,
    connection::MultiBackend,
    known_in,
    members::Of,
    patterns,
    schema::{group_members, memberships, permission_sets, site_ancestors, site_members, users},
};
use diesel::prelude::*;
use domain::{
    access::{Recipient, RecipientKind},
    group::GroupId,
    membership::{Person, listed::Called},
    organization::{MembershipId, OrganizationId, PermissionSetId},
    paging::PageFrom,
    permission::{BuiltInPermission, OwnPermissions},
    site::SiteId,
    time::Timestamp,
    user::UserId,
};
use std::collections::{HashMap, HashSet};

/// The filter of a list of people.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Words that must all appear in the name or e-mail address; empty for everybody.
    pub words: String,
    /// Only active members, or only deactivated ones.
    pub is_active: Option<bool>,
    /// Only members with this permission set.
    pub set: Option<PermissionSetId>,
    /// Only those who are in this set of members.
    pub of: Option<Of>,
    /// Only those for whom one of these recipients stands.
    pub behind: Option<Vec<Recipient>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
struct Row {
    id: i64,
    organization_id: i64,
    user_id: i64,
    is_active: bool,
    created_at: i64,
    removed_at: Option<i64>,
    seen_at: Option<i64>,
    external_id: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    name: String,
    email: String,
    is_installation_admin: bool,
    blocked_at: Option<i64>,
}

fn person((row, user, set): (Row, UserRow, SetRow), known: &OwnPermissions) -> Result<Person> {
    Ok(Person {
        membership: MembershipId(row.id),
        organization: OrganizationId(row.organization_id),
        user: UserId(row.user_id),
        name: user.name,
        email: user.email,
        is_installation_admin: user.is_installation_admin,
        is_blocked: user.blocked_at.is_some(),
        standing: standing_of(row.is_active, row.removed_at),
        set: set.set(known)?,
        joined_at: Timestamp::from_seconds(row.created_at),
        seen_at: row.seen_at.map(Timestamp::from_seconds),
        external_id: row.external_id,
    })
}

/// Lists the members of an organization who match the filter, by name, at most `limit`, without former members.
///
/// A page is read by key through an index. Only words are searched for in the name and address of everybody who matches
/// the rest of the filter, until the page is full.
pub fn list(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    filter: &Filter,
    from: PageFrom<MembershipId>,
    limit: i64,
) -> Result<Vec<Person>> {
    let mut query = memberships::table
        .inner_join(users::table)
        .inner_join(permission_sets::table)
        .filter(memberships::organization_id.eq(organization.0).and(memberships::removed_at.is_null()))
        .limit(limit)
        .select((Row::as_select(), UserRow::as_select(), SetRow::as_select()))
        .into_boxed::<MultiBackend>();
    if let Some(is_active) = filter.is_active {
        query = query.filter(memberships::is_active.eq(is_active));
    }
    if let Some(set) = filter.set {
        query = query.filter(memberships::permission_set_id.eq(set.0));
    }
    query = match filter.of {
        None => query,
        Some(Of::Group(GroupId(group))) => {
            let members = group_members::table.filter(group_members::group_id.eq(group));
            query.filter(memberships::id.eq_any(members.select(group_members::membership_id)))
        }
        Some(Of::Site(SiteId(site))) => {
            let members = site_members::table.filter(site_members::site_id.eq(site));
            query.filter(memberships::id.eq_any(members.select(site_members::membership_id)))
        }
    };
    if let Some(recipients) = &filter.behind
        && !recipients.contains(&Recipient::Organization(organization))
    {
        let ids = |kind| {
            let of_kind = recipients.iter().filter(move |one| one.kind() == kind);
            of_kind.map(|one| one.id()).collect::<Vec<_>>()
        };
        let grouped = group_members::table.filter(group_members::group_id.eq_any(ids(RecipientKind::Group)));
        let assigned = site_members::table
            .inner_join(site_ancestors::table.on(site_ancestors::ancestor_id.eq(site_members::site_id)))
            .filter(site_ancestors::site_id.eq_any(ids(RecipientKind::Site)));
        let named = memberships::id.eq_any(ids(RecipientKind::User));
        let is_grouped = memberships::id.eq_any(grouped.select(group_members::membership_id));
        let is_assigned = memberships::id.eq_any(assigned.select(site_members::membership_id));
        query = query.filter(named.or(is_grouped).or(is_assigned));
    }
    for pattern in patterns(&filter.words) {
        query = query.filter(memberships::search.like(pattern).escape('\\'));
    }
    // The first condition on `search` is where the index scan begins; the second one separates people with the same
    // value.
    query = match from {
        PageFrom::Start => query.order((memberships::search.asc(), memberships::id.asc())),
        PageFrom::After(person) => {
            let Some(place) = search_of(connection, organization, person)? else { return Ok(Vec::new()) };
            let is_later = memberships::search.gt(place.clone()).or(memberships::id.gt(person.0));
            query
                .filter(memberships::search.ge(place).and(is_later))
                .order((memberships::search.asc(), memberships::id.asc()))
        }
        PageFrom::Before(person) => {
            let Some(place) = search_of(connection, organization, person)? else { return Ok(Vec::new()) };
            let is_earlier = memberships::search.lt(place.clone()).or(memberships::id.lt(person.0));
            query
                .filter(memberships::search.le(place).and(is_earlier))
                .order((memberships::search.desc(), memberships::id.desc()))
        }
    };
    let known = known_in(connection, organization)?;
    query.load(connection)?.into_iter().map(|row| person(row, &known)).collect()
}

/// Returns the text by which a member is sorted.
fn search_of(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    person: MembershipId,
) -> Result<Option<String>> {
    Ok(memberships::table
        .filter(memberships::id.eq(person.0).and(memberships::organization_id.eq(organization.0)))
        .select(memberships::search)
        .get_result(connection)
        .optional()?)
}

/// Lists the active members of an organization who hold a permission, those who joined first, at most `limit`.
pub fn holders(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    permission: BuiltInPermission,
    limit: i64,
) -> Result<Vec<UserId>> {
    let sets = super::sets(connection, organization)?.into_iter();
    let sets: Vec<i64> = sets.filter(|set| set.permissions.contains(permission)).map(|set| set.id.0).collect();
    let users: Vec<i64> = memberships::table
        .filter(memberships::organization_id.eq(organization.0).and(memberships::is_active.eq(true)))
        .filter(memberships::permission_set_id.eq_any(sets))
        .order(memberships::id)
        .limit(limit)
        .select(memberships::user_id)
        .load(connection)?;
    Ok(users.into_iter().map(UserId).collect())
}

/// Returns a current or former member of an organization; `None` for a member of another one.
pub fn find(connection: &mut AnyConnection, organization: OrganizationId, id: MembershipId) -> Result<Option<Person>> {
    let known = known_in(connection, organization)?;
    memberships::table
        .inner_join(users::table)
        .inner_join(permission_sets::table)
        .filter(memberships::id.eq(id.0).and(memberships::organization_id.eq(organization.0)))
        .select((Row::as_select(), UserRow::as_select(), SetRow::as_select()))
        .get_result(connection)
        .optional()?
        .map(|row| person(row, &known))
        .transpose()
}

/// The maximum number of people who are looked up in a statement: SQLite takes 32,766 values.
const TOGETHER: usize = 5_000;

/// Finds the current members of an organization who are called like this; several may have the same name.
pub fn called<'a>(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    wanted: impl Iterator<Item = &'a Called>,
) -> Result<HashMap<Called, Vec<MembershipId>>> {
    let (mut addresses, mut names) = (Vec::new(), Vec::new());
    for called in wanted {
        match called {
            Called::Address(address) => addresses.push(address.as_str()),
            Called::Name(name) => names.push(name.as_str()),
        }
    }
    let mut found: HashMap<Called, Vec<MembershipId>> = HashMap::new();
    let members = || {
        memberships::table
            .inner_join(users::table)
            .filter(memberships::organization_id.eq(organization.0).and(memberships::removed_at.is_null()))
            .order(memberships::id)
    };
    for some in addresses.chunks(TOGETHER) {
        let rows: Vec<(String, i64)> = members()
            .filter(users::email_folded.eq_any(some))
            .select((users::email_folded, memberships::id))
            .load(connection)?;
        for (address, id) in rows {
            found.entry(Called::Address(address)).or_default().push(MembershipId(id));
        }
    }
    for some in names.chunks(TOGETHER) {
        let rows: Vec<(String, i64)> =
            members().filter(users::search.eq_any(some)).select((users::search, memberships::id)).load(connection)?;
        for (name, id) in rows {
            found.entry(Called::Name(name)).or_default().push(MembershipId(id));
        }
    }
    Ok(found)
}

/// Returns those of these members who are current members of an organization.
pub fn current(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    members: &[MembershipId],
) -> Result<HashSet<MembershipId>> {
    let mut found = HashSet::new();
    for some in members.chunks(TOGETHER) {
        let ids: Vec<i64> = memberships::table
            .filter(memberships::organization_id.eq(organization.0).and(memberships::removed_at.is_null()))
            .filter(memberships::id.eq_any(some.iter().map(|member| member.0).collect::<Vec<_>>()))
            .select(memberships::id)
            .load(connection)?;
        found.extend(ids.into_iter().map(MembershipId));
    }
    Ok(found)
}
