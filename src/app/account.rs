//! A user's own settings and password.

use super::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
    sessions::Actor,
};
use crate::{
    domain::{
        activity::{Action, Source},
        user::{self, Email, Language, Password, Theme, folded_email},
    },
    storage::{
        activity, memberships, password_links, sessions,
        users::{self, Profile},
    },
};
use std::str::FromStr;

/// What the profile form asks for, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct ProfileForm {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// A language's tag, or empty for what the browser says.
    pub language: String,
    /// The IANA name of a time zone.
    pub time_zone: String,
    /// A theme's key.
    pub theme: String,
    /// The password, which a new e-mail address needs unless it was entered lately.
    pub password: Option<String>,
}

impl Jeton {
    /// Changes the user's name, e-mail address, language, time zone and theme. A new e-mail address is a new way to sign
    /// in, so it needs the password.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with what is wrong.
    pub async fn change_profile(&self, actor: &Actor, form: ProfileForm, source: Source) -> Result<()> {
        let mut problems = Problems::default();
        let name = problems.check(Field::Name, user::name(&form.name));
        // An address of one's own may be older than the rules for new ones.
        let is_own = |email: &Email| email.folded() == folded_email(&actor.user().email);
        let email = match Email::known(&form.email) {
            Ok(own) if is_own(&own) => Some(own),
            _ => problems.check(Field::Email, Email::parse(&form.email)),
        };
        let language = match form.language.as_str() {
            "" => Some(None),
            tag => problems.choice(Field::Language, Language::from_tag(tag)).map(Some),
        };
        let zone = problems.choice(Field::TimeZone, chrono_tz::Tz::from_str(&form.time_zone).ok());
        let theme = problems.choice(Field::Theme, Theme::from_key(&form.theme));
        let (Some(name), Some(email), Some(language), Some(zone), Some(theme)) = (name, email, language, zone, theme)
        else {
            return Err(problems.into());
        };
        let has_moved = !is_own(&email);
        if has_moved {
            self.need_proof(actor, form.password, &source).await?;
        }
        let profile = Profile { name, email, language, time_zone: zone.name().into(), theme };
        let (actor, now) = (actor.clone(), self.clock.now());
        self.write(move |connection| {
            users::update_profile(connection, actor.user().id, &profile).map_err(|error| {
                if error.is_duplicate() {
                    Problems::one(Field::Email, Problem::EmailTaken).into()
                } else {
                    AppError::from(error)
                }
            })?;
            if has_moved {
                // Those that went to the old address.
                password_links::delete_all(connection, actor.user().id)?;
            }
            memberships::rename(connection, actor.user().id, &profile.name, profile.email.as_str())?;
            Ok(activity::insert(connection, &actor.entry(Action::ProfileChanged, now, &source))?)
        })
        .await
    }

    /// Changes the user's theme alone, as the switch in the menu does.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when there is no such theme.
    pub async fn change_theme(&self, actor: &Actor, theme: &str) -> Result<()> {
        let theme = Theme::from_key(theme).ok_or(Problems::one(Field::Theme, Problem::NotAChoice))?;
        let id = actor.user().id;
        self.write(move |connection| Ok(users::update_theme(connection, id, theme)?)).await
    }

    /// Changes the user's password and ends all their other sessions, in one transaction. Sign-ins with the old password
    /// that are under way at that moment end with them (S4).
    ///
    /// # Errors
    /// [`AppError::Invalid`] with what is wrong.
    pub async fn change_password(&self, actor: &Actor, current: String, new: String, source: Source) -> Result<()> {
        let user = actor.user();
        let mut problems = Problems::default();
        if current.is_empty() {
            problems.check(Field::Password, Err::<(), _>(user::PasswordError::Empty));
        }
        let new = problems.check(Field::NewPassword, Password::chosen(new, &[&user.name, &user.email]));
        let Some(new) = new.filter(|_| !current.is_empty()) else { return Err(problems.into()) };
        self.prove(actor, Some(current), &source).await?;

        let id = user.id;
        let old_hash = self.read(move |connection| Ok(users::password_hash(connection, id)?)).await?;
        let new_hash = self.passwords.hash(new).await?;
        let (actor, now) = (actor.clone(), self.clock.now());
        self.write(move |connection| {
            // A change in another tab a moment ago has ended this session too.
            let generation =
                users::update_password(connection, id, &old_hash, &new_hash)?.ok_or(AppError::SignedOut)?;
            sessions::keep(connection, &actor.session().public_id, generation, now)?;
            password_links::delete_all(connection, id)?;
            Ok(activity::insert(connection, &actor.entry(Action::PasswordChanged, now, &source))?)
        })
        .await
    }
}
