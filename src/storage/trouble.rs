//! What keeps a database from doing what it was asked, whatever that was: told here from a defect of Jeton's, which no
//! waiting mends.
//!
//! diesel keeps most of the databases' codes to itself. SQLite's words are always the same ones. Postgres speaks the
//! language of its server, so there the rest tells: what diesel has no kind for, and what is not about a place in the text
//! of a statement, is the server's own trouble, such as a full disk (53100) or one that fails (58030).

use super::{Result, StorageError};
use diesel::result::{DatabaseErrorKind as Kind, Error};

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It cannot be reached, or others keep it busy.
    Away,
    /// There is no room left on its disk.
    Full,
    /// It can be read alone.
    ReadOnly,
    /// Its disk fails, or has no more room for this user.
    Disk,
    /// Its files are damaged or not to be had, or the server cannot do it.
    Broken,
}

impl Trouble {
    /// What an error of a SQLite database tells.
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

    /// What an error of Postgres tells.
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
            // Tried often enough.
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
    /// The database's own, if it is one.
    fn of_storage(&self) -> Option<&StorageError>;
}

impl Failure for StorageError {
    fn of_storage(&self) -> Option<&StorageError> {
        Some(self)
    }
}

/// The error of what was done, if it is the database's own.
pub fn of_storage<T, E: Failure>(done: &std::result::Result<T, E>) -> Option<&StorageError> {
    done.as_ref().err().and_then(Failure::of_storage)
}

/// That an ordinary change is refused, since the room that is left is kept back.
pub fn kept_back<T>() -> Result<T> {
    let words = "the disk is full, and what is left is kept for what ends access";
    Err(StorageError::Trouble(Trouble::Full, words.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::existing::file_uri;
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
    fn what_sqlite_says_is_told_from_defects() {
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
