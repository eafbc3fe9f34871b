//! Work in the background: uses reach the database, what has expired is written down, ended sessions and links are
//! removed, and mails given up that nobody takes. What is removed or ended because it is old waits for a clock that has been
//! steady for some time.

use super::{AppError, Jeton, Result, log};
use domain::{
    activity::{Action, Source},
    time::{DAY, Timestamp},
};
use std::time::Duration;
use storage::{
    AnyConnection, StorageError, activity, email_changes, epoch, invitations, password_links, sessions, tokens,
};

/// How often.
pub const EVERY: Duration = Duration::from_secs(60);
/// Longest that is waited for the database where a stop waits, too: longer than Postgres lets a statement run.
const LONGEST: Duration = Duration::from_secs(11);
/// Most tokens that are written down as expired in one transaction.
const BATCH: i64 = 500;
/// Tokens that expire at once from which on it is worth a word.
const MANY: usize = 20;
const HOUR: i64 = 3600;

/// One round of the work. What fails is logged and tried again in the next round.
pub async fn run(jeton: &Jeton) {
    let uses = flush_usage(jeton).await;
    let are_written = uses.is_ok();
    report([("clock", crate::clock::reconsider(jeton).await), ("epoch", note_epoch(jeton).await), ("uses", uses)]);
    if jeton.clock.is_settled() {
        end_what_is_old(jeton, are_written).await;
    }
    jeton.attempts.sweep();
    log::tell_left_out();
}

/// A token whose last use is still in memory must not be taken for expired.
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
        ("receipts", crate::revocations::sweep(jeton).await),
        ("changes of authority", jeton.write(|connection| Ok(epoch::forget_old_changes(connection)?)).await),
    ]);
}

/// Remembers the epoch of the database.
///
/// # Errors
/// When the database fails, or the file cannot be written.
pub async fn note_epoch(jeton: &Jeton) -> Result<()> {
    let noted = jeton.noted_epoch.clone();
    let work = jeton.read(move |connection| {
        let (epoch, _) = epoch::read_with_time(connection)?;
        noted.check(epoch).map_err(|older| AppError::Broken(older.to_string()))?;
        noted.note(epoch).map_err(|error| AppError::Broken(error.to_string()))
    });
    in_time(LONGEST, work).await
}

/// Writes the uses that are still in memory to the database, as before a stop.
///
/// # Errors
/// When the database fails; the uses are kept. Or when it does not answer: then it may still do so.
pub async fn flush_usage(jeton: &Jeton) -> Result<()> {
    in_time(LONGEST, write_uses(jeton)).await
}

/// The same before something ends. A database that takes nothing but that must not keep it from ending: it is never
/// so far behind that a token that works seems to have expired ([`super::verify`] sees to that).
///
/// # Errors
/// When Jeton itself fails.
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

/// Writes them, for as long as a round takes if need be: another batch beside this one would not be faster.
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

/// Whether many tokens may end for ever at once, by a clock that has been steady for so many seconds: most of them only
/// after a day, in which somebody may see that it is wrong. Never without a word in the log.
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
            // Told once, by the database.
            Err(error) if error.is_passing() => tracing::debug!(%error, "the {what} are left as they are"),
            Err(error) => tracing::error!(%error, "the {what} could not be brought up to date"),
            Ok(()) => {}
        }
    }
}

/// Gives up what the database does not answer.
async fn in_time(longest: Duration, work: impl Future<Output = Result<()>>) -> Result<()> {
    let late = |_| Err(StorageError::Connection("it does not answer".into()).into());
    tokio::time::timeout(longest, work).await.unwrap_or_else(late)
}

fn expiry_of<'a>(due: &'a tokens::Due, now: Timestamp, source: &'a Source) -> activity::Entry<'a> {
    activity::Entry {
        token: Some((&due.public_id, &due.label)),
        ..activity::Entry::new(Some(due.organization), Action::TokenExpired, now, source)
    }
}
