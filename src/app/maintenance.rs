//! Maintenance in the background: writes uses to the database, records which tokens have expired, deletes ended
//! sessions and links, and gives up mails that no server accepts. What is too old is only deleted or ended after the
//! clock has been steady for some time.

use super::{AppError, Jeton, Result, log};
use domain::{
    activity::{Action, Source},
    time::{DAY, Timestamp},
};
use std::time::Duration;
use storage::{
    AnyConnection, StorageError, activity, email_changes, epoch, invitations, password_links, sessions, tokens,
};

/// The time between two rounds of maintenance.
pub const EVERY: Duration = Duration::from_secs(60);
/// The timeout of database work for which a shutdown waits: longer than Postgres lets a statement run.
const LONGEST: Duration = Duration::from_secs(11);
/// The maximum number of tokens that are recorded as expired in one transaction.
const BATCH: i64 = 500;
/// From this many tokens that expire at once, there is a warning.
const MANY: usize = 20;
const HOUR: i64 = 3600;

/// Runs one round of maintenance. What fails is logged and tried again in the next round.
pub async fn run(jeton: &Jeton) {
    let uses = flush_usage(jeton).await;
    let are_written = uses.is_ok();
    report([("clock", crate::clock::reconsider(jeton).await), ("epoch", note_epoch(jeton).await), ("uses", uses)]);
    if jeton.clock.is_settled() {
        end_what_is_old(jeton, are_written).await;
    }
    jeton.attempts.sweep();
    jeton.request_limit.sweep();
    log::report_left_out();
}

/// Ends and deletes what is old. Tokens only expire if their uses have been written, as a token whose last use is still
/// in memory must not count as expired.
async fn end_what_is_old(jeton: &Jeton, are_uses_written: bool) {
    if are_uses_written {
        report([("tokens", write_down_expired(jeton).await)]);
    }
    report([
        ("old keys", crate::service_users::end_quiet_keys(jeton).await),
        ("sessions", sweep_sessions(jeton).await),
        ("password links", sweep_links(jeton).await),
        ("invitations", sweep_invitations(jeton).await),
        ("new e-mail addresses", sweep_email_changes(jeton).await),
        ("mails", crate::mail::sweep(jeton).await),
        ("calls", crate::calls::sweep(jeton).await),
        ("kept answers", crate::kept_answers::sweep(jeton).await),
        ("receipts", crate::revocations::sweep(jeton).await),
        ("changes of authority", jeton.write(|connection| Ok(epoch::forget_old_changes(connection)?)).await),
    ]);
}

/// Saves the epoch of the database in the data folder.
///
/// # Errors
/// When the database fails, or the file cannot be written.
pub async fn note_epoch(jeton: &Jeton) -> Result<()> {
    let noted = jeton.noted_epoch.clone();
    let work = jeton.read(move |connection| {
        let epoch = epoch::reading(connection)?.epoch;
        noted.check(epoch).map_err(|older| AppError::Broken(older.to_string()))?;
        noted.note(epoch).map_err(|error| AppError::Broken(error.to_string()))
    });
    in_time(LONGEST, work).await
}

/// Writes the uses that are still in memory to the database, also before a shutdown.
///
/// # Errors
/// When the database fails, in which case the uses are kept, or does not answer in time, in which case they may still
/// be written.
pub async fn flush_usage(jeton: &Jeton) -> Result<()> {
    in_time(LONGEST, write_uses(jeton)).await
}

/// Writes the uses before something ends. If the database cannot write them, whatever is to end must end all the same.
/// The database is never so far behind that an active token seems expired ([`super::verify`] ensures that).
///
/// # Errors
/// When Jeton itself fails, not the database.
pub(super) async fn flush_before_ending(jeton: &Jeton) -> Result<()> {
    match flush_usage(jeton).await {
        Err(error) if error.is_passing() => Ok(()),
        flushed => flushed,
    }
}

/// Waits until there are so many uses in memory that they should be written before the next round.
pub async fn many_uses(jeton: &Jeton) {
    jeton.verifier.usage().is_much().await;
}

/// Writes the uses, for as long as a round of maintenance if necessary: a second batch at the same time would not be
/// faster.
///
/// # Errors
/// As [`flush_usage`].
pub async fn flush_many_uses(jeton: &Jeton) -> Result<()> {
    in_time(EVERY, write_uses(jeton)).await
}

async fn write_uses(jeton: &Jeton) -> Result<()> {
    let (verifier, db) = (jeton.verifier.clone(), jeton.db.clone());
    Jeton::blocking(move || verifier.usage().flush(&db)).await
}

async fn write_down_expired(jeton: &Jeton) -> Result<()> {
    let (now, steady) = (jeton.clock.now(), jeton.clock.steady_for());
    jeton
        .write(move |connection| {
            let (due, source) = (tokens::due(connection, now, BATCH)?, Source::default());
            if due.len() >= MANY && !may_end_many(connection, due.len(), now, steady)? {
                return Ok(());
            }
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

async fn sweep_links(jeton: &Jeton) -> Result<()> {
    let now = jeton.clock.now();
    jeton.write(move |connection| Ok(password_links::sweep(connection, now).map(drop)?)).await
}

async fn sweep_sessions(jeton: &Jeton) -> Result<()> {
    let now = jeton.clock.now();
    jeton.write(move |connection: &mut AnyConnection| Ok(sessions::sweep(connection, now).map(drop)?)).await
}

async fn sweep_email_changes(jeton: &Jeton) -> Result<()> {
    let now = jeton.clock.now();
    jeton.write(move |connection: &mut AnyConnection| Ok(email_changes::sweep(connection, now).map(drop)?)).await
}

async fn sweep_invitations(jeton: &Jeton) -> Result<()> {
    let now = jeton.clock.now();
    jeton.write(move |connection: &mut AnyConnection| Ok(invitations::sweep(connection, now).map(drop)?)).await
}

/// Returns whether many tokens may expire at once, if the clock has been steady for `steady` seconds. If they are most
/// of all tokens, they expire only after a day, in which somebody may notice that the clock is wrong. The log always
/// has a warning.
fn may_end_many(connection: &mut AnyConnection, count: usize, now: Timestamp, steady: i64) -> Result<bool> {
    let all = tokens::count_active(connection)?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let are_most = count == BATCH || 2 * count > all;
    let waits = are_most && steady < DAY;
    if !waits {
        tracing::warn!(count, all, now = now.rfc3339(), "many tokens have expired at once");
    } else if steady % HOUR < EVERY.as_secs().cast_signed() {
        tracing::warn!(count, all, now = now.rfc3339(), "most tokens have expired at once: is the clock right?");
    }
    Ok(!waits)
}

fn report<const COUNT: usize>(rounds: [(&str, Result<()>); COUNT]) {
    for (what, done) in rounds {
        match done {
            // Storage logs this once.
            Err(error) if error.is_passing() => tracing::debug!(%error, "maintenance skipped: {what}"),
            Err(error) => tracing::error!(%error, "maintenance failed: {what}"),
            Ok(()) => {}
        }
    }
}

/// Runs `work` with a timeout.
async fn in_time(longest: Duration, work: impl Future<Output = Result<()>>) -> Result<()> {
    let late = |_| Err(StorageError::Connection("no answer in time".into()).into());
    tokio::time::timeout(longest, work).await.unwrap_or_else(late)
}

fn expiry_of<'a>(due: &'a tokens::Due, now: Timestamp, source: &'a Source) -> activity::Entry<'a> {
    activity::Entry {
        token: Some((&due.public_id, &due.label)),
        ..activity::Entry::new(Some(due.organization), Action::TokenExpired, now, source)
    }
}
