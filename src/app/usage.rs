//! Uses of tokens on their way to the database: in memory, the newest wins, one batch at most every minute.
//!
//! A request does not write. What a token's row says of its last use is at most a minute behind, and a token close to its
//! expiry is written at once by [`super::verify`], so that being behind never expires a token that was used (V16). Each use is
//! counted, for the day of the newest one in its batch: around midnight a count is right to the minute.

use super::{AppError, Result, verify::cache::Known};
use crate::{
    domain::{
        access::Identity,
        activity::{Action, Source},
        time::Timestamp,
        token::{Life, TokenId},
    },
    storage::{
        self, AnyConnection, Db, activity,
        tokens::{self, LastUse, NotedUse},
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Tokens with news in memory at which they are written without waiting for the minute: some ten megabytes.
const MANY: usize = 20_000;
/// Most tokens of one transaction.
const CHUNK: usize = 500;
/// Longest that a transaction goes on to the next token: it holds on to all before, and whoever is to revoke one waits. Over a
/// slow link each takes several round trips.
const LONGEST: Duration = Duration::from_millis(250);

/// What is known of a token and not yet in the database.
struct Pending {
    token: Arc<Known>,
    /// The newest accepted use.
    used: Option<(Timestamp, Source)>,
    /// Where its accepted uses are counted.
    counting: Option<Arc<Known>>,
    /// How many were counted elsewhere before.
    counted: u64,
    /// The newest refused use of the revoked token, and how many there were.
    refused: Option<(Timestamp, Source, i64)>,
}

/// The uses that are not yet in the database.
#[derive(Default)]
pub struct Usage {
    pending: Mutex<HashMap<TokenId, Pending>>,
    many: Notify,
}

impl Usage {
    /// Notes an accepted use that `known` has counted.
    pub fn accepted(&self, known: &Arc<Known>, at: Timestamp, source: Source) {
        self.note(known, |pending| {
            if pending.used.as_ref().is_none_or(|(before, _)| *before <= at) {
                pending.used = Some((at, source));
            }
            pending.count_at(known);
        });
    }

    /// Notes a refused use of a revoked token.
    pub fn refused(&self, known: &Arc<Known>, at: Timestamp, source: Source) {
        self.note(known, |pending| {
            let before = pending.refused.as_ref().map_or(0, |(_, _, count)| *count);
            pending.refused = Some((at, source, before + 1));
        });
    }

    fn note(&self, known: &Arc<Known>, note: impl FnOnce(&mut Pending)) {
        let mut pending = self.lock();
        note(pending.entry(known.identity.token).or_insert_with(|| Pending::new(known)));
        if pending.len() >= MANY {
            self.many.notify_one();
        }
    }

    /// How many tokens have something to be written.
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Waits until there is so much in memory that it should be written.
    pub async fn is_much(&self) {
        self.many.notified().await;
    }

    /// Puts a use that is not yet in the database into what was read from there.
    pub fn overlay(&self, id: TokenId, life: &mut Life, last_use: &mut Option<LastUse>) {
        let pending = self.lock();
        let Some((at, source)) = pending.get(&id).and_then(|pending| pending.used.as_ref()) else { return };
        if last_use.as_ref().is_none_or(|stored| stored.at < *at) {
            life.last_used_at = Some(*at);
            *last_use = Some(LastUse { at: *at, address: source.address.clone(), program: source.program.clone() });
        }
    }

    /// How many uses of a token are not yet counted in the database, and when the newest was.
    pub fn not_yet_counted(&self, id: TokenId) -> Option<(Timestamp, u64)> {
        let pending = self.lock();
        let pending = pending.get(&id)?;
        let (at, _) = pending.used.as_ref()?;
        let uncounted = pending.counting.as_ref().map_or(0, |known| known.uses.uncounted.load(Ordering::Relaxed));
        Some((*at, pending.counted + uncounted))
    }

    /// Writes everything to the database. On an error what is not written is kept for the next time.
    pub fn flush(&self, db: &Db) -> Result<()> {
        let mut batch: Vec<Pending> = std::mem::take(&mut *self.lock()).into_values().collect();
        // In the order of organizations and tokens, so that two nodes that write at once never wait for each other in a
        // ring.
        batch.sort_unstable_by_key(|pending| (pending.identity().organization, pending.identity().token));
        batch.iter_mut().for_each(Pending::stop_counting);
        let mut rest = &batch[..];
        while !rest.is_empty() {
            let chunk = &rest[..rest.len().min(CHUNK)];
            match db.write::<_, AppError>(|connection| write(connection, chunk)) {
                Ok(written) => rest = &rest[written..],
                Err(error) => {
                    let kept = batch.len() - rest.len();
                    self.keep(batch.split_off(kept));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn keep(&self, not_written: Vec<Pending>) {
        let mut pending = self.lock();
        for old in not_written {
            match pending.get_mut(&old.identity().token) {
                None => drop(pending.insert(old.identity().token, old)),
                Some(newer) => newer.add_older(old),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, Pending>> {
        // Each change of the map is a single assignment: a panic elsewhere leaves nothing half done.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn new(token: &Arc<Known>) -> Self {
        Self { token: Arc::clone(token), used: None, counting: None, counted: 0, refused: None }
    }

    fn identity(&self) -> &Identity {
        &self.token.identity
    }

    /// Counts at `known` from now on. A token that was forgotten and read again is counted anew.
    fn count_at(&mut self, known: &Arc<Known>) {
        if self.counting.as_ref().is_none_or(|before| !Arc::ptr_eq(before, known)) {
            self.stop_counting();
            self.counting = Some(Arc::clone(known));
        }
    }

    /// Takes over what was counted. The next use that is counted there is the first again, and notes the token anew.
    fn stop_counting(&mut self) {
        if let Some(known) = self.counting.take() {
            self.counted += known.uses.uncounted.swap(0, Ordering::Relaxed);
        }
    }

    fn add_older(&mut self, old: Self) {
        self.counted += old.counted;
        if self.used.is_none() {
            self.used = old.used;
        }
        self.refused = match (self.refused.take(), old.refused) {
            (Some((at, source, count)), Some((_, _, older))) => Some((at, source, count + older)),
            (newer, older) => newer.or(older),
        };
    }
}

/// First all tokens, then all entries of the log: whoever has written into an organization's log waits for nobody's token
/// any more. Returns how many were written: at least one, and not all if it takes long.
fn write(connection: &mut AnyConnection, batch: &[Pending]) -> Result<usize> {
    let (begun, mut written, mut entries) = (Instant::now(), 0, Vec::new());
    for Pending { token, used, counted, refused, .. } in batch {
        if written > 0 && begun.elapsed() > LONGEST {
            break;
        }
        written += 1;
        let identity = &token.identity;
        if let Some((at, source)) = used
            && tokens::note_use(connection, identity.token, *at, source)? == NotedUse::First
        {
            entries.push(entry(identity, Action::TokenFirstUsed, *at, 1, source));
        }
        if let (Some((at, _)), 1..) = (used, counted) {
            tokens::count_calls(connection, identity.token, *at, *counted)?;
        }
        if let Some((at, source, count)) = refused {
            tokens::note_refused(connection, identity.token, *count, *at, source)?;
            entries.push(entry(identity, Action::RevokedTokenRefused, *at, *count, source));
        }
    }
    activity::insert_all(connection, &entries)?;
    Ok(written)
}

/// An accepted use that is to be written at once.
pub struct Use {
    /// The token.
    pub known: Arc<Known>,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub source: Source,
}

/// Writes one accepted use, and into the activity log if it was the first.
///
/// # Errors
/// When the database fails.
pub fn write_use(connection: &mut AnyConnection, one: &Use) -> storage::Result<NotedUse> {
    let noted = tokens::note_use(connection, one.known.identity.token, one.at, &one.source)?;
    if noted == NotedUse::First {
        activity::insert(connection, &one.entry())?;
    }
    Ok(noted)
}

/// The same with several in one transaction, in the order in which batches are written.
///
/// # Errors
/// When the database fails.
pub fn write_uses(connection: &mut AnyConnection, uses: &[Use]) -> storage::Result<Vec<NotedUse>> {
    let mut order: Vec<(usize, &Use)> = uses.iter().enumerate().collect();
    order.sort_unstable_by_key(|(_, one)| (one.known.identity.organization, one.known.identity.token));
    let (mut noted, mut entries) = (Vec::with_capacity(uses.len()), Vec::new());
    for (place, one) in order {
        let done = tokens::note_use(connection, one.known.identity.token, one.at, &one.source)?;
        if done == NotedUse::First {
            entries.push(one.entry());
        }
        noted.push((place, done));
    }
    activity::insert_all(connection, &entries)?;
    noted.sort_unstable_by_key(|(place, _)| *place);
    Ok(noted.into_iter().map(|(_, done)| done).collect())
}

impl Use {
    fn entry(&self) -> activity::Entry<'_> {
        entry(&self.known.identity, Action::TokenFirstUsed, self.at, 1, &self.source)
    }
}

/// An entry about what a token did, under its subject's name.
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
        ..activity::Entry::new(Some(identity.organization), action, at, source)
    }
}
