//! The activity log: rows are only ever added, and each is chained to the one before it in its organization.

mod chain;
mod reading;

pub use chain::{Break, Walk, chains};
pub use reading::{Filter, Key, Logged, PageFrom, head, page};

use super::{
    AnyConnection, Result, known,
    schema::{activity, activity_heads},
};
use crate::domain::{
    activity::{Action, CHAIN_START, Hash, Source, chained},
    organization::OrganizationId,
    time::Timestamp,
    user::UserId,
};
use diesel::prelude::*;

/// Most entries that are chained in one transaction when they were written before there was a chain.
const BATCH: i64 = 1000;

/// An entry to be written. Names are copied, so that it stays readable when what it tells of is gone.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// In which organization; none for what happens to a user without an organization.
    pub organization: Option<OrganizationId>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: Action,
    /// Who, if it was a person.
    pub actor: Option<UserId>,
    /// Their name at that moment, or that of the service user; empty if it came about by itself.
    pub actor_name: &'a str,
    /// Which user it happened to, if it was one.
    pub target: Option<UserId>,
    /// The name of the user, permission set or whatever else it happened to.
    pub target_name: Option<&'a str>,
    /// The token that it happened to or through: public id and label.
    pub token: Option<(&'a str, &'a str)>,
    /// What a sentence about it needs besides; each [`Action`] says what that is.
    pub detail: Option<&'a str>,
    /// How many times since the entry before, for what is counted; otherwise 1.
    pub count: i64,
    /// Where the request came from.
    pub source: &'a Source,
}

impl<'a> Entry<'a> {
    /// An entry about what came about by itself; the caller adds who did it, and to what.
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

/// What the hash of an entry is made of, in this order.
#[derive(Queryable, Selectable)]
#[diesel(table_name = activity)]
struct Chained {
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

/// Writes an entry.
///
/// # Errors
/// When the database fails.
pub fn insert(connection: &mut AnyConnection, entry: &Entry<'_>) -> Result<()> {
    let row = Chained {
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
        detail: entry.detail.map(Into::into),
        count: entry.count,
        address: entry.source.address.clone(),
        program: entry.source.program.clone(),
        request_id: entry.source.request_id.clone(),
    };
    let (position, hash) = link(connection, &row)?;
    diesel::insert_into(activity::table)
        .values((
            activity::organization_id.eq(row.organization_id),
            activity::at.eq(row.at),
            activity::action.eq(row.action),
            activity::actor_user_id.eq(row.actor_user_id),
            activity::actor_name.eq(row.actor_name),
            activity::target_user_id.eq(row.target_user_id),
            activity::target_name.eq(row.target_name),
            activity::token_public_id.eq(row.token_public_id),
            activity::token_label.eq(row.token_label),
            activity::detail.eq(row.detail),
            activity::count.eq(row.count),
            activity::address.eq(row.address),
            activity::program.eq(row.program),
            activity::request_id.eq(row.request_id),
            activity::position.eq(position),
            activity::hash.eq(&hash[..]),
        ))
        .execute(connection)?;
    Ok(())
}

/// Writes entries, one after the other.
///
/// # Errors
/// When the database fails.
pub fn insert_all(connection: &mut AnyConnection, entries: &[Entry<'_>]) -> Result<()> {
    entries.iter().try_for_each(|entry| insert(connection, entry))
}

/// Makes an entry the last of its organization's chain: its position and its hash. Until this transaction ends, others
/// that write into the same log wait here, so that no two entries follow the same one.
fn link(connection: &mut AnyConnection, row: &Chained) -> Result<(i64, Hash)> {
    let organization = row.organization_id.unwrap_or(0);
    let head: Option<(i64, Vec<u8>)> = diesel::update(activity_heads::table.find(organization))
        .set(activity_heads::position.eq(activity_heads::position + 1))
        .returning((activity_heads::position, activity_heads::hash))
        .get_result(connection)
        .optional()?;
    let Some((position, previous)) = head else {
        let hash = row.hash(&CHAIN_START, 1);
        diesel::insert_into(activity_heads::table)
            .values((
                activity_heads::organization_id.eq(organization),
                activity_heads::position.eq(1),
                activity_heads::hash.eq(&hash[..]),
            ))
            .execute(connection)?;
        return Ok((1, hash));
    };
    let previous: Hash = known(previous.try_into().ok(), "activity_heads.hash")?;
    let hash = row.hash(&previous, position);
    diesel::update(activity_heads::table.find(organization))
        .set(activity_heads::hash.eq(&hash[..]))
        .execute(connection)?;
    Ok((position, hash))
}

/// Chains entries that were written before there was a chain, oldest first. Returns whether there may be more.
///
/// # Errors
/// When the database fails.
pub fn chain_older(connection: &mut AnyConnection) -> Result<bool> {
    let rows: Vec<Chained> = activity::table
        .filter(activity::position.is_null())
        .order(activity::id)
        .limit(BATCH)
        .select(Chained::as_select())
        .load(connection)?;
    for row in &rows {
        let (position, hash) = link(connection, row)?;
        diesel::update(activity::table.find(row.id))
            .set((activity::position.eq(position), activity::hash.eq(&hash[..])))
            .execute(connection)?;
    }
    Ok(!rows.is_empty())
}
