//! The cache of a node: tokens and protected APIs, as of one epoch.
//!
//! The cache as a whole is valid for one epoch. A thread that reads a newer epoch first brings the cache up to it: the
//! cache drops the keys that the changes in between affect, or everything if the changes do not name keys. A token that
//! was read from the database is cached only if the cache has not moved to another epoch since: otherwise it would miss
//! a change in between.

use domain::{
    access::{Held, Identity, Subject},
    protected_api::ProtectedApi,
    time::Timestamp,
    token::{KeyDigest, Life, Scope},
};
use quick_cache::{Weighter, sync::Cache as Entries};
use std::{
    any::Any,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};
use storage::epoch::{Reading, Touched};

/// The maximum size of the cached tokens in bytes: a little more than 100,000 typical tokens.
const BYTES: u64 = 52 << 20;
/// The bytes of a typical token, for the initial size of the tables.
const USUAL: u64 = 500;
/// The maximum number of subjects that tokens share.
const SUBJECTS: usize = 20_000;
/// The maximum number of sets of permissions that subjects share.
const HELD: usize = 1_000;
/// The maximum number of epochs, and of dropped tokens, that are kept until the heartbeat reports them.
const MOST_INVALIDATIONS: usize = 10_000;
/// The maximum number of cached protected APIs, including ids that belong to none.
const APIS: usize = 1_000;

/// A cached token, in one allocation: most of the time that a token takes is spent waiting for memory.
#[derive(Debug)]
pub struct CachedToken {
    /// Whom it speaks for.
    pub identity: Identity,
    /// What answers about the subject's tokens have in common.
    pub answers: Arc<CommonAnswers>,
    /// Its life as read from the database.
    life: Life,
    /// Its uses on this node since then.
    pub uses: UsesHere,
}

/// Uses of a token on this node.
#[derive(Debug)]
pub struct UsesHere {
    /// When this node last accepted the token since it read it, in seconds; 0 for never.
    pub last: AtomicI64,
    /// The newest use that is certainly in the database, in seconds; 0 for none.
    pub stored: AtomicI64,
    /// How many uses are not yet counted in the database.
    pub uncounted: AtomicU64,
}

/// What a protocol answers about each token of a subject, made once for each scope and kept ready. If the subject changes,
/// its tokens get another one.
#[derive(Default)]
pub struct CommonAnswers([OnceLock<Box<dyn Any + Send + Sync>>; Scope::ALL.len()]);

impl CommonAnswers {
    /// Returns what was made for tokens with this scope; makes it first if there is none. `None` if another protocol has
    /// kept something else.
    pub fn get_or_make<T: Any + Send + Sync>(&self, scope: Scope, make: impl FnOnce() -> T) -> Option<&T> {
        let [read, read_write] = &self.0;
        let kept = match scope {
            Scope::ReadOnly => read,
            Scope::ReadWrite => read_write,
        };
        kept.get_or_init(|| Box::new(make())).downcast_ref()
    }
}

impl fmt::Debug for CommonAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommonAnswers(…)")
    }
}

impl CachedToken {
    /// Creates an entry from what was just read from the database.
    fn new(identity: Identity, life: Life, answers: Arc<CommonAnswers>) -> Self {
        let stored = life.last_used_at.map_or(0, Timestamp::seconds);
        let uses = UsesHere { last: 0.into(), stored: stored.into(), uncounted: 0.into() };
        Self { identity, answers, life, uses }
    }

    /// Returns its life, including a use at `used` seconds.
    pub fn life(&self, used: i64) -> Life {
        let used = (used > 0).then(|| Timestamp::from_seconds(used));
        Life { last_used_at: used.max(self.life.last_used_at), ..self.life }
    }
}

/// What changed in the cache as the epoch moved, until the heartbeat reports it ([`crate::nodes`]).
#[derive(Default)]
pub struct Invalidations {
    /// The epochs that the cache reached, and when each was read, in milliseconds by the database's clock.
    pub reached: Vec<(i64, i64)>,
    /// The epoch at which each token was dropped, and the token.
    pub forgotten: Vec<(i64, Arc<CachedToken>)>,
}

/// The cache of a node.
pub struct Cache {
    entries: Entries<KeyDigest, Arc<CachedToken>, Bytes, BuildHasherDefault<FirstBytes>>,
    /// By name.
    subjects: Entries<String, (Arc<Subject>, Arc<CommonAnswers>)>,
    /// By the keys of the permissions.
    held: Entries<String, Arc<Held>>,
    /// By public id; `None` where there is no such API.
    apis: Entries<Box<str>, Option<Arc<ProtectedApi>>>,
    epoch: AtomicI64,
    /// The mark of the epoch. Locked as shared while an entry is added, exclusively while the epoch moves; never held
    /// across an `await`.
    mark: RwLock<i64>,
    invalidations: Mutex<Invalidations>,
}

impl Default for Cache {
    /// Creates an empty cache.
    fn default() -> Self {
        let usual = usize::try_from(BYTES / USUAL).unwrap_or_default();
        Self {
            entries: Entries::with(usual, BYTES, Bytes, BuildHasherDefault::default(), Default::default()),
            subjects: Entries::new(SUBJECTS),
            held: Entries::new(HELD),
            apis: Entries::new(APIS),
            epoch: i64::MIN.into(),
            mark: RwLock::default(),
            invalidations: Mutex::default(),
        }
    }
}

impl Cache {
    /// The epoch for which the cache is valid; `i64::MIN` before the first read.
    pub fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The epoch for which the cache is valid, and its mark.
    pub fn epoch_and_mark(&self) -> (i64, i64) {
        let mark = self.mark.read().unwrap_or_else(PoisonError::into_inner);
        (self.epoch(), *mark)
    }

    /// The number of cached tokens, and their size in bytes.
    pub fn size(&self) -> (u64, u64) {
        (self.entries.len().try_into().unwrap_or(u64::MAX), self.entries.weight())
    }

    /// Returns the cached token with this key.
    pub fn get(&self, digest: &KeyDigest) -> Option<Arc<CachedToken>> {
        self.entries.get(digest)
    }

    /// Caches a token that was read after the epoch was read as `epoch`.
    pub fn keep(&self, digest: KeyDigest, known: &Arc<CachedToken>, epoch: i64) {
        let _shared = self.mark.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            self.entries.insert(digest, Arc::clone(known));
        }
    }

    /// Returns a cached protected API; `Some(None)` if it is known that there is none.
    pub fn api(&self, public_id: &str) -> Option<Option<Arc<ProtectedApi>>> {
        self.apis.get(public_id)
    }

    /// Caches a protected API, or that there is none, read after the epoch was read as `epoch`.
    pub fn keep_api(&self, public_id: &str, found: &Option<Arc<ProtectedApi>>, epoch: i64) {
        let _shared = self.mark.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            self.apis.insert(public_id.into(), found.clone());
        }
    }

    /// Brings the cache up to this epoch, which was read at `at`: the changes since [`Cache::epoch`] affect `touched`.
    pub fn bring_to(&self, Reading { epoch, mark, .. }: Reading, touched: &Touched, at: i64) {
        let mut known_mark = self.mark.write().unwrap_or_else(PoisonError::into_inner);
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
        // Without a heartbeat, as in commands, they must not pile up.
        let (reached, forgotten) = (invalidations.reached.len(), invalidations.forgotten.len());
        invalidations.reached.drain(..reached.saturating_sub(MOST_INVALIDATIONS));
        invalidations.forgotten.drain(..forgotten.saturating_sub(MOST_INVALIDATIONS));
        drop(invalidations);
        *known_mark = mark;
        self.epoch.store(epoch, Ordering::Release);
    }

    /// Drops the keys that the change at `epoch` affects.
    pub fn forget(&self, digests: &[KeyDigest], epoch: i64) {
        let known = digests.iter().filter_map(|digest| self.entries.remove(digest));
        self.invalidations().forgotten.extend(known.map(|(_, known)| (epoch, known)));
    }

    /// Takes the invalidations since the last call.
    pub fn take_invalidations(&self) -> Invalidations {
        std::mem::take(&mut *self.invalidations())
    }

    fn invalidations(&self) -> std::sync::MutexGuard<'_, Invalidations> {
        self.invalidations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was just read from the database about a token, as it is cached. Tokens of a subject share what they
    /// have in common, which saves memory.
    pub fn token(&self, mut identity: Identity, life: Life) -> CachedToken {
        let answers = match self.subjects.get(&identity.subject.name) {
            Some((subject, answers)) if subject == identity.subject => {
                identity.subject = subject;
                answers
            }
            _ => {
                let answers = Arc::default();
                self.share_held(&mut identity.subject);
                let shared = (Arc::clone(&identity.subject), Arc::clone(&answers));
                self.subjects.insert(identity.subject.name.clone(), shared);
                answers
            }
        };
        CachedToken::new(identity, life, answers)
    }
}

impl Cache {
    /// Lets a subject share its permissions with others that hold the same: their texts are longer than all the rest.
    fn share_held(&self, subject: &mut Arc<Subject>) {
        let Some(subject) = Arc::get_mut(subject) else { return };
        match self.held.get(&subject.held.keys) {
            Some(held) if held == subject.held => subject.held = held,
            _ => self.held.insert(subject.held.keys.clone(), Arc::clone(&subject.held)),
        }
    }
}

/// Weighs entries in bytes: the structs, their texts, and the overhead of the table and the allocator.
#[derive(Clone)]
struct Bytes;

impl Weighter<KeyDigest, Arc<CachedToken>> for Bytes {
    fn weight(&self, _: &KeyDigest, known: &Arc<CachedToken>) -> u64 {
        const FIXED: usize = size_of::<CachedToken>() + size_of::<KeyDigest>() + 100;
        let Identity { token_public_id, label, .. } = &known.identity;
        let texts = [token_public_id, label].map(|text| text.len().next_multiple_of(16));
        (FIXED + texts.iter().sum::<usize>()) as u64
    }
}

/// Uses the first bytes of a digest as its hash, as digests are as good as random.
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        access::SubjectOrganization,
        organization::OrganizationId,
        permission::{OwnPermissions, Permissions},
        token::{InactivityExpiry, TokenId, TokenKind},
    };

    const LIFE: Life = Life {
        created_at: Timestamp::from_seconds(0),
        last_used_at: None,
        revoked_at: None,
        expired_at: None,
        inactivity: InactivityExpiry::Days45,
        ends_at: None,
    };

    /// Returns what the database says about a token of this subject, in an organization that has added `known`.
    fn read(subject: &str, known: &str) -> Identity {
        let known = OwnPermissions::parse(known);
        let subject = Subject {
            user: None,
            name: subject.into(),
            display_name: subject.into(),
            is_active: true,
            held: Held::new(Permissions::everything(&known), known).into(),
            organization: SubjectOrganization {
                id: OrganizationId(1),
                public_id: "3f9c0a71be".into(),
                slug: "croix-bleue".into(),
                name: "Croix-Bleue".into(),
            },
        };
        Identity {
            token: TokenId(1),
            token_public_id: "k7m2q9xd4t".into(),
            label: "Power BI".into(),
            kind: TokenKind::Personal,
            scope: Scope::ReadWrite,
            subject: subject.into(),
        }
    }

    #[test]
    fn subjects_who_may_do_the_same_share_its_texts() {
        let cache = Cache::default();
        let held = |subject: &str, known: &str| {
            let token = cache.token(read(subject, known), LIFE);
            Arc::as_ptr(&token.identity.subject.held)
        };
        for known in ["", "invoices.approve invoices.view:r"] {
            assert_eq!(held("membership:1", known), held("membership:2", known), "{known}");
        }
        // The same keys in an organization where one of them reads are not the same.
        let turned = cache.token(read("membership:3", "invoices.approve:r invoices.view:r"), LIFE);
        assert!(turned.identity.subject.held.keys_to_read.ends_with("invoices.approve invoices.view"));
        let before = cache.token(read("membership:1", "invoices.approve invoices.view:r"), LIFE);
        assert!(!before.identity.subject.held.keys_to_read.contains("approve"));
    }
}
