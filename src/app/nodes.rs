//! This node among those on the same database: it sends heartbeats, and reports since when it certainly refuses a
//! revoked token.
//!
//! Refusing revoked tokens on every node does not depend on this: each decision needs an epoch that was read recently
//! enough ([`super::verify::freshness`]). The reports are the evidence for receipts ([`super::revocations`]). A heartbeat
//! reads the epoch itself, so that what a node reports is measured, also without requests. It reports the revocations that
//! the *previous* heartbeat had read: requests that began before that have been answered or have timed out, so the last
//! accepted use is final.
//!
//! On Postgres, a heartbeat writes one row. On SQLite, no other node needs to know whether this one is alive, so it
//! writes only when there is a revocation to report.

use super::{
    AppError, Jeton, Result, clock, random,
    verify::denied::Unavailable,
    verify::{Shared, Verifier, cache::Invalidations},
};
use domain::{
    time::Timestamp,
    token::{self, TokenId},
};
use std::{fs, mem, sync::Arc, sync::atomic::Ordering, time::Duration};
use storage::{
    AnyConnection, DatabaseUrl, epoch,
    nodes::{self, Node},
    revocations::{self, Refusing},
};
use tokio::sync::watch;

/// The time between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// The timeout of a heartbeat.
const LONGEST: Duration = Duration::from_secs(5);
/// After this many milliseconds without a heartbeat, a node no longer counts as alive.
pub const SILENCE: i64 = 10_000;

/// The identity of this node.
#[derive(Clone, Debug)]
pub struct ThisNode {
    /// A random id, chosen at the start.
    pub id: String,
    /// The name that receipts show.
    pub name: String,
}

impl ThisNode {
    /// Creates the identity of a node that starts now, named after its host and process.
    pub fn starting() -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("node");
        Self { id: token::public_id(random::fill), name: format!("{host}:{}", std::process::id()) }
    }
}

/// Sends the heartbeats of this node, from its start to its end.
pub struct Heartbeat {
    jeton: Arc<Jeton>,
    /// Opened by the first heartbeat that can open it.
    verifier: Option<Verifier>,
    invalidations: Invalidations,
    /// The epoch that the last heartbeat read.
    read: i64,
    /// The epoch up to which all revocations have been reported.
    told: i64,
    is_heard: bool,
}

impl Heartbeat {
    /// Registers this node before it serves its first request: so it has never accepted a token that was revoked
    /// before.
    pub async fn start(jeton: Arc<Jeton>) -> Self {
        let invalidations = Invalidations::default();
        let mut heartbeat =
            Self { jeton, verifier: None, invalidations, read: i64::MIN, told: i64::MIN, is_heard: true };
        heartbeat.beat_in_time().await;
        heartbeat
    }

    /// Sends heartbeats until the sender of `stopped` is dropped or sends, then deregisters this node.
    pub async fn run_until(&mut self, stopped: &mut watch::Receiver<()>) {
        let mut next = tokio::time::interval(BEAT);
        next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = next.tick() => self.beat_in_time().await,
                _ = stopped.changed() => break,
            }
        }
        // Without the database, there is nothing to deregister from.
        if self.is_heard
            && let Ok(Err(error)) = tokio::time::timeout(LONGEST, self.leave()).await
        {
            tracing::warn!(%error, "this node could not be deregistered, and is still listed");
        }
    }

    async fn beat_in_time(&mut self) {
        let beaten = match tokio::time::timeout(LONGEST, self.beat()).await {
            Ok(beaten) => beaten,
            Err(_) => Err(AppError::Broken(format!("no answer within {} s", LONGEST.as_secs()))),
        };
        if let Err(error) = &beaten
            && self.is_heard
        {
            tracing::warn!(%error, "the heartbeat of this node fails, so receipts cannot show what it refuses");
        }
        self.is_heard = beaten.is_ok();
    }

    async fn beat(&mut self) -> Result<()> {
        self.jeton.verifier.take_server_lock();
        if self.jeton.clock.trusted().is_err() {
            crate::clock::reconsider(&self.jeton).await?;
        }
        let epoch = self.epoch().await.map_err(|error| AppError::Broken(error.to_string()))?;
        if self.told == i64::MIN {
            register(&self.jeton, epoch).await?;
            (self.read, self.told) = (epoch, epoch);
        }
        self.take_invalidations();
        let until = mem::replace(&mut self.read, epoch);
        self.tell(until).await
    }

    async fn epoch(&mut self) -> std::result::Result<i64, Unavailable> {
        let verifier = match self.verifier.take() {
            Some(verifier) => verifier,
            None => self.jeton.verifier()?,
        };
        self.verifier.insert(verifier).read_epoch().await
    }

    /// Reports everything, as no requests are in progress any more, and deregisters this node.
    async fn leave(&mut self) -> Result<()> {
        self.read = self.epoch().await.map_err(|error| AppError::Broken(error.to_string()))?;
        self.take_invalidations();
        let until = self.read;
        self.tell(until).await?;
        let id = self.jeton.node.id.clone();
        self.jeton.write(move |connection| Ok(nodes::remove(connection, &id)?)).await
    }

    fn take_invalidations(&mut self) {
        let Invalidations { reached, forgotten } = self.jeton.verifier.take_invalidations();
        self.invalidations.reached.extend(reached);
        self.invalidations.forgotten.extend(forgotten);
    }

    /// Reports the revocations up to the epoch `until`, and that this node is alive.
    async fn tell(&mut self, until: i64) -> Result<()> {
        let (told, epoch) = (self.told, self.read);
        let is_shared = matches!(self.jeton.db.address(), DatabaseUrl::Postgres(_));
        let revoked = if told < until {
            self.jeton.read(move |connection| Ok(revocations::between(connection, told, until)?)).await?
        } else {
            Vec::new()
        };
        let refusing: Vec<_> = revoked.into_iter().map(|(key, epoch)| self.refusing(key, epoch)).collect();
        if is_shared || !refusing.is_empty() {
            let ThisNode { id, name } = self.jeton.node.clone();
            let tell = move |connection: &mut AnyConnection| {
                hear_from(connection, &id, &name, epoch)?;
                Ok(refusing.iter().try_for_each(|refusing| revocations::note_refusing(connection, refusing))?)
            };
            self.jeton.write(tell).await?;
        }
        self.told = until;
        self.invalidations.reached.retain(|(epoch, _)| *epoch > until);
        self.invalidations.forgotten.retain(|(epoch, _)| *epoch > until);
        Ok(())
    }

    fn refusing(&self, key: TokenId, revoked: i64) -> Refusing {
        let reached = self.invalidations.reached.iter().find(|(epoch, _)| *epoch >= revoked).copied();
        let (epoch, since) = reached.unwrap_or_else(|| (self.read, clock::milliseconds()));
        let ThisNode { id, name } = self.jeton.node.clone();
        let last_accepted_at = last_accepted(&self.jeton.verifier, &self.invalidations, key);
        Refusing { key, node_id: id, node_name: name, epoch, since, last_accepted_at }
    }
}

/// Returns when this node last accepted a key: by the cache entry that was dropped, and by the uses that are not yet in
/// the database.
fn last_accepted(verifier: &Shared, invalidations: &Invalidations, key: TokenId) -> Option<Timestamp> {
    let of_key = invalidations.forgotten.iter().filter(|(_, known)| known.identity.token == key);
    let known = of_key.map(|(_, known)| known.uses.last.load(Ordering::Relaxed)).max().filter(|last| *last > 0);
    let noted = verifier.usage().not_yet_counted(key).map(|(at, _)| at);
    known.map(Timestamp::from_seconds).max(noted)
}

fn hear_from(connection: &mut AnyConnection, id: &str, name: &str, epoch: i64) -> Result<()> {
    let now = now(connection)?;
    if !nodes::hear_from(connection, id, epoch, now)? {
        let (id, name) = (id.to_owned(), name.to_owned());
        nodes::insert(connection, &Node { id, name, came_at: now, first_epoch: epoch, seen_at: now, epoch })?;
    }
    Ok(())
}

/// Returns the current time by the database's clock, in milliseconds.
pub(super) fn now(connection: &mut AnyConnection) -> Result<i64> {
    Ok(epoch::reading(connection)?.time.unwrap_or_else(clock::milliseconds))
}

/// Registers this node. A SQLite database has only one, so any other node that is listed there has ended.
async fn register(jeton: &Jeton, epoch: i64) -> Result<()> {
    let ThisNode { id, name } = jeton.node.clone();
    let is_alone = matches!(jeton.db.address(), DatabaseUrl::Sqlite(_));
    jeton
        .write(move |connection| {
            if is_alone {
                nodes::forget(connection, i64::MAX, &id)?;
            }
            hear_from(connection, &id, &name, epoch)
        })
        .await
}
