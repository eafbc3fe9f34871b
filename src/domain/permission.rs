//! Permissions, and the built-in permission sets.

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
    /// Platform management: Verify tokens, for APIs that ask on whose behalf a token acts.
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

    /// Returns the stable dotted key, as in API answers and the database.
    pub fn key(self) -> &'static str {
        Self::KEYS[self as usize].1
    }

    /// Returns the permission with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::KEYS.into_iter().find(|(_, known)| *known == key).map(|(permission, _)| permission)
    }

    /// Returns the group in which forms show it.
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

    /// Returns whether it is of any use with read-only access. Platform permissions are, as their pages can be read.
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

    /// Returns the beginning of its permissions' keys.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Templates => "templates",
            Self::Inspections => "inspections",
            Self::Assets => "assets",
        }
    }

    /// Iterates over its permissions in the order of forms.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permissions::all().iter().filter(move |permission| permission.group() == self)
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// Returns all permissions.
    pub fn all() -> Self {
        Permission::KEYS.into_iter().map(|(permission, _)| permission).collect()
    }

    /// Returns whether `permission` is among them.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Returns these and `others`.
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns those of these that are not among `others`.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Returns whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns how many there are.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Returns the proof that a holder of these in `organization` has the authority `A`.
    ///
    /// # Errors
    /// The missing permission.
    pub fn grant<A: Authority>(self, organization: OrganizationId) -> Result<OrgGrant<A>, Permission> {
        if self.contains(A::PERMISSION) {
            Ok(OrgGrant { organization, held: self, authority: PhantomData })
        } else {
            Err(A::PERMISSION)
        }
    }

    /// Iterates over the permissions in the order of forms.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::KEYS
            .into_iter()
            .map(|(permission, _)| permission)
            .filter(move |permission| self.contains(*permission))
    }

    /// Returns what remains of these for a token with `scope`. A permission that only changes things is of no use to a
    /// read-only token, and is left out of every answer, so that an API that only looks at permissions is safe too.
    pub fn within(self, scope: Scope) -> Self {
        match scope {
            Scope::ReadWrite => self,
            Scope::ReadOnly => self.iter().filter(|permission| permission.serves_reading()).collect(),
        }
    }

    /// Returns the keys, separated by single spaces, as in the database and in the `Jeton-Permissions` header.
    pub fn keys(self) -> String {
        self.iter().map(Permission::key).collect::<Vec<_>>().join(" ")
    }

    /// Parses what [`Permissions::keys`] wrote. Keys that this version does not know are ignored, which is safe, as
    /// they then grant nothing.
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

/// An authority that a verb requires, as a type: calling a verb with an [`OrgGrant`] of another one does not compile.
pub trait Authority: Clone + std::fmt::Debug + 'static {
    /// The permission that gives this authority.
    const PERMISSION: Permission;
}

/// The authority to invite, deactivate and remove users, and to set their permissions.
#[derive(Clone, Copy, Debug)]
pub struct ManageUsers;
/// The authority to create, change and delete permission sets.
#[derive(Clone, Copy, Debug)]
pub struct ManagePermissionSets;
/// The authority to see all tokens, and to create, change and revoke those of service users.
#[derive(Clone, Copy, Debug)]
pub struct ManageIntegrations;
/// The authority to read the activity log.
#[derive(Clone, Copy, Debug)]
pub struct ReadActivity;
/// The authority to see billing.
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

/// The proof that somebody has the authority `A` in an organization. Only [`Permissions::grant`] creates one.
#[derive(Clone, Copy, Debug)]
pub struct OrgGrant<A> {
    organization: OrganizationId,
    held: Permissions,
    authority: PhantomData<A>,
}

impl<A: Authority> OrgGrant<A> {
    /// Returns the organization.
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Returns all permissions that they hold there.
    pub const fn held(&self) -> Permissions {
        self.held
    }

    /// Checks that they hold everything that they want to grant: nobody grants what they do not hold (A4).
    ///
    /// # Errors
    /// The permissions that they lack.
    pub const fn may_give(&self, wanted: Permissions) -> Result<(), Permissions> {
        let lacking = wanted.without(self.held);
        if lacking.is_empty() { Ok(()) } else { Err(lacking) }
    }
}

/// The built-in permission sets of each organization.
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
    /// All three, in the order of lists.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Standard, Self::Reader];

    /// Returns the name in the database and for programs; pages translate it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Standard => "standard",
            Self::Reader => "reader",
        }
    }

    /// Returns the set with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.key() == key)
    }

    /// Returns whether one of them has this name in a language of the pages, ignoring case: another set with the same
    /// name would be mistaken for it.
    pub fn has_name(name: &str) -> bool {
        matches!(
            super::text::fold(name).as_str(),
            "administrator" | "standard" | "reader" | "administrateur" | "lecteur"
        )
    }

    /// Returns the permissions of the set.
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
    fn permission_keys_follow_the_enum_and_are_read_back() {
        for (index, (permission, key)) in Permission::KEYS.into_iter().enumerate() {
            assert_eq!(permission as usize, index, "{key}");
            assert_eq!(Permissions::from_keys(key).iter().collect::<Vec<_>>(), [permission]);
        }
        assert_eq!(Permissions::from_keys(&Permissions::all().keys()), Permissions::all());
        assert_eq!(Permissions::from_keys("platform.everything"), Permissions::default());
    }

    #[test]
    fn nobody_grants_permissions_that_they_do_not_hold() {
        let organization = OrganizationId(1);
        for held in 0..1_u32 << 10 {
            // Each subset of the first ten permissions, against some requested ones.
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
    fn every_permission_is_in_the_group_of_its_key() {
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
