//! Which permission it takes to do something with items of a kind.

use super::ItemKind;
use crate::{
    access::{Demand, Level},
    kind::CommonAction,
    permission::{BuiltInPermission, OwnPermission, OwnPermissions, Permission, PermissionGroup},
};

/// Something that may be done with items of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemAction {
    /// The permission that it takes.
    pub permission: Permission,
    /// The level on the item that it takes.
    pub level: Level,
    /// Whether it only reads.
    pub reads: bool,
}

impl ItemAction {
    /// Returns the key of the action, without that of its kind.
    pub fn key(&self) -> &str {
        self.permission.key().split_once('.').map_or("", |(_, action)| action)
    }

    /// Returns what it demands of a token.
    pub fn demand(&self) -> Demand {
        let permissions = [self.permission.clone()].into_iter().collect();
        Demand { write: !self.reads, permissions, organization: None }
    }

    fn own(permission: &OwnPermission) -> Self {
        let reads = permission.reads();
        let level = match CommonAction::from_key(permission.parts().1) {
            Some(common) => common.level(),
            None if reads => Level::View,
            None => Level::Edit,
        };
        Self { permission: permission.clone().into(), level, reads }
    }
}

impl ItemKind {
    /// Returns the permission to do something with items of this kind; that to edit inspections is to *conduct* them.
    /// `None` for a key that no kind can have.
    pub fn permission(&self, action: CommonAction) -> Option<Permission> {
        let action = match action {
            CommonAction::Edit if self.is_inspections() => "conduct",
            action => action.key(),
        };
        Permission::named(&format!("{}.{action}", self.key()))
    }

    /// Returns everything that may be done with items of this kind in an organization that has added `known`: nothing
    /// if the organization has no such kind.
    pub fn actions(&self, known: &OwnPermissions) -> Vec<ItemAction> {
        if let Some(group) = PermissionGroup::from_key(self.key()).filter(|_| self.is_built_in()) {
            let action = |permission: BuiltInPermission| {
                let level = permission.level()?;
                Some(ItemAction { permission: permission.into(), level, reads: level == Level::View })
            };
            return group.permissions().filter_map(action).collect();
        }
        known.iter().filter(|permission| permission.parts().0 == self.key()).map(ItemAction::own).collect()
    }

    /// Returns the action with this key; `None` if the kind has none, or the organization no such kind.
    pub fn action(&self, key: &str, known: &OwnPermissions) -> Option<ItemAction> {
        self.actions(known).into_iter().find(|action| action.key() == key)
    }

    /// Returns whether an organization that has added `known` has this kind.
    pub fn is_known(&self, known: &OwnPermissions) -> bool {
        self.is_built_in() || known.get(&format!("{}.{}", self.key(), CommonAction::View.key())).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_a_permission_of_the_kind() {
        let keys = |kind: &str| {
            let kind = ItemKind::parse(kind).unwrap();
            CommonAction::ALL.map(|action| kind.permission(action).map(|permission| permission.key().to_owned()))
        };
        let of = |all: [&str; 4]| all.map(|key| Some(key.to_owned()));
        let inspections = ["inspections.view", "inspections.conduct", "inspections.delete", "inspections.share"];
        assert_eq!(keys("inspections"), of(inspections));
        assert_eq!(keys("assets"), of(["assets.view", "assets.edit", "assets.delete", "assets.share"]));
        assert_eq!(keys("invoices"), of(["invoices.view", "invoices.edit", "invoices.delete", "invoices.share"]));
        assert_eq!(keys("platform"), [None, None, None, None]);
    }

    #[test]
    fn each_action_of_a_kind_takes_a_permission_and_a_level() {
        let known =
            OwnPermissions::parse("record.view:r record.edit record.delete record.share record.read:r record.write");
        let told = |kind: &str| {
            let actions = ItemKind::parse(kind).unwrap().actions(&known);
            let told = |action: &ItemAction| format!("{} {} {}", action.key(), action.level.key(), action.reads);
            actions.iter().map(told).collect::<Vec<_>>()
        };
        let built_in = ["view view true", "conduct edit false", "delete manage false", "share manage false"];
        assert_eq!(told("inspections"), built_in);
        let own = ["delete manage false", "edit edit false", "read view true", "share manage false", "view view true"];
        assert_eq!(told("record"), [&own[..], &["write edit false"]].concat());
        assert!(told("visits").is_empty() && told("platform").is_empty());
        let of = |kind: &str, key: &str| ItemKind::parse(kind).unwrap().action(key, &known).is_some();
        assert!(
            of("inspections", "conduct") && !of("inspections", "edit") && !of("assets", "conduct") && !of("assets", "")
        );
    }

    #[test]
    fn an_own_kind_is_known_where_it_was_added() {
        let known = OwnPermissions::parse("invoices.view:r invoices.edit");
        let is_known = |kind: &str| ItemKind::parse(kind).unwrap().is_known(&known);
        assert!(is_known("assets") && is_known("invoices") && !is_known("visits"));
    }
}
