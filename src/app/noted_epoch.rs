//! What a node remembers of the database beyond its own end: the highest epoch it has seen.
//!
//! A database that was restored from a backup, or whose standby took over without the last commits, has a lower one: tokens
//! that were revoked since would be accepted again. A running node notices that by itself ([`super::verify`]); this
//! file lets one that starts notice it (R5, R13).

use super::{StartError, secrets};
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
    /// That the database is older, or that nobody can tell, and what to do.
    pub fn check(&self, epoch: i64) -> Result<(), StartError> {
        let path = self.0.display();
        let why = match fs::read(&self.0).map(|bytes| parse(&bytes)) {
            Ok(Some(noted)) if epoch >= noted => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Ok(Some(noted)) => format!(
                "the database is older than this node remembers (epoch {epoch}, and it was {noted}): it was restored from \
                 a backup, or another server took over without the last commits. Tokens"
            ),
            Ok(None) => format!(
                "{path} is empty or damaged, so nobody can tell whether the database is as new as it was. If it is not, tokens"
            ),
            Err(error) => format!(
                "{path} cannot be read ({error}), so nobody can tell whether the database is as new as it was. If it is \
                 not, tokens"
            ),
        };
        Err(StartError::WentBack(format!(
            "{why} that were revoked since then would be accepted again. Delete {path}, revoke them once more (jeton token \
             revoke) unless it does not matter, and start Jeton again"
        )))
    }

    /// Remembers `epoch`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&self, epoch: i64) -> io::Result<()> {
        secrets::write_file(&self.0, &format!("{epoch}\n"))
    }
}

/// What is in the file. Without the end of its line it may be the beginning of a larger number.
fn parse(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.parse().ok()
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
        assert!(refused.contains("epoch 6, and it was 7") && refused.contains("epoch, revoke them"), "{refused}");
        noted.note(6).unwrap();
        assert!(noted.check(6).is_ok());
    }

    #[test]
    fn a_note_that_tells_nothing_is_as_good_as_a_higher_one() {
        let folder = tempfile::tempdir().unwrap();
        let (noted, path) = (NotedEpoch::new(folder.path()), folder.path().join("epoch"));
        for damaged in [&b""[..], b"\n", b"12", b"12 \n", b"x\n", b"\xff\n", b"\0\0\0\n", b"99999999999999999999\n"] {
            fs::write(&path, damaged).unwrap();
            let refused = noted.check(i64::MAX).unwrap_err().to_string();
            assert!(refused.contains("epoch is empty or damaged") && refused.contains("Delete"), "{refused}");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let refused = noted.check(i64::MAX).unwrap_err().to_string();
        assert!(refused.contains("epoch cannot be read (Is a directory"), "{refused}");
        assert!(noted.note(7).is_err());
        fs::remove_dir(&path).unwrap();
        noted.note(7).unwrap();
        assert!(noted.check(7).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
