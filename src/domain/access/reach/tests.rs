//! Tests of access to items, each rule by itself. `tests/worlds` compares all together with another reading of them.

use super::*;
use crate::organization::{MembershipId, ServiceUserId};

const A: OrganizationId = OrganizationId(1);
const B: OrganizationId = OrganizationId(2);
/// A region of A, and a site below it.
const REGION: SiteId = SiteId(1);
const SITE: SiteId = SiteId(2);
const BEN: SubjectId = SubjectId::Membership(MembershipId(1));
const BOT: SubjectId = SubjectId::ServiceUser(ServiceUserId(1));

fn kind(key: &str) -> ItemKind {
    ItemKind::parse(key).unwrap()
}

/// An item of A at [`SITE`].
fn item(of_kind: &str) -> ItemFacts {
    let sites = [REGION, SITE].into();
    ItemFacts { id: ItemId(1), organization: A, kind: kind(of_kind), owner: None, sites, template: None }
}

fn subject(id: SubjectId, organization: OrganizationId) -> SubjectFacts {
    SubjectFacts { id, organization, groups: [].into(), sites: [].into(), refused: [].into() }
}

fn share(id: i64, recipient: Recipient, level: Level) -> Share {
    Share { id: ShareId(id), item: ItemId(1), recipient, level }
}

fn rule(id: i64, recipient: Recipient, level: Level) -> AccessRule {
    let id = AccessRuleId(id);
    AccessRule { id, organization: A, kind: kind("assets"), site: None, template: None, recipient, level }
}

/// Returns what a share and a rule for `recipient` give, which must be the same.
fn given(subject: &SubjectFacts, item: &ItemFacts, recipient: Recipient) -> Option<Level> {
    let by_share = reach(subject, item, &[share(1, recipient, Level::Edit)], &[]).level();
    let rule = AccessRule { kind: item.kind.clone(), ..rule(1, recipient, Level::Edit) };
    assert_eq!(reach(subject, item, &[], &[rule]).level(), by_share, "{recipient:?}");
    by_share
}

#[test]
fn nothing_gives_access_by_itself() {
    assert_eq!(reach(&subject(BEN, A), &item("assets"), &[], &[]), Reach::default());
    let at_the_site = SubjectFacts { sites: [SITE].into(), ..subject(BEN, A) };
    assert_eq!(reach(&at_the_site, &item("assets"), &[], &[]).level(), None, "being where the item is");
}

#[test]
fn an_owner_manages() {
    let owned = ItemFacts { owner: Some(BEN), ..item("assets") };
    assert_eq!(reach(&subject(BEN, A), &owned, &[], &[]).level(), Some(Level::Manage));
    let same_number = SubjectId::ServiceUser(ServiceUserId(1));
    assert_eq!(reach(&subject(same_number, A), &owned, &[], &[]).level(), None);
}

#[test]
fn each_recipient_stands_for_those_whom_it_names() {
    let (group, others) = (GroupId(1), GroupId(2));
    let ben = SubjectFacts { groups: [group].into(), sites: [SITE].into(), ..subject(BEN, A) };
    let bot = SubjectFacts { id: BOT, ..ben.clone() };
    for (recipient, reaches_ben, reaches_bot) in [
        (Recipient::User(MembershipId(1)), true, false),
        (Recipient::User(MembershipId(2)), false, false),
        (Recipient::ServiceUser(ServiceUserId(1)), false, true),
        (Recipient::Group(group), true, false),
        (Recipient::Group(others), false, false),
        (Recipient::Site(SITE), true, false),
        (Recipient::Site(REGION), false, false),
        (Recipient::Organization(A), true, true),
        (Recipient::Organization(B), false, false),
    ] {
        for (subject, reaches) in [(&ben, reaches_ben), (&bot, reaches_bot)] {
            assert_eq!(given(subject, &item("assets"), recipient).is_some(), reaches, "{recipient:?} {:?}", subject.id);
            assert_eq!(subject.recipients().any(|own| own == recipient), reaches, "{recipient:?} {:?}", subject.id);
        }
    }
}

#[test]
fn the_highest_level_counts_and_every_way_is_told() {
    let group = GroupId(1);
    let ben = SubjectFacts { groups: [group].into(), ..subject(BEN, A) };
    let (everyone, in_group, himself) = (Recipient::Organization(A), Recipient::Group(group), Recipient::from(BEN));
    let shares = [
        share(1, everyone, Level::View),
        share(2, himself, Level::View),
        share(3, Recipient::Site(SITE), Level::Manage),
    ];
    let rules = [rule(1, in_group, Level::Edit), rule(2, Recipient::from(BOT), Level::Manage)];
    let reach = reach(&ben, &item("assets"), &shares, &rules);
    let ways: Vec<_> = reach.ways().iter().map(|way| (way.level, way.source, way.recipient)).collect();
    assert_eq!(
        ways,
        [
            (Level::Edit, Source::Rule(AccessRuleId(1)), in_group),
            (Level::View, Source::Share(ShareId(1)), everyone),
            (Level::View, Source::Share(ShareId(2)), himself),
        ]
    );
    assert_eq!(reach.level(), Some(Level::Edit));
}

#[test]
fn a_share_is_of_one_item() {
    let other = ItemFacts { id: ItemId(2), ..item("assets") };
    assert_eq!(reach(&subject(BEN, A), &other, &[share(1, BEN.into(), Level::View)], &[]).level(), None);
}

#[test]
fn a_rule_covers_its_kind_its_site_and_below_and_its_template() {
    let template = ItemId(9);
    let plain = rule(1, BEN.into(), Level::View);
    let at = |site: i64| AccessRule { site: Some(SiteId(site)), ..plain.clone() };
    let of = |template| AccessRule { kind: kind("inspections"), template: Some(template), ..plain.clone() };
    let nowhere = ItemFacts { sites: [].into(), ..item("assets") };
    let inspection = ItemFacts { template: Some(template), ..item("inspections") };
    let foreign = AccessRule { organization: B, ..plain.clone() };
    for (rule, item, covers) in [
        (&plain, item("assets"), true),
        (&plain, item("templates"), false),
        (&plain, nowhere.clone(), true),
        (&foreign, item("assets"), false),
        (&at(1), item("assets"), true),
        (&at(2), item("assets"), true),
        (&at(3), item("assets"), false),
        (&at(1), nowhere, false),
        (&of(template), inspection.clone(), true),
        (&of(ItemId(8)), inspection, false),
        (&of(template), item("inspections"), false),
    ] {
        assert_eq!(rule.covers(&item), covers, "{rule:?} {item:?}");
    }
}

#[test]
fn another_organization_reaches_only_what_names_it_or_its_subject() {
    let (group, site) = (GroupId(1), SITE);
    let guest = SubjectFacts { groups: [group].into(), sites: [site].into(), ..subject(BEN, B) };
    for (recipient, reaches) in [
        (Recipient::from(BEN), true),
        (Recipient::Organization(B), true),
        (Recipient::Organization(A), false),
        (Recipient::Group(group), false),
        (Recipient::Site(site), false),
    ] {
        assert_eq!(given(&guest, &item("assets"), recipient).is_some(), reaches, "{recipient:?}");
        assert_eq!(given(&guest, &item("invoices"), recipient), None, "an own kind: {recipient:?}");
        let refusing = SubjectFacts { refused: [A].into(), ..guest.clone() };
        assert_eq!(given(&refusing, &item("assets"), recipient), None, "refused: {recipient:?}");
    }
    let at_home = SubjectFacts { refused: [A].into(), ..subject(BEN, A) };
    assert!(given(&at_home, &item("assets"), BEN.into()).is_some(), "nobody refuses themself");
}

#[test]
fn an_item_that_is_not_reached_is_not_there() {
    for needed in Level::ALL {
        assert_eq!(check_level(None, needed), Err(Refusal::NotThere));
        for reached in Level::ALL {
            let expected = if reached >= needed { Ok(()) } else { Err(Refusal::LevelMissing(needed)) };
            assert_eq!(check_level(Some(reached), needed), expected);
        }
    }
}
