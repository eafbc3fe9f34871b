//! Proof that an answer about a token is not older than the request that asks for it.
//!
//! Each change of authority steps one number in the database, the epoch, in its own transaction. A cached answer may be
//! used only when an epoch read that *began after the request arrived* shows the epoch at which the answer was loaded. So
//! a request that starts after a revocation was answered sees the revocation, on any number of nodes, whatever messages
//! are lost. Requests that arrive together share one read, so the database sees one tiny read at a time however many
//! requests there are (`architecture.md`, *revocation*; V1, V3).

use crate::storage::{Address, AnyConnection, StorageError, epoch};
use std::{
    cell::{Cell, RefCell},
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

/// Reads the epoch on a SQLite connection that belongs to one thread.
///
/// `PRAGMA data_version` differs from its last value when anybody, in this process or another, has committed since; only
/// then is the table read.
pub struct LocalEpoch {
    connection: RefCell<AnyConnection>,
    /// The number of reads that have begun, by which a request knows whether one began after it arrived.
    begun: Cell<u64>,
    seen: Cell<Option<(i64, i64)>>,
}

impl LocalEpoch {
    /// Opens a connection of its own.
    pub fn open(address: &Address) -> Result<Self, StorageError> {
        Ok(Self { connection: RefCell::new(address.connect()?), begun: Cell::new(0), seen: Cell::new(None) })
    }

    /// The epoch, by a read that began after this call.
    pub async fn read(&self) -> Result<i64, Unproven> {
        let arrived = self.begun.get();
        // Lets the requests that are ready beside this one arrive before the read that serves them all.
        tokio::task::yield_now().await;
        match self.seen.get() {
            Some((_, epoch)) if self.begun.get() > arrived => Ok(epoch),
            _ => Ok(self.read_now()?),
        }
    }

    fn read_now(&self) -> Result<i64, StorageError> {
        self.begun.set(self.begun.get() + 1);
        let before = self.seen.take();
        let connection = &mut *self.connection.borrow_mut();
        let version = match connection {
            AnyConnection::Sqlite(connection) => epoch::data_version(connection)?,
            AnyConnection::Postgres(_) => return Err(StorageError::Row("a data version".into())),
        };
        let epoch = match before {
            Some((seen, epoch)) if seen == version => epoch,
            _ => epoch::read(connection)?,
        };
        self.seen.set(Some((version, epoch)));
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
