//! Proof that an answer about a token is not older than the request that asks for it.
//!
//! Each change of authority steps one number in the database, the epoch, in its own transaction. A cached answer may be
//! used only when an epoch read that *began after the request arrived* shows the epoch at which the answer was loaded. So
//! a request that starts after a revocation was answered sees the revocation, on any number of nodes, whatever messages
//! are lost. On Postgres, requests that arrive together share one read, so the database sees one tiny read at a time however
//! many requests there are (`architecture.md`, *revocation*; V1, V3).

use crate::storage::{
    Address, AnyConnection, StorageError,
    epoch::{self, WalIndex, WalIndexHead},
};
use std::{
    cell::{Cell, RefCell},
    path::Path,
    sync::mpsc,
    time::Duration,
};
use tokio::sync::oneshot;

/// A request that has no proof by then is answered 503.
const PATIENCE: Duration = Duration::from_millis(500);

/// The epoch could not be read in time: nothing is known, so neither yes nor no may be said.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the epoch could not be read: {0}")]
pub struct Unproven(pub String);

impl From<StorageError> for Unproven {
    fn from(error: StorageError) -> Self {
        Self(error.to_string())
    }
}

/// Reads the epoch of a SQLite database, for one thread.
///
/// The table is read only when the [`WalIndex`] says that somebody, in this process or another, has committed since. To
/// ask the index takes a third of a microsecond, so each request does it by itself.
pub struct LocalEpoch {
    connection: RefCell<AnyConnection>,
    index: WalIndex,
    seen: Cell<Option<(WalIndexHead, i64)>>,
}

impl LocalEpoch {
    /// Opens a connection of its own to the database in this file.
    pub fn open(database: &Path) -> Result<Self, StorageError> {
        let mut connection = Address::Sqlite(database.to_owned()).connect()?;
        // The first read makes sure that there is an index.
        epoch::read(&mut connection)?;
        let index = WalIndex::open(database)?;
        Ok(Self { connection: RefCell::new(connection), index, seen: Cell::new(None) })
    }

    /// The epoch at this moment.
    pub fn read(&self) -> Result<i64, StorageError> {
        // Read first: a commit between the two reads makes the next request look again.
        let head = self.index.head()?;
        if let Some((seen, epoch)) = self.seen.get()
            && seen == head
        {
            return Ok(epoch);
        }
        let epoch = epoch::read(&mut self.connection.borrow_mut())?;
        self.seen.set(Some((head, epoch)));
        Ok(epoch)
    }

    /// Runs a lookup on the same connection: faster than handing it to another thread.
    pub fn with_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> T) -> T {
        work(&mut self.connection.borrow_mut())
    }
}

type Waiter = oneshot::Sender<Result<i64, Unproven>>;

/// Reads the epoch from Postgres on a thread and connection of its own, for all requests of this node.
pub struct SharedEpoch {
    waiters: mpsc::Sender<Waiter>,
}

impl SharedEpoch {
    /// Starts the thread. It ends when this is dropped.
    pub fn start(address: Address) -> Self {
        let (waiters, arrived) = mpsc::channel::<Waiter>();
        std::thread::spawn(move || {
            let mut connection = None;
            while let Ok(first) = arrived.recv() {
                // Whoever waits by now arrived before the read that begins next.
                let together: Vec<Waiter> = std::iter::once(first).chain(arrived.try_iter()).collect();
                let epoch = read_or_reconnect(&address, &mut connection).map_err(Unproven::from);
                for waiter in together {
                    // One that has lost its patience is no longer there.
                    drop(waiter.send(epoch.clone()));
                }
            }
        });
        Self { waiters }
    }

    /// The epoch, by a read that began after this call.
    pub async fn read(&self) -> Result<i64, Unproven> {
        let (waiter, answer) = oneshot::channel();
        self.waiters.send(waiter).map_err(|_| Unproven("its thread has ended".into()))?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(epoch)) => epoch,
            Ok(Err(_)) => Err(Unproven("its thread has ended".into())),
            Err(_) => Err(Unproven(format!("no answer within {} ms", PATIENCE.as_millis()))),
        }
    }
}

fn read_or_reconnect(address: &Address, connection: &mut Option<AnyConnection>) -> Result<i64, StorageError> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(address.connect()?),
    };
    let epoch = epoch::read(open);
    if epoch.is_err() {
        *connection = None;
    }
    epoch
}
