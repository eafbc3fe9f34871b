//! The epoch of authority: one number, incremented in each transaction that changes what a token may do.

mod touched;

pub use touched::{Fact, Touched};

use super::{
    AnyConnection, Result, StorageError,
    schema::{api_tokens, auth_changes, auth_epoch, revocations},
};
use chrono::{DateTime, Utc};
use diesel::{define_sql_function, prelude::*, sql_query, sql_types::BigInt};
use domain::token::KeyDigest;
use std::{ffi::OsStr, fs::File, mem::ManuallyDrop, os::unix::fs::FileExt, path::Path, time::Duration};

/// The maximum number of changes that are read one by one: with more, it is faster to drop the whole cache.
const MOST_STEPS: i64 = 10_000;

/// Increments the epoch. Also records what the change affects, so that nodes drop no more than necessary from their
/// cache, and sets the epoch of the revocations in this transaction. It must be the last statement of its transaction:
/// all changes of authority share its row, which must be locked as briefly as possible. Each increment waits for the
/// commit of the one before, so epochs are in the order of commits (V6).
///
/// Returns for how long after the commit a node may still answer from memory without this change.
pub fn step(connection: &mut AnyConnection, touched: &Touched) -> Result<Duration> {
    let mark = new_mark()?;
    let (epoch, longest): (i64, i64) = diesel::update(auth_epoch::table)
        .set((auth_epoch::epoch.eq(auth_epoch::epoch + 1), auth_epoch::mark.eq(mark)))
        .returning((auth_epoch::epoch, auth_epoch::longest_freshness_ms))
        .get_result(connection)?;
    let facts = match touched {
        Touched::Facts(facts) => facts.as_slice(),
        Touched::Everything => &[],
    };
    diesel::insert_into(auth_changes::table)
        .values((
            auth_changes::epoch.eq(epoch),
            auth_changes::digests.eq(touched::digests(facts)),
            auth_changes::mark.eq(mark),
            auth_changes::affects_all.eq(*touched == Touched::Everything),
            auth_changes::affected.eq(touched::others(facts)),
        ))
        .execute(connection)?;
    finish_revocations(connection, epoch)?;
    Ok(duration(longest))
}

/// Returns a random mark for a new epoch.
fn new_mark() -> Result<i64> {
    getrandom::u64().map(u64::cast_signed).map_err(|error| StorageError::Connection(error.to_string()))
}

fn duration(milliseconds: i64) -> Duration {
    Duration::from_millis(milliseconds.unsigned_abs())
}

/// Sets the epoch and the time of the revocations of this transaction. Other transactions cannot see the revocations
/// before both are set.
fn finish_revocations(connection: &mut AnyConnection, epoch: i64) -> Result<()> {
    let statement = match connection {
        AnyConnection::Sqlite(_) => {
            "UPDATE revocations SET epoch = $1, revoked_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) \
             WHERE epoch IS NULL"
        }
        AnyConnection::Postgres(_) => {
            "UPDATE revocations SET epoch = $1, revoked_at = floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT \
             WHERE epoch IS NULL"
        }
    };
    sql_query(statement).bind::<BigInt, _>(epoch).execute(connection)?;
    Ok(())
}

/// Returns what the changes after the epoch `after`, up to `until`, affect.
pub fn changes(connection: &mut AnyConnection, after: i64, until: i64) -> Result<Touched> {
    if until.saturating_sub(after) > MOST_STEPS {
        return Ok(Touched::Everything);
    }
    let steps: Vec<(Vec<u8>, bool, String)> = auth_changes::table
        .filter(auth_changes::epoch.gt(after).and(auth_changes::epoch.le(until)))
        .select((auth_changes::digests, auth_changes::affects_all, auth_changes::affected))
        .load(connection)?;
    if i64::try_from(steps.len()) != Ok(until - after) || steps.iter().any(|(_, affects_all, _)| *affects_all) {
        return Ok(Touched::Everything);
    }
    Ok(steps.iter().map(|(digests, _, others)| touched::parse(digests, others)).collect())
}

/// Returns whether the database has another epoch of this number: then it has lost commits that somebody has seen.
pub fn has_lost(connection: &mut AnyConnection, epoch: i64, mark: i64) -> Result<bool> {
    let stored = auth_changes::table.filter(auth_changes::epoch.eq(epoch)).select(auth_changes::mark);
    let stored: Option<i64> = stored.get_result(connection).optional()?;
    Ok(stored.is_some_and(|stored| stored != mark))
}

/// Returns the keys that were revoked after the epoch `after`, up to `until`; not all of them if there are very many.
pub fn revoked(connection: &mut AnyConnection, after: i64, until: i64) -> Result<Vec<KeyDigest>> {
    let found: Vec<Vec<u8>> = revocations::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(revocations::token_id)))
        .filter(revocations::epoch.gt(after).and(revocations::epoch.le(until)))
        .order(revocations::epoch.desc())
        .limit(MOST_STEPS)
        .select(api_tokens::digest)
        .load(connection)?;
    Ok(found.into_iter().filter_map(|digest| digest.try_into().ok()).map(KeyDigest).collect())
}

/// Deletes what old changes affected. A node that has not read the epoch since then drops its whole cache.
pub fn forget_old_changes(connection: &mut AnyConnection) -> Result<()> {
    let now = read(connection)?;
    diesel::delete(auth_changes::table.filter(auth_changes::epoch.le(now - MOST_STEPS))).execute(connection)?;
    Ok(())
}

/// Returns the current epoch, of all that is committed.
pub fn read(connection: &mut AnyConnection) -> Result<i64> {
    Ok(auth_epoch::table.select(auth_epoch::epoch).get_result(connection)?)
}

/// Raises the epoch to `epoch` if that is higher, for a database that replaces a newer one.
pub fn raise(connection: &mut AnyConnection, epoch: i64) -> Result<()> {
    let lower = auth_epoch::table.filter(auth_epoch::epoch.lt(epoch));
    diesel::update(lower).set(auth_epoch::epoch.eq(epoch)).execute(connection)?;
    Ok(())
}

define_sql_function! {
    /// The current time, not that of the transaction's start.
    fn clock_timestamp() -> Timestamptz;
}
define_sql_function! {
    /// Whether the server is a standby.
    fn pg_is_in_recovery() -> Bool;
}

/// What one query reads about the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The current epoch, of all that is committed.
    pub epoch: i64,
    /// The random mark that tells it from another epoch of the same number.
    pub mark: i64,
    /// For how long after the beginning of this query a node may answer from memory.
    pub freshness: Duration,
    /// The time by the database's clock, in milliseconds since 1970. SQLite has no clock of its own.
    pub time: Option<i64>,
}

/// Reads the epoch and what belongs to it.
///
/// # Errors
/// When the database fails, or is a standby: behind a pooler, one connection may lead to different servers (V7).
pub fn reading(connection: &mut AnyConnection) -> Result<Reading> {
    let stored = (auth_epoch::epoch, auth_epoch::mark, auth_epoch::freshness_ms);
    let ((epoch, mark, freshness), time) = match connection {
        AnyConnection::Sqlite(_) => (auth_epoch::table.select(stored).get_result(connection)?, None),
        AnyConnection::Postgres(postgres) => {
            let columns = (stored, clock_timestamp(), pg_is_in_recovery());
            let (stored, time, follows): ((i64, i64, i64), DateTime<Utc>, bool) =
                auth_epoch::table.select(columns).get_result(postgres)?;
            if follows {
                return Err(StorageError::Standby);
            }
            (stored, Some(time.timestamp_millis()))
        }
    };
    Ok(Reading { epoch, mark, freshness: duration(freshness), time })
}

/// A new freshness bound that takes effect ([`set_freshness`]).
#[derive(Clone, Copy, Debug)]
pub struct NewFreshness {
    /// For how long nodes may still answer from memory under an older bound.
    pub longest: Duration,
    version: i64,
}

/// Returns the freshness bound in milliseconds.
pub fn freshness(connection: &mut AnyConnection) -> Result<i64> {
    Ok(auth_epoch::table.select(auth_epoch::freshness_ms).get_result(connection)?)
}

/// Returns for how long after a commit a node may still answer from memory without it.
pub fn longest_freshness(connection: &mut AnyConnection) -> Result<Duration> {
    Ok(duration(auth_epoch::table.select(auth_epoch::longest_freshness_ms).get_result(connection)?))
}

/// Sets the freshness bound, in milliseconds up to 1,000. Until [`finish_freshness`], changes of authority wait for the
/// largest bound that a node may still use.
pub fn set_freshness(connection: &mut AnyConnection, milliseconds: i64) -> Result<NewFreshness> {
    // This locks the row, so that two settings at the same time both count.
    let (longest, version): (i64, i64) = diesel::update(auth_epoch::table)
        .set(auth_epoch::freshness_version.eq(auth_epoch::freshness_version + 1))
        .returning((auth_epoch::longest_freshness_ms, auth_epoch::freshness_version))
        .get_result(connection)?;
    let longest = longest.max(milliseconds);
    diesel::update(auth_epoch::table)
        .set((auth_epoch::freshness_ms.eq(milliseconds), auth_epoch::longest_freshness_ms.eq(longest)))
        .execute(connection)?;
    Ok(NewFreshness { longest: duration(longest), version })
}

/// Ends the wait for older bounds, unless the bound was set again meanwhile. May be called once nodes that last read the
/// epoch before [`set_freshness`] was committed no longer answer from memory.
pub fn finish_freshness(connection: &mut AnyConnection, new: NewFreshness) -> Result<()> {
    diesel::update(auth_epoch::table.filter(auth_epoch::freshness_version.eq(new.version)))
        .set(auth_epoch::longest_freshness_ms.eq(auth_epoch::freshness_ms))
        .execute(connection)?;
    Ok(())
}

/// The header of SQLite's WAL index, the file `…-shm` next to the database.
///
/// Each commit rewrites it, including a counter, before the commit is complete; nothing else changes it. So as long as
/// these bytes are the same, nobody has committed anything, in this process or another, and there is no need to query
/// the database (<https://sqlite.org/walformat.html#the_wal_index_header>; the file exists as long as a connection is
/// open).
///
/// The file stays open until the process ends: closing it would drop all locks that SQLite's connections in this
/// process hold on it (<https://sqlite.org/howtocorrupt.html>, section 2.2).
pub struct WalIndex(ManuallyDrop<File>);

/// The bytes of the header.
pub type WalIndexHead = [u8; 48];

impl WalIndex {
    /// Opens the index of a database. The caller must have a connection to it, and keep it open as long as this is
    /// used.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(database: &Path) -> Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        File::open(&path).map(|file| Self(ManuallyDrop::new(file))).map_err(|error| unreadable(&path, &error))
    }

    /// Returns the current header.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn head(&self) -> Result<WalIndexHead> {
        let mut head = [0; 48];
        self.0.read_exact_at(&mut head, 0).map_err(|error| unreadable("-shm".as_ref(), &error))?;
        Ok(head)
    }
}

fn unreadable(path: &OsStr, error: &std::io::Error) -> StorageError {
    StorageError::Connection(format!("{}: {error}", path.display()))
}
