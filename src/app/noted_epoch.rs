//! What a node remembers of the database beyond its own end: the highest epoch it has seen.
//!
//! A database that was restored from a backup, or whose standby took over without the last commits, has a lower one: tokens
//! that were revoked since would be accepted again. A running node notices that by itself ([`super::freshness`]); this
//! file lets one that starts notice it (R5, R13).

use super::StartError;
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// The file in the data folder.
#[derive(Clone, Debug)]
pub struct NotedEpoch(PathBuf);

impl NotedEpoch {
    /// The one in this folder.
    pub fn new(folder: &Path) -> Self {
        Self(folder.join("epoch"))
    }

    /// Compares it with the epoch of the database.
    ///
    /// # Errors
    /// That the database is older, and what to do.
    pub fn check(&self, epoch: i64) -> Result<(), StartError> {
        let noted = match fs::read_to_string(&self.0) {
            Ok(text) => text.trim().parse().unwrap_or(i64::MIN),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(StartError::File { path: self.0.clone(), error }),
        };
        if epoch >= noted {
            return Ok(());
        }
        Err(StartError::WentBack(format!(
            "the database is older than this node remembers (epoch {epoch}, and it was {noted}): it was restored from a backup, \
             or another server took over without the last commits. Tokens that were revoked since then would be accepted \
             again. Revoke them once more, or decide that it does not matter; then delete {} and start Jeton again",
            self.0.display()
        )))
    }

    /// Remembers `epoch`. The file is replaced as a whole, so that a crash leaves the old or the new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&self, epoch: i64) -> io::Result<()> {
        let new = self.0.with_extension("new");
        fs::write(&new, format!("{epoch}\n"))?;
        fs::rename(new, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_database_that_went_back_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let noted = NotedEpoch::new(folder.path());
        assert!(noted.check(7).is_ok(), "nothing is remembered yet");
        noted.note(7).unwrap();
        assert!(noted.check(7).is_ok() && noted.check(8).is_ok());
        let refused = noted.check(6).unwrap_err().to_string();
        assert!(refused.contains("epoch 6, and it was 7") && refused.contains("epoch and start"), "{refused}");
        noted.note(6).unwrap();
        assert!(noted.check(6).is_ok());
    }
}
