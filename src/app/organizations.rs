//! Organizations: making one, changing it, and choosing the one that pages are about.

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
use storage::{AnyConnection, activity, organizations, sessions};

/// What the forms for an organization ask for, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct OrganizationForm {
    /// The name.
    pub name: String,
    /// The part of its addresses; if a new organization's is empty it is made from the name.
    pub slug: String,
    /// The name that was there when the form was opened, for a change.
    pub before: String,
    /// The password, if it was asked for.
    pub password: Option<String>,
}

impl OrganizationForm {
    /// The name and the part of addresses.
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

/// What it means when somebody else was faster by a moment: the schema itself keeps the addresses apart.
pub(super) fn or_taken(error: AppError) -> AppError {
    match error {
        AppError::Storage(error) if error.is_duplicate() => slug_taken(),
        error => error,
    }
}

/// Makes an organization with a name and part of addresses, whose administrator is `user`. `by` is the entry about it
/// without the organization: who makes it, and when.
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

/// Changes the name and part of addresses of an organization that is locked. `by` is the entry about it without the names.
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

/// Makes an organization, whose administrator is whoever makes it, and works in it from now on. Returns its part of
/// addresses.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong; [`AppError::NotFound`] for one who does not administer the
/// installation any more.
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

/// A part of addresses that is free, for an organization with this name.
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

/// Changes an organization's name and its part of addresses. Addresses with the one before lead to it from then on,
/// and answers about its tokens have the new one. Returns the part of addresses.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong; [`AppError::Forbidden`] for one who is no administrator any more.
pub async fn change(jeton: &Jeton, at: &Administrator, form: OrganizationForm, source: Source) -> Result<String> {
    let (name, slug) = form.read()?;
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .change_authority(move |connection| {
            let (member, id) = (at.member(), at.member().membership().organization);
            organizations::lock(connection, id)?;
            at.still(connection)?;
            let before = organizations::named(connection, id)?.name;
            if before != form.before {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            let by = member.entry(Action::OrganizationChanged, now, &source);
            update(connection, id, (&name, &slug), &before, by)?;
            Ok(slug.clone())
        })
        .await
        .map_err(or_taken)
}

/// Chooses the organization that the pages of this session are about from now on. Returns its part of addresses.
///
/// # Errors
/// [`AppError::NotFound`] if they are not active in it.
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
