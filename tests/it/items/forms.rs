//! Making and changing items in a browser: what somebody typed is never lost, and nothing is made twice.

use super::{at, make, rename, share, user};
use crate::harness::{Answer, ORG, Person, TestApp, TestDb, activity, db_test, org};
use app::items::{self, Direction, ListQuery};
use domain::{item::Item, paging::PageFrom, permission::BuiltInSet};

const ASSETS: &str = org!("/items/assets");

/// Sends the form of this page, as it is shown there but for these fields.
pub async fn sends(person: &Person, page: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = person.get(page).await;
    assert_eq!(shown.status, 200, "{page}: {}", shown.text());
    let names = ["nonce", "version", "name", "description", "site", "external_id"];
    let kept = names.iter().filter(|name| fields.iter().all(|(given, _)| given != *name));
    let kept: Vec<(&str, String)> = kept.filter_map(|name| Some((*name, shown.field(name)?))).collect();
    let kept = kept.iter().map(|(name, value)| (*name, value.as_str()));
    person.post(page, &kept.chain(fields.iter().copied()).collect::<Vec<_>>()).await
}

async fn all(app: &TestApp, person: &Person, kind: &str) -> Vec<Item> {
    let by = at(app, person).await;
    let (query, order) = (ListQuery::default(), Direction::Ascending);
    let page = items::list(&app.jeton, &by, kind, query, order, PageFrom::Start, 50).await.expect("a list");
    page.items.into_iter().map(|(item, _)| item).collect()
}

/// Gives a kind these fields: label and type.
pub async fn has_fields(ann: &Person, kind: &str, fields: &[(&str, &str)]) {
    let saved = sends(ann, &format!("{ORG}/kinds/{kind}/fields"), &typed(fields)).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
}

/// The fields of the editor with these labels and types, as a browser sends them; choices are behind the type.
pub fn typed<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    let one = |(label, of): &(&'a str, &'a str)| {
        let (of, choices) = of.split_once('\n').unwrap_or((of, ""));
        [
            ("field[]", ""),
            ("label[]", *label),
            ("type[]", of),
            ("choices[]", choices),
            ("help[]", ""),
            ("of[]", "assets"),
        ]
    };
    fields.iter().flat_map(one).collect()
}

#[db_test]
async fn an_item_is_made_and_changed_by_those_who_may(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ben, rita) = (app.add_user("Ben", BuiltInSet::Standard).await, app.add_user("Rita", BuiltInSet::Reader).await);
    ann.get(ASSETS).await.shows("New asset");
    assert!(!rita.get(ASSETS).await.text().contains("New asset"));
    assert_eq!(rita.get(org!("/items/assets/new")).await.status, 403);
    assert_eq!(ann.get(org!("/items/inspections/new")).await.status, 404, "they start from a template");
    let site = ann.post(org!("/sites"), &[("name", "Mopti")]).await;
    let site = site.header("location").rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    has_fields(&ann, "assets", &[("Serial number", "text"), ("Bought on", "date"), ("In use?", "yes_no")]).await;

    let empty = sends(&ben, org!("/items/assets/new"), &[("answer-bought_on", "tomorrow")]).await;
    assert_eq!(empty.status, 422);
    empty.shows("Enter a name.").shows("Bought on – Enter a day such as 2026-11-21");
    assert_eq!(empty.field("answer-bought_on").as_deref(), Some("tomorrow"), "what was typed stays");
    let fields = [
        ("name", "Fridge <02>"),
        ("description", "In the store\nbehind the door"),
        ("site", &*site),
        ("external_id", "INV/7"),
        ("answer-serial_number", "A-77"),
        ("answer-in_use", "yes"),
    ];
    let made = sends(&ben, org!("/items/assets/new"), &fields).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let page = made.header("location").split('?').next().unwrap().to_owned();
    ben.get(made.header("location")).await.shows("It is created.").shows("Fridge <02>").shows("Mopti").shows("A-77");

    let edit = format!("{page}/edit");
    assert_eq!((ann.get(&edit).await.status, rita.get(&edit).await.status), (404, 404), "Ben's alone");
    let form = ben.get(&edit).await;
    assert_eq!(form.field("external_id").as_deref(), Some("INV/7"));
    let changed = sends(&ben, &edit, &[("name", "Fridge 3"), ("answer-serial_number", "B")]).await;
    ben.get(changed.header("location")).await.shows("The changes are saved.").shows("Fridge 3").shows("No answer");
    let actions: Vec<String> = activity(&app.db).iter().rev().take(2).map(|entry| entry.action.clone()).collect();
    assert_eq!(actions, ["item.changed", "item.created"]);
}

#[db_test]
async fn a_form_that_is_sent_twice_makes_one_item(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    for (kind, questions) in [("assets", vec![]), ("templates", typed(&[("Temperature", "number")]))] {
        let new = format!("{ORG}/items/{kind}/new");
        let nonce = ann.get(&new).await.field("nonce").expect("a nonce");
        let fields =
            |name| [&[("nonce", nonce.as_str()), ("name", name), ("external_id", "")], &questions[..]].concat();
        let (first, second) = (ann.post(&new, &fields("Van")).await, ann.post(&new, &fields("Van")).await);
        assert_eq!(first.header("location"), second.header("location"));
        assert_eq!((second.status, all(&app, &ann, kind).await.len()), (303, 1));
        // Whoever goes back and types something else is told, and it is still there.
        let other = ann.post(&new, &fields("Bus")).await;
        assert_eq!((other.status, all(&app, &ann, kind).await.len()), (422, 1));
        other.shows("This form was already sent");
        assert_eq!(other.field("name").as_deref(), Some("Bus"));
        let nonce = other.field("nonce").expect("another nonce");
        let again = [&[("nonce", nonce.as_str()), ("name", "Bus")], &questions[..]].concat();
        assert_eq!((ann.post(&new, &again).await.status, all(&app, &ann, kind).await.len()), (303, 2));
        // The nonce of somebody else names nothing of theirs.
        assert_eq!(ben.post(&new, &fields("Van")).await.status, 303);
        assert_eq!(all(&app, &ben, kind).await.len(), 1);
    }
}

#[db_test]
async fn who_changes_what_somebody_else_has_changed_sees_both_and_loses_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_fields(&ann, "assets", &[("Colour", "text"), ("Doors", "number")]).await;
    let by = at(&app, &ann).await;
    let van = make_answered(&ann).await;
    let edit = format!("{ASSETS}/{van}/edit");
    let version = ann.get(&edit).await.field("version").unwrap();
    let item = all(&app, &ann, "assets").await.remove(0);
    rename(&app.jeton, &by, &item, "Their van").await.unwrap();
    let fields = [("version", &*version), ("name", "My van"), ("answer-colour", "blue"), ("answer-doors", "3,5")];
    let stale = ann.post(&edit, &fields).await;
    assert_eq!(stale.status, 422);
    stale.shows("Somebody else changed this").shows("Their van").shows("red");
    assert_eq!(stale.first("#now ~ dl", |now| Some(now.text().filter(|text| *text == "Name").count())), Some(1));
    assert_eq!(stale.field("name").as_deref(), Some("My van"));
    assert_eq!(stale.field("answer-doors").as_deref(), Some("3,5"));
    assert_eq!(all(&app, &ann, "assets").await[0].name, "Their van");
    let version = stale.field("version").unwrap();
    let fields = [("version", &*version), ("name", "My van"), ("answer-colour", "blue"), ("answer-doors", "3,5")];
    assert_eq!(ann.post(&edit, &fields).await.status, 303);
    let after = ann.post(&edit, &fields).await;
    assert_eq!(after.status, 303, "the same once more is already so: {}", after.text());
    assert_eq!(all(&app, &ann, "assets").await[0].version, 3);
    ann.get(&format!("{ASSETS}/{van}")).await.shows("My van").shows("blue").shows("3.5");
}

/// Makes a red van, and returns its public id.
async fn make_answered(ann: &Person) -> String {
    let fields = [("name", "Van"), ("answer-colour", "red"), ("answer-doors", "5")];
    let made = sends(ann, org!("/items/assets/new"), &fields).await;
    assert_eq!(made.status, 303, "{}", made.text());
    made.header("location").rsplit('/').next().unwrap().split('?').next().unwrap().to_owned()
}

#[db_test]
async fn what_was_typed_stays_when_a_share_ends_meanwhile(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    has_fields(&ann, "assets", &[("Colour <1>", "text")]).await;
    let by = at(&app, &ann).await;
    let id = make_answered_once(&ann).await;
    let item = all(&app, &ann, "assets").await.remove(0);
    let edit = format!("{ASSETS}/{id}/edit");
    let shared = share(&app.jeton, &by, &item, user(&ben), "edit").await.unwrap();
    let form = ben.get(&edit).await;
    let label = form.field("label-answer-colour_1").expect("its label");
    let version = form.field("version").unwrap();
    let fields = [
        ("version", &*version),
        ("name", "My words"),
        ("label-answer-colour_1", &*label),
        ("answer-colour_1", "very blue"),
    ];
    share(&app.jeton, &by, &item, user(&ben), "view").await.unwrap();
    let refused = ben.post(&edit, &fields).await;
    assert_eq!(refused.status, 403);
    refused.shows("This could not be saved").shows("My words").shows("Colour <1>").shows("very blue");
    items::end_share(&app.jeton, &by, "assets", item.public_id.as_str().into(), &shared, Default::default())
        .await
        .unwrap();
    let gone = ben.post(&edit, &fields).await;
    let never = ben.post(&format!("{ASSETS}/0123456789/edit"), &fields).await;
    assert_eq!((gone.status, never.status), (404, 404));
    assert_eq!(gone.text(), never.text(), "as for one that never was");
    gone.shows("very blue");
    assert_eq!(all(&app, &ann, "assets").await[0].name, "Van");
}

async fn make_answered_once(ann: &Person) -> String {
    let made = sends(ann, org!("/items/assets/new"), &[("name", "Van"), ("answer-colour_1", "red")]).await;
    made.header("location").rsplit('/').next().unwrap().split('?').next().unwrap().to_owned()
}

#[db_test]
async fn a_long_list_of_items_to_choose_from_is_searched(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let by = at(&app, &ann).await;
    let first = make(&app.jeton, &by, "templates", "The very first").await;
    for number in 0..100 {
        make(&app.jeton, &by, "templates", &format!("Template {number}")).await;
        app.clock.advance(1);
    }
    let field = [("field[]", ""), ("label[]", "Which?"), ("type[]", "item"), ("of[]", "templates")];
    assert_eq!(sends(&ann, org!("/kinds/assets/fields"), &field).await.status, 303);
    let new = ann.get(org!("/items/assets/new")).await;
    new.shows("Template 99");
    assert!(!new.body.contains("The very first"));
    let fields = [("name", "Typed"), ("step", "find"), ("find-answer-which", "very FIRST")];
    let found = sends(&ann, org!("/items/assets/new"), &fields).await;
    assert_eq!((found.status, found.field("name").as_deref()), (200, Some("Typed")));
    found.shows("The very first");
    assert!(!found.body.contains("Template 99"));
    let made = sends(&ann, org!("/items/assets/new"), &[("name", "A"), ("answer-which", &*first.public_id)]).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let edit = made.header("location").replace("?notice=created", "/edit");
    ann.get(&edit).await.shows("The very first");
}

#[db_test]
async fn whoever_manages_an_item_gives_it_to_another_owner(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let by = at(&app, &ann).await;
    let van = make(&app.jeton, &by, "assets", "Van").await;
    let page = format!("{ASSETS}/{}", van.public_id);
    let owner = format!("{page}/owner");
    share(&app.jeton, &by, &van, user(&ben), "edit").await.unwrap();
    assert_eq!((ben.get(&owner).await.status, ben.post(&owner, &[("recipient", &ben.email)]).await.status), (403, 403));
    let nobody = ann.post(&owner, &[("recipient", "nobody@example.org")]).await;
    assert_eq!(nobody.status, 422);
    nobody.shows("There is nobody like this.");
    let eve = app.add_organization("elsewhere", "Eve").await;
    assert_eq!(ann.post(&owner, &[("recipient", &eve.email)]).await.status, 422, "it stays in its organization");
    let before = activity(&app.db).len();
    assert_eq!(ann.post(&owner, &[("recipient", &ann.email)]).await.status, 303);
    assert_eq!(activity(&app.db).len(), before, "it is Ann's already");
    let given = ann.post(&owner, &[("recipient", &ben.email)]).await;
    ann.get(given.header("location")).await.shows("It has another owner now.").shows("Nothing here yet");
    assert_eq!(activity(&app.db).last().unwrap().action, "item.given");
    ben.get(&page).await.shows("You own it.");
    assert_eq!(ann.post(&owner, &[("recipient", &ben.email)]).await.status, 404, "she does not reach it any more");
}
