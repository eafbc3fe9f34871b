//! The reserve: space on the disk of a SQLite database for what ends access, such as revocations, ended sessions and
//! deactivations, and for signing in, without which nobody could do these.
//!
//! It is a file next to the database, with content that no file system can compress. When the disk is full, the first
//! such change empties the file and uses its space. From then on all other changes are refused, so that they do not
//! take this space as well. The empty file shows this to every process and to the next start. Once there is space, the
//! file is filled again.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::connection::folder_of;

/// The size of the file: the first revocation writes about 50 KiB, and later ones reuse the same space.
const SIZE: usize = 1 << 20;

/// The file of the reserve.
#[derive(Debug)]
pub struct Reserve(PathBuf);

impl Reserve {
    /// Returns the reserve next to this database, whether the file exists or not.
    pub fn beside(database: &Path) -> Self {
        Self(with_end(database, "-reserve"))
    }

    /// Returns whether the file exists, but is not full any more.
    pub fn is_spent(&self) -> bool {
        self.length().is_some_and(|length| length < SIZE as u64)
    }

    /// Returns whether the file exists and is full.
    pub fn is_whole(&self) -> bool {
        self.length() == Some(SIZE as u64)
    }

    fn length(&self) -> Option<u64> {
        fs::metadata(&self.0).ok().map(|file| file.len())
    }

    /// Releases its space.
    pub fn release(&self) {
        if self.is_whole() {
            tracing::error!("the disk of the database is full: only changes that end access are still saved");
            self.empty().unwrap_or_else(|error| tracing::error!(%error, "the reserve for them cannot be used"));
        }
    }

    /// Fills the file. A new file is written next to it and replaces it, even if it is already full: this checks that
    /// there is as much space again, and not only for a moment.
    ///
    /// # Errors
    /// When there is no space, which the empty file then shows. Other errors are only logged, as they do not affect the
    /// database.
    pub fn fill(&self) -> io::Result<()> {
        let new = with_end(&self.0, ".new");
        let filled = enough_room(&self.0).and_then(|()| write(&new)).and_then(|()| fs::rename(&new, &self.0));
        match filled {
            Err(error) if is_no_room(&error) => {
                drop(fs::remove_file(new));
                if !self.is_whole() {
                    self.empty()?;
                }
                Err(error)
            }
            Err(error) => {
                tracing::debug!(%error, file = %self.0.display(), "no space is reserved for revocations");
                drop(fs::remove_file(new));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn empty(&self) -> io::Result<()> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.0).map(drop)
    }
}

/// Checks that there is twice as much space: space that was just released does not count as new, and a disk that is
/// full for days is not written to all the time.
fn enough_room(file: &Path) -> io::Result<()> {
    let disk = rustix::fs::statvfs(folder_of(file))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < 2 * SIZE as u64 { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
}

fn write(file: &Path) -> io::Result<()> {
    let mut content = vec![0; SIZE];
    getrandom::fill(&mut content).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(&content)
}

fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_filled_released_and_filled_again() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::beside(&folder.path().join("jeton.db"));
        let state = || (reserve.is_whole(), reserve.is_spent());
        assert_eq!(state(), (false, false), "before the first start, a command is not refused");
        reserve.release();
        assert_eq!(state(), (false, false), "there is nothing to release");
        for _ in 0..2 {
            reserve.fill().unwrap();
            assert_eq!(state(), (true, false));
        }
        reserve.release();
        assert_eq!(state(), (false, true));
        reserve.fill().unwrap();
        assert_eq!(state(), (true, false));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
