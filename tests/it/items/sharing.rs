//! Sharing on the page of an item: who reaches it, with whom it is shared, and what that does.

use super::{any_rule, at, everyone, key, make, manager, rule, share, user};
use crate::harness::{Answer, ORG, Person, SLUG, TestApp, TestDb, activity, change, db_test, org};
use app::{access_rules, items, recipients::RecipientForm};
use domain::{activity::Source, item::Item, permission::BuiltInSet};

const ASSETS: &str = org!("/items/assets");

fn page(item: &Item) -> String {
    format!("{ASSETS}/{}", item.public_id)
}

/// The choice of a recipient as the form sends it.
fn choice(kind: &str, id: &str) -> String {
    format!("{kind}/{SLUG}/{id}")
}

async fn shares(person: &Person, item: &Item, with: &str, level: &str) -> Answer {
    let form = [("with", with), ("level", level), ("find", "typed"), ("share", "yes")];
    person.post(&format!("{}/share", page(item)), &form).await
}

/// What the form shows for what is typed and chosen.
async fn asks(person: &Person, item: &Item, form: &[(&str, &str)]) -> Answer {
    let answer = person.post(&format!("{}/share", page(item)), form).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

fn effect(answer: &Answer) -> String {
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    answer.first(".effect", |part| Some(words(part.text().collect::<Vec<_>>().join(" ")))).unwrap_or_default()
}

/// The values of the recipients that can be chosen.
fn choices(answer: &Answer) -> Vec<String> {
    let value = |part: &str| Some(part.split_once("value=\"")?.1.split_once('"')?.0.to_owned());
    answer.body.split("name=\"with\"").skip(1).filter_map(value).collect()
}

async fn group(person: &Person, name: &str, people: &str) -> String {
    let made = person.post(org!("/groups"), &[("name", name)]).await;
    let group = made.header("location").trim_end_matches("?notice=created").to_owned();
    assert_eq!(person.post(&format!("{group}/members"), &[("people", people)]).await.status, 303);
    group.rsplit('/').next().unwrap().to_owned()
}

async fn site(person: &Person, name: &str, parent: &str, people: &str) -> String {
    let made = person.post(org!("/sites"), &[("name", name), ("parent", parent)]).await;
    let site = made.header("location").trim_end_matches("?notice=created").to_owned();
    if !people.is_empty() {
        assert_eq!(person.post(&format!("{site}/members"), &[("people", people)]).await.status, 303);
    }
    site.rsplit('/').next().unwrap().to_owned()
}

#[db_test]
async fn one_field_finds_people_groups_sites_service_users_and_everyone(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("BenMopti", BuiltInSet::Standard).await;
    let item = make(&app.jeton, &at(&app, &ann).await, "assets", "Fridge").await;
    let team = group(&ann, "Mopti team", "ann@example.org").await;
    let here = site(&ann, "Mopti", "", "ann@example.org").await;
    ann.makes_service_token("Loggers of Mopti").await;
    let found = asks(&ann, &item, &[("find", "mopti"), ("level", "view")]).await;
    found
        .shows("BenMopti")
        .shows("Mopti team")
        .shows("group, 1 person")
        .shows("site, 1 person")
        .shows("Loggers of Mopti");
    let values = choices(&found);
    assert!(values.contains(&choice("group", &team)) && values.contains(&choice("site", &here)), "{values:?}");
    assert!(found.first("[name=with][checked]", |_| Some(())).is_none(), "nobody is chosen");
    asks(&ann, &item, &[("find", "everyone")]).await.shows("Everyone in");
    asks(&ann, &item, &[("find", "zzz")]).await.shows("Nobody in your organization is called like this.");
    // Whoever is chosen stays in sight while something else is searched for.
    let kept = asks(&ann, &item, &[("find", "zzz"), ("with", &choice("group", &team)), ("level", "view")]).await;
    assert_eq!(choices(&kept), [choice("group", &team)]);
}

#[db_test]
async fn somebody_shares_changes_and_ends_what_they_have_shared(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let zoe = app.add_user("Zoe", BuiltInSet::Reader).await;
    let item = make(&app.jeton, &at(&app, &ann).await, "assets", "Fridge").await;
    let team = choice("group", &group(&ann, "Cold chain", "ben@example.org, zoe@example.org").await);
    ann.get(&page(&item)).await.shows("Owner").shows("Person by person");
    let asked = asks(&ann, &item, &[("with", &team), ("level", "edit")]).await;
    // Zoe's permissions do not reach as far as the level.
    assert!(effect(&asked).contains("1 more will be able to edit: Ben"), "{}", effect(&asked));
    assert!(
        effect(&asked).contains("Zoe gets the level, too, but has no permission to edit here."),
        "{}",
        effect(&asked)
    );
    let before = activity(&app.db).len();
    let shared = shares(&ann, &item, &team, "edit").await;
    ann.get(shared.header("location")).await.shows("It is shared.").shows("Group Cold chain").shows("Shared by Ann on");
    ben.get(&page(&item)).await.shows("You can edit this.");
    // Twice is once.
    assert_eq!(shares(&ann, &item, &team, "edit").await.status, 303);
    let asked = asks(&ann, &item, &[("find", "cold"), ("with", &team), ("level", "edit")]).await;
    asked.shows("Can edit").shows("Nobody will be able to do more than now").shows("All of them can edit already.");
    let shown = ann.get(&page(&item)).await;
    let link = shown.first(".access-table [data-variant=ghost]", |link| Some(link.attr("href")?.to_owned()));
    let change = link.expect("a share");
    let lower = ann.post(&change, &[("level", "view")]).await;
    assert!(effect(&lower).contains("2 get a lower level: Ben and Zoe"), "{}", effect(&lower));
    assert_eq!(ann.post(&change, &[("level", "view"), ("share", "yes")]).await.status, 303);
    ben.get(&page(&item)).await.shows("You can view this.");
    let end = format!("{change}/end");
    let question = ann.get(&end).await;
    question.shows("End the share with group Cold chain?").shows("It lets them view").shows("2 lose all access.");
    question.shows("Ben and Zoe will not find it any more.");
    let ended = ann.post(&end, &[]).await;
    ann.get(ended.header("location")).await.shows("The share has ended.");
    assert_eq!((ben.get(&page(&item)).await.status, zoe.get(&page(&item)).await.status), (404, 404));
    assert_eq!((ann.post(&end, &[]).await.status, ann.get(&end).await.status), (404, 404), "it has ended already");
    let actions: Vec<String> = activity(&app.db)[before..].iter().map(|entry| entry.action.clone()).collect();
    assert_eq!(actions, ["item.shared", "item.share_changed", "item.share_ended"], "nothing twice");
}

#[db_test]
async fn a_wrong_form_comes_back_with_what_was_typed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let item = make(&app.jeton, &at(&app, &ann).await, "assets", "Fridge").await;
    let team = choice("group", &group(&ann, "Cold chain", "ben@example.org").await);
    let nobody = shares(&ann, &item, "", "edit").await;
    assert_eq!((nobody.status, nobody.field("find").as_deref()), (422, Some("typed")));
    nobody.shows("Choose with whom.");
    assert!(nobody.body.contains("value=\"edit\" checked"), "{}", nobody.body);
    let wrong_level = shares(&ann, &item, &team, "everything").await;
    assert_eq!(wrong_level.status, 422);
    wrong_level.shows("Choose a level that you have yourself");
    assert!(wrong_level.body.contains(&format!("value=\"{team}\" checked")), "{}", wrong_level.body);
    for foreign in ["group//zzzzzzzzzz", "site//zzzzzzzzzz", "user//membership:99999", "user", "everybody//"] {
        assert_eq!(shares(&ann, &item, foreign, "view").await.status, 422, "{foreign}");
    }
    // Not theirs: Ben does not reach it; then he does, and still may not share it.
    for part in ["share", "people"] {
        let status = ben.get(&format!("{}/{part}", page(&item))).await.status;
        assert!(matches!(status, 403 | 404), "{part}: {status}");
    }
    assert!(matches!(shares(&ben, &item, &team, "view").await.status, 403 | 404));
    share(&app.jeton, &at(&app, &ann).await, &item, user(&ben), "manage").await.unwrap();
    assert_eq!(shares(&ben, &item, &team, "view").await.status, 403, "a Standard user may not share");
    let own = ben.get(&page(&item)).await;
    assert!(!own.body.contains("/share\""), "nothing is offered that is refused");
}

#[db_test]
async fn who_may_not_see_others_sees_their_own_line_alone(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let by = at(&app, &ann).await;
    let item = make(&app.jeton, &by, "assets", "Fridge").await;
    share(&app.jeton, &by, &item, user(&ben), "edit").await.unwrap();
    share(&app.jeton, &by, &item, everyone(), "view").await.unwrap();
    let seen = ben.get(&page(&item)).await;
    seen.shows("You can edit this. It is shared with you.");
    assert!(!seen.body.contains("access-table"), "{}", seen.text());
    assert_eq!(ben.get(&format!("{}/people", page(&item))).await.status, 403);
    // Whoever looks after users sees who reaches it, even without reaching it.
    let cleo = app.add_user("Cleo", BuiltInSet::Administrator).await;
    let other = make(&app.jeton, &by, "assets", "Van").await;
    share(&app.jeton, &by, &other, user(&ben), "view").await.unwrap();
    assert_eq!(cleo.get(&page(&other)).await.status, 404);
    let people = cleo.get(&format!("{}/people", page(&other))).await;
    people.shows("Van").shows("Ann").shows("Ben").shows("Shared with them");
    assert!(!people.body.contains(&format!("href=\"{}\"", page(&other))), "it leads to the list instead");
}

#[db_test]
async fn each_person_is_listed_once_with_the_highest_level_and_all_reasons(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    app.add_user("Zoe", BuiltInSet::Standard).await;
    let by = at(&app, &ann).await;
    let item = make(&app.jeton, &by, "assets", "Fridge").await;
    let team = RecipientForm { kind: "group".into(), id: group(&ann, "Cold chain", "ben").await, ..Default::default() };
    share(&app.jeton, &by, &item, team, "edit").await.unwrap();
    share(&app.jeton, &by, &item, user(&ben), "view").await.unwrap();
    ann.makes_service_token("Power BI").await;
    any_rule(&app, &ann, "assets").await;
    let people = ann.get(&format!("{}/people", page(&item))).await;
    people.shows("Shared with group Cold chain; Shared with them (view); Access rule for everyone in");
    people
        .shows("Reader does not allow: Create and edit")
        .shows("Owner; Access rule for everyone in")
        .shows("Power BI");
    assert_eq!(people.body.matches("<bdi>Ben</bdi>").count(), 1);
    let found = ann.get(&format!("{}/people?q=zoe", page(&item))).await;
    assert!(found.text().contains("Zoe") && !found.text().contains("Power BI"), "{}", found.text());
    let searched = ann.post(&format!("{}/people/search", page(&item)), &[("q", "be n")]).await;
    assert_eq!(searched.header("location"), format!("{}/people?q=be+n", page(&item)));
}

#[db_test]
async fn a_share_that_ends_says_who_keeps_what_and_by_what(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", BuiltInSet::Standard).await;
    app.add_user("Zoe", BuiltInSet::Standard).await;
    let by = at(&app, &ann).await;
    let here = site(&ann, "Mopti", "", "ben").await;
    let item = make(&app.jeton, &by, "assets", "Fridge").await;
    let all = group(&ann, "Cold chain", "ann, ben, zoe").await;
    let team = RecipientForm { kind: "group".into(), id: all, ..Default::default() };
    let id = share(&app.jeton, &by, &item, team, "edit").await.unwrap();
    let at_site = RecipientForm { kind: "site".into(), id: here, ..Default::default() };
    let users = manager(&app, &ann, SLUG).await;
    let rule =
        access_rules::create(&app.jeton, &users, rule("assets", at_site, "view"), Source::default()).await.unwrap();
    let question = ann.get(&format!("{}/shares/{id}/end", page(&item))).await;
    let told = effect(&question);
    for sentence in [
        "1 loses all access. 1 keeps a lower level.",
        "Zoe will not find it any more.",
        "Ben can still view, by the access rule for site Mopti.",
        "Ann can still manage, as the owner.",
    ] {
        assert!(told.contains(sentence), "{sentence:?} is not in {told}");
    }
    // What comes from a rule cannot be ended here; it leads to the rule.
    let shown = ann.get(&page(&item)).await;
    shown.shows("From access rules").shows("All assets").shows("Open rule");
    assert!(shown.body.contains(&format!("{ORG}/access-rules/{rule}\"")), "{}", shown.body);
}

#[db_test]
async fn an_address_outside_is_answered_alike_whether_or_not_anybody_has_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let service = "k7m2q9xd4t";
    change(
        &app,
        "INSERT INTO service_users (public_id, organization_id, name, permissions, created_at, created_by, \
         created_by_name, version) SELECT 'k7m2q9xd4t', id, 'Export', '', 0, 1, 'Eve', 1 FROM organizations \
         WHERE slug = 'elsewhere'",
    );
    let item = make(&app.jeton, &at(&app, &ann).await, "assets", "Fridge").await;
    let told = async |typed: &str, chosen: &str| {
        let first = asks(&ann, &item, &[("find", typed), ("level", "view")]).await;
        assert_eq!(choices(&first), [chosen], "{typed}");
        let asked = asks(&ann, &item, &[("find", typed), ("with", chosen), ("level", "view")]).await;
        asked.shows("Others than your own people will be able to view");
        asked.text()
    };
    for (real, invented) in [
        (("eve@example.org", "user//eve@example.org"), ("nob@example.org", "user//nob@example.org")),
        ((service, "service_user//k7m2q9xd4t"), ("a1b2c3d4e5", "service_user//a1b2c3d4e5")),
        (("jeton.example/elsewhere", "organization/elsewhere/"), ("jeton.example/nobodyes", "organization/nobodyes/")),
    ] {
        let (known, unknown) = (told(real.0, real.1).await, told(invented.0, invented.1).await);
        let plain =
            |text: &str, typed: &str| text.replace(typed, "…").replace("elsewhere", "…").replace("nobodyes", "…");
        assert_eq!(plain(&known, real.0), plain(&unknown, invented.0));
    }
    let nobody = shares(&ann, &item, "user//nobody@example.org", "view").await;
    assert_eq!(nobody.status, 422);
    nobody.shows("There is nobody like this.");
    let shared = shares(&ann, &item, "organization/elsewhere/", "view").await;
    ann.get(shared.header("location")).await.shows("Outside").shows("Another organization: everyone there");
    eve.get("/orgs/elsewhere/items/assets").await.shows("Fridge");
    // Own kinds stay inside.
    let kind = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(org!("/kinds"), &kind).await.status, 303);
    let bill = make(&app.jeton, &at(&app, &ann).await, "invoices", "Bill 7").await;
    let share = format!("{ORG}/items/invoices/{}/share", bill.public_id);
    let asked = ann.post(&share, &[("find", "eve@example.org"), ("level", "view")]).await;
    asked.shows("Items of this kind stay in your organization");
    assert_eq!(choices(&asked), [""; 0]);
    let refused = ann.post(&share, &[("with", "user//eve@example.org"), ("level", "view"), ("share", "yes")]).await;
    assert_eq!(refused.status, 422);
}

#[db_test]
async fn two_tabs_do_not_undo_each_other(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let by = at(&app, &ann).await;
    let item = make(&app.jeton, &by, "assets", "Fridge").await;
    let id = share(&app.jeton, &by, &item, user(&ben), "edit").await.unwrap();
    let address = format!("{}/shares/{id}", page(&item));
    // The other tab ends the share while this one still shows its level.
    items::end_share(&app.jeton, &by, "assets", key(&item), &id, Source::default()).await.unwrap();
    assert_eq!(ann.post(&address, &[("level", "manage"), ("share", "yes")]).await.status, 404);
    assert_eq!(ben.get(&page(&item)).await.status, 404, "nothing comes back");
}
