//! Permissions, and the built-in permission sets.

use super::{organization::OrganizationId, token::Scope};
use std::marker::PhantomData;

keyed! {
    /// One thing that may be done in an organization. The key stands in API answers and in the database.
    pub enum Permission {
        /// Platform management: Users.
        PlatformUsers = "platform.users",
        /// Platform management: Groups.
        PlatformGroups = "platform.groups",
        /// Platform management: Sites.
        PlatformSites = "platform.sites",
        /// Platform management: Permission sets.
        PlatformPermissionSets = "platform.permission_sets",
        /// Platform management: Integrations.
        PlatformIntegrations = "platform.integrations",
        /// Platform management: Activity log.
        PlatformActivity = "platform.activity",
        /// Platform management: Billing.
        PlatformBilling = "platform.billing",
        /// Platform management: Verify tokens, for APIs that ask on whose behalf a token acts.
        PlatformVerifyTokens = "platform.verify_tokens",
        /// Templates: View.
        TemplatesView = "templates.view",
        /// Templates: Create and edit.
        TemplatesEdit = "templates.edit",
        /// Templates: Delete.
        TemplatesDelete = "templates.delete",
        /// Templates: Share.
        TemplatesShare = "templates.share",
        /// Inspections: View.
        InspectionsView = "inspections.view",
        /// Inspections: Conduct.
        InspectionsConduct = "inspections.conduct",
        /// Inspections: Delete.
        InspectionsDelete = "inspections.delete",
        /// Inspections: Share.
        InspectionsShare = "inspections.share",
        /// Assets: View.
        AssetsView = "assets.view",
        /// Assets: Create and edit.
        AssetsEdit = "assets.edit",
        /// Assets: Delete.
        AssetsDelete = "assets.delete",
        /// Assets: Share.
        AssetsShare = "assets.share",
    }
}

use Permission as P;

impl Permission {
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
    fn serves_reading(self) -> bool {
        let is_view = matches!(self, P::TemplatesView | P::InspectionsView | P::AssetsView);
        is_view || self.group() == PermissionGroup::Platform
    }
}

keyed! {
    /// A group of permissions. The key is the beginning of theirs.
    pub enum PermissionGroup {
        /// Platform management.
        Platform = "platform",
        /// Templates.
        Templates = "templates",
        /// Inspections.
        Inspections = "inspections",
        /// Assets.
        Assets = "assets",
    }
}

impl PermissionGroup {
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
        Permission::ALL.into_iter().collect()
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
        Permission::ALL.into_iter().filter(move |permission| self.contains(*permission))
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
/// The authority to create, change, fill and delete groups.
#[derive(Clone, Copy, Debug)]
pub struct ManageGroups;
/// The authority to create, change, move, fill and delete sites.
#[derive(Clone, Copy, Debug)]
pub struct ManageSites;
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
impl Authority for ManageGroups {
    const PERMISSION: Permission = P::PlatformGroups;
}
impl Authority for ManageSites {
    const PERMISSION: Permission = P::PlatformSites;
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

keyed! {
    /// The built-in permission sets of each organization. The key is the name in the database and for programs; pages
    /// translate it.
    pub enum BuiltInSet {
        /// All permissions.
        Administrator = "administrator",
        /// View, conduct, create and edit.
        Standard = "standard",
        /// View.
        Reader = "reader",
    }
}

impl BuiltInSet {
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
    fn permission_keys_are_read_back() {
        for permission in Permission::ALL {
            assert_eq!(Permissions::from_keys(permission.key()).iter().collect::<Vec<_>>(), [permission]);
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
