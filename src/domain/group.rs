//! Groups: members of an organization with whom items are shared together.

use super::time::Timestamp;

/// The maximum number of groups in an organization.
pub const MOST_GROUPS: i64 = 5_000;

/// The row id of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub i64);

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The row.
    pub id: GroupId,
    /// Its public id.
    pub public_id: String,
    /// Its name, which no other group of the organization has.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its version, incremented by each change of its name.
    pub version: i64,
}

/// A group, and how many members it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedGroup {
    /// The group.
    pub group: Group,
    /// The number of its members, active or deactivated.
    pub members: i64,
}
