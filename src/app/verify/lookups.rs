//! What verification asks Postgres about tokens and protected APIs, for all requests of a node together, and writes there.
//!
//! All of it goes over [`Batcher`]s, never over the connections of pages. On SQLite each worker asks by itself
//! ([`super::super::verify::epoch::LocalEpoch`]).

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

/// Most questions of one round.
const BATCH: usize = 256;
/// Most uses that are written together. Over a slow link whoever is to revoke one of the tokens waits for all of them.
const USES: usize = 16;

type FoundToken = Option<(Identity, Life)>;
type FoundApi = Option<Arc<ProtectedApi>>;

/// What is looked for.
enum Lookup {
    Token(TokenKind, KeyDigest),
    Api(Box<str>),
}

impl Lookup {
    /// The key that is looked for, if it is of this kind.
    fn digest(&self, kind: TokenKind) -> Option<&[u8]> {
        match self {
            Self::Token(of, digest) if *of == kind => Some(&digest.0),
            _ => None,
        }
    }
}

/// What was found.
enum Found {
    Token(Box<FoundToken>),
    Api(FoundApi),
}

/// The lines.
pub struct Lookups {
    reads: Batcher<Lookup, Found>,
    /// Apart from the reads: a write may wait for somebody else's.
    writes: Batcher<Uses, bool>,
}

impl Lookups {
    /// Starts them. They end when this is dropped.
    pub fn start(address: &DatabaseUrl, pepper: &Pepper) -> Self {
        Self {
            reads: Batcher::start(address.clone(), pepper.clone(), BATCH, look_up),
            writes: Batcher::start(address.clone(), pepper.clone(), USES, write),
        }
    }

    /// The token with this key, read after this call began.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn token(&self, kind: TokenKind, digest: KeyDigest) -> Result<FoundToken, Unavailable> {
        match self.reads.ask(Lookup::Token(kind, digest)).await? {
            Found::Token(found) => Ok(*found),
            Found::Api(_) => Err(mixed_up()),
        }
    }

    /// The protected API with this public id, read after this call began.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn api(&self, public_id: &str) -> Result<FoundApi, Unavailable> {
        match self.reads.ask(Lookup::Api(public_id.into())).await? {
            Found::Api(found) => Ok(found),
            Found::Token(_) => Err(mixed_up()),
        }
    }

    /// Writes a use down. Returns false when the token has ended.
    ///
    /// # Errors
    /// When the database has not done so in time.
    pub async fn write_use(&self, one: Uses) -> Result<bool, Unavailable> {
        self.writes.ask(one).await
    }
}

fn mixed_up() -> Unavailable {
    Unavailable("an answer belongs to another question".into())
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

/// A protected API as it is in the database.
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
