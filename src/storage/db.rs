//! The pools, and the three ways to use a database: read, write, change authority.

use super::{
    Address, AnyConnection, InUse, Result, StorageError, backups,
    connection::create_file,
    epoch::{self, Touched},
    existing::{self, Schema},
    pool::Connections,
    pooler,
};
use diesel::{
    Connection,
    connection::{AnsiTransactionManager, TransactionManager},
    result::{DatabaseErrorKind, Error},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::sync::Arc;

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// How often a transaction that Postgres gave up for another one's sake is tried.
const TRIES: u32 = 5;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    address: Address,
    readers: Arc<Connections>,
    /// On SQLite one connection, so that the writers of this process queue up here instead of polling for its lock; on
    /// Postgres the same pool as `readers`.
    writers: Arc<Connections>,
    _in_use: Arc<InUse>,
}

impl Db {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be reached or a migration fails.
    pub fn open(address: Address) -> Result<Self> {
        let in_use = InUse::tell(&address)?;
        if let Address::Sqlite(path) = &address {
            create_file(path)?;
        }
        let mut first = address.connect()?;
        pooler::refuse_if_it_switches(&address, &mut first)?;
        if backups::is_one(&mut first)? {
            return Err(StorageError::Backup(address.place()));
        }
        bring_up_to_date(&mut first)?;
        let readers = Arc::new(Connections::to(&address, 8)?);
        let writers = match address {
            Address::Sqlite(_) => Arc::new(Connections::to(&address, 1)?),
            Address::Postgres(_) => Arc::clone(&readers),
        };
        Ok(Self { address, readers, writers, _in_use: in_use.into() })
    }

    /// Where the database is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How many connections are open, and how many of them nobody uses at this moment.
    pub fn connections(&self) -> (u32, u32) {
        let states = match self.address {
            Address::Sqlite(_) => vec![self.readers.state(), self.writers.state()],
            Address::Postgres(_) => vec![self.readers.state()],
        };
        states.iter().fold((0, 0), |sum, state| (sum.0 + state.0, sum.1 + state.1))
    }

    /// Runs `work` on a connection that is not to write.
    ///
    /// # Errors
    /// What `work` returns, or that no connection could be had.
    pub fn read<T, E: From<StorageError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        work(self.readers.take()?.connection())
    }

    /// Runs `work` in one transaction: all of it is committed, or on an error none. `work` may run several times, when
    /// Postgres gives it up to let another transaction through.
    ///
    /// # Errors
    /// What `work` returns, or that the database failed.
    pub fn write<T, E: From<StorageError> + RolledBack>(
        &self,
        mut work: impl FnMut(&mut AnyConnection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut taken = self.writers.take()?;
        let mut tries = 1;
        loop {
            match transaction(taken.connection(), &mut work) {
                Err(error) if tries < TRIES && error.was_in_the_way() => tries += 1,
                done => return done,
            }
        }
    }

    /// As [`Db::write`], for what changes whom a token speaks for or what it may do: steps the epoch as the last
    /// statement, so that no node uses an older answer once this has returned (V1).
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn change_authority<T, E: From<StorageError> + RolledBack>(
        &self,
        mut work: impl FnMut(&mut AnyConnection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.change_keys(|connection| Ok((work(connection)?, Touched::Everything)))
    }

    /// The same for what concerns few keys, which `work` names: nodes go on to know all others.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn change_keys<T, E: From<StorageError> + RolledBack>(
        &self,
        mut work: impl FnMut(&mut AnyConnection) -> std::result::Result<(T, Touched), E>,
    ) -> std::result::Result<T, E> {
        self.write(|connection| {
            let (done, touched) = work(connection)?;
            epoch::step(connection, &touched)?;
            Ok(done)
        })
    }
}

/// Tells errors after which the same transaction may succeed from others.
pub trait RolledBack {
    /// Whether the database gave the transaction up only because of another one.
    fn was_in_the_way(&self) -> bool;
}

impl RolledBack for StorageError {
    fn was_in_the_way(&self) -> bool {
        match self {
            Self::Query(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            Self::Query(Error::DatabaseError(_, information)) => information.message() == "deadlock detected",
            _ => false,
        }
    }
}

/// Makes the schema that of this version. If it is, that takes no right to change it.
///
/// # Errors
/// When a migration fails; [`StorageError::MayNotMigrate`] when that takes rights which are missing.
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

/// Several nodes that start at once on one new database migrate it one after the other.
fn migrate_postgres(connection: &mut diesel::PgConnection) -> diesel::migration::Result<()> {
    use diesel::connection::SimpleConnection;
    const LOCK: i64 = 0x6a65_746f_6e00;
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    let done = connection.run_pending_migrations(POSTGRES).map(drop);
    connection.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
    done
}

/// A transaction that on SQLite takes the write lock at its first statement: one that begins as a reader and wants to
/// write later fails at once when another has written in between (L10).
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
            // The error that ended the work is the one to report; a connection that cannot roll back leaves the pool.
            if let Err(lost) = end(connection, false) {
                tracing::warn!(error = %lost, "a transaction could not be rolled back");
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
