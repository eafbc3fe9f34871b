//! Personal API tokens: made, listed and revoked by their owner.

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
    membership::Membership,
    organization::MembershipId,
    time::{DAY, Timestamp},
    token::{self, ApiKey, InactivityExpiry, PERSONAL_LIMIT, RevokedBy, Scope, Token, TokenKind},
};
use storage::{
    AnyConnection, activity,
    epoch::Touched,
    memberships,
    tokens::{self, NewToken, Revocation, service_users},
    users,
};

/// Days for which an ended token stays on its owner's list.
pub const SHOWN_DAYS: i64 = 90;
/// Days without use after which a bulk revocation takes a token for unused.
pub const UNUSED_DAYS: i64 = 90;

/// The tokens of a user in the organization that they work in.
#[derive(Clone, Debug)]
pub struct TokenList {
    /// Those that work, newest first.
    pub active: Vec<Token>,
    /// Those that ended within [`SHOWN_DAYS`], newest first.
    pub ended: Vec<Token>,
    /// How many active tokens the user has in all organizations together: what the limit counts.
    pub in_all: usize,
}

/// What the form for a new token asks for, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct TokenForm {
    /// The label.
    pub label: String,
    /// A scope's key.
    pub scope: String,
    /// A number of days.
    pub inactivity: String,
    /// The password, if it was asked for.
    pub password: Option<String>,
    /// What tells this form from every other, so that sending it twice makes one token (L4).
    pub nonce: String,
}

/// A token that was just made, with its key: the only moment at which there is one.
#[derive(Debug)]
pub struct Created {
    /// The token.
    pub token: Token,
    /// Its key.
    pub key: ApiKey,
}

/// Which tokens a bulk revocation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bulk {
    /// Those without a use in the last [`UNUSED_DAYS`]; a token never used counts from its creation.
    Unused,
    /// All of them.
    All,
}

impl Bulk {
    /// The word in forms.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::All => "all",
        }
    }

    /// The choice with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Unused, Self::All].into_iter().find(|bulk| bulk.key() == key)
    }

    /// Whether it takes `token`.
    pub fn takes(self, token: &Token, now: Timestamp) -> bool {
        let is_unused = now.since(token.life.idle_since()) >= UNUSED_DAYS * DAY;
        token.life.is_active(now) && (self == Self::All || is_unused)
    }
}

/// The user's tokens in the organization that they work in.
///
/// # Errors
/// [`AppError::NotFound`] for somebody who is active in no organization.
pub async fn list(jeton: &Jeton, actor: &Actor) -> Result<TokenList> {
    let (membership, user, now) = (membership(actor)?.id, actor.user().id, jeton.clock.now());
    let verifier = jeton.verifier.clone();
    jeton
        .read(move |connection| {
            let mut all = tokens::list(connection, user, now.plus(-SHOWN_DAYS * DAY))?;
            all.iter_mut().for_each(|token| overlay(&verifier, token));
            let in_all = all.iter().filter(|token| token.life.is_active(now)).count();
            let here = all.into_iter().filter(|token| token.membership == membership);
            let (active, ended) = here.partition(|token| token.life.is_active(now));
            Ok(TokenList { active, ended, in_all })
        })
        .await
}

/// One token of the user in the organization that they work in.
///
/// # Errors
/// [`AppError::NotFound`] if there is none, or it is somebody else's.
pub async fn find(jeton: &Jeton, actor: &Actor, public_id: &str) -> Result<Token> {
    let (membership, public_id) = (membership(actor)?.id, known_form(public_id)?);
    let find = move |connection: &mut AnyConnection| Ok(tokens::find(connection, membership, &public_id)?);
    let mut token = jeton.read(find).await?.ok_or(AppError::NotFound)?;
    overlay(&jeton.verifier, &mut token);
    Ok(token)
}

/// The user at work in the organization that one of their tokens belongs to.
///
/// # Errors
/// [`AppError::NotFound`] if they have no such token in any organization that they are active in.
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

/// A nonce for a new form.
pub fn form_nonce() -> String {
    random::code()
}

/// Makes a token for the user in the organization that they work in.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: a field, a missing password ([`Problem::ReauthenticationNeeded`]), the limit of
/// active tokens, or a form that was sent before.
pub async fn create(jeton: &Jeton, actor: &Actor, form: TokenForm, source: Source) -> Result<Created> {
    let Membership { id: membership, organization, .. } = *membership(actor)?;
    let mut problems = Problems::default();
    let label = problems.check(Field::Label, token::label(&form.label));
    let scope = problems.choice(Field::Scope, Scope::from_key(&form.scope));
    let days = form.inactivity.parse().ok().and_then(InactivityExpiry::from_days);
    let inactivity = problems.choice(Field::Inactivity, days);
    let nonce = problems.choice(Field::Form, checked_nonce(form.nonce));
    let (Some(label), Some(scope), Some(inactivity), Some(nonce)) = (label, scope, inactivity, nonce) else {
        return Err(problems.into());
    };
    crate::sessions::require_reauthentication(jeton, actor, form.password, &source).await?;
    // Places of expired tokens are given free below: none that was used a moment ago may be among them.
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

/// Revokes a token of the user. When this returns, no node accepts it any more. Returns false if it had ended before.
///
/// # Errors
/// [`AppError::NotFound`] if there is none, or it is somebody else's.
pub async fn revoke(jeton: &Jeton, actor: &Actor, public_id: &str, source: Source) -> Result<bool> {
    let (membership, public_id) = (membership(actor)?.id, known_form(public_id)?);
    let (actor, now) = (actor.clone(), jeton.clock.now());
    jeton
        .end_keys(move |connection| {
            let token = tokens::find(connection, membership, &public_id)?.ok_or(AppError::NotFound)?;
            let touched = tokens::touched(connection, token.id)?;
            let entry = actor.entry(Action::TokenRevoked, now, &source);
            Ok((revoke_in(connection, &token, RevokedBy::Owner.into(), entry)?, touched))
        })
        .await
}

/// Revokes many tokens of the user in the organization that they work in, all or none. Returns how many.
pub async fn revoke_bulk(jeton: &Jeton, actor: &Actor, bulk: Bulk, source: Source) -> Result<usize> {
    let membership = membership(actor)?.id;
    crate::maintenance::flush_before_ending(jeton).await?;
    let (actor, now) = (actor.clone(), jeton.clock.now());
    jeton
        .end_authority(move |connection| {
            let mut revoked = Vec::new();
            for (_, token) in tokens::active(connection, actor.user().id)? {
                let is_here = token.membership == membership;
                if is_here && bulk.takes(&token, now) && tokens::revoke(connection, token.id, RevokedBy::Owner, now)? {
                    revoked.push(token);
                }
            }
            let entry = actor.entry(Action::TokenRevoked, now, &source);
            let named = |token| activity::Entry { token: Some(token), ..entry.clone() };
            let entries = revoked.iter().map(|token| named((token.public_id.as_str(), token.label.as_str())));
            activity::insert_all(connection, &entries.collect::<Vec<_>>())?;
            Ok(revoked.len())
        })
        .await
}

/// Revokes the token that a request came with, whatever its scope: to give up access needs none.
pub async fn revoke_own(jeton: &Jeton, accepted: &Accepted, source: Source) -> Result<()> {
    let (accepted, now) = (accepted.clone(), jeton.clock.now());
    jeton.end_keys(move |connection| revoke_with_keys(connection, &[accepted.identity()], now, &source)).await
}

/// Revokes the tokens of these keys, whoever has them (RFC 7009). Nothing happens to one that there is not, or not
/// any more.
///
/// # Errors
/// When the database fails; then nothing was revoked.
pub async fn revoke_by_keys(jeton: &Jeton, keys: &[String], source: Source) -> Result<()> {
    let now = jeton.clock.now();
    let found = crate::leaks::known_keys(jeton, keys).await?.into_values();
    let mut live: Vec<Identity> = found.filter(|(_, life)| life.is_active(now)).map(|(identity, _)| identity).collect();
    // Anybody may send keys of nothing: they must not cost a transaction each.
    if live.is_empty() {
        return Ok(());
    }
    // In the order of organizations and tokens, so that two at once never wait for each other in a ring.
    live.sort_unstable_by_key(|identity| (identity.organization, identity.token));
    let revoke = move |connection: &mut AnyConnection| {
        revoke_with_keys(connection, &live.iter().collect::<Vec<_>>(), now, &source)
    };
    jeton.end_keys(revoke).await
}

/// Revokes the tokens that these tell of, each in its own name.
fn revoke_with_keys(
    connection: &mut AnyConnection,
    live: &[&Identity],
    now: Timestamp,
    source: &Source,
) -> Result<((), Touched)> {
    let (mut revoked, mut touched) = (Vec::new(), Touched::Keys(Vec::new()));
    for identity in live {
        touched = touched.and(tokens::touched(connection, identity.token)?);
        if revoke_key(connection, identity, RevokedBy::Key.into(), now)? {
            revoked.push(super::verify::usage::entry(identity, Action::TokenRevoked, now, 1, source));
        }
    }
    activity::insert_all(connection, &revoked)?;
    Ok(((), touched))
}

/// Revokes the key that `identity` tells of. Returns false if it had ended before.
pub(super) fn revoke_key(
    connection: &mut AnyConnection,
    identity: &Identity,
    revocation: Revocation<'_>,
    now: Timestamp,
) -> Result<bool> {
    // With a service user's current key its token ends, and so do keys before it.
    Ok(match service_users::of_token(connection, identity.token)? {
        Some(id) => service_users::revoke(connection, id, identity.token, revocation, now)?,
        None => tokens::revoke(connection, identity.token, revocation, now)?,
    })
}

/// The nonce of a form, if it can be one that [`form_nonce`] made.
pub(super) fn checked_nonce(nonce: String) -> Option<String> {
    let is_nonce = (20..=64).contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_nonce.then_some(nonce)
}

fn overlay(verifier: &Shared, token: &mut Token) {
    verifier.usage().overlay(token.id, &mut token.life, &mut token.last_use);
}

/// A public id from an address, unless no row can have it: nothing else of an address reaches a statement.
pub(super) fn known_form(public_id: &str) -> Result<String> {
    if token::is_public_id(public_id) { Ok(public_id.to_owned()) } else { Err(AppError::NotFound) }
}

fn membership(actor: &Actor) -> Result<&Membership> {
    actor.membership().ok_or(AppError::NotFound)
}

/// Revokes a token. `by` is the entry about it without the token. Returns false if it had ended before.
pub(super) fn revoke_in(
    connection: &mut AnyConnection,
    token: &Token,
    revocation: Revocation<'_>,
    by: activity::Entry<'_>,
) -> Result<bool> {
    let revoked = tokens::revoke(connection, token.id, revocation, by.at)?;
    if revoked {
        let token = Some((token.public_id.as_str(), token.label.as_str()));
        activity::insert(connection, &activity::Entry { token, detail: revocation.reason.map(Detail::words), ..by })?;
    }
    Ok(revoked)
}

/// Gives the places of a user's expired tokens free.
fn expire_all(connection: &mut AnyConnection, actor: &Actor, now: Timestamp, source: &Source) -> Result<()> {
    for (_, token) in tokens::active(connection, actor.user().id)? {
        if !token.life.is_active(now) && tokens::expire(connection, token.id, now)? {
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

/// The lowest free place among the active tokens of a user, whose row is locked: counting and taking a place cannot be
/// torn apart (L1).
fn free_slot(connection: &mut AnyConnection, actor: &Actor, membership: MembershipId, nonce: &str) -> Result<i16> {
    let invalid = |problem| AppError::from(Problems::one(Field::Form, problem));
    let user = actor.user().id;
    // The membership was active when the request began; it has to be so still.
    if memberships::permissions(connection, membership)?.is_none() {
        return Err(AppError::NotFound);
    }
    if tokens::find_by_form(connection, user, nonce)?.is_some() {
        return Err(invalid(Problem::SentBefore));
    }
    let taken: Vec<i16> = tokens::active(connection, user)?.into_iter().map(|(slot, _)| slot).collect();
    (1..=PERSONAL_LIMIT).find(|slot| !taken.contains(slot)).ok_or_else(|| invalid(Problem::LimitReached))
}
