//! What a node knows of tokens, and as of which epoch.
//!
//! The cache as a whole is true as of one epoch. Whoever reads a newer one brings the cache there first: it forgets the
//! keys that the steps between are about, or everything if they do not say. What was read from the database is kept only
//! if the cache has not moved on since, for nobody would tell it any more about a change in between.

use domain::{
    access::Identity,
    protected_api::ProtectedApi,
    time::Timestamp,
    token::{KeyDigest, Life},
};
use quick_cache::{Weighter, sync::Cache as Entries};
use std::{
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};
use storage::epoch::Touched;

/// Most bytes of what is known, a bit more than 100,000 tokens of the usual kind.
const BYTES: u64 = 52 << 20;
/// What a token usually takes, for the first size of the tables.
const USUAL: u64 = 500;
/// Most different texts that tokens share: sets of permissions, names of organizations.
const TEXTS: usize = 4_096;
/// Most steps and forgotten tokens that are kept for whoever tells of them.
const MOST_INVALIDATIONS: usize = 10_000;
/// Most protected APIs that are known, and ids that are none's.
const APIS: usize = 1_000;

/// What is known of a token, in one place: most of the time that a token takes is waiting for memory.
#[derive(Debug)]
pub struct CachedToken {
    /// Whom it speaks for.
    pub identity: Identity,
    /// Its life as the database told it.
    life: Life,
    /// The uses that this node has seen since.
    pub uses: UsesHere,
}

/// Uses of a token on this node.
#[derive(Debug)]
pub struct UsesHere {
    /// The newest that this node has accepted since it read the token, in seconds; 0 for none.
    pub last: AtomicI64,
    /// The newest that is in the database for certain, in seconds; 0 for none.
    pub stored: AtomicI64,
    /// How many are not yet counted in the database.
    pub uncounted: AtomicU64,
}

impl CachedToken {
    /// What the database told just now.
    pub fn new(identity: Identity, life: Life) -> Self {
        let stored = life.last_used_at.map_or(0, Timestamp::seconds);
        let uses = UsesHere { last: 0.into(), stored: stored.into(), uncounted: 0.into() };
        Self { identity, life, uses }
    }

    /// Its life with a use at `used` seconds in it.
    pub fn life(&self, used: i64) -> Life {
        let used = (used > 0).then(|| Timestamp::from_seconds(used));
        Life { last_used_at: used.max(self.life.last_used_at), ..self.life }
    }
}

/// What became of the cache as the epoch moved, until somebody has told of it ([`crate::nodes`]).
#[derive(Default)]
pub struct Invalidations {
    /// The epochs to which it was brought, and when each had been read, in milliseconds by the database's clock.
    pub reached: Vec<(i64, i64)>,
    /// The tokens that it forgot at which epoch.
    pub forgotten: Vec<(i64, Arc<CachedToken>)>,
}

/// The cache of a node.
pub struct Cache {
    entries: Entries<KeyDigest, Arc<CachedToken>, Bytes, BuildHasherDefault<FirstBytes>>,
    texts: Entries<Arc<str>, Arc<str>>,
    /// By public id; none where there is no such API.
    apis: Entries<Box<str>, Option<Arc<ProtectedApi>>>,
    epoch: AtomicI64,
    /// Held shared by whoever keeps something, alone by whoever moves the epoch; never across a wait.
    door: RwLock<()>,
    invalidations: Mutex<Invalidations>,
}

impl Default for Cache {
    /// One that knows nothing.
    fn default() -> Self {
        let usual = usize::try_from(BYTES / USUAL).unwrap_or_default();
        Self {
            entries: Entries::with(usual, BYTES, Bytes, BuildHasherDefault::default(), Default::default()),
            texts: Entries::new(TEXTS),
            apis: Entries::new(APIS),
            epoch: i64::MIN.into(),
            door: RwLock::default(),
            invalidations: Mutex::default(),
        }
    }
}

impl Cache {
    /// As of when it is true.
    pub fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// How many tokens are known, and the bytes that they take.
    pub fn size(&self) -> (u64, u64) {
        (self.entries.len().try_into().unwrap_or(u64::MAX), self.entries.weight())
    }

    /// What is known of a key.
    pub fn get(&self, digest: &KeyDigest) -> Option<Arc<CachedToken>> {
        self.entries.get(digest)
    }

    /// Keeps what the database told of a key after the epoch was read as `epoch`.
    pub fn keep(&self, digest: KeyDigest, known: &Arc<CachedToken>, epoch: i64) {
        let _open = self.door.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            self.entries.insert(digest, Arc::clone(known));
        }
    }

    /// What is known of a protected API: itself, or that there is none.
    pub fn api(&self, public_id: &str) -> Option<Option<Arc<ProtectedApi>>> {
        self.apis.get(public_id)
    }

    /// Keeps what the database told of a protected API after the epoch was read as `epoch`.
    pub fn keep_api(&self, public_id: &str, found: &Option<Arc<ProtectedApi>>, epoch: i64) {
        let _open = self.door.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            self.apis.insert(public_id.into(), found.clone());
        }
    }

    /// Makes it true as of `epoch`, which had been read `at`: the steps since [`Cache::epoch`] are about `touched`.
    pub fn bring_to(&self, epoch: i64, touched: &Touched, at: i64) {
        let _alone = self.door.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() >= epoch {
            return;
        }
        match touched {
            Touched::Everything => {
                self.entries.clear();
                self.apis.clear();
            }
            Touched::Keys(digests) => self.forget(digests, epoch),
        }
        let mut invalidations = self.invalidations();
        invalidations.reached.push((epoch, at));
        // Where nobody tells of them, as at the command line, they must not pile up.
        let (reached, forgotten) = (invalidations.reached.len(), invalidations.forgotten.len());
        invalidations.reached.drain(..reached.saturating_sub(MOST_INVALIDATIONS));
        invalidations.forgotten.drain(..forgotten.saturating_sub(MOST_INVALIDATIONS));
        drop(invalidations);
        self.epoch.store(epoch, Ordering::Release);
    }

    /// Forgets keys that a step to `epoch` is about.
    pub fn forget(&self, digests: &[KeyDigest], epoch: i64) {
        let known = digests.iter().filter_map(|digest| self.entries.remove(digest));
        self.invalidations().forgotten.extend(known.map(|(_, known)| (epoch, known)));
    }

    /// Takes what has invalidations since the last time.
    pub fn take_invalidations(&self) -> Invalidations {
        std::mem::take(&mut *self.invalidations())
    }

    fn invalidations(&self) -> std::sync::MutexGuard<'_, Invalidations> {
        self.invalidations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same identity with texts that other tokens have too, so that they are in memory once.
    pub fn share_texts(&self, mut identity: Identity) -> Identity {
        for text in [
            &mut identity.permission_keys,
            &mut identity.organization_public_id,
            &mut identity.organization_slug,
            &mut identity.organization_name,
        ] {
            match self.texts.get(&**text) {
                Some(shared) => *text = shared,
                None => self.texts.insert(Arc::clone(text), Arc::clone(text)),
            }
        }
        identity
    }
}

/// Weighs by bytes: the structs, their texts, and what the table and the allocator add.
#[derive(Clone)]
struct Bytes;

impl Weighter<KeyDigest, Arc<CachedToken>> for Bytes {
    fn weight(&self, _: &KeyDigest, known: &Arc<CachedToken>) -> u64 {
        const FIXED: usize = size_of::<CachedToken>() + size_of::<KeyDigest>() + 100;
        let Identity { token_public_id, label, subject, .. } = &known.identity;
        let texts =
            [token_public_id, label, &subject.name, &subject.display_name].map(|text| text.len().next_multiple_of(16));
        (FIXED + texts.iter().sum::<usize>()) as u64
    }
}

/// A digest is as good as random: its first bytes are its hash.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
