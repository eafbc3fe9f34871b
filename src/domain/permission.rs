//! Permissions, and the built-in permission sets.
//!
//! Those of Jeton itself are a closed list, and a set keeps them as bits. An organization adds others with its own
//! kinds ([`OwnPermission`]): a set without any takes no memory for them, and costs one test of a pointer.

mod authority;
mod own;

pub use authority::{
    Authority, ManageGroups, ManageIntegrations, ManageKinds, ManagePermissionSets, ManageSites, ManageUsers, OrgGrant,
    ReadActivity, SeeBilling,
};
pub use own::{OwnPermission, OwnPermissions};

use super::{access::Level, token::Scope};

keyed! {
    /// A permission that every organization has. The key stands in API answers and in the database.
    pub enum BuiltInPermission {
        /// Platform management: Users.
        PlatformUsers = "platform.users",
        /// Platform management: Groups.
        PlatformGroups = "platform.groups",
        /// Platform management: Sites.
        PlatformSites = "platform.sites",
        /// Platform management: Permission sets.
        PlatformPermissionSets = "platform.permission_sets",
        /// Platform management: Kinds.
        PlatformKinds = "platform.kinds",
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

use BuiltInPermission as P;

impl BuiltInPermission {
    /// Returns the group in which forms show it.
    pub const fn group(self) -> PermissionGroup {
        match self {
            P::PlatformUsers
            | P::PlatformGroups
            | P::PlatformSites
            | P::PlatformPermissionSets
            | P::PlatformKinds
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
        matches!((self.group(), self.level()), (PermissionGroup::Platform, _) | (_, Some(Level::View)))
    }

    /// Returns the level on an item that it needs; none if it is not about items.
    pub const fn level(self) -> Option<Level> {
        match self {
            P::TemplatesView | P::InspectionsView | P::AssetsView => Some(Level::View),
            P::TemplatesEdit | P::InspectionsConduct | P::AssetsEdit => Some(Level::Edit),
            P::TemplatesDelete
            | P::TemplatesShare
            | P::InspectionsDelete
            | P::InspectionsShare
            | P::AssetsDelete
            | P::AssetsShare => Some(Level::Manage),
            P::PlatformUsers
            | P::PlatformGroups
            | P::PlatformSites
            | P::PlatformPermissionSets
            | P::PlatformKinds
            | P::PlatformIntegrations
            | P::PlatformActivity
            | P::PlatformBilling
            | P::PlatformVerifyTokens => None,
        }
    }
}

keyed! {
    /// A group of built-in permissions: those of the platform, or of a built-in kind. The key is the beginning of
    /// theirs.
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
    /// The built-in kinds of items.
    pub const KINDS: [Self; 3] = [Self::Templates, Self::Inspections, Self::Assets];

    /// Iterates over its permissions in the order of forms.
    pub fn permissions(self) -> impl Iterator<Item = BuiltInPermission> {
        P::ALL.into_iter().filter(move |permission| permission.group() == self)
    }
}

/// One thing that may be done in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Every organization has it.
    BuiltIn(BuiltInPermission),
    /// The organization has added it.
    Own(OwnPermission),
}

impl Permission {
    /// Returns the stable key.
    pub fn key(&self) -> &str {
        match self {
            Self::BuiltIn(permission) => permission.key(),
            Self::Own(permission) => permission.key(),
        }
    }

    /// Returns the permission with this key in an organization that has added `known`.
    pub fn of(key: &str, known: &OwnPermissions) -> Option<Self> {
        P::from_key(key).map(Self::BuiltIn).or_else(|| known.get(key).cloned().map(Self::Own))
    }

    /// Returns what a key names, whether or not an organization has it: enough to ask for it or to show it. `None` if
    /// no organization can ever have it.
    pub fn named(key: &str) -> Option<Self> {
        P::from_key(key).map(Self::BuiltIn).or_else(|| OwnPermission::named(key).map(Self::Own))
    }
}

impl From<OwnPermission> for Permission {
    fn from(permission: OwnPermission) -> Self {
        Self::Own(permission)
    }
}

impl From<BuiltInPermission> for Permission {
    fn from(permission: BuiltInPermission) -> Self {
        Self::BuiltIn(permission)
    }
}

/// The bits of the built-in permissions that are of use with read-only access.
const READING: u32 = {
    let (mut bits, mut left) = (0, P::ALL.as_slice());
    while let [permission, others @ ..] = left {
        if permission.serves_reading() {
            bits |= 1 << *permission as u32;
        }
        left = others;
    }
    bits
};

/// A set of permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// A bit for each built-in one.
    built_in: u32,
    own: OwnPermissions,
}

impl Permissions {
    /// Returns all built-in permissions.
    pub fn built_in() -> Self {
        P::ALL.into_iter().collect()
    }

    /// Returns all permissions of an organization that has added `known`.
    pub fn everything(known: &OwnPermissions) -> Self {
        Self { own: known.clone(), ..Self::built_in() }
    }

    /// Returns whether this built-in permission is among them.
    pub const fn contains(&self, permission: BuiltInPermission) -> bool {
        self.built_in & (1 << permission as u32) != 0
    }

    /// Returns whether this permission is among them.
    pub fn includes(&self, permission: &Permission) -> bool {
        match permission {
            Permission::BuiltIn(permission) => self.contains(*permission),
            Permission::Own(permission) => self.own.get(permission.key()).is_some(),
        }
    }

    /// Returns those that an organization has added.
    pub const fn own(&self) -> &OwnPermissions {
        &self.own
    }

    /// Returns these and `others`.
    pub fn with(&self, others: &Self) -> Self {
        Self { built_in: self.built_in | others.built_in, own: self.own.with(&others.own) }
    }

    /// Returns those of these that are not among `others`.
    pub fn without(&self, others: &Self) -> Self {
        Self { built_in: self.built_in & !others.built_in, own: self.own.without(&others.own) }
    }

    /// Returns whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.built_in == 0 && self.own.is_empty()
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// Iterates over the built-in ones in the order of forms, then over the others by key.
    pub fn iter(&self) -> impl Iterator<Item = Permission> {
        let built_in = P::ALL.into_iter().filter(|permission| self.contains(*permission)).map(Permission::BuiltIn);
        built_in.chain(self.own.iter().cloned().map(Permission::Own))
    }

    /// Returns what remains of these for a token with `scope`. A permission that only changes things is of no use to a
    /// read-only token, and is left out of every answer, so that an API that only looks at permissions is safe too.
    pub fn within(&self, scope: Scope) -> Self {
        match scope {
            Scope::ReadWrite => self.clone(),
            Scope::ReadOnly => Self { built_in: self.built_in & READING, own: self.own.filter(OwnPermission::reads) },
        }
    }

    /// Returns the first of these that is not among `held` within `scope`, without making another set: this is asked
    /// about each request.
    pub fn missing_from(&self, held: &Self, scope: Scope) -> Option<Permission> {
        let reach = match scope {
            Scope::ReadWrite => u32::MAX,
            Scope::ReadOnly => READING,
        };
        let missing = Self { built_in: self.built_in & !(held.built_in & reach), own: OwnPermissions::default() };
        if missing.built_in != 0 {
            return missing.iter().next();
        }
        let is_held = |asked: &&OwnPermission| {
            held.own.get(asked.key()).is_some_and(|held| scope == Scope::ReadWrite || held.reads())
        };
        self.own.iter().find(|asked| !is_held(asked)).cloned().map(Permission::Own)
    }

    /// Returns the keys, separated by single spaces, as in the database and in the `Jeton-Permissions` header.
    pub fn keys(&self) -> String {
        let built_in = P::ALL
            .into_iter()
            .filter(|permission| self.contains(*permission))
            .map(|permission| -> &str { permission.key() });
        let mut keys = String::with_capacity(24 * self.built_in.count_ones() as usize);
        for key in built_in.chain(self.own.iter().map(OwnPermission::key)) {
            if !keys.is_empty() {
                keys.push(' ');
            }
            keys.push_str(key);
        }
        keys
    }

    /// Parses what [`Permissions::keys`] wrote, in an organization that has added `known`. Keys that neither this
    /// version nor the organization knows are ignored, which is safe, as they then grant nothing.
    pub fn from_keys(keys: &str, known: &OwnPermissions) -> Self {
        keys.split_ascii_whitespace().filter_map(|key| Permission::of(key, known)).collect()
    }
}

impl From<BuiltInPermission> for Permissions {
    fn from(permission: BuiltInPermission) -> Self {
        Self { built_in: 1 << permission as u32, own: OwnPermissions::default() }
    }
}

impl From<OwnPermissions> for Permissions {
    fn from(own: OwnPermissions) -> Self {
        Self { built_in: 0, own }
    }
}

impl FromIterator<BuiltInPermission> for Permissions {
    fn from_iter<I: IntoIterator<Item = BuiltInPermission>>(permissions: I) -> Self {
        let built_in = permissions.into_iter().fold(0, |bits, permission| bits | 1 << permission as u32);
        Self { built_in, own: OwnPermissions::default() }
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let (mut built_in, mut own) = (0, Vec::new());
        for permission in permissions {
            match permission {
                Permission::BuiltIn(permission) => built_in |= 1 << permission as u32,
                Permission::Own(permission) => own.push(permission),
            }
        }
        Self { built_in, own: own.into_iter().collect() }
    }
}

keyed! {
    /// The built-in permission sets of each organization. The key is the name in the database and for programs; pages
    /// translate it.
    pub enum BuiltInSet {
        /// All permissions, also those that the organization adds later.
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

    /// Returns the built-in permissions of the set.
    pub fn permissions(self) -> Permissions {
        match self {
            Self::Administrator => Permissions::built_in(),
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

    fn known() -> OwnPermissions {
        OwnPermissions::parse("invoices.approve invoices.download:r invoices.edit invoices.view:r")
    }

    #[test]
    fn permission_keys_are_read_back() {
        for permission in P::ALL {
            let read = Permissions::from_keys(permission.key(), &OwnPermissions::default());
            assert_eq!(read.iter().collect::<Vec<_>>(), [permission.into()]);
        }
        let all = Permissions::everything(&known());
        assert_eq!(Permissions::from_keys(&all.keys(), &known()), all);
        assert!(all.keys().ends_with(" assets.share invoices.approve invoices.download invoices.edit invoices.view"));
    }

    #[test]
    fn a_key_that_the_organization_does_not_have_grants_nothing() {
        let stored = "platform.everything invoices.approve invoices.pay visits.view assets.view";
        assert_eq!(Permissions::from_keys(stored, &known()).keys(), "assets.view invoices.approve");
        assert_eq!(Permissions::from_keys(stored, &OwnPermissions::default()).keys(), "assets.view");
    }

    #[test]
    fn every_permission_is_in_the_group_of_its_key() {
        for permission in P::ALL {
            assert!(permission.key().starts_with(&format!("{}.", permission.group().key())), "{}", permission.key());
            assert_eq!(permission.level().is_some(), PermissionGroup::KINDS.contains(&permission.group()));
        }
    }

    #[test]
    fn a_read_only_token_keeps_no_permission_to_change_items() {
        let all = Permissions::everything(&known());
        let left = all.within(Scope::ReadOnly);
        assert!(left.contains(P::TemplatesView) && left.contains(P::PlatformActivity));
        for change in [P::TemplatesEdit, P::TemplatesDelete, P::AssetsShare, P::InspectionsConduct] {
            assert!(!left.contains(change), "{}", change.key());
        }
        assert_eq!(left.own().to_text(), "invoices.download:r invoices.view:r");
        assert_eq!(all.within(Scope::ReadWrite), all);
    }

    #[test]
    fn what_is_missing_is_found_as_if_the_sets_were_subtracted() {
        let all = Permissions::everything(&known());
        let some = Permissions::from_keys("templates.edit assets.view invoices.approve invoices.view", &known());
        let sets = [Permissions::default(), some, P::PlatformUsers.into(), all.within(Scope::ReadOnly), all];
        for (wanted, held) in sets.iter().flat_map(|wanted| sets.iter().map(move |held| (wanted, held))) {
            for scope in Scope::ALL {
                let missing = wanted.without(&held.within(scope));
                assert_eq!(wanted.missing_from(held, scope), missing.iter().next(), "{wanted:?} {held:?} {scope:?}");
            }
        }
    }

    #[test]
    fn copies_share_what_an_organization_has_added() {
        let all = Permissions::everything(&known());
        let of = |some: &Permissions| some.own().iter().next().map(std::ptr::from_ref);
        for copy in [all.clone(), all.within(Scope::ReadWrite), all.with(&Permissions::built_in())] {
            assert_eq!(of(&copy), of(&all));
        }
        assert_eq!(size_of::<Permissions>(), 24);
    }
}
