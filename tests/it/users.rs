//! The people of an organization: who may decide about whom, and what stops immediately.

use crate::harness::{PASSWORD, Person, SLUG, TestApp, TestDb, USERS, activity, change, count, db_test, lists, org};
use domain::{
    organization::{MembershipId, OrganizationId, PermissionSetId},
    paging::PageFrom,
    permission::BuiltInSet::{Administrator, Reader, Standard},
};
use futures_util::future::join_all;
use storage::{
    AnyConnection, StorageError,
    memberships::people::{self, Filter},
};

/// Adds a user who manages users and may do nothing else.
async fn user_manager(app: &TestApp, ann: &Person) -> Person {
    change(
        app,
        "INSERT INTO permission_sets (organization_id, name, permissions, version)
            SELECT id, 'People only', 'platform.users templates.view inspections.view assets.view', 1 FROM organizations",
    );
    let mia = app.add_user("Mia", Reader).await;
    assert_eq!(ann.gives("Mia", "People only").await.status, 303);
    mia
}

#[db_test]
async fn deactivating_ends_tokens_and_sessions_and_reactivating_restores_none(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    let key = ben.makes_token("Power BI").await;
    let phone = app.browser("Ben");
    phone.signs_in().await;
    let question = ann.get(&format!("{}/deactivation", ann.page_of("Ben").await)).await;
    question.shows("Their active API token in this organization is refused immediately").shows("all 2 places");

    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);
    assert_eq!(app.me(&key).await.status, 401);
    for browser in [&ben, &phone] {
        assert_eq!(browser.get("/account/tokens").await.status, 303);
    }
    assert_eq!(count(&app, "seats WHERE ended_at IS NULL"), 1);
    assert_eq!(count(&app, "api_tokens WHERE slot IS NOT NULL"), 0, "the place is free");
    // There is nothing for him any more.
    let refused = ben.signs_in().await;
    assert_eq!(refused.status, 422);
    refused.shows("not active in any organization");
    assert_eq!(ann.does("Ben", "deactivation").await.header("location").rsplit('=').next(), Some("unchanged"));

    assert_eq!(ann.does("Ben", "reactivation").await.status, 303);
    assert_eq!(app.me(&key).await.status, 401, "reactivating brings no token back");
    assert_eq!(ben.signs_in().await.status, 303);
    ben.get("/account/tokens").await.shows("because you left the organization or were deactivated");
    assert_eq!(count(&app, "seats WHERE ended_at IS NULL"), 2);
    assert_eq!(count(&app, "seats"), 3, "it is a new seat");
    let again = ben.makes_token("Power BI").await;
    assert_eq!(app.me(&again).await.status, 200);
    let log: Vec<String> = activity(&app.db).into_iter().map(|entry| entry.action).collect();
    for action in ["user.deactivated", "token.revoked", "user.reactivated"] {
        assert_eq!(log.iter().filter(|written| *written == action).count(), 1, "{action}");
    }
}

#[db_test]
async fn a_removed_user_leaves_the_list_and_returns_only_by_an_invitation(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    let key = ben.makes_token("Power BI").await;
    let page = ann.page_of("Ben").await;
    let removed = ann.does("Ben", "removal").await;
    assert_eq!(removed.status, 303);
    ann.get(removed.header("location")).await.shows("Ben is no longer in the organization");
    assert!(!ann.get(USERS).await.body.contains("ben@example.org"));
    assert_eq!(app.me(&key).await.status, 401);
    for path in [&page, &format!("{page}/permission-set"), &format!("{page}/reactivation")] {
        let answer = ann.post(path, &[("permission_set", "1"), ("before", "1")]).await;
        assert!(matches!(answer.status, 404 | 405 | 422), "{path}: {}", answer.status);
    }
    assert_eq!(ann.get(&page).await.status, 404);
    assert_eq!(ann.post(&format!("{page}/removal"), &[]).await.status, 303, "twice is once");

    let link = ann.invites("BEN@example.org", "Reader").await;
    ben.signs_in().await;
    ben.get(&link).await.shows("Join Croix-Bleue Sahel");
    assert_eq!(ben.post(&format!("{link}/acceptance"), &[]).await.status, 303);
    assert_eq!(ann.page_of("Ben").await, page, "it is the same membership");
    ann.get(&page).await.shows("Reader");
    assert_eq!(app.me(&key).await.status, 401);
    assert_eq!(count(&app, "seats WHERE ended_at IS NULL"), 2);
}

#[db_test]
async fn the_last_administrator_cannot_be_removed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Standard).await;
    for what in ["deactivation", "removal"] {
        let refused = ann.does("Ann", what).await;
        assert_eq!(refused.status, 422);
        refused.shows("At least one user must hold every permission");
        ann.get(&format!("{}/{what}", ann.page_of("Ann").await))
            .await
            .shows("At least one user must hold every permission");
    }
    let refused = ann.gives("Ann", "Standard").await;
    assert_eq!(refused.status, 422);
    refused.shows("At least one user must hold every permission");
    // With a second one the first may go.
    assert_eq!(ann.gives("Ben", "Administrator").await.status, 303);
    assert_eq!(ann.does("Ann", "deactivation").await.status, 303);
    assert_eq!(ann.get(USERS).await.status, 303, "Ann is signed out");
}

#[db_test]
async fn of_two_administrators_who_end_each_others_access_one_stays(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for round in 0..4 {
        let ben = app.add_user(&format!("Ben{round}"), Administrator).await;
        let (to_ben, to_ann) = (ann.page_of(&ben.name).await, ben.page_of("Ann").await);
        let what = ["deactivation", "removal"][round % 2];
        let answers =
            join_all([ann.post(&format!("{to_ben}/{what}"), &[]), ben.post(&format!("{to_ann}/{what}"), &[])]).await;
        let done = answers
            .iter()
            .filter(|answer| answer.status == 303 && answer.header("location").contains("/users"))
            .count();
        assert_eq!(done, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert_eq!(
            count(
                &app,
                "memberships m JOIN permission_sets s ON s.id = permission_set_id WHERE is_active AND built_in = 'administrator'"
            ),
            1
        );
        // The next round begins with Ann again.
        change(&app, "UPDATE memberships SET is_active = FALSE, removed_at = 1 WHERE id > 1");
        change(&app, "UPDATE memberships SET is_active = TRUE, removed_at = NULL WHERE id = 1");
        change(&app, "UPDATE seats SET ended_at = 1");
        ann.signs_in().await;
    }
}

#[db_test]
async fn managing_users_does_not_make_an_administrator(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let mia = user_manager(&app, &ann).await;
    app.add_user("Ben", Standard).await;
    for (whom, set) in [("Mia", "Administrator"), ("Mia", "Standard"), ("Ben", "Administrator")] {
        let refused = mia.gives(whom, set).await;
        assert_eq!(refused.status, 422, "{whom} {set}");
        refused.shows("You can only grant permissions that you hold yourself");
    }
    let refused = mia.asks_to_invite("mia2@example.org", "Administrator").await;
    assert_eq!(refused.status, 422);
    // Somebody who may do more is not theirs to lower, to end, or to get a password for.
    assert_eq!(mia.gives("Ann", "Reader").await.status, 422);
    for (whom, what) in [
        ("Ann", "removal"),
        ("Ann", "deactivation"),
        ("Ben", "removal"),
        ("Ann", "password-link"),
        ("Ben", "password-link"),
    ] {
        let refused = mia.does(whom, what).await;
        assert_eq!(refused.status, 422, "{whom} {what}");
        refused.shows("This person holds permissions that you do not hold");
    }
    ann.does("Ben", "deactivation").await;
    assert_eq!(mia.does("Ben", "reactivation").await.status, 422);
    assert_eq!(count(&app, "invitations"), 0);
    // What they hold they may give.
    assert_eq!(mia.asks_to_invite("leo@example.org", "Reader").await.status, 200);
}

#[db_test]
async fn a_new_permission_set_applies_to_tokens_and_a_second_tab_overwrites_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    let key = ben.makes_token_with("script", "read_write").await;
    let tab = ann.copy();
    let page = ann.page_of("Ben").await;
    let old = tab.get(&page).await.field("before").unwrap();
    assert_eq!(ann.gives("Ben", "Reader").await.status, 303);
    let me = app.me(&key).await.json();
    assert_eq!(me["permissions"].as_array().unwrap().len(), 3);
    let administrator = ann.set_number("Administrator").await;
    let stale =
        tab.post(&format!("{page}/permission-set"), &[("permission_set", &administrator), ("before", &old)]).await;
    assert_eq!(stale.status, 422);
    stale.shows("Somebody else changed this");
    assert_eq!(ann.gives("Ben", "Reader").await.header("location").rsplit('=').next(), Some("unchanged"));
    for wrong in ["", "x", "0", "99999", "-1"] {
        let refused = ann.post(&format!("{page}/permission-set"), &[("permission_set", wrong), ("before", &old)]).await;
        assert_eq!(refused.status, 422, "{wrong}");
    }
}

#[db_test]
async fn granting_needs_the_password_and_ending_does_not(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for name in ["Ben", "Leo"] {
        app.add_user(name, Reader).await;
    }
    app.clock.advance(11 * 60);
    assert_eq!(ann.gives("Ben", "Standard").await.status, 422);
    assert_eq!(ann.asks_to_invite("new@example.org", "Reader").await.status, 422);
    assert_eq!(ann.does("Leo", "password-link").await.status, 422);
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);
    let asked = ann.does("Ben", "reactivation").await;
    assert_eq!(asked.status, 422);
    asked.shows("Enter your password");
    assert_eq!(ann.does("Leo", "removal").await.status, 303);
    let page = ann.page_of("Ben").await;
    let wrong = ann.post(&format!("{page}/reactivation"), &[("password", "not this one")]).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(ann.post(&format!("{page}/reactivation"), &[("password", PASSWORD)]).await.status, 303);
}

#[db_test]
async fn an_administrators_link_works_only_for_accounts_of_one_organization(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    let made = ann.does("Ben", "password-link").await;
    assert_eq!(
        (made.status, made.header("cache-control"), made.header("referrer-policy")),
        (200, "no-store", "strict-origin")
    );
    let link = made.link("/password/").unwrap();
    let visitor = app.browser("Visitor");
    let chosen = visitor.post(&link, &[("new_password", "another long enough sentence")]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    assert_eq!(ben.signs_in().await.status, 422);
    assert_eq!(ben.signs_in_with("another long enough sentence").await.status, 303);

    let stranger = app.add_organization("elsewhere", "Stranger").await;
    change(
        &app,
        "INSERT INTO memberships (user_id, organization_id, permission_set_id, is_active, created_at, search)
            SELECT u.id, s.organization_id, s.id, TRUE, 1, 'stranger' FROM users u, permission_sets s
            WHERE u.email = 'stranger@example.org' AND s.organization_id = 1 AND s.built_in = 'reader'",
    );
    let refused = ann.does("Stranger", "password-link").await;
    assert_eq!(refused.status, 422);
    refused.shows("This account gives access to more than this organization");
    // Ann set the installation up.
    assert_eq!(ann.gives("Ben", "Administrator").await.status, 303);
    ben.does("Ann", "password-link").await.shows("This account gives access to more than this organization");
    assert_eq!(stranger.get("/orgs/elsewhere/users").await.status, 200);
}

#[db_test]
async fn an_administrators_link_ends_when_the_account_gives_access_to_more(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Reader).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let visitor = app.browser("Visitor");
    let link = ann.does("Ben", "password-link").await.link("/password/").unwrap();
    assert_eq!(visitor.get(&link).await.status, 200);
    ann.gives("Ben", "Standard").await;
    assert_eq!(visitor.get(&link).await.status, 410, "Ben may do more now");
    let new_set = [("name", "Guards"), ("permission", "assets.view")];
    let made = ann.post(org!("/permission-sets"), &new_set).await;
    let set = made.header("location").trim_end_matches("?notice=created").to_owned();
    assert_eq!(ann.gives("Ben", "Guards").await.status, 303);
    let link = ann.does("Ben", "password-link").await.link("/password/").unwrap();
    let wider = [new_set[0], new_set[1], ("permission", "templates.view"), ("version", "1")];
    let affected = ann.post(&format!("{set}/edit"), &wider).await.field("affected").unwrap();
    assert_eq!(ann.post(&set, &[&wider[..], &[("affected", &affected)]].concat()).await.status, 303);
    assert_eq!(visitor.get(&link).await.status, 410, "Ben's set grants more now");
    let link = ann.does("Ben", "password-link").await.link("/password/").unwrap();
    stranger.get("/orgs/elsewhere/users/invite").await;
    let invite = stranger.get("/orgs/elsewhere/users/invite").await.body;
    let set = invite.split("name=\"permission_set\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("email", "ben@example.org"), ("permission_set", set)];
    let invitation = stranger.post("/orgs/elsewhere/users/invite", &form).await.link("/invitations/").unwrap();
    ben.get(&invitation).await;
    assert_eq!(ben.post(&format!("{invitation}/acceptance"), &[]).await.status, 303);
    assert_eq!(visitor.get(&link).await.status, 410, "Ben belongs elsewhere too now");
}

#[db_test]
async fn users_of_another_organization_are_not_found(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Standard).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let page = ann.page_of("Ben").await;
    ann.invites("leo@example.org", "Reader").await;
    let foreign = page.replace(SLUG, "elsewhere");
    for what in ["", "/deactivation", "/removal", "/reactivation", "/password-link"] {
        assert_eq!(stranger.get(&format!("{foreign}{what}")).await.status, 404, "{what}");
        if !what.is_empty() {
            assert_eq!(stranger.post(&format!("{foreign}{what}"), &[]).await.status, 404, "{what}");
        }
    }
    let set = [("permission_set", "4"), ("before", "5")];
    assert_eq!(stranger.post(&format!("{foreign}/permission-set"), &set).await.status, 404);
    let withdrawal = "/orgs/elsewhere/users/invitations/1/withdrawal";
    assert_eq!(stranger.get(withdrawal).await.status, 404);
    assert_eq!(stranger.post(withdrawal, &[]).await.status, 404);
    // Nor can a permission set of another organization be given or invited with.
    let own = [("email", "new@example.org"), ("permission_set", "1")];
    assert_eq!(stranger.post("/orgs/elsewhere/users/invite", &own).await.status, 422);
    assert!(!stranger.get("/orgs/elsewhere/users").await.body.contains("ben@example.org"));
    for odd in ["x", "-1", "0", "9223372036854775808", "1%20OR%201"] {
        assert_eq!(ann.get(&format!("{USERS}/{odd}")).await.status, 404, "{odd}");
    }
    assert_eq!(count(&app, "invitations"), 1);
}

#[db_test]
async fn a_search_ignores_case_and_accents(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Traoré", Reader).await;
    let odd = app.add_user("Odd", Reader).await;
    let name = "<b>50%_</b>\"'\\ =1+1 Œuvray";
    odd.post(
        "/account/profile",
        &[("name", name), ("email", "odd@example.org"), ("time_zone", "UTC"), ("theme", "system")],
    )
    .await;
    for words in ["traore", "TRAOR%C3%89", "example.org+trao", "++tra++"] {
        let found = ann.get(&format!("{USERS}?q={words}")).await;
        found.shows("Traoré");
        assert!(!found.body.contains("odd@example.org"), "{words}");
    }
    for words in ["50%25_", "oeuvray", "%5C", "%3Cb%3E"] {
        let found = ann.get(&format!("{USERS}?q={words}")).await;
        assert_eq!(found.status, 200);
        found.shows(name);
        assert!(!found.body.contains("Traoré") && !found.body.contains("<b>50"), "{words}");
    }
    for words in ["%25", "_", "%00", "nobody"] {
        let found = ann.get(&format!("{USERS}?q={words}")).await;
        assert_eq!(found.status, 200, "{words}");
        assert!(!found.body.contains("Traoré</a>"), "{words}");
    }
    ann.does("Traoré", "deactivation").await;
    let listed = |body: &str| body.contains("Traoré</a>");
    assert!(listed(&ann.get(&format!("{USERS}?state=deactivated")).await.body));
    assert!(!listed(&ann.get(&format!("{USERS}?state=active")).await.body));
    assert!(!listed(&ann.get(&format!("{USERS}?state=invited")).await.body));
    assert!(listed(&ann.get(&format!("{USERS}?state=nonsense")).await.body));
}

#[db_test]
async fn a_long_list_is_paged_by_name_in_both_directions(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for number in 0..120 {
        change(&app, &format!("INSERT INTO users (name, email, email_folded, password_hash, time_zone, theme, session_generation, is_installation_admin, search, created_at)
                VALUES ('P{number:03}', 'p{number:03}@example.org', 'p{number:03}@example.org', '', 'UTC', 'system', 0, FALSE, 'p{number:03}', 1)"));
    }
    change(
        &app,
        "INSERT INTO memberships (user_id, organization_id, permission_set_id, is_active, created_at, search)
            SELECT id, 1, 1, TRUE, 1, lower(name) || ' ' || email FROM users WHERE name LIKE 'P%' ORDER BY id DESC",
    );
    let expected: Vec<String> = (0..120).map(|number| format!("P{number:03}")).collect();
    let forwards = walk(&ann, USERS, "next").await;
    assert_eq!(forwards.iter().flat_map(|(_, names)| names.clone()).collect::<Vec<_>>(), expected);
    ann.invites("leo@example.org", "Reader").await;
    let backwards = walk(&ann, &forwards.last().unwrap().0, "prev").await;
    assert_eq!(backwards.iter().rev().flat_map(|(_, names)| names.clone()).collect::<Vec<_>>(), expected);
    let first = ann.get(&backwards.last().unwrap().0).await;
    assert_eq!(first.shows("leo@example.org").body, ann.get(USERS).await.body, "the first page, however it is reached");
    for odd in ["after=999999", "before=999999", "before=-1&after=5"] {
        assert_eq!(ann.get(&format!("{USERS}?{odd}")).await.status, 200, "{odd}");
    }
    assert_eq!(ann.get(&format!("{USERS}?q=p1&before=999999&state=invited")).await.status, 200);
}

#[db_test]
async fn every_filter_of_the_list_reads_one_index_in_its_order(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now().seconds();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 10_000, now)).unwrap();
    let here = OrganizationId(1);
    let plans = |work: &dyn Fn(&mut AnyConnection) -> Result<(), StorageError>| {
        app.db.read::<_, StorageError>(|connection| lists::plans(connection, work)).expect("plans").join("\n")
    };
    let someone = MembershipId(5_000);
    let set = Some(PermissionSetId(1));
    for (is_active, set, index) in [
        (None, None, "memberships_people"),
        (Some(true), None, "memberships_people"),
        (Some(false), None, "memberships_people_by_state"),
        (None, set, "memberships_people"),
        (Some(false), set, "memberships_people_by_"),
    ] {
        for from in [PageFrom::Start, PageFrom::After(someone), PageFrom::Before(someone)] {
            let filter = Filter { is_active, set, ..Filter::default() };
            let plan = plans(&|connection| people::list(connection, here, &filter, from, 51).map(drop));
            assert!(plan.contains(index) && !plan.contains("Seq Scan on memberships"), "{filter:?}: {plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
        }
    }
    for (typed, sqlite, postgres) in [
        ("Person 77", "users_search", "users_search"),
        ("person-77@example.com", "sqlite_autoindex_users_1", "users_email_folded_key"),
    ] {
        let plan = plans(&|connection| storage::people::named(connection, here, typed, 20).map(drop));
        assert!(plan.contains(sqlite) || plan.contains(postgres), "{plan}");
    }
}

/// Returns the pages from this one on in a direction: the address, and the names of four letters that begin with P.
async fn walk(person: &Person, from: &str, direction: &str) -> Vec<(String, Vec<String>)> {
    let (mut pages, mut next) = (Vec::new(), Some(from.to_owned()));
    while let Some(path) = next {
        let body = person.get(&path).await.body;
        let names = body.split("</a>").filter_map(|part| part.rsplit_once('>').map(|(_, name)| name.to_owned()));
        let names = names.filter(|name| name.len() == 4 && name.starts_with('P')).collect();
        let link = body.split_once(&format!("rel=\"{direction}\" href=\"")).and_then(|(_, rest)| rest.split_once('"'));
        next = link.map(|(href, _)| href.replace("&#38;", "&").replace("&amp;", "&"));
        assert!(pages.len() < 20, "no end");
        pages.push((path, names));
    }
    pages
}
