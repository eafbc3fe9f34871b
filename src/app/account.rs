//! A user's own settings and password.

use super::{
    AppError, Jeton, Result,
    email_changes::{self, Compose, is_another, or_taken},
    mail,
    problem::{Field, Problem, Problems},
    sessions::Actor,
};
use domain::{
    activity::{Action, Source},
    user::{self, Email, EmailError, Language, Password, Profile, Theme},
};
use serde::Deserialize;
use std::str::FromStr;
use storage::{activity, memberships, password_links, sessions, users};

/// The profile form, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileForm {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// A language tag, or empty for the browser's language.
    pub language: String,
    /// The IANA name of a time zone.
    pub time_zone: String,
    /// A theme's key.
    pub theme: String,
    /// Whether single keys do something in lists; empty for no.
    pub shortcuts: String,
    /// The password, which a new e-mail address requires unless it was entered recently.
    pub password: Option<String>,
}

/// Reads the typed address. The user's current address is always accepted, even if today's rules would refuse it.
fn typed_email(actor: &Actor, typed: &str) -> std::result::Result<Email, EmailError> {
    match Email::known(typed) {
        Ok(email) if !is_another(actor.user(), &email) => Ok(email),
        _ => mail::address(typed),
    }
}

/// Changes the user's name, e-mail address, language, time zone and theme. A new e-mail address is a new way to sign
/// in, so it requires the password and, where mail is sent, confirmation by mail ([`email_changes`]). Returns whether
/// the address waits for its confirmation.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong; [`AppError::TooManyAttempts`] for too many new addresses.
pub async fn change_profile(
    jeton: &Jeton,
    actor: &Actor,
    form: ProfileForm,
    source: Source,
    compose: impl Compose,
) -> Result<bool> {
    let mut problems = Problems::default();
    let name = problems.check(Field::Name, user::name(&form.name));
    let email = problems.check(Field::Email, typed_email(actor, &form.email));
    let language = match form.language.as_str() {
        "" => Some(None),
        tag => problems.choice(Field::Language, Language::from_key(tag)).map(Some),
    };
    let zone = problems.choice(Field::TimeZone, chrono_tz::Tz::from_str(&form.time_zone).ok());
    let theme = problems.choice(Field::Theme, Theme::from_key(&form.theme));
    let (Some(name), Some(email), Some(language), Some(zone), Some(theme)) = (name, email, language, zone, theme)
    else {
        return Err(problems.into());
    };
    let user = actor.user();
    let is_new = is_another(user, &email);
    if is_new {
        crate::sessions::require_reauthentication(jeton, actor, form.password, &source).await?;
        jeton.attempts.take_new_email(user.id, &email.folded())?;
    }
    let mailer = jeton.mail.clone().filter(|_| is_new);
    let (posting, actor, now) = (mailer.clone(), actor.clone(), jeton.clock.now());
    let profile = Profile { name, email, language, time_zone: zone.name().into(), theme };
    let has_shortcuts = !form.shortcuts.is_empty();
    let posted = jeton.write(move |connection| {
        let Profile { name, email, .. } = &profile;
        // Their current address: a new one may have been confirmed since the request began.
        users::lock(connection, actor.user().id)?;
        let user = users::find(connection, actor.user().id)?.ok_or(AppError::SignedOut)?;
        users::update_settings(connection, user.id, &profile)?;
        users::update_shortcuts(connection, user.id, has_shortcuts)?;
        memberships::rename(connection, user.id, name, &user.email)?;
        activity::insert(connection, &actor.entry(Action::ProfileChanged, now, &source))?;
        if let Some(mailer) = &posting {
            return email_changes::ask(connection, mailer, (&user, email), &compose, (now, &source));
        }
        if is_new {
            email_changes::change(connection, &user, name, email, (now, &source)).map_err(or_taken)?;
        } else if !is_another(&user, email) {
            // The same address, written differently.
            users::update_email(connection, user.id, email)?;
            memberships::rename(connection, user.id, name, email.as_str())?;
        }
        Ok(Vec::new())
    });
    let posted = posted.await?;
    if let Some(mailer) = &mailer {
        posted.into_iter().for_each(|posted| drop(mailer.send(posted)));
    }
    Ok(mailer.is_some())
}

/// Changes only the user's theme, as the switch in the menu does.
///
/// # Errors
/// [`AppError::Invalid`] if there is no such theme.
pub async fn change_theme(jeton: &Jeton, actor: &Actor, theme: &str) -> Result<()> {
    let theme = Theme::from_key(theme).ok_or(Problems::one(Field::Theme, Problem::NotAChoice))?;
    let id = actor.user().id;
    jeton.write(move |connection| Ok(users::update_theme(connection, id, theme)?)).await
}

/// Changes the user's password and ends all their other sessions, in one transaction. Sign-ins with the old password
/// that are in progress end with them (S4).
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong.
pub async fn change_password(jeton: &Jeton, actor: &Actor, current: String, new: String, source: Source) -> Result<()> {
    let user = actor.user();
    let mut problems = Problems::default();
    if current.is_empty() {
        problems.check(Field::Password, Err::<(), _>(user::PasswordError::Empty));
    }
    let new = problems.check(Field::NewPassword, Password::chosen(new, &[&user.name, &user.email]));
    let Some(new) = new.filter(|_| !current.is_empty()) else { return Err(problems.into()) };
    crate::sessions::reauthenticate(jeton, actor, Some(current), &source).await?;

    let id = user.id;
    let old_hash = jeton.read(move |connection| Ok(users::password_hash(connection, id)?)).await?;
    let new_hash = jeton.passwords.hash(new).await?;
    let (actor, now) = (actor.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            // If another tab has just changed the password, this session has ended too.
            let generation =
                users::update_password(connection, id, &old_hash, &new_hash)?.ok_or(AppError::SignedOut)?;
            sessions::keep(connection, &actor.session().public_id, generation, now)?;
            password_links::delete_all(connection, id)?;
            email_changes::forget(connection, id)?;
            Ok(activity::insert(connection, &actor.entry(Action::PasswordChanged, now, &source))?)
        })
        .await
}
