//! Personal API tokens: created, listed and revoked by their owner.

use super::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
    random,
    sessions::Actor,
    verify::{Accepted, Shared},
};
use domain::{
    access::Identity,
    activity::{Action, Detail, Source},
    keyed,
    membership::Membership,
    organization::MembershipId,
    text,
    time::{DAY, Timestamp},
    token::{self, ApiKey, InactivityExpiry, KeyFacts, PERSONAL_LIMIT, RevokedBy, Scope, Token, TokenKind},
};
use serde::Deserialize;
use storage::{
    AnyConnection, activity,
    epoch::Touched,
    memberships,
    tokens::{self, NewToken, Revocation, service_users},
    users,
};

/// For how many days an ended token stays on its owner's list.
pub const SHOWN_DAYS: i64 = 90;
/// After how many days without use a bulk revocation counts a token as unused.
pub const UNUSED_DAYS: i64 = 90;

/// The tokens of a user in their current organization.
#[derive(Clone, Debug)]
pub struct TokenList {
    /// The active tokens, newest first.
    pub active: Vec<Token>,
    /// The tokens that ended within [`SHOWN_DAYS`], newest first.
    pub ended: Vec<Token>,
    /// The number of the user's active tokens in all organizations together, which the limit counts.
    pub in_all: usize,
}

/// The form for a new token, as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct TokenForm {
    /// The label.
    pub label: String,
    /// A scope's key.
    pub scope: String,
    /// A number of days.
    pub inactivity: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
    /// The nonce of this form, so that sending it twice creates only one token (L4).
    pub nonce: String,
}

impl Default for TokenForm {
    /// The lesser scope, and the default period.
    fn default() -> Self {
        Self {
            label: String::new(),
            scope: Scope::ReadOnly.key().into(),
            inactivity: InactivityExpiry::default().days().to_string(),
            password: None,
            nonce: String::new(),
        }
    }
}

/// A new token with its key, which is available only now.
#[derive(Debug)]
pub struct Created {
    /// The token.
    pub token: Token,
    /// Its key.
    pub key: ApiKey,
}

keyed! {
    /// Which tokens a bulk revocation revokes.
    pub enum Bulk {
        /// Those without a use in the last [`UNUSED_DAYS`]; a token that was never used counts from its creation.
        Unused = "unused",
        /// All of them.
        All = "all",
    }
}

impl Bulk {
    /// Returns whether it includes `token`.
    pub fn takes(self, token: &Token, now: Timestamp) -> bool {
        let is_unused = now.since(token.key.life.idle_since()) >= UNUSED_DAYS * DAY;
        token.key.life.is_active(now) && (self == Self::All || is_unused)
    }
}

/// Lists the user's tokens in their current organization.
///
/// # Errors
/// [`AppError::NotFound`] if they are active in no organization.
pub async fn list(jeton: &Jeton, actor: &Actor) -> Result<TokenList> {
    let (membership, user, now) = (membership(actor)?.id, actor.user().id, jeton.clock.now());
    let verifier = jeton.verifier.clone();
    jeton
        .read(move |connection| {
            let mut all = tokens::list(connection, user, now.plus(-SHOWN_DAYS * DAY))?;
            all.iter_mut().for_each(|token| overlay(&verifier, &mut token.key));
            let in_all = all.iter().filter(|token| token.key.life.is_active(now)).count();
            let here = all.into_iter().filter(|token| token.membership == membership);
            let (active, ended) = here.partition(|token| token.key.life.is_active(now));
            Ok(TokenList { active, ended, in_all })
        })
        .await
}

/// Returns one of the user's tokens in their current organization.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to somebody else.
pub async fn find(jeton: &Jeton, actor: &Actor, public_id: &str) -> Result<Token> {
    let (membership, public_id) = (membership(actor)?.id, known_form(public_id)?);
    let find = move |connection: &mut AnyConnection| Ok(tokens::find(connection, membership, &public_id)?);
    let mut token = jeton.read(find).await?.ok_or(AppError::NotFound)?;
    overlay(&jeton.verifier, &mut token.key);
    Ok(token)
}

/// Returns the user in the organization of one of their tokens.
///
/// # Errors
/// [`AppError::NotFound`] if they have no such token in an organization in which they are active.
pub async fn at_token(jeton: &Jeton, actor: &Actor, public_id: &str) -> Result<Actor> {
    let (public_id, places) = (known_form(public_id)?, actor.memberships().to_vec());
    let find = move |connection: &mut AnyConnection| {
        for place in places {
            if tokens::find(connection, place.id, &public_id)?.is_some() {
                return Ok(Some(place.id));
            }
        }
        Ok(None)
    };
    let place = jeton.read(find).await?.ok_or(AppError::NotFound)?;
    actor.working_in(|membership| membership.id == place).ok_or(AppError::NotFound)
}

/// Creates a nonce for a new form.
pub fn form_nonce() -> String {
    random::code()
}

/// Creates a token for the user in their current organization.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: a field, a missing password
/// ([`Problem::ReauthenticationNeeded`]), the limit of active tokens, or a form that was sent before.
pub async fn create(jeton: &Jeton, actor: &Actor, form: TokenForm, source: Source) -> Result<Created> {
    let Membership { id: membership, organization, .. } = *membership(actor)?;
    let mut problems = Problems::default();
    let label = problems.check(Field::Label, text::line(&form.label));
    let scope = problems.choice(Field::Scope, Scope::from_key(&form.scope));
    let days = form.inactivity.parse().ok().and_then(InactivityExpiry::from_days);
    let inactivity = problems.choice(Field::Inactivity, days);
    let nonce = problems.choice(Field::Form, checked_nonce(form.nonce));
    let (Some(label), Some(scope), Some(inactivity), Some(nonce)) = (label, scope, inactivity, nonce) else {
        return Err(problems.into());
    };
    crate::sessions::require_reauthentication(jeton, actor, form.password, &source).await?;
    // Expired tokens are ended below to free their slots: tokens that have just been used must not be among them.
    crate::maintenance::flush_usage(jeton).await?;

    let key = ApiKey::mint(TokenKind::Personal, random::fill);
    let digest = jeton.pepper.digest(key.reveal());
    let public_id = token::public_id(random::fill);
    let (actor, clock, now) = (actor.clone(), jeton.clock.clone(), jeton.clock.now());
    let token = jeton
        .write(move |connection| {
            users::lock(connection, actor.user().id)?;
            if clock.is_settled() {
                expire_all(connection, &actor, now, &source)?;
            }
            let slot = free_slot(connection, &actor, membership, &nonce)?;
            let new = NewToken {
                public_id: &public_id,
                organization,
                membership,
                user: actor.user().id,
                label: &label,
                scope,
                inactivity,
                digest,
                form_nonce: &nonce,
                slot,
            };
            tokens::insert(connection, &new, now)?;
            let entry = actor.entry(Action::TokenCreated, now, &source);
            activity::insert(connection, &activity::Entry { token: Some((&public_id, &label)), ..entry })?;
            tokens::find(connection, membership, &public_id)?.ok_or(AppError::NotFound)
        })
        .await?;
    Ok(Created { token, key })
}

/// Revokes one of the user's tokens. When this returns, no node accepts the token any more. Returns false if it had
/// already ended.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to somebody else.
pub async fn revoke(jeton: &Jeton, actor: &Actor, public_id: &str, source: Source) -> Result<bool> {
    let (membership, public_id) = (membership(actor)?.id, known_form(public_id)?);
    let (actor, now) = (actor.clone(), jeton.clock.now());
    jeton
        .end_keys(move |connection| {
            let token = tokens::find(connection, membership, &public_id)?.ok_or(AppError::NotFound)?;
            let touched = tokens::touched(connection, token.key.token)?;
            let entry = actor.entry(Action::TokenRevoked, now, &source);
            Ok((revoke_in(connection, &token, RevokedBy::Owner.into(), entry)?, touched))
        })
        .await
}

/// Revokes many of the user's tokens in their current organization, all or none. Returns how many.
pub async fn revoke_bulk(jeton: &Jeton, actor: &Actor, bulk: Bulk, source: Source) -> Result<usize> {
    let membership = membership(actor)?.id;
    crate::maintenance::flush_before_ending(jeton).await?;
    let (actor, now) = (actor.clone(), jeton.clock.now());
    jeton
        .end_keys(move |connection| {
            let (mut revoked, mut touched) = (Vec::new(), Vec::new());
            for (_, token) in tokens::active(connection, actor.user().id)? {
                let is_here = token.membership == membership;
                if is_here
                    && bulk.takes(&token, now)
                    && tokens::revoke(connection, token.key.token, RevokedBy::Owner, now)?
                {
                    touched.push(tokens::touched(connection, token.key.token)?);
                    revoked.push(token);
                }
            }
            let entry = actor.entry(Action::TokenRevoked, now, &source);
            let named = |token| activity::Entry { token: Some(token), ..entry.clone() };
            let entries = revoked.iter().map(|token| named((token.public_id.as_str(), token.label.as_str())));
            activity::insert_all(connection, &entries.collect::<Vec<_>>())?;
            Ok((revoked.len(), touched.into_iter().collect()))
        })
        .await
}

/// Revokes the token of a request, whatever its scope: giving up access needs no scope.
pub async fn revoke_own(jeton: &Jeton, accepted: &Accepted, source: Source) -> Result<()> {
    let (accepted, now) = (accepted.clone(), jeton.clock.now());
    jeton.end_keys(move |connection| revoke_with_keys(connection, &[accepted.identity()], now, &source)).await
}

/// Revokes the tokens of these keys, whoever owns them (RFC 7009). Keys of unknown or ended tokens are ignored.
///
/// # Errors
/// When the database fails, in which case nothing was revoked.
pub async fn revoke_by_keys(jeton: &Jeton, keys: &[String], source: Source) -> Result<()> {
    let now = jeton.clock.now();
    let found = crate::leaks::known_keys(jeton, keys).await?;
    let is_known = !found.is_empty();
    let mut live: Vec<Identity> =
        found.into_values().filter(|(_, life)| life.is_active(now)).map(|(identity, _)| identity).collect();
    // Anybody may send unknown keys, which must not cost a transaction each.
    if live.is_empty() {
        if is_known {
            jeton.wait_for_changes_of_others().await;
        }
        return Ok(());
    }
    // In the order of organizations and tokens, so that two revocations at the same time never deadlock.
    live.sort_unstable_by_key(|identity| (identity.subject.organization.id, identity.token));
    let revoke = move |connection: &mut AnyConnection| {
        revoke_with_keys(connection, &live.iter().collect::<Vec<_>>(), now, &source)
    };
    jeton.end_keys(revoke).await
}

/// Revokes the tokens of these identities, each on its own behalf.
fn revoke_with_keys(
    connection: &mut AnyConnection,
    live: &[&Identity],
    now: Timestamp,
    source: &Source,
) -> Result<((), Touched)> {
    let (mut revoked, mut touched) = (Vec::new(), Vec::new());
    for identity in live {
        touched.push(tokens::touched(connection, identity.token)?);
        if revoke_key(connection, identity, RevokedBy::Key.into(), now)? {
            revoked.push(super::verify::usage::entry(identity, Action::TokenRevoked, now, 1, source));
        }
    }
    activity::insert_all(connection, &revoked)?;
    Ok(((), touched.into_iter().collect()))
}

/// Revokes the key of `identity`. Returns false if it had already ended.
pub(super) fn revoke_key(
    connection: &mut AnyConnection,
    identity: &Identity,
    revocation: Revocation<'_>,
    now: Timestamp,
) -> Result<bool> {
    // With a service user's current key, its token ends, and so do its old keys.
    Ok(match service_users::of_token(connection, identity.token)? {
        Some(id) => service_users::revoke(connection, id, identity.token, revocation, now)?,
        None => tokens::revoke(connection, identity.token, revocation, now)?,
    })
}

/// Returns the nonce of a form if it has the form of one from [`form_nonce`].
pub(super) fn checked_nonce(nonce: String) -> Option<String> {
    let is_nonce = (20..=64).contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_nonce.then_some(nonce)
}

/// Adds a use that is not yet in the database to what was read from there.
pub(super) fn overlay(verifier: &Shared, key: &mut KeyFacts) {
    verifier.usage().overlay(key.token, &mut key.life, &mut key.last_use);
}

/// Returns a public id from a URL if it has the right form: nothing else from a URL reaches an SQL statement.
pub(super) fn known_form(public_id: &str) -> Result<String> {
    if token::is_public_id(public_id) { Ok(public_id.to_owned()) } else { Err(AppError::NotFound) }
}

fn membership(actor: &Actor) -> Result<&Membership> {
    actor.membership().ok_or(AppError::NotFound)
}

/// Revokes a token. `by` is the log entry about it without the token. Returns false if it had already ended.
pub(super) fn revoke_in(
    connection: &mut AnyConnection,
    token: &Token,
    revocation: Revocation<'_>,
    by: activity::Entry<'_>,
) -> Result<bool> {
    let revoked = tokens::revoke(connection, token.key.token, revocation, by.at)?;
    if revoked {
        let token = Some((token.public_id.as_str(), token.label.as_str()));
        activity::insert(connection, &activity::Entry { token, detail: revocation.reason.map(Detail::words), ..by })?;
    }
    Ok(revoked)
}

/// Ends a user's expired tokens, which frees their slots.
fn expire_all(connection: &mut AnyConnection, actor: &Actor, now: Timestamp, source: &Source) -> Result<()> {
    for (_, token) in tokens::active(connection, actor.user().id)? {
        if !token.key.life.is_active(now) && tokens::expire(connection, token.key.token, now)? {
            let entry = activity::Entry {
                actor: None,
                actor_name: "",
                token: Some((&token.public_id, &token.label)),
                ..actor.entry(Action::TokenExpired, now, source)
            };
            activity::insert(connection, &entry)?;
        }
    }
    Ok(())
}

/// Returns the lowest free slot for an active token of a user, whose row is locked, so that nobody can take the slot
/// between counting and taking it (L1).
fn free_slot(connection: &mut AnyConnection, actor: &Actor, membership: MembershipId, nonce: &str) -> Result<i16> {
    let invalid = |problem| AppError::from(Problems::one(Field::Form, problem));
    let user = actor.user().id;
    // The membership was active when the request began, and must still be active.
    if memberships::permissions(connection, membership)?.is_none() {
        return Err(AppError::NotFound);
    }
    if tokens::find_by_form(connection, user, nonce)?.is_some() {
        return Err(invalid(Problem::SentBefore));
    }
    let taken: Vec<i16> = tokens::active(connection, user)?.into_iter().map(|(slot, _)| slot).collect();
    (1..=PERSONAL_LIMIT).find(|slot| !taken.contains(slot)).ok_or_else(|| invalid(Problem::LimitReached))
}
