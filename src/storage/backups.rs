//! Backups of a SQLite database: a file that is itself a database, with an additional table that describes it and may
//! have the pepper.

use super::{
    AnyConnection, Result, StorageError,
    connection::{file_uri, unusable},
    schema::{jeton_backup, password_links, sessions},
};
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use std::path::{Path, PathBuf};

/// What a backup says about itself.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = jeton_backup)]
pub struct Label {
    /// When it was created, in RFC 3339.
    pub made_at: String,
    /// The version of Jeton that created it.
    pub version: String,
    /// The content of the file `pepper`, unless it was left out.
    pub pepper: Option<String>,
}

/// Returns whether this is a backup. A server must not use one: what has happened since would silently be undone.
pub fn is_one(connection: &mut AnyConnection) -> Result<bool> {
    Ok(match connection {
        AnyConnection::Postgres(_) => false,
        AnyConnection::Sqlite(connection) => has_label(connection)?,
    })
}

fn has_label(connection: &mut SqliteConnection) -> Result<bool> {
    let tables = sql::<BigInt>("count(*) FROM sqlite_master WHERE name = 'jeton_backup'");
    Ok(diesel::select(tables).get_result::<i64>(connection)? > 0)
}

/// Writes a backup of all that is committed to an empty file, while others read and write the database.
///
/// # Errors
/// When the backup cannot be written, or is damaged.
pub fn write(from: &mut AnyConnection, to: &Path, label: &Label) -> Result<()> {
    let name = absolute(to)?;
    // A connection that only reads cannot write a copy either.
    from.batch_execute("PRAGMA query_only = OFF")?;
    let copied = sql_query("VACUUM INTO $1").bind::<Text, _>(name.to_string_lossy()).execute(from);
    copied.map_err(|error| unusable(to, &error.to_string()))?;
    let mut copy = open(to, "mode=rw")?;
    copy.batch_execute(
        "CREATE TABLE jeton_backup (made_at TEXT PRIMARY KEY NOT NULL, version TEXT NOT NULL, pepper TEXT)",
    )?;
    diesel::insert_into(jeton_backup::table).values(label).execute(&mut copy)?;
    prove_whole(&mut copy, to)
}

/// Opens a backup for reading, after checking that it is complete.
///
/// # Errors
/// When the file is not a backup, or is damaged.
pub fn read(file: &Path) -> Result<(AnyConnection, Label)> {
    let mut connection = open(file, "mode=ro")?;
    let no_backup = || unusable(file, "this is not a complete backup of jeton backup");
    let is_labelled = has_label(&mut connection).map_err(|error| unusable(file, &error.to_string()))?;
    let label = is_labelled.then(|| jeton_backup::table.first(&mut connection).optional()).transpose()?.flatten();
    let label = label.ok_or_else(no_backup)?;
    prove_whole(&mut connection, file)?;
    Ok((AnyConnection::Sqlite(connection), label))
}

/// Checks that SQLite finds no damaged page, and every row that another one refers to.
fn prove_whole(connection: &mut SqliteConnection, file: &Path) -> Result<()> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        problem: String,
    }
    let mut problems = |query: &str| -> Result<Vec<Found>> {
        sql_query(query).load(connection).map_err(|error| unusable(file, &error.to_string()))
    };
    let mut found =
        problems("SELECT integrity_check AS problem FROM pragma_integrity_check WHERE integrity_check <> 'ok'")?;
    found.extend(problems(
        "SELECT \"table\" || ' names a missing ' || parent AS problem FROM pragma_foreign_key_check",
    )?);
    match found.first() {
        None => Ok(()),
        // SQLite reports it in several lines.
        Some(Found { problem }) => {
            Err(unusable(file, &format!("it is damaged: {}", problem.replace('\n', " ").trim())))
        }
    }
}

/// Turns a copy of a backup into a database for a server, and opens it.
///
/// # Errors
/// When the file cannot be used.
pub fn unpack(copy: &Path) -> Result<AnyConnection> {
    let mut connection = open(copy, "mode=rw")?;
    // The pepper must not stay in unused pages.
    connection.batch_execute(
        "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; DELETE FROM jeton_backup; \
         DROP TABLE jeton_backup; VACUUM",
    )?;
    Ok(AnyConnection::Sqlite(connection))
}

/// Ends all sessions and links for a new password: some have ended since the backup, and it is unknown which.
pub fn end_sessions(connection: &mut AnyConnection) -> Result<()> {
    diesel::delete(sessions::table).execute(connection)?;
    diesel::delete(password_links::table).execute(connection)?;
    Ok(())
}

/// Opens a database that is about to be replaced, with exclusive access, and merges its write-ahead log into the file.
/// Returns `None` if it is damaged.
///
/// # Errors
/// When another program has it open.
pub fn take_out_of_use(file: &Path) -> Result<Option<AnyConnection>> {
    let alone = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE";
    let taken = open(file, "mode=rw").and_then(|mut connection| {
        connection.batch_execute(alone)?;
        Ok(connection)
    });
    match taken {
        Ok(connection) => Ok(Some(AnyConnection::Sqlite(connection))),
        Err(StorageError::Query(error)) if error.to_string().contains("locked") => {
            Err(unusable(file, "another program has it open"))
        }
        Err(_) => Ok(None),
    }
}

fn open(file: &Path, how: &str) -> Result<SqliteConnection> {
    let refused = |error: &dyn std::error::Error| unusable(file, &error.to_string());
    let mut connection = SqliteConnection::establish(&file_uri(file, how)).map_err(|error| refused(&error))?;
    connection.batch_execute("PRAGMA trusted_schema = OFF").map_err(|error| refused(&error))?;
    Ok(connection)
}

fn absolute(file: &Path) -> Result<PathBuf> {
    std::path::absolute(file).map_err(|error| unusable(file, &error.to_string()))
}
