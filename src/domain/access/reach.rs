//! How far a subject reaches an item, and by what: access, the last check of a request.
//!
//! Access comes from owning the item, from a share of it, and from access rules that cover it; from nothing else. It is
//! only ever added, never taken away, and the highest level counts. So [`reach`] need not be given everything at once,
//! and what it is given too much does no harm: it looks at each share and rule itself.

use super::{GroupId, Level, Recipient, Refusal, SiteId, SubjectId};
use crate::{
    item::{ItemId, ItemKind},
    organization::OrganizationId,
};
use std::collections::BTreeSet;

/// The row id of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(pub i64);

/// The row id of an access rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessRuleId(pub i64);

/// A level on one item, for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The row.
    pub id: ShareId,
    /// The item.
    pub item: ItemId,
    /// Who has it.
    pub recipient: Recipient,
    /// The level.
    pub level: Level,
}

/// A level on all items of a kind in an organization, those that are made later included, for a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// The row.
    pub id: AccessRuleId,
    /// The organization whose rule it is.
    pub organization: OrganizationId,
    /// The kind.
    pub kind: ItemKind,
    /// Only items at this site and at those below it.
    pub site: Option<SiteId>,
    /// Only inspections of this template.
    pub template: Option<ItemId>,
    /// Who has it.
    pub recipient: Recipient,
    /// The level.
    pub level: Level,
}

impl AccessRule {
    /// Returns whether the item is one of those that the rule is about.
    pub fn covers(&self, item: &ItemFacts) -> bool {
        self.organization == item.organization
            && self.kind == item.kind
            && self.site.is_none_or(|site| item.sites.contains(&site))
            && self.template.is_none_or(|template| item.template == Some(template))
    }
}

/// What access to an item depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFacts {
    /// The row.
    pub id: ItemId,
    /// The organization that it belongs to.
    pub organization: OrganizationId,
    /// Its kind.
    pub kind: ItemKind,
    /// Who owns it.
    pub owner: Option<SubjectId>,
    /// The site that it is at, and those above that one. None if it is at no site.
    pub sites: BTreeSet<SiteId>,
    /// The template of an inspection.
    pub template: Option<ItemId>,
}

/// What the access of a subject depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectFacts {
    /// The row.
    pub id: SubjectId,
    /// Its organization.
    pub organization: OrganizationId,
    /// The groups that a user is in.
    pub groups: BTreeSet<GroupId>,
    /// The sites that a user is assigned to, and all those below them.
    pub sites: BTreeSet<SiteId>,
    /// The organizations from which its own accepts nothing: what they share does not count.
    pub refused: BTreeSet<OrganizationId>,
}

impl SubjectFacts {
    /// Returns all recipients that stand for the subject. Shares and rules for others do not concern it.
    pub fn recipients(&self) -> impl Iterator<Item = Recipient> {
        let groups = self.groups.iter().copied().map(Recipient::Group);
        let sites = self.sites.iter().copied().map(Recipient::Site);
        let together = groups.chain(sites).filter(|_| self.is_user());
        [self.id.into(), Recipient::Organization(self.organization)].into_iter().chain(together)
    }

    /// A service user is in no group and at no site, whatever a row says.
    const fn is_user(&self) -> bool {
        matches!(self.id, SubjectId::Membership(_))
    }

    /// Returns whether what `recipient` has, the subject has.
    fn is(&self, recipient: Recipient) -> bool {
        match recipient {
            Recipient::Group(group) => self.is_user() && self.groups.contains(&group),
            Recipient::Site(site) => self.is_user() && self.sites.contains(&site),
            Recipient::Organization(organization) => self.organization == organization,
            Recipient::User(_) | Recipient::ServiceUser(_) => Recipient::from(self.id) == recipient,
        }
    }

    /// Returns whether the subject has what the organization of `item` gives to `recipient`: what comes from another
    /// organization must name the subject or its organization, concern a kind that all organizations have, and not be
    /// refused.
    fn has(&self, item: &ItemFacts, recipient: Recipient) -> bool {
        let counts = self.organization == item.organization
            || (item.kind.is_built_in()
                && !self.refused.contains(&item.organization)
                && !matches!(recipient, Recipient::Group(_) | Recipient::Site(_)));
        counts && self.is(recipient)
    }
}

/// What gives a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Owning the item.
    Owner,
    /// A share.
    Share(ShareId),
    /// An access rule.
    Rule(AccessRuleId),
}

/// One way by which a subject reaches an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The level.
    pub level: Level,
    /// What gives it.
    pub source: Source,
    /// As what the subject has it: itself, or the group, site or organization that it belongs to.
    pub recipient: Recipient,
}

/// All ways by which a subject reaches an item, the highest level first; then owning, shares, rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    ways: Vec<Way>,
}

impl Reach {
    /// Returns the ways.
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// Returns the level that counts; `None` if the subject does not reach the item.
    pub fn level(&self) -> Option<Level> {
        self.ways.first().map(|way| way.level)
    }
}

/// Finds out how far a subject reaches an item, among all shares of the item and all rules of its organization, or as
/// many of them as may concern the subject.
pub fn reach(subject: &SubjectFacts, item: &ItemFacts, shares: &[Share], rules: &[AccessRule]) -> Reach {
    let owns = item.owner == Some(subject.id) && item.organization == subject.organization;
    let owned = owns.then(|| Way { level: Level::Manage, source: Source::Owner, recipient: subject.id.into() });
    let shared = shares
        .iter()
        .filter(|share| share.item == item.id && subject.has(item, share.recipient))
        .map(|share| Way { level: share.level, source: Source::Share(share.id), recipient: share.recipient });
    let ruled = rules.iter().filter(|rule| rule.covers(item) && subject.has(item, rule.recipient)).map(|rule| Way {
        level: rule.level,
        source: Source::Rule(rule.id),
        recipient: rule.recipient,
    });
    let mut ways: Vec<Way> = owned.into_iter().chain(shared).chain(ruled).collect();
    ways.sort_by_key(|way| (std::cmp::Reverse(way.level), way.source));
    Reach { ways }
}

/// The last check of a request that needs a level on an item: `reached` is what its subject has, `None` where there is
/// no such item.
///
/// # Errors
/// [`Refusal::NotThere`] for what the subject does not reach at all, whether it exists or not; otherwise
/// [`Refusal::LevelMissing`].
pub fn check_level(reached: Option<Level>, needed: Level) -> Result<(), Refusal> {
    match reached {
        None => Err(Refusal::NotThere),
        Some(level) if level < needed => Err(Refusal::LevelMissing(needed)),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
