//! The names of kinds, and of the permissions that they become: the organization's own words.

use crate::texts::Texts;
use domain::{
    access::Level,
    kind::{CommonAction, Kind},
    permission::{OwnPermission, OwnPermissions, Permission, Permissions},
};

impl Texts {
    /// The name of an action that every own kind has.
    pub fn common_action(self, action: CommonAction) -> &'static str {
        match action {
            CommonAction::View => self.permissions_view(),
            CommonAction::Edit => self.permissions_edit(),
            CommonAction::Delete => self.permissions_delete(),
            CommonAction::Share => self.permissions_share(),
        }
    }

    /// The name of a level.
    pub fn level(self, level: Level) -> &'static str {
        match level {
            Level::View => self.kinds_level_view(),
            Level::Edit => self.kinds_level_edit(),
            Level::Manage => self.kinds_level_manage(),
        }
    }

    /// Whether an action reads or changes.
    pub fn nature(self, reads: bool) -> &'static str {
        if reads { self.kinds_reads() } else { self.kinds_changes() }
    }

    /// The name of an own action within its kind.
    pub fn action_of<'a>(self, kind: &'a Kind, key: &str) -> Option<&'a str> {
        match CommonAction::from_key(key) {
            Some(action) => Some(self.common_action(action)),
            None => kind.actions.iter().find(|action| action.key.as_str() == key).map(|action| action.name.as_str()),
        }
    }

    /// “Invoices: Approve”, in an organization with these kinds. The key, if it has no such kind or action.
    pub fn own_permission(self, kinds: &[Kind], permission: &OwnPermission) -> String {
        let (key, action) = permission.parts();
        let kind = kinds.iter().find(|kind| kind.key.as_str() == key);
        let found = kind.and_then(|kind| Some((kind, self.action_of(kind, action)?)));
        match found {
            Some((kind, action)) => self.permissions_in_full(&kind.plural, action),
            None => permission.key().to_owned(),
        }
    }

    /// “Platform management: Integrations”, “Invoices: Approve”
    pub fn any_permission(self, kinds: &[Kind], permission: &Permission) -> String {
        match permission {
            Permission::BuiltIn(permission) => self.permission_with_group(*permission),
            Permission::Own(permission) => self.own_permission(kinds, permission),
        }
    }

    /// “Templates: View, Invoices: Approve”
    pub fn permission_names(self, kinds: &[Kind], permissions: &Permissions) -> String {
        let names = permissions.iter().map(|permission| self.any_permission(kinds, &permission));
        names.collect::<Vec<_>>().join(", ")
    }

    /// “Invoices: View, Invoices: Approve”
    pub fn own_permission_names(self, kinds: &[Kind], permissions: &OwnPermissions) -> String {
        self.permission_names(kinds, &permissions.clone().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        kind::{ActionKey, KindKey, OwnAction, is_name_of_built_in},
        permission::PermissionGroup,
        user::Language,
    };

    #[test]
    fn an_own_permission_is_called_by_the_words_of_its_organization() {
        let kind = Kind {
            key: KindKey::parse("invoices").unwrap(),
            singular: "Facture".into(),
            plural: "<i>Factures</i>".into(),
            actions: vec![OwnAction {
                key: ActionKey::parse("approve").unwrap(),
                name: "{count}".into(),
                reads: false,
            }],
        };
        let named = |t: Texts, key| t.any_permission(std::slice::from_ref(&kind), &Permission::named(key).unwrap());
        let (english, french) = (Texts(Language::En), Texts(Language::Fr));
        assert_eq!(named(english, "invoices.approve"), "<i>Factures</i>: {count}");
        assert_eq!(named(french, "invoices.view"), "<i>Factures</i>\u{202f}: Voir");
        assert_eq!(named(french, "invoices.pay"), "invoices.pay");
        assert_eq!(named(french, "visits.view"), "visits.view");
        assert_eq!(named(english, "assets.view"), "Assets: View");
    }

    #[test]
    fn no_kind_can_have_the_name_of_a_built_in_one() {
        for t in [Texts(Language::En), Texts(Language::Fr)] {
            for group in PermissionGroup::ALL {
                assert!(
                    is_name_of_built_in(&t.permission_group(group).to_uppercase()),
                    "{}",
                    t.permission_group(group)
                );
            }
        }
        assert!(!is_name_of_built_in("Invoices"));
    }
}
