//! The demonstration's own permission sets, and their members.

use super::{Person, entry};
use crate::{AppError, Result};
use domain::{
    activity::{Action, Source},
    permission::{OwnPermissions, Permissions},
    time::Timestamp,
    user::Email,
};
use storage::{AnyConnection, activity, memberships, permission_sets, users};

const SETS: [(&str, &str); 2] = [
    (
        "Field coordinators",
        "platform.sites templates.view templates.edit templates.share inspections.view inspections.conduct \
         inspections.share assets.view assets.edit",
    ),
    ("Data team", "platform.integrations platform.activity templates.view inspections.view assets.view"),
];

/// Creates the sets, as if `maker` had done so at `at`.
pub fn add(connection: &mut AnyConnection, maker: &Person, at: Timestamp) -> Result<()> {
    for (name, keys) in SETS {
        permission_sets::insert(
            connection,
            maker.organization,
            name,
            &Permissions::from_keys(keys, &OwnPermissions::default()),
        )?;
        let source = Source::default();
        let entry = entry(maker, Action::PermissionSetCreated, at, None, &source);
        activity::insert(connection, &activity::Entry { target_name: Some(name), ..entry })?;
    }
    Ok(())
}

/// Gives the sets to some of the people of `host`'s organization.
pub fn give(connection: &mut AnyConnection, host: &Person) -> Result<()> {
    let sets = permission_sets::list(connection, host.organization)?;
    for (name, email) in [
        (SETS[0].0, "moussa@demo.example"),
        (SETS[0].0, "salif@demo.example"),
        (SETS[0].0, "jean-baptiste@demo.example"),
        (SETS[1].0, "aicha@demo.example"),
    ] {
        let set = sets.iter().find(|stored| stored.set.name.as_str() == name).ok_or(AppError::NotFound)?;
        let email = Email::parse(email).map_err(|error| AppError::Broken(error.to_string()))?;
        let (user, _) = users::find_by_email(connection, &email)?.ok_or(AppError::NotFound)?;
        let (membership, _) =
            memberships::standing(connection, user.id, host.organization)?.ok_or(AppError::NotFound)?;
        memberships::give_set(connection, membership, set.set.id)?;
    }
    Ok(())
}
