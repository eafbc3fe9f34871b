//! Work in the background: uses reach the database, what has expired is written down, ended sessions and links are
//! removed, and mails given up that nobody takes.

use super::{AppError, Jeton, Result, log};
use crate::{
    domain::activity::{Action, Source},
    storage::{
        AnyConnection, StorageError, activity, email_changes, epoch, invitations, password_links, sessions, tokens,
    },
};
use std::time::Duration;

/// How often.
pub const EVERY: Duration = Duration::from_secs(60);
/// Longest that is waited for the database where a stop waits, too: longer than Postgres lets a statement run.
const LONGEST: Duration = Duration::from_secs(11);
/// Most tokens that are written down as expired in one transaction.
const BATCH: i64 = 500;

impl Jeton {
    /// One round of the work. What fails is logged and tried again in the next round.
    pub async fn keep_house(&self) {
        // A token whose last use is still in memory must not be taken for expired.
        let expiry = match self.flush_usage().await {
            Ok(()) => self.write_down_expired().await,
            not_written => not_written,
        };
        let rotation = self.end_quiet_keys().await;
        let rounds = [
            ("clock and epoch", self.note_epoch().await),
            ("tokens", expiry),
            ("old keys", rotation),
            ("sessions", self.sweep_sessions().await),
            ("password links", self.sweep_links().await),
            ("invitations", self.sweep_invitations().await),
            ("new e-mail addresses", self.sweep_email_changes().await),
            ("mails", self.sweep_mails().await),
            ("calls", self.sweep_calls().await),
            ("receipts", self.sweep_receipts().await),
            ("changes of authority", self.write(|connection| Ok(epoch::forget_old_changes(connection)?)).await),
        ];
        for (what, done) in rounds {
            match done {
                // Told once, by the database.
                Err(error) if error.is_passing() => tracing::debug!(%error, "the {what} are left as they are"),
                Err(error) => tracing::error!(%error, "the {what} could not be brought up to date"),
                Ok(()) => {}
            }
        }
        self.attempts.sweep();
        log::tell_left_out();
    }

    /// Follows the database's clock also while nobody asks about tokens, and remembers its epoch.
    ///
    /// # Errors
    /// When the database fails, its clock has jumped, or the file cannot be written.
    pub async fn note_epoch(&self) -> Result<()> {
        let (clock, noted) = (self.clock.clone(), self.noted_epoch.clone());
        let work = self.read(move |connection| {
            let (epoch, time) = epoch::read_with_time(connection)?;
            if let Some(time) = time {
                clock.follow(time).map_err(|jumped| AppError::Broken(jumped.to_string()))?;
            }
            noted.check(epoch).map_err(|older| AppError::Broken(older.to_string()))?;
            noted.note(epoch).map_err(|error| AppError::Broken(error.to_string()))
        });
        in_time(LONGEST, work).await
    }

    /// Writes the uses that are still in memory to the database, as before a stop.
    ///
    /// # Errors
    /// When the database fails; the uses are kept. Or when it does not answer: then it may still do so.
    pub async fn flush_usage(&self) -> Result<()> {
        in_time(LONGEST, self.write_uses()).await
    }

    /// The same before something ends. A database that takes nothing but that must not keep it from ending: it is never
    /// so far behind that a token that works seems to have expired ([`super::verify`] sees to that).
    ///
    /// # Errors
    /// When Jeton itself fails.
    pub(super) async fn flush_before_ending(&self) -> Result<()> {
        match self.flush_usage().await {
            Err(error) if error.is_passing() => Ok(()),
            flushed => flushed,
        }
    }

    /// Waits until there are so many uses in memory that they should be written before the next round.
    pub async fn many_uses(&self) {
        self.verifier.usage().is_much().await;
    }

    /// Writes them, for as long as a round takes if need be: another batch beside this one would not be faster.
    ///
    /// # Errors
    /// As [`Jeton::flush_usage`].
    pub async fn flush_many_uses(&self) -> Result<()> {
        in_time(EVERY, self.write_uses()).await
    }

    async fn write_uses(&self) -> Result<()> {
        let (verifier, db) = (self.verifier.clone(), self.db.clone());
        Self::blocking(move || verifier.usage().flush(&db)).await
    }

    async fn write_down_expired(&self) -> Result<()> {
        let now = self.clock.now();
        self.write(move |connection| {
            let (due, source) = (tokens::due(connection, now, BATCH)?, Source::default());
            let mut entries = Vec::new();
            for due in &due {
                if tokens::expire(connection, due.id, now)? {
                    entries.push(expiry_of(due, now, &source));
                }
            }
            Ok(activity::insert_all(connection, &entries)?)
        })
        .await
    }

    async fn sweep_links(&self) -> Result<()> {
        let now = self.clock.now();
        self.write(move |connection| Ok(password_links::sweep(connection, now).map(drop)?)).await
    }

    async fn sweep_sessions(&self) -> Result<()> {
        let now = self.clock.now();
        self.write(move |connection: &mut AnyConnection| Ok(sessions::sweep(connection, now).map(drop)?)).await
    }

    async fn sweep_email_changes(&self) -> Result<()> {
        let now = self.clock.now();
        self.write(move |connection: &mut AnyConnection| Ok(email_changes::sweep(connection, now).map(drop)?)).await
    }

    async fn sweep_invitations(&self) -> Result<()> {
        let now = self.clock.now();
        self.write(move |connection: &mut AnyConnection| Ok(invitations::sweep(connection, now).map(drop)?)).await
    }
}

/// Gives up what the database does not answer.
async fn in_time(longest: Duration, work: impl Future<Output = Result<()>>) -> Result<()> {
    let late = |_| Err(StorageError::Connection("it does not answer".into()).into());
    tokio::time::timeout(longest, work).await.unwrap_or_else(late)
}

fn expiry_of<'a>(due: &'a tokens::Due, now: crate::domain::time::Timestamp, source: &'a Source) -> activity::Entry<'a> {
    activity::Entry {
        token: Some((&due.public_id, &due.label)),
        ..activity::Entry::new(Some(due.organization), Action::TokenExpired, now, source)
    }
}
