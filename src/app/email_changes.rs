//! A user's new e-mail address.
//!
//! An address is what somebody signs in with and where links for a new password go, so one that nobody has proved could
//! be anybody's. Where there is mail, the new address counts once a link that was mailed there is opened; until then
//! the old one stays in force, and can cancel. Asking tells nothing about others: the answer is the same if the address
//! is somebody's already, and only its owner learns of it, by mail. The database keeps the SHA-256 of the link's code.
//!
//! Without mail there is no such proof. Then the password has to do, as for whatever grants access, and the change
//! counts at once: otherwise nobody could ever mend their address. That an address is taken cannot be kept secret
//! there, since two accounts cannot have one, so only a few addresses can be tried in an hour.

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

/// What is mailed about a new address, and to whom.
#[derive(Clone, Copy, Debug)]
pub enum Letter<'a> {
    /// To the new address: the link that proves it.
    Proof(&'a User, &'a LinkCode),
    /// To the owner of the account that has the address already.
    Taken(&'a User),
    /// To the old address: that another one was asked for.
    Asked(&'a User, &'a Email),
    /// To the old address: that another one is in force.
    Changed(&'a User, &'a Email),
}

/// Puts a letter into words.
pub trait Compose: Fn(Letter<'_>) -> Words + Send + 'static {}
impl<F: Fn(Letter<'_>) -> Words + Send + 'static> Compose for F {}

/// Posts a letter.
struct Desk<'a> {
    mailer: &'a Mailer,
    compose: &'a dyn Fn(Letter<'_>) -> Words,
    request_id: &'a str,
    now: Timestamp,
}

impl Desk<'_> {
    fn post(&self, connection: &mut AnyConnection, to: &str, letter: Letter<'_>) -> Result<Option<Posted>> {
        // An address from before they were read by today's rules gets no letter.
        let Ok(to) = Email::known(to) else { return Ok(None) };
        let (subject, text) = (self.compose)(letter);
        let posted = self.mailer.post(connection, &Mail { to, subject, text }, self.request_id, self.now)?;
        Ok(Some(posted))
    }
}

/// Writes down that a user, whose row is locked, wants an address, and posts the letters about it.
pub(super) fn ask(
    connection: &mut AnyConnection,
    mailer: &Mailer,
    (user, email): (&User, &Email),
    compose: &dyn Fn(Letter<'_>) -> Words,
    (now, source): (Timestamp, &Source),
) -> Result<Vec<Posted>> {
    let desk = Desk { mailer, compose, request_id: &source.request_id, now };
    let code = LinkCode::new();
    email_changes::replace(connection, user.id, email, &code.hash(), now)?;
    insert_everywhere(connection, user.id, entry(user, Action::EmailChangeAsked, now, source))?;
    let to_new = match users::find_by_email(connection, email)? {
        // The code is in no mail then, so this change is never proved.
        Some((owner, _)) => desk.post(connection, &owner.email, Letter::Taken(&owner))?,
        None => desk.post(connection, email.as_str(), Letter::Proof(user, &code))?,
    };
    let to_old = desk.post(connection, &user.email, Letter::Asked(user, email))?;
    Ok(to_new.into_iter().chain(to_old).collect())
}

/// Forgets what a user wants, since whoever asked for it may not have been them: their password is another.
pub(super) fn forget(connection: &mut AnyConnection, user: UserId) -> Result<()> {
    Ok(email_changes::delete(connection, user).map(drop)?)
}

/// Gives a user another address, in a transaction.
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
    // Those that went to the old address, and what was asked for there.
    password_links::delete_all(connection, user.id)?;
    email_changes::delete(connection, user.id)?;
    memberships::rename(connection, user.id, name, email.as_str())?;
    let entry = entry(user, Action::EmailChanged, now, source);
    insert_everywhere(connection, user.id, activity::Entry { detail: Some(Detail::words(email.as_str())), ..entry })
}

fn entry<'a>(user: &'a User, action: Action, now: Timestamp, source: &'a Source) -> activity::Entry<'a> {
    activity::Entry { actor: Some(user.id), actor_name: &user.name, ..activity::Entry::new(None, action, now, source) }
}

/// The change that somebody waits for, if they do.
pub async fn waiting(jeton: &Jeton, actor: &Actor) -> Result<Option<EmailChange>> {
    let (user, now) = (actor.user().id, jeton.clock.now());
    jeton.read(move |connection| Ok(email_changes::of_user(connection, user, now)?)).await
}

/// Cancels the change that somebody waits for: its link does not work any more. Returns false if there is none.
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

/// Whose new address the link with this code proves, and which it is.
///
/// # Errors
/// [`AppError::NotFound`] unless there is such a link, and it still works, and the account is open.
pub async fn find_by_code(jeton: &Jeton, code: &str) -> Result<(User, EmailChange)> {
    let (hash, now) = (hash(code), jeton.clock.now());
    jeton.read(move |connection| behind(connection, &hash, now)).await
}

/// Puts the address in force that the link with this code proves, and tells the old one so. Of two uses at once one
/// wins. Returns whose it is.
///
/// # Errors
/// [`AppError::NotFound`] as for [`find_by_code`], and if somebody has got the address meanwhile.
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
        let desk = Desk { mailer, compose: &compose, request_id: &source.request_id, now };
        let posted = desk.post(connection, &user.email, Letter::Changed(&user, &email))?;
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

/// Whether an address is another one than the user's, not only written otherwise.
pub(super) fn is_another(user: &User, email: &Email) -> bool {
    email.folded() != folded_email(&user.email)
}

/// What it means where the schema keeps addresses apart.
pub(super) fn or_taken(error: AppError) -> AppError {
    match error {
        AppError::Storage(error) if error.is_duplicate() => Problems::one(Field::Email, Problem::EmailTaken).into(),
        error => error,
    }
}
