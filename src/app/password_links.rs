//! Links for a new password, for users who forgot theirs.
//!
//! A link is mailed to the user, or an administrator or the operator hands it over in another way. It works once, for
//! an hour, and only until the password or the e-mail address changes. Opening it does not use it up, as programs that
//! scan mail open links too. The database stores the SHA-256 of its code.

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

/// Creates a link for a user, as part of a transaction. The caller must have checked that the user may have one.
pub(super) fn make(connection: &mut AnyConnection, user: UserId, made_by: MadeBy, now: Timestamp) -> Result<LinkCode> {
    let code = LinkCode::new();
    password_links::insert(connection, &code.hash(), user, made_by, now)?;
    Ok(code)
}

/// Mails a link to the user with this e-mail address, if there is one; `compose` writes the mail. Neither the answer
/// nor its time reveals whether there is such a user or whether the mail could be sent: all that depends on it happens
/// after the answer (S6).
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`]; [`AppError::TooManyAttempts`] for too many mails; [`AppError::NotFound`]
/// where no mail is sent.
pub async fn mail_to(
    jeton: Arc<Jeton>,
    email: &str,
    devices: Vec<Device>,
    source: Source,
    compose: impl Fn(&User, &LinkCode) -> Words + Send + 'static,
) -> Result<()> {
    let mailer = jeton.mail.clone().ok_or(AppError::NotFound)?;
    // After the answer, nobody can be told that there will be no mail.
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
                tracing::debug!(id, %error, "a link for a forgotten password could not be created");
            } else {
                tracing::error!(id, %error, "a link for a forgotten password could not be created");
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
    // To the address of the account, which may be written differently from the typed one.
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

/// Returns the user whose password the link with this code changes.
///
/// # Errors
/// [`AppError::NotFound`] if there is no such link, it does not work any more, or the user cannot sign in.
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

/// Changes the password of the user who has this link, and ends all their sessions and links, in one transaction. Of
/// two uses at the same time, one wins.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong with the password; [`AppError::NotFound`] as for [`find_user`];
/// [`AppError::Busy`].
pub async fn redeem(jeton: &Jeton, code: &str, new: String, source: Source) -> Result<()> {
    let user = find_user(jeton, code).await?;
    let mut problems = Problems::default();
    let new = problems.check(Field::NewPassword, Password::chosen(new, &[&user.name, &user.email]));
    let Some(new) = new else { return Err(problems.into()) };
    let new_hash = jeton.passwords.hash(new).await?;
    let (code_hash, now) = (hash(code), jeton.clock.now());
    jeton
        .write(move |connection| {
            // With the user locked, the link is read again, as another use may have been faster.
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

/// Writes an entry into the activity log of each organization in which `target` is active.
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
