//! Random worlds of two organizations, to compare every answer about access to items with every other one.
//!
//! A [`World`] is plain data with the ids of rows, easy to write into a database. Who reaches what in it is found in
//! two ways that share nothing but the types: [`World::reach`] asks the domain, about one subject and one item at a
//! time; [`Brute`] begins at what gives access, and works with sets of all whom and all that it is about. What
//! databases answer is a third way.

mod brute;
mod facts;
mod random;

pub use brute::Brute;

use domain::{
    access::{AccessRule, GroupId, Level, Refusal, Share, SiteId, SubjectId, check_level},
    item::{ItemId, ItemKind},
    organization::OrganizationId,
    token::Scope,
};
use std::collections::BTreeSet;

/// Two organizations with all that access in them depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The organizations.
    pub organizations: Vec<OrganizationId>,
    /// Who accepts nothing from whom.
    pub refusals: BTreeSet<(OrganizationId, OrganizationId)>,
    /// The sites, each after the one above it.
    pub sites: Vec<Site>,
    /// The groups.
    pub groups: Vec<Group>,
    /// The users and service users.
    pub subjects: Vec<Subject>,
    /// The items, templates before inspections.
    pub items: Vec<Item>,
    /// The shares.
    pub shares: Vec<Share>,
    /// The access rules.
    pub rules: Vec<AccessRule>,
}

/// A site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The row.
    pub id: SiteId,
    /// Its organization.
    pub organization: OrganizationId,
    /// The site above it.
    pub parent: Option<SiteId>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The row.
    pub id: GroupId,
    /// Its organization.
    pub organization: OrganizationId,
}

/// A user or service user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The row.
    pub id: SubjectId,
    /// Its organization.
    pub organization: OrganizationId,
    /// The groups that it is in.
    pub groups: BTreeSet<GroupId>,
    /// The sites that it is assigned to, without those below.
    pub sites: BTreeSet<SiteId>,
    /// The keys of its permissions for items, such as `invoices.approve`.
    pub permissions: BTreeSet<String>,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The row.
    pub id: ItemId,
    /// Its organization.
    pub organization: OrganizationId,
    /// Its kind; `invoices` is an own one, of both organizations.
    pub kind: ItemKind,
    /// Who owns it.
    pub owner: Option<SubjectId>,
    /// The site that it is at.
    pub site: Option<SiteId>,
    /// The template of an inspection.
    pub template: Option<ItemId>,
}

/// Something that may be done with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// The end of the key of its permission.
    pub key: &'static str,
    /// The level that it needs.
    pub level: Level,
    /// Whether it changes something.
    pub changes: bool,
}

const VIEW: Action = Action { key: "view", level: Level::View, changes: false };
const EDIT: Action = Action { key: "edit", level: Level::Edit, changes: true };
const CONDUCT: Action = Action { key: "conduct", level: Level::Edit, changes: true };
const DELETE: Action = Action { key: "delete", level: Level::Manage, changes: true };
const SHARE: Action = Action { key: "share", level: Level::Manage, changes: true };
/// Two actions of the own kind.
const APPROVE: Action = Action { key: "approve", level: Level::Edit, changes: true };
const PRINT: Action = Action { key: "print", level: Level::View, changes: false };

impl Action {
    /// Returns what may be done with items of a kind.
    pub fn of(kind: &ItemKind) -> &'static [Self] {
        match kind.key() {
            "inspections" => &[VIEW, CONDUCT, DELETE, SHARE],
            "templates" | "assets" => &[VIEW, EDIT, DELETE, SHARE],
            _ => &[VIEW, EDIT, DELETE, SHARE, APPROVE, PRINT],
        }
    }

    /// Returns the key of the permission to do it with items of a kind.
    pub fn permission(&self, kind: &ItemKind) -> String {
        format!("{}.{}", kind.key(), self.key)
    }
}

/// The answer to a request about an item: accepted, or the check that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// The token only reads.
    ReadOnly,
    /// The subject lacks the permission.
    PermissionMissing,
    /// For the subject, there is no such item.
    NotThere,
    /// The subject's level is too low.
    LevelMissing,
}

impl Verdict {
    /// Returns the domain's verdict about a request with a token of a subject who has the level `reached` on the item.
    pub fn of(subject: &Subject, scope: Scope, item: &Item, action: &Action, reached: Option<Level>) -> Self {
        if action.changes && scope == Scope::ReadOnly {
            return Self::ReadOnly;
        }
        if !subject.permissions.contains(&action.permission(&item.kind)) {
            return Self::PermissionMissing;
        }
        match check_level(reached, action.level) {
            Ok(()) => Self::Allowed,
            Err(Refusal::NotThere) => Self::NotThere,
            Err(_) => Self::LevelMissing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::access::{Source, reach};
    use std::collections::BTreeMap;

    /// How many worlds are compared: enough for each rule to be broken by hundreds of them.
    const WORLDS: u64 = 3_000;

    fn actions(item: &Item) -> impl Iterator<Item = &'static Action> + use<> {
        Action::of(&item.kind).iter()
    }

    fn compare(world: &World, seen: &mut BTreeMap<Verdict, usize>) {
        let brute = Brute::of(world);
        let items: Vec<_> = world.items.iter().map(|item| (item, world.item_facts(item))).collect();
        for subject in &world.subjects {
            let facts = world.subject_facts(subject);
            let mut listed = BTreeSet::new();
            for (item, item_facts) in &items {
                let reached = reach(&facts, item_facts, &world.shares, &world.rules).level();
                listed.extend(reached.map(|_| item.id));
                assert_eq!(reached, brute.level(subject.id, item.id), "{subject:?} {item:?} {world:#?}");
                for (scope, action) in Scope::ALL.into_iter().flat_map(|scope| actions(item).map(move |it| (scope, it)))
                {
                    let verdict = Verdict::of(subject, scope, item, action, reached);
                    let other = brute.verdict(subject.id, scope, item.id, action);
                    assert_eq!(verdict, other, "{subject:?} {scope:?} {item:?} {action:?} {world:#?}");
                    *seen.entry(verdict).or_default() += 1;
                }
            }
            assert_eq!(listed, brute.items(subject.id, Level::View), "{subject:?} {world:#?}");
        }
    }

    #[test]
    fn the_domain_and_brute_force_agree_in_every_world() {
        let mut seen = BTreeMap::new();
        for seed in 0..WORLDS {
            compare(&World::random(seed), &mut seen);
            compare(&World::odd(seed), &mut seen);
        }
        assert!(seen.len() == 5 && seen.values().all(|count| *count > 10_000), "{seen:?}");
    }

    #[test]
    fn every_way_occurs_at_home_and_outside() {
        let mut ways = BTreeMap::new();
        for world in (0..300).map(World::random) {
            for (subject, item) in
                world.subjects.iter().flat_map(|subject| world.items.iter().map(move |item| (subject, item)))
            {
                for way in world.reach(subject, item).ways() {
                    let source = match way.source {
                        Source::Owner => "owner",
                        Source::Share(_) => "share",
                        Source::Rule(_) => "rule",
                    };
                    let is_outside = subject.organization != item.organization;
                    *ways.entry((source, way.recipient.kind().key(), is_outside)).or_insert(0) += 1;
                }
            }
        }
        // At home: an owner of either kind, and five kinds of recipients by two sources; outside: three kinds by two.
        assert!(ways.len() == 2 + 10 + 6 && ways.values().all(|count| *count > 10), "{ways:?}");
    }

    #[test]
    fn a_world_is_the_same_each_time_and_is_one_that_jeton_allows() {
        for seed in 0..300 {
            let world = World::random(seed);
            assert_eq!(world, World::random(seed));
            for share in &world.shares {
                let item = world.items.iter().find(|item| item.id == share.item).unwrap();
                let of = world.organization_of(share.recipient).unwrap();
                assert_eq!(share.recipient.check(of, item.organization, &item.kind), Ok(()));
            }
            for rule in &world.rules {
                let of = world.organization_of(rule.recipient).unwrap();
                assert_eq!(rule.recipient.check(of, rule.organization, &rule.kind), Ok(()));
                assert!(rule.template.is_none() || rule.kind.key() == "inspections");
            }
        }
    }
}
