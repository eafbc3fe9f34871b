//! Sites on their pages: what is in what, and who is counted where.

use crate::{
    groups::reads,
    harness::{Answer, Person, SLUG, TestApp, TestDb, activity, change, count, db_test, org},
};
use domain::permission::BuiltInSet::{Administrator, Reader};
use futures_util::future::join_all;

const SITES: &str = org!("/sites");

/// Returns the last part of an address.
fn id(page: &str) -> &str {
    page.rsplit('/').next().unwrap()
}

async fn asks_for_site(person: &Person, name: &str, parent: &str) -> Answer {
    person.post(SITES, &[("name", name), ("parent", parent)]).await
}

/// Creates a site in another one, or in none, and returns its address.
async fn makes_site(person: &Person, name: &str, parent: &str) -> String {
    let answer = asks_for_site(person, name, parent).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").strip_suffix("?notice=created").expect("the new site's page").to_owned()
}

/// Creates sites, each in the one before, and returns their addresses.
async fn makes_chain(person: &Person, names: &[&str]) -> Vec<String> {
    let mut pages: Vec<String> = Vec::new();
    for name in names {
        let parent = pages.last().map_or(String::new(), |page| id(page).to_owned());
        pages.push(makes_site(person, name, &parent).await);
    }
    pages
}

async fn version(person: &Person, site: &str) -> String {
    person.get(&format!("{site}/name")).await.field("version").expect("a form")
}

async fn moves(person: &Person, site: &str, parent: &str) -> Answer {
    let version = version(person, site).await;
    person.post(&format!("{site}/place"), &[("parent", parent), ("version", &version)]).await
}

async fn assigns(person: &Person, site: &str, people: &str) {
    assert_eq!(person.post(&format!("{site}/members"), &[("people", people)]).await.status, 303);
}

/// Fails unless the ways from each site up, as stored, are those that the parents say.
fn ways_are_right(app: &TestApp) {
    let by_parents = "WITH RECURSIVE way (site_id, ancestor_id) AS (SELECT id, id FROM sites UNION ALL
        SELECT way.site_id, parent_id FROM way JOIN sites ON id = ancestor_id WHERE parent_id IS NOT NULL)
        SELECT site_id, ancestor_id FROM way";
    let stored = "SELECT site_id, ancestor_id FROM site_ancestors";
    assert_eq!(count(app, &format!("({by_parents} EXCEPT {stored}) AS missing")), 0);
    assert_eq!(count(app, &format!("({stored} EXCEPT SELECT * FROM ({by_parents}) AS way) AS extra")), 0);
    let wrong = "sites WHERE level <> (SELECT count(*) FROM site_ancestors WHERE site_id = id)";
    assert_eq!(count(app, wrong), 0, "levels");
}

#[db_test]
async fn people_count_here_and_in_all_each_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.get(SITES).await.shows("No sites yet");
    for name in ["Ben", "Leo", "Zoe"] {
        app.add_user(name, Reader).await;
    }
    let chain = makes_chain(&ann, &["Mali", "Mopti", "Post"]).await;
    let depot = makes_site(&ann, "Depot", id(&chain[1])).await;
    assigns(&ann, &chain[0], "ann@example.org").await;
    assigns(&ann, &chain[2], "ben@example.org, leo@example.org").await;
    assigns(&ann, &depot, "ben@example.org, zoe@example.org").await;
    let list = ann.get(SITES).await;
    list.shows("4 sites")
        .shows("Mali 1 here, 4 in all")
        .shows("Mopti 0 here, 3 in all")
        .shows("Depot 2 here, 2 in all")
        .shows("Post 2 here, 2 in all");
    // Two levels are open; the third is in them.
    assert_eq!((list.body.matches("<details open>").count(), list.body.matches("<details>").count()), (1, 1));
    ann.get(&chain[1]).await.shows("Mali").shows("0 here, 3 in all").shows("Depot").shows("Post");
    ann.get(&ann.page_of("Ben").await).await.shows("Depot").shows("Post");
    ways_are_right(&app);
}

#[db_test]
async fn a_search_opens_the_way_to_what_it_finds(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    makes_chain(&ann, &["Mali", "Mopti", "Cercle", "Health post"]).await;
    makes_chain(&ann, &["Sénégal", "Dakar"]).await;
    let led = ann.post(&format!("{SITES}/search"), &[("q", "POST health")]).await;
    let found = ann.get(led.header("location")).await;
    found.shows("1 site found").shows("Mali").shows("Health post");
    assert!(!found.text().contains("Dakar"));
    assert_eq!((found.body.matches("<details open>").count(), found.body.matches("<details>").count()), (3, 0));
    assert_eq!(found.body.matches("class=\"found\"").count(), 1);
    ann.get(&format!("{SITES}?q=senegal")).await.shows("Sénégal");
    ann.get(&format!("{SITES}?q=none")).await.shows("No site matches");
    ann.get(&format!("{SITES}?q=%00")).await.shows("No site matches");
}

#[db_test]
async fn eight_levels_are_the_most_also_for_what_moves(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let chain = makes_chain(&ann, &["1", "2", "3", "4", "5", "6", "7", "8"]).await;
    let ninth = asks_for_site(&ann, "9", id(&chain[7])).await;
    assert_eq!((ninth.status, ninth.field("name").as_deref()), (422, Some("9")));
    ninth.shows("Sites can be 8 levels deep at most");
    // Two levels move below the seventh: one too many; below the sixth: just right.
    let small = makes_chain(&ann, &["a", "b"]).await;
    let refused = moves(&ann, &small[0], id(&chain[6])).await;
    assert_eq!(refused.status, 422);
    refused.shows("Sites can be 8 levels deep at most");
    assert_eq!(moves(&ann, &small[0], id(&chain[5])).await.status, 303);
    ways_are_right(&app);
    ann.get(&small[1]).await.shows("1").shows("6").shows("a");
    // And back to the top.
    assert_eq!(moves(&ann, &small[0], "").await.status, 303);
    ways_are_right(&app);
    // The middle of the chain goes into the small one, with all below it.
    assert_eq!(moves(&ann, &chain[2], id(&small[1])).await.status, 303);
    ways_are_right(&app);
    assert_eq!(count(&app, "sites WHERE level = 8"), 1);
}

#[db_test]
async fn a_site_is_never_in_itself(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let chain = makes_chain(&ann, &["Mali", "Mopti", "Post"]).await;
    let form = ann.get(&format!("{}/place", chain[1])).await;
    form.shows("Mali");
    assert!(!form.body.contains(&format!("value=\"{}\"", id(&chain[2]))), "it is not even offered");
    for place in &chain[1..] {
        let refused = moves(&ann, &chain[1], id(place)).await;
        assert_eq!(refused.status, 422);
        refused.shows("A site cannot be inside itself or below itself.");
    }
    ways_are_right(&app);
    // Two administrators at once cannot make a ring either.
    let ben = app.add_user("Ben", Administrator).await;
    let (one, other) = (makes_site(&ann, "One", "").await, makes_site(&ann, "Other", "").await);
    let (a, b) = futures_util::future::join(moves(&ann, &one, id(&other)), moves(&ben, &other, id(&one))).await;
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    ways_are_right(&app);
}

#[db_test]
async fn a_site_with_others_in_it_is_not_deleted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let chain = makes_chain(&ann, &["Mali", "Mopti"]).await;
    assigns(&ann, &chain[1], "ann@example.org").await;
    ann.get(&format!("{}/deletion", chain[0])).await.shows("There are sites in this site.");
    assert_eq!(ann.post(&format!("{}/deletion", chain[0]), &[]).await.status, 422);
    ann.get(&format!("{}/deletion", chain[1])).await.shows("1 person is assigned to it");
    for site in chain.iter().rev() {
        assert_eq!(ann.post(&format!("{site}/deletion"), &[]).await.status, 303);
        assert_eq!(ann.post(&format!("{site}/deletion"), &[]).await.status, 404);
    }
    assert_eq!((count(&app, "site_ancestors"), count(&app, "site_members")), (0, 0));
    let actions: Vec<String> = activity(&app.db).into_iter().map(|entry| entry.action).collect();
    let expected = ["site.created", "site.created", "site.member_added", "site.deleted", "site.deleted"];
    let of_sites: Vec<&str> = actions.iter().map(String::as_str).filter(|action| action.starts_with("site.")).collect();
    assert_eq!(of_sites, expected);
}

#[db_test]
async fn names_are_unique_in_one_place_only(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (mali, niger) = (makes_site(&ann, "Mali", "").await, makes_site(&ann, "Niger", "").await);
    let depot = makes_site(&ann, "Dépôt", id(&mali)).await;
    makes_site(&ann, "Dépôt", id(&niger)).await;
    for (name, parent) in [("MALI", ""), ("DE\u{301}PO\u{302}T", id(&mali))] {
        let refused = asks_for_site(&ann, name, parent).await;
        assert_eq!(refused.status, 422);
        refused.shows("This name is already taken");
    }
    let refused = moves(&ann, &depot, id(&niger)).await;
    assert_eq!(refused.status, 422);
    refused.shows("This name is already taken");
    let all = join_all((0..8).map(|_| asks_for_site(&ann, "Race", id(&mali)))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 303).count(), 1);
    ways_are_right(&app);
}

#[db_test]
async fn sites_of_another_organization_are_not_found_in_any_position(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let site = makes_site(&ann, "Mopti", "").await;
    let foreign = site.replace(SLUG, "elsewhere");
    for part in ["", "/name", "/place", "/emptying", "/deletion"] {
        assert_eq!(stranger.get(&format!("{foreign}{part}")).await.status, 404, "{part}");
    }
    let form = [("name", "Mine"), ("parent", ""), ("version", "1"), ("people", "stranger@example.org")];
    for part in ["/name", "/place", "/emptying", "/deletion", "/members", "/members/search", "/members/1/removal"] {
        assert_eq!(stranger.post(&format!("{foreign}{part}"), &form).await.status, 404, "{part}");
    }
    let theirs = "/orgs/elsewhere/sites";
    assert_eq!(stranger.get(&format!("{theirs}/new?parent={}", id(&site))).await.status, 404);
    let below = [("name", "Below"), ("parent", id(&site))];
    assert_eq!(stranger.post(theirs, &below).await.status, 404);
    let own = stranger.post(theirs, &[("name", "Own")]).await;
    let own = own.header("location").trim_end_matches("?notice=created").to_owned();
    let place = [("parent", id(&site)), ("version", "1")];
    assert_eq!(stranger.post(&format!("{own}/place"), &place).await.status, 404);
    for odd in ["x", "0123456789", "%00"] {
        assert_eq!(ann.post(SITES, &[("name", "Odd"), ("parent", odd)]).await.status, 404, "{odd}");
    }
    assert_eq!(count(&app, "sites"), 2);
    ways_are_right(&app);
}

#[db_test]
async fn the_second_of_two_editors_is_told_and_loses_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Administrator).await;
    let (mali, site) = (makes_site(&ann, "Mali", "").await, makes_site(&ann, "Mopti", "").await);
    let seen = version(&ben, &site).await;
    assert_eq!(moves(&ann, &site, id(&mali)).await.status, 303);
    let told = ben.post(&format!("{site}/name"), &[("name", "Mopti post"), ("version", &seen)]).await;
    assert_eq!((told.status, told.field("name").as_deref()), (422, Some("Mopti post")));
    told.shows("Somebody else changed this after you opened it").shows("Mali");
    let again = told.field("version").unwrap();
    assert_eq!(ben.post(&format!("{site}/name"), &[("name", "Mopti post"), ("version", &again)]).await.status, 303);
    ann.get(&site).await.shows("Mopti post").shows("Mali");
}

#[db_test]
async fn a_page_of_five_hundred_sites_takes_few_queries_and_shows_all(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    // Ten areas, each with seven regions, each with six sites.
    change(
        &app,
        "INSERT INTO sites (public_id, organization_id, parent_id, level, name, name_folded, search, created_at, version)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        SELECT 's' || (100000000 + i), 1, CASE WHEN i > 80 THEN (i - 81) / 6 + 11 WHEN i > 10 THEN (i - 11) / 7 + 1 END,
            CASE WHEN i > 80 THEN 3 WHEN i > 10 THEN 2 ELSE 1 END, 'Site ' || i, 'site ' || i, 'site ' || i, 0, 1 FROM n",
    );
    change(
        &app,
        "INSERT INTO site_ancestors WITH RECURSIVE way (site_id, ancestor_id) AS (SELECT id, id FROM sites UNION ALL
        SELECT way.site_id, parent_id FROM way JOIN sites ON id = ancestor_id WHERE parent_id IS NOT NULL)
        SELECT site_id, ancestor_id FROM way",
    );
    crate::groups::has_crowd(&app, 2_000);
    change(&app, "INSERT INTO site_members SELECT 81 + (id % 420), id, 0 FROM memberships WHERE search LIKE 'person%'");
    ways_are_right(&app);
    let list = ann.get(SITES).await;
    assert_eq!(list.body.matches("class=\"tree-row\"").count(), 500);
    list.shows("500 sites");
    let totals: i64 = (1..=10)
        .map(|i| {
            let row = list.text();
            let row = row.split(&format!(" Site {i} 0 here, ")).nth(1).unwrap().to_owned();
            row.split(' ').next().unwrap().parse::<i64>().unwrap()
        })
        .sum();
    assert_eq!(totals, 2_000);
}

#[db_test]
async fn names_are_text_in_both_languages(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    for name in ["<script>alert(1)</script>", "موقع ١", "{name}"] {
        let site = makes_site(&ann, name, "").await;
        makes_site(&ann, "Below", id(&site)).await;
        for lang in ["en", "fr"] {
            reads(&ann, lang).await;
            for page in ["", "/name", "/place", "/deletion", "/emptying"] {
                let shown = ann.get(&format!("{site}{page}")).await;
                assert_eq!(shown.status, 200, "{page}");
                assert!(shown.text().contains(name) && !shown.body.contains("<script>alert"), "{name} {page}");
            }
        }
    }
    let list = ann.get(SITES).await;
    list.shows("6 sites").shows("موقع ١").shows("ici,");
    assert!(!list.body.contains("<script>alert"));
}
