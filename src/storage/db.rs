//! The pools, and the three ways to use a database: read, write, change authority.

use super::{
    AnyConnection, DatabaseUrl, InUse, Result, StorageError, backups,
    connection::create_file,
    epoch::{self, Touched},
    existing::{self, Schema},
    health::Health,
    installation, nodes,
    pool::Connections,
    pooler,
    reserve::Reserve,
    trouble::{self, Failure, Trouble},
};
use diesel::{
    Connection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    result::{DatabaseErrorKind, Error},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// How often a transaction is tried that Postgres aborts because of another one.
const TRIES: u32 = 5;

/// The database. Clones are cheap.
#[derive(Clone)]
pub struct Db {
    address: DatabaseUrl,
    readers: Arc<Connections>,
    /// On SQLite, one connection, so that the writers of this process queue here instead of polling for the lock; on
    /// Postgres, the same pool as `readers`.
    writers: Arc<Connections>,
    /// The reserve of a SQLite database.
    reserve: Option<Arc<Reserve>>,
    uses_reserve: bool,
    health: Arc<Health>,
    _in_use: Arc<InUse>,
}

impl Db {
    /// Opens the database and migrates its schema.
    ///
    /// # Errors
    /// When it cannot be reached or a migration fails.
    pub fn open(address: DatabaseUrl) -> Result<Self> {
        let in_use = InUse::tell(&address)?;
        if let DatabaseUrl::Sqlite(path) = &address {
            create_file(path)?;
        }
        let mut first = address.connect()?;
        pooler::refuse_if_it_switches(&address, &mut first)?;
        if backups::is_one(&mut first)? {
            return Err(StorageError::Backup(address.place()));
        }
        bring_up_to_date(&mut first)?;
        let readers = Arc::new(Connections::to(&address, 8)?);
        let (writers, reserve) = match &address {
            DatabaseUrl::Sqlite(file) => (Arc::new(Connections::to(&address, 1)?), Some(Reserve::beside(file).into())),
            DatabaseUrl::Postgres(_) => (Arc::clone(&readers), None),
        };
        let health = Arc::default();
        Ok(Self { address, readers, writers, reserve, uses_reserve: false, health, _in_use: in_use.into() })
    }

    /// Returns the database for writes that end access: when the disk is full, they may use the reserve.
    pub fn with_reserve(&self) -> Self {
        Self { uses_reserve: true, ..self.clone() }
    }

    /// The health of the database.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Checks the database with a write if it has failed since the last check, or if that was long ago, and fills the
    /// reserve again. A server must call this every few seconds.
    pub fn look_after(&self) {
        if !self.health.is_due(self.reserve.is_some()) {
            return;
        }
        match self.keep_room() {
            Ok(()) if self.check_writes().is_ok() => self.health.proved(),
            Ok(()) => {}
            Err(error) => self.health.failed(&error),
        }
    }

    fn keep_room(&self) -> Result<()> {
        let Some(reserve) = self.reserve.as_ref().filter(|reserve| !reserve.is_whole() || self.health.lacks_room())
        else {
            return Ok(());
        };
        reserve.fill().map_err(|error| StorageError::Trouble(Trouble::Full, error.to_string()))
    }

    /// Makes the database allocate space, without changing anything.
    fn check_writes(&self) -> Result<()> {
        match self.address {
            // This writes a page of the write-ahead log.
            DatabaseUrl::Sqlite(_) => self.write(installation::lock),
            DatabaseUrl::Postgres(_) => self.read(nodes::take_room),
        }
    }

    /// The URL of the database.
    pub fn address(&self) -> &DatabaseUrl {
        &self.address
    }

    /// Returns how many connections are open, and how many of them are idle.
    pub fn connections(&self) -> (u32, u32) {
        let states = match self.address {
            DatabaseUrl::Sqlite(_) => vec![self.readers.state(), self.writers.state()],
            DatabaseUrl::Postgres(_) => vec![self.readers.state()],
        };
        states.iter().fold((0, 0), |sum, state| (sum.0 + state.0, sum.1 + state.1))
    }

    /// Runs `work` on a connection for reading.
    ///
    /// # Errors
    /// What `work` returns, or that no connection is available.
    pub fn read<T, E: Failure>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let done = self.readers.take().map_err(E::from).and_then(|mut taken| work(taken.connection()));
        done.map_err(|error| self.told(error))
    }

    /// Runs `work` in one transaction: all of it is committed, or, on an error, nothing. `work` may run several times
    /// if Postgres aborts the transaction because of another one.
    ///
    /// # Errors
    /// What `work` returns, or that the database failed.
    pub fn write<T, E: Failure>(
        &self,
        mut work: impl FnMut(&mut AnyConnection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut done = self.write_once(&mut work);
        if self.uses_reserve
            && let Some(reserve) = &self.reserve
            && trouble::of_storage(&done).is_some_and(|error| self.lacks_room(error))
        {
            reserve.release();
            self.reuse_log();
            done = self.write_once(&mut work);
        }
        done.map_err(|error| self.told(error))
    }

    fn write_once<T, E: Failure>(
        &self,
        work: &mut impl FnMut(&mut AnyConnection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        if !self.uses_reserve && self.reserve.as_ref().is_some_and(|reserve| reserve.is_spent()) {
            trouble::kept_back()?;
        }
        let mut taken = self.writers.take()?;
        let mut tries = 1;
        loop {
            match transaction(taken.connection(), work) {
                Err(error) if tries < TRIES && error.of_storage().is_some_and(was_in_the_way) => tries += 1,
                done => return done,
            }
        }
    }

    /// Lets SQLite reuse the space of its write-ahead log.
    fn reuse_log(&self) {
        // If this fails, the write that follows reports it.
        if let Ok(mut taken) = self.writers.take() {
            drop(taken.connection().batch_execute("PRAGMA wal_checkpoint(PASSIVE)"));
        }
    }

    fn trouble(&self, error: &StorageError) -> Option<Trouble> {
        match (error, &self.address) {
            (StorageError::Trouble(trouble, _), _) => Some(*trouble),
            (StorageError::Connection(_) | StorageError::Standby, _) => Some(Trouble::Away),
            (StorageError::Query(error), DatabaseUrl::Sqlite(_)) => Trouble::of_sqlite(error),
            (StorageError::Query(error), DatabaseUrl::Postgres(_)) => Trouble::of_postgres(error),
            _ => None,
        }
    }

    fn lacks_room(&self, error: &StorageError) -> bool {
        matches!(self.trouble(error), Some(Trouble::Full | Trouble::Disk))
    }

    /// Returns the same error, after recording it if the database failed.
    fn told<E: Failure>(&self, error: E) -> E {
        let Some(failure) = error.of_storage() else { return error };
        let Some(trouble) = self.trouble(failure) else { return error };
        let told = match failure {
            StorageError::Query(query) => StorageError::Trouble(trouble, query.to_string()),
            _ => {
                self.health.failed(failure);
                return error;
            }
        };
        self.health.failed(&told);
        told.into()
    }

    /// As [`Db::write`], for changes to what a token may do or on whose behalf it acts: increments the epoch as the
    /// last statement, so that no node uses an older decision once the change has been waited for (V1). `work` names the
    /// keys that the change affects; nodes keep all others in their cache.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn change_keys<T, E: Failure>(
        &self,
        mut work: impl FnMut(&mut AnyConnection) -> std::result::Result<(T, Touched), E>,
    ) -> std::result::Result<Changed<T>, E> {
        let (done, unseen_for) = self.write(|connection| {
            let (done, touched) = work(connection)?;
            Ok::<_, E>((done, epoch::step(connection, &touched)?))
        })?;
        Ok(Changed { done, committed: Instant::now(), unseen_for })
    }
}

/// A committed change of authority. Nodes may still answer without it for a moment, so nobody may be told of it before
/// that is over.
#[must_use = "nobody may be told of the change before it has been waited for"]
pub struct Changed<T> {
    /// What the change returned.
    pub done: T,
    /// When the commit had returned.
    pub committed: Instant,
    /// For how long after the commit a node may still answer from memory without this change.
    pub unseen_for: Duration,
}

/// Returns whether the database aborted a transaction only because of another one, so that it may succeed now.
fn was_in_the_way(error: &StorageError) -> bool {
    match error {
        StorageError::Query(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
        StorageError::Query(Error::DatabaseError(_, information)) => information.message() == "deadlock detected",
        _ => false,
    }
}

/// Migrates the schema to this version. If it is up to date, this requires no right to change it.
///
/// # Errors
/// When a migration fails; [`StorageError::MayNotMigrate`] when the role lacks the rights to do so.
pub fn bring_up_to_date(connection: &mut AnyConnection) -> Result<()> {
    if existing::schema(connection)? == Some(Schema::Current) {
        return Ok(());
    }
    existing::refuse_without_rights(connection)?;
    match connection {
        AnyConnection::Sqlite(connection) => connection.run_pending_migrations(SQLITE).map(drop),
        AnyConnection::Postgres(connection) => migrate_postgres(connection),
    }
    .map_err(|error| StorageError::Migration(error.to_string()))
}

/// Migrates Postgres under a lock, so that nodes that start at the same time do not do it together.
fn migrate_postgres(connection: &mut diesel::PgConnection) -> diesel::migration::Result<()> {
    const LOCK: i64 = 0x6a65_746f_6e00;
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    let done = connection.run_pending_migrations(POSTGRES).map(drop);
    connection.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
    done
}

/// Runs a transaction. On SQLite, it takes the write lock at its first statement: a transaction that begins as a reader
/// and writes later would fail at once if another one had written in between (L10).
fn transaction<T, E: From<StorageError>>(
    connection: &mut AnyConnection,
    work: &mut impl FnMut(&mut AnyConnection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    type Manager = <AnyConnection as Connection>::TransactionManager;
    match connection {
        AnyConnection::Sqlite(inner) => AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE"),
        AnyConnection::Postgres(_) => Manager::begin_transaction(connection),
    }
    .map_err(StorageError::from)?;
    match work(connection) {
        Ok(done) => {
            end(connection, true)?;
            Ok(done)
        }
        Err(error) => {
            // The error of the work is reported; a connection that cannot roll back leaves the pool.
            if let Err(lost) = end(connection, false) {
                tracing::debug!(error = %lost, "a transaction could not be rolled back");
            }
            Err(error)
        }
    }
}

fn end(connection: &mut AnyConnection, commit: bool) -> Result<()> {
    type Manager = <AnyConnection as Connection>::TransactionManager;
    match (connection, commit) {
        (AnyConnection::Sqlite(inner), true) => AnsiTransactionManager::commit_transaction(inner),
        (AnyConnection::Sqlite(inner), false) => AnsiTransactionManager::rollback_transaction(inner),
        (connection, true) => Manager::commit_transaction(connection),
        (connection, false) => Manager::rollback_transaction(connection),
    }
    .map_err(StorageError::from)
}
