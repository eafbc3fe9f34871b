//! What each check says about a request: the same checks as those of a decision, but all of them.

use super::{BEFORE_ACCESS, Demand, Identity, Level, Link, Refusal, check, check_level, check_permissions};
use crate::{
    permission::{OwnPermissions, Permission, Permissions},
    time::Timestamp,
    token::{Life, Scope, TokenKind},
};

/// For whom something is asked.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// A token's request.
    Token(&'a Identity, Life),
    /// A subject's, whatever token it may have: a member on a page has none.
    Subject {
        /// Whether it may act at all.
        is_active: bool,
        /// What it may do.
        held: &'a Permissions,
        /// The permissions that its organization has added.
        known: &'a OwnPermissions,
    },
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What it demands.
    pub demand: Demand,
    /// The level on the item that it needs, and the one that the subject has reached; `None` where no item is concerned.
    pub item: Option<(Level, Option<Level>)>,
}

/// What one check says on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The check.
    pub link: Link,
    /// Why it refuses, if it does.
    pub refusal: Option<Refusal>,
}

/// What all checks say about a request, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    checks: Vec<Check>,
}

impl Explanation {
    /// Returns the checks.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Returns the decision: the first check that refuses.
    ///
    /// # Errors
    /// Why it refuses.
    pub fn decision(&self) -> Result<(), Refusal> {
        self.checks.iter().find_map(|check| check.refusal.clone()).map_or(Ok(()), Err)
    }

    /// Returns all checks that refuse.
    pub fn refusing(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.refusal.is_some())
    }
}

/// Asks each check about a request, those after the first that refuses included. Its decision is that of
/// the one that is enforced.
pub fn explain(whose: Whose<'_>, asked: &Asked, now: Timestamp) -> Explanation {
    let before = BEFORE_ACCESS.into_iter().filter_map(|link| match whose {
        Whose::Token(identity, life) => Some((link, check(link, identity, life, &asked.demand, now))),
        Whose::Subject { is_active, held, known } => match link {
            Link::Subject if !is_active => Some((link, Err(Refusal::SubjectInactive))),
            Link::Subject => Some((link, Ok(()))),
            Link::Permission => Some((link, check_permissions(held, known, Scope::ReadWrite, &asked.demand))),
            Link::Token | Link::Scope | Link::Access => None,
        },
    });
    let access = asked.item.map(|(needed, reached)| (Link::Access, check_level(reached, needed)));
    let checks = before.chain(access).map(|(link, said)| Check { link, refusal: said.err() });
    Explanation { checks: checks.collect() }
}

/// One change that opens what a check refuses. What several checks refuse takes a change for each, and no fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The user is activated again.
    Activate,
    /// A new key for the service user's token.
    Regenerate,
    /// Another token of the same user, which reads and writes if that is what it takes.
    NewToken(Scope),
    /// The subject gets this permission.
    Grant(Permission),
    /// The item is shared with the subject at this level.
    Share(Level),
}

impl Explanation {
    /// Returns the smallest changes that together open what is refused, for a token of this kind and scope, or for a
    /// subject without one; nothing if nothing is refused. `None` if nothing opens it, as for a permission that the
    /// organization does not have.
    pub fn changes(&self, token: Option<(TokenKind, Scope)>, needed: Option<Level>) -> Option<Vec<Change>> {
        let mut changes = Vec::new();
        for refusal in self.checks.iter().filter_map(|check| check.refusal.as_ref()) {
            let change = match (refusal, token) {
                (Refusal::Foreign | Refusal::PermissionUnknown, _) => return None,
                (Refusal::Revoked(_) | Refusal::Expired(_), Some((TokenKind::Service, _))) => Change::Regenerate,
                (Refusal::Revoked(_) | Refusal::Expired(_), _) => {
                    Change::NewToken(token.map_or(Scope::ReadWrite, |(_, scope)| scope))
                }
                (Refusal::ReadOnly, _) => {
                    // Instead of another one that only reads.
                    changes.retain(|change| !matches!(change, Change::NewToken(_)));
                    Change::NewToken(Scope::ReadWrite)
                }
                (Refusal::SubjectInactive, _) => Change::Activate,
                (Refusal::PermissionMissing(permission), _) => Change::Grant(permission.clone()),
                (Refusal::NotThere, _) => Change::Share(needed?),
                (Refusal::LevelMissing(level), _) => Change::Share(*level),
            };
            changes.push(change);
        }
        Some(changes)
    }
}
