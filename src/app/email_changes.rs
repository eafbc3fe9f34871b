//! A user's new e-mail address.
//!
//! Users sign in with their address, and links for a new password are mailed there, so an unconfirmed address could be
//! anybody's. Where mail is sent, a new address takes effect once its user confirms it with a link that was mailed
//! there. Until then the old address stays valid, and the user can cancel the change. A request reveals nothing about
//! other users: the answer is the same if the address is taken, and only its owner is told, by mail. The database
//! stores the SHA-256 of the link's code.
//!
//! Without mail, an address cannot be confirmed. Then the password is enough, as for other actions that grant access,
//! and the change takes effect at once: otherwise nobody could ever correct their address. Without mail, it cannot be
//! kept secret that an address is taken, as two users cannot have the same one, so only a few addresses can be tried in
//! an hour.

use super::{
    AppError, Jeton, Result,
    activity::insert_everywhere,
    link_code::{LinkCode, hash},
    mail::{Mail, Mailer, Posted, Words},
    problem::{Field, Problem, Problems},
    sessions::{Actor, is_open},
};
use domain::{
    activity::{Action, Detail, Source},
    email_change::EmailChange,
    time::Timestamp,
    user::{Email, User, UserId, folded_email},
};
use storage::{AnyConnection, activity, email_changes, memberships, password_links, users};

/// The mails about a new address, and their recipients.
#[derive(Clone, Copy, Debug)]
pub enum Letter<'a> {
    /// To the new address: the link that confirms it.
    Proof(&'a User, &'a LinkCode),
    /// To the user who already has the address.
    Taken(&'a User),
    /// To the old address: that a new one was requested.
    Asked(&'a User, &'a Email),
    /// To the old address: that the new one has taken effect.
    Changed(&'a User, &'a Email),
}

/// Writes the subject and text of a letter.
pub trait Compose: Fn(Letter<'_>) -> Words + Send + 'static {}
impl<F: Fn(Letter<'_>) -> Words + Send + 'static> Compose for F {}

/// Composes and queues letters.
struct Composer<'a> {
    mailer: &'a Mailer,
    compose: &'a dyn Fn(Letter<'_>) -> Words,
    request_id: &'a str,
    now: Timestamp,
}

impl Composer<'_> {
    fn post(&self, connection: &mut AnyConnection, to: &str, letter: Letter<'_>) -> Result<Option<Posted>> {
        // An old address that today's rules do not accept gets no letter.
        let Ok(to) = Email::known(to) else { return Ok(None) };
        let (subject, text) = (self.compose)(letter);
        let posted = self.mailer.post(connection, &Mail { to, subject, text }, self.request_id, self.now)?;
        Ok(Some(posted))
    }
}

/// Stores the new address that a user, whose row is locked, has requested, and queues the letters about it.
pub(super) fn ask(
    connection: &mut AnyConnection,
    mailer: &Mailer,
    (user, email): (&User, &Email),
    compose: &dyn Fn(Letter<'_>) -> Words,
    (now, source): (Timestamp, &Source),
) -> Result<Vec<Posted>> {
    let composer = Composer { mailer, compose, request_id: &source.request_id, now };
    let code = LinkCode::new();
    email_changes::replace(connection, user.id, email, &code.hash(), now)?;
    insert_everywhere(connection, user.id, entry(user, Action::EmailChangeAsked, now, source))?;
    let to_new = match users::find_by_email(connection, email)? {
        // Then no mail has the code, so this change is never confirmed.
        Some((owner, _)) => composer.post(connection, &owner.email, Letter::Taken(&owner))?,
        None => composer.post(connection, email.as_str(), Letter::Proof(user, &code))?,
    };
    let to_old = composer.post(connection, &user.email, Letter::Asked(user, email))?;
    Ok(to_new.into_iter().chain(to_old).collect())
}

/// Drops a requested change after the user's password has changed, as somebody else may have requested it.
pub(super) fn forget(connection: &mut AnyConnection, user: UserId) -> Result<()> {
    Ok(email_changes::delete(connection, user).map(drop)?)
}

/// Changes a user's address, in a transaction.
///
/// # Errors
/// When the database fails; [`storage::StorageError::is_duplicate`] if the address is taken.
pub(super) fn change(
    connection: &mut AnyConnection,
    user: &User,
    name: &str,
    email: &Email,
    (now, source): (Timestamp, &Source),
) -> Result<()> {
    users::update_email(connection, user.id, email)?;
    // Links that were mailed to the old address, and changes requested under it.
    password_links::delete_all(connection, user.id)?;
    email_changes::delete(connection, user.id)?;
    memberships::rename(connection, user.id, name, email.as_str())?;
    let entry = entry(user, Action::EmailChanged, now, source);
    insert_everywhere(connection, user.id, activity::Entry { detail: Some(Detail::words(email.as_str())), ..entry })
}

fn entry<'a>(user: &'a User, action: Action, now: Timestamp, source: &'a Source) -> activity::Entry<'a> {
    activity::Entry { actor: Some(user.id), actor_name: &user.name, ..activity::Entry::new(None, action, now, source) }
}

/// Returns the user's change that is not yet confirmed.
pub async fn waiting(jeton: &Jeton, actor: &Actor) -> Result<Option<EmailChange>> {
    let (user, now) = (actor.user().id, jeton.clock.now());
    jeton.read(move |connection| Ok(email_changes::of_user(connection, user, now)?)).await
}

/// Cancels a change that is not yet confirmed: its link stops working. Returns false if there is none.
pub async fn cancel(jeton: &Jeton, actor: &Actor, source: Source) -> Result<bool> {
    let (actor, now) = (actor.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            let user = actor.user();
            let was_there = email_changes::delete(connection, user.id)?;
            if was_there {
                insert_everywhere(connection, user.id, entry(user, Action::EmailChangeCancelled, now, &source))?;
            }
            Ok(was_there)
        })
        .await
}

/// Returns the user and the new address that the link with this code confirms.
///
/// # Errors
/// [`AppError::NotFound`] if there is no such link, it does not work any more, or the user cannot sign in.
pub async fn find_by_code(jeton: &Jeton, code: &str) -> Result<(User, EmailChange)> {
    let (hash, now) = (hash(code), jeton.clock.now());
    jeton.read(move |connection| behind(connection, &hash, now)).await
}

/// Confirms the new address with the code of its link, and tells the old address. Of two uses at the same time, one
/// wins. Returns the user.
///
/// # Errors
/// [`AppError::NotFound`] as for [`find_by_code`], and if another user has taken the address meanwhile.
pub async fn confirm(jeton: &Jeton, code: &str, source: Source, compose: impl Compose) -> Result<UserId> {
    let mailer = jeton.mail.clone();
    let (posting, hash, now) = (mailer.clone(), hash(code), jeton.clock.now());
    let proved = jeton.write(move |connection| {
        let user = behind(connection, &hash, now)?.0.id;
        users::lock(connection, user)?;
        let (user, change) = behind(connection, &hash, now)?;
        let email = Email::known(&change.email).map_err(|error| AppError::Broken(error.to_string()))?;
        self::change(connection, &user, &user.name, &email, (now, &source))?;
        let Some(mailer) = &posting else { return Ok((user.id, None)) };
        let composer = Composer { mailer, compose: &compose, request_id: &source.request_id, now };
        let posted = composer.post(connection, &user.email, Letter::Changed(&user, &email))?;
        Ok((user.id, posted))
    });
    match proved.await {
        Ok((user, posted)) => {
            drop(mailer.zip(posted).map(|(mailer, posted)| mailer.send(posted)));
            Ok(user)
        }
        Err(AppError::Storage(error)) if error.is_duplicate() => Err(AppError::NotFound),
        Err(error) => Err(error),
    }
}

fn behind(connection: &mut AnyConnection, hash: &[u8], now: Timestamp) -> Result<(User, EmailChange)> {
    let change = email_changes::find(connection, hash, now)?.ok_or(AppError::NotFound)?;
    let user = users::find(connection, change.user)?.ok_or(AppError::NotFound)?;
    if is_open(connection, &user, now)? { Ok((user, change)) } else { Err(AppError::NotFound) }
}

/// Returns whether an address differs from the user's in more than its spelling.
pub(super) fn is_another(user: &User, email: &Email) -> bool {
    email.folded() != folded_email(&user.email)
}

/// Turns the database's refusal of a duplicate address into [`Problem::EmailTaken`].
pub(super) fn or_taken(error: AppError) -> AppError {
    match error {
        AppError::Storage(error) if error.is_duplicate() => Problems::one(Field::Email, Problem::EmailTaken).into(),
        error => error,
    }
}
