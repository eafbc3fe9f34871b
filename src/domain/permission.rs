//! What may be done: permissions, bundled into permission sets.

use super::token::Scope;

/// One thing that may be done in an organization (`product.md`, *Permissions*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Platform management: Users.
    PlatformUsers,
    /// Platform management: Groups.
    PlatformGroups,
    /// Platform management: Sites.
    PlatformSites,
    /// Platform management: Permission sets.
    PlatformPermissionSets,
    /// Platform management: Integrations.
    PlatformIntegrations,
    /// Platform management: Activity log.
    PlatformActivity,
    /// Platform management: Billing.
    PlatformBilling,
    /// Templates: View.
    TemplatesView,
    /// Templates: Create and edit.
    TemplatesEdit,
    /// Templates: Delete.
    TemplatesDelete,
    /// Templates: Share.
    TemplatesShare,
    /// Inspections: View.
    InspectionsView,
    /// Inspections: Conduct.
    InspectionsConduct,
    /// Inspections: Delete.
    InspectionsDelete,
    /// Inspections: Share.
    InspectionsShare,
    /// Assets: View.
    AssetsView,
    /// Assets: Create and edit.
    AssetsEdit,
    /// Assets: Delete.
    AssetsDelete,
    /// Assets: Share.
    AssetsShare,
}

use Permission as P;

impl Permission {
    /// Every permission in the order of forms, with its stable key.
    const KEYS: [(Self, &'static str); 19] = [
        (P::PlatformUsers, "platform.users"),
        (P::PlatformGroups, "platform.groups"),
        (P::PlatformSites, "platform.sites"),
        (P::PlatformPermissionSets, "platform.permission_sets"),
        (P::PlatformIntegrations, "platform.integrations"),
        (P::PlatformActivity, "platform.activity"),
        (P::PlatformBilling, "platform.billing"),
        (P::TemplatesView, "templates.view"),
        (P::TemplatesEdit, "templates.edit"),
        (P::TemplatesDelete, "templates.delete"),
        (P::TemplatesShare, "templates.share"),
        (P::InspectionsView, "inspections.view"),
        (P::InspectionsConduct, "inspections.conduct"),
        (P::InspectionsDelete, "inspections.delete"),
        (P::InspectionsShare, "inspections.share"),
        (P::AssetsView, "assets.view"),
        (P::AssetsEdit, "assets.edit"),
        (P::AssetsDelete, "assets.delete"),
        (P::AssetsShare, "assets.share"),
    ];

    /// The stable dotted key, as in API answers and the database.
    pub fn key(self) -> &'static str {
        Self::KEYS[self as usize].1
    }

    /// Whether it is of any use to somebody who can only read. Platform permissions are: their pages can be read.
    const fn serves_reading(self) -> bool {
        matches!(
            self,
            P::PlatformUsers
                | P::PlatformGroups
                | P::PlatformSites
                | P::PlatformPermissionSets
                | P::PlatformIntegrations
                | P::PlatformActivity
                | P::PlatformBilling
                | P::TemplatesView
                | P::InspectionsView
                | P::AssetsView
        )
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// Every permission there is.
    pub fn all() -> Self {
        Permission::KEYS.into_iter().map(|(permission, _)| permission).collect()
    }

    /// Whether `permission` is among them.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// The permissions in the order of forms.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::KEYS
            .into_iter()
            .map(|(permission, _)| permission)
            .filter(move |permission| self.contains(*permission))
    }

    /// What remains of these when a token has `scope`: a permission only to change things is worth nothing to a token
    /// that only reads, and is left out of every answer, so that an API which looks at permissions alone is safe too.
    pub fn within(self, scope: Scope) -> Self {
        match scope {
            Scope::ReadWrite => self,
            Scope::ReadOnly => self.iter().filter(|permission| permission.serves_reading()).collect(),
        }
    }

    /// The keys, separated by single spaces: the form of the database and of the `Jeton-Permissions` header.
    pub fn keys(self) -> String {
        self.iter().map(Permission::key).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`Permissions::keys`] wrote. Keys of permissions that this version does not know are passed over: to
    /// grant nothing is the safe reading of them.
    pub fn from_keys(keys: &str) -> Self {
        let known =
            |key| Permission::KEYS.into_iter().find(|(_, known)| *known == key).map(|(permission, _)| permission);
        keys.split_ascii_whitespace().filter_map(known).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | 1 << permission as u32))
    }
}

/// The permission sets that each organization starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInSet {
    /// All permissions.
    Administrator,
    /// View, conduct, create and edit.
    Standard,
    /// View.
    Reader,
}

impl BuiltInSet {
    /// The three, in the order of lists.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Standard, Self::Reader];

    /// The name in the database and in programs; pages translate it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Standard => "standard",
            Self::Reader => "reader",
        }
    }

    /// What the set grants.
    pub fn permissions(self) -> Permissions {
        match self {
            Self::Administrator => Permissions::all(),
            Self::Standard => [
                P::TemplatesView,
                P::TemplatesEdit,
                P::InspectionsView,
                P::InspectionsConduct,
                P::AssetsView,
                P::AssetsEdit,
            ]
            .into_iter()
            .collect(),
            Self::Reader => [P::TemplatesView, P::InspectionsView, P::AssetsView].into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_keys_is_in_the_order_of_the_enum_and_read_back_whole() {
        for (index, (permission, key)) in Permission::KEYS.into_iter().enumerate() {
            assert_eq!(permission as usize, index, "{key}");
            assert_eq!(Permissions::from_keys(key).iter().collect::<Vec<_>>(), [permission]);
        }
        assert_eq!(Permissions::from_keys(&Permissions::all().keys()), Permissions::all());
        assert_eq!(Permissions::from_keys("platform.everything"), Permissions::default());
    }

    #[test]
    fn a_read_only_token_keeps_no_permission_to_change_items() {
        let left = Permissions::all().within(Scope::ReadOnly);
        assert!(left.contains(P::TemplatesView) && left.contains(P::PlatformActivity));
        for change in [P::TemplatesEdit, P::TemplatesDelete, P::AssetsShare, P::InspectionsConduct] {
            assert!(!left.contains(change), "{}", change.key());
        }
        assert_eq!(Permissions::all().within(Scope::ReadWrite), Permissions::all());
    }
}
