//! The data folder and the pepper in it.

use super::{StartError, random};
use domain::{time::Timestamp, token::Pepper};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use storage::{
    Db, folder_of,
    installation::{self, Installation},
};
use subtle::ConstantTimeEq;

/// Creates the data folder, accessible only to its owner, unless it exists.
pub fn create_folder(path: &Path) -> Result<(), StartError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| StartError::File { path: path.into(), error })
}

/// Writes a file that only its owner can read, and replaces an existing one. After a power cut, it has either the old
/// content or the new one.
pub fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let new = write_beside(path, text)?;
    fs::rename(&new, path).inspect_err(|_| drop(fs::remove_file(&new)))?;
    keep_name(path)
}

/// Like [`write_file`], unless the file exists because another node that starts in this folder was first.
fn write_new_file(path: &Path, text: &str) -> io::Result<()> {
    let new = write_beside(path, text)?;
    let made = match fs::hard_link(&new, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // Not every file system has hard links.
        Err(_) if !path.exists() => fs::rename(&new, path),
        made => made,
    };
    // After a rename, it does not exist any more.
    drop(fs::remove_file(&new));
    made.and_then(|()| keep_name(path))
}

/// Writes a new file with a unique name in the same folder, so that its content survives a power cut.
fn write_beside(path: &Path, text: &str) -> io::Result<PathBuf> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".new-{}", hex::encode(random::bytes::<4>())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(fs::remove_file(&new)))?;
    Ok(new.into())
}

/// Ensures that the name of a file survives a power cut as well as its content.
pub fn keep_name(path: &Path) -> io::Result<()> {
    fs::File::open(folder_of(path))?.sync_all()
}

/// Reads the pepper from the data folder. A new database gets a new pepper, in a file with mode 0600. For a database in
/// use, no pepper is created, as its digests could never match.
pub fn pepper(folder: &Path, database_is_in_use: bool) -> Result<Pepper, StartError> {
    let path = folder.join("pepper");
    let shown = path.display();
    let refused = |why: &str| {
        let what = if database_is_in_use {
            "and the database is in use. Put back the file that belongs to this database (from a backup, or from another \
             node), or start with an empty database. Without the right pepper, Jeton recognizes no token."
        } else {
            "and there is no database yet. If you put it there for a database, put back the right one; otherwise delete \
             it, and Jeton creates a new one."
        };
        Err(StartError::Pepper(format!("{shown}: {why}, {what}")))
    };
    match fs::read(&path) {
        Ok(bytes) if bytes.trim_ascii().is_empty() && !database_is_in_use => {
            tracing::warn!("{shown}: the pepper is empty and there is no database yet, so a new pepper is created");
            make_pepper(&path, write_file)
        }
        Ok(bytes) => match std::str::from_utf8(&bytes).ok().and_then(parse) {
            Some(pepper) => Ok(pepper),
            None if bytes.is_empty() => refused("the pepper is empty"),
            None => refused("a pepper is 64 hexadecimal digits, but this file has something else"),
        },
        Err(error) if error.kind() == ErrorKind::NotFound && database_is_in_use => refused("the pepper is missing"),
        Err(error) if error.kind() == ErrorKind::NotFound => make_pepper(&path, write_new_file),
        Err(error) => refused(&format!("the pepper cannot be read ({error})")),
    }
}

/// Creates a pepper, and reads whichever is there afterwards.
fn make_pepper(path: &Path, write: fn(&Path, &str) -> io::Result<()>) -> Result<Pepper, StartError> {
    let bytes: [u8; Pepper::LENGTH] = random::bytes();
    write(path, &format!("{}\n", hex::encode(bytes))).map_err(|error| StartError::File { path: path.into(), error })?;
    pepper(folder_of(path), true)
}

/// Parses the content of a pepper file.
pub fn parse(text: &str) -> Option<Pepper> {
    let text = text.trim();
    let mut bytes = [0; Pepper::LENGTH];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(Pepper::new(&bytes))
}

/// Returns the value derived from a pepper that the database stores.
fn proof(pepper: &Pepper) -> Vec<u8> {
    pepper.derive("check", b"").to_vec()
}

/// Returns whether the database belongs to this pepper.
pub fn belongs(installation: &Installation, pepper: &Pepper) -> bool {
    installation.pepper_check.ct_eq(&proof(pepper)).into()
}

/// Checks that the pepper belongs to the database; for a new database, stores that it does.
pub fn check(
    db: &Db,
    pepper: &Pepper,
    known: Option<Installation>,
    is_demo: bool,
    now: Timestamp,
    folder: &Path,
) -> Result<Installation, StartError> {
    let ours = proof(pepper);
    let installation = match known {
        Some(installation) => installation,
        None => {
            let new = Installation { pepper_check: ours.clone(), is_demo };
            match db.write(|connection| installation::insert(connection, &new, now)) {
                Ok(()) => new,
                // Another node was first, so its pepper counts.
                Err(error) if error.is_duplicate() => db.read(installation::find)?.unwrap_or(new),
                Err(error) => return Err(error.into()),
            }
        }
    };
    if belongs(&installation, pepper) {
        return Ok(installation);
    }
    Err(StartError::Pepper(format!(
        "{}: this pepper does not belong to the database. Put back the right file, or use the database that \
         belongs to this pepper (DATABASE_URL, JETON_DATA_DIR).",
        folder.join("pepper").display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_pepper_is_created_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let made = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| pepper(folder.path(), false).unwrap())).collect();
            starts.into_iter().map(|start| proof(&start.join().unwrap())).collect::<Vec<_>>()
        });
        assert!(made.iter().all(|other| *other == made[0]), "all nodes that start together have the same one");
        assert_eq!(names(folder.path()), ["pepper"]);
        assert_eq!(proof(&pepper(folder.path(), true).unwrap()), made[0]);
    }

    #[test]
    fn a_damaged_pepper_is_replaced_only_if_empty_and_unused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pepper");
        let digits = "ab".repeat(Pepper::LENGTH);
        for damaged in [&b""[..], b"\n", &digits.as_bytes()[..32], b"\xff\x00\xfe", b"nonsense\n", &[0; 64]] {
            fs::write(&path, damaged).unwrap();
            let refused = pepper(folder.path(), true).unwrap_err().to_string();
            assert!(refused.starts_with(&path.display().to_string()) && refused.contains("Put back"), "{refused}");
            assert_eq!(fs::read(&path).unwrap(), damaged);
            match pepper(folder.path(), false) {
                Ok(_) => assert!(damaged.trim_ascii().is_empty()),
                Err(error) => assert!(error.to_string().contains("otherwise delete") && damaged.len() > 1, "{error}"),
            }
            assert_eq!(names(folder.path()), ["pepper"]);
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        for is_in_use in [true, false] {
            let refused = pepper(folder.path(), is_in_use).unwrap_err().to_string();
            assert!(refused.contains("pepper: the pepper cannot be read (Is a directory"), "{refused}");
        }
    }
}
