//! The pages of items: lists, the page of each, and what is done there.

use super::{at, make, share, user};
use crate::harness::{ORG, Person, TestApp, TestDb, activity, db_test, org};
use domain::permission::BuiltInSet;

const ASSETS: &str = org!("/items/assets");

async fn sends(person: &Person, path: &str, fields: &[(&str, &str)]) -> u16 {
    person.post(path, fields).await.status
}

#[db_test]
async fn a_list_shows_what_somebody_reaches_and_their_level(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    ann.get(ASSETS).await.shows("Nothing here yet");
    let by = at(&app, &ann).await;
    let fridge = make(&app.jeton, &by, "assets", "Fridge <i>02</i>").await;
    make(&app.jeton, &by, "assets", "Pick-up 4").await;
    ann.get(ASSETS).await.shows("Fridge <i>02</i>").shows("Pick-up 4").shows("Only you");
    ben.get(ASSETS).await.shows("Nothing here yet");
    share(&app.jeton, &by, &fridge, user(&ben), "view").await.unwrap();
    let list = ben.get(ASSETS).await;
    list.shows("Fridge <i>02</i>").shows("View");
    assert!(!list.text().contains("Pick-up"), "{}", list.text());
    let found = ann.get(&format!("{ASSETS}?q=PICK")).await;
    assert!(!found.text().contains("Fridge"), "{}", found.text());
    ann.get(&format!("{ASSETS}?q=none")).await.shows("Nothing matches").shows("Show all");
    ann.get(&format!("{ASSETS}?owner=me")).await.shows("Pick-up 4");
    ann.get(&format!("{ASSETS}?owner=nobody")).await.shows("Nothing matches");
    for nothing in ["/items/visits", "/items/Assets", "/items/assets?site=0123456789", "/items/assets?site=x"] {
        assert_eq!(ann.get(&format!("{ORG}{nothing}")).await.status, 404, "{nothing}");
    }
    let searched = ann.post(org!("/items/assets/search"), &[("q", "pick up"), ("archived", "all")]).await;
    assert_eq!(searched.header("location"), format!("{ASSETS}?q=pick+up&archived=all"));
}

#[db_test]
async fn a_long_list_is_turned_by_key(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let by = at(&app, &ann).await;
    for number in 10..36 {
        make(&app.jeton, &by, "assets", &format!("Asset {number}")).await;
        app.clock.advance(1);
    }
    let first = ann.get(ASSETS).await;
    first.shows("Asset 35").shows("Asset 11");
    assert!(!first.text().contains("Asset 10"));
    let link = |rel: &str, page: &crate::harness::Answer| {
        page.first(&format!("[rel={rel}]"), |link| Some(link.attr("href")?.to_owned())).expect("a link")
    };
    let second = ann.get(&link("next", &first)).await;
    second.shows("Asset 10");
    assert!(!second.text().contains("Asset 11"));
    ann.get(&link("prev", &second)).await.shows("Asset 35");
}

#[db_test]
async fn the_page_of_an_item_says_what_it_is_and_why_the_reader_reaches_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let by = at(&app, &ann).await;
    let fridge = make(&app.jeton, &by, "assets", "Fridge").await;
    let page = format!("{ASSETS}/{}", fridge.public_id);
    let own = ann.get(&page).await;
    own.shows("You can manage this. You own it.").shows("No site").shows(&fridge.public_id).shows("Delete");
    assert_eq!(ben.get(&page).await.status, 404);
    share(&app.jeton, &by, &fridge, user(&ben), "view").await.unwrap();
    let shared = ben.get(&page).await;
    shared.shows("You can view this. It is shared with you.");
    assert!(!shared.text().contains("Archive") && !shared.text().contains("Delete"), "{}", shared.text());
    // The kind belongs to the address.
    assert_eq!(ann.get(&format!("{ORG}/items/templates/{}", fridge.public_id)).await.status, 404);
}

#[db_test]
async fn an_item_is_archived_and_deleted_by_those_who_may(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let by = at(&app, &ann).await;
    let fridge = make(&app.jeton, &by, "assets", "Fridge").await;
    let page = format!("{ASSETS}/{}", fridge.public_id);
    let [archive, deletion] = ["archive", "deletion"].map(|part| format!("{page}/{part}"));
    assert_eq!(sends(&ben, &archive, &[("archived", "yes")]).await, 404, "not there for Ben");
    share(&app.jeton, &by, &fridge, user(&ben), "view").await.unwrap();
    assert_eq!(sends(&ben, &archive, &[("archived", "yes")]).await, 403);
    assert_eq!((ben.get(&deletion).await.status, sends(&ben, &deletion, &[]).await), (403, 403));
    let before = activity(&app.db).len();
    for _ in 0..2 {
        let archived = ann.post(&archive, &[("archived", "yes")]).await;
        ann.get(archived.header("location")).await.shows("It is archived.").shows("Take out of the archive");
    }
    ann.get(ASSETS).await.shows("Nothing here yet");
    ann.get(&format!("{ASSETS}?archived=only")).await.shows("Fridge");
    let back = ann.post(&archive, &[("archived", "")]).await;
    ann.get(back.header("location")).await.shows("It is out of the archive.");
    ann.get(&deletion).await.shows("Delete “Fridge”?").shows("This cannot be undone.");
    let deleted = ann.post(&deletion, &[]).await;
    ann.get(deleted.header("location")).await.shows("It is deleted.").shows("Nothing here yet");
    assert_eq!((sends(&ann, &deletion, &[]).await, ann.get(&page).await.status), (404, 404));
    let actions: Vec<String> = activity(&app.db)[before..].iter().map(|entry| entry.action.clone()).collect();
    assert_eq!(actions, ["item.archived", "item.unarchived", "item.deleted"], "nothing twice");
}

#[db_test]
async fn the_navigation_begins_with_the_kinds_that_somebody_may_view(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let new = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(org!("/kinds"), &new).await.status, 303);
    let entries = |page: &crate::harness::Answer| {
        let all = [ORG, "/items/templates", "/items/assets", "/items/invoices", "/users"].map(|end| end.to_owned());
        all.into_iter().skip(1).filter(|end| page.body.contains(&format!("{ORG}{end}\""))).collect::<Vec<_>>()
    };
    assert_eq!(entries(&ann.get(ASSETS).await).len(), 4);
    let reader = app.add_user("Leo", BuiltInSet::Reader).await;
    let seen = entries(&reader.get(ASSETS).await);
    assert!(seen.contains(&"/items/assets".to_owned()) && !seen.contains(&"/users".to_owned()), "{seen:?}");
    assert_eq!(ann.get(ORG).await.header("location"), org!("/items/templates"));
}
