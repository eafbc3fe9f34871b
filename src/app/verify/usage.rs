//! Uses of tokens on their way to the database: kept in memory, only the newest of each token, and written in a batch
//! every minute.
//!
//! Requests usually do not write. The last use in a token's row is at most a minute old, and [`super`] writes the use
//! of a token close to its expiry at once, so that a token that was used never expires because of this delay (V16).
//! Each use is counted on the day of the newest use in its batch, so around midnight the counts are exact to the
//! minute.
//!
//! A transaction writes hundreds of tokens with as few statements as one token needs, so that it locks their rows only
//! briefly even over a slow link. All tokens come first, then all entries of the activity log: a transaction that has
//! written to an organization's log never waits for a token.

use super::cache::CachedToken;
use crate::{AppError, Result};
use domain::{
    access::Identity,
    activity::{Action, Source},
    time::Timestamp,
    token::{LastUse, Life, TokenId},
};
use std::{
    collections::{HashMap, hash_map},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};
use storage::{
    AnyConnection, Db, activity,
    tokens::{self, NotedUse},
};
use tokio::sync::Notify;

/// The number of tokens in memory from which they are written before the minute is over: some megabytes.
const MANY: usize = 20_000;
/// The maximum number of tokens in a transaction.
const CHUNK: usize = 500;

/// Uses of one token.
pub struct Uses {
    /// The token, as cached at the newest use.
    pub known: Arc<CachedToken>,
    /// When the newest use was.
    pub at: Timestamp,
    /// Where the newest use came from.
    pub source: Source,
    /// The number of uses, besides those that `known` counts.
    pub count: u64,
}

impl Uses {
    fn token(&self) -> TokenId {
        self.known.identity.token
    }

    /// Adds uses of the same token. If the token was dropped from the cache and read again, the older entry's count is
    /// taken over.
    fn add(&mut self, other: Self) {
        let mut older = if self.at <= other.at { std::mem::replace(self, other) } else { other };
        if !Arc::ptr_eq(&older.known, &self.known) {
            older.take_count();
        }
        self.count += older.count;
    }

    /// Takes over the count of the cached token. The next use starts that count again and records the token again.
    fn take_count(&mut self) {
        self.count += self.known.uses.uncounted.swap(0, Ordering::Relaxed);
    }

    fn to_store(&self) -> tokens::Uses<'_> {
        tokens::Uses { token: self.token(), at: self.at, source: &self.source, count: self.count }
    }

    fn entry(&self, action: Action, count: u64) -> activity::Entry<'_> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        entry(&self.known.identity, action, self.at, count, &self.source)
    }
}

type Waiting = HashMap<TokenId, Uses>;

/// The uses that are not yet in the database.
#[derive(Default)]
pub struct Usage {
    accepted: Mutex<Waiting>,
    /// Refused uses of revoked tokens.
    refused: Mutex<Waiting>,
    many: Notify,
}

impl Usage {
    /// Records an accepted use that `known` has already counted.
    pub fn accepted(&self, known: &Arc<CachedToken>, at: Timestamp, source: Source) {
        self.note(&self.accepted, Uses { known: Arc::clone(known), at, source, count: 0 });
    }

    /// Records a refused use of a revoked token.
    pub fn refused(&self, known: &Arc<CachedToken>, at: Timestamp, source: Source) {
        self.note(&self.refused, Uses { known: Arc::clone(known), at, source, count: 1 });
    }

    fn note(&self, waiting: &Mutex<Waiting>, uses: Uses) {
        let mut waiting = lock(waiting);
        add(&mut waiting, uses);
        if waiting.len() >= MANY {
            self.many.notify_one();
        }
    }

    /// The number of tokens with uses to write.
    pub fn waiting(&self) -> usize {
        lock(&self.accepted).len() + lock(&self.refused).len()
    }

    /// Waits until there are so many tokens in memory that they should be written.
    pub async fn is_much(&self) {
        self.many.notified().await;
    }

    /// Adds a use that is not yet in the database to what was read from there.
    pub fn overlay(&self, id: TokenId, life: &mut Life, last_use: &mut Option<LastUse>) {
        let waiting = lock(&self.accepted);
        let Some(Uses { at, source, .. }) = waiting.get(&id) else { return };
        if last_use.as_ref().is_none_or(|stored| stored.at < *at) {
            life.last_used_at = Some(*at);
            *last_use = Some(LastUse { at: *at, address: source.address.clone(), program: source.program.clone() });
        }
    }

    /// Returns when a token was last used, and how many of its uses are not yet counted in the database.
    pub fn not_yet_counted(&self, id: TokenId) -> Option<(Timestamp, u64)> {
        let waiting = lock(&self.accepted);
        let Uses { known, at, count, .. } = waiting.get(&id)?;
        Some((*at, count + known.uses.uncounted.load(Ordering::Relaxed)))
    }

    /// Writes everything to the database. On an error, what was not written is kept for the next flush.
    pub fn flush(&self, db: &Db) -> Result<()> {
        flush(db, &self.accepted, write_accepted)?;
        flush(db, &self.refused, write_refused)
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    // Each change of the map is a single assignment, so a panic elsewhere leaves no partial change.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(waiting: &mut Waiting, uses: Uses) {
    match waiting.entry(uses.token()) {
        hash_map::Entry::Vacant(place) => drop(place.insert(uses)),
        hash_map::Entry::Occupied(mut before) => before.get_mut().add(uses),
    }
}

fn flush(
    db: &Db,
    waiting: &Mutex<Waiting>,
    write: impl Fn(&mut AnyConnection, &[Uses]) -> storage::Result<()>,
) -> Result<()> {
    let mut batch: Vec<Uses> = std::mem::take(&mut *lock(waiting)).into_values().collect();
    // Neighboring rows are written together.
    batch.sort_unstable_by_key(|uses| (uses.known.identity.subject.organization.id, uses.token()));
    batch.iter_mut().for_each(Uses::take_count);
    for (written, chunk) in batch.chunks(CHUNK).enumerate() {
        if let Err(error) = db.write::<_, AppError>(|connection| Ok(write(connection, chunk)?)) {
            let mut waiting = lock(waiting);
            batch.drain(written * CHUNK..).for_each(|uses| add(&mut waiting, uses));
            return Err(error);
        }
    }
    Ok(())
}

fn write_accepted(connection: &mut AnyConnection, batch: &[Uses]) -> storage::Result<()> {
    let uses: Vec<tokens::Uses<'_>> = batch.iter().map(Uses::to_store).collect();
    let noted = tokens::note_uses(connection, &uses)?;
    tokens::count_calls(connection, &uses)?;
    log_first(connection, batch.iter(), &noted)
}

fn log_first<'a>(
    connection: &mut AnyConnection,
    uses: impl Iterator<Item = &'a Uses>,
    noted: &HashMap<TokenId, NotedUse>,
) -> storage::Result<()> {
    let is_first = |uses: &&Uses| noted.get(&uses.token()) == Some(&NotedUse::First);
    let first: Vec<_> = uses.filter(is_first).map(|uses| uses.entry(Action::TokenFirstUsed, 1)).collect();
    activity::insert_all(connection, &first)
}

/// Writes uses of tokens close to their expiry, without counting them; several may be of one token. Returns for each
/// use whether its token is still active.
pub fn write_at_once(connection: &mut AnyConnection, uses: &[Uses]) -> storage::Result<Vec<bool>> {
    let mut newest: HashMap<TokenId, &Uses> = HashMap::with_capacity(uses.len());
    for one in uses {
        let before = newest.entry(one.token()).or_insert(one);
        if before.at < one.at {
            *before = one;
        }
    }
    let stored: Vec<tokens::Uses<'_>> = newest.values().map(|uses| uses.to_store()).collect();
    let noted = tokens::note_uses(connection, &stored)?;
    log_first(connection, newest.into_values(), &noted)?;
    Ok(uses.iter().map(|one| noted.get(&one.token()).is_some_and(|noted| *noted != NotedUse::Ended)).collect())
}

fn write_refused(connection: &mut AnyConnection, batch: &[Uses]) -> storage::Result<()> {
    let uses: Vec<tokens::Uses<'_>> = batch.iter().map(Uses::to_store).collect();
    tokens::note_refused(connection, &uses)?;
    let refused = batch.iter().map(|uses| uses.entry(Action::RevokedTokenRefused, uses.count));
    activity::insert_all(connection, &refused.collect::<Vec<_>>())
}

/// Creates an entry of the activity log about what a token did, under its subject's name.
pub fn entry<'a>(
    identity: &'a Identity,
    action: Action,
    at: Timestamp,
    count: i64,
    source: &'a Source,
) -> activity::Entry<'a> {
    activity::Entry {
        actor: identity.subject.user,
        actor_name: &identity.subject.display_name,
        token: Some((&identity.token_public_id, &identity.label)),
        count,
        ..activity::Entry::new(Some(identity.subject.organization.id), action, at, source)
    }
}
