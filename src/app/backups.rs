//! Backups of a SQLite database, and restoring them.
//!
//! A backup is one file: a copy of the database, with the pepper unless it is left out. A restored database does not
//! know what has ended since the backup: revoked keys would be accepted again. So the operator decides what happens to
//! its tokens, unless the replaced database shows which have ended. The epoch continues from the higher of the two
//! databases, so that the remembered epoch (`noted_epoch`) still protects against older databases.

use super::{
    AppError, StartError, leaks,
    noted_epoch::NotedEpoch,
    operator::{self, Operator},
    random, secrets,
    tokens::revoke_key,
};
use domain::{
    access::Identity,
    activity::{Action, Detail},
    time::Timestamp,
    token::{KeyDigest, Pepper, RevokedBy},
};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
};
use storage::{
    AnyConnection, DatabaseUrl, InUse, StorageError, activity, backups,
    epoch::{self, Touched},
    installation::{self, Installation},
    tokens::{self, Revocation},
};

/// Why a backup was not created or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The operator must decide or do something else, as the text says.
    #[error("{0}")]
    Refused(String),
    /// A file, the pepper or the database cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database failed.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StorageError> for BackupError {
    fn from(error: StorageError) -> Self {
        Self::Start(error.into())
    }
}

type Result<T> = std::result::Result<T, BackupError>;

/// Writes a backup to a new file that only its owner can read, and returns its size in bytes. A server may be running.
///
/// # Errors
/// When the backup fails, in which case no file is left.
pub fn make(
    _: Operator,
    database: &DatabaseUrl,
    folder: &Path,
    file: &Path,
    with_pepper: bool,
    now: Timestamp,
) -> Result<u64> {
    let pepper_file = folder.join("pepper");
    if let DatabaseUrl::Postgres(_) = database {
        return Err(BackupError::Refused(format!(
            "Postgres has its own program for this, pg_dump; also keep {}, which a dump does not include",
            pepper_file.display()
        )));
    }
    let mut from = database.connect_to_copy()?;
    let known = installation::find(&mut from)?.ok_or_else(|| StorageError::Missing(database.place()))?;
    let pepper = if with_pepper { Some(its_pepper(&pepper_file, &known)?) } else { None };
    let label = backups::Label { made_at: now.rfc3339(), version: env!("CARGO_PKG_VERSION").into(), pepper };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            BackupError::Refused(format!("{} already exists, and a backup overwrites nothing", file.display()))
        }
        _ => failed(file)(error).into(),
    })?;
    let written = backups::write(&mut from, file, &label).map_err(BackupError::from).and_then(|()| keep(file));
    written.inspect_err(|_| drop(fs::remove_file(file)))
}

fn its_pepper(path: &Path, known: &Installation) -> Result<String> {
    let text = fs::read_to_string(path).map_err(failed(path));
    let text = text.map_err(|error| BackupError::Refused(format!("{error}; --without-pepper leaves it out")))?;
    read_pepper(&text, known).ok_or_else(|| not_its(path))
}

/// Ensures that a file survives a power cut, and returns its size.
fn keep(file: &Path) -> Result<u64> {
    let kept = File::open(file).and_then(|opened| {
        opened.sync_all()?;
        secrets::keep_name(file)?;
        Ok(opened.metadata()?.len())
    });
    Ok(kept.map_err(failed(file))?)
}

/// What happens to the tokens in a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// All are revoked.
    RevokeAll,
    /// All work as at the time of the backup, even those that have ended since.
    KeepAll,
    /// Those that have ended since according to the replaced database are revoked.
    AsReplaced,
}

/// What to restore, and how.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The database to restore to.
    pub database: &'a DatabaseUrl,
    /// The data folder.
    pub folder: &'a Path,
    /// The backup file.
    pub file: &'a Path,
    /// Whether an existing database may be set aside.
    pub replace: bool,
    /// What happens to its tokens.
    pub tokens: Tokens,
}

/// The result of a restore.
#[derive(Clone, Debug)]
pub struct Restored {
    /// When the backup was created, in RFC 3339.
    pub made_at: String,
    /// How many keys were revoked.
    pub revoked: usize,
    /// Where the replaced database is now.
    pub set_aside: Option<PathBuf>,
}

/// Restores a backup in place of a database that is not in use.
///
/// # Errors
/// When the restore fails, or the operator must decide something. Nothing changes until everything is ready.
pub fn restore(_: Operator, order: &Order<'_>, now: Timestamp) -> Result<Restored> {
    let DatabaseUrl::Sqlite(target) = order.database else {
        return Err(BackupError::Refused("Postgres has its own programs for this: pg_restore or psql".into()));
    };
    let (mut backup, label) = backups::read(order.file)?;
    let known =
        installation::find(&mut backup)?.ok_or_else(|| StorageError::Missing(order.file.display().to_string()))?;
    let epoch = epoch::read(&mut backup)?;
    drop(backup);
    let _nobody_else = InUse::forbid(target)?;
    let new_pepper = choose_pepper(order, &label, &known)?;
    let is_there = target.exists();
    if is_there && !order.replace {
        return Err(BackupError::Refused(format!(
            "{} already exists: --replace renames it and keeps it in the same folder",
            target.display()
        )));
    }
    let before = if is_there { look_back(target, &known, epoch, now)? } else { None };
    if order.tokens == Tokens::AsReplaced && before.is_none() {
        return Err(undecided(&label));
    }
    secrets::create_folder(order.folder)?;
    let new = beside(target, "restoring");
    drop(fs::remove_file(&new));
    let prepared = copy(order.file, &new).and_then(|()| prepare(&new, order.tokens, before, &label, now));
    let (epoch, revoked) = prepared.inspect_err(|_| drop(fs::remove_file(&new)))?;
    let set_aside = put_in_place(order, target, &new, new_pepper.as_deref(), now)?;
    NotedEpoch::new(order.folder).note(epoch).map_err(failed(order.folder))?;
    for file in [target.clone(), order.folder.join("pepper"), order.folder.join("epoch")] {
        hand_over(&file).map_err(failed(&file))?;
    }
    Ok(Restored { made_at: label.made_at, revoked, set_aside: is_there.then_some(set_aside) })
}

fn undecided(label: &backups::Label) -> BackupError {
    BackupError::Refused(format!(
        "this backup is of {}. Tokens that were revoked since then would be accepted again, and nothing here shows \
         which. Choose one: --revoke-all revokes every token in it, so that new ones must be \
         created; --keep-tokens keeps every token in it active",
        label.made_at
    ))
}

/// Returns the pepper to write, if the one in the data folder is not the backup's.
fn choose_pepper(order: &Order<'_>, label: &backups::Label, known: &Installation) -> Result<Option<String>> {
    let path = order.folder.join("pepper");
    let there = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        // A damaged file counts as another pepper.
        read => Some(String::from_utf8_lossy(&read.map_err(failed(&path))?).into_owned()),
    };
    if there.as_deref().is_some_and(|text| read_pepper(text, known).is_some()) {
        return Ok(None);
    }
    match (&label.pepper, there) {
        (Some(pepper), _) if read_pepper(pepper, known).is_none() => Err(not_its(order.file)),
        (Some(_), Some(_)) if !order.replace => Err(BackupError::Refused(format!(
            "{} is not the pepper of the backup: --replace renames it and keeps it in the same folder",
            path.display()
        ))),
        (Some(pepper), _) => Ok(Some(pepper.clone())),
        (None, Some(_)) => Err(not_its(&path)),
        (None, None) => Err(BackupError::Refused(format!(
            "this backup has no pepper: first put the pepper that belongs to it at {}",
            path.display()
        ))),
    }
}

/// Returns the text of a pepper if it belongs to this installation.
fn read_pepper(text: &str, known: &Installation) -> Option<String> {
    let pepper: Option<Pepper> = secrets::parse(text);
    pepper.is_some_and(|pepper| secrets::belongs(known, &pepper)).then(|| format!("{}\n", text.trim()))
}

fn not_its(path: &Path) -> BackupError {
    BackupError::Refused(format!("{}: this pepper does not belong to the database", path.display()))
}

/// What the replaced database knows.
struct Before {
    /// The keys that it accepts, by their digests.
    live: HashMap<KeyDigest, Identity>,
    epoch: i64,
}

/// Reads the database to be replaced, which is not in use. Returns `None` if it cannot be compared with the backup: it
/// is damaged, of another installation, older than the backup, or of a version that cannot be read.
fn look_back(target: &Path, known: &Installation, backup: i64, now: Timestamp) -> Result<Option<Before>> {
    let Some(mut database) = backups::take_out_of_use(target)? else { return Ok(None) };
    let mut ask = || -> Result<Option<Before>> {
        let found = installation::find(&mut database)?;
        let epoch = epoch::read(&mut database)?;
        if epoch < backup || found.is_none_or(|found| found.pepper_check != known.pepper_check) {
            return Ok(None);
        }
        Ok(Some(Before { live: live(&mut database, now)?, epoch }))
    };
    Ok(ask().ok().flatten())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut made = made.map_err(failed(to))?;
    let mut read = File::open(from).map_err(failed(from))?;
    io::copy(&mut read, &mut made).map_err(failed(to))?;
    Ok(())
}

/// Turns the copy of a backup into a database for a server. Returns its epoch, and how many keys were revoked.
fn prepare(
    new: &Path,
    what: Tokens,
    before: Option<Before>,
    label: &backups::Label,
    now: Timestamp,
) -> Result<(i64, usize)> {
    let mut connection = backups::unpack(new)?;
    storage::bring_up_to_date(&mut connection)?;
    let mut ended = live(&mut connection, now)?;
    if let Some(before) = &before {
        epoch::raise(&mut connection, before.epoch)?;
    }
    match (what, before) {
        (Tokens::RevokeAll, _) => {}
        (Tokens::AsReplaced, Some(before)) => ended.retain(|digest, _| !before.live.contains_key(digest)),
        (Tokens::KeepAll | Tokens::AsReplaced, _) => ended.clear(),
    }
    let revoked = note_and_revoke(&mut connection, ended.into_values().collect(), label, now)?;
    backups::end_sessions(&mut connection)?;
    // No node uses this file yet, so nobody has to wait for the change.
    let _ = epoch::step(&mut connection, &Touched::Everything)?;
    let epoch = epoch::read(&mut connection)?;
    drop(connection);
    keep(new)?;
    Ok((epoch, revoked))
}

/// Returns the keys that are accepted, by their digests.
fn live(connection: &mut AnyConnection, now: Timestamp) -> Result<HashMap<KeyDigest, Identity>> {
    let digests = tokens::unrevoked(connection)?;
    let known = leaks::look_up(connection, &digests)?.into_iter();
    let is_live = |identity: &Identity| identity.subject.is_active;
    let live = known.filter(|(_, (identity, life))| life.is_active(now) && is_live(identity));
    Ok(live.map(|(digest, (identity, _))| (digest, identity)).collect())
}

/// Logs in each organization that it continues from a backup, and revokes these keys. Returns how many.
fn note_and_revoke(
    connection: &mut AnyConnection,
    mut ended: Vec<Identity>,
    label: &backups::Label,
    now: Timestamp,
) -> Result<usize> {
    ended.sort_unstable_by_key(|identity| (identity.subject.organization.id, identity.token));
    let restored = operator::entry(None, Action::InstallationRestored, now);
    operator::insert_everywhere(
        connection,
        activity::Entry { detail: Some(Detail::parse(Action::InstallationRestored, &label.made_at)), ..restored },
    )?;
    let reason = format!("A backup of {} was restored", label.made_at);
    let revocation = || Revocation { by: RevokedBy::Operator, name: None, reason: Some(&reason) };
    let mut entries = Vec::new();
    for identity in &ended {
        if revoke_key(connection, identity, revocation(), now)? {
            entries.push(activity::Entry {
                target: identity.subject.user,
                target_name: identity.subject.user.map(|_| identity.subject.display_name.as_str()),
                token: Some((&identity.token_public_id, &identity.label)),
                detail: Some(Detail::words(&reason)),
                ..operator::entry(Some(identity.subject.organization.id), Action::TokenRevoked, now)
            });
        }
    }
    activity::insert_all(connection, &entries)?;
    Ok(entries.len())
}

/// Renames the existing files and puts the new ones in their place. Returns where the replaced database is now.
///
/// If this is interrupted, Jeton does not start: the database is missing, is older than the remembered epoch, or does
/// not belong to the pepper.
fn put_in_place(order: &Order<'_>, target: &Path, new: &Path, pepper: Option<&str>, now: Timestamp) -> Result<PathBuf> {
    let word = format!("replaced-{}-{}", now.rfc3339().replace(':', ""), hex::encode(random::bytes::<2>()));
    let set_aside = beside(target, &word);
    // These files exist if the database is damaged, or was not closed.
    for end in ["", "-wal", "-shm", "-journal"] {
        rename(&with_end(target, end), &with_end(&set_aside, end))?;
    }
    if let Some(text) = pepper {
        let path = order.folder.join("pepper");
        rename(&path, &beside(&path, &word))?;
        secrets::write_file(&path, text).map_err(failed(&path))?;
    }
    rename(new, target)?;
    secrets::keep_name(target).map_err(failed(target))?;
    Ok(set_aside)
}

/// Gives a file that root created to the owner of its folder, as which the server runs.
fn hand_over(file: &Path) -> io::Result<()> {
    const ROOT: u32 = 0;
    let folder = fs::metadata(storage::folder_of(file))?;
    if fs::metadata(file)?.uid() == ROOT && folder.uid() != ROOT {
        chown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

/// Renames a file, if it exists.
fn rename(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => Ok(renamed.map_err(failed(from))?),
    }
}

fn beside(path: &Path, word: &str) -> PathBuf {
    with_end(path, &format!(".{word}"))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StartError {
    let path = path.to_owned();
    |error| StartError::File { path, error }
}
