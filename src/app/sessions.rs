//! Sessions of the web pages, and the [`Actor`], who is signed in.

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

/// A session's last use is recorded at most once in this many seconds, so that reading pages rarely writes.
const SEEN_EVERY: i64 = 60;
/// How long a request waits for that write.
const NOTED: Duration = Duration::from_millis(500);

/// A user who is signed in for this request. Only [`authenticate`] creates one, and the verbs for people cannot be
/// called without one.
#[derive(Clone, Debug)]
pub struct Actor {
    user: User,
    /// Their active memberships, that of their current organization first.
    memberships: Vec<Membership>,
    session: Session,
}

impl Actor {
    /// The user.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Returns the same user in another of their organizations; `None` if they are not active in it.
    pub fn working_in(&self, is_meant: impl Fn(&Membership) -> bool) -> Option<Self> {
        let place = self.memberships.iter().position(is_meant)?;
        let mut there = self.clone();
        there.memberships[..=place].rotate_right(1);
        Some(there)
    }

    /// Their membership in their current organization; `None` if they are active in no organization.
    pub fn membership(&self) -> Option<&Membership> {
        self.memberships.first()
    }

    /// All their active memberships, that of their current organization first.
    pub fn memberships(&self) -> &[Membership] {
        &self.memberships
    }

    /// Whether they administer the installation: they have the role, and are active in an organization.
    pub fn is_installation_admin(&self) -> bool {
        self.user.is_installation_admin && !self.memberships.is_empty()
    }

    /// The session of this request.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Creates an entry of the activity log about what this user does.
    pub(super) fn entry<'a>(&'a self, action: Action, at: Timestamp, source: &'a Source) -> activity::Entry<'a> {
        activity::Entry {
            actor: Some(self.user.id),
            actor_name: &self.user.name,
            ..activity::Entry::new(self.membership().map(|membership| membership.organization), action, at, source)
        }
    }
}

/// An accepted sign-in, which starts a session.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Who signed in.
    pub user: UserId,
    /// The generation of their sessions at that time.
    pub generation: i64,
    /// Where the sign-in came from.
    pub source: Source,
}

/// The SHA-256 of a session's key: only the browser keeps the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHash(Vec<u8>);

impl KeyHash {
    /// Returns the hash of a key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).to_vec())
    }
}

/// Returns whether a user can sign in. What a user may do depends on their memberships, so a user without an active
/// membership cannot sign in unless an invitation waits for them. A user whom the operator has blocked cannot sign in
/// (V5).
pub(super) fn is_open(connection: &mut AnyConnection, user: &User, now: Timestamp) -> Result<bool> {
    let is_at_home = memberships::first(connection, user.id)?.is_some();
    Ok(!user.is_blocked && (is_at_home || invitations::any_for(connection, &user.email, now)?))
}

/// Returns why a user cannot sign in.
pub(super) const fn why_closed(user: &User) -> Problem {
    if user.is_blocked { Problem::Blocked } else { Problem::ActiveNowhere }
}

/// Stores a new session, and returns its key: 64 characters that only the browser keeps.
pub async fn begin(jeton: &Jeton, begin: Begin) -> Result<String> {
    let (key, now) = (hex::encode(random::bytes::<32>()), jeton.clock.now());
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

/// Returns the user who is signed in with this session key, and their current organization.
///
/// # Errors
/// [`AppError::SignedOut`] if the session has ended or the user can no longer sign in; [`AppError::Clock`] if that is
/// unknown because the clock cannot be trusted.
pub async fn authenticate(jeton: &Jeton, key: KeyHash) -> Result<Actor> {
    let now = jeton.clock.trusted()?;
    let actor = jeton
        .read(move |connection| {
            let session = sessions::find(connection, &key.0, now)?.ok_or(AppError::SignedOut)?;
            let user = users::find(connection, session.user)?.ok_or(AppError::SignedOut)?;
            let mut memberships = memberships::list(connection, user.id)?;
            // The sort is stable: the other memberships stay in the order in which the user joined.
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

/// Records when the user was last seen. Their request does not need this, and continues if the database fails or takes
/// too long.
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

/// Returns whether the password was entered recently enough that access may be granted without asking for it again
/// (S8).
pub fn recently_authenticated(jeton: &Jeton, actor: &Actor) -> bool {
    is_proof(actor.session.proved_at, jeton.clock.now())
}

/// Checks the password of a signed-in user, before an action that grants access.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Password`] if it is missing or wrong; [`AppError::TooManyAttempts`];
/// [`AppError::Busy`].
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
    // The user is already signed in, so the session, which may be stolen, has its own bucket of attempts.
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

/// Checks the password, unless it was entered recently.
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

/// Lists the user's active sessions, the one used last first.
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

/// Ends all sessions of the user except this one, and returns how many there were.
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
