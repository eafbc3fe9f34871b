//! Failures of the database itself, whatever the statement. They are distinguished here from defects of Jeton, which
//! waiting does not fix.
//!
//! diesel does not pass on most of the databases' error codes. SQLite's messages are always the same. Postgres's
//! messages are in the language of the server, so other facts decide: an error without a kind in diesel and without a
//! position in the statement is a failure of the server, such as a full disk (53100) or a disk error (58030).

use super::{Result, StorageError};
use diesel::result::{DatabaseErrorKind as Kind, Error};

/// The kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The database cannot be reached, or is busy.
    Away,
    /// Its disk is full.
    Full,
    /// It is read-only.
    ReadOnly,
    /// Its disk fails, or the user's quota is used up.
    Disk,
    /// Its files are damaged or missing, or the server fails.
    Broken,
}

impl Trouble {
    /// Returns the failure behind an error of SQLite, if it is one.
    pub fn of_sqlite(error: &Error) -> Option<Self> {
        Self::of(error, |information| {
            Some(match information.message() {
                "database is locked" | "database table is locked" | "locking protocol" => Self::Away,
                "database or disk is full" => Self::Full,
                "attempt to write a readonly database" | "access permission denied" => Self::ReadOnly,
                "disk I/O error" | "large file support is disabled" => Self::Disk,
                "database disk image is malformed" | "file is not a database" | "unable to open database file" => {
                    Self::Broken
                }
                _ => return None,
            })
        })
    }

    /// Returns the failure behind an error of Postgres, if it is one.
    pub fn of_postgres(error: &Error) -> Option<Self> {
        Self::of(error, |information| match information.statement_position() {
            Some(_) => None,
            None if information.message().contains("timeout") => Some(Self::Away),
            None => Some(Self::Broken),
        })
    }

    fn of(error: &Error, unknown: impl Fn(&Information) -> Option<Self>) -> Option<Self> {
        match error {
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error, unknown),
            Error::DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand, _) => Some(Self::Away),
            // The transaction was tried often enough.
            Error::DatabaseError(Kind::SerializationFailure, _) => Some(Self::Away),
            Error::DatabaseError(Kind::ReadOnlyTransaction, _) => Some(Self::ReadOnly),
            Error::DatabaseError(Kind::Unknown, information) => unknown(information.as_ref()),
            _ => None,
        }
    }
}

type Information = dyn diesel::result::DatabaseErrorInformation + Send + Sync;

/// An error of work on a connection.
pub trait Failure: From<StorageError> {
    /// Returns the error of the database, if it is one.
    fn of_storage(&self) -> Option<&StorageError>;
}

impl Failure for StorageError {
    fn of_storage(&self) -> Option<&StorageError> {
        Some(self)
    }
}

/// Returns the error of a result, if it is one of the database.
pub fn of_storage<T, E: Failure>(done: &std::result::Result<T, E>) -> Option<&StorageError> {
    done.as_ref().err().and_then(Failure::of_storage)
}

/// Refuses an ordinary change, as the remaining space is reserved.
pub fn kept_back<T>() -> Result<T> {
    let words = "the disk is full, and the remaining space is reserved for what ends access";
    Err(StorageError::Trouble(Trouble::Full, words.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::file_uri;
    use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
    use std::{fs, path::Path};

    fn open(file: &Path, how: &str) -> SqliteConnection {
        SqliteConnection::establish(&file_uri(file, how)).unwrap()
    }

    fn trouble(connection: &mut SqliteConnection, statements: &str) -> Option<Trouble> {
        Trouble::of_sqlite(&connection.batch_execute(statements).unwrap_err())
    }

    const FILL: &str = "INSERT INTO t SELECT hex(randomblob(50000)) FROM t, t AS again, t AS more";

    #[test]
    fn errors_of_sqlite_are_distinguished_from_defects() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let mut writer = open(&file, "mode=rwc");
        writer.batch_execute("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (3)").unwrap();
        for defect in ["SELECT nothing FROM t", "SELECT FROM", "INSERT INTO nowhere VALUES (1)"] {
            assert_eq!(trouble(&mut writer, defect), None, "{defect}");
        }
        let full = format!("PRAGMA max_page_count = 3; {FILL}");
        assert_eq!(trouble(&mut writer, &full), Some(Trouble::Full));
        assert_eq!(trouble(&mut open(&file, "mode=ro"), "DELETE FROM t"), Some(Trouble::ReadOnly));
        writer.batch_execute("BEGIN IMMEDIATE").unwrap();
        assert_eq!(trouble(&mut open(&file, "mode=rw"), "DELETE FROM t"), Some(Trouble::Away));
        drop(writer);

        let mut damaged = fs::read(&file).unwrap();
        damaged[100..].fill(0x55);
        fs::write(&file, damaged).unwrap();
        assert_eq!(trouble(&mut open(&file, "mode=rw"), "DELETE FROM t"), Some(Trouble::Broken));
        fs::write(&file, "what somebody else has put there instead".repeat(100)).unwrap();
        assert_eq!(trouble(&mut open(&file, "mode=rw"), "DELETE FROM t"), Some(Trouble::Broken));
    }
}
