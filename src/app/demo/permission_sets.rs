//! The demonstration's own permission sets.

use super::{Person, entry};
use crate::{
    app::Result,
    domain::{
        activity::{Action, Source},
        permission::Permissions,
        time::Timestamp,
    },
    storage::{AnyConnection, activity, permission_sets},
};

const SETS: [(&str, &str); 2] = [
    (
        "Field coordinators",
        "platform.sites templates.view templates.edit templates.share inspections.view inspections.conduct \
         inspections.share assets.view assets.edit",
    ),
    ("Data team", "platform.integrations platform.activity templates.view inspections.view assets.view"),
];

/// Makes them, as `maker` would have at `at`.
pub fn add(connection: &mut AnyConnection, maker: &Person, at: Timestamp) -> Result<()> {
    for (name, keys) in SETS {
        permission_sets::insert(connection, maker.organization, name, Permissions::from_keys(keys))?;
        let source = Source::default();
        let entry = entry(maker, Action::PermissionSetCreated, at, None, &source);
        activity::insert(connection, &activity::Entry { target_name: Some(name), ..entry })?;
    }
    Ok(())
}
