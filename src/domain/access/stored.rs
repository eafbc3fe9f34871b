//! Shares and access rules as they are stored.

use super::{AccessRule, Share};
use crate::{organization::OrganizationId, time::Timestamp};

/// The maximum number of shares of an item: groups, sites and rules are for more.
pub const MOST_SHARES: i64 = 1_000;
/// The maximum number of access rules of an organization.
pub const MOST_RULES: i64 = 2_000;

/// A share, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredShare {
    /// Its public id.
    pub public_id: String,
    /// The share.
    pub share: Share,
    /// The organization of the recipient, if it is another one than that of the item.
    pub outside: Option<OrganizationId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The name of whoever created it.
    pub made_by: String,
}

/// An access rule, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRule {
    /// Its public id.
    pub public_id: String,
    /// The rule.
    pub rule: AccessRule,
    /// The organization of the recipient, if it is another one.
    pub outside: Option<OrganizationId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The name of whoever created it.
    pub made_by: String,
    /// Its version, incremented by each change.
    pub version: i64,
}
