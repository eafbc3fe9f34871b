//! Permission sets: named bundles of permissions for memberships.

use super::{
    organization::PermissionSetId,
    permission::{BuiltInSet, OwnPermissions, Permissions},
    token::Scope,
};

/// The name of a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetName {
    /// The name of a built-in set; pages translate it.
    BuiltIn(BuiltInSet),
    /// A name that the organization chose.
    Own(String),
}

impl SetName {
    /// Returns the name for programs and the activity log, which for a built-in set is its key.
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(set) => set.key(),
            Self::Own(name) => name,
        }
    }
}

/// A permission set, as shown to those who give it to members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSet {
    /// The row.
    pub id: PermissionSetId,
    /// Its name.
    pub name: SetName,
    /// Its permissions.
    pub permissions: Permissions,
}

impl PermissionSet {
    /// Returns whether its members are administrators, in an organization that has added `known`. Administrators must
    /// hold every permission: as nobody grants what they do not hold, a permission that no member holds would be lost
    /// to the organization forever.
    pub fn is_administrators(&self, known: &OwnPermissions) -> bool {
        Permissions::everything(known).without(&self.permissions).is_empty()
    }
}

/// A permission set as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSet {
    /// The permission set.
    pub set: PermissionSet,
    /// Its version, incremented by each change.
    pub version: i64,
}

/// A member who has a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMember {
    /// The user's name.
    pub name: String,
    /// Whether they are active.
    pub is_active: bool,
}

/// A personal token of a member who has a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetToken {
    /// Its public id.
    pub public_id: String,
    /// Its label.
    pub label: String,
    /// Its scope.
    pub scope: Scope,
    /// The name of its owner.
    pub owner: String,
}
