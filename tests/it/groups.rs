//! Groups on their pages, and the people in them. What holds for the people of groups and of sites alike is tested with
//! groups.

use crate::harness::{Answer, ORG, Person, SLUG, TestApp, TestDb, activity, change, count, db_test, org};
use domain::permission::BuiltInSet::{Administrator, Reader, Standard};
use futures_util::future::join_all;

const GROUPS: &str = org!("/groups");

/// Creates a group and returns its address.
async fn makes_group(person: &Person, name: &str) -> String {
    let answer = person.post(GROUPS, &[("name", name)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").strip_suffix("?notice=created").expect("the new group's page").to_owned()
}

async fn adds(person: &Person, group: &str, people: &str) -> Answer {
    person.post(&format!("{group}/members"), &[("people", people)]).await
}

/// Adds a list and returns what the page says about it.
async fn added(person: &Person, group: &str, people: &str) -> Answer {
    let answer = adds(person, group, people).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    person.get(answer.header("location")).await
}

async fn version(person: &Person, group: &str) -> String {
    person.get(&format!("{group}/name")).await.field("version").expect("a form")
}

/// Chooses the language of the pages.
pub async fn reads(person: &Person, language: &str) {
    let profile = [
        ("name", &*person.name),
        ("email", &person.email),
        ("language", language),
        ("time_zone", "UTC"),
        ("theme", "system"),
    ];
    assert_eq!(person.post("/account/profile", &profile).await.status, 303);
}

/// Adds so many members to the first organization, `p1@example.org` and so on.
pub fn has_crowd(app: &TestApp, people: usize) {
    change(
        app,
        &format!(
            "INSERT INTO users (name, search, email, email_folded, password_hash, time_zone, theme, session_generation,
                is_installation_admin, created_at)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {people})
            SELECT 'Person ' || i, 'person ' || i, 'p' || i || '@example.org', 'p' || i || '@example.org', '', 'UTC',
                'system', 0, FALSE, 0 FROM n"
        ),
    );
    change(
        app,
        "INSERT INTO memberships (user_id, organization_id, permission_set_id, search, is_active, created_at)
        SELECT u.id, 1, s.id, u.search || ' ' || u.email, TRUE, 0 FROM users u, permission_sets s
        WHERE u.name LIKE 'Person %' AND s.organization_id = 1 AND s.built_in = 'reader'",
    );
}

#[db_test]
async fn a_group_is_created_filled_renamed_emptied_and_deleted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Standard).await;
    ann.get(GROUPS).await.shows("No groups yet");
    let group = makes_group(&ann, "  Logistics ").await;
    ann.get(GROUPS).await.shows("Logistics").shows("Nobody yet");
    added(&ann, &group, "ben@example.org, Ann").await.shows("2 people are added.").shows("ben@example.org");
    ann.get(GROUPS).await.shows("2 people");
    let version = version(&ann, &group).await;
    let renamed = ann.post(&format!("{group}/name"), &[("name", "Transport"), ("version", &version)]).await;
    assert_eq!(renamed.status, 303, "{}", renamed.text());
    ann.get(renamed.header("location")).await.shows("Transport").shows("The name is saved.");
    let ben = ann.page_of("Ben").await;
    ann.get(&ben).await.shows("Transport");
    let member = ben.rsplit('/').next().unwrap();
    let removed = ann.post(&format!("{group}/members/{member}/removal"), &[]).await;
    ann.get(removed.header("location")).await.shows("1 person is taken out.");
    ann.get(&ben).await.shows("In no group");
    // Once more, and nothing happens.
    let again = ann.post(&format!("{group}/members/{member}/removal"), &[]).await;
    ann.get(again.header("location")).await.shows("Nothing was changed");
    ann.get(&format!("{group}/emptying")).await.shows("1 person loses at once");
    let emptied = ann.post(&format!("{group}/emptying"), &[]).await;
    ann.get(emptied.header("location")).await.shows("1 person is taken out.").shows("Nobody is here yet");
    let emptied = ann.post(&format!("{group}/emptying"), &[]).await;
    ann.get(emptied.header("location")).await.shows("Nothing was changed");
    ann.get(&format!("{group}/deletion")).await.shows("Nobody is in it");
    assert_eq!(ann.post(&format!("{group}/deletion"), &[]).await.status, 303);
    assert_eq!(ann.post(&format!("{group}/deletion"), &[]).await.status, 404);
    assert_eq!(ann.get(&group).await.status, 404);
    let actions: Vec<String> = activity(&app.db).into_iter().map(|entry| entry.action).collect();
    let of_groups: Vec<&str> =
        actions.iter().map(String::as_str).filter(|action| action.starts_with("group")).collect();
    let expected = ["created", "members_added", "renamed", "member_removed", "member_removed", "deleted"];
    assert_eq!(of_groups, expected.map(|action| format!("group.{action}")));
    let log = ann.get(org!("/activity")).await;
    log.shows("which is now called Transport")
        .shows("added 2 users to the group Logistics")
        .shows("out of the group Transport");
}

#[db_test]
async fn a_list_is_added_as_mail_programs_and_tables_write_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for name in ["Ben", "Leo", "Zoe", "Max"] {
        app.add_user(name, Reader).await;
    }
    let group = makes_group(&ann, "Field").await;
    for (people, words) in [
        ("BEN@example.org", "1 person is added."),
        ("\"Ben, the builder\" <ben@EXAMPLE.org>", "Nothing was changed"),
        ("ben@example.org;leo@example.org,, Leo <leo@example.org>\r\n\r\nzoe@example.org\n", "2 people are added."),
        ("Max\tmax@example.org\t47\r\nAnn", "2 people are added."),
    ] {
        added(&ann, &group, people).await.shows(words);
    }
    assert_eq!(count(&app, "group_members"), 5);
}

#[db_test]
async fn of_a_list_all_are_added_or_none_and_each_wrong_line_is_named(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Reader).await;
    app.add_user("Leo", Reader).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    change(&app, "UPDATE users SET name = 'Ben', search = 'ben' WHERE email = 'leo@example.org'");
    let group = makes_group(&ann, "Field").await;
    let list = format!("ben@example.org\r\nkadiatou@exmaple\r\n{}, x@y@z\r\nBen\r\n<b>nobody</b>", stranger.email);
    let refused = adds(&ann, &group, &list).await;
    assert_eq!(refused.status, 422);
    refused
        .shows("5 entries are wrong, so nobody was added:")
        .shows("Line 2: nobody here has the address or name kadiatou@exmaple.")
        .shows("Line 3: nobody here has the address or name stranger@example.org.")
        .shows("Line 3: x@y@z is not a complete e-mail address.")
        .shows("Line 4: several people here are called Ben.")
        .shows("Line 5: nobody here has the address or name <b>nobody</b>.");
    let kept = refused.first("textarea[name=people]", |field| Some(field.text().collect::<String>())).unwrap();
    assert_eq!(kept.trim_start_matches('\n').replace('\n', "\r\n").replace("\r\r", "\r"), list, "what was typed stays");
    assert_eq!(count(&app, "group_members"), 0);
    for nothing in ["", " \r\n,; "] {
        let refused = adds(&ann, &group, nothing).await;
        assert_eq!(refused.status, 422);
        refused.shows("Enter at least one e-mail address or name.");
    }
    assert!(!activity(&app.db).iter().any(|entry| entry.action.starts_with("group.member")));
}

#[db_test]
async fn ten_thousand_are_added_in_one_step_and_no_more(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_crowd(&app, 10_000);
    let group = makes_group(&ann, "Everybody").await;
    let list: Vec<String> = (1..=10_000).map(|i| format!("\"Person {i}\" <p{i}@example.org>")).collect();
    added(&ann, &group, &list.join("\r\n")).await.shows("10,000 people are added.");
    assert_eq!(count(&app, "group_members"), 10_000);
    let entries = activity(&app.db);
    let entry = entries.last().unwrap();
    assert_eq!((entry.action.as_str(), entry.count), ("group.members_added", 10_000));
    assert_eq!(
        count(&app, "activity WHERE action = 'group.members_added' AND length(detail) < 20"),
        1,
        "it stays short"
    );
    // Every page of the list, each person once.
    let mut page = ann.get(&group).await;
    let mut shown = 0;
    for _ in 0..3 {
        shown += page.body.matches("/removal\"").count();
        let next = page.first("a[rel=next]", |link| link.attr("href").map(str::to_owned)).expect("a next page");
        page = ann.get(&next).await;
    }
    assert_eq!(shown, 150);
    ann.get(&format!("{group}?q=p77@")).await.shows("Person 77").shows("p77@example.org");
    let more = format!("{}, x", list.join(","));
    let refused = adds(&ann, &group, &more).await;
    assert_eq!(refused.status, 422);
    refused.shows("This list has more than 10,000 entries.");
    let emptied = ann.post(&format!("{group}/emptying"), &[]).await;
    ann.get(emptied.header("location")).await.shows("10,000 people are taken out.");
    // A list of somebody who is not signed in is not read.
    let visitor = app.browser("Visitor");
    assert!(adds(&visitor, &group, &list.join("\r\n")).await.header("location").starts_with("/sign-in"));
    // Nor is anything else of this size.
    let long = "x".repeat(100_000);
    assert_eq!(ann.post(GROUPS, &[("name", &long)]).await.status, 413);
}

#[db_test]
async fn the_list_of_groups_is_searched_and_paged(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    change(
        &app,
        "INSERT INTO groups (public_id, organization_id, name, name_folded, search, created_at, version)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
        SELECT 'g' || (100000000 + i), 1, 'Équipe ' || (100 + i), 'équipe ' || (100 + i), 'equipe ' || (100 + i), 0, 1
        FROM n",
    );
    let mut page = ann.get(GROUPS).await;
    let mut pages = vec![page.clone()];
    while let Some(next) = page.first("a[rel=next]", |link| link.attr("href").map(str::to_owned)) {
        page = ann.get(&next).await;
        pages.push(page.clone());
    }
    let shown: usize = pages.iter().map(|page| page.body.matches("class=\"selectable\"").count()).sum();
    assert_eq!((pages.len(), shown), (3, 120));
    let back = pages[1].first("a[rel=prev]", |link| link.attr("href").map(str::to_owned)).unwrap();
    ann.get(&back).await.shows("Équipe 101");
    let found = ann.post(&format!("{GROUPS}/search"), &[("q", "EQUIPE 207")]).await;
    let found = ann.get(found.header("location")).await;
    found.shows("Équipe 207");
    assert_eq!(found.body.matches("class=\"selectable\"").count(), 1);
    ann.get(&format!("{GROUPS}?q=none")).await.shows("No group matches");
    for odd in ["x", "1", ".", "1.%00", "99999999999999999999.a", "0.zzz"] {
        assert_eq!(ann.get(&format!("{GROUPS}?after={odd}")).await.status, 200, "{odd}");
    }
}

#[db_test]
async fn two_groups_never_have_the_same_name(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    makes_group(&ann, "Équipe Straße").await;
    let other = makes_group(&ann, "Other").await;
    for same in ["E\u{301}QUIPE  STRASSE", "équipe straße"] {
        let refused = ann.post(GROUPS, &[("name", same)]).await;
        assert_eq!((refused.status, refused.field("name").as_deref()), (422, Some(same)));
        refused.shows("This name is already taken");
        let version = version(&ann, &other).await;
        let refused = ann.post(&format!("{other}/name"), &[("name", same), ("version", &version)]).await;
        assert_eq!(refused.status, 422);
    }
    assert_eq!(stranger.post("/orgs/elsewhere/groups", &[("name", "Équipe Straße")]).await.status, 303);
    let all = join_all((0..8).map(|_| ann.post(GROUPS, &[("name", "Race")]))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 303).count(), 1);
}

#[db_test]
async fn the_second_of_two_editors_is_told_and_loses_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Administrator).await;
    let group = makes_group(&ann, "Field").await;
    let (first, second) = (version(&ann, &group).await, version(&ben, &group).await);
    let path = format!("{group}/name");
    assert_eq!(ann.post(&path, &[("name", "Field North"), ("version", &first)]).await.status, 303);
    let told = ben.post(&path, &[("name", "Field South"), ("version", &second)]).await;
    assert_eq!((told.status, told.field("name").as_deref()), (422, Some("Field South")));
    told.shows("Somebody else changed this after you opened it").shows("Field North");
    let again = told.field("version").unwrap();
    assert_eq!(ben.post(&path, &[("name", "Field South"), ("version", &again)]).await.status, 303);
    ann.get(&group).await.shows("Field South");
    // Both add the same person at the same time.
    let [one, other] = [adds(&ann, &group, "ben@example.org"), adds(&ben, &group, "ben@example.org")];
    let (one, other) = (one.await, other.await);
    assert_eq!((one.status, other.status), (303, 303));
    assert_eq!(count(&app, "group_members"), 1);
}

#[db_test]
async fn groups_of_another_organization_are_not_found(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Standard).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let group = makes_group(&ann, "Field").await;
    added(&ann, &group, "ben@example.org").await;
    let ben = ann.page_of("Ben").await;
    let ben = ben.rsplit('/').next().unwrap();
    let foreign = group.replace(SLUG, "elsewhere");
    for part in ["", "/name", "/emptying", "/deletion"] {
        assert_eq!(stranger.get(&format!("{foreign}{part}")).await.status, 404, "{part}");
    }
    for part in ["/name", "/emptying", "/deletion", "/members", "/members/search", &format!("/members/{ben}/removal")] {
        let form = [("name", "Mine"), ("version", "1"), ("people", "stranger@example.org")];
        assert_eq!(stranger.post(&format!("{foreign}{part}"), &form).await.status, 404, "{part}");
    }
    // Nor is a member of another organization one of this group.
    let theirs = "SELECT m.id FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.name = 'Stranger'";
    let own = stranger.post("/orgs/elsewhere/groups", &[("name", "Own")]).await;
    let own = own.header("location").trim_end_matches("?notice=created").to_owned();
    assert_eq!(stranger.post(&format!("{own}/members/{ben}/removal"), &[]).await.status, 404);
    assert_eq!(adds(&ann, &group, &stranger.email).await.status, 422);
    assert_eq!(count(&app, &format!("group_members WHERE membership_id IN ({theirs})")), 0);
    assert_eq!(count(&app, "group_members"), 1);
    ann.get(&group).await.shows("Field").shows("Ben");
    for odd in ["x", "0123456789", "zzzzzzzzzz/name", "..%2f", "%00"] {
        let status = ann.get(&format!("{GROUPS}/{odd}")).await.status;
        assert!(matches!(status, 400 | 404), "{odd}: {status}");
    }
}

#[db_test]
async fn whoever_leaves_the_organization_leaves_its_groups_and_sites(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    let group = makes_group(&ann, "Field").await;
    let site = ann.post(org!("/sites"), &[("name", "Mopti")]).await;
    let site = site.header("location").trim_end_matches("?notice=created").to_owned();
    for set in [&group, &site] {
        added(&ann, set, "ben@example.org").await.shows("1 person is added.");
    }
    let page = ann.page_of("Ben").await;
    let known = [("external_id", "E-7"), ("before", "")];
    assert_eq!(ann.post(&format!("{page}/external-id"), &known).await.status, 303);
    // Deactivated, he stays in them, and can be added to others.
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);
    ann.get(&group).await.shows("Ben").shows("Deactivated");
    let second = makes_group(&ann, "Second").await;
    added(&ann, &second, "ben@example.org").await.shows("1 person is added.");
    assert_eq!(ann.does("Ben", "removal").await.status, 303);
    assert_eq!((count(&app, "group_members"), count(&app, "site_members")), (0, 0));
    assert_eq!(count(&app, "memberships WHERE external_id IS NOT NULL"), 0);
    assert_eq!(adds(&ann, &group, "ben@example.org").await.status, 422);
    assert_eq!(adds(&ann, &group, "Ben").await.status, 422);
    // Returned, he is in none.
    let link = ann.invites("ben@example.org", "Reader").await;
    ben.signs_in().await;
    ben.get(&link).await;
    assert_eq!(ben.post(&format!("{link}/acceptance"), &[]).await.status, 303);
    ann.get(&ann.page_of("Ben").await).await.shows("In no group").shows("Assigned to no site");
    added(&ann, &group, "ben@example.org").await.shows("1 person is added.");
}

#[db_test]
async fn a_service_user_is_in_no_group(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_service_token("Warehouse").await;
    let group = makes_group(&ann, "Field").await;
    let token = ann.service_token("Warehouse").await;
    let id = token.rsplit('/').next().unwrap();
    for name in ["Warehouse", id, &format!("service_user:{id}")] {
        assert_eq!(adds(&ann, &group, name).await.status, 422, "{name}");
    }
}

#[db_test]
async fn only_who_manages_groups_sees_them(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Reader).await;
    let group = makes_group(&ann, "Field").await;
    added(&ann, &group, "ben@example.org").await;
    assert_eq!((ben.get(GROUPS).await.status, ben.get(&group).await.status), (403, 403));
    let set = [("name", "Guards"), ("permission", "platform.groups"), ("permission", "platform.users")];
    assert_eq!(ann.post(org!("/permission-sets"), &set).await.status, 303);
    assert_eq!(ann.gives("Ben", "Guards").await.status, 303);
    ben.get(&group).await.shows("Ben").shows("Groups");
    assert_eq!(ben.get(org!("/sites")).await.status, 403);
    // A link to where he may not go would be of no use.
    let page = ben.get(&ben.page_of("Ben").await).await;
    assert!(page.body.contains(&format!("href=\"{group}\"")) && !page.body.contains(org!("/sites")), "{}", page.text());
    // What he loses while the page is open, he can do no more.
    assert_eq!(ann.gives("Ben", "Reader").await.status, 303);
    assert_eq!(adds(&ben, &group, "ann@example.org").await.status, 403);
}

#[db_test]
async fn names_are_text_in_both_languages(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Reader).await;
    let names = ["<script>alert(1)</script>", "\"' onload=x", "مجموعة ١", "{name} & {count}", "=1+1"];
    for name in names {
        let group = makes_group(&ann, name).await;
        for lang in ["en", "fr"] {
            reads(&ann, lang).await;
            for page in ["", "/name", "/deletion", "/emptying"] {
                let shown = ann.get(&format!("{group}{page}")).await;
                assert_eq!(shown.status, 200);
                shown.shows(name);
                assert!(!shown.body.contains("<script>alert") && !shown.body.contains("\"' onload=x"), "{name} {page}");
            }
        }
        added(&ann, &group, "ben@example.org").await;
    }
    ann.get(org!("/activity")).await.shows("au groupe مجموعة ١");
    let french = ann.get(GROUPS).await;
    french.shows("Groupes").shows("1 personne").shows("=1+1");
    ann.get(&format!("{ORG}/users/2")).await.shows("<script>alert(1)</script>");
}
