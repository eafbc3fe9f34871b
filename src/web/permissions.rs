//! The part of a form that chooses permissions: checkboxes by group, *select all* and *select none* for each.
//!
//! The form sends the key of each chosen permission as `permission`, many under one name. Without JavaScript, the two
//! buttons of a group send the form with `pick` ([`Pressed`]); the handler then saves nothing and shows the form again
//! with what [`picked`] returns. The template is `parts/_permissions.html`.

use super::texts::Texts;
use domain::permission::{Permission, PermissionGroup, Permissions};
use serde::Deserialize;

/// The checkboxes.
pub struct PermissionFields {
    /// By group, in the order of forms.
    pub groups: Vec<GroupFields>,
    /// Whether some cannot be chosen, because the user does not hold them.
    pub some_locked: bool,
}

/// The checkboxes of a group.
pub struct GroupFields {
    /// The prefix of its permissions' keys.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// “2 of 4”
    pub chosen: String,
    /// Whether any can be chosen.
    pub is_open: bool,
    /// One for each permission.
    pub boxes: Vec<PermissionBox>,
}

/// A checkbox.
pub struct PermissionBox {
    /// The permission's key.
    pub key: &'static str,
    /// Its name within the group.
    pub name: &'static str,
    /// Whether it is chosen.
    pub is_chosen: bool,
    /// Whether it cannot be chosen.
    pub is_locked: bool,
}

impl PermissionFields {
    /// Creates the checkboxes, with those of `chosen` checked. Those that are not in `open` cannot be changed. `open`
    /// is what the editor holds, plus what the set or token had before.
    pub fn new(t: Texts, chosen: Permissions, open: Permissions) -> Self {
        let groups = PermissionGroup::ALL.map(|group| GroupFields::new(t, group, chosen, open)).into();
        Self { groups, some_locked: !Permissions::all().without(open).is_empty() }
    }
}

impl GroupFields {
    fn new(t: Texts, group: PermissionGroup, chosen: Permissions, open: Permissions) -> Self {
        let checkbox = |permission: Permission| PermissionBox {
            key: permission.key(),
            name: t.permission(permission),
            is_chosen: chosen.contains(permission) && open.contains(permission),
            is_locked: !open.contains(permission),
        };
        let boxes: Vec<PermissionBox> = group.permissions().map(checkbox).collect();
        let count = boxes.iter().filter(|checkbox| checkbox.is_chosen).count();
        Self {
            key: group.key(),
            name: t.permission_group(group),
            chosen: t.permissions_chosen(count, boxes.len()),
            is_open: boxes.iter().any(|checkbox| !checkbox.is_locked),
            boxes,
        }
    }
}

/// Returns the permissions whose keys a form sent. A key that this version does not know is ignored, as in
/// [`Permissions::from_keys`].
pub fn chosen(keys: &[String]) -> Permissions {
    keys.iter().filter_map(|key| Permission::from_key(key)).collect()
}

/// The button of a group of permissions that was pressed in a form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pressed {
    /// What and which group, as [`picked`] reads it; empty for none.
    pub pick: String,
}

/// Returns what is chosen after a press of *select all* (`all.GROUP`) or *select none* (`none.GROUP`); none if the form
/// was sent by another button.
pub fn picked(pick: &str, chosen: Permissions, open: Permissions) -> Option<Permissions> {
    let (what, key) = pick.split_once('.')?;
    let group = PermissionGroup::from_key(key)?;
    let others = chosen.iter().filter(|permission| permission.group() != group);
    let own = group.permissions().filter(|permission| what == "all" && open.contains(*permission));
    Some(others.chain(own).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::user::Language;

    fn of(keys: &str) -> Permissions {
        Permissions::from_keys(keys)
    }

    #[test]
    fn selecting_a_group_leaves_other_and_locked_permissions_alone() {
        let open = of("templates.view templates.edit assets.view platform.users");
        let before = of("templates.view assets.view");
        assert_eq!(picked("all.templates", before, open), Some(of("templates.view templates.edit assets.view")));
        assert_eq!(picked("none.templates", before, open), Some(of("assets.view")));
        for no_button in ["", "all", "all.", "all.everything"] {
            assert_eq!(picked(no_button, before, open), None, "{no_button}");
        }
    }

    #[test]
    fn permissions_that_cannot_be_granted_are_locked() {
        let fields = PermissionFields::new(Texts(Language::En), Permissions::all(), of("assets.view"));
        assert!(fields.some_locked);
        let assets = fields.groups.iter().find(|group| group.key == "assets").expect("the group of assets");
        assert_eq!((assets.chosen.as_str(), assets.is_open), ("1 of 4", true));
        assert!(fields.groups.iter().flat_map(|group| &group.boxes).all(|field| field.is_chosen != field.is_locked));
        assert_eq!(chosen(&["assets.view".into(), "no.such".into()]), of("assets.view"));
    }
}
