//! The fields of a kind, on its page and through the API.

use crate::{
    harness::{ORG, TestApp, TestDb, activity, db_test, org},
    items::{
        at,
        forms::{has_fields, sends, typed},
    },
};
use domain::permission::BuiltInSet;
use serde_json::json;

const FIELDS: &str = org!("/kinds/invoices/fields");

async fn has_invoices(ann: &crate::harness::Person) {
    let kind = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(org!("/kinds"), &kind).await.status, 303);
}

#[db_test]
async fn holders_of_kinds_change_what_an_item_is_asked_for(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    has_invoices(&ann).await;
    ann.get(org!("/kinds/invoices")).await.shows("No fields yet").shows("Edit fields");
    assert_eq!(ben.get(FIELDS).await.status, 403);
    for none in ["templates", "inspections", "visits"] {
        assert_eq!(ann.get(&format!("{ORG}/kinds/{none}/fields")).await.status, 404, "{none}");
    }
    let refused = sends(&ann, FIELDS, &typed(&[("Amount", "number"), ("Paid from", "one_of\na\nA")])).await;
    assert_eq!(refused.status, 422);
    refused.shows("Paid from – “A” is there twice.");
    let saved = sends(&ann, FIELDS, &typed(&[("Amount", "number"), ("Paid from", "one_of\nBank\nCash")])).await;
    ann.get(saved.header("location")).await.shows("The fields are saved.").shows("Paid from").shows("One of several");
    assert_eq!(activity(&app.db).last().unwrap().action, "kind.fields_changed");
    let before = activity(&app.db).len();
    let twice = sends(&ann, FIELDS, &typed(&[("Amount", "number"), ("Paid from", "one_of\nBank\nCash")])).await;
    assert_eq!((twice.status, activity(&app.db).len()), (303, before), "nothing is written twice");
    has_fields(&ann, "assets", &[("Serial number", "text")]).await;
    ann.get(org!("/kinds/assets")).await.shows("Serial number");
}

#[db_test]
async fn answers_stay_when_a_field_is_renamed_moved_or_removed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    has_fields(&ann, "invoices", &[("Amount", "number"), ("Remark", "text")]).await;
    let new = org!("/items/invoices/new");
    let made = sends(&ann, new, &[("name", "42"), ("answer-amount", "1200,50"), ("answer-remark", "Late")]).await;
    let page = made.header("location").replace("?notice=created", "");
    // Another name and place for one, the other one removed, a new one of the same name.
    let mut fields = typed(&[("Remark", "text"), ("Amount in CFA francs", "number")]);
    fields[6] = ("field[]", "amount");
    let saved = sends(&ann, FIELDS, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let shown = ann.get(&page).await;
    shown.shows("Amount in CFA francs 1200.50");
    assert!(!shown.text().contains("Late"), "the new field is not the old one");
    let found = app::items::find(&app.jeton, &at(&app, &ann).await, "invoices", id(&page).into()).await.unwrap();
    let keys: Vec<_> = found.form.fields().iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["remark_2", "amount"]);
    assert_eq!(found.contents.answers.iter().count(), 2, "nobody has lost what was written");
    // A type stays once there may be answers.
    let mut fields = typed(&[("Amount", "text")]);
    fields[0] = ("field[]", "amount");
    sends(&ann, FIELDS, &fields).await.shows("There are answers already, of the type “Number”.");
}

fn id(page: &str) -> &str {
    page.rsplit('/').next().unwrap()
}

#[db_test]
async fn two_who_change_fields_notice_each_other(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    has_fields(&ann, "invoices", &[("Amount", "number")]).await;
    let stale = [&[("version", "0")], &typed(&[("Mine", "text")])[..]].concat();
    let refused = ann.post(FIELDS, &stale).await;
    assert_eq!(refused.status, 422);
    refused.shows("Somebody else changed this").shows("Amount");
    assert!(refused.body.contains("value=\"Mine\""));
}

#[db_test]
async fn a_program_reads_and_writes_the_fields_of_a_kind(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let writer = ann.asks_for_service_token("Sync", "45", &["platform.kinds"]).await.key().unwrap();
    let reader = ann.makes_token("Power BI").await;
    let path = "/api/v1/kinds/invoices/fields";
    let program = app.browser("Sync");
    let send = async |method: &str, key: &str, version: &str, body: &serde_json::Value| {
        let key = format!("Bearer {key}");
        let mut headers = vec![("authorization", key.as_str()), ("content-type", "application/json")];
        headers.extend((!version.is_empty()).then_some(("if-match", version)));
        program.request(method, path, &headers, body.to_string()).await
    };
    let wanted = json!({ "fields": [
        { "label": "Amount", "type": "number", "required": true },
        { "label": "Paid from", "type": "one_of", "choices": ["Bank", "Cash"] },
    ] });
    let read = send("GET", &reader, "", &wanted).await;
    assert_eq!((read.status, read.header("etag"), read.json()), (200, "\"0\"", json!({ "fields": [] })));
    assert_eq!(send("PUT", &reader, "\"0\"", &wanted).await.status, 403);
    assert_eq!(send("PUT", &writer, "", &wanted).await.status, 428);
    let put = send("PUT", &writer, "\"0\"", &wanted).await;
    assert_eq!((put.status, put.header("etag")), (200, "\"1\""), "{}", put.body);
    assert_eq!(put.json()["fields"][1]["key"], "paid_from");
    let other = json!({ "fields": [] });
    assert_eq!(send("PUT", &writer, "\"0\"", &other).await.status, 412);
    let wrong = json!({ "fields": [{ "label": "Colour", "type": "colour" }] });
    assert_eq!(send("PUT", &writer, "\"1\"", &wrong).await.status, 422);
    assert_eq!(send("GET", &reader, "", &other).await.json(), put.json());
}
