//! Which permission it takes to do something with items of a kind.

use super::ItemKind;
use crate::{
    kind::CommonAction,
    permission::{OwnPermissions, Permission},
};

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
    fn an_own_kind_is_known_where_it_was_added() {
        let known = OwnPermissions::parse("invoices.view:r invoices.edit");
        let is_known = |kind: &str| ItemKind::parse(kind).unwrap().is_known(&known);
        assert!(is_known("assets") && is_known("invoices") && !is_known("visits"));
    }
}
