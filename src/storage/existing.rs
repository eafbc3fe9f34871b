//! Opening an existing database, for commands, which create none.

use super::{
    AnyConnection, DatabaseUrl, Result, StorageError,
    connection::{file_uri, unusable},
    db, pooler,
};
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    dsl::sql,
    migration::MigrationSource,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
    sqlite::Sqlite,
};
use std::path::Path;

impl DatabaseUrl {
    /// Opens a connection that only reads, and needs no other right: on Postgres, a role with `SELECT`; on SQLite, a
    /// readable file, even in a read-only folder or on a read-only disk.
    ///
    /// # Errors
    /// [`StorageError::Missing`] or [`StorageError::Older`] if there is no database that this version can read.
    pub fn connect_to_read(&self) -> Result<AnyConnection> {
        match self.look()? {
            (_, Schema::Older) => Err(StorageError::Older(self.place())),
            (connection, Schema::Current) => Ok(connection),
        }
    }

    /// Opens a connection that only reads, even if the database is of an older version, to copy it.
    ///
    /// # Errors
    /// [`StorageError::Missing`], or the error of the database.
    pub fn connect_to_copy(&self) -> Result<AnyConnection> {
        Ok(self.look()?.0)
    }

    fn look(&self) -> Result<(AnyConnection, Schema)> {
        let mut connection = match self {
            Self::Sqlite(path) if matches!(path.try_exists(), Ok(false)) => {
                return Err(StorageError::Missing(self.place()));
            }
            Self::Sqlite(path) => AnyConnection::Sqlite(read_file(path)?),
            Self::Postgres(_) => {
                let mut connection = self.connect()?;
                connection.batch_execute("SET default_transaction_read_only = on")?;
                pooler::refuse_if_it_switches(self, &mut connection)?;
                connection
            }
        };
        let schema = schema(&mut connection)?.ok_or_else(|| StorageError::Missing(self.place()))?;
        Ok((connection, schema))
    }
}

fn read_file(path: &Path) -> Result<SqliteConnection> {
    let open = |how: &str| {
        let refused = |error: &dyn std::error::Error| unusable(path, &error.to_string());
        let mut connection = SqliteConnection::establish(&file_uri(path, how)).map_err(|error| refused(&error))?;
        let first = "PRAGMA busy_timeout = 10000; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; \
                     SELECT 1 FROM sqlite_master";
        connection.batch_execute(first).map_err(|error| refused(&error)).map(|()| connection)
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    // With write access, SQLite also removes the shared index of the write-ahead log again; without it, SQLite opens
    // the file for reading. Where no index can be created and there is no log, nobody is writing either.
    open("mode=rw").or_else(|error| if has_log { Err(error) } else { open("immutable=1") })
}

/// Whether the schema of a database is that of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    Older,
    Current,
}

/// Returns the state of the schema; `None` if there is no schema of Jeton.
pub fn schema(connection: &mut AnyConnection) -> Result<Option<Schema>> {
    let applied = applied(connection)?;
    if applied.is_empty() {
        return Ok(None);
    }
    Ok(Some(if pending(&applied)?.is_empty() { Schema::Current } else { Schema::Older }))
}

/// Checks that a role of Postgres may create and change tables, if there are pending migrations.
///
/// # Errors
/// [`StorageError::MayNotMigrate`] names them.
pub fn refuse_without_rights(connection: &mut AnyConnection) -> Result<()> {
    let AnyConnection::Postgres(postgres) = connection else { return Ok(()) };
    let may = "has_schema_privilege(current_schema(), 'CREATE') AND NOT EXISTS (SELECT FROM pg_class \
               WHERE relnamespace = current_schema()::regnamespace \
               AND relname IN ('__diesel_schema_migrations', 'api_tokens') AND NOT pg_has_role(relowner, 'USAGE'))";
    let may: Option<bool> = diesel::select(sql::<Nullable<Bool>>(may)).get_result(postgres)?;
    if may == Some(true) {
        return Ok(());
    }
    let applied = applied(connection)?;
    Err(StorageError::MayNotMigrate(pending(&applied)?.join(", ")))
}

/// Returns the versions of the applied migrations; none if there is no schema of Jeton.
fn applied(connection: &mut AnyConnection) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let is_there = match connection {
        AnyConnection::Sqlite(_) => "count(*) FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
        AnyConnection::Postgres(_) => "count(to_regclass('__diesel_schema_migrations'))",
    };
    if diesel::select(sql::<BigInt>(is_there)).get_result::<i64>(connection)? == 0 {
        return Ok(Vec::new());
    }
    let applied: Vec<Applied> = sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
    Ok(applied.into_iter().map(|applied| applied.version).collect())
}

/// Returns the names of the pending migrations.
fn pending(applied: &[String]) -> Result<Vec<String>> {
    // Those of the other database have the same names.
    let ours = MigrationSource::<Sqlite>::migrations(&db::SQLITE);
    let ours = ours.map_err(|error| StorageError::Migration(error.to_string()))?;
    let mut names: Vec<_> = ours.iter().map(|migration| migration.name()).collect();
    names.retain(|name| !applied.contains(&name.version().to_string()));
    Ok(names.iter().map(ToString::to_string).collect())
}
