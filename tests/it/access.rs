//! Who reaches which items: what the databases answer, what the domain says, and what brute force finds, in random
//! worlds.

mod plans;
mod written;

use crate::harness::TestDb;
use domain::{
    access::{Level, reach},
    item::{ItemId, ItemKind, Place},
    paging::PageFrom,
    token::Scope,
};
use std::collections::{BTreeMap, BTreeSet};
use storage::{
    AnyConnection, DatabaseUrl, Db,
    access::{self, Direction, Filter, LevelAsked, OwnedBy, Reachable},
    access_rules, items, shares,
};
use test_macros::db_test;
use test_worlds::{Action, Brute, Subject, Verdict, World};
use written::Written;

/// How many worlds are written together.
const BATCH: usize = 200;

/// How many worlds there are on each database. A query takes Postgres longer.
fn worlds(db: &TestDb) -> usize {
    let is_postgres = db.url.starts_with("postgres");
    match (std::env::var_os("JETON_SOAK").is_some(), is_postgres) {
        (true, _) => 500_000,
        (false, true) => 1_000,
        (false, false) => 3_000,
    }
}

fn open(db: &TestDb) -> AnyConnection {
    let address = DatabaseUrl::parse(&db.url).expect("an address");
    Db::open(address.clone()).expect("a database");
    address.connect().expect("a connection")
}

/// Every second world has rows that Jeton never writes.
fn world(number: usize) -> World {
    let seed = u64::try_from(number / 2).expect("a number");
    if number.is_multiple_of(2) { World::random(seed) } else { World::odd(seed) }
}

fn kinds(world: &World) -> BTreeSet<ItemKind> {
    world.items.iter().map(|item| item.kind.clone()).collect()
}

#[db_test]
async fn queries_the_domain_and_brute_force_agree_in_every_world(db: TestDb) {
    let mut connection = open(&db);
    let all = worlds(&db);
    let mut seen = BTreeMap::new();
    for first in (0..all).step_by(BATCH) {
        for written in written::write(&mut connection, first, (first..first + BATCH).map(world).collect()) {
            let brute = Brute::of(&written.world);
            for subject in &written.world.subjects {
                compare(&mut connection, &written, &brute, subject, &mut seen);
            }
            // What takes more queries for each answer.
            if written.offset % 5_000 == 0 {
                compare_pages(&mut connection, &written, &brute);
                compare_ways(&mut connection, &written, &brute);
            }
        }
    }
    assert!(seen.len() == 5 && seen.values().all(|count| *count > all), "{seen:?}");
}

/// Compares the list, the count and the verdicts about each item, by kind.
fn compare(
    connection: &mut AnyConnection,
    written: &Written,
    brute: &Brute,
    subject: &Subject,
    seen: &mut BTreeMap<Verdict, usize>,
) {
    let facts =
        access::subject_facts(connection, written.subject(subject.id), written.organization(subject.organization))
            .expect("facts");
    compare_named(connection, written, brute, subject);
    for kind in kinds(&written.world) {
        let reachable = Reachable::read(connection, &facts, &kind).expect("what it reaches");
        let of_kind: Vec<_> = written.world.items.iter().filter(|item| item.kind == kind).collect();
        let mut expected: Vec<(ItemId, Level)> =
            of_kind.iter().filter_map(|item| Some((item.id, brute.level(subject.id, item.id)?))).collect();
        expected.sort_by_key(|(id, _)| (Written::modified_at(*id), *id));
        let listed =
            items::page(connection, &reachable, &Filter::default(), Direction::Ascending, &PageFrom::Start, 1_000);
        let listed: Vec<(ItemId, Level)> =
            listed.expect("a list").into_iter().map(|(item, level)| (written.known(item.id), level)).collect();
        assert_eq!(listed, expected, "{subject:?} {kind:?} {:#?}", written.world);
        let count = items::count(connection, &reachable, &Filter::default(), Direction::Ascending, None);
        assert_eq!(count.expect("a count"), expected.len() as i64, "{subject:?} {kind:?} {:#?}", written.world);
        let rows: Vec<ItemId> = of_kind.iter().map(|item| written.item(item.id)).collect();
        let levels = items::levels(connection, &reachable, &rows).expect("levels");
        for item in of_kind {
            let reached = levels.get(&written.item(item.id)).copied();
            assert_eq!(reached, brute.level(subject.id, item.id), "{subject:?} {item:?} {:#?}", written.world);
            for action in Action::of(&kind) {
                for scope in Scope::ALL {
                    let verdict = Verdict::of(subject, scope, item, action, reached);
                    let other = brute.verdict(subject.id, scope, item.id, action);
                    assert_eq!(verdict, other, "{subject:?} {scope:?} {item:?} {action:?} {:#?}", written.world);
                    *seen.entry(verdict).or_default() += 1;
                }
            }
        }
    }
}

/// Compares the levels on items that are named by external id, which are those of the subject's own organization.
fn compare_named(connection: &mut AnyConnection, written: &Written, brute: &Brute, subject: &Subject) {
    let asked: Vec<LevelAsked> = written
        .world
        .items
        .iter()
        .map(|item| LevelAsked {
            subject: written.subject(subject.id),
            organization: written.organization(subject.organization),
            kind: item.kind.clone(),
            external_id: written.external_id(item.id),
        })
        .collect();
    let expected: Vec<Option<Level>> = written
        .world
        .items
        .iter()
        .map(|item| brute.level(subject.id, item.id).filter(|_| item.organization == subject.organization))
        .collect();
    let found = access::levels(connection, &asked).expect("levels");
    assert_eq!(found, expected, "{subject:?} {:#?}", written.world);
}

/// Some filters, and which items of a world they leave.
type Keeps<'a> = Box<dyn Fn(&test_worlds::Item) -> bool + 'a>;

fn filters<'a>(written: &'a Written) -> Vec<(Filter, Keeps<'a>)> {
    let world = &written.world;
    let mut filters: Vec<(Filter, Keeps<'a>)> = vec![
        (Filter::default(), Box::new(|_| true)),
        (Filter { archived: Some(true), ..Filter::default() }, Box::new(|item| Written::is_archived(item.id))),
        (Filter { archived: Some(false), ..Filter::default() }, Box::new(|item| !Written::is_archived(item.id))),
        (Filter { words: "i".into(), ..Filter::default() }, Box::new(|_| true)),
        (Filter { words: "x".into(), ..Filter::default() }, Box::new(|_| false)),
        (Filter { owner: Some(OwnedBy::Nobody), ..Filter::default() }, Box::new(|item| item.owner.is_none())),
        (
            Filter { modified_since: Some(Written::modified_at(ItemId(1))), ..Filter::default() },
            Box::new(|item| Written::modified_at(item.id) >= Written::modified_at(ItemId(1))),
        ),
    ];
    for site in &world.sites {
        let filter = Filter { site: Some(domain::access::SiteId(written.offset + site.id.0)), ..Filter::default() };
        filters.push((filter, Box::new(|item| world.item_facts(item).sites.contains(&site.id))));
    }
    if let Some(owner) = world.subjects.first() {
        let filter = Filter { owner: Some(OwnedBy::Subject(written.subject(owner.id))), ..Filter::default() };
        filters.push((filter, Box::new(|item| item.owner == Some(owner.id))));
    }
    let templates: BTreeSet<ItemId> = world.items.iter().filter_map(|item| item.template).collect();
    for template in templates {
        let filter = Filter { template: Some(written.item(template)), ..Filter::default() };
        filters.push((filter, Box::new(move |item| item.template == Some(template))));
    }
    filters
}

/// Compares the pages of two, in both directions, and how many follow each, for each filter.
fn compare_pages(connection: &mut AnyConnection, written: &Written, brute: &Brute) {
    for subject in &written.world.subjects {
        let facts =
            access::subject_facts(connection, written.subject(subject.id), written.organization(subject.organization))
                .expect("facts");
        for (kind, (filter, keeps)) in kinds(&written.world)
            .into_iter()
            .flat_map(|kind| filters(written).into_iter().map(move |it| (kind.clone(), it)))
        {
            let reachable = Reachable::read(connection, &facts, &kind).expect("what it reaches");
            let kept = written.world.items.iter().filter(|item| item.kind == kind && keeps(item));
            let mut expected: Vec<(Place, Level)> = kept
                .filter_map(|item| {
                    let place = Place { modified_at: Written::modified_at(item.id), id: written.item(item.id) };
                    Some((place, brute.level(subject.id, item.id)?))
                })
                .collect();
            expected.sort();
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut walked = Vec::new();
                let mut from = PageFrom::Start;
                loop {
                    let left = items::count(connection, &reachable, &filter, direction, from.place().copied());
                    assert_eq!(
                        left.expect("a count"),
                        (expected.len() - walked.len()) as i64,
                        "{filter:?} {subject:?}"
                    );
                    let page = items::page(connection, &reachable, &filter, direction, &from, 2).expect("a page");
                    walked.extend(page.iter().map(|(item, level)| (item.place(), *level)));
                    match page.last() {
                        Some((item, _)) if page.len() == 2 => from = PageFrom::After(item.place()),
                        _ => break,
                    }
                }
                if direction == Direction::Descending {
                    walked.reverse();
                }
                assert_eq!(walked, expected, "{filter:?} {subject:?} {kind:?} {:#?}", written.world);
                if let Some((last, _)) = expected.last() {
                    let before =
                        items::page(connection, &reachable, &filter, direction, &PageFrom::Before(*last), 1_000);
                    let before: Vec<_> =
                        before.expect("a page").iter().map(|(item, level)| (item.place(), *level)).collect();
                    let mut others = expected.clone();
                    others.pop();
                    match direction {
                        Direction::Ascending => others.reverse(),
                        Direction::Descending => others.clear(),
                    }
                    assert_eq!(before, others, "{filter:?} {subject:?} {kind:?} {:#?}", written.world);
                }
            }
        }
    }
}

/// Compares what the domain says about an item from what the database has stored about it and the subject.
fn compare_ways(connection: &mut AnyConnection, written: &Written, brute: &Brute) {
    for subject in &written.world.subjects {
        let facts =
            access::subject_facts(connection, written.subject(subject.id), written.organization(subject.organization))
                .expect("facts");
        for item in &written.world.items {
            let item_facts = access::item_facts(connection, &written.stored(item)).expect("facts");
            let shares = shares::list(connection, written.item(item.id)).expect("shares");
            let rules = access_rules::covering(connection, &item_facts).expect("rules");
            let shares: Vec<_> = shares.into_iter().map(|stored| stored.share).collect();
            let rules: Vec<_> = rules.into_iter().map(|stored| stored.rule).collect();
            let found = reach(&facts, &item_facts, &shares, &rules);
            assert_eq!(found.level(), brute.level(subject.id, item.id), "{subject:?} {item:?} {:#?}", written.world);
            let level = found.ways().iter().map(|way| way.level).max();
            assert_eq!(found.level(), level);
        }
    }
}
