//! The activity log: rows are only added, and each is chained to the previous one of its organization.

mod chain;
mod reading;

pub use chain::{Walk, chains};
pub use reading::{Filter, at, head, page};

use super::{
    AnyConnection, Result, expect_column,
    schema::{activity, activity_heads},
};
use diesel::{prelude::*, upsert::excluded};
use domain::{
    activity::{Action, CHAIN_START, Detail, Hash, Source, chained},
    organization::OrganizationId,
    time::Timestamp,
    user::UserId,
};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of entries in a statement: SQLite takes 32,766 values, and each entry has 16.
const TOGETHER: usize = 1000;

/// An entry to be written. Names are copied, so that it stays readable when the things that it mentions are gone.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The organization; `None` for a user without an organization.
    pub organization: Option<OrganizationId>,
    /// The time.
    pub at: Timestamp,
    /// The action.
    pub action: Action,
    /// The user who did it, if a person did.
    pub actor: Option<UserId>,
    /// The name of that user or service user at that time; empty if nobody did it.
    pub actor_name: &'a str,
    /// The user to whom it happened, if it was a user.
    pub target: Option<UserId>,
    /// The name of the user, permission set or other thing to which it happened.
    pub target_name: Option<&'a str>,
    /// The token to which it happened, or with which it was done: public id and label.
    pub token: Option<(&'a str, &'a str)>,
    /// Further details for the sentence about it; each [`Action`] says which.
    pub detail: Option<Detail>,
    /// How often it has happened since the previous entry, for counted actions; otherwise 1.
    pub count: i64,
    /// Where the request came from.
    pub source: &'a Source,
}

impl<'a> Entry<'a> {
    /// Creates an entry about something that nobody did; the caller adds who did it, and to what.
    pub const fn new(organization: Option<OrganizationId>, action: Action, at: Timestamp, source: &'a Source) -> Self {
        Self {
            organization,
            at,
            action,
            actor: None,
            actor_name: "",
            target: None,
            target_name: None,
            token: None,
            detail: None,
            count: 1,
            source,
        }
    }
}

/// The fields of an entry's hash, in this order.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = activity, treat_none_as_default_value = false)]
struct Chained {
    #[diesel(skip_insertion)]
    id: i64,
    organization_id: Option<i64>,
    at: i64,
    action: String,
    actor_user_id: Option<i64>,
    actor_name: String,
    target_user_id: Option<i64>,
    target_name: Option<String>,
    token_public_id: Option<String>,
    token_label: Option<String>,
    detail: Option<String>,
    count: i64,
    address: String,
    program: String,
    request_id: String,
}

impl Chained {
    /// Returns the chain of the entry: that of an organization, or 0 for entries without an organization.
    fn chain(&self) -> i64 {
        self.organization_id.unwrap_or(0)
    }

    fn hash(&self, previous: &Hash, position: i64) -> Hash {
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        let (position, at, count) = (position.to_string(), self.at.to_string(), self.count.to_string());
        let organization = number(self.organization_id);
        let (actor, target) = (number(self.actor_user_id), number(self.target_user_id));
        chained(
            previous,
            &[
                Some(&position),
                organization.as_deref(),
                Some(&at),
                Some(&self.action),
                actor.as_deref(),
                Some(&self.actor_name),
                target.as_deref(),
                self.target_name.as_deref(),
                self.token_public_id.as_deref(),
                self.token_label.as_deref(),
                self.detail.as_deref(),
                Some(&count),
                Some(&self.address),
                Some(&self.program),
                Some(&self.request_id),
            ],
        )
    }
}

impl From<&Entry<'_>> for Chained {
    fn from(entry: &Entry<'_>) -> Self {
        Self {
            id: 0,
            organization_id: entry.organization.map(|id| id.0),
            at: entry.at.seconds(),
            action: entry.action.key().into(),
            actor_user_id: entry.actor.map(|id| id.0),
            actor_name: entry.actor_name.into(),
            target_user_id: entry.target.map(|id| id.0),
            target_name: entry.target_name.map(Into::into),
            token_public_id: entry.token.map(|(public_id, _)| public_id.into()),
            token_label: entry.token.map(|(_, label)| label.into()),
            detail: entry.detail.as_ref().map(Detail::to_text),
            count: entry.count,
            address: entry.source.address.clone(),
            program: entry.source.program.clone(),
            request_id: entry.source.request_id.clone(),
        }
    }
}

/// Writes an entry.
pub fn insert(connection: &mut AnyConnection, entry: &Entry<'_>) -> Result<()> {
    insert_all(connection, std::slice::from_ref(entry))
}

/// Writes entries, those of each organization in their order. Hundreds take as many statements as one.
pub fn insert_all(connection: &mut AnyConnection, entries: &[Entry<'_>]) -> Result<()> {
    entries.chunks(TOGETHER).try_for_each(|entries| insert_together(connection, entries))
}

fn insert_together(connection: &mut AnyConnection, entries: &[Entry<'_>]) -> Result<()> {
    let rows: Vec<Chained> = entries.iter().map(Chained::from).collect();
    let links = link(connection, &rows)?;
    let linked = |(row, (position, hash))| (row, activity::position.eq(position), activity::hash.eq(Vec::from(hash)));
    let linked: Vec<_> = rows.into_iter().zip(links).map(linked).collect();
    match connection {
        AnyConnection::Sqlite(sqlite) => diesel::insert_into(activity::table).values(linked).execute(sqlite),
        AnyConnection::Postgres(postgres) => diesel::insert_into(activity::table).values(linked).execute(postgres),
    }?;
    Ok(())
}

/// Returns the number and the time of the newest entry.
pub fn newest(connection: &mut AnyConnection) -> Result<Option<(i64, Timestamp)>> {
    let newest: Option<(i64, i64)> = activity::table
        .order(activity::id.desc())
        .limit(1)
        .select((activity::id, activity::at))
        .get_result(connection)
        .optional()?;
    Ok(newest.map(|(id, at)| (id, Timestamp::from_seconds(at))))
}

/// Returns whether the operator has confirmed the clock in an entry after this number.
pub fn is_clock_confirmed(connection: &mut AnyConnection, after: i64) -> Result<bool> {
    let confirmed = activity::id.gt(after).and(activity::action.eq(Action::ClockConfirmed.key()));
    Ok(diesel::select(diesel::dsl::exists(activity::table.filter(confirmed))).get_result(connection)?)
}

/// The last position of a chain, and its hash.
type End = (i64, Hash);

/// Appends entries to their chains, and returns the position and hash of each. Until this transaction ends, others that
/// write to the same logs wait here, so that no two entries follow the same one.
fn link(connection: &mut AnyConnection, rows: &[Chained]) -> Result<Vec<End>> {
    let chains: BTreeSet<i64> = rows.iter().map(Chained::chain).collect();
    let mut ends = locked_ends(connection, &chains)?;
    if ends.len() < chains.len() {
        begin_chains(connection, &chains)?;
        ends = locked_ends(connection, &chains)?;
    }
    let mut links = Vec::with_capacity(rows.len());
    for row in rows {
        let end = ends.entry(row.chain()).or_insert((0, CHAIN_START));
        let position = end.0 + 1;
        *end = (position, row.hash(&end.1, position));
        links.push(*end);
    }
    store_ends(connection, ends)?;
    Ok(links)
}

/// Returns the existing ends of these chains. Locks them in a fixed order, so that transactions that need several never
/// deadlock.
fn locked_ends(connection: &mut AnyConnection, chains: &BTreeSet<i64>) -> Result<BTreeMap<i64, End>> {
    let ends = activity_heads::table
        .filter(activity_heads::organization_id.eq_any(chains))
        .order(activity_heads::organization_id)
        .select((activity_heads::organization_id, activity_heads::position, activity_heads::hash));
    let found: Vec<(i64, i64, Vec<u8>)> = match connection {
        AnyConnection::Sqlite(sqlite) => ends.load(sqlite),
        AnyConnection::Postgres(postgres) => ends.for_update().load(postgres),
    }?;
    let end = |(chain, position, hash): (_, _, Vec<u8>)| {
        Ok((chain, (position, expect_column(hash.try_into().ok(), "activity_heads.hash")?)))
    };
    found.into_iter().map(end).collect()
}

/// Begins the chains that do not exist yet.
fn begin_chains(connection: &mut AnyConnection, chains: &BTreeSet<i64>) -> Result<()> {
    let beginning = |chain: &i64| {
        let (position, hash) = (activity_heads::position.eq(0), activity_heads::hash.eq(&CHAIN_START[..]));
        (activity_heads::organization_id.eq(*chain), position, hash)
    };
    let begun = diesel::insert_into(activity_heads::table).values(chains.iter().map(beginning).collect::<Vec<_>>());
    match connection {
        AnyConnection::Sqlite(sqlite) => begun.on_conflict_do_nothing().execute(sqlite),
        AnyConnection::Postgres(postgres) => begun.on_conflict_do_nothing().execute(postgres),
    }?;
    Ok(())
}

fn store_ends(connection: &mut AnyConnection, ends: BTreeMap<i64, End>) -> Result<()> {
    let end = |(chain, (position, hash)): (i64, End)| {
        let (position, hash) = (activity_heads::position.eq(position), activity_heads::hash.eq(Vec::from(hash)));
        (activity_heads::organization_id.eq(chain), position, hash)
    };
    let stored = diesel::insert_into(activity_heads::table)
        .values(ends.into_iter().map(end).collect::<Vec<_>>())
        .on_conflict(activity_heads::organization_id)
        .do_update()
        .set((
            activity_heads::position.eq(excluded(activity_heads::position)),
            activity_heads::hash.eq(excluded(activity_heads::hash)),
        ));
    match connection {
        AnyConnection::Sqlite(sqlite) => stored.execute(sqlite),
        AnyConnection::Postgres(postgres) => stored.execute(postgres),
    }?;
    Ok(())
}
