//! Who else uses a SQLite database: for commands that replace it, and for the server that has it to itself.

use super::{
    DatabaseUrl, Result,
    connection::{folder_of, unusable},
};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    fs::{File, OpenOptions},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// A lock on the folder of a SQLite database, until this is dropped. SQLite's own locks only work on a database that
/// can be read, so not on a damaged one. Where folders cannot be locked, there is no lock.
pub struct InUse(#[expect(dead_code, reason = "closing the file ends the lock")] Option<File>);

impl InUse {
    /// Marks the database as in use; any number of processes may do so.
    ///
    /// # Errors
    /// When a command is replacing it.
    pub fn tell(address: &DatabaseUrl) -> Result<Self> {
        match address {
            DatabaseUrl::Postgres(_) => Ok(Self(None)),
            DatabaseUrl::Sqlite(file) => {
                lock(file, FlockOperation::NonBlockingLockShared, "a backup is being put in its place right now")
            }
        }
    }

    /// Prevents others from using the database in this file.
    ///
    /// # Errors
    /// When it is in use.
    pub fn forbid(file: &Path) -> Result<Self> {
        lock(file, FlockOperation::NonBlockingLockExclusive, "Jeton has it open; stop the server first")
    }
}

/// The lock that makes a server the only one of a SQLite database, until this is dropped. Commands do not take it.
///
/// It is on an empty file of its own beside the database: where locks of files and of parts of files exclude each other,
/// a lock on the database would exclude SQLite.
pub struct ServerLock {
    /// `None` where the file cannot be created: then no server is the only one.
    file: Option<File>,
    is_held: AtomicBool,
}

impl ServerLock {
    /// Opens the file, without taking the lock.
    pub fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-server");
        let file = OpenOptions::new().create(true).append(true).open(path).ok();
        Self { file, is_held: false.into() }
    }

    /// Whether this server has the lock.
    pub fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Acquire)
    }

    /// Takes the lock, unless another server has it or the file system has no such locks.
    pub fn take(&self) {
        if let Some(file) = &self.file
            && !self.is_held()
            && flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            self.is_held.store(true, Ordering::Release);
        }
    }
}

fn lock(file: &Path, how: FlockOperation, refusal: &str) -> Result<InUse> {
    let Ok(folder) = File::open(folder_of(file)) else { return Ok(InUse(None)) };
    match flock(&folder, how) {
        Ok(()) => Ok(InUse(Some(folder))),
        Err(Errno::WOULDBLOCK) => Err(unusable(file, refusal)),
        Err(_) => Ok(InUse(None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_one_server_until_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jeton.db");
        let [first, second] = [(); 2].map(|()| ServerLock::beside(&file));
        assert!(!first.is_held());
        first.take();
        second.take();
        assert!(first.is_held() && !second.is_held());
        drop(first);
        second.take();
        assert!(second.is_held());
        let nowhere = ServerLock::beside(&folder.path().join("missing/jeton.db"));
        nowhere.take();
        assert!(!nowhere.is_held());
    }

    #[test]
    fn many_may_use_a_database_but_nobody_while_it_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jeton.db");
        let address = DatabaseUrl::Sqlite(file.clone());
        let both = [InUse::tell(&address).unwrap(), InUse::tell(&address).unwrap()];
        assert!(InUse::forbid(&file).is_err_and(|error| error.to_string().contains("stop the server")));
        drop(both);
        let alone = InUse::forbid(&file).unwrap();
        assert!(InUse::tell(&address).is_err_and(|error| error.to_string().contains("put in its place")));
        drop(alone);
        assert!(InUse::tell(&address).is_ok());
    }
}
