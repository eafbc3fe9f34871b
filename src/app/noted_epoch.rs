//! The highest epoch that a node has seen, which it remembers across restarts.
//!
//! A database that was restored from a backup, or whose standby took over without the last commits, has a lower epoch:
//! tokens that were revoked since would be accepted again. A running node notices this itself ([`super::verify`]); with
//! this file, a starting node notices it as well (R5, R13).

use super::{StartError, secrets};
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// The file `epoch` in the data folder.
#[derive(Clone, Debug)]
pub struct NotedEpoch(PathBuf);

impl NotedEpoch {
    /// Returns the file in this data folder.
    pub fn new(folder: &Path) -> Self {
        Self(folder.join("epoch"))
    }

    /// Compares the remembered epoch with that of the database.
    ///
    /// # Errors
    /// When the database is older, or when this cannot be determined. The error says what to do.
    pub fn check(&self, epoch: i64) -> Result<(), StartError> {
        let path = self.0.display();
        let why = match fs::read(&self.0).map(|bytes| parse(&bytes)) {
            Ok(Some(noted)) if epoch >= noted => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Ok(Some(noted)) => format!(
                "the database is older than this node remembers (it has epoch {epoch}, and had {noted}): it was \
                 restored from a backup, or a standby took over without the last commits. Tokens"
            ),
            Ok(None) => format!(
                "{path} is empty or damaged, so Jeton cannot know whether the database is as new as it was. If not, \
                 tokens"
            ),
            Err(error) => format!(
                "{path} cannot be read ({error}), so Jeton cannot know whether the database is as new as it was. If \
                 not, tokens"
            ),
        };
        Err(StartError::WentBack(format!(
            "{why} that were revoked since then would be accepted again. Delete {path}, revoke them again (jeton token \
             revoke) if necessary, and start Jeton again"
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

/// Parses the file. Without the end of the line, the digits may be the beginning of a larger number.
fn parse(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_database_older_than_the_note_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let noted = NotedEpoch::new(folder.path());
        assert!(noted.check(7).is_ok(), "nothing is remembered yet");
        noted.note(7).unwrap();
        assert!(noted.check(7).is_ok() && noted.check(8).is_ok());
        let refused = noted.check(6).unwrap_err().to_string();
        assert!(refused.contains("epoch 6, and had 7") && refused.contains("epoch, revoke them"), "{refused}");
        noted.note(6).unwrap();
        assert!(noted.check(6).is_ok());
    }

    #[test]
    fn an_unreadable_note_counts_as_a_higher_one() {
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
