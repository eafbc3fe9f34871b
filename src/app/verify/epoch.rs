//! Ensures that no decision about a token is based on data older than the request.
//!
//! Each change of authority increments one number in the database, the epoch, in the same transaction. A cached token
//! may be used only if a read of the epoch that *began after the request arrived* returns the epoch for which the cache
//! is valid. So a request that starts after the answer to a revocation is refused, on any number of nodes, whatever
//! messages are lost. On Postgres, requests that arrive together share one read, so each node sends one small read at a
//! time, however many requests there are (V1, V3).

use super::{
    batcher::Batcher,
    cache::Cache,
    denied::{Unavailable, check_pepper},
};
use crate::{
    clock::{self, Clock},
    metrics::Durations,
};
use domain::token::Pepper;
use std::{
    cell::{Cell, RefCell},
    path::Path,
    sync::Arc,
    time::Instant,
};
use storage::{
    AnyConnection, DatabaseUrl,
    epoch::{self, Touched, WalIndex, WalIndexHead},
};

/// Reads the epoch and brings the cache up to it.
#[derive(Clone)]
pub struct EpochReader {
    /// The cache that is brought up to each epoch.
    pub cache: Arc<Cache>,
    /// The clock that follows the database's.
    pub clock: Clock,
    /// The pepper of the digests in the database.
    pub pepper: Pepper,
    /// How long the reads took.
    pub took: Arc<Durations>,
}

impl EpochReader {
    /// Reads the current epoch and brings the cache up to it.
    fn read(&self, connection: &mut AnyConnection) -> Result<i64, Unavailable> {
        // The known epoch comes first: another thread may read a newer one meanwhile.
        let (known, begun) = (self.cache.epoch(), Instant::now());
        let (epoch, time) = epoch::read_with_time(connection)?;
        self.took.count(begun.elapsed());
        if epoch < known {
            // The database was restored, or its standby took over without the last commits: revoked tokens may be
            // active again (R5).
            return Err(Unavailable(format!("the database went back from epoch {known} to {epoch}")));
        }
        if let Some(time) = time {
            self.clock.follow(time);
        }
        if known < epoch {
            let touched = epoch::changes(connection, known, epoch)?;
            if touched == Touched::Everything && known != i64::MIN {
                // This keeps when the revoked keys were last accepted.
                self.cache.forget(&epoch::revoked(connection, known, epoch)?, epoch);
            }
            self.cache.bring_to(epoch, &touched, time.unwrap_or_else(clock::milliseconds));
        }
        Ok(epoch)
    }

    /// Like `read`, and checks that the pepper still belongs to this database: in another one, every key would be
    /// unknown.
    fn check(&self, connection: &mut AnyConnection) -> Result<i64, Unavailable> {
        check_pepper(connection, &self.pepper)?;
        self.read(connection)
    }
}

/// Reads the epoch of a SQLite database for one thread.
///
/// The table is read only if the [`WalIndex`] shows that this process or another one has committed since the last read.
/// Checking the index takes a third of a microsecond, so each request does so itself.
pub struct LocalEpoch {
    connection: RefCell<AnyConnection>,
    reader: EpochReader,
    index: WalIndex,
    seen: Cell<Option<(WalIndexHead, i64)>>,
}

impl LocalEpoch {
    /// Opens a separate connection to the database in this file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open(database: &Path, reader: EpochReader) -> Result<Self, Unavailable> {
        let mut connection = DatabaseUrl::Sqlite(database.to_owned()).connect()?;
        // The first read ensures that the index exists.
        reader.read(&mut connection)?;
        let index = WalIndex::open(database)?;
        Ok(Self { connection: connection.into(), reader, index, seen: Cell::new(None) })
    }

    /// Returns the current epoch.
    ///
    /// # Errors
    /// When it cannot be read, or is older than one read before.
    pub fn read(&self) -> Result<i64, Unavailable> {
        // The index comes first: a commit between the two reads then makes the next request read the table again.
        let head = self.index.head()?;
        if let Some((seen, epoch)) = self.seen.get()
            && seen == head
        {
            return Ok(epoch);
        }
        let epoch = self.reader.read(&mut self.connection.borrow_mut())?;
        self.seen.set(Some((head, epoch)));
        Ok(epoch)
    }

    /// Reads the epoch from the table itself, and checks that the pepper belongs to the database.
    ///
    /// # Errors
    /// When this thread cannot verify tokens.
    pub fn check(&self) -> Result<i64, Unavailable> {
        self.index.head()?;
        self.reader.check(&mut self.connection.borrow_mut())
    }

    /// Runs a lookup on the same connection, which is faster than handing it to another thread.
    pub fn with_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> T) -> T {
        work(&mut self.connection.borrow_mut())
    }
}

/// Reads the epoch from Postgres for all requests of this node, over its own [`Batcher`].
pub struct SharedEpoch(Batcher<Thorough, i64>);

/// Whether to check the pepper as well.
type Thorough = bool;

impl SharedEpoch {
    /// Starts the batcher, which ends when this is dropped.
    pub fn start(address: DatabaseUrl, reader: EpochReader) -> Self {
        let pepper = reader.pepper.clone();
        Self(Batcher::start(address, pepper, usize::MAX, move |connection, together: &[Thorough]| {
            let read = if together.contains(&true) { EpochReader::check } else { EpochReader::read };
            Ok(vec![read(&reader, connection)?; together.len()])
        }))
    }

    /// Returns the epoch from a read that began after this call.
    ///
    /// # Errors
    /// When it cannot be read in time, or cannot be trusted.
    pub async fn read(&self) -> Result<i64, Unavailable> {
        self.0.ask(false).await
    }

    /// Like [`SharedEpoch::read`], and checks that the pepper belongs to the database.
    ///
    /// # Errors
    /// When this node cannot verify tokens.
    pub async fn check(&self) -> Result<i64, Unavailable> {
        self.0.ask(true).await
    }
}
