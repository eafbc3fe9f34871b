//! Reads the epoch, and brings the cache up to it.
//!
//! Each change of authority increments one number in the database, the epoch, in the same transaction. A cached token
//! may be used only on the strength of a read of the epoch that began after the request arrived, or so recently that
//! nobody has been told of a change since ([`super::freshness`]). So a request that starts after the answer to a
//! revocation is refused, on any number of nodes, whatever messages are lost. On Postgres, requests that wait at the
//! same time share one read, so each node sends one small read at a time, however many requests there are (V1, V3).

use super::{
    batcher::Batcher,
    cache::Cache,
    denied::{Unavailable, check_pepper},
    freshness::Freshness,
    renewal::Renewal,
};
use crate::{
    clock::{self, Clock},
    metrics::Durations,
};
use domain::token::Pepper;
use std::{
    cell::{Cell, RefCell},
    cmp::Ordering::{Equal, Greater, Less},
    io,
    path::Path,
    sync::Arc,
    time::Instant,
};
use storage::{
    AnyConnection, DatabaseUrl, ServerLock,
    epoch::{self, Reading, Touched, WalIndex, WalIndexHead},
};
use tokio::runtime::Builder;

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
    /// For how long the node may answer from memory after a read.
    pub freshness: Arc<Freshness>,
}

impl EpochReader {
    /// Reads the current epoch and brings the cache up to it.
    fn read(&self, connection: &mut AnyConnection) -> Result<Reading, Unavailable> {
        // The known epoch comes first: another thread may read a newer one meanwhile.
        let ((known, known_mark), begun) = (self.cache.epoch_and_mark(), Instant::now());
        let reading = epoch::reading(connection)?;
        let Reading { epoch, mark, time, .. } = reading;
        self.took.count(begun.elapsed());
        let has_lost = match epoch.cmp(&known) {
            Less => true,
            Equal => mark != known_mark,
            Greater => epoch::has_lost(connection, known, known_mark)?,
        };
        if has_lost {
            // The database was restored, or its standby took over without the last commits: revoked tokens may be
            // active again (R5). Nothing is answered from memory any more either.
            self.freshness.forget();
            return Err(Unavailable(format!(
                "the database went back from epoch {known} to {epoch}, or to another past"
            )));
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
            self.cache.bring_to(reading, &touched, time.unwrap_or_else(clock::milliseconds));
        }
        Ok(reading)
    }

    /// Like `read`, and checks that the pepper still belongs to this database: in another one, every key would be
    /// unknown.
    fn check(&self, connection: &mut AnyConnection) -> Result<Reading, Unavailable> {
        check_pepper(connection, &self.pepper)?;
        self.read(connection)
    }
}

/// Reads the epoch of a SQLite database for one thread.
///
/// The table is read only if the [`WalIndex`] shows that this process or another one has committed since the last read.
/// Checking the index takes a third of a microsecond, so the request that needs it does so itself.
pub struct LocalEpoch {
    connection: RefCell<AnyConnection>,
    reader: EpochReader,
    index: WalIndex,
    seen: Cell<Option<(WalIndexHead, Reading)>>,
    lock: Arc<ServerLock>,
}

impl LocalEpoch {
    /// Opens a separate connection to the database in this file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open(database: &Path, lock: Arc<ServerLock>, reader: EpochReader) -> Result<Self, Unavailable> {
        let mut connection = DatabaseUrl::Sqlite(database.to_owned()).connect()?;
        // The first read ensures that the index exists.
        reader.read(&mut connection)?;
        let index = WalIndex::open(database)?;
        Ok(Self { connection: connection.into(), reader, index, seen: Cell::new(None), lock })
    }

    /// Returns the current epoch.
    ///
    /// # Errors
    /// When it cannot be read, or is older than one read before.
    pub fn read(&self) -> Result<i64, Unavailable> {
        let begun = self.reader.freshness.begin_read();
        let Reading { epoch, freshness, .. } = self.look()?;
        // The only server does not wait for its own changes, so any other reads for each request.
        if self.lock.is_held() {
            self.reader.freshness.renew(begun, freshness);
        }
        Ok(epoch)
    }

    fn look(&self) -> Result<Reading, Unavailable> {
        // The index comes first: a commit between the two reads then makes the next request read the table again.
        let head = self.index.head()?;
        if let Some((seen, reading)) = self.seen.get()
            && seen == head
        {
            return Ok(reading);
        }
        let reading = self.reader.read(&mut self.connection.borrow_mut())?;
        self.seen.set(Some((head, reading)));
        Ok(reading)
    }

    /// Reads the epoch from the table itself, and checks that the pepper belongs to the database.
    ///
    /// # Errors
    /// When this thread cannot verify tokens.
    pub fn check(&self) -> Result<(), Unavailable> {
        self.index.head()?;
        self.reader.check(&mut self.connection.borrow_mut()).map(drop)
    }

    /// Runs a lookup on the same connection, which is faster than handing it to another thread.
    pub fn with_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> T) -> T {
        work(&mut self.connection.borrow_mut())
    }
}

/// Reads the epoch from Postgres for all requests of this node, over its own [`Batcher`].
pub struct SharedEpoch {
    batcher: Arc<Batcher<Thorough, i64>>,
    /// Reads ahead while requests use what was read.
    pub renewal: Renewal,
}

/// Whether to check the pepper as well.
type Thorough = bool;

impl SharedEpoch {
    /// Starts the threads, which end when this is dropped.
    ///
    /// # Errors
    /// When the system cannot provide a timer.
    pub fn start(address: DatabaseUrl, reader: EpochReader) -> io::Result<Self> {
        let (pepper, freshness) = (reader.pepper.clone(), Arc::clone(&reader.freshness));
        let batcher =
            Arc::new(Batcher::start(address, pepper, usize::MAX, move |connection, together: &[Thorough]| {
                let begun = reader.freshness.begin_read();
                let read = if together.contains(&true) { EpochReader::check } else { EpochReader::read };
                let Reading { epoch, freshness, .. } = read(&reader, connection)?;
                reader.freshness.renew(begun, freshness);
                Ok(vec![epoch; together.len()])
            }));
        let (runtime, ahead) = (Builder::new_current_thread().enable_time().build()?, Arc::clone(&batcher));
        let read = move || runtime.block_on(ahead.ask(false)).is_ok();
        Ok(Self { batcher, renewal: Renewal::start(freshness, read) })
    }

    /// Returns the epoch from a read that began after this call.
    ///
    /// # Errors
    /// When it cannot be read in time, or cannot be trusted.
    pub async fn read(&self) -> Result<i64, Unavailable> {
        self.batcher.ask(false).await
    }

    /// Like [`SharedEpoch::read`], and checks that the pepper belongs to the database.
    ///
    /// # Errors
    /// When this node cannot verify tokens.
    pub async fn check(&self) -> Result<(), Unavailable> {
        self.batcher.ask(true).await.map(drop)
    }
}
