//! Authority in an organization as a value.

use super::{BuiltInPermission, OwnPermissions, Permissions};
use crate::organization::OrganizationId;
use std::marker::PhantomData;

/// An authority that a verb requires, as a type: calling a verb with an [`OrgGrant`] of another one does not compile.
pub trait Authority: Clone + std::fmt::Debug + 'static {
    /// The permission that gives this authority.
    const PERMISSION: BuiltInPermission;
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
/// The authority to create, change and delete kinds.
#[derive(Clone, Copy, Debug)]
pub struct ManageKinds;
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
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformUsers;
}
impl Authority for ManageGroups {
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformGroups;
}
impl Authority for ManageSites {
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformSites;
}
impl Authority for ManagePermissionSets {
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformPermissionSets;
}
impl Authority for ManageKinds {
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformKinds;
}
impl Authority for ManageIntegrations {
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformIntegrations;
}
impl Authority for ReadActivity {
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformActivity;
}
impl Authority for SeeBilling {
    const PERMISSION: BuiltInPermission = BuiltInPermission::PlatformBilling;
}

/// The proof that somebody has the authority `A` in an organization. Only [`Permissions::grant`] creates one.
#[derive(Clone, Debug)]
pub struct OrgGrant<A> {
    organization: OrganizationId,
    held: Permissions,
    known: OwnPermissions,
    authority: PhantomData<A>,
}

impl<A: Authority> OrgGrant<A> {
    /// Returns the organization.
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Returns all permissions that they hold there.
    pub const fn held(&self) -> &Permissions {
        &self.held
    }

    /// Returns the permissions that the organization has added, whoever holds them.
    pub const fn known(&self) -> &OwnPermissions {
        &self.known
    }

    /// Checks that they hold everything that they want to grant: nobody grants what they do not hold (A4).
    ///
    /// # Errors
    /// The permissions that they lack.
    pub fn may_give(&self, wanted: &Permissions) -> Result<(), Permissions> {
        let lacking = wanted.without(&self.held);
        if lacking.is_empty() { Ok(()) } else { Err(lacking) }
    }
}

impl Permissions {
    /// Returns the proof that a holder of these in `organization`, which has added `known`, has the authority `A`.
    ///
    /// # Errors
    /// The missing permission.
    pub fn grant<A: Authority>(
        &self,
        organization: OrganizationId,
        known: &OwnPermissions,
    ) -> Result<OrgGrant<A>, BuiltInPermission> {
        if self.contains(A::PERMISSION) {
            Ok(OrgGrant { organization, held: self.clone(), known: known.clone(), authority: PhantomData })
        } else {
            Err(A::PERMISSION)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_grants_permissions_that_they_do_not_hold() {
        let known = OwnPermissions::parse("invoices.approve invoices.view:r");
        let keys: Vec<&str> = BuiltInPermission::ALL.iter().take(8).map(|permission| permission.key()).collect();
        let keys = [keys, vec!["invoices.approve", "invoices.view"]].concat();
        // Each subset of ten permissions, against some requested ones.
        for chosen in 0..1_u32 << 10 {
            let chosen: Vec<&str> =
                (0..10).filter(|at| chosen & (1 << at) != 0).filter_map(|at| keys.get(at).copied()).collect();
            let held = Permissions::from_keys(&chosen.join(" "), &known);
            let grant = held.grant::<ManageUsers>(OrganizationId(1), &known);
            assert_eq!(grant.is_ok(), held.contains(BuiltInPermission::PlatformUsers));
            let Ok(grant) = grant else { continue };
            let some = Permissions::from_keys("platform.users platform.sites invoices.view", &known);
            for wanted in [Permissions::default(), Permissions::everything(&known), some, held.clone()] {
                assert_eq!(grant.may_give(&wanted).is_ok(), wanted.iter().all(|wanted| held.includes(&wanted)));
            }
        }
    }
}
