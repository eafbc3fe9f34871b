//! Room on the disk of a SQLite database that is kept back for what ends access: revocations, ends of sessions,
//! deactivations, and signing in, without which nobody could ask for them.
//!
//! It is a file beside the database, full of what no file system can make smaller. When the disk is full, the first such
//! change empties the file, and goes on in its place; from then on everything else is refused, so that it does not take
//! that room as well. An empty file tells that to every process and to the next start. Once there is room, it is filled
//! again.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::connection::folder_of;

/// Its size: a revocation writes some 50 KiB at first, and the same place again later.
const SIZE: usize = 1 << 20;

/// The file.
#[derive(Debug)]
pub struct Reserve(PathBuf);

impl Reserve {
    /// The one beside this database, whether it is there or not.
    pub fn beside(database: &Path) -> Self {
        Self(with_end(database, "-reserve"))
    }

    /// Whether it was there and is used up.
    pub fn is_spent(&self) -> bool {
        self.length().is_some_and(|length| length < SIZE as u64)
    }

    /// Whether it is there.
    pub fn is_whole(&self) -> bool {
        self.length() == Some(SIZE as u64)
    }

    fn length(&self) -> Option<u64> {
        fs::metadata(&self.0).ok().map(|file| file.len())
    }

    /// Lets its room go.
    pub fn release(&self) {
        if self.is_whole() {
            tracing::error!("the disk of the database is full: only what ends access is still saved");
            self.empty().unwrap_or_else(|error| tracing::error!(%error, "the room kept for that cannot be used"));
        }
    }

    /// Fills it. One that is full is made anew beside itself: that there is as much room again, and not only for a moment.
    ///
    /// # Errors
    /// When there is no room, which it then marks; whatever else keeps it from being there is no matter of the database.
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
                tracing::debug!(%error, file = %self.0.display(), "no room is kept back for revocations");
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

/// Whether there is twice as much room: what was let go a moment ago does not count as new, and a disk that is full for
/// days is not written to all that time.
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
    fn it_is_filled_let_go_and_filled_again() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::beside(&folder.path().join("jeton.db"));
        let state = || (reserve.is_whole(), reserve.is_spent());
        assert_eq!(state(), (false, false), "a command before the first start is refused nothing");
        reserve.release();
        assert_eq!(state(), (false, false), "there is nothing to let go");
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
