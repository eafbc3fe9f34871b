//! Whether a SQLite database is in use, for commands that replace it.

use super::{
    DatabaseUrl, Result,
    connection::{folder_of, unusable},
};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{fs::File, path::Path};

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
