//! What verification reads from Postgres about tokens and protected APIs, and writes there, in batches for all requests
//! of a node.
//!
//! All of it goes through [`Batcher`]s, never over the connections of pages. On SQLite, each worker thread reads by
//! itself ([`super::epoch::LocalEpoch`]).

use super::{
    batcher::Batcher,
    cache::{Cache, CachedSubject, CachedToken},
    denied::Unavailable,
    usage::{self, Uses},
};
use domain::{
    access::SubjectId,
    protected_api::ProtectedApi,
    token::{KeyDigest, Pepper},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use storage::{AnyConnection, DatabaseUrl, StorageError, protected_apis, tokens};

/// The maximum number of lookups in a batch.
const BATCH: usize = 256;
/// The maximum number of uses in a batch. Over a slow link, the revocation of one of the tokens waits for the whole
/// batch.
const USES: usize = 16;

type FoundToken = Option<Arc<CachedToken>>;
type FoundApi = Option<Arc<ProtectedApi>>;

/// What to look up.
enum Lookup {
    Token(KeyDigest),
    Api(Box<str>),
}

impl Lookup {
    /// Returns the digest to look up.
    fn digest(&self) -> Option<KeyDigest> {
        match self {
            Self::Token(digest) => Some(*digest),
            Self::Api(_) => None,
        }
    }
}

/// The result of a [`Lookup`].
enum Found {
    Token(FoundToken),
    Api(FoundApi),
}

/// The batchers for lookups and for urgent writes.
pub struct Lookups {
    reads: Batcher<Lookup, Found>,
    /// Apart from the reads, as a write may wait for another transaction.
    writes: Batcher<Uses, bool>,
}

impl Lookups {
    /// Starts the batchers, which end when this is dropped.
    pub fn start(address: &DatabaseUrl, pepper: &Pepper, cache: Arc<Cache>) -> Self {
        let look_up = move |connection: &mut AnyConnection, together: &[Lookup]| look_up(connection, &cache, together);
        Self {
            reads: Batcher::start(address.clone(), pepper.clone(), BATCH, look_up),
            writes: Batcher::start(address.clone(), pepper.clone(), USES, write),
        }
    }

    /// Returns the token with this key from a read that began after this call.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn token(&self, digest: KeyDigest) -> Result<FoundToken, Unavailable> {
        match self.reads.ask(Lookup::Token(digest)).await? {
            Found::Token(found) => Ok(found),
            Found::Api(_) => Err(mixed_up()),
        }
    }

    /// Returns the protected API with this public id from a read that began after this call.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn api(&self, public_id: &str) -> Result<FoundApi, Unavailable> {
        match self.reads.ask(Lookup::Api(public_id.into())).await? {
            Found::Api(found) => Ok(found),
            Found::Token(_) => Err(mixed_up()),
        }
    }

    /// Writes a use to the database. Returns false if the token has ended.
    ///
    /// # Errors
    /// When the database does not do so in time.
    pub async fn write_use(&self, one: Uses) -> Result<bool, Unavailable> {
        self.writes.ask(one).await
    }
}

fn mixed_up() -> Unavailable {
    Unavailable("the answer does not match the question".into())
}

fn write(connection: &mut AnyConnection, together: &[Uses]) -> Result<Vec<bool>, Unavailable> {
    Ok(connection.in_transaction(|connection| usage::write_at_once(connection, together))?)
}

fn look_up(connection: &mut AnyConnection, cache: &Cache, together: &[Lookup]) -> Result<Vec<Found>, Unavailable> {
    let digests: Vec<KeyDigest> = together.iter().filter_map(Lookup::digest).collect();
    let tokens: HashMap<KeyDigest, Arc<CachedToken>> = tokens(connection, cache, &digests)?.into_iter().collect();
    let found = |lookup: &Lookup| match lookup {
        // Several may ask about the same key.
        Lookup::Token(digest) => Ok(Found::Token(tokens.get(digest).cloned())),
        Lookup::Api(public_id) => Ok(Found::Api(api(connection, public_id)?)),
    };
    together.iter().map(found).collect()
}

/// Reads a protected API from the database.
pub fn api(connection: &mut AnyConnection, public_id: &str) -> Result<FoundApi, StorageError> {
    Ok(protected_apis::find(connection, public_id)?.map(|found| Arc::new(found.api)))
}

/// Reads tokens from the database, and those of their subjects that are not cached, which it caches. Keys that no token
/// has are left out.
pub fn tokens(
    connection: &mut AnyConnection,
    cache: &Cache,
    digests: &[KeyDigest],
) -> Result<Vec<(KeyDigest, Arc<CachedToken>)>, StorageError> {
    // Before the reads: what they find is at least as new.
    let epoch = cache.epoch();
    let keys = tokens::keys(connection, digests)?;
    let ids: HashSet<SubjectId> = keys.iter().map(|(_, key)| key.subject).collect();
    let mut subjects: HashMap<SubjectId, Arc<CachedSubject>> =
        ids.iter().filter_map(|id| Some((*id, cache.subject(*id)?))).collect();
    let missing: Vec<SubjectId> = ids.into_iter().filter(|id| !subjects.contains_key(id)).collect();
    let read = tokens::subjects(connection, &missing)?.into_iter();
    subjects.extend(read.map(|subject| (subject.id, cache.keep_subject(subject, epoch))));
    // A subject that is missing was deleted meanwhile, and the token with it.
    let token = |(digest, key): (KeyDigest, tokens::Key)| {
        let subject = subjects.get(&key.subject)?;
        Some((digest, Arc::new(CachedToken::new(key, Arc::clone(subject)))))
    };
    Ok(keys.into_iter().filter_map(token).collect())
}
