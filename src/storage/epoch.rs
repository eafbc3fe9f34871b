//! The epoch of authority: one number, stepped in each transaction that changes what a token may do.

use super::{AnyConnection, Result, StorageError, schema::auth_epoch};
use diesel::prelude::*;
use std::{ffi::OsStr, fs::File, mem::ManuallyDrop, os::unix::fs::FileExt, path::Path};

/// Steps the epoch. It must be the last statement of its transaction: its row is the one all authority changes share,
/// and is to be locked for as short as possible.
///
/// # Errors
/// When the database fails.
pub fn step(connection: &mut AnyConnection) -> Result<()> {
    diesel::update(auth_epoch::table).set(auth_epoch::epoch.eq(auth_epoch::epoch + 1)).execute(connection)?;
    Ok(())
}

/// The epoch of all that is committed at this moment.
///
/// # Errors
/// When the database fails.
pub fn read(connection: &mut AnyConnection) -> Result<i64> {
    Ok(auth_epoch::table.select(auth_epoch::epoch).get_result(connection)?)
}

/// The head of SQLite's index of its write-ahead log, the file `…-shm` beside the database.
///
/// Whoever commits writes it anew, with a counter in it, before the commit is done; nothing else touches it. So as long as
/// these bytes are the same, nobody has committed anything, in this process or another, and there is no need to ask the
/// database (<https://sqlite.org/walformat.html#the_wal_index_header>; the file is there as long as a connection is open).
///
/// The file stays open until the process ends: to close it would drop all locks that SQLite's connections in this process
/// hold on it (<https://sqlite.org/howtocorrupt.html>, section 2.2).
pub struct WalIndex(ManuallyDrop<File>);

/// The bytes of the head.
pub type WalIndexHead = [u8; 48];

impl WalIndex {
    /// Opens the index of a database to which the caller has a connection, and keeps it, as long as this is used.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(database: &Path) -> Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        File::open(&path).map(|file| Self(ManuallyDrop::new(file))).map_err(|error| unreadable(&path, &error))
    }

    /// The head as it is at this moment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn head(&self) -> Result<WalIndexHead> {
        let mut head = [0; 48];
        self.0.read_exact_at(&mut head, 0).map_err(|error| unreadable("-shm".as_ref(), &error))?;
        Ok(head)
    }
}

fn unreadable(path: &OsStr, error: &std::io::Error) -> StorageError {
    StorageError::Connection(format!("{}: {error}", path.display()))
}
