//! Groups, by name.

use super::{
    AnyConnection, Result,
    connection::MultiBackend,
    patterns,
    schema::{group_members, groups},
};
use diesel::{dsl::count_star, prelude::*};
use domain::{
    group::{CountedGroup, Group, GroupId},
    organization::{MembershipId, OrganizationId},
    paging::{ByName, PageFrom},
    text,
    time::Timestamp,
};
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = groups)]
struct Row {
    id: i64,
    public_id: String,
    name: String,
    created_at: i64,
    version: i64,
}

impl From<Row> for Group {
    fn from(Row { id, public_id, name, created_at, version }: Row) -> Self {
        let created_at = Timestamp::from_seconds(created_at);
        Self { id: GroupId(id), public_id, name, created_at, version }
    }
}

/// Lists the groups of an organization with all of these words in their name, by name, at most `limit`. A page is read
/// by key through an index.
pub fn list(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    words: &str,
    from: &PageFrom<ByName>,
    limit: i64,
) -> Result<Vec<CountedGroup>> {
    let mut query = groups::table
        .filter(groups::organization_id.eq(organization.0))
        .limit(limit)
        .select(Row::as_select())
        .into_boxed::<MultiBackend>();
    for pattern in patterns(words) {
        query = query.filter(groups::search.like(pattern).escape('\\'));
    }
    // The first condition on `search` is where the index scan begins.
    query = match from.place().cloned() {
        None => query.order((groups::search.asc(), groups::id.asc())),
        Some(ByName { search, id }) if matches!(from, PageFrom::After(_)) => query
            .filter(groups::search.ge(search.clone()).and(groups::search.gt(search).or(groups::id.gt(id))))
            .order((groups::search.asc(), groups::id.asc())),
        Some(ByName { search, id }) => query
            .filter(groups::search.le(search.clone()).and(groups::search.lt(search).or(groups::id.lt(id))))
            .order((groups::search.desc(), groups::id.desc())),
    };
    let found: Vec<Group> = query.load(connection)?.into_iter().map(Group::from).collect();
    counted(connection, found)
}

fn counted(connection: &mut AnyConnection, found: Vec<Group>) -> Result<Vec<CountedGroup>> {
    let counts: HashMap<i64, i64> = group_members::table
        .filter(group_members::group_id.eq_any(found.iter().map(|group| group.id.0).collect::<Vec<_>>()))
        .group_by(group_members::group_id)
        .select((group_members::group_id, count_star()))
        .load(connection)?
        .into_iter()
        .collect();
    let counted = |group: Group| CountedGroup { members: counts.get(&group.id.0).copied().unwrap_or(0), group };
    Ok(found.into_iter().map(counted).collect())
}

/// Returns the group of an organization with this public id; `None` for one of another organization.
pub fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
) -> Result<Option<CountedGroup>> {
    let found: Option<Row> = groups::table
        .filter(groups::organization_id.eq(organization.0).and(groups::public_id.eq(public_id)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    Ok(counted(connection, found.map(Group::from).into_iter().collect())?.pop())
}

/// Lists the groups of a member, by name.
pub fn of_member(connection: &mut AnyConnection, member: MembershipId) -> Result<Vec<Group>> {
    let rows: Vec<Row> = group_members::table
        .inner_join(groups::table)
        .filter(group_members::membership_id.eq(member.0))
        .order((groups::search, groups::id))
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Group::from).collect())
}

/// Returns how many groups an organization has.
pub fn count_all(connection: &mut AnyConnection, organization: OrganizationId) -> Result<i64> {
    Ok(groups::table.filter(groups::organization_id.eq(organization.0)).count().get_result(connection)?)
}

/// Returns whether another group of the organization than `own` has this name, ignoring case.
pub fn is_taken(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    name: &str,
    own: Option<GroupId>,
) -> Result<bool> {
    let others = groups::table
        .filter(groups::organization_id.eq(organization.0).and(groups::name_folded.eq(text::fold(name))))
        .filter(groups::id.ne(own.map_or(0, |own| own.0)));
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(connection)?)
}

/// Creates a group.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the name is taken.
pub fn insert(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(groups::table)
        .values((
            groups::public_id.eq(public_id),
            groups::organization_id.eq(organization.0),
            groups::name.eq(name),
            groups::name_folded.eq(text::fold(name)),
            groups::search.eq(text::searchable(name)),
            groups::created_at.eq(now.seconds()),
            groups::version.eq(1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Changes the name of a group.
pub fn rename(connection: &mut AnyConnection, id: GroupId, name: &str) -> Result<()> {
    diesel::update(groups::table.find(id.0))
        .set((
            groups::name.eq(name),
            groups::name_folded.eq(text::fold(name)),
            groups::search.eq(text::searchable(name)),
            groups::version.eq(groups::version + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Deletes a group; its members are no longer in it.
pub fn delete(connection: &mut AnyConnection, id: GroupId) -> Result<()> {
    diesel::delete(groups::table.find(id.0)).execute(connection)?;
    Ok(())
}
