//! The application: the verbs, the hot path and background tasks.
//!
//! A verb takes the evidence of who calls it (an [`sessions::Actor`], or a token that [`verify`] has accepted), runs
//! one transaction, and returns what a page or an API needs for its answer.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

pub mod access_rules;
pub mod account;
pub mod activity;
mod attempts;
pub mod audience;
pub mod authority;
pub mod background;
pub mod backups;
pub mod billing;
pub mod calls;
pub mod clock;
pub mod demo;
pub mod directory;
pub mod email_changes;
pub mod entities;
pub mod evaluations;
pub mod explanations;
mod external_ids;
pub mod forms;
pub mod groups;
pub mod installation;
pub mod inventory;
pub mod invitations;
pub mod items;
pub mod kept_answers;
pub mod kinds;
pub mod leaks;
pub mod link_code;
pub mod log;
pub mod mail;
pub mod maintenance;
pub mod members;
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
pub mod recipients;
pub mod refused_organizations;
pub mod request_limit;
pub mod requester;
pub mod revocations;
mod seal;
mod secrets;
pub mod service_users;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod sites;
pub mod tokens;
pub mod users;
pub mod verify;

use clock::Clock;
use domain::{access::Refusal, permission::BuiltInPermission, token::Pepper};
use problem::Problems;
use std::{
    num::NonZeroU32,
    path::PathBuf,
    sync::{Arc, atomic::AtomicI64},
    time::Instant,
};
use storage::{
    AnyConnection, Changed, DatabaseUrl, Db, Failure, StorageError, Trouble,
    epoch::{self, Touched},
};

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The input is invalid: the form is shown again with a message at each field.
    #[error("{0}")]
    Invalid(#[from] Problems),
    /// It does not exist, or belongs to somebody else.
    #[error("not found")]
    NotFound,
    /// The caller lacks the required permission.
    #[error("the permission {} is missing", .0.key())]
    Forbidden(BuiltInPermission),
    /// A check about an item refuses: that of the token, the scope, the permission or the level.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// Nobody is signed in, or the session has ended.
    #[error("not signed in")]
    SignedOut,
    /// Too many attempts; the next one is allowed after this many seconds.
    #[error("too many attempts; try again in {0} s")]
    TooManyAttempts(u64),
    /// The queue is full, but may have room after this many seconds.
    #[error("busy; try again in {0} s")]
    Busy(u64),
    /// The clock cannot be trusted, so nothing that depends on it is decided or written.
    #[error(transparent)]
    Clock(#[from] clock::Untrusted),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database failed, so what was to end has not ended.
    #[error("nothing was revoked or ended: {0}")]
    NotEnded(StorageError),
    /// A part of Jeton itself failed.
    #[error("{0}")]
    Broken(String),
}

/// The result of verbs.
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
    /// Returns whether the database failed, not Jeton itself: the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        self.of_storage().is_some_and(StorageError::is_passing)
    }

    /// Returns the same error for a verb that ends something.
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
        /// The path.
        path: PathBuf,
        /// The reason.
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
    /// The system cannot create threads.
    #[error("threads: {0}")]
    Threads(std::io::Error),
    /// Mail cannot be sent at all.
    #[error("mail: {0}")]
    Mail(std::io::Error),
}

/// What Jeton needs to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The URL of the database.
    pub database: DatabaseUrl,
    /// The folder of the pepper; created if it is missing.
    pub data_dir: PathBuf,
    /// The clock.
    pub clock: Clock,
    /// Whether this is a demonstration.
    pub is_demo: bool,
    /// How mail is sent; `None` for no mail.
    pub mail: Option<mail::Settings>,
    /// The file with GitHub's public keys, which verify GitHub's own reports of leaked keys.
    pub github_keys: Option<PathBuf>,
    /// How many requests a token may send in a minute; `None` for no limit.
    pub requests_per_minute: Option<NonZeroU32>,
}

/// The state of a running Jeton, shared by all requests.
pub struct Jeton {
    db: Db,
    clock: Clock,
    /// The newest entry of the activity log when the clock was last trusted.
    last_entry: AtomicI64,
    pepper: Pepper,
    is_demo: bool,
    setup_code: String,
    fingerprint: String,
    passwords: passwords::Hasher,
    attempts: attempts::Attempts,
    request_limit: request_limit::RequestLimit,
    running: kept_answers::Running,
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
    /// [`StartError`] says what must be fixed.
    pub fn open(settings: Settings) -> std::result::Result<Self, StartError> {
        secrets::create_folder(&settings.data_dir)?;
        let db = Db::open(settings.database)?;
        let known = db.read(storage::installation::find)?;
        let pepper = secrets::pepper(&settings.data_dir, known.is_some())?;
        let installation =
            secrets::check(&db, &pepper, known, settings.is_demo, settings.clock.now(), &settings.data_dir)?;
        let epoch::Reading { epoch, time, .. } = db.read(epoch::reading)?;
        let noted_epoch = noted_epoch::NotedEpoch::new(&settings.data_dir);
        noted_epoch.check(epoch)?;
        if let Some(time) = time {
            settings.clock.follow(time);
        }
        let newest = db.read(storage::activity::newest)?;
        settings.clock.compare(newest.map(|(_, at)| at));
        let mail = settings.mail.map(|mail| mail::Mailer::start(mail, db.clone(), &pepper, settings.clock.clone()));
        let signer = revocations::Signer::new(&pepper);
        let verifier = verify::Shared::new(db.clone(), pepper.clone(), settings.clock.clone())?;
        let setup_code = hex::encode(pepper.derive("set-up", b""));
        let fingerprint = hex::encode(&pepper.derive("fingerprint", b"")[..4]);
        Ok(Self {
            db,
            pepper,
            is_demo: installation.is_demo,
            setup_code,
            fingerprint,
            passwords: passwords::Hasher::start().map_err(StartError::Threads)?,
            attempts: attempts::Attempts::new(),
            request_limit: request_limit::RequestLimit::new(settings.requests_per_minute),
            running: kept_answers::Running::default(),
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

    /// Opens an existing database with its pepper, and creates neither, as commands next to a server do.
    ///
    /// # Errors
    /// [`StartError`] says what is missing.
    pub fn open_existing(settings: Settings) -> std::result::Result<Self, StartError> {
        settings.database.connect_to_read()?;
        secrets::pepper(&settings.data_dir, true)?;
        Self::open(settings)
    }

    /// The clock of the whole application.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether pages say that this is a demonstration.
    pub fn is_demo(&self) -> bool {
        self.is_demo
    }

    /// Whether a mail server is configured.
    pub fn sends_mail(&self) -> bool {
        self.mail.is_some()
    }

    /// Waits a short time for mail that is being sent, before a shutdown. Mail that waits for its next attempt stays
    /// queued.
    pub async fn finish_mail(&self) {
        if let Some(mailer) = &self.mail {
            mailer.finish().await;
        }
    }

    /// The fingerprint of this installation, the same on every node with the same pepper: 8 hexadecimal digits, not
    /// secret.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Runs blocking `work` on a thread that serves no requests.
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

    /// Returns the database for verbs that write.
    ///
    /// # Errors
    /// While a form may only be shown, or the clock is in doubt, as everything that is written has a time.
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

    /// [`Jeton::change_keys`] for changes that may affect all keys.
    async fn change_authority<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.change_keys(and_everything(work)).await
    }

    /// [`Db::change_keys`] for verbs, as [`Jeton::write`].
    async fn change_keys<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<(T, Touched)> + Send + 'static,
    ) -> Result<T> {
        self.change_with(self.writable()?.clone(), work).await
    }

    /// [`Jeton::write`] that also works while the disk is full: for verbs that end something, and for signing in,
    /// without which nobody could end anything.
    async fn write_with_reserve<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = self.writable()?.with_reserve();
        Self::blocking(move || db.write(work)).await
    }

    /// [`Jeton::write_with_reserve`] for verbs that end something. An error says that nothing has ended.
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
        self.end_keys(and_everything(work)).await
    }

    /// [`Jeton::change_keys`] for verbs that end something.
    async fn end_keys<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut AnyConnection) -> Result<(T, Touched)> + Send + 'static,
    ) -> Result<T> {
        self.change_with(self.writable()?.with_reserve(), work).await.map_err(AppError::not_ended)
    }

    /// Commits a change of authority, and waits until no node answers without it any more: only then may anybody be told
    /// of it.
    async fn change_with<T: Send + 'static>(
        &self,
        db: Db,
        work: impl FnMut(&mut AnyConnection) -> Result<(T, Touched)> + Send + 'static,
    ) -> Result<T> {
        let verifier = Arc::clone(&self.verifier);
        let change = move || {
            let changed = db.change_keys(work);
            // Also after an error, as it may be about the answer to a commit.
            verifier.forget_freshness();
            changed
        };
        match Self::blocking(change).await {
            Ok(Changed { done, committed, unseen_for }) => {
                self.verifier.wait_until_seen(committed, unseen_for).await;
                Ok(done)
            }
            // A database that failed has told nobody anything.
            Err(error) if error.of_storage().is_some() => Err(error),
            Err(error) => {
                self.wait_for_changes_of_others().await;
                Err(error)
            }
        }
    }

    /// Waits until no node answers any more without what somebody else may just have changed: for whoever is told that
    /// there was nothing left to change.
    async fn wait_for_changes_of_others(&self) {
        if self.verifier.is_only_server() {
            return;
        }
        let begun = Instant::now();
        // Without the database, nobody learns of a change.
        if let Ok(unseen_for) = self.read(|connection| Ok(epoch::longest_freshness(connection)?)).await {
            self.verifier.wait_until_seen(begun, unseen_for).await;
        }
    }

    /// Whether the database is failing right now, as far as this node knows.
    pub fn database_fails(&self) -> bool {
        self.db.health().fails()
    }

    /// Checks the database for work that is done after the answer.
    ///
    /// # Errors
    /// When the database is known to be failing.
    fn needs_database(&self) -> Result<()> {
        match self.database_fails() {
            true => Err(StorageError::Trouble(Trouble::Broken, "it cannot save anything right now".into()).into()),
            false => Ok(()),
        }
    }

    /// Finds out whether the database accepts writes, if the last answer is too old. Must be called every few seconds.
    ///
    /// # Errors
    /// When the check itself cannot run.
    pub async fn look_after_database(&self) -> Result<()> {
        let db = self.db.clone();
        Self::blocking(move || {
            db.look_after();
            Ok(())
        })
        .await
    }
}

/// Returns the same work, as a change that affects all keys.
fn and_everything<T>(
    mut work: impl FnMut(&mut AnyConnection) -> Result<T>,
) -> impl FnMut(&mut AnyConnection) -> Result<(T, Touched)> {
    move |connection| Ok((work(connection)?, Touched::Everything))
}
