//! What may be done: permissions, bundled into permission sets.

use super::{organization::OrganizationId, token::Scope};
use std::marker::PhantomData;

/// One thing that may be done in an organization.
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
    /// Platform management: Verify tokens, as APIs do that ask whom a token speaks for.
    PlatformVerifyTokens,
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
    const KEYS: [(Self, &'static str); 20] = [
        (P::PlatformUsers, "platform.users"),
        (P::PlatformGroups, "platform.groups"),
        (P::PlatformSites, "platform.sites"),
        (P::PlatformPermissionSets, "platform.permission_sets"),
        (P::PlatformIntegrations, "platform.integrations"),
        (P::PlatformActivity, "platform.activity"),
        (P::PlatformBilling, "platform.billing"),
        (P::PlatformVerifyTokens, "platform.verify_tokens"),
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

    /// The permission with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::KEYS.into_iter().find(|(_, known)| *known == key).map(|(permission, _)| permission)
    }

    /// The group that forms show it in.
    pub const fn group(self) -> PermissionGroup {
        match self {
            P::PlatformUsers
            | P::PlatformGroups
            | P::PlatformSites
            | P::PlatformPermissionSets
            | P::PlatformIntegrations
            | P::PlatformActivity
            | P::PlatformBilling
            | P::PlatformVerifyTokens => PermissionGroup::Platform,
            P::TemplatesView | P::TemplatesEdit | P::TemplatesDelete | P::TemplatesShare => PermissionGroup::Templates,
            P::InspectionsView | P::InspectionsConduct | P::InspectionsDelete | P::InspectionsShare => {
                PermissionGroup::Inspections
            }
            P::AssetsView | P::AssetsEdit | P::AssetsDelete | P::AssetsShare => PermissionGroup::Assets,
        }
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
                | P::PlatformVerifyTokens
                | P::TemplatesView
                | P::InspectionsView
                | P::AssetsView
        )
    }
}

/// A group of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionGroup {
    /// Platform management.
    Platform,
    /// Templates.
    Templates,
    /// Inspections.
    Inspections,
    /// Assets.
    Assets,
}

impl PermissionGroup {
    /// All of them, in the order of forms.
    pub const ALL: [Self; 4] = [Self::Platform, Self::Templates, Self::Inspections, Self::Assets];

    /// What its permissions' keys begin with.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Templates => "templates",
            Self::Inspections => "inspections",
            Self::Assets => "assets",
        }
    }

    /// Its permissions, in the order of forms.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permissions::all().iter().filter(move |permission| permission.group() == self)
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

    /// These and `others`.
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those of these that are not among `others`.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Proof that whoever holds these in `organization` may do what `A` stands for.
    ///
    /// # Errors
    /// The permission that is missing.
    pub fn grant<A: Authority>(self, organization: OrganizationId) -> Result<OrgGrant<A>, Permission> {
        if self.contains(A::PERMISSION) {
            Ok(OrgGrant { organization, held: self, authority: PhantomData })
        } else {
            Err(A::PERMISSION)
        }
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
        keys.split_ascii_whitespace().filter_map(Permission::from_key).collect()
    }
}

impl From<Permission> for Permissions {
    fn from(permission: Permission) -> Self {
        Self(1 << permission as u32)
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | 1 << permission as u32))
    }
}

/// What a verb asks for, as a type: a verb that takes an [`OrgGrant`] of the wrong one does not compile.
pub trait Authority: Clone + std::fmt::Debug + 'static {
    /// The permission behind it.
    const PERMISSION: Permission;
}

/// To invite, deactivate and remove users and set what they may do.
#[derive(Clone, Copy, Debug)]
pub struct ManageUsers;
/// To make, change and delete permission sets.
#[derive(Clone, Copy, Debug)]
pub struct ManagePermissionSets;
/// To see all tokens, and to make, change and revoke those of service users.
#[derive(Clone, Copy, Debug)]
pub struct ManageIntegrations;
/// To read the activity log.
#[derive(Clone, Copy, Debug)]
pub struct ReadActivity;
/// To see what is paid for.
#[derive(Clone, Copy, Debug)]
pub struct SeeBilling;

impl Authority for ManageUsers {
    const PERMISSION: Permission = P::PlatformUsers;
}
impl Authority for ManagePermissionSets {
    const PERMISSION: Permission = P::PlatformPermissionSets;
}
impl Authority for ManageIntegrations {
    const PERMISSION: Permission = P::PlatformIntegrations;
}
impl Authority for ReadActivity {
    const PERMISSION: Permission = P::PlatformActivity;
}
impl Authority for SeeBilling {
    const PERMISSION: Permission = P::PlatformBilling;
}

/// Proof that somebody may do in an organization what `A` stands for. Only [`Permissions::grant`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct OrgGrant<A> {
    organization: OrganizationId,
    held: Permissions,
    authority: PhantomData<A>,
}

impl<A: Authority> OrgGrant<A> {
    /// In which organization.
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// All that they hold there.
    pub const fn held(&self) -> Permissions {
        self.held
    }

    /// Checks that they hold everything that they want to give: nobody grants what they do not have (A4).
    ///
    /// # Errors
    /// What they lack.
    pub const fn may_give(&self, wanted: Permissions) -> Result<(), Permissions> {
        let lacking = wanted.without(self.held);
        if lacking.is_empty() { Ok(()) } else { Err(lacking) }
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

    /// The set with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.key() == key)
    }

    /// Whether one of them has this name in a language of the pages, whatever its case: a set with the name of another
    /// would be taken for it.
    pub fn has_name(name: &str) -> bool {
        matches!(
            super::text::fold(name).as_str(),
            "administrator" | "standard" | "reader" | "administrateur" | "lecteur"
        )
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
    fn nobody_gives_what_they_do_not_hold() {
        let organization = OrganizationId(1);
        for held in 0..1_u32 << 10 {
            // Each subset of the first ten permissions against a few wishes.
            let held = Permissions(held);
            let grant = held.grant::<ManageUsers>(organization);
            assert_eq!(grant.is_ok(), held.contains(P::PlatformUsers));
            let Ok(grant) = grant else { continue };
            for wanted in [Permissions::default(), Permissions::all(), Permissions(0b1010), held] {
                assert_eq!(grant.may_give(wanted).is_ok(), wanted.iter().all(|wanted| held.contains(wanted)));
            }
        }
    }

    #[test]
    fn every_permission_stands_in_the_group_of_its_key() {
        for permission in Permissions::all().iter() {
            assert!(permission.key().starts_with(&format!("{}.", permission.group().key())), "{}", permission.key());
        }
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
