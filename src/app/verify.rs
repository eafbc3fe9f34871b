//! The hot path: whom a key speaks for, and whether it may do what a request demands.
//!
//! Form and checksum → digest → fresh epoch → cache, or one indexed read → the decision of `domain::access` → a note of
//! the use. A yes may come from the cache; a no about the token's life never does, since a use on another node may have
//! prolonged it. Every protocol goes through [`Verifier::verify`].

mod batcher;
pub mod cache;
pub mod denied;
mod epoch;
mod lookups;
pub mod metrics;
pub mod protected;
pub mod usage;

use super::{Jeton, clock::Clock};
use cache::{CachedToken, Invalidations};
use denied::{Denied, Unavailable};
use domain::{
    access::{Demand, Identity, Refusal, decide},
    activity::Source,
    time::Timestamp,
    token::{KeyDigest, Life, Pepper, TokenKind, kind_of_key},
};
use epoch::{EpochReader, LocalEpoch, SharedEpoch};
use lookups::Lookups;
use metrics::{Measured, Verifications};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Instant,
};
use storage::{DatabaseUrl, Db, tokens};
use usage::{Usage, Uses};

/// Seconds before its expiry at which a token's use is written down before it is accepted. Longer than uses are kept in
/// memory, so what the database says is never so far behind that it would expire a token that was used.
const EXPIRY_MARGIN: i64 = 15 * 60;
/// How often a token is looked at for one request: from the cache, from the database, and once more if it ended just then.
const TRIES: usize = 3;

/// A token that was accepted: the proof that API verbs ask for.
#[derive(Clone, Debug)]
pub struct Accepted {
    known: Arc<CachedToken>,
    /// Its life with this use in it.
    life: Life,
    at: Timestamp,
}

impl Accepted {
    /// Whom it speaks for.
    pub fn identity(&self) -> &Identity {
        &self.known.identity
    }

    /// When its key was made.
    pub fn issued_at(&self) -> Timestamp {
        self.life.created_at
    }

    /// When it was accepted.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// When it would end if this were its last use.
    pub fn expires_at(&self) -> Timestamp {
        let expires_at = self.life.expires_at();
        self.life.ends_at.map_or(expires_at, |ends_at| ends_at.min(expires_at))
    }
}

/// What all threads share.
pub struct Shared {
    db: Db,
    reader: EpochReader,
    usage: Usage,
    /// What the verifiers of the threads count.
    counted: Mutex<Vec<Arc<Verifications>>>,
    database: Database,
}

/// Where tokens are found.
enum Database {
    /// SQLite: each thread reads by itself.
    File(PathBuf),
    /// Postgres.
    Server(Arc<Batchers>),
}

/// What stands between a node and a Postgres: connections that nothing else uses.
struct Batchers {
    epoch: SharedEpoch,
    lookups: Lookups,
}

impl Shared {
    /// An empty cache in front of `db`.
    pub fn new(db: Db, pepper: Pepper, clock: Clock) -> Self {
        let reader = EpochReader { cache: Arc::default(), clock, pepper, took: Arc::default() };
        let database = match db.address() {
            DatabaseUrl::Sqlite(file) => Database::File(file.clone()),
            DatabaseUrl::Postgres(_) => Database::Server(Arc::new(Batchers {
                epoch: SharedEpoch::start(db.address().clone(), reader.clone()),
                lookups: Lookups::start(db.address(), &reader.pepper),
            })),
        };
        Self { db, reader, usage: Usage::default(), counted: Mutex::default(), database }
    }

    /// What the verifiers counted, and what they have in memory.
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

    /// What became of the cache as the epoch moved, since the last time.
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

/// How a thread asks the database.
enum Backend {
    /// SQLite, by itself.
    Sqlite(Box<LocalEpoch>),
    /// Postgres, together with the other threads.
    Postgres(Arc<Batchers>),
}

impl Jeton {
    /// A verifier for the calling thread.
    ///
    /// # Errors
    /// When its own connection cannot be opened.
    pub fn verifier(&self) -> Result<Verifier, Unavailable> {
        let backend = match &self.verifier.database {
            Database::File(file) => Backend::Sqlite(LocalEpoch::open(file, self.verifier.reader.clone())?.into()),
            Database::Server(lines) => Backend::Postgres(Arc::clone(lines)),
        };
        let (shared, counted) = (Arc::clone(&self.verifier), Arc::new(Verifications::default()));
        shared.counted.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&counted));
        Ok(Verifier { shared, counted, backend })
    }
}

impl Verifier {
    /// Decides about a request that came with `key` and demands `demand`. `source` is asked only when the use is noted.
    ///
    /// # Errors
    /// [`Denied`] says which link said no, or that nothing can be said.
    pub async fn verify(&self, key: &str, demand: Demand, source: impl Fn() -> Source) -> Result<Accepted, Denied> {
        let decided = self.verify_uncounted(key, demand, source).await;
        self.counted.count(&decided);
        decided
    }

    async fn verify_uncounted(
        &self,
        key: &str,
        demand: Demand,
        source: impl Fn() -> Source,
    ) -> Result<Accepted, Denied> {
        let kind = kind_of_key(key).map_err(|_| Denied::Malformed)?;
        let epoch = self.epoch().await?;
        self.verify_at(epoch, kind, key, demand, source).await
    }

    /// The same with an epoch that was read after the request arrived.
    async fn verify_at(
        &self,
        epoch: i64,
        kind: TokenKind,
        key: &str,
        demand: Demand,
        source: impl Fn() -> Source,
    ) -> Result<Accepted, Denied> {
        let digest = self.shared.reader.pepper.digest(key);
        let mut cached = self.shared.reader.cache.get(&digest).inspect(|_| self.counted.known.count());
        for _ in 0..TRIES {
            let is_fresh = cached.is_none();
            let known = match cached.take() {
                Some(known) => known,
                None => self.load(kind, digest, epoch).await?.ok_or(Denied::Unknown)?,
            };
            if let Some(decided) = self.decide(&known, is_fresh, demand, &source).await? {
                return decided;
            }
        }
        Err(Denied::Unavailable(Unavailable("the token kept changing while it was read".into())))
    }

    /// The answer that `known` gives, or none if the token has to be read again.
    async fn decide(
        &self,
        known: &Arc<CachedToken>,
        is_fresh: bool,
        demand: Demand,
        source: &impl Fn() -> Source,
    ) -> Result<Option<Result<Accepted, Denied>>, Denied> {
        let now = self.shared.reader.clock.trusted()?;
        let uses = &known.uses;
        match decide(&known.identity, known.life(uses.last.load(Ordering::Relaxed)), demand, now) {
            Ok(()) => {}
            Err(Refusal::Expired(_)) if !is_fresh => return Ok(None),
            Err(refusal) => {
                if matches!(refusal, Refusal::Revoked(_)) {
                    self.shared.usage.refused(known, now, source());
                }
                return Ok(Some(Err(Denied::Refused(refusal))));
            }
        }
        let stored = known.life(uses.stored.load(Ordering::Relaxed));
        if stored.expires_at().since(now) <= EXPIRY_MARGIN {
            if !self.write_use(known, now, source()).await? {
                return Ok(None);
            }
            uses.stored.fetch_max(now.seconds(), Ordering::Relaxed);
        }
        // Who is noted once a second is enough: the newest second is what lists show. Each use is counted.
        let is_first_to_count = uses.uncounted.fetch_add(1, Ordering::Relaxed) == 0;
        if uses.last.fetch_max(now.seconds(), Ordering::Relaxed) < now.seconds() || is_first_to_count {
            self.shared.usage.accepted(known, now, source());
        }
        let life = known.life(now.seconds());
        Ok(Some(Ok(Accepted { known: Arc::clone(known), life, at: now })))
    }

    /// Whether this thread can say yes and no about tokens at this moment: the database answers in time, is no standby, has
    /// not lost commits, and is the one to which the pepper belongs; and the clock is to be believed.
    ///
    /// # Errors
    /// Why nothing can be said.
    pub async fn check(&self) -> Result<(), Unavailable> {
        match &self.backend {
            Backend::Sqlite(local) => local.check(),
            Backend::Postgres(lines) => lines.epoch.check().await,
        }?;
        Ok(self.shared.reader.clock.trusted().map(drop)?)
    }

    /// The epoch, by a read that began after this call; the cache is at least there.
    pub(super) async fn epoch(&self) -> Result<i64, Unavailable> {
        match &self.backend {
            Backend::Sqlite(local) => local.read(),
            Backend::Postgres(lines) => lines.epoch.read().await,
        }
    }

    /// Reads a token from the database and keeps what it says for the requests that follow.
    async fn load(
        &self,
        kind: TokenKind,
        digest: KeyDigest,
        epoch: i64,
    ) -> Result<Option<Arc<CachedToken>>, Unavailable> {
        let begun = Instant::now();
        let found = match &self.backend {
            Backend::Sqlite(local) => {
                local.with_connection(|connection| tokens::identity(connection, kind, &digest))?
            }
            Backend::Postgres(lines) => lines.lookups.token(kind, digest).await?,
        };
        self.counted.lookups.count(begun.elapsed());
        Ok(found.map(|(identity, life)| {
            let known = Arc::new(CachedToken::new(self.shared.reader.cache.share_texts(identity), life));
            self.shared.reader.cache.keep(digest, &known, epoch);
            known
        }))
    }

    /// Writes a use down at once. Returns false when the database says that the token has ended.
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
