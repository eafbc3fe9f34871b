//! Tells whoever wants to put another database in the place of one whether somebody uses it.

use super::{
    DatabaseUrl, Result,
    connection::{folder_of, unusable},
};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{fs::File, path::Path};

/// A lock on the folder of a SQLite database, as long as this lives. SQLite's own locks tell of a database that can be
/// read alone. Where folders cannot be locked there is none.
pub struct InUse(#[expect(dead_code, reason = "closing the file ends the lock")] Option<File>);

impl InUse {
    /// Says that the database is in use, as any number of processes may.
    ///
    /// # Errors
    /// When somebody replaces it at this moment.
    pub fn tell(address: &DatabaseUrl) -> Result<Self> {
        match address {
            DatabaseUrl::Postgres(_) => Ok(Self(None)),
            DatabaseUrl::Sqlite(file) => {
                lock(file, FlockOperation::NonBlockingLockShared, "a backup is being put in its place at this moment")
            }
        }
    }

    /// Keeps everybody from using the database in this file.
    ///
    /// # Errors
    /// When somebody does.
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
    fn many_may_use_a_database_and_nobody_while_it_is_replaced() {
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
