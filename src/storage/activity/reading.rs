//! Reading the activity log: newest first, by key, and through an index for every filter.

use super::super::{
    AnyConnection, Result,
    connection::MultiBackend,
    expect_column,
    schema::{activity, activity_heads},
};
use super::Chained;
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use domain::{
    activity::{Action, Detail, Hash, Key, Logged, Source},
    organization::OrganizationId,
    paging::PageFrom,
    time::Timestamp,
    user::UserId,
};

/// The filter of entries; an empty field matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What these users did, or what was done to them.
    pub people: Option<Vec<UserId>>,
    /// What happened to the token with this public id, or was done with it.
    pub token: Option<String>,
    /// Any of these actions.
    pub actions: Option<Vec<Action>>,
    /// The earliest time, inclusive.
    pub since: Option<Timestamp>,
    /// The latest time, exclusive.
    pub until: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = activity)]
struct Row {
    #[diesel(embed)]
    entry: Chained,
    position: i64,
    hash: Vec<u8>,
}

impl Row {
    fn logged(self) -> Result<Logged> {
        let Chained { token_public_id, token_label, .. } = self.entry;
        let action = expect_column(Action::from_key(&self.entry.action), &self.entry.action)?;
        Ok(Logged {
            id: self.entry.id,
            position: self.position,
            organization: self.entry.organization_id.map(OrganizationId),
            at: Timestamp::from_seconds(self.entry.at),
            action,
            actor: self.entry.actor_user_id.map(UserId),
            actor_name: self.entry.actor_name,
            target: self.entry.target_user_id.map(UserId),
            target_name: self.entry.target_name,
            token: token_public_id.map(|public_id| (public_id, token_label.unwrap_or_default())),
            detail: self.entry.detail.map(|text| Detail::parse(action, &text)),
            count: self.entry.count,
            source: Source {
                address: self.entry.address,
                program: self.entry.program,
                request_id: self.entry.request_id,
            },
            hash: expect_column(self.hash.try_into().ok(), "activity.hash")?,
        })
    }
}

/// One of the queries that together answer a [`Filter`]. It only compares columns for equality, so that an index
/// returns the answer in order.
#[derive(Clone, Copy, Default)]
struct Branch<'a> {
    actor: Option<UserId>,
    target: Option<UserId>,
    token: Option<&'a str>,
    action: Option<Action>,
}

impl Filter {
    fn branches(&self) -> Vec<Branch<'_>> {
        let all = Branch { token: self.token.as_deref(), ..Branch::default() };
        let mut branches = vec![all];
        if let Some(people) = &self.people {
            let of = |user: &UserId| [Branch { actor: Some(*user), ..all }, Branch { target: Some(*user), ..all }];
            branches = people.iter().flat_map(of).collect();
        }
        if let Some(actions) = &self.actions {
            let with =
                |action: &Action| branches.iter().map(|branch| Branch { action: Some(*action), ..*branch }).collect();
            branches = actions.iter().flat_map::<Vec<_>, _>(with).collect();
        }
        branches
    }
}

/// Returns at most `limit` entries of the log of an organization, or of the log without an organization. Each branch of
/// the filter reads at most `limit` rows of one index, and the results are merged here: neither database would read an
/// OR in the order of an index.
pub fn page(
    connection: &mut AnyConnection,
    organization: Option<OrganizationId>,
    filter: &Filter,
    from: PageFrom<Key>,
    limit: i64,
) -> Result<Vec<Logged>> {
    let mut found = Vec::new();
    for branch in filter.branches() {
        found.extend(load(connection, organization, filter, branch, from, limit)?);
    }
    let is_upwards = matches!(from, PageFrom::Before(_));
    found.sort_unstable_by_key(|row: &Row| (row.entry.at, row.entry.id));
    // Somebody may have done something to themselves.
    found.dedup_by_key(|row| row.entry.id);
    if !is_upwards {
        found.reverse();
    }
    found.into_iter().take(usize::try_from(limit).unwrap_or_default()).map(Row::logged).collect()
}

fn load(
    connection: &mut AnyConnection,
    organization: Option<OrganizationId>,
    filter: &Filter,
    branch: Branch<'_>,
    from: PageFrom<Key>,
    limit: i64,
) -> Result<Vec<Row>> {
    let mut query = activity::table.select(Row::as_select()).limit(limit).into_boxed::<MultiBackend>();
    query = match organization {
        Some(organization) => query.filter(activity::organization_id.eq(organization.0)),
        None => query.filter(activity::organization_id.is_null()),
    };
    if let Some(actor) = branch.actor {
        query = query.filter(activity::actor_user_id.eq(actor.0));
    }
    if let Some(target) = branch.target {
        query = query.filter(activity::target_user_id.eq(target.0));
    }
    if let Some(token) = branch.token {
        query = query.filter(activity::token_public_id.eq(token.to_owned()));
    }
    if let Some(action) = branch.action {
        query = query.filter(activity::action.eq(action.key()));
    }
    if let Some(since) = filter.since {
        query = query.filter(activity::at.ge(since.seconds()));
    }
    if let Some(until) = filter.until {
        query = query.filter(activity::at.lt(until.seconds()));
    }
    // The first condition on `at` is where the index scan begins; the second one separates entries of the same second.
    query = match from {
        PageFrom::Start => query.order((activity::at.desc(), activity::id.desc())),
        PageFrom::After(Key { at, id }) => query
            .filter(activity::at.le(at.seconds()))
            .filter(activity::at.lt(at.seconds()).or(activity::id.lt(id)))
            .order((activity::at.desc(), activity::id.desc())),
        PageFrom::Before(Key { at, id }) => query
            .filter(activity::at.ge(at.seconds()))
            .filter(activity::at.gt(at.seconds()).or(activity::id.gt(id)))
            .order((activity::at.asc(), activity::id.asc())),
    };
    Ok(query.load(connection)?)
}

/// Returns the entry of an organization's log at this position.
pub fn at(connection: &mut AnyConnection, organization: OrganizationId, position: i64) -> Result<Option<Logged>> {
    let row: Option<Row> = activity::table
        // Must be exactly the expression of the index `activity_position`.
        .filter(sql::<BigInt>("coalesce(organization_id, 0)").eq(organization.0))
        .filter(activity::position.eq(position))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.map(Row::logged).transpose()
}

/// Returns the position and hash of the last entry of an organization's chain; `None` while there is no entry.
pub fn head(connection: &mut AnyConnection, organization: Option<OrganizationId>) -> Result<Option<(i64, Hash)>> {
    let head: Option<(i64, Vec<u8>)> = activity_heads::table
        .find(organization.map_or(0, |id| id.0))
        .select((activity_heads::position, activity_heads::hash))
        .get_result(connection)
        .optional()?;
    head.map(|(position, hash)| Ok((position, expect_column(hash.try_into().ok(), "activity_heads.hash")?))).transpose()
}
