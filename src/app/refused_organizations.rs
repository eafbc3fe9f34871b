//! What other organizations share with one, for those who manage its users: they may refuse an organization, from whose
//! shares and rules nothing counts for them then.

use super::{AppError, Jeton, Result, access_rules::Manager};
use domain::activity::{Action, Source};
pub use storage::refused_organizations::Giver;
use storage::{AnyConnection, activity, refused_organizations};

/// Lists the organizations that share something with this one or with its people, and those that it refuses, by name.
pub async fn givers(jeton: &Jeton, at: &Manager) -> Result<Vec<Giver>> {
    let organization = at.organization();
    jeton.read(move |connection| Ok(refused_organizations::givers(connection, organization)?)).await
}

/// Refuses an organization, by its public id: when this returns, nothing that it shares counts any more. Returns false
/// if it was already refused.
///
/// # Errors
/// [`AppError::NotFound`] if it shares nothing with this one.
pub async fn refuse(jeton: &Jeton, at: &Manager, id: &str, source: Source) -> Result<bool> {
    let (at, now, id) = (at.clone(), jeton.clock.now(), id.to_owned());
    jeton
        .end(move |connection| {
            at.begin(connection, now)?;
            let giver = giver_in(connection, &at, &id)?;
            let is_new = refused_organizations::refuse(connection, at.organization(), giver.id, now)?;
            if is_new {
                let entry = at.entry(Action::OrganizationRefused, now, &source);
                activity::insert(connection, &activity::Entry { target_name: Some(&giver.name), ..entry })?;
            }
            Ok(is_new)
        })
        .await
}

/// Accepts again what a refused organization shares. Returns false if it was not refused.
///
/// # Errors
/// As [`refuse`].
pub async fn accept(jeton: &Jeton, at: &Manager, id: &str, source: Source) -> Result<bool> {
    let (at, now, id) = (at.clone(), jeton.clock.now(), id.to_owned());
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let giver = giver_in(connection, &at, &id)?;
            let was_refused = refused_organizations::accept(connection, at.organization(), giver.id)?;
            if was_refused {
                let entry = at.entry(Action::OrganizationAccepted, now, &source);
                activity::insert(connection, &activity::Entry { target_name: Some(&giver.name), ..entry })?;
            }
            Ok(was_refused)
        })
        .await
}

fn giver_in(connection: &mut AnyConnection, at: &Manager, id: &str) -> Result<Giver> {
    let all = refused_organizations::givers(connection, at.organization())?;
    all.into_iter().find(|giver| giver.public_id == id).ok_or(AppError::NotFound)
}
