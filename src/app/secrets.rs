//! The data folder and the pepper in it.

use super::{StartError, random};
use crate::{
    domain::{time::Timestamp, token::Pepper},
    storage::{
        Db, folder_of,
        installation::{self, Installation},
    },
};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};
use subtle::ConstantTimeEq;

/// Makes the data folder, for its owner alone, unless it is there.
pub fn create_folder(path: &Path) -> Result<(), StartError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| StartError::File { path: path.into(), error })
}

/// Writes a file for its owner alone, and makes sure that its content survives a power cut.
pub fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes sure that the name of a file survives a power cut as well as its content.
pub fn keep_name(path: &Path) -> io::Result<()> {
    fs::File::open(folder_of(path))?.sync_all()
}

/// Reads the pepper from the data folder. A new database gets a new pepper, kept with mode 0600; for one that is in use
/// nothing is made up, since its digests could never match.
pub fn pepper(folder: &Path, database_is_in_use: bool) -> Result<Pepper, StartError> {
    let path = folder.join("pepper");
    let failed = |error| StartError::File { path: path.clone(), error };
    match read(&path) {
        Ok(text) => parse(&text).ok_or_else(|| {
            StartError::Pepper(format!(
                "{}: a pepper is 64 hexadecimal digits, this file holds something else",
                path.display()
            ))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound && database_is_in_use => Err(StartError::Pepper(format!(
            "{}: the pepper is missing, and the database is in use. Put back the file that belongs to this database (from \
             a backup, or from another node), or start with an empty database. Without it no token can be recognized.",
            path.display()
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_pepper(folder, &path).map_err(failed)?;
            pepper(folder, true)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Makes the file, unless another node that starts in this folder was first.
fn make_pepper(folder: &Path, path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        made => made?,
    };
    let bytes: [u8; Pepper::LENGTH] = random::bytes();
    writeln!(file, "{}", random::hex(&bytes)).and_then(|()| file.sync_all())?;
    // The name of the file must survive a power cut as well as its content.
    fs::File::open(folder)?.sync_all()
}

/// What is in the file. While there is nothing, another node may be about to write it.
fn read(path: &Path) -> io::Result<String> {
    for _ in 0..40 {
        let text = fs::read_to_string(path)?;
        if !text.is_empty() {
            return Ok(text);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(String::new())
}

/// The pepper that a file holds.
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

/// What the database keeps of a pepper.
fn proof(pepper: &Pepper) -> Vec<u8> {
    pepper.derive("check", b"").to_vec()
}

/// Whether the database was filled under this pepper.
pub fn belongs(installation: &Installation, pepper: &Pepper) -> bool {
    installation.pepper_check.ct_eq(&proof(pepper)).into()
}

/// Checks that the pepper is the one that the database was filled under, or writes down that a new database's is.
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
                // Another node was first; its pepper is the one that counts.
                Err(error) if error.is_duplicate() => db.read(installation::find)?.unwrap_or(new),
                Err(error) => return Err(error.into()),
            }
        }
    };
    if belongs(&installation, pepper) {
        return Ok(installation);
    }
    Err(StartError::Pepper(format!(
        "{}: this pepper does not belong to the database. Put back the file that does, or use the database that belongs to \
         this one (DATABASE_URL, JETON_DATA_DIR).",
        folder.join("pepper").display()
    )))
}
