//! The cache of a node: tokens and protected APIs, as of one epoch.
//!
//! The cache as a whole is valid for one epoch. A thread that reads a newer epoch first brings the cache up to it: the
//! cache drops the keys that the changes in between affect, or everything if the changes do not name keys. A token that
//! was read from the database is cached only if the cache has not moved to another epoch since: otherwise it would miss
//! a change in between.

use domain::{
    access::{Held, Identity, Subject, SubjectId, SubjectOrganization},
    protected_api::ProtectedApi,
    time::Timestamp,
    token::{KeyDigest, Life, Scope},
};
use quick_cache::{DefaultHashBuilder, Lifecycle, Weighter, sync::Cache as Entries};
use std::{
    any::Any,
    convert::Infallible,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};
use storage::{
    epoch::{Fact, Reading, Touched},
    tokens::Key,
};

/// The maximum size of the cached tokens in bytes: a little more than 100,000 typical tokens.
const BYTES: u64 = 52 << 20;
/// The bytes of a typical token, for the initial size of the tables.
const USUAL: u64 = 500;
/// The maximum size of the cached subjects in bytes, without the permissions that they share.
const SUBJECT_BYTES: u64 = 24 << 20;
/// The bytes of a typical subject.
const USUAL_SUBJECT: u64 = 800;
/// The maximum number of sets of permissions that subjects share.
const HELD: usize = 1_000;
/// The maximum number of epochs, and of dropped tokens, that are kept until the heartbeat reports them.
const MOST_INVALIDATIONS: usize = 10_000;
/// The maximum number of cached protected APIs, including ids that belong to none.
const APIS: usize = 1_000;

/// A cached subject, which its cached tokens share.
#[derive(Debug)]
pub struct CachedSubject {
    /// What it may do.
    pub subject: Arc<Subject>,
    /// What answers about its tokens have in common.
    pub answers: CommonAnswers,
    /// Whether it may have changed since, so that its tokens must be read again.
    is_forgotten: AtomicBool,
}

impl From<Subject> for CachedSubject {
    /// Creates an entry from what was just read from the database.
    fn from(subject: Subject) -> Self {
        Self { subject: subject.into(), answers: CommonAnswers::default(), is_forgotten: false.into() }
    }
}

impl CachedSubject {
    fn forget(&self) {
        self.is_forgotten.store(true, Ordering::Release);
    }
}

/// A cached token, in one allocation: most of the time that a token takes is spent waiting for memory.
#[derive(Debug)]
pub struct CachedToken {
    /// Whom it speaks for.
    pub identity: Identity,
    /// Its subject, as cached.
    pub subject: Arc<CachedSubject>,
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
    /// Creates an entry for a key that was just read from the database.
    pub fn new(key: Key, subject: Arc<CachedSubject>) -> Self {
        let (identity, life) = key.identity(Arc::clone(&subject.subject));
        let stored = life.last_used_at.map_or(0, Timestamp::seconds);
        let uses = UsesHere { last: 0.into(), stored: stored.into(), uncounted: 0.into() };
        Self { identity, subject, life, uses }
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
    subjects: Entries<SubjectId, Arc<CachedSubject>, Bytes, DefaultHashBuilder, Forget>,
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
        let number = |bytes: u64, of_one: u64| usize::try_from(bytes / of_one).unwrap_or_default();
        let (usual, usual_subjects) = (number(BYTES, USUAL), number(SUBJECT_BYTES, USUAL_SUBJECT));
        Self {
            entries: Entries::with(usual, BYTES, Bytes, BuildHasherDefault::default(), Default::default()),
            subjects: Entries::with(usual_subjects, SUBJECT_BYTES, Bytes, Default::default(), Forget),
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

    /// Returns the cached token with this key, if its subject has not been forgotten.
    pub fn get(&self, digest: &KeyDigest) -> Option<Arc<CachedToken>> {
        self.entries.get(digest).filter(|known| !known.subject.is_forgotten.load(Ordering::Acquire))
    }

    /// Caches a token that was read after the epoch was read as `epoch`.
    pub fn keep(&self, digest: KeyDigest, known: &Arc<CachedToken>, epoch: i64) {
        let _shared = self.mark.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            // Its subject was forgotten; when it was last accepted here is still true.
            if let Some(before) = self.entries.peek(&digest) {
                known.uses.last.fetch_max(before.uses.last.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            self.entries.insert(digest, Arc::clone(known));
        }
    }

    /// Returns a cached subject.
    pub fn subject(&self, id: SubjectId) -> Option<Arc<CachedSubject>> {
        self.subjects.get(&id)
    }

    /// Caches a subject that was read after the epoch was read as `epoch`. Returns it, or the one that is cached
    /// already: all cached tokens of a subject have the same one, so that they can be forgotten with it.
    pub fn keep_subject(&self, mut subject: Subject, epoch: i64) -> Arc<CachedSubject> {
        self.share_held(&mut subject);
        let (id, new) = (subject.id, Arc::new(CachedSubject::from(subject)));
        let _shared = self.mark.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() != epoch {
            return new;
        }
        let kept = self.subjects.get_or_insert_with(&id, || Ok::<_, Infallible>(Arc::clone(&new)));
        kept.unwrap_or(new)
    }

    /// Lets a subject share its permissions with others that hold the same: their texts are longer than all the rest.
    fn share_held(&self, subject: &mut Subject) {
        match self.held.get(&subject.held.keys) {
            Some(held) if held == subject.held => subject.held = held,
            _ => self.held.insert(subject.held.keys.clone(), Arc::clone(&subject.held)),
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
                self.subjects.retain(|_, subject| forget_if(subject, true));
                self.apis.clear();
            }
            Touched::Facts(facts) => facts.iter().for_each(|fact| self.forget_fact(fact, epoch)),
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

    fn forget_fact(&self, fact: &Fact, epoch: i64) {
        match fact {
            Fact::Key(digest) => self.forget(&[*digest], epoch),
            Fact::Subject(id) => {
                if let Some((_, subject)) = self.subjects.remove(id) {
                    subject.forget();
                }
            }
            Fact::SubjectsOf(organization) => {
                self.subjects.retain(|_, cached| forget_if(cached, cached.subject.organization.id == *organization))
            }
            Fact::Api(public_id) => drop(self.apis.remove(public_id.as_str())),
        }
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
}

/// Forgets a subject if it may have changed. Returns whether it stays.
fn forget_if(subject: &CachedSubject, has_changed: bool) -> bool {
    if has_changed {
        subject.forget();
    }
    !has_changed
}

/// Forgets each subject that no longer fits into the cache: its tokens could not be found through it any more.
#[derive(Clone)]
struct Forget;

impl Lifecycle<SubjectId, Arc<CachedSubject>> for Forget {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: SubjectId, subject: Arc<CachedSubject>) {
        subject.forget();
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

impl Weighter<SubjectId, Arc<CachedSubject>> for Bytes {
    fn weight(&self, _: &SubjectId, cached: &Arc<CachedSubject>) -> u64 {
        // With a page of ready answers for each scope.
        const FIXED: usize = size_of::<CachedSubject>() + size_of::<Subject>() + size_of::<SubjectId>() + 400;
        let Subject { name, display_name, organization, .. } = &*cached.subject;
        let SubjectOrganization { public_id, slug, name: of, .. } = organization;
        let texts = [name, display_name, public_id, slug, of];
        (FIXED + texts.map(|text| text.len().next_multiple_of(16)).iter().sum::<usize>()) as u64
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
        organization::{MembershipId, OrganizationId},
        permission::{OwnPermissions, Permissions},
    };

    /// Caches a subject that may do everything in an organization that has added `known`.
    fn kept(cache: &Cache, membership: i64, known: &str) -> Arc<CachedSubject> {
        let known = OwnPermissions::parse(known);
        let subject = Subject {
            id: SubjectId::Membership(MembershipId(membership)),
            user: None,
            name: format!("membership:{membership}"),
            display_name: "Awa Diallo".into(),
            external_id: None,
            is_active: true,
            held: Held::new(Permissions::everything(&known), known).into(),
            organization: SubjectOrganization {
                id: OrganizationId(1),
                public_id: "3f9c0a71be".into(),
                slug: "croix-bleue".into(),
                name: "Croix-Bleue".into(),
            },
        };
        cache.keep_subject(subject, cache.epoch())
    }

    #[test]
    fn subjects_who_may_do_the_same_share_its_texts() {
        let cache = Cache::default();
        let held = |membership, known: &str| Arc::as_ptr(&kept(&cache, membership, known).subject.held);
        for (known, one, other) in [("", 1, 2), ("invoices.approve invoices.view:r", 3, 4)] {
            assert_eq!(held(one, known), held(other, known), "{known}");
        }
        // The same keys in an organization where one of them reads are not the same.
        let turned = kept(&cache, 5, "invoices.approve:r invoices.view:r");
        assert!(turned.subject.held.keys_to_read.ends_with("invoices.approve invoices.view"));
        let before = kept(&cache, 6, "invoices.approve invoices.view:r");
        assert!(!before.subject.held.keys_to_read.contains("approve"));
    }

    #[test]
    fn a_subject_is_cached_once_until_it_is_forgotten() {
        let cache = Cache::default();
        let first = kept(&cache, 1, "");
        assert!(Arc::ptr_eq(&first, &kept(&cache, 1, "")), "all its tokens have the same one");
        let other = kept(&cache, 2, "");
        cache.forget_fact(&Fact::Subject(SubjectId::Membership(MembershipId(1))), 1);
        assert!(first.is_forgotten.load(Ordering::Acquire) && !other.is_forgotten.load(Ordering::Acquire));
        assert!(!Arc::ptr_eq(&first, &kept(&cache, 1, "")));
        cache.forget_fact(&Fact::SubjectsOf(OrganizationId(2)), 2);
        assert!(!other.is_forgotten.load(Ordering::Acquire), "another organization's");
        cache.forget_fact(&Fact::SubjectsOf(OrganizationId(1)), 3);
        assert!(other.is_forgotten.load(Ordering::Acquire) && cache.subject(other.subject.id).is_none());
    }

    #[test]
    fn a_subject_that_no_longer_fits_is_forgotten_by_its_tokens_too() {
        let cache = Cache::default();
        let first = kept(&cache, 0, "");
        let more = i64::try_from(2 * SUBJECT_BYTES / USUAL_SUBJECT).unwrap();
        (1..more).for_each(|membership| drop(kept(&cache, membership, "")));
        assert!(cache.subject(first.subject.id).is_some() || first.is_forgotten.load(Ordering::Acquire));
        let known = (0..more).filter(|id| cache.subject(SubjectId::Membership(MembershipId(*id))).is_some()).count();
        assert!(known < usize::try_from(more).unwrap(), "not all fit");
    }
}
