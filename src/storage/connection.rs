//! One connection type for both databases, and how connections are opened.

use super::{DatabaseUrl, Result, StorageError};
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

/// A connection to either database: queries are the same, and diesel chooses the dialect at run time.
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// SQLite, bundled.
    Sqlite(SqliteConnection),
    /// Postgres.
    Postgres(PgConnection),
}

impl AnyConnection {
    /// Runs `work` in one transaction on a connection that is not from a pool.
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
    /// The database's error; [`StorageError::Standby`] for a Postgres standby.
    pub fn connect(&self) -> Result<AnyConnection> {
        let failed = |error: ConnectionError| StorageError::Connection(error.to_string());
        match self {
            Self::Sqlite(path) => {
                // The file is never created here: `create_file` does that first.
                let uri = file_uri(path, "mode=rw");
                let mut connection =
                    SqliteConnection::establish(&uri).map_err(|error| unusable(path, &error.to_string()))?;
                // WAL lets readers work during a write; FULL makes each answered commit survive a power cut (R1). The
                // busy timeout comes first, as switching to WAL takes a lock that another process may hold.
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

    /// Opens a connection that only looks up rows by their keys. Postgres considers a full scan of a small table faster
    /// than its index, which is wrong for a few rows at a time, again and again. Lookups over this connection have no
    /// time to wait for another transaction's lock.
    ///
    /// # Errors
    /// The database's error.
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

/// Returns the URI with which SQLite opens a file in a certain mode. Without a URI, some file names would be taken for
/// one.
pub fn file_uri(path: &Path, how: &str) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let root = if path.starts_with('/') { "//" } else { "" };
    format!("file:{root}{path}?{how}")
}

/// Creates the database's file, readable only by its owner, unless it exists. SQLite gives the files next to it the
/// same mode.
///
/// Must be called before the first connection, and never opens an existing file: a process that closes any descriptor
/// of a file loses all its locks on it, including SQLite's (<https://sqlite.org/howtocorrupt.html>, section 2.2).
pub fn create_file(path: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unusable(path, &error.to_string())),
    }
}

/// Returns the folder of a file.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// Returns the error for a database file that cannot be used, with what the system says about the file and its folder,
/// as SQLite does not.
pub fn unusable(path: &Path, said: &str) -> StorageError {
    let folder = folder_of(path);
    // Without opening the file, which would drop the locks of this process.
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
    /// When it last worked.
    worked_at: Instant,
}

/// A connection that has worked within this time is taken from the pool without a check.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_names() {
        assert_eq!(file_uri(Path::new("/srv/a b/jeton.db"), "mode=ro"), "file:///srv/a b/jeton.db?mode=ro");
        assert_eq!(file_uri(Path::new("file:x?#%41.db"), "mode=rw"), "file:file:x%3f%23%2541.db?mode=rw");
    }
}
