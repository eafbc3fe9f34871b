//! Proof that an answer about a token is not older than the request that asks for it.
//!
//! Each change of authority steps one number in the database, the epoch, in its own transaction. A cached answer may be
//! used only when an epoch read that *began after the request arrived* shows the epoch at which the answer was loaded. So
//! a request that starts after a revocation was answered sees the revocation, on any number of nodes, whatever messages
//! are lost. On Postgres, requests that arrive together share one read, so the database sees one tiny read at a time however
//! many requests there are (V1, V3).

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

/// Reads epochs one after the other, and brings the cache to each.
#[derive(Clone)]
pub struct EpochReader {
    /// What is brought there.
    pub cache: Arc<Cache>,
    /// What follows the database's clock.
    pub clock: Clock,
    /// What the keys of the database are hashed under.
    pub pepper: Pepper,
    /// How long it took each time.
    pub took: Arc<Durations>,
}

impl EpochReader {
    /// The epoch at this moment; the cache is at least there.
    fn read(&self, connection: &mut AnyConnection) -> Result<i64, Unavailable> {
        // Backend before the read: what another thread reads meanwhile may be newer.
        let (known, begun) = (self.cache.epoch(), Instant::now());
        let (epoch, time) = epoch::read_with_time(connection)?;
        self.took.count(begun.elapsed());
        if epoch < known {
            // It was restored, or its standby took over without the last commits: what was revoked may live again (R5).
            return Err(Unavailable(format!("the database went back from epoch {known} to {epoch}")));
        }
        if let Some(time) = time {
            self.clock.follow(time);
        }
        if known < epoch {
            let touched = epoch::changes(connection, known, epoch)?;
            if touched == Touched::Everything && known != i64::MIN {
                // Not to lose when they were accepted last.
                self.cache.forget(&epoch::revoked(connection, known, epoch)?, epoch);
            }
            self.cache.bring_to(epoch, &touched, time.unwrap_or_else(clock::milliseconds));
        }
        Ok(epoch)
    }

    /// The same, and that this is still the database to which the pepper belongs: in another one every key would seem
    /// unknown.
    fn check(&self, connection: &mut AnyConnection) -> Result<i64, Unavailable> {
        check_pepper(connection, &self.pepper)?;
        self.read(connection)
    }
}

/// Reads the epoch of a SQLite database, for one thread.
///
/// The table is read only when the [`WalIndex`] says that somebody, in this process or another, has committed since. To
/// ask the index takes a third of a microsecond, so each request does it by itself.
pub struct LocalEpoch {
    connection: RefCell<AnyConnection>,
    reader: EpochReader,
    index: WalIndex,
    seen: Cell<Option<(WalIndexHead, i64)>>,
}

impl LocalEpoch {
    /// Opens a connection of its own to the database in this file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open(database: &Path, reader: EpochReader) -> Result<Self, Unavailable> {
        let mut connection = DatabaseUrl::Sqlite(database.to_owned()).connect()?;
        // The first read makes sure that there is an index.
        reader.read(&mut connection)?;
        let index = WalIndex::open(database)?;
        Ok(Self { connection: connection.into(), reader, index, seen: Cell::new(None) })
    }

    /// The epoch at this moment.
    ///
    /// # Errors
    /// When it cannot be read, or is not to be believed.
    pub fn read(&self) -> Result<i64, Unavailable> {
        // Read first: a commit between the two reads makes the next request look again.
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

    /// The epoch, asked of the database itself, and that the pepper belongs to it.
    ///
    /// # Errors
    /// When this thread cannot say anything about tokens.
    pub fn check(&self) -> Result<i64, Unavailable> {
        self.index.head()?;
        self.reader.check(&mut self.connection.borrow_mut())
    }

    /// Runs a lookup on the same connection: faster than handing it to another thread.
    pub fn with_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> T) -> T {
        work(&mut self.connection.borrow_mut())
    }
}

/// Reads the epoch from Postgres on a line of its own ([`super::batcher`]), for all requests of this node.
pub struct SharedEpoch(Batcher<Thorough, i64>);

/// Whether the pepper is to be looked at as well.
type Thorough = bool;

impl SharedEpoch {
    /// Starts the line. It ends when this is dropped.
    pub fn start(address: DatabaseUrl, reader: EpochReader) -> Self {
        let pepper = reader.pepper.clone();
        Self(Batcher::start(address, pepper, usize::MAX, move |connection, together: &[Thorough]| {
            let read = if together.contains(&true) { EpochReader::check } else { EpochReader::read };
            Ok(vec![read(&reader, connection)?; together.len()])
        }))
    }

    /// The epoch, by a read that began after this call.
    ///
    /// # Errors
    /// When it cannot be read in time, or is not to be believed.
    pub async fn read(&self) -> Result<i64, Unavailable> {
        self.0.ask(false).await
    }

    /// The same, and that the pepper belongs to the database.
    ///
    /// # Errors
    /// When this node cannot say anything about tokens.
    pub async fn check(&self) -> Result<i64, Unavailable> {
        self.0.ask(true).await
    }
}
