//! Who reaches what, found from the other end: from what gives access to all whom it names and all that it is about.
//!
//! It is written for nothing but to be seen to be right, from the product's words, without the domain's functions.

use super::{Action, Verdict, World};
use domain::{
    access::{Level, Recipient, SiteId, SubjectId},
    item::{ItemId, ItemKind},
    organization::OrganizationId,
    token::Scope,
};
use std::collections::{BTreeMap, BTreeSet};

type Pairs = BTreeSet<(SubjectId, ItemId)>;

/// All that everybody reaches in a world.
#[derive(Clone, Debug)]
pub struct Brute {
    /// Who has at least which level on what.
    reached: BTreeMap<Level, Pairs>,
    /// Who may do what with which items, as far as permissions go: by the key of the action.
    permitted: BTreeMap<String, Pairs>,
}

impl Brute {
    /// Finds all of it.
    pub fn of(world: &World) -> Self {
        let mut reached: BTreeMap<Level, Pairs> = Level::ALL.into_iter().map(|level| (level, Pairs::new())).collect();
        for (level, pairs) in given(world) {
            for (_, all) in reached.range_mut(..=level) {
                all.extend(pairs.iter().copied());
            }
        }
        Self { reached, permitted: permitted(world) }
    }

    /// Returns the level that a subject has on an item.
    pub fn level(&self, subject: SubjectId, item: ItemId) -> Option<Level> {
        self.reached.iter().rev().find(|(_, pairs)| pairs.contains(&(subject, item))).map(|(level, _)| *level)
    }

    /// Returns the items on which a subject has at least a level.
    pub fn items(&self, subject: SubjectId, level: Level) -> BTreeSet<ItemId> {
        let pairs = self.reached.get(&level).into_iter().flatten();
        pairs.filter(|(whose, _)| *whose == subject).map(|(_, item)| *item).collect()
    }

    /// Returns the verdict about a request with a token of a subject.
    pub fn verdict(&self, subject: SubjectId, scope: Scope, item: ItemId, action: &Action) -> Verdict {
        let pair = (subject, item);
        let is_in = |pairs: Option<&Pairs>| pairs.is_some_and(|pairs| pairs.contains(&pair));
        let checks = [
            (Verdict::ReadOnly, scope == Scope::ReadWrite || !action.changes),
            (Verdict::PermissionMissing, is_in(self.permitted.get(action.key))),
            (Verdict::NotThere, is_in(self.reached.get(&Level::View))),
            (Verdict::LevelMissing, is_in(self.reached.get(&action.level))),
        ];
        checks.into_iter().find(|(_, passes)| !passes).map_or(Verdict::Allowed, |(verdict, _)| verdict)
    }
}

/// Returns all pairs that each share and rule gives its level, and those of owners.
fn given(world: &World) -> Vec<(Level, Pairs)> {
    let mut given = Vec::new();
    for item in &world.items {
        let owners = members(world, item.organization).into_iter().filter(|member| item.owner == Some(*member));
        given.push((Level::Manage, owners.map(|owner| (owner, item.id)).collect()));
        for share in world.shares.iter().filter(|share| share.item == item.id) {
            let subjects = given_to(world, item.organization, &item.kind, share.recipient);
            given.push((share.level, subjects.into_iter().map(|subject| (subject, item.id)).collect()));
        }
    }
    for rule in &world.rules {
        let mut items: BTreeSet<ItemId> = world.items.iter().map(|item| item.id).collect();
        let mut keep = |keeps: &dyn Fn(&super::Item) -> bool| {
            let kept: BTreeSet<_> = world.items.iter().filter(|item| keeps(item)).map(|item| item.id).collect();
            items = items.intersection(&kept).copied().collect();
        };
        keep(&|item| item.organization == rule.organization);
        keep(&|item| item.kind == rule.kind);
        if let Some(site) = rule.site {
            let sites = below(world, [site].into());
            keep(&|item| item.site.is_some_and(|site| sites.contains(&site)));
        }
        if rule.template.is_some() {
            keep(&|item| item.template == rule.template);
        }
        let subjects = given_to(world, rule.organization, &rule.kind, rule.recipient);
        let pairs = subjects.iter().flat_map(|subject| items.iter().map(|item| (*subject, *item)));
        given.push((rule.level, pairs.collect()));
    }
    given
}

/// Returns the sites and all below them.
fn below(world: &World, mut sites: BTreeSet<SiteId>) -> BTreeSet<SiteId> {
    loop {
        let next = world.sites.iter().filter(|site| site.parent.is_some_and(|parent| sites.contains(&parent)));
        let grown: BTreeSet<SiteId> = next.map(|site| site.id).chain(sites.iter().copied()).collect();
        if grown == sites {
            return sites;
        }
        sites = grown;
    }
}

fn members(world: &World, organization: OrganizationId) -> BTreeSet<SubjectId> {
    world.subjects.iter().filter(|subject| subject.organization == organization).map(|subject| subject.id).collect()
}

/// Returns all for whom a recipient stands.
fn named(world: &World, recipient: Recipient) -> BTreeSet<SubjectId> {
    let users = || world.subjects.iter().filter(|subject| matches!(subject.id, SubjectId::Membership(_)));
    match recipient {
        Recipient::User(id) => [SubjectId::Membership(id)].into(),
        Recipient::ServiceUser(id) => [SubjectId::ServiceUser(id)].into(),
        Recipient::Organization(id) => members(world, id),
        Recipient::Group(group) => users().filter(|user| user.groups.contains(&group)).map(|user| user.id).collect(),
        Recipient::Site(site) => {
            users().filter(|user| below(world, user.sites.clone()).contains(&site)).map(|user| user.id).collect()
        }
    }
}

/// Returns all who get what an organization gives to a recipient.
fn given_to(world: &World, giving: OrganizationId, kind: &ItemKind, recipient: Recipient) -> BTreeSet<SubjectId> {
    let mut subjects = members(world, giving);
    let crosses = ["templates", "inspections", "assets"].contains(&kind.key())
        && matches!(recipient, Recipient::User(_) | Recipient::ServiceUser(_) | Recipient::Organization(_));
    for receiving in world.organizations.iter().filter(|_| crosses) {
        if *receiving != giving && !world.refusals.contains(&(*receiving, giving)) {
            subjects.extend(members(world, *receiving));
        }
    }
    subjects.intersection(&named(world, recipient)).copied().collect()
}

fn permitted(world: &World) -> BTreeMap<String, Pairs> {
    let mut permitted: BTreeMap<String, Pairs> = BTreeMap::new();
    for subject in &world.subjects {
        for (kind, action) in subject.permissions.iter().filter_map(|key| key.split_once('.')) {
            let items = world.items.iter().filter(|item| item.kind.key() == kind);
            permitted.entry(action.to_owned()).or_default().extend(items.map(|item| (subject.id, item.id)));
        }
    }
    permitted
}
