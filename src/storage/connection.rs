//! The two databases as one connection type, and how connections are opened.

use super::{Result, StorageError};
use diesel::{
    Connection, ConnectionError, MultiConnection, PgConnection, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    dsl::sql,
    r2d2::{ManageConnection, R2D2Connection},
    sql_types::Bool,
};
use std::{
    fs::OpenOptions,
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
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

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A file, which is created if it is missing.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

impl Address {
    /// Reads `DATABASE_URL`: a `postgres://` URL, or `sqlite:PATH`.
    ///
    /// # Errors
    /// A sentence without the URL's password. Postgres on another host is refused, since this build speaks no TLS;
    /// `sslmode=disable` in the URL says that the network between is trusted.
    pub fn parse(url: &str) -> std::result::Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))));
        }
        let Some(rest) = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")) else {
            return Err("it must begin with postgres:// or sqlite:".into());
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let is_local = matches!(host, "" | "localhost" | "::1") || host.starts_with("127.") || host.starts_with("%2F");
        if !is_local && !url.contains("sslmode=disable") {
            return Err(format!(
                "the database on {host} would be reached without encryption, because this build of Jeton has no TLS for \
                 Postgres; add sslmode=disable to the URL if the network between is trusted"
            ));
        }
        Ok(Self::Postgres(url.into()))
    }

    /// Opens one connection with the settings that Jeton relies on.
    ///
    /// # Errors
    /// The database's own words; [`StorageError::Standby`] for a Postgres that only follows another one.
    pub fn connect(&self) -> Result<AnyConnection> {
        let failed = |error: ConnectionError| StorageError::Connection(error.to_string());
        match self {
            Self::Sqlite(path) => {
                let named = |error| StorageError::Connection(format!("{}: {error}", path.display()));
                let mut connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(named)?;
                // WAL lets readers go on beside the one writer; FULL makes each answered commit survive a power cut (R1).
                // The busy timeout comes first: switching to WAL takes a lock that another process may hold.
                connection.batch_execute(
                    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
                )?;
                Ok(AnyConnection::Sqlite(connection))
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::establish(&impatient(url)).map_err(failed)?;
                connection
                    .batch_execute("SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'")?;
                if diesel::select(sql::<Bool>("pg_is_in_recovery()")).get_result(&mut connection)? {
                    return Err(StorageError::Standby);
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

/// The URL with libpq's limits for a network that swallows everything, unless it sets its own: without them a connection
/// whose other end is gone without a word is waited for during minutes (R4).
fn impatient(url: &str) -> String {
    const LIMITS: [(&str, &str); 5] = [
        ("connect_timeout", "2"),
        ("tcp_user_timeout", "2000"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "1"),
        ("keepalives_count", "3"),
    ];
    LIMITS.iter().filter(|(name, _)| !url.contains(name)).fold(url.to_owned(), |url, (name, value)| {
        let sign = if url.contains('?') { '&' } else { '?' };
        format!("{url}{sign}{name}={value}")
    })
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
        Err(error) => Err(StorageError::Connection(format!("{}: {error}", path.display()))),
    }
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

/// Lets r2d2 open connections through [`Address::connect`], which chooses the database by itself and reports the true
/// error; diesel's derived `establish` tries one after the other.
impl ManageConnection for Address {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> std::result::Result<Pooled, Self::Error> {
        let connection = Address::connect(self)
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
    fn limits_are_added_unless_the_url_has_its_own() {
        let added = "tcp_user_timeout=2000&keepalives_idle=5&keepalives_interval=1&keepalives_count=3";
        assert_eq!(impatient("postgres://h/d"), format!("postgres://h/d?connect_timeout=2&{added}"));
        let own = "postgres://h/d?sslmode=disable&connect_timeout=9";
        assert_eq!(impatient(own), format!("{own}&{added}"));
    }

    #[test]
    fn the_scheme_chooses_the_database() {
        assert_eq!(Address::parse("sqlite:data/x.db"), Ok(Address::Sqlite("data/x.db".into())));
        for local in ["postgres://u:p@127.0.0.1:5432/d", "postgresql:///d?host=/run", "postgres://u@[::1]/d"] {
            assert_eq!(Address::parse(local), Ok(Address::Postgres(local.into())));
        }
        assert!(Address::parse("mysql://x").is_err());
    }

    #[test]
    fn postgres_elsewhere_needs_a_word_about_encryption_and_keeps_its_password_to_itself() {
        let refused = Address::parse("postgres://ann:secret@db.example.org:5432/jeton").unwrap_err();
        assert!(refused.contains("db.example.org") && !refused.contains("secret"));
        assert!(Address::parse("postgres://ann@db.example.org/jeton?sslmode=disable").is_ok());
    }
}
