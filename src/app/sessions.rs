//! Sessions of the web pages, and the proof that somebody is signed in.

use super::{
    AppError, Jeton, Result,
    attempts::Attempt,
    problem::{Field, Problem, Problems},
    random,
};
use domain::{
    activity::{Action, Source},
    membership::Membership,
    session::{Session, SessionLife, is_proof},
    time::Timestamp,
    token,
    user::{Password, User, UserId, folded_email},
};
use sha2::{Digest, Sha256};
use std::time::Duration;
use storage::{AnyConnection, activity, invitations, memberships, sessions, users};

/// Seconds between two notes that a session was seen, so that reading pages rarely writes.
const SEEN_EVERY: i64 = 60;
/// Longest that a request waits for such a note.
const NOTED: Duration = Duration::from_millis(500);

/// Somebody who is signed in, at the moment of this request. Only [`authenticate`] makes one, and the verbs for
/// people ask for one: without it they cannot be called.
#[derive(Clone, Debug)]
pub struct Actor {
    user: User,
    /// Where they are active, the organization that they work in at the head.
    memberships: Vec<Membership>,
    session: Session,
}

impl Actor {
    /// The user.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The same person at work in another of the organizations that they are active in; none if they are not.
    pub fn working_in(&self, is_meant: impl Fn(&Membership) -> bool) -> Option<Self> {
        let place = self.memberships.iter().position(is_meant)?;
        let mut there = self.clone();
        there.memberships[..=place].rotate_right(1);
        Some(there)
    }

    /// Their place in the organization that they work in; none when they are active in no organization.
    pub fn membership(&self) -> Option<&Membership> {
        self.memberships.first()
    }

    /// All organizations that they are active in, the one that they work in at the head.
    pub fn memberships(&self) -> &[Membership] {
        &self.memberships
    }

    /// Whether they administer the installation: have the role, while they are active anywhere.
    pub fn is_installation_admin(&self) -> bool {
        self.user.is_installation_admin && !self.memberships.is_empty()
    }

    /// The session of this request.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// An entry of the activity log about what this user does.
    pub(super) fn entry<'a>(&'a self, action: Action, at: Timestamp, source: &'a Source) -> activity::Entry<'a> {
        activity::Entry {
            actor: Some(self.user.id),
            actor_name: &self.user.name,
            ..activity::Entry::new(self.membership().map(|membership| membership.organization), action, at, source)
        }
    }
}

/// A sign-in that was accepted, from which a session begins.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Who signed in.
    pub user: UserId,
    /// The generation of their sessions at that moment.
    pub generation: i64,
    /// From where.
    pub source: Source,
}

/// What is known of a session's key outside of the browser: its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHash(Vec<u8>);

impl KeyHash {
    /// The hash of a key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).to_vec())
    }
}

/// Whether an account can be signed in to. What somebody may do hangs on their memberships, so one that is active in no
/// organization opens nothing, unless an invitation waits for it; and none that whoever runs the server has blocked
/// (V5).
pub(super) fn is_open(connection: &mut AnyConnection, user: &User, now: Timestamp) -> Result<bool> {
    let is_at_home = memberships::first(connection, user.id)?.is_some();
    Ok(!user.is_blocked && (is_at_home || invitations::any_for(connection, &user.email, now)?))
}

/// What to say of an account that is not open.
pub(super) const fn why_closed(user: &User) -> Problem {
    if user.is_blocked { Problem::Blocked } else { Problem::ActiveNowhere }
}

/// Stores a new session under a new key, which it returns: 64 characters that only the browser keeps.
pub async fn begin(jeton: &Jeton, begin: Begin) -> Result<String> {
    let (key, now) = (random::hex(&random::bytes::<32>()), jeton.clock.now());
    let hash = KeyHash::of(&key);
    jeton
        .write_with_reserve(move |connection| {
            let session = Session {
                public_id: token::public_id(random::fill),
                user: begin.user,
                generation: begin.generation,
                life: SessionLife { started_at: now, seen_at: now },
                proved_at: now,
                address: begin.source.address.clone(),
                program: begin.source.program.clone(),
                organization: None,
            };
            Ok(sessions::insert(connection, &hash.0, &session)?)
        })
        .await?;
    Ok(key)
}

/// Ends the session with this key, if there is one.
pub async fn forget(jeton: &Jeton, key: &str) -> Result<()> {
    let hash = KeyHash::of(key);
    jeton.end(move |connection| Ok(sessions::delete_by_key(connection, &hash.0)?)).await
}

/// Who is signed in with the session of this key, and in which organization they work.
///
/// # Errors
/// [`AppError::SignedOut`] when the session has ended, or the account is not open any more; [`AppError::Clock`] when
/// nobody can tell.
pub async fn authenticate(jeton: &Jeton, key: KeyHash) -> Result<Actor> {
    let now = jeton.clock.trusted()?;
    let actor = jeton
        .read(move |connection| {
            let session = sessions::find(connection, &key.0, now)?.ok_or(AppError::SignedOut)?;
            let user = users::find(connection, session.user)?.ok_or(AppError::SignedOut)?;
            let mut memberships = memberships::list(connection, user.id)?;
            // Stable: those that were not chosen stay in the order in which they were joined.
            let is_at_work = !user.is_blocked && !memberships.is_empty();
            if !is_at_work && !is_open(connection, &user, now)? {
                return Err(AppError::SignedOut);
            }
            memberships.sort_by_key(|membership| Some(membership.organization) != session.organization);
            Ok(Actor { user, memberships, session })
        })
        .await?;
    if now.since(actor.session.life.seen_at) >= SEEN_EVERY && !jeton.database_fails() {
        note_seen(jeton, &actor, now).await?;
    }
    Ok(actor)
}

/// Notes that somebody was seen. What they read does not wait for that, nor does it need it.
async fn note_seen(jeton: &Jeton, actor: &Actor, now: Timestamp) -> Result<()> {
    let public_id = actor.session.public_id.clone();
    let membership = actor.membership().map(|membership| membership.id);
    let touch = move |connection: &mut AnyConnection| {
        membership.map_or(Ok(()), |membership| memberships::note_seen(connection, membership, now))?;
        Ok(sessions::touch(connection, &public_id, now)?)
    };
    match tokio::time::timeout(NOTED, jeton.write(touch)).await {
        Ok(Ok(false)) => Err(AppError::SignedOut),
        Ok(Err(error)) if !error.is_passing() => Err(error),
        _ => Ok(()),
    }
}

/// Whether the password was entered so lately that access may be granted without asking for it again (S8).
pub fn recently_authenticated(jeton: &Jeton, actor: &Actor) -> bool {
    is_proof(actor.session.proved_at, jeton.clock.now())
}

/// Checks the password of somebody who is signed in, before something that grants access.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Password`] when it is missing or wrong; too many attempts; busy.
pub(super) async fn reauthenticate(
    jeton: &Jeton,
    actor: &Actor,
    password: Option<String>,
    source: &Source,
) -> Result<()> {
    let at_password = |problem| AppError::from(Problems::one(Field::Password, problem));
    let typed =
        password.filter(|typed| !typed.is_empty()).ok_or_else(|| at_password(Problem::ReauthenticationNeeded))?;
    let password = Password::given(typed).map_err(|_| at_password(Problem::WrongPassword))?;
    // Somebody at this browser is signed in already: they have a bucket of their own, a stolen session included.
    let account = folded_email(&actor.user.email);
    let known_by = Some(actor.session.public_id.as_str());
    jeton.attempts.take(Attempt { account: &account, known_by, address: &source.address })?;
    let id = actor.user.id;
    let hash = jeton.read(move |connection| Ok(users::password_hash(connection, id)?)).await?;
    if !jeton.passwords.verify(password, Some(hash)).await? {
        return Err(at_password(Problem::WrongPassword));
    }
    let (public_id, now) = (actor.session.public_id.clone(), jeton.clock.now());
    let there = jeton.write(move |connection| Ok(sessions::prove(connection, &public_id, now)?)).await?;
    if there { Ok(()) } else { Err(AppError::SignedOut) }
}

/// Asks for the password unless it was entered lately.
///
/// # Errors
/// As [`reauthenticate`].
pub(super) async fn require_reauthentication(
    jeton: &Jeton,
    actor: &Actor,
    password: Option<String>,
    source: &Source,
) -> Result<()> {
    if recently_authenticated(jeton, actor) { Ok(()) } else { reauthenticate(jeton, actor, password, source).await }
}

/// The living sessions of the user, the one seen last first.
pub async fn list(jeton: &Jeton, actor: &Actor) -> Result<Vec<Session>> {
    let (user, now) = (actor.user.id, jeton.clock.now());
    jeton.read(move |connection| Ok(sessions::list(connection, user, now)?)).await
}

/// Ends one session of the user, this one or another.
///
/// # Errors
/// [`AppError::NotFound`] if the user has no such session.
pub async fn end(jeton: &Jeton, actor: &Actor, public_id: String, source: Source) -> Result<()> {
    let (actor, now) = (actor.clone(), jeton.clock.now());
    if !token::is_public_id(&public_id) {
        return Err(AppError::NotFound);
    }
    jeton
        .end(move |connection| {
            if !sessions::delete(connection, actor.user.id, &public_id)? {
                return Err(AppError::NotFound);
            }
            let entry = actor.entry(Action::SessionEnded, now, &source);
            Ok(activity::insert(connection, &entry)?)
        })
        .await
}

/// Ends all sessions of the user but this one. Returns how many there were.
pub async fn end_others(jeton: &Jeton, actor: &Actor, source: Source) -> Result<usize> {
    let (actor, now) = (actor.clone(), jeton.clock.now());
    jeton
        .end(move |connection| {
            let ended = sessions::delete_others(connection, actor.user.id, &actor.session.public_id)?;
            if ended > 0 {
                let entry = actor.entry(Action::OtherSessionsEnded, now, &source);
                activity::insert(connection, &entry)?;
            }
            Ok(ended)
        })
        .await
}
