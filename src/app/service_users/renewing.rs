//! New keys for a token: after it has ended (regeneration), or while its old key keeps working for a while (rotation).

use super::{Admin, NewKey, at_form, expire, expire_all, find_in, free_slot, write_entry};
use crate::{
    AppError, Jeton, Result,
    permission_sets::may_give,
    problem::{Field, Problem, Problems},
    random,
    tokens::{checked_nonce, known_form},
};
use domain::{
    activity::{Action, Detail, Source},
    permission::{ManageIntegrations, OrgGrant},
    service_user::ServiceToken,
    time::Timestamp,
    token::{self, KeyDigest},
};
use serde::Deserialize;
use storage::{
    AnyConnection, activity,
    tokens::{
        self,
        service_users::{self, NewKey as KeyRow},
    },
};

const HOUR: i64 = 3600;
/// The maximum overlap of a rotation in hours: seven days.
pub const LONGEST_OVERLAP: i64 = 7 * 24;

/// The form for a new key of an ended token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegenerateForm {
    /// The password, if the form asked for it.
    pub password: Option<String>,
    /// As [`ServiceTokenForm::nonce`](super::ServiceTokenForm::nonce).
    pub nonce: String,
}

/// The form for a new key of an active token.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct RotateForm {
    /// For how many hours the old key keeps working at most: 1 to [`LONGEST_OVERLAP`].
    pub hours: String,
    /// After how many hours without use the old key ends before that, once the new key is in use; empty for never.
    pub quiet: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
    /// As [`ServiceTokenForm::nonce`](super::ServiceTokenForm::nonce).
    pub nonce: String,
}

impl Default for RotateForm {
    /// A day, and no earlier end.
    fn default() -> Self {
        Self { hours: "24".into(), quiet: String::new(), password: None, nonce: String::new() }
    }
}

/// Gives an ended token a new key, and a slot again; the old key stays revoked forever.
///
/// # Errors
/// As [`crate::service_users::create`]; [`Problem::StillActive`] for an active token.
pub async fn regenerate(jeton: &Jeton, at: &Admin, id: &str, form: RegenerateForm, source: Source) -> Result<NewKey> {
    let nonce = checked_nonce(form.nonce).ok_or_else(|| at_form(Problem::NotAChoice))?;
    prepare_renewal(jeton, at, id, form.password, &source).await?;
    let (key, digest) = crate::service_users::mint(jeton);
    let (at, id, clock) = (at.clone(), known_form(id)?, jeton.clock.clone());
    let now = clock.now();
    let token = jeton
        .change_keys(move |connection| {
            let (grant, token) = begin_renewal(connection, &at, &id, &nonce, now)?;
            if token.key.life.is_active(now) {
                return Err(at_form(Problem::StillActive));
            }
            expire(connection, &at, &token, now, &source)?;
            if clock.is_settled() {
                expire_all(connection, &at, now, &source)?;
            }
            let slot = free_slot(connection, &at, &nonce)?;
            add_key(connection, &grant, &token, digest, &nonce, slot, now)?;
            write_entry(connection, &at, Action::TokenRegenerated, &token, None, now, &source)?;
            let touched = tokens::touched(connection, token.key.token)?;
            Ok((find_in(connection, grant.organization(), &id, now)?, touched))
        })
        .await?;
    Ok(NewKey { token, key })
}

/// Gives an active token a new key, while the old one keeps working for a while: together they take one slot.
///
/// # Errors
/// As [`crate::service_users::create`]; [`Problem::HasEnded`] for a token that has ended, [`Problem::OverlapRunning`]
/// while an old key still works.
pub async fn rotate(jeton: &Jeton, at: &Admin, id: &str, form: RotateForm, source: Source) -> Result<NewKey> {
    let mut problems = Problems::default();
    let hours = problems.choice(Field::Hours, hours(&form.hours));
    let quiet = match form.quiet.as_str() {
        "" => Some(None),
        typed => problems.choice(Field::Quiet, self::hours(typed)).map(Some),
    };
    let nonce = problems.choice(Field::Form, checked_nonce(form.nonce));
    let (Some(hours), Some(quiet), Some(nonce)) = (hours, quiet, nonce) else { return Err(problems.into()) };
    prepare_renewal(jeton, at, id, form.password, &source).await?;
    let (key, digest) = crate::service_users::mint(jeton);
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    let token = jeton
        .change_keys(move |connection| {
            let (grant, token) = begin_renewal(connection, &at, &id, &nonce, now)?;
            if !token.key.life.is_active(now) {
                return Err(at_form(Problem::HasEnded));
            }
            if token.old_key.is_some() {
                return Err(at_form(Problem::OverlapRunning));
            }
            let slot = service_users::slot(connection, token.key.token)?;
            let slot = slot.ok_or_else(|| AppError::Broken("an active token has no slot".into()))?;
            let ends_at = now.plus(hours * HOUR);
            let quiet_seconds = quiet.map(|hours| hours * HOUR);
            service_users::let_run_out(connection, token.key.token, ends_at, quiet_seconds)?;
            add_key(connection, &grant, &token, digest, &nonce, slot, now)?;
            write_entry(connection, &at, Action::TokenRotated, &token, Some(Detail::Moment(ends_at)), now, &source)?;
            let touched = tokens::touched(connection, token.key.token)?;
            Ok((find_in(connection, grant.organization(), &id, now)?, touched))
        })
        .await?;
    Ok(NewKey { token, key })
}

/// Ends the old key of a token, while the new one keeps working. Returns false if no old key works any more.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn end_old_key(jeton: &Jeton, at: &Admin, id: &str, source: Source) -> Result<bool> {
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    jeton
        .end_keys(move |connection| {
            let grant = at.begin(connection)?;
            let token = find_in(connection, grant.organization(), &id, now)?;
            let touched = tokens::touched(connection, token.key.token)?;
            let Some(old) = &token.old_key else { return Ok((false, touched)) };
            let ended = service_users::end_old_key(connection, old.token, now)?;
            if ended {
                write_entry(connection, &at, Action::OldKeyEnded, &token, None, now, &source)?;
            }
            Ok((ended, touched))
        })
        .await
}

/// Checks before a token gets a new key that the caller holds all its permissions, and has entered their password
/// recently.
async fn prepare_renewal(jeton: &Jeton, at: &Admin, id: &str, password: Option<String>, source: &Source) -> Result<()> {
    let token = crate::service_users::find(jeton, at, id).await?;
    may_give(at.grant(), &token.permissions, Field::Form)?;
    crate::sessions::require_reauthentication(jeton, at.actor(), password, source).await?;
    crate::maintenance::flush_usage(jeton).await
}

/// Ends old keys whose overlap is over, and those that have been unused for long enough while the new key is in use.
///
/// A key whose overlap is over is refused anyway; this records it. Unused keys are checked once a minute, and another
/// node may have a use of the last minute in memory, so an old key ends up to two minutes late.
pub(crate) async fn end_quiet_keys(jeton: &Jeton) -> Result<()> {
    let due = move |old: &service_users::RunningOut, now: Timestamp| {
        let quiet_since = old.last_used_at.map_or(old.replaced_at, |used| used.max(old.replaced_at));
        let is_quiet = old.quiet_seconds.is_some_and(|quiet| now.since(quiet_since) >= quiet);
        match () {
            () if now >= old.ends_at => Some(old.ends_at),
            () if is_quiet && old.replacement_is_used => Some(now),
            () => None,
        }
    };
    let now = jeton.clock.now();
    let any = jeton.read(|connection| Ok(service_users::running_out(connection)?)).await?;
    if !any.iter().any(|old| due(old, now).is_some()) {
        return Ok(());
    }
    jeton
        .change_keys(move |connection| {
            let (source, mut touched) = (Source::default(), Vec::new());
            for old in service_users::running_out(connection)? {
                let Some(at) = due(&old, now) else { continue };
                touched.push(tokens::touched(connection, old.key)?);
                if service_users::end_old_key(connection, old.key, at)? {
                    let entry = activity::Entry::new(Some(old.organization), Action::OldKeyEnded, now, &source);
                    let token = Some((old.public_id.as_str(), old.name.as_str()));
                    activity::insert(connection, &activity::Entry { token, ..entry })?;
                }
            }
            Ok(((), touched.into_iter().collect()))
        })
        .await
}

fn hours(typed: &str) -> Option<i64> {
    typed.parse().ok().filter(|hours| (1..=LONGEST_OVERLAP).contains(hours))
}

/// As [`begin`], for a new key of the token with this id.
fn begin_renewal(
    connection: &mut AnyConnection,
    at: &Admin,
    id: &str,
    nonce: &str,
    now: Timestamp,
) -> Result<(OrgGrant<ManageIntegrations>, ServiceToken)> {
    let grant = at.begin(connection)?;
    if service_users::was_sent(connection, grant.organization(), nonce)? {
        return Err(at_form(Problem::SentBefore));
    }
    let token = find_in(connection, grant.organization(), id, now)?;
    may_give(&grant, &token.permissions, Field::Form)?;
    Ok((grant, token))
}

fn add_key(
    connection: &mut AnyConnection,
    grant: &OrgGrant<ManageIntegrations>,
    token: &ServiceToken,
    digest: KeyDigest,
    nonce: &str,
    slot: i16,
    now: Timestamp,
) -> Result<()> {
    let new = KeyRow {
        service_user: token.id,
        organization: grant.organization(),
        public_id: &token::public_id(random::fill),
        name: &token.name,
        inactivity: token.key.life.inactivity,
        digest,
        form_nonce: nonce,
        slot,
    };
    service_users::insert_key(connection, &new, now)?;
    Ok(())
}
