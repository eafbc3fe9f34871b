//! The first start: the first organization and its administrator.

use super::{
    AppError, Jeton, Result, mail,
    problem::{Field, Problems},
    random,
    sessions::Begin,
};
use chrono_tz::Tz;
use domain::{
    activity::{Action, Source},
    organization,
    permission::BuiltInSet,
    text, token,
    user::{self, Language, Password, Profile, Theme},
};
use std::str::FromStr;
use storage::{activity, installation, memberships, organizations, users};
use subtle::ConstantTimeEq;

/// The set-up form, as typed.
#[derive(Clone, Debug, Default)]
pub struct SetupForm {
    /// The administrator's name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// The organization's name.
    pub organization: String,
    /// Their new password.
    pub password: String,
    /// The language of the page, which becomes theirs.
    pub language: Option<Language>,
    /// The IANA name of the browser's time zone, which becomes theirs; an unknown name means UTC.
    pub time_zone: String,
}

/// Returns whether there is no user yet.
pub async fn is_needed(jeton: &Jeton) -> Result<bool> {
    jeton.read(|connection| Ok(!users::any(connection)?)).await
}

/// The code of the set-up link, which only appears in a server's output. All nodes on a database have the same code, so
/// that the link works on each of them.
pub fn code(jeton: &Jeton) -> &str {
    &jeton.setup_code
}

/// Returns whether this is the code of the set-up link.
pub fn is_code(jeton: &Jeton, code: &str) -> bool {
    code.as_bytes().ct_eq(jeton.setup_code.as_bytes()).into()
}

/// Creates the first organization and its administrator, and signs them in.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong; [`AppError::NotFound`] if there is a user already.
pub async fn set_up(jeton: &Jeton, form: SetupForm, source: Source) -> Result<Begin> {
    let mut problems = Problems::default();
    let name = problems.check(Field::Name, user::name(&form.name));
    let email = problems.check(Field::Email, mail::address(&form.email));
    let organization = problems.check(Field::Organization, text::line(&form.organization));
    let own = [form.name.as_str(), form.email.as_str(), form.organization.as_str()];
    let password = problems.check(Field::NewPassword, Password::chosen(form.password.clone(), &own));
    let (Some(name), Some(email), Some(organization), Some(password)) = (name, email, organization, password) else {
        return Err(problems.into());
    };
    if !is_needed(jeton).await? {
        return Err(AppError::NotFound);
    }
    let hash = jeton.passwords.hash(password).await?;
    let time_zone = Tz::from_str(&form.time_zone).unwrap_or(Tz::UTC).name().to_owned();
    let profile = Profile { name, email, language: form.language, time_zone, theme: Theme::System };
    let now = jeton.clock.now();
    jeton
        .write(move |connection| {
            installation::lock(connection)?;
            if users::any(connection)? {
                return Err(AppError::NotFound);
            }
            let slug = organization::slug(&organization);
            let organization =
                organizations::insert(connection, &token::public_id(random::fill), (&slug, &organization), now)?;
            let user = users::insert(connection, &profile, &hash, now)?;
            let set = organizations::built_in_set(connection, organization, BuiltInSet::Administrator)?;
            memberships::insert(connection, user, organization, set, now)?;
            users::set_installation_admin(connection, user, true)?;
            activity::insert(
                connection,
                &activity::Entry {
                    actor: Some(user),
                    actor_name: &profile.name,
                    ..activity::Entry::new(Some(organization), Action::InstallationSetUp, now, &source)
                },
            )?;
            Ok(Begin { user, generation: 0, source: source.clone() })
        })
        .await
}
