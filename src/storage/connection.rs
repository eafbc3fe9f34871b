//! The two databases as one connection type, and how connections are opened.

use super::{DatabaseUrl, Result, StorageError, existing::file_uri};
use diesel::{
    Connection, ConnectionError, MultiConnection, PgConnection, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    dsl::sql,
    r2d2::{ManageConnection, R2D2Connection},
    sql_types::{Bool, Text},
};
use rustix::fs::{Access, access};
use std::{
    fs::OpenOptions,
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

/// One query text for both databases: diesel picks the dialect when it runs.
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// SQLite, bundled.
    Sqlite(SqliteConnection),
    /// Postgres.
    Postgres(PgConnection),
}

impl AnyConnection {
    /// Runs `work` in one transaction of a connection that is no pool's.
    ///
    /// # Errors
    /// What `work` returns, or that the database failed.
    pub fn in_transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.transaction(work)
    }
}

impl DatabaseUrl {
    /// Opens one connection with the settings that Jeton relies on.
    ///
    /// # Errors
    /// The database's own words; [`StorageError::Standby`] for a Postgres that only follows another one.
    pub fn connect(&self) -> Result<AnyConnection> {
        let failed = |error: ConnectionError| StorageError::Connection(error.to_string());
        match self {
            Self::Sqlite(path) => {
                // Never made here: whoever wants a new one calls `create_file` first.
                let uri = file_uri(path, "mode=rw");
                let mut connection =
                    SqliteConnection::establish(&uri).map_err(|error| unusable(path, &error.to_string()))?;
                // WAL lets readers go on beside the one writer; FULL makes each answered commit survive a power cut (R1).
                // The busy timeout comes first: switching to WAL takes a lock that another process may hold.
                let settings = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                                PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";
                connection.batch_execute(settings).map_err(|error| unusable(path, &error.to_string()))?;
                Ok(AnyConnection::Sqlite(connection))
            }
            Self::Postgres(parameters) => {
                let mut connection = PgConnection::establish(&parameters.conninfo()).map_err(failed)?;
                connection
                    .batch_execute("SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'")?;
                let facts = (sql::<Bool>("pg_is_in_recovery()"), sql::<Text>("current_setting('server_encoding')"));
                match diesel::select(facts).get_result::<(bool, String)>(&mut connection)? {
                    (true, _) => return Err(StorageError::Standby),
                    (_, encoding) if encoding != "UTF8" => return Err(StorageError::Encoding(encoding)),
                    _ => {}
                }
                Ok(AnyConnection::Postgres(connection))
            }
        }
    }

    /// The same for a connection that only finds rows by their keys. Postgres takes a small table for quicker read whole
    /// than through its index; for a few rows at a time, again and again, it is not. Whoever asks over it has no time to
    /// wait for somebody else's lock.
    ///
    /// # Errors
    /// The database's own words.
    pub fn connect_for_lookups(&self) -> Result<AnyConnection> {
        let mut connection = self.connect()?;
        if let AnyConnection::Postgres(postgres) = &mut connection {
            postgres.batch_execute(
                "SET lock_timeout = '400ms'; SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                 SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off",
            )?;
        }
        Ok(connection)
    }
}

/// Makes the database's file, readable by its owner alone, unless it is there. SQLite gives the files beside it the same
/// mode.
///
/// To be called before the first connection, and never touches a file that is there: a process that closes any descriptor
/// of a file loses all its locks on it, SQLite's too (<https://sqlite.org/howtocorrupt.html>, section 2.2).
pub fn create_file(path: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unusable(path, &error.to_string())),
    }
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// That a database in a file cannot be used, and what the system says about the file and its folder: SQLite does not.
pub fn unusable(path: &Path, said: &str) -> StorageError {
    let folder = folder_of(path);
    // Without opening it, which would drop the locks of this process.
    let refused = |path: &Path| {
        let refused = access(path, Access::READ_OK | Access::WRITE_OK).err()?;
        Some(format!("; {}: {}", path.display(), std::io::Error::from(refused)))
    };
    let why = [path, folder].into_iter().find_map(refused).unwrap_or_default();
    StorageError::Connection(format!("{}: {said}{why}", path.display()))
}

/// A connection of a pool.
pub struct Pooled {
    /// The connection.
    pub connection: AnyConnection,
    /// When it was last seen to work.
    worked_at: Instant,
}

/// A connection that has worked this lately is taken from the pool without asking the database whether it still does.
const TRUSTED: Duration = Duration::from_secs(1);

/// Lets r2d2 open connections through [`DatabaseUrl::connect`], which chooses the database by itself and reports the true
/// error; diesel's derived `establish` tries one after the other.
impl ManageConnection for DatabaseUrl {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> std::result::Result<Pooled, Self::Error> {
        let connection = DatabaseUrl::connect(self)
            .map_err(|error| diesel::r2d2::Error::ConnectionError(ConnectionError::BadConnection(error.to_string())))?;
        Ok(Pooled { connection, worked_at: Instant::now() })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> std::result::Result<(), Self::Error> {
        if pooled.worked_at.elapsed() < TRUSTED {
            return Ok(());
        }
        diesel::sql_query("SELECT 1").execute(&mut pooled.connection).map_err(diesel::r2d2::Error::QueryError)?;
        pooled.worked_at = Instant::now();
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        match &mut pooled.connection {
            AnyConnection::Sqlite(inner) => inner.is_broken(),
            AnyConnection::Postgres(inner) => inner.is_broken(),
        }
    }
}
