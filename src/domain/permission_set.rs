//! Permission sets: what a membership may do, under a name.

use super::{
    organization::PermissionSetId,
    permission::{BuiltInSet, Permissions},
    token::Scope,
};

/// The name of a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetName {
    /// That of a set which every organization starts with; pages translate it.
    BuiltIn(BuiltInSet),
    /// One that the organization chose.
    Own(String),
}

impl SetName {
    /// The name for programs and the activity log: of a built-in set its key.
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(set) => set.key(),
            Self::Own(name) => name,
        }
    }
}

/// A permission set, as those who give it to somebody see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSet {
    /// The row.
    pub id: PermissionSetId,
    /// Its name.
    pub name: SetName,
    /// What it grants.
    pub permissions: Permissions,
}

impl PermissionSet {
    /// Whether whoever has it is an administrator. One has to hold every permission: since nobody gives what they do not
    /// hold, one that no member of an organization holds would be lost to it for ever.
    pub fn is_administrators(&self) -> bool {
        Permissions::all().without(self.permissions).is_empty()
    }
}

/// A permission set as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSet {
    /// What it is.
    pub set: PermissionSet,
    /// Stepped at each change.
    pub version: i64,
}

/// Somebody who has a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMember {
    /// The user's name.
    pub name: String,
    /// Whether they are active.
    pub is_active: bool,
}

/// A personal token of somebody who has a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetToken {
    /// Its public id.
    pub public_id: String,
    /// Its label.
    pub label: String,
    /// Its scope.
    pub scope: Scope,
    /// Whose it is.
    pub owner: String,
}
