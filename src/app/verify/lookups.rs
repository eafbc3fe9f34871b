//! What verification reads from Postgres about tokens and protected APIs, and writes there, in batches for all requests
//! of a node.
//!
//! All of it goes through [`Batcher`]s, never over the connections of pages. On SQLite, each worker thread reads by
//! itself ([`super::epoch::LocalEpoch`]).

use super::{
    batcher::Batcher,
    denied::Unavailable,
    usage::{self, Uses},
};
use domain::{
    access::Identity,
    protected_api::ProtectedApi,
    token::{KeyDigest, Life, Pepper, TokenKind},
};
use std::{collections::HashMap, sync::Arc};
use storage::{AnyConnection, DatabaseUrl, StorageError, protected_apis, tokens};

/// The maximum number of lookups in a batch.
const BATCH: usize = 256;
/// The maximum number of uses in a batch. Over a slow link, the revocation of one of the tokens waits for the whole
/// batch.
const USES: usize = 16;

type FoundToken = Option<(Identity, Life)>;
type FoundApi = Option<Arc<ProtectedApi>>;

/// What to look up.
enum Lookup {
    Token(TokenKind, KeyDigest),
    Api(Box<str>),
}

impl Lookup {
    /// Returns the digest to look up, if it is of a key of this kind.
    fn digest(&self, kind: TokenKind) -> Option<&[u8]> {
        match self {
            Self::Token(of, digest) if *of == kind => Some(&digest.0),
            _ => None,
        }
    }
}

/// The result of a [`Lookup`].
enum Found {
    Token(Box<FoundToken>),
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
    pub fn start(address: &DatabaseUrl, pepper: &Pepper) -> Self {
        Self {
            reads: Batcher::start(address.clone(), pepper.clone(), BATCH, look_up),
            writes: Batcher::start(address.clone(), pepper.clone(), USES, write),
        }
    }

    /// Returns the token with this key from a read that began after this call.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn token(&self, kind: TokenKind, digest: KeyDigest) -> Result<FoundToken, Unavailable> {
        match self.reads.ask(Lookup::Token(kind, digest)).await? {
            Found::Token(found) => Ok(*found),
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

fn look_up(connection: &mut AnyConnection, together: &[Lookup]) -> Result<Vec<Found>, Unavailable> {
    let tokens = tokens_of(connection, together)?;
    let found = |lookup: &Lookup| match lookup {
        // Several may ask about the same key.
        Lookup::Token(_, digest) => Ok(Found::Token(Box::new(tokens.get(digest).cloned()))),
        Lookup::Api(public_id) => Ok(Found::Api(api(connection, public_id)?)),
    };
    together.iter().map(found).collect()
}

/// Reads a protected API from the database.
pub fn api(connection: &mut AnyConnection, public_id: &str) -> Result<FoundApi, StorageError> {
    Ok(protected_apis::find(connection, public_id)?.map(|found| Arc::new(found.api)))
}

fn tokens_of(
    connection: &mut AnyConnection,
    together: &[Lookup],
) -> Result<HashMap<KeyDigest, (Identity, Life)>, StorageError> {
    let mut found = HashMap::with_capacity(together.len());
    for kind in [TokenKind::Personal, TokenKind::Service] {
        let digests: Vec<&[u8]> = together.iter().filter_map(|lookup| lookup.digest(kind)).collect();
        if !digests.is_empty() {
            found.extend(tokens::identities(connection, kind, &digests)?);
        }
    }
    Ok(found)
}
