//! Worlds from a number.

use super::{Action, Group, Item, Site, Subject, World};
use domain::{
    access::{AccessRule, AccessRuleId, GroupId, Level, Recipient, RecipientKind, Share, ShareId, SiteId, SubjectId},
    item::{ItemId, ItemKind},
    organization::{MembershipId, OrganizationId, ServiceUserId},
};

const ORGANIZATIONS: [OrganizationId; 2] = [OrganizationId(1), OrganizationId(2)];
/// The built-in kinds and one of each organization's own.
const KINDS: [&str; 4] = ["templates", "inspections", "assets", "invoices"];
/// Sites nest this deep at most.
const DEEPEST: usize = 8;

impl World {
    /// Makes a world that Jeton allows; the same for the same seed. Rows are numbered from 1, in each table.
    pub fn random(seed: u64) -> Self {
        Maker { random: Random(seed), is_odd: false }.world()
    }

    /// Makes a world with rows that Jeton never writes: groups, sites and owners of the wrong organization, service
    /// users in groups, own kinds outside, templates where none belong. Nothing of this may give access.
    pub fn odd(seed: u64) -> Self {
        Maker { random: Random(seed), is_odd: true }.world()
    }
}

/// A small generator of repeatable numbers (SplitMix64).
struct Random(u64);

impl Random {
    /// Returns a number from 0 to `below` - 1; 0 if that is none.
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default() % below.max(1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> Option<T> {
        choices.get(self.below(choices.len())).cloned()
    }

    fn some_of<T: Clone, C: FromIterator<T>>(&mut self, choices: &[T], percent: usize) -> C {
        choices.iter().filter(|_| self.chance(percent)).cloned().collect()
    }
}

/// Returns the number of the next row of a table.
fn next<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or_default() + 1
}

struct Maker {
    random: Random,
    is_odd: bool,
}

impl Maker {
    fn world(mut self) -> World {
        let mut world = World { organizations: ORGANIZATIONS.into(), ..World::default() };
        let [a, b] = ORGANIZATIONS;
        world.refusals = self.random.some_of(&[(a, b), (b, a)], 20);
        for organization in ORGANIZATIONS {
            for _ in 0..self.random.below(6) {
                let site = self.site(&world, organization);
                world.sites.push(site);
            }
            for _ in 0..self.random.below(4) {
                world.groups.push(Group { id: GroupId(next(&world.groups)), organization });
            }
        }
        for organization in ORGANIZATIONS {
            for number in 1..=self.random.below(6) + 1 {
                let subject = self.subject(&world, organization, number % 3 == 0);
                world.subjects.push(subject);
            }
        }
        for kind in KINDS {
            for _ in 0..self.random.below(5) {
                let item = self.item(&world, kind);
                world.items.extend(item);
            }
        }
        for _ in 0..self.random.below(12) {
            let share = self.share(&world);
            world.shares.extend(share);
        }
        for _ in 0..self.random.below(8) {
            let rule = self.rule(&world);
            world.rules.extend(rule);
        }
        world
    }

    fn organization(&mut self) -> OrganizationId {
        ORGANIZATIONS[self.random.below(2)]
    }

    /// Returns whether to do something that Jeton does not allow.
    fn errs(&mut self) -> bool {
        self.is_odd && self.random.chance(30)
    }

    fn site(&mut self, world: &World, organization: OrganizationId) -> Site {
        let has_room = |site: &&Site| site.organization == organization && world.depth(site.id) < DEEPEST;
        let above = world.sites.iter().filter(has_room);
        let above: Vec<SiteId> = above.map(|site| site.id).collect();
        let parent = if self.random.chance(70) { self.random.one_of(&above) } else { None };
        Site { id: SiteId(next(&world.sites)), organization, parent }
    }

    fn subject(&mut self, world: &World, organization: OrganizationId, is_service_user: bool) -> Subject {
        let is_one = |row: &&Subject| matches!(row.id, SubjectId::ServiceUser(_)) == is_service_user;
        // Users and service users are in tables of their own, so that some have the same number.
        let number = next(&world.subjects.iter().filter(is_one).collect::<Vec<_>>());
        let errs = self.errs();
        let id = if is_service_user {
            SubjectId::ServiceUser(ServiceUserId(number))
        } else {
            SubjectId::Membership(MembershipId(number))
        };
        let fits = |of: OrganizationId| errs || (of == organization && !is_service_user);
        let groups: Vec<_> = world.groups.iter().filter(|row| fits(row.organization)).map(|row| row.id).collect();
        let sites: Vec<_> = world.sites.iter().filter(|row| fits(row.organization)).map(|row| row.id).collect();
        let kinds = KINDS.iter().filter_map(|key| ItemKind::parse(key));
        let permissions: Vec<_> =
            kinds.flat_map(|kind| Action::of(&kind).iter().map(move |action| action.permission(&kind))).collect();
        let held = [20, 60, 90][self.random.below(3)];
        Subject {
            id,
            organization,
            groups: self.random.some_of(&groups, 40),
            sites: self.random.some_of(&sites, 30),
            permissions: self.random.some_of(&permissions, held),
        }
    }

    fn item(&mut self, world: &World, kind: &str) -> Option<Item> {
        let (organization, errs) = (self.organization(), self.errs());
        let fits = |of: OrganizationId| errs || of == organization;
        let owners: Vec<_> = world.subjects.iter().filter(|row| fits(row.organization)).map(|row| row.id).collect();
        let sites: Vec<_> = world.sites.iter().filter(|row| fits(row.organization)).map(|row| row.id).collect();
        // An inspection may be of a template that another organization shared.
        let templates = if kind == "inspections" || errs { world.templates() } else { Vec::new() };
        Some(Item {
            id: ItemId(next(&world.items)),
            organization,
            kind: ItemKind::parse(kind)?,
            owner: if self.random.chance(70) { self.random.one_of(&owners) } else { None },
            site: if self.random.chance(70) { self.random.one_of(&sites) } else { None },
            template: if self.random.chance(80) { self.random.one_of(&templates) } else { None },
        })
    }

    fn share(&mut self, world: &World) -> Option<Share> {
        let item = self.random.one_of(&world.items)?;
        let recipient = self.recipient(world, item.organization, &item.kind)?;
        Some(Share { id: ShareId(next(&world.shares)), item: item.id, recipient, level: self.level() })
    }

    fn rule(&mut self, world: &World) -> Option<AccessRule> {
        let organization = self.organization();
        let kind = ItemKind::parse(KINDS[self.random.below(KINDS.len())])?;
        let errs = self.errs();
        let sites = world.sites.iter().filter(|site| errs || site.organization == organization);
        let sites: Vec<_> = sites.map(|site| site.id).collect();
        let templates = if kind.key() == "inspections" || errs { world.templates() } else { Vec::new() };
        let recipient = self.recipient(world, organization, &kind)?;
        Some(AccessRule {
            id: AccessRuleId(next(&world.rules)),
            organization,
            kind,
            site: if self.random.chance(40) { self.random.one_of(&sites) } else { None },
            template: if self.random.chance(40) { self.random.one_of(&templates) } else { None },
            recipient,
            level: self.level(),
        })
    }

    fn level(&mut self) -> Level {
        Level::ALL[self.random.below(Level::ALL.len())]
    }

    /// Returns somebody to whom `giving` may give access to items of a kind; outside only if it wants to.
    fn recipient(&mut self, world: &World, giving: OrganizationId, kind: &ItemKind) -> Option<Recipient> {
        let (is_outside, errs) = (self.random.chance(30), self.errs());
        let of_kind = RecipientKind::ALL[self.random.below(RecipientKind::ALL.len())];
        let subjects = world.subjects.iter().map(|subject| Recipient::from(subject.id));
        let groups = world.groups.iter().map(|group| Recipient::Group(group.id));
        let sites = world.sites.iter().map(|site| Recipient::Site(site.id));
        let all = subjects.chain(groups).chain(sites).chain(ORGANIZATIONS.map(Recipient::Organization));
        let fits = |recipient: &Recipient| {
            let of = world.organization_of(*recipient).filter(|of| errs || (*of != giving) == is_outside);
            recipient.kind() == of_kind && of.is_some_and(|of| errs || recipient.check(of, giving, kind).is_ok())
        };
        let fitting: Vec<Recipient> = all.filter(fits).collect();
        self.random.one_of(&fitting)
    }
}

impl World {
    fn templates(&self) -> Vec<ItemId> {
        self.items.iter().filter(|item| item.kind.key() == "templates").map(|item| item.id).collect()
    }

    /// Returns how many sites there are from the top to this one.
    fn depth(&self, site: SiteId) -> usize {
        let parent = |site: &SiteId| self.sites.iter().find(|row| row.id == *site).and_then(|row| row.parent);
        std::iter::successors(Some(site), parent).count()
    }
}
