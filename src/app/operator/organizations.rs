//! Organizations: listed, created and renamed.

use super::{Operator, Records, entry, find_organization, find_user};
use crate::{
    Jeton, Result,
    organizations::{OrganizationForm, insert, or_taken, update},
};
use domain::{activity::Action, permission_set::SetName};
use storage::{
    activity, memberships,
    organizations::{self, Named},
    seats,
};

/// An organization in the operator's list.
#[derive(Clone, Debug)]
pub struct OrganizationFacts {
    /// Its names.
    pub named: Named,
    /// How many memberships are active.
    pub seats: i64,
    /// The names of its permission sets.
    pub sets: Vec<SetName>,
}

impl Records {
    /// Lists all organizations, the oldest first.
    pub fn organizations(&mut self) -> Result<Vec<OrganizationFacts>> {
        let connection = &mut self.connection;
        let mut facts = Vec::new();
        for named in organizations::all(connection)? {
            let seats = seats::in_use(connection, named.id)?;
            let sets = memberships::sets(connection, named.id)?.into_iter().map(|set| set.name).collect();
            facts.push(OrganizationFacts { named, seats, sets });
        }
        Ok(facts)
    }
}

/// Creates an organization with the user with this e-mail address as its administrator. Without a slug, it is made from
/// the name.
///
/// # Errors
/// [`crate::AppError::Invalid`] with what is wrong.
pub async fn create_organization_for(
    jeton: &Jeton,
    _: Operator,
    name: String,
    slug: Option<String>,
    administrator: &str,
) -> Result<Named> {
    let form = OrganizationForm { name, slug: slug.unwrap_or_default(), ..OrganizationForm::default() };
    let (name, slug) = form.read()?;
    let (administrator, now) = (administrator.to_owned(), jeton.clock.now());
    jeton
        .change_authority(move |connection| {
            let user = find_user(connection, &administrator)?;
            let id = insert(connection, (&name, &slug), user.id, entry(None, Action::OrganizationCreated, now))?;
            let joined = entry(Some(id), Action::UserJoined, now);
            let joined = activity::Entry { target: Some(user.id), target_name: Some(&user.name), ..joined };
            activity::insert(connection, &joined)?;
            Ok(organizations::named(connection, id)?)
        })
        .await
        .map_err(or_taken)
}

/// Changes an organization's name, and its slug if a new one is given; `slug` may be a former one.
///
/// # Errors
/// [`crate::AppError::Invalid`] with what is wrong.
pub async fn rename_organization(
    jeton: &Jeton,
    _: Operator,
    slug: &str,
    name: String,
    new_slug: Option<String>,
) -> Result<Named> {
    let (slug, now) = (slug.to_owned(), jeton.clock.now());
    jeton
        .change_authority(move |connection| {
            let id = find_organization(connection, &slug)?;
            organizations::lock(connection, id)?;
            let before = organizations::named(connection, id)?;
            let slug = new_slug.clone().unwrap_or(before.slug);
            let (name, slug) = OrganizationForm { name: name.clone(), slug, ..OrganizationForm::default() }.read()?;
            let by = entry(Some(id), Action::OrganizationChanged, now);
            update(connection, id, (&name, &slug), &before.name, by)?;
            Ok(organizations::named(connection, id)?)
        })
        .await
        .map_err(or_taken)
}
