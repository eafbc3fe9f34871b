//! Cases that users of comparable programs have met: each is an example of its kind.

use super::{at, everyone, key, list, make, manager, rule, share, user};
use crate::harness::{Person, SLUG, TestApp, TestDb, change, count, db_test, org};
use app::{
    Jeton, access_rules,
    items::{self, ItemChange, ListQuery},
    recipients::RecipientForm,
    requester::Requester,
};
use domain::{
    access::{Level, Recipient},
    activity::Source,
    item::Item,
    paging::PageFrom,
    permission::BuiltInSet,
};
use storage::access::Direction;

async fn site(person: &Person, name: &str) -> String {
    let made = person.post(org!("/sites"), &[("name", name)]).await;
    made.header("location").trim_end_matches("?notice=created").rsplit('/').next().unwrap().to_owned()
}

async fn moves(jeton: &Jeton, by: &Requester, item: &Item, site: &str) {
    let change = ItemChange { site: Some(site.to_owned()), ..ItemChange::default() };
    items::change(jeton, by, "assets", key(item), change, Source::default()).await.unwrap();
}

fn at_site(id: &str) -> RecipientForm {
    RecipientForm { kind: "site".into(), id: id.into(), ..RecipientForm::default() }
}

#[db_test]
async fn an_item_that_comes_back_to_its_site_is_reached_by_that_site_alone(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ben, zoe) = (app.add_user("Ben", BuiltInSet::Standard).await, app.add_user("Zoe", BuiltInSet::Standard).await);
    let (first, second) = (site(&ann, "Mopti").await, site(&ann, "Gao").await);
    for (site, people) in [(&first, "ben"), (&second, "zoe")] {
        assert_eq!(ann.post(&format!("{}/{site}/members", org!("/sites")), &[("people", people)]).await.status, 303);
    }
    let (by, users, jeton) = (at(&app, &ann).await, manager(&app, &ann, SLUG).await, &*app.jeton);
    let mut rules = Vec::new();
    for site in [&first, &second] {
        let form = access_rules::RuleForm { site: site.clone(), ..rule("assets", at_site(site), "view") };
        rules.push(access_rules::create(jeton, &users, form, Source::default()).await.unwrap());
    }
    let item = make(jeton, &by, "assets", "Fridge").await;
    for (at_first, at_second, place) in [(true, false, &first), (false, true, &second), (true, false, &first)] {
        moves(jeton, &by, &item, place).await;
        for (person, reaches) in [(&ben, at_first), (&zoe, at_second)] {
            let status = person.get(&format!("{}/{}", org!("/items/assets"), item.public_id)).await.status;
            assert_eq!(status == 200, reaches, "{} at {place}", person.name);
        }
        let reached = items::reached_by(jeton, &by, "assets", key(&item)).await.unwrap();
        let by_rules: Vec<&str> = reached.rules.iter().map(|rule| rule.stored.public_id.as_str()).collect();
        assert_eq!(by_rules, [if at_first { &rules[0] } else { &rules[1] }], "who reaches it says so");
    }
}

#[db_test]
async fn what_somebody_owned_stays_when_they_are_removed_and_those_who_look_after_users_find_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ben, zoe) = (app.add_user("Ben", BuiltInSet::Standard).await, app.add_user("Zoe", BuiltInSet::Standard).await);
    let (by, jeton) = (at(&app, &ben).await, &*app.jeton);
    let items: Vec<Item> = vec![
        make(jeton, &by, "assets", "Fridge").await,
        make(jeton, &by, "assets", "Pump").await,
        make(jeton, &by, "assets", "Van").await,
    ];
    for item in &items[..2] {
        let grant =
            "UPDATE permission_sets SET permissions = permissions || ' assets.share' WHERE built_in = 'standard'";
        if item.id == items[0].id {
            change(&app, grant);
            app.change_authority(|_| Ok(()));
        }
        share(jeton, &at(&app, &ben).await, item, user(&zoe), "edit").await.unwrap();
    }
    let removed = ann.does("Ben", "removal").await;
    assert_eq!(removed.status, 303, "{}", removed.text());
    assert_eq!((count(&app, "items"), count(&app, "shares")), (3, 2), "everything stays");
    for item in &items[..2] {
        let page = zoe.get(&format!("{}/{}", org!("/items/assets"), item.public_id)).await;
        page.shows("You can edit this.").shows("Nobody");
    }
    // Whoever looks after users sees it, although they do not reach it.
    let page = format!("{}/{}", org!("/items/assets"), items[2].public_id);
    assert_eq!(ann.get(&page).await.status, 404);
    ann.get(&format!("{page}/people")).await.shows("Nobody in your organization reaches it");
}

#[db_test]
async fn an_id_of_another_organization_is_none_in_every_position(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let (by, users, jeton) = (at(&app, &ann).await, manager(&app, &ann, SLUG).await, &*app.jeton);
    let here = site(&ann, "Mopti").await;
    let group = ann.post(org!("/groups"), &[("name", "Logistics")]).await;
    let group = group.header("location").trim_end_matches("?notice=created").rsplit('/').next().unwrap().to_owned();
    let item = make(jeton, &by, "assets", "Fridge").await;
    let template = make(jeton, &by, "templates", "Cold chain").await;
    let shared = share(jeton, &by, &item, everyone(), "view").await.unwrap();
    let ruled =
        access_rules::create(jeton, &users, rule("assets", everyone(), "view"), Source::default()).await.unwrap();
    let before = (count(&app, "shares"), count(&app, "access_rules"), count(&app, "items"));
    // By the addresses of their own organization, and by those of the other one.
    for slug in ["elsewhere", SLUG] {
        let there = |path: &str| format!("/orgs/{slug}{path}");
        let item = there(&format!("/items/assets/{}", item.public_id));
        for path in [
            item.clone(),
            format!("{item}/people"),
            format!("{item}/share"),
            format!("{item}/deletion"),
            format!("{item}/shares/{shared}"),
            format!("{item}/shares/{shared}/end"),
            there(&format!("/access-rules/{ruled}")),
            there(&format!("/access-rules/{ruled}/deletion")),
            there("/access-rules/other-organizations/zzzzzzzzzz/refusal"),
            there(&format!("/groups/{group}")),
            there(&format!("/sites/{here}")),
            there(&format!("/items/assets?site={here}")),
        ] {
            assert_eq!(eve.get(&path).await.status, 404, "GET {path}");
            if !path.contains('?') && !path.ends_with("people") {
                let form = [("share", "yes"), ("save", "yes"), ("level", "manage"), ("version", "1")];
                let status = eve.post(&path, &form).await.status;
                assert!(matches!(status, 404 | 405), "POST {path}: {status}");
            }
        }
    }
    // In the fields of what is their own.
    let theirs = manager(&app, &eve, "elsewhere").await;
    for form in [
        access_rules::RuleForm { site: here.clone(), ..rule("assets", everyone(), "view") },
        access_rules::RuleForm { template: template.public_id.clone(), ..rule("inspections", everyone(), "view") },
        rule("assets", at_site(&here), "view"),
        rule("assets", RecipientForm { kind: "group".into(), id: group.clone(), ..RecipientForm::default() }, "view"),
        rule("invoices", everyone(), "view"),
    ] {
        let made = access_rules::create(jeton, &theirs, form.clone(), Source::default()).await;
        assert!(matches!(made, Err(app::AppError::Invalid(_))), "{form:?}");
    }
    assert_eq!((count(&app, "shares"), count(&app, "access_rules"), count(&app, "items")), before);
}

#[db_test]
async fn totals_and_pages_are_those_of_what_somebody_reaches(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (by, jeton) = (at(&app, &ann).await, &*app.jeton);
    let first = make(jeton, &by, "assets", "Asset").await;
    change(
        &app,
        &format!(
            "INSERT INTO items (public_id, organization_id, kind, name, search, owner_membership_id, version, created_at, \
             modified_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
             SELECT 'i' || (100000000 + i), {0}, 'assets', 'Asset ' || i, 'asset ' || i, 1, 1, i, i FROM n",
            first.organization.0
        ),
    );
    change(
        &app,
        "INSERT INTO item_contents (item_id, description, form, answers) SELECT id, '', '', '{}' FROM items \
         WHERE name LIKE 'Asset %'",
    );
    // Every fiftieth is shared with Ben.
    let member = count_of(&app, "SELECT max(id) AS count FROM memberships");
    change(
        &app,
        &format!(
            "INSERT INTO shares (public_id, item_id, recipient_kind, recipient_id, level, created_at, created_by_name) \
             SELECT 's' || (100000000 + id), id, 'user', {member}, 'view', 0, 'Ann' FROM items WHERE id % 50 = 0"
        ),
    );
    let key_of_ben = ben.makes_token("Report").await;
    let all = count_of(&app, "SELECT count(*) AS count FROM shares");
    assert!((15..25).contains(&all), "{all}");
    let ben_at = at(&app, &ben).await;
    assert_eq!(items::count(jeton, &ben_at, "assets", ListQuery::default()).await.unwrap(), all);
    let feed = app.with_key("GET", "/feed/assets?limit=1", &key_of_ben).await;
    assert_eq!(feed.json()["metadata"]["remaining_records"], all - 1, "{}", feed.body);
    // Full pages until the last one, whatever lies between.
    let (mut from, mut seen) = (PageFrom::Start, Vec::new());
    loop {
        let page = items::list(jeton, &ben_at, "assets", ListQuery::default(), Direction::Descending, from, 10).await;
        let page = page.unwrap();
        seen.push(page.items.len());
        match page.next {
            Some(next) => from = PageFrom::After(next),
            None => break,
        }
    }
    let (last, full) = seen.split_last().unwrap();
    assert!(full.iter().all(|size| *size == 10) && seen.iter().sum::<usize>() == all as usize, "{seen:?} {last}");
}

fn count_of(app: &TestApp, query: &str) -> i64 {
    use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let read = app.db.read::<_, storage::StorageError>(|connection| {
        let rows: Vec<Count> = sql_query(query).load(connection)?;
        Ok(rows.first().map_or(0, |row| row.count))
    });
    read.expect("a number")
}

#[db_test]
async fn a_share_that_ends_while_everything_is_open_is_gone_everywhere(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (by, jeton) = (at(&app, &ann).await, &*app.jeton);
    let mut all = Vec::new();
    for number in 0..30 {
        all.push(make(jeton, &by, "assets", &format!("Asset {number}")).await);
        app.clock.advance(1);
    }
    let mut ended = String::new();
    for item in &all {
        let id = share(jeton, &by, item, user(&ben), "edit").await.unwrap();
        if item.id == all[2].id {
            ended = id;
        }
    }
    let first = ben.get(org!("/items/assets")).await;
    let next = first.first("[rel=next]", |link| Some(link.attr("href")?.to_owned())).expect("another page");
    let page = format!("{}/{}", org!("/items/assets"), all[2].public_id);
    ben.get(&page).await.shows("Asset 2");
    items::end_share(jeton, &by, "assets", key(&all[2]), &ended, Source::default()).await.unwrap();
    let rest = ben.get(&next).await;
    rest.shows("Asset 1").shows("Asset 3");
    assert!(!rest.text().contains("Asset 2 "), "{}", rest.text());
    assert_eq!(ben.get(&page).await.status, 404);
    let changed = ben.post(&format!("{page}/archive"), &[("archived", "yes")]).await;
    assert_eq!(changed.status, 404, "nothing is done");
    assert_eq!(list(jeton, &at(&app, &ben).await, "assets").await.len(), 29);
}

#[db_test]
async fn the_highest_level_counts_and_the_reason_names_what_gives_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (by, jeton) = (at(&app, &ann).await, &*app.jeton);
    let here = site(&ann, "Mopti").await;
    assert_eq!(ann.post(&format!("{}/{here}/members", org!("/sites")), &[("people", "ben")]).await.status, 303);
    let group = ann.post(org!("/groups"), &[("name", "Cold chain")]).await;
    let group = group.header("location").trim_end_matches("?notice=created").to_owned();
    assert_eq!(ann.post(&format!("{group}/members"), &[("people", "ben")]).await.status, 303);
    let team = RecipientForm {
        kind: "group".into(),
        id: group.rsplit('/').next().unwrap().into(),
        ..RecipientForm::default()
    };
    let item = make(jeton, &by, "assets", "Fridge").await;
    for (to, level) in [(everyone(), "view"), (team, "edit"), (at_site(&here), "view")] {
        share(jeton, &by, &item, to, level).await.unwrap();
    }
    let found = items::find(jeton, &at(&app, &ben).await, "assets", key(&item)).await.unwrap();
    assert_eq!((found.level, found.reach.ways().len()), (Level::Edit, 3));
    assert!(matches!(found.reach.ways()[0].recipient, Recipient::Group(_)), "{:?}", found.reach);
    let page = ben.get(&format!("{}/{}", org!("/items/assets"), item.public_id)).await;
    page.shows("You can edit this. It is shared with the group Cold chain, in which you are.");
}
