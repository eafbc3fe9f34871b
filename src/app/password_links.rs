//! A forgotten password: a link with which its owner chooses a new one.
//!
//! A link goes to the user's e-mail address, or from an administrator or operator to its user by another way. It works once,
//! for an hour, and only until the password or the e-mail address changes. Opening it uses nothing up, since programs that
//! look through mail open links too. The database keeps the SHA-256 of its code.

use super::{
    AppError, Jeton, Result,
    activity::insert_everywhere,
    email_changes,
    link_code::{LinkCode, hash},
    mail::{Mail, Mailer, Words},
    problem::{Field, Problems},
    sessions::is_open,
    sign_in::{Device, attempt},
};
use domain::{
    activity::{Action, Source},
    password_link::MadeBy,
    time::Timestamp,
    user::{Email, Password, User, UserId},
};
use std::sync::Arc;
use storage::{AnyConnection, activity, password_links, sessions, users};

/// Makes a link for a user, as part of a transaction. Whoever calls this has checked that the user may have one.
pub(super) fn make(connection: &mut AnyConnection, user: UserId, made_by: MadeBy, now: Timestamp) -> Result<LinkCode> {
    let code = LinkCode::new();
    password_links::insert(connection, &code.hash(), user, made_by, now)?;
    Ok(code)
}

/// Mails a link to the user with this e-mail address, if there is one, in the words of `compose`. Whether there is one,
/// and whether the mail could be sent, neither the answer nor its time tells: all that depends on it happens afterwards
/// (S6).
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`]; too many mails; [`AppError::NotFound`] where no mail is sent.
pub async fn mail_to(
    jeton: Arc<Jeton>,
    email: &str,
    devices: Vec<Device>,
    source: Source,
    compose: impl Fn(&User, &LinkCode) -> Words + Send + 'static,
) -> Result<()> {
    let mailer = jeton.mail.clone().ok_or(AppError::NotFound)?;
    // Nobody is told later that there will be no mail.
    jeton.needs_database()?;
    let mut problems = Problems::default();
    let Some(email) = problems.check(Field::Email, Email::known(email)) else { return Err(problems.into()) };
    let account = email.folded();
    let device = crate::sign_in::known_device(&jeton, &account, devices);
    jeton.attempts.take_password_mail(attempt(&account, device.as_ref(), &source))?;
    tokio::spawn(async move {
        if let Err(error) = mail_link(&jeton, mailer, email, &source, compose).await {
            let id = source.request_id;
            if error.is_passing() {
                tracing::debug!(id, %error, "a link for a forgotten password could not be made");
            } else {
                tracing::error!(id, %error, "a link for a forgotten password could not be made");
            }
        }
    });
    Ok(())
}

async fn mail_link(
    jeton: &Jeton,
    mailer: Arc<Mailer>,
    email: Email,
    source: &Source,
    compose: impl Fn(&User, &LinkCode) -> Words + Send + 'static,
) -> Result<()> {
    let now = jeton.clock.now();
    let found = jeton.read(move |connection| {
        let found = users::find_by_email(connection, &email)?.map(|(user, _)| user);
        found.map(|user| Ok(is_open(connection, &user, now)?.then_some(user))).transpose()
    });
    let Some(user) = found.await?.flatten() else { return Ok(()) };
    // To the address of the account, which may be written differently from what was typed.
    let to = Email::known(&user.email).map_err(|error| AppError::Broken(error.to_string()))?;
    let (posting, source) = (Arc::clone(&mailer), source.clone());
    let posted = jeton
        .write(move |connection| {
            // Anybody may have typed the address, so no actor is named.
            insert_entry(connection, Action::PasswordLinkMade, None, &user, now, &source)?;
            let code = make(connection, user.id, MadeBy::User, now)?;
            let (subject, text) = compose(&user, &code);
            posting.post(connection, &Mail { to: to.clone(), subject, text }, &source.request_id, now)
        })
        .await?;
    drop(mailer.send(posted));
    Ok(())
}

/// Whose password the link with this code changes.
///
/// # Errors
/// [`AppError::NotFound`] unless there is such a link, and it still works, and the account is open.
pub async fn find_user(jeton: &Jeton, code: &str) -> Result<User> {
    let (hash, now) = (hash(code), jeton.clock.now());
    jeton
        .read(move |connection| {
            let id = password_links::find(connection, &hash, now)?.ok_or(AppError::NotFound)?;
            let user = users::find(connection, id)?.ok_or(AppError::NotFound)?;
            if is_open(connection, &user, now)? { Ok(user) } else { Err(AppError::NotFound) }
        })
        .await
}

/// Changes the password of the user whose link this is, and ends all their sessions and links, in one transaction. Of
/// two uses at once one wins.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong with the password; [`AppError::NotFound`] as for
/// [`find_user`]; busy.
pub async fn redeem(jeton: &Jeton, code: &str, new: String, source: Source) -> Result<()> {
    let user = find_user(jeton, code).await?;
    let mut problems = Problems::default();
    let new = problems.check(Field::NewPassword, Password::chosen(new, &[&user.name, &user.email]));
    let Some(new) = new else { return Err(problems.into()) };
    let new_hash = jeton.passwords.hash(new).await?;
    let (code_hash, now) = (hash(code), jeton.clock.now());
    jeton
        .write(move |connection| {
            // Under the user's lock the link is looked for again: another use may have come first.
            users::lock(connection, user.id)?;
            password_links::find(connection, &code_hash, now)?.ok_or(AppError::NotFound)?;
            let old_hash = users::password_hash(connection, user.id)?;
            users::update_password(connection, user.id, &old_hash, &new_hash)?.ok_or(AppError::NotFound)?;
            sessions::delete_all(connection, user.id)?;
            password_links::delete_all(connection, user.id)?;
            email_changes::forget(connection, user.id)?;
            insert_entry(connection, Action::PasswordReset, Some(&user), &user, now, &source)
        })
        .await
}

/// Writes into the log of each organization that the account of `target` opens.
fn insert_entry(
    connection: &mut AnyConnection,
    action: Action,
    actor: Option<&User>,
    target: &User,
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    let entry = activity::Entry {
        actor: actor.map(|user| user.id),
        actor_name: actor.map_or("", |user| &user.name),
        target: Some(target.id),
        target_name: Some(&target.name),
        ..activity::Entry::new(None, action, now, source)
    };
    insert_everywhere(connection, target.id, entry)
}
