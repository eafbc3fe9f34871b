//! Organizations: creating one, changing it, and choosing the current one.

use super::{
    AppError, Jeton, Result,
    authority::Administrator,
    installation::InstallationAdmin,
    invitations::admit,
    problem::{Field, Problem, Problems},
    random,
    sessions::Actor,
};
use domain::{
    activity::{Action, Detail, Source},
    membership::Membership,
    organization::{self, OrganizationId, is_slug},
    permission::BuiltInSet,
    text, token,
    user::UserId,
};
use serde::Deserialize;
use storage::{AnyConnection, activity, epoch::Fact, organizations, sessions};

/// The forms for an organization, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OrganizationForm {
    /// The name.
    #[serde(rename = "organization")]
    pub name: String,
    /// The slug; if it is empty for a new organization, it is made from the name.
    pub slug: String,
    /// For a change: the name when the form was opened.
    pub before: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
}

impl OrganizationForm {
    /// Returns the name and the slug.
    pub(super) fn read(&self) -> Result<(String, String)> {
        let mut problems = Problems::default();
        let name = problems.check(Field::Organization, text::line(&self.name));
        let slug = match self.slug.trim() {
            "" => Ok(organization::slug(&self.name)),
            typed if is_slug(typed) => Ok(typed.to_owned()),
            _ => Err(Problem::SlugMalformed),
        };
        match (name, problems.check(Field::Slug, slug)) {
            (Some(name), Some(slug)) => Ok((name, slug)),
            _ => Err(problems.into()),
        }
    }
}

fn slug_taken() -> AppError {
    Problems::one(Field::Slug, Problem::SlugTaken).into()
}

/// Turns the database's refusal of a duplicate slug into [`Problem::SlugTaken`], as somebody else may have been faster.
pub(super) fn or_taken(error: AppError) -> AppError {
    match error {
        AppError::Storage(error) if error.is_duplicate() => slug_taken(),
        error => error,
    }
}

/// Creates an organization with a name and slug, with `user` as its administrator. `by` is the log entry about it
/// without the organization: who creates it, and when.
pub(super) fn insert(
    connection: &mut AnyConnection,
    (name, slug): (&str, &str),
    user: UserId,
    by: activity::Entry<'_>,
) -> Result<OrganizationId> {
    if organizations::is_taken(connection, slug)? {
        return Err(slug_taken());
    }
    let id = organizations::insert(connection, &token::public_id(random::fill), (slug, name), by.at)?;
    let set = organizations::built_in_set(connection, id, BuiltInSet::Administrator)?;
    admit(connection, user, id, set, by.at)?;
    activity::insert(connection, &activity::Entry { organization: Some(id), target_name: Some(name), ..by })?;
    Ok(id)
}

/// Changes the name and slug of an organization, which is locked. `by` is the log entry about it without the names.
pub(super) fn update(
    connection: &mut AnyConnection,
    id: OrganizationId,
    (name, slug): (&str, &str),
    before: &str,
    by: activity::Entry<'_>,
) -> Result<()> {
    if organizations::find(connection, slug)?.is_some_and(|owner| owner != id) {
        return Err(slug_taken());
    }
    organizations::update(connection, id, slug, name)?;
    let entry = activity::Entry { target_name: Some(name), detail: Some(Detail::words(before)), ..by };
    Ok(activity::insert(connection, &entry)?)
}

/// Creates an organization with the caller as its administrator, and makes it their current one. Returns its slug.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong; [`AppError::NotFound`] if the caller does not administer the installation
/// any more.
pub async fn create(
    jeton: &Jeton,
    admin: &InstallationAdmin,
    form: OrganizationForm,
    source: Source,
) -> Result<String> {
    let (name, slug) = form.read()?;
    crate::sessions::require_reauthentication(jeton, admin.actor(), form.password, &source).await?;
    let (admin, now) = (admin.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            admin.still(connection)?;
            let actor = admin.actor();
            let by = actor.entry(Action::OrganizationCreated, now, &source);
            let id = insert(connection, (&name, &slug), actor.user().id, by)?;
            sessions::choose_organization(connection, &actor.session().public_id, id)?;
            Ok(slug.clone())
        })
        .await
        .map_err(or_taken)
}

/// Proposes a free slug for an organization with this name.
pub async fn propose_slug(jeton: &Jeton, name: &str) -> Result<String> {
    let slug = organization::slug(name);
    jeton
        .read(move |connection| {
            let mut free = slug.clone();
            let mut number = 1;
            while organizations::is_taken(connection, &free)? {
                number += 1;
                free = format!("{}-{number}", slug.chars().take(36).collect::<String>().trim_end_matches('-'));
            }
            Ok(free)
        })
        .await
}

/// Changes an organization's name and slug. From then on, addresses with the old slug redirect to the new one, and
/// answers about its tokens have the new slug. Returns the slug.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong; [`AppError::Forbidden`] if the caller is not an administrator any more.
pub async fn change(jeton: &Jeton, at: &Administrator, form: OrganizationForm, source: Source) -> Result<String> {
    let (name, slug) = form.read()?;
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            let (member, id) = (at.member(), at.member().membership().organization);
            organizations::lock(connection, id)?;
            at.still(connection)?;
            let before = organizations::named(connection, id)?.name;
            if before != form.before {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            let by = member.entry(Action::OrganizationChanged, now, &source);
            update(connection, id, (&name, &slug), &before, by)?;
            Ok((slug.clone(), Fact::SubjectsOf(id).into()))
        })
        .await
        .map_err(or_taken)
}

/// Makes an organization the current one of this session. Returns its slug.
///
/// # Errors
/// [`AppError::NotFound`] if the user is not active in it.
pub async fn choose(jeton: &Jeton, actor: &Actor, slug: &str) -> Result<String> {
    let Membership { organization, slug, .. } =
        crate::authority::enter(jeton, actor.clone(), slug).await?.membership().clone();
    let session = actor.session().public_id.clone();
    jeton
        .write(move |connection| {
            let there = sessions::choose_organization(connection, &session, organization)?;
            if there { Ok(slug.clone()) } else { Err(AppError::SignedOut) }
        })
        .await
}
