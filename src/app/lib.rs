//! What happens when somebody does something: the verbs, the hot path, and work in the background.
//!
//! A verb takes proof of who asks (an [`sessions::Actor`], or an identity that [`verify`] has accepted), runs one
//! transaction, and returns what a page or an API needs to answer.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

pub mod account;
pub mod activity;
mod attempts;
pub mod authority;
pub mod background;
pub mod backups;
pub mod billing;
pub mod calls;
pub mod clock;
pub mod demo;
pub mod email_changes;
pub mod forms;
pub mod installation;
pub mod inventory;
pub mod invitations;
pub mod leaks;
pub mod link_code;
pub mod log;
pub mod mail;
pub mod maintenance;
pub mod metrics;
pub mod nodes;
mod noted_epoch;
pub mod operator;
pub mod organizations;
pub mod password_links;
mod passwords;
pub mod permission_sets;
pub mod problem;
pub mod protected_apis;
pub mod random;
pub mod revocations;
mod seal;
mod secrets;
pub mod service_users;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod tokens;
pub mod users;
pub mod verify;

use clock::Clock;
use domain::{permission::Permission, token::Pepper};
use problem::Problems;
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicI64},
};
use storage::{
    AnyConnection, DatabaseUrl, Db, Failure, StorageError, Trouble,
    epoch::{self, Touched},
};

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// What was entered cannot be taken: the form comes back with a message at each field.
    #[error("{0}")]
    Invalid(#[from] Problems),
    /// There is no such thing, or it belongs to somebody else.
    #[error("not found")]
    NotFound,
    /// They do not hold the permission that it takes.
    #[error("the permission {} is missing", .0.key())]
    Forbidden(Permission),
    /// Nobody is signed in, or not any more.
    #[error("not signed in")]
    SignedOut,
    /// More attempts than are let through; after this many seconds there may be another.
    #[error("too many attempts; again in {0} s")]
    TooManyAttempts(u64),
    /// The queue is full; after this many seconds it may have room.
    #[error("busy; again in {0} s")]
    Busy(u64),
    /// The clock cannot be believed, so that nothing that rests on it is said or written.
    #[error(transparent)]
    Clock(#[from] clock::Untrusted),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database failed, and what was to end goes on.
    #[error("nothing was revoked or ended, and what was to end goes on: {0}")]
    NotEnded(StorageError),
    /// A part of Jeton itself failed.
    #[error("{0}")]
    Broken(String),
}

/// What verbs return.
pub type Result<T> = std::result::Result<T, AppError>;

impl storage::Failure for AppError {
    fn of_storage(&self) -> Option<&StorageError> {
        match self {
            Self::Storage(error) | Self::NotEnded(error) => Some(error),
            _ => None,
        }
    }
}

impl AppError {
    /// Whether the database fails, not Jeton: the same may work again once that is over.
    pub fn is_passing(&self) -> bool {
        self.of_storage().is_some_and(StorageError::is_passing)
    }

    /// The same error of what was to end something.
    fn not_ended(self) -> Self {
        match self {
            Self::Storage(error) if error.is_passing() => Self::NotEnded(error),
            error => error,
        }
    }
}

/// Why Jeton does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder or file cannot be used.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The pepper and the database do not belong together.
    #[error("{0}")]
    Pepper(String),
    /// The database has lost commits.
    #[error("{0}")]
    WentBack(String),
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The system has no threads for it.
    #[error("threads: {0}")]
    Threads(std::io::Error),
    /// Mail cannot be sent at all.
    #[error("mail: {0}")]
    Mail(std::io::Error),
}

/// What Jeton needs to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the database is.
    pub database: DatabaseUrl,
    /// Where the pepper is kept; created if it is missing.
    pub data_dir: PathBuf,
    /// What time it is.
    pub clock: Clock,
    /// Whether this is a demonstration.
    pub is_demo: bool,
    /// How mail is sent, if it is.
    pub mail: Option<mail::Settings>,
    /// Where GitHub's public keys are, by which its reports of leaked keys are told from others'.
    pub github_keys: Option<PathBuf>,
}

/// A running Jeton, shared by all its requests.
pub struct Jeton {
    db: Db,
    clock: Clock,
    /// The newest entry of the log while the clock was believed for the last time.
    last_entry: AtomicI64,
    pepper: Pepper,
    is_demo: bool,
    setup_code: String,
    fingerprint: String,
    passwords: passwords::Hasher,
    attempts: attempts::Attempts,
    mail: Option<Arc<mail::Mailer>>,
    github: Option<leaks::GitHub>,
    noted_epoch: noted_epoch::NotedEpoch,
    node: nodes::ThisNode,
    signer: revocations::Signer,
    verifier: Arc<verify::Shared>,
}

impl Jeton {
    /// Opens the database, brings its schema up to date and checks that the pepper belongs to it.
    ///
    /// # Errors
    /// [`StartError`] says what has to be mended.
    pub fn open(settings: Settings) -> std::result::Result<Self, StartError> {
        secrets::create_folder(&settings.data_dir)?;
        let db = Db::open(settings.database)?;
        let known = db.read(storage::installation::find)?;
        let pepper = secrets::pepper(&settings.data_dir, known.is_some())?;
        let installation =
            secrets::check(&db, &pepper, known, settings.is_demo, settings.clock.now(), &settings.data_dir)?;
        let (epoch, time) = db.read(epoch::read_with_time)?;
        let noted_epoch = noted_epoch::NotedEpoch::new(&settings.data_dir);
        noted_epoch.check(epoch)?;
        if let Some(time) = time {
            settings.clock.follow(time);
        }
        let newest = db.read(storage::activity::newest)?;
        settings.clock.compare(newest.map(|(_, at)| at));
        let mail = settings.mail.map(|mail| mail::Mailer::start(mail, db.clone(), &pepper, settings.clock.clone()));
        let signer = revocations::Signer::new(&pepper);
        let verifier = verify::Shared::new(db.clone(), pepper.clone(), settings.clock.clone());
        let setup_code = random::hex(&pepper.derive("set-up", b""));
        let fingerprint = random::hex(&pepper.derive("fingerprint", b"")[..4]);
        Ok(Self {
            db,
            pepper,
            is_demo: installation.is_demo,
            setup_code,
            fingerprint,
            passwords: passwords::Hasher::start().map_err(StartError::Threads)?,
            attempts: attempts::Attempts::new(),
            mail: mail.transpose().map_err(StartError::Mail)?.map(Arc::new),
            github: settings.github_keys.map(leaks::GitHub::open).transpose()?,
            clock: settings.clock,
            last_entry: newest.map_or(0, |(id, _)| id).into(),
            noted_epoch,
            node: nodes::ThisNode::starting(),
            signer,
            verifier: Arc::new(verifier),
        })
    }

    /// The same with a database and a pepper that are there already, as commands beside a server do: nothing is made.
    ///
    /// # Errors
    /// [`StartError`] says what is missing.
    pub fn open_existing(settings: Settings) -> std::result::Result<Self, StartError> {
        settings.database.connect_to_read()?;
        secrets::pepper(&settings.data_dir, true)?;
        Self::open(settings)
    }

    /// The clock that everything here goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether pages say that this is a demonstration.
    pub fn is_demo(&self) -> bool {
        self.is_demo
    }

    /// Whether there is a server that takes mail.
    pub fn sends_mail(&self) -> bool {
        self.mail.is_some()
    }

    /// Waits a little for mail that is on its way, as before a stop; what waits for its next try goes on to wait.
    pub async fn finish_mail(&self) {
        if let Some(mailer) = &self.mail {
            mailer.finish().await;
        }
    }

    /// What tells this installation from others, on every node with the same pepper: 8 hexadecimal digits, no secret.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Runs a blocking `work` away from the threads that serve requests.
    async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(stopped) => Err(AppError::Broken(stopped.to_string())),
        }
    }

    /// [`Db::read`] for verbs.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = self.db.clone();
        Self::blocking(move || db.read(work)).await
    }

    /// The database, for verbs that write.
    ///
    /// # Errors
    /// While a form is only to be shown, or the clock is in doubt: what is written has a moment.
    fn writable(&self) -> Result<&Db> {
        forms::may_write()?;
        self.clock.trusted()?;
        Ok(&self.db)
    }

    /// [`Db::write`] for verbs.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = self.writable()?.clone();
        Self::blocking(move || db.write(work)).await
    }

    /// [`Db::change_authority`] for verbs, as [`Jeton::write`].
    async fn change_authority<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = self.writable()?.clone();
        Self::blocking(move || db.change_authority(work)).await
    }

    /// [`Db::change_keys`] for verbs, as [`Jeton::write`].
    async fn change_keys<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<(T, Touched)> + Send + 'static,
    ) -> Result<T> {
        let db = self.writable()?.clone();
        Self::blocking(move || db.change_keys(work)).await
    }

    /// [`Jeton::write`] also while the disk is full: for what ends something, and for signing in, without which nobody
    /// could end anything.
    async fn write_with_reserve<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = self.writable()?.with_reserve();
        Self::blocking(move || db.write(work)).await
    }

    /// The same for verbs that end something. A failure says that they have not.
    async fn end<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_with_reserve(work).await.map_err(AppError::not_ended)
    }

    /// [`Jeton::change_authority`] for verbs that end something.
    async fn end_authority<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = self.writable()?.with_reserve();
        Self::blocking(move || db.change_authority(work)).await.map_err(AppError::not_ended)
    }

    /// [`Jeton::change_keys`] for verbs that end something.
    async fn end_keys<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<(T, Touched)> + Send + 'static,
    ) -> Result<T> {
        let db = self.writable()?.with_reserve();
        Self::blocking(move || db.change_keys(work)).await.map_err(AppError::not_ended)
    }

    /// Whether the database fails at this moment, as far as is known.
    pub fn database_fails(&self) -> bool {
        self.db.health().fails()
    }

    /// For what is done after its answer.
    ///
    /// # Errors
    /// When the database is known to fail.
    fn needs_database(&self) -> Result<()> {
        match self.database_fails() {
            true => Err(StorageError::Trouble(Trouble::Broken, "it saves nothing at the moment".into()).into()),
            false => Ok(()),
        }
    }

    /// Finds out whether the database takes writes, if that is not known any more. To be called every few seconds.
    ///
    /// # Errors
    /// When that cannot be done at all.
    pub async fn look_after_database(&self) -> Result<()> {
        let db = self.db.clone();
        Self::blocking(move || {
            db.look_after();
            Ok(())
        })
        .await
    }
}
