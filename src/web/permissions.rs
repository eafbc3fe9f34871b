//! The part of a form that chooses permissions: checkboxes by group, *select all* and *select none* for each.
//!
//! The form sends the key of each chosen permission as `permission`, many under one name. Without JavaScript, the two
//! buttons of a group send the form with `pick` ([`Pressed`]); the handler then saves nothing and shows the form again
//! with what [`picked`] returns. The template is `parts/_permissions.html`.

use super::texts::Texts;
use domain::{
    kind::Kind,
    permission::{OwnPermissions, Permission, PermissionGroup, Permissions},
};
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
    pub key: String,
    /// Its name.
    pub name: String,
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
    pub key: String,
    /// Its name within the group.
    pub name: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
    /// Whether it cannot be chosen.
    pub is_locked: bool,
}

impl PermissionFields {
    /// Creates the checkboxes in an organization with these kinds, with those of `chosen` checked. Those that are not
    /// in
    /// `open` cannot be changed. `open` is what the editor holds, plus what the set or token had before.
    pub fn new(t: Texts, kinds: &[Kind], chosen: &Permissions, open: &Permissions) -> Self {
        let built_in = PermissionGroup::ALL.into_iter().map(|group| {
            let boxes = group.permissions().map(|permission| (permission.into(), t.permission(permission).to_owned()));
            GroupFields::new(t, (group.key(), t.permission_group(group)), boxes, chosen, open)
        });
        let own = kinds.iter().map(|kind| {
            let named = |permission| {
                let name = Permission::Own(permission);
                let action = name.key().split_once('.').and_then(|(_, action)| t.action_of(kind, action));
                (name.clone(), action.unwrap_or_default().to_owned())
            };
            GroupFields::new(t, (kind.key.as_str(), &kind.plural), kind.permissions().map(named), chosen, open)
        });
        let groups: Vec<GroupFields> = built_in.chain(own).collect();
        let some_locked = groups.iter().flat_map(|group| &group.boxes).any(|checkbox| checkbox.is_locked);
        Self { groups, some_locked }
    }
}

impl GroupFields {
    fn new(
        t: Texts,
        (key, name): (&str, &str),
        permissions: impl Iterator<Item = (Permission, String)>,
        chosen: &Permissions,
        open: &Permissions,
    ) -> Self {
        let checkbox = |(permission, name): (Permission, String)| PermissionBox {
            key: permission.key().to_owned(),
            name,
            is_chosen: chosen.includes(&permission) && open.includes(&permission),
            is_locked: !open.includes(&permission),
        };
        let boxes: Vec<PermissionBox> = permissions.map(checkbox).collect();
        let count = boxes.iter().filter(|checkbox| checkbox.is_chosen).count();
        Self {
            key: key.to_owned(),
            name: name.to_owned(),
            chosen: t.permissions_chosen(count, boxes.len()),
            is_open: boxes.iter().any(|checkbox| !checkbox.is_locked),
            boxes,
        }
    }
}

/// Returns the permissions whose keys a form sent, in an organization that has added `known`. A key that neither this
/// version nor the organization knows is ignored, as in [`Permissions::from_keys`].
pub fn chosen(keys: &[String], known: &OwnPermissions) -> Permissions {
    keys.iter().filter_map(|key| Permission::of(key, known)).collect()
}

/// The button of a group of permissions that was pressed in a form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pressed {
    /// What and which group, as [`picked`] reads it; empty for none.
    pub pick: String,
}

/// Returns what is chosen after a press of *select all* (`all.GROUP`) or *select none* (`none.GROUP`); none if the form
/// was sent by another button. A group is a built-in one, or a kind of an organization that has added `known`.
pub fn picked(pick: &str, known: &OwnPermissions, chosen: &Permissions, open: &Permissions) -> Option<Permissions> {
    let (what, group) = pick.split_once('.')?;
    let is_in = |permission: &Permission| permission.key().split_once('.').is_some_and(|(key, _)| key == group);
    let members = Permissions::everything(known).iter().filter(is_in).collect::<Permissions>();
    if members.is_empty() {
        return None;
    }
    let others = chosen.without(&members);
    if what != "all" {
        return Some(others);
    }
    let own = members.iter().filter(|permission| open.includes(permission)).collect();
    Some(others.with(&own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        kind::{ActionKey, KindKey, OwnAction, permissions},
        user::Language,
    };

    fn kind() -> Kind {
        Kind {
            key: KindKey::parse("invoices").unwrap(),
            singular: "Invoice".into(),
            plural: "Invoices".into(),
            actions: vec![OwnAction {
                key: ActionKey::parse("approve").unwrap(),
                name: "Approve".into(),
                reads: false,
            }],
        }
    }

    fn known() -> OwnPermissions {
        permissions([&kind()])
    }

    fn of(keys: &str) -> Permissions {
        Permissions::from_keys(keys, &known())
    }

    #[test]
    fn selecting_a_group_leaves_other_and_locked_permissions_alone() {
        let open = of("templates.view templates.edit assets.view platform.users invoices.view invoices.approve");
        let before = of("templates.view assets.view invoices.view");
        let picked = |pick| picked(pick, &known(), &before, &open);
        assert_eq!(picked("all.templates"), Some(of("templates.view templates.edit assets.view invoices.view")));
        assert_eq!(picked("none.templates"), Some(of("assets.view invoices.view")));
        assert_eq!(picked("all.invoices"), Some(of("templates.view assets.view invoices.view invoices.approve")));
        assert_eq!(picked("none.invoices"), Some(of("templates.view assets.view")));
        for no_button in ["", "all", "all.", "all.everything", "all.invoice"] {
            assert_eq!(picked(no_button), None, "{no_button}");
        }
    }

    #[test]
    fn permissions_that_cannot_be_granted_are_locked() {
        let (t, all) = (Texts(Language::En), Permissions::everything(&known()));
        let fields = PermissionFields::new(t, &[kind()], &all, &of("assets.view invoices.approve"));
        assert!(fields.some_locked);
        for (key, count) in [("assets", "1 of 4"), ("invoices", "1 of 5")] {
            let group = fields.groups.iter().find(|group| group.key == key).expect(key);
            assert_eq!((group.chosen.as_str(), group.is_open), (count, true));
        }
        assert!(fields.groups.iter().flat_map(|group| &group.boxes).all(|field| field.is_chosen != field.is_locked));
        let keys = ["assets.view".into(), "no.such".into(), "invoices.pay".into(), "invoices.approve".into()];
        assert_eq!(chosen(&keys, &known()), of("assets.view invoices.approve"));
        assert_eq!(chosen(&keys, &OwnPermissions::default()), of("assets.view"));
        assert!(!PermissionFields::new(t, &[kind()], &all, &all).some_locked);
    }
}
