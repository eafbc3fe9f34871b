//! Mails that wait for the mail server.

use super::{AnyConnection, Result, schema::mails};
use diesel::prelude::*;
use domain::time::Timestamp;

/// A mail that waits.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Waiting {
    /// The row.
    pub id: i64,
    /// Its content, encrypted.
    pub sealed: Vec<u8>,
    /// The log tells of it under this id.
    pub request_id: String,
    /// When it is tried next, in seconds since 1970: whoever takes it names the moment that they have seen.
    pub next_at: i64,
    /// How often it was tried.
    pub tries: i64,
}

/// Stores a mail that is taken until `until` by whoever stores it.
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

/// How many there are.
pub fn count(connection: &mut AnyConnection) -> Result<i64> {
    Ok(mails::table.count().get_result(connection)?)
}

/// Those younger than `since` that are to be tried by now, `limit` at most.
pub fn due(connection: &mut AnyConnection, now: Timestamp, since: Timestamp, limit: i64) -> Result<Vec<Waiting>> {
    Ok(mails::table
        .filter(mails::next_at.le(now.seconds()).and(mails::created_at.gt(since.seconds())))
        .order(mails::next_at)
        .limit(limit)
        .select(Waiting::as_select())
        .load(connection)?)
}

/// Takes a mail until `until`, to try it. Returns false if another node has taken it since it was seen, or it is gone.
pub fn take(connection: &mut AnyConnection, seen: &Waiting, until: Timestamp) -> Result<bool> {
    let as_seen = mails::table.filter(mails::id.eq(seen.id).and(mails::next_at.eq(seen.next_at)));
    let taken = diesel::update(as_seen)
        .set((mails::next_at.eq(until.seconds()), mails::tries.eq(mails::tries + 1)))
        .execute(connection)?;
    Ok(taken == 1)
}

/// Gives a mail back that could not be sent; it is tried again at `next`.
pub fn postpone(connection: &mut AnyConnection, id: i64, next: Timestamp) -> Result<()> {
    diesel::update(mails::table.find(id)).set(mails::next_at.eq(next.seconds())).execute(connection)?;
    Ok(())
}

/// Removes a mail.
pub fn delete(connection: &mut AnyConnection, id: i64) -> Result<()> {
    diesel::delete(mails::table.find(id)).execute(connection)?;
    Ok(())
}

/// Removes the mails that were stored by `until`. Returns the ids of the requests that they came from.
pub fn sweep(connection: &mut AnyConnection, until: Timestamp) -> Result<Vec<String>> {
    Ok(diesel::delete(mails::table.filter(mails::created_at.le(until.seconds())))
        .returning(mails::request_id)
        .get_results(connection)?)
}
