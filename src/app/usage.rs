//! Uses of tokens on their way to the database: in memory, the newest wins, one batch at most every minute.
//!
//! A request does not write. What a token's row says of its last use is at most a minute behind, and a token close to its
//! expiry is written at once by [`super::verify`], so that being behind never expires a token that was used (V16).

use super::{AppError, Result};
use crate::{
    domain::{
        access::Identity,
        activity::{Action, Source},
        time::Timestamp,
        token::{Life, TokenId},
    },
    storage::{
        AnyConnection, Db, activity,
        tokens::{self, LastUse, NotedUse},
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is known of a token and not yet in the database.
struct Pending {
    identity: Arc<Identity>,
    /// The newest accepted use.
    used: Option<(Timestamp, Source)>,
    /// The newest refused use of the revoked token, and how many there were.
    refused: Option<(Timestamp, Source, i64)>,
}

/// The uses that are not yet in the database.
#[derive(Default)]
pub struct Usage {
    pending: Mutex<HashMap<TokenId, Pending>>,
}

impl Usage {
    /// Notes an accepted use.
    pub fn accepted(&self, identity: &Arc<Identity>, at: Timestamp, source: Source) {
        self.note(identity, |pending| {
            if pending.used.as_ref().is_none_or(|(before, _)| *before <= at) {
                pending.used = Some((at, source));
            }
        });
    }

    /// Notes a refused use of a revoked token.
    pub fn refused(&self, identity: &Arc<Identity>, at: Timestamp, source: Source) {
        self.note(identity, |pending| {
            let before = pending.refused.as_ref().map_or(0, |(_, _, count)| *count);
            pending.refused = Some((at, source, before + 1));
        });
    }

    fn note(&self, identity: &Arc<Identity>, note: impl FnOnce(&mut Pending)) {
        let mut pending = self.lock();
        let fresh = || Pending { identity: Arc::clone(identity), used: None, refused: None };
        note(pending.entry(identity.token).or_insert_with(fresh));
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

    /// Writes everything to the database in one transaction. On an error it is kept for the next time.
    pub fn flush(&self, db: &Db) -> Result<()> {
        let batch = std::mem::take(&mut *self.lock());
        if batch.is_empty() {
            return Ok(());
        }
        let written = db.write::<_, AppError>(|connection| write(connection, &in_order(&batch)));
        if written.is_err() {
            let mut pending = self.lock();
            for (id, old) in batch {
                match pending.get_mut(&id) {
                    None => drop(pending.insert(id, old)),
                    Some(newer) => newer.add_older(old),
                }
            }
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, Pending>> {
        // Each change of the map is a single assignment: a panic elsewhere leaves nothing half done.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn add_older(&mut self, old: Self) {
        if self.used.is_none() {
            self.used = old.used;
        }
        self.refused = match (self.refused.take(), old.refused) {
            (Some((at, source, count)), Some((_, _, older))) => Some((at, source, count + older)),
            (newer, older) => newer.or(older),
        };
    }
}

/// In the order of organizations and tokens, so that two nodes that write at once never wait for each other in a ring.
fn in_order(batch: &HashMap<TokenId, Pending>) -> Vec<&Pending> {
    let mut pending: Vec<&Pending> = batch.values().collect();
    pending.sort_unstable_by_key(|pending| (pending.identity.organization, pending.identity.token));
    pending
}

/// First all tokens, then all entries of the log: whoever has written into an organization's log waits for nobody's token
/// any more.
fn write(connection: &mut AnyConnection, batch: &[&Pending]) -> Result<()> {
    let mut entries = Vec::new();
    for Pending { identity, used, refused } in batch {
        if let Some((at, source)) = used
            && tokens::note_use(connection, identity.token, *at, source)? == NotedUse::First
        {
            entries.push(entry(identity, Action::TokenFirstUsed, *at, 1, source));
        }
        if let Some((at, source, count)) = refused {
            tokens::note_refused(connection, identity.token, *count, *at, source)?;
            entries.push(entry(identity, Action::RevokedTokenRefused, *at, *count, source));
        }
    }
    Ok(activity::insert_all(connection, &entries)?)
}

/// Writes one accepted use, and into the activity log if it was the first.
pub fn write_use(
    connection: &mut AnyConnection,
    identity: &Identity,
    at: Timestamp,
    source: &Source,
) -> Result<NotedUse> {
    let noted = tokens::note_use(connection, identity.token, at, source)?;
    if noted == NotedUse::First {
        activity::insert(connection, &entry(identity, Action::TokenFirstUsed, at, 1, source))?;
    }
    Ok(noted)
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
