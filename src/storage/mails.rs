//! The mail queue.

use super::{AnyConnection, Result, schema::mails};
use diesel::prelude::*;
use domain::time::Timestamp;

/// A queued mail.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Waiting {
    /// The row.
    pub id: i64,
    /// Its content, encrypted.
    pub sealed: Vec<u8>,
    /// The id of the request, under which the log mentions the mail.
    pub request_id: String,
    /// When it is tried next, in seconds since 1970. A node that leases the mail passes the value that it has read.
    pub next_at: i64,
    /// How often it was tried.
    pub tries: i64,
}

/// Stores a mail that the storing node leases until `until`.
pub fn insert(
    connection: &mut AnyConnection,
    sealed: Vec<u8>,
    request_id: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Waiting> {
    Ok(diesel::insert_into(mails::table)
        .values((
            mails::sealed.eq(sealed),
            mails::request_id.eq(request_id),
            mails::created_at.eq(now.seconds()),
            mails::next_at.eq(until.seconds()),
            mails::tries.eq(0),
        ))
        .returning((mails::id, mails::sealed, mails::request_id, mails::next_at, mails::tries))
        .get_result(connection)?)
}

/// Returns the number of queued mails.
pub fn count(connection: &mut AnyConnection) -> Result<i64> {
    Ok(mails::table.count().get_result(connection)?)
}

/// Lists the mails that are due and were stored after `since`, at most `limit`.
pub fn due(connection: &mut AnyConnection, now: Timestamp, since: Timestamp, limit: i64) -> Result<Vec<Waiting>> {
    Ok(mails::table
        .filter(mails::next_at.le(now.seconds()).and(mails::created_at.gt(since.seconds())))
        .order(mails::next_at)
        .limit(limit)
        .select(Waiting::as_select())
        .load(connection)?)
}

/// Leases a mail until `until`, to try it. Returns false if another node has leased it since it was read, or it is
/// gone.
pub fn take(connection: &mut AnyConnection, seen: &Waiting, until: Timestamp) -> Result<bool> {
    let as_seen = mails::table.filter(mails::id.eq(seen.id).and(mails::next_at.eq(seen.next_at)));
    let taken = diesel::update(as_seen)
        .set((mails::next_at.eq(until.seconds()), mails::tries.eq(mails::tries + 1)))
        .execute(connection)?;
    Ok(taken == 1)
}

/// Releases a mail that could not be sent, to be tried again at `next`.
pub fn postpone(connection: &mut AnyConnection, id: i64, next: Timestamp) -> Result<()> {
    diesel::update(mails::table.find(id)).set(mails::next_at.eq(next.seconds())).execute(connection)?;
    Ok(())
}

/// Deletes a mail.
pub fn delete(connection: &mut AnyConnection, id: i64) -> Result<()> {
    diesel::delete(mails::table.find(id)).execute(connection)?;
    Ok(())
}

/// Deletes the mails that were stored by `until`. Returns the ids of their requests.
pub fn sweep(connection: &mut AnyConnection, until: Timestamp) -> Result<Vec<String>> {
    Ok(diesel::delete(mails::table.filter(mails::created_at.le(until.seconds())))
        .returning(mails::request_id)
        .get_results(connection)?)
}
