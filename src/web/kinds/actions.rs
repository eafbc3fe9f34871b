//! The actions of a kind as rows of a table.

use crate::texts::Texts;
use domain::{
    access::Level,
    kind::{CommonAction, Kind},
    permission::PermissionGroup,
};

/// An action that cannot be changed where it is shown, and the permission that it becomes.
pub struct ActionRow {
    /// Its name.
    pub name: String,
    /// The key of its permission.
    pub permission: String,
    /// Whether it reads or changes.
    pub nature: &'static str,
    /// The level that it needs.
    pub level: &'static str,
}

impl ActionRow {
    fn new(t: Texts, name: &str, permission: String, reads: bool, level: Level) -> Self {
        Self { name: name.to_owned(), permission, nature: t.nature(reads), level: t.level(level) }
    }
}

/// Returns the actions that every own kind has, with this key in front.
pub fn common(t: Texts, kind: &str) -> Vec<ActionRow> {
    let row = |action: CommonAction| {
        let permission = format!("{kind}.{}", action.key());
        ActionRow::new(t, t.common_action(action), permission, action.reads(), action.level())
    };
    CommonAction::ALL.map(row).into()
}

/// Returns all actions of an own kind.
pub fn of_kind(t: Texts, kind: &Kind) -> Vec<ActionRow> {
    let key = kind.key.as_str();
    let own = kind.actions.iter().map(|action| {
        let permission = format!("{key}.{}", action.key.as_str());
        ActionRow::new(t, &action.name, permission, action.reads, action.level())
    });
    common(t, key).into_iter().chain(own).collect()
}

/// Returns the actions of a built-in kind.
pub fn of_group(t: Texts, group: PermissionGroup) -> Vec<ActionRow> {
    let row = |permission: domain::permission::BuiltInPermission| {
        let level = permission.level()?;
        let reads = level == Level::View;
        Some(ActionRow::new(t, t.permission(permission), permission.key().to_owned(), reads, level))
    };
    group.permissions().filter_map(row).collect()
}
