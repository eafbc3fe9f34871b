//! The hot path: on whose behalf a key acts, and whether it may do what a request demands.
//!
//! Form and checksum → fresh epoch → digest → cache, or one indexed read → the decision of `domain::access` → a record
//! of the use. An acceptance may come from the cache. A refusal because the token has expired never does, since a use
//! on another node may have extended its life. Every protocol goes through [`Verifier::verify`].

mod batcher;
pub mod cache;
pub mod denied;
mod epoch;
pub mod freshness;
mod item_levels;
mod lookups;
pub mod metrics;
pub mod protected;
mod renewal;
pub mod usage;

use super::{
    Jeton, StartError,
    clock::{Clock, Moment},
};
use cache::{CachedToken, CommonAnswers, Invalidations};
use denied::{Denied, Unavailable};
use domain::{
    access::{Demand, Identity, Refusal, decide},
    activity::Source,
    time::Timestamp,
    token::{KeyDigest, Life, Pepper, kind_of_key},
};
use epoch::{EpochReader, LocalEpoch, SharedEpoch};
use item_levels::ItemLevels;
use lookups::Lookups;
use metrics::{Measured, Verifications};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use storage::{DatabaseUrl, Db, ServerLock};
use usage::{Usage, Uses};

/// A token that expires within this many seconds is accepted only after its use has been written to the database. This
/// is longer than uses stay in memory, so a token that was used never expires because the database lags behind.
const EXPIRY_MARGIN: i64 = 15 * 60;
/// How often one request evaluates a token: from the cache, from the database, and once more if it ended in between.
const TRIES: usize = 3;

/// An accepted token: the evidence that the verbs of the API require.
#[derive(Clone, Debug)]
pub struct Accepted {
    known: Arc<CachedToken>,
    /// Its life, including this use.
    life: Life,
    at: Timestamp,
}

impl Accepted {
    /// On whose behalf the token acts.
    pub fn identity(&self) -> &Identity {
        &self.known.identity
    }

    /// What answers about the subject's tokens have in common.
    pub fn answers(&self) -> &CommonAnswers {
        &self.known.subject.answers
    }

    /// When the key was created.
    pub fn issued_at(&self) -> Timestamp {
        self.life.created_at
    }

    /// Its life, including this use.
    pub(crate) fn life(&self) -> Life {
        self.life
    }

    /// When the token was accepted.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// When the token ends if this is its last use.
    pub fn expires_at(&self) -> Timestamp {
        let expires_at = self.life.expires_at();
        self.life.ends_at.map_or(expires_at, |ends_at| ends_at.min(expires_at))
    }
}

/// What the verifiers of all threads share.
pub struct Shared {
    db: Db,
    reader: EpochReader,
    usage: Usage,
    items: ItemLevels,
    /// The counts of each thread's verifier.
    counted: Mutex<Vec<Arc<Verifications>>>,
    database: Database,
}

/// Where tokens are looked up.
enum Database {
    /// SQLite: each thread reads the file over its own connection.
    File(PathBuf, Arc<ServerLock>),
    /// Postgres: all threads share batched connections.
    Server(Arc<Batchers>),
}

/// The connections to Postgres that only verification uses.
struct Batchers {
    epoch: SharedEpoch,
    lookups: Lookups,
}

impl Shared {
    /// Creates the shared state with an empty cache for `db`.
    ///
    /// # Errors
    /// When the system lacks something.
    pub fn new(db: Db, pepper: Pepper, clock: Clock) -> Result<Self, StartError> {
        let (took, freshness) = (Arc::default(), Arc::default());
        let reader = EpochReader { cache: Arc::default(), clock, pepper, took, freshness };
        let database = match db.address() {
            DatabaseUrl::Sqlite(file) => Database::File(file.clone(), ServerLock::beside(file).into()),
            DatabaseUrl::Postgres(_) => Database::Server(Arc::new(Batchers {
                epoch: SharedEpoch::start(db.address().clone(), reader.clone()).map_err(StartError::Threads)?,
                lookups: Lookups::start(db.address(), &reader.pepper, Arc::clone(&reader.cache)),
            })),
        };
        let items = ItemLevels::new(db.address().clone(), reader.pepper.clone());
        Ok(Self { db, reader, usage: Usage::default(), items, counted: Mutex::default(), database })
    }

    /// What the verifiers have counted, and the size of the cache.
    pub fn measured(&self) -> Measured {
        let (cached, cached_bytes) = self.reader.cache.size();
        let epoch = Some(self.reader.cache.epoch()).filter(|epoch| *epoch != i64::MIN);
        let mut measured =
            Measured { epoch, cached, cached_bytes, waiting: self.usage.waiting(), ..Measured::default() };
        measured.epoch_reads.add(&self.reader.took);
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.iter().for_each(|counted| measured.add(counted));
        measured
    }

    /// The uses that are not yet in the database.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Makes the next answer of this process need a new read of the epoch, as the process has changed authority.
    pub fn forget_freshness(&self) {
        self.reader.freshness.forget();
    }

    /// Waits until no node answers any more without a change that was committed by then, and that nodes may not see for so
    /// long. Then anybody may be told of it.
    pub async fn wait_until_seen(&self, committed: Instant, unseen_for: Duration) {
        // The only server of a SQLite database has forgotten already, and commands answer no requests.
        if !self.is_only_server() {
            tokio::time::sleep_until((committed + freshness::unseen(unseen_for)).into()).await;
        }
    }

    /// Whether this process is the only server of a SQLite database.
    pub fn is_only_server(&self) -> bool {
        matches!(&self.database, Database::File(_, lock) if lock.is_held())
    }

    /// Takes the lock of a SQLite database's only server, unless another server has it.
    pub fn take_server_lock(&self) {
        if let Database::File(_, lock) = &self.database {
            lock.take();
        }
    }

    /// Takes the changes of the cache since the last call ([`Invalidations`]).
    pub fn take_invalidations(&self) -> Invalidations {
        self.reader.cache.take_invalidations()
    }
}

/// Verifies keys on one thread.
pub struct Verifier {
    shared: Arc<Shared>,
    counted: Arc<Verifications>,
    backend: Backend,
}

/// Returns whether a use must be written to the database before the token is accepted: it would expire soon without.
fn must_be_written(known: &CachedToken, now: Timestamp) -> bool {
    let stored = known.life(known.uses.stored.load(Ordering::Relaxed));
    stored.expires_at().since(now) <= EXPIRY_MARGIN
}

/// When a request arrived, and an epoch that answers it.
#[derive(Clone, Copy)]
struct At {
    epoch: i64,
    arrived: Moment,
}

/// How a thread reads from the database.
enum Backend {
    /// SQLite: over the thread's own connection.
    Sqlite(Box<LocalEpoch>),
    /// Postgres: in batches, together with the other threads.
    Postgres(Arc<Batchers>),
}

impl Jeton {
    /// Creates a verifier for the calling thread.
    ///
    /// # Errors
    /// When the verifier's own connection cannot be opened.
    pub fn verifier(&self) -> Result<Verifier, Unavailable> {
        let backend = match &self.verifier.database {
            Database::File(file, lock) => {
                lock.take();
                let reader = self.verifier.reader.clone();
                Backend::Sqlite(LocalEpoch::open(file, Arc::clone(lock), reader)?.into())
            }
            Database::Server(batchers) => Backend::Postgres(Arc::clone(batchers)),
        };
        let (shared, counted) = (Arc::clone(&self.verifier), Arc::new(Verifications::default()));
        shared.counted.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&counted));
        Ok(Verifier { shared, counted, backend })
    }
}

impl Verifier {
    /// Decides whether a request with `key` that has just arrived may do what `demand` requires. `source` is called
    /// only when the use is recorded.
    ///
    /// # Errors
    /// [`Denied`] says which check refused, or that the token cannot be verified right now.
    pub async fn verify(
        &self,
        key: &str,
        demand: Demand,
        arrived: Moment,
        source: impl Fn() -> Source,
    ) -> Result<Accepted, Denied> {
        if let Some(accepted) = self.accept_from_memory(key, &demand, arrived, &source) {
            return Ok(accepted);
        }
        let decided = self.verify_uncounted(key, demand, arrived, source).await;
        self.counted.count(&decided);
        decided
    }

    /// Like [`Verifier::verify`], but only for a request that the node can accept at once: from memory, and without
    /// writing its use to the database. `None` says nothing about the token.
    pub fn accept_from_memory(
        &self,
        key: &str,
        demand: &Demand,
        arrived: Moment,
        source: impl Fn() -> Source,
    ) -> Option<Accepted> {
        kind_of_key(key).ok()?;
        let EpochReader { cache, clock, pepper, .. } = &self.shared.reader;
        if !self.may_answer_from_memory(arrived) {
            return None;
        }
        let known = cache.get(&pepper.digest(key))?;
        let now = clock.trusted_at(arrived).ok()?;
        let life = known.life(known.uses.last.load(Ordering::Relaxed));
        if decide(&known.identity, life, demand, now).is_err() || must_be_written(&known, now) {
            return None;
        }
        self.counted.known.count();
        self.counted.count(&Ok(()));
        Some(self.accept(known, now, source))
    }

    async fn verify_uncounted(
        &self,
        key: &str,
        demand: Demand,
        arrived: Moment,
        source: impl Fn() -> Source,
    ) -> Result<Accepted, Denied> {
        kind_of_key(key).map_err(|_| Denied::Malformed)?;
        let at = At { epoch: self.epoch(arrived).await?, arrived };
        self.verify_at(at, key, &demand, source).await
    }

    /// Like [`Verifier::verify`], with an epoch from [`Verifier::epoch`], and without counting.
    async fn verify_at(
        &self,
        at: At,
        key: &str,
        demand: &Demand,
        source: impl Fn() -> Source,
    ) -> Result<Accepted, Denied> {
        let digest = self.shared.reader.pepper.digest(key);
        let mut cached = self.shared.reader.cache.get(&digest).inspect(|_| self.counted.known.count());
        for _ in 0..TRIES {
            let is_fresh = cached.is_none();
            let known = match cached.take() {
                Some(known) => known,
                None => self.load(digest, at.epoch).await?.ok_or(Denied::Unknown)?,
            };
            if let Some(decided) = self.decide(&known, is_fresh, demand, at.arrived, &source).await? {
                return decided;
            }
        }
        Err(Denied::Unavailable(Unavailable("the token kept changing while it was read".into())))
    }

    /// Decides by the cached token; returns `None` if the token must be read again.
    async fn decide(
        &self,
        known: &Arc<CachedToken>,
        is_fresh: bool,
        demand: &Demand,
        arrived: Moment,
        source: &impl Fn() -> Source,
    ) -> Result<Option<Result<Accepted, Denied>>, Denied> {
        let now = self.shared.reader.clock.trusted_at(arrived)?;
        match decide(&known.identity, known.life(known.uses.last.load(Ordering::Relaxed)), demand, now) {
            Ok(()) => {}
            Err(Refusal::Expired(_)) if !is_fresh => return Ok(None),
            Err(refusal) => {
                if matches!(refusal, Refusal::Revoked(_)) {
                    self.shared.usage.refused(known, now, source());
                }
                return Ok(Some(Err(Denied::Refused(refusal))));
            }
        }
        if must_be_written(known, now) {
            if !self.write_use(known, now, source()).await? {
                return Ok(None);
            }
            known.uses.stored.fetch_max(now.seconds(), Ordering::Relaxed);
        }
        Ok(Some(Ok(self.accept(Arc::clone(known), now, source))))
    }

    /// Accepts a token and records the use.
    fn accept(&self, known: Arc<CachedToken>, now: Timestamp, source: impl Fn() -> Source) -> Accepted {
        let uses = &known.uses;
        // Recording the source once a second is enough, as lists show the newest second. Each use is counted.
        let is_first_to_count = uses.uncounted.fetch_add(1, Ordering::Relaxed) == 0;
        if uses.last.fetch_max(now.seconds(), Ordering::Relaxed) < now.seconds() || is_first_to_count {
            self.shared.usage.accepted(&known, now, source());
        }
        let life = known.life(now.seconds());
        Accepted { known, life, at: now }
    }

    /// Checks that this thread can verify tokens right now: the database answers in time, is not a standby, has not
    /// lost commits and belongs to the pepper, and the clock can be trusted.
    ///
    /// # Errors
    /// Why tokens cannot be verified.
    pub async fn check(&self) -> Result<(), Unavailable> {
        match &self.backend {
            Backend::Sqlite(local) => local.check(),
            Backend::Postgres(batchers) => batchers.epoch.check().await,
        }?;
        Ok(self.shared.reader.clock.trusted().map(drop)?)
    }

    /// Returns an epoch that no change has passed of which anybody was told before a request `arrived` ([`freshness`]).
    /// The cache has reached at least this epoch.
    async fn epoch(&self, arrived: Moment) -> Result<i64, Unavailable> {
        match self.may_answer_from_memory(arrived) {
            true => Ok(self.shared.reader.cache.epoch()),
            false => self.read_epoch().await,
        }
    }

    /// Returns whether the cache is fresh enough for a request that `arrived` then ([`freshness`]).
    fn may_answer_from_memory(&self, arrived: Moment) -> bool {
        let EpochReader { freshness, clock, .. } = &self.shared.reader;
        // While the clock is in doubt, each read may end the doubt.
        if !freshness.lasts(arrived) || clock.is_doubted() {
            return false;
        }
        if let Backend::Postgres(batchers) = &self.backend {
            batchers.epoch.renewal.used();
        }
        true
    }

    /// Returns the epoch from a read that began after this call. By then the cache has reached at least this epoch.
    pub(super) async fn read_epoch(&self) -> Result<i64, Unavailable> {
        match &self.backend {
            Backend::Sqlite(local) => local.read(),
            Backend::Postgres(batchers) => batchers.epoch.read().await,
        }
    }

    /// Reads a token from the database and caches it.
    async fn load(&self, digest: KeyDigest, epoch: i64) -> Result<Option<Arc<CachedToken>>, Unavailable> {
        let begun = Instant::now();
        let found = match &self.backend {
            Backend::Sqlite(local) => {
                let cache = &self.shared.reader.cache;
                let found = local.with_connection(|connection| lookups::tokens(connection, cache, &[digest]))?;
                found.into_iter().next().map(|(_, known)| known)
            }
            Backend::Postgres(batchers) => batchers.lookups.token(digest).await?,
        };
        self.counted.lookups.count(begun.elapsed());
        if let Some(known) = &found {
            self.shared.reader.cache.keep(digest, known, epoch);
        }
        Ok(found)
    }

    /// Writes a use to the database at once. Returns false if the token has ended according to the database.
    async fn write_use(&self, known: &Arc<CachedToken>, at: Timestamp, source: Source) -> Result<bool, Denied> {
        let one = Uses { known: Arc::clone(known), at, source, count: 0 };
        match &self.backend {
            Backend::Sqlite(_) => {
                let (db, uses) = (self.shared.db.clone(), [one]);
                let write = move || db.write(|connection| Ok(usage::write_at_once(connection, &uses)?));
                Ok(Jeton::blocking(write).await? == [true])
            }
            Backend::Postgres(lines) => Ok(lines.lookups.write_use(one).await?),
        }
    }
}
