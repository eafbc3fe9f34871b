//! Looking tokens up in Postgres, for all requests of a node together.
//!
//! A thread with a connection of its own asks for everything that has arrived while the question before was on its way: one
//! round trip then serves many requests, and pages and exports can take no connection away. On SQLite each worker looks by
//! itself ([`super::super::freshness::LocalEpoch`]).

use crate::{
    app::freshness::{PATIENCE, Unproven, reconnecting},
    domain::{
        access::Identity,
        token::{KeyDigest, Life, Pepper, TokenKind},
    },
    storage::{Address, AnyConnection, tokens},
};
use std::{collections::HashMap, sync::mpsc};
use tokio::sync::oneshot;

/// Most keys of one question.
const BATCH: usize = 256;

type Found = Option<(Identity, Life)>;

struct Lookup {
    kind: TokenKind,
    digest: KeyDigest,
    answer: oneshot::Sender<Result<Found, Unproven>>,
}

/// The thread.
pub struct Lookups {
    waiting: mpsc::Sender<Lookup>,
}

impl Lookups {
    /// Starts it. It ends when this is dropped.
    pub fn start(address: Address, pepper: Pepper) -> Self {
        let (waiting, arrived) = mpsc::channel::<Lookup>();
        std::thread::spawn(move || {
            let mut connection = None;
            // Opened before the first question comes, as opening takes several round trips. A failure is the next one's.
            drop(reconnecting(&address, &pepper, &mut connection, |_| Ok(())));
            while let Ok(first) = arrived.recv() {
                let together: Vec<Lookup> = std::iter::once(first).chain(arrived.try_iter()).take(BATCH).collect();
                answer(&address, &pepper, &mut connection, together);
            }
        });
        Self { waiting }
    }

    /// The token with this key, read after this call began.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn find(&self, kind: TokenKind, digest: KeyDigest) -> Result<Found, Unproven> {
        let (answer, answered) = oneshot::channel();
        let ended = || Unproven("the thread that looks tokens up has ended".into());
        self.waiting.send(Lookup { kind, digest, answer }).map_err(|_| ended())?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(found) => found.unwrap_or_else(|_| Err(ended())),
            Err(_) => Err(Unproven::late()),
        }
    }
}

fn answer(address: &Address, pepper: &Pepper, connection: &mut Option<AnyConnection>, together: Vec<Lookup>) {
    let found = reconnecting(address, pepper, connection, |connection| look_up(connection, &together));
    for lookup in together {
        let answer = match &found {
            // Several may ask about the same key.
            Ok(found) => Ok(found.get(&lookup.digest).cloned()),
            Err(error) => Err(error.clone()),
        };
        // Whoever has lost patience is no longer there.
        drop(lookup.answer.send(answer));
    }
}

fn look_up(
    connection: &mut AnyConnection,
    together: &[Lookup],
) -> Result<HashMap<KeyDigest, (Identity, Life)>, Unproven> {
    let mut found = HashMap::with_capacity(together.len());
    for kind in [TokenKind::Personal, TokenKind::Service] {
        let digests: Vec<&[u8]> =
            together.iter().filter(|lookup| lookup.kind == kind).map(|lookup| &lookup.digest.0[..]).collect();
        if !digests.is_empty() {
            found.extend(tokens::identities(connection, kind, &digests)?);
        }
    }
    Ok(found)
}
