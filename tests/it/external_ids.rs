//! The ids by which other programs know users and service users.

use crate::harness::{Answer, Person, SLUG, TestApp, TestDb, activity, count, db_test, org, service::TOKENS};
use domain::permission::BuiltInSet::{Administrator, Reader, Standard};

async fn gives(person: &Person, page: &str, id: &str, before: &str) -> Answer {
    person.post(&format!("{page}/external-id"), &[("external_id", id), ("before", before)]).await
}

#[db_test]
async fn programs_learn_an_external_id_with_the_next_request(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (key, page) = (ann.makes_token("script").await, ann.page_of("Ann").await);
    assert!(app.me(&key).await.json()["subject"].get("external_id").is_none());
    let saved = gives(&ann, &page, "  HR-0007 ", "").await;
    ann.get(saved.header("location")).await.shows("The external ID is saved.");
    assert_eq!(app.me(&key).await.json()["subject"]["external_id"], "HR-0007");
    ann.makes_service_token("Warehouse").await;
    let service = ann.asks_for_service_token("Asker", "45", &["platform.verify_tokens"]).await.key().unwrap();
    let token = ann.service_token("Asker").await;
    assert_eq!(ann.changes(&token, "external-id", &[("external_id", "sap:é 1")]).await.status, 303);
    ann.get(&token).await.shows("sap:é 1");
    assert_eq!(app.me(&service).await.json()["subject"]["external_id"], "sap:é 1");
    let headers =
        [("authorization", &*format!("Bearer {service}")), ("content-type", "application/x-www-form-urlencoded")];
    let told = app.send("POST", "/oauth2/introspect", &headers, &format!("token={key}")).await.json();
    assert_eq!(told["external_id"], "HR-0007");
    // Taken away, it is gone at once.
    assert_eq!(gives(&ann, &page, "", "HR-0007").await.status, 303);
    assert!(app.me(&key).await.json()["subject"].get("external_id").is_none());
    let actions: Vec<String> = activity(&app.db).into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions.iter().filter(|action| action.ends_with("external_id_changed")).count(), 3);
    ann.get(org!("/activity"))
        .await
        .shows("the external ID HR-0007")
        .shows("removed the external ID of Ann")
        .shows("the external ID sap:é 1");
}

#[db_test]
async fn no_two_users_or_service_users_have_the_same(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Standard).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    ann.makes_service_token("Warehouse").await;
    let (own, ben, token) = (ann.page_of("Ann").await, ann.page_of("Ben").await, ann.service_token("Warehouse").await);
    assert_eq!(gives(&ann, &own, "7", "").await.status, 303);
    let refused = gives(&ann, &ben, "7", "").await;
    assert_eq!((refused.status, refused.field("external_id").as_deref()), (422, Some("7")));
    refused.shows("already has this external ID");
    let refused = ann.changes(&token, "external-id", &[("external_id", "7")]).await;
    assert_eq!((refused.status, refused.field("external_id").as_deref()), (422, Some("7")));
    assert_eq!(ann.changes(&token, "external-id", &[("external_id", "8")]).await.status, 303);
    assert_eq!(gives(&ann, &ben, "8", "").await.status, 422);
    // Upper and lower case differ, and so do organizations.
    assert_eq!(ann.changes(&token, "external-id", &[("external_id", "a")]).await.status, 303);
    assert_eq!(gives(&ann, &ben, "A", "").await.status, 303);
    let theirs = "/orgs/elsewhere/users/3";
    assert_eq!(gives(&stranger, theirs, "7", "").await.status, 303);
    // The same once more changes nothing.
    let again = gives(&ann, &own, "7", "7").await;
    ann.get(again.header("location")).await.shows("Nothing was changed");
    let long = "é".repeat(255);
    assert_eq!(gives(&ann, &own, &long, "7").await.status, 303);
    gives(&ann, &own, &"é".repeat(256), &long).await.shows("Use 255 characters at most.");
    assert_eq!(count(&app, "memberships WHERE external_id IS NOT NULL"), 3);
}

#[db_test]
async fn the_second_of_two_editors_is_told(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let leo = app.add_user("Leo", Administrator).await;
    app.add_user("Ben", Standard).await;
    let page = ann.page_of("Ben").await;
    leo.get(&page).await;
    assert_eq!(gives(&ann, &page, "1", "").await.status, 303);
    let told = gives(&leo, &page, "2", "").await;
    assert_eq!((told.status, told.field("external_id").as_deref()), (422, Some("2")));
    told.shows("Somebody else changed this after you opened it");
    assert_eq!(gives(&leo, &page, "2", "1").await.status, 303);
}

#[db_test]
async fn only_administrators_of_the_organization_give_them(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Reader).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    ann.makes_service_token("Warehouse").await;
    let (page, token) = (ann.page_of("Ben").await, ann.service_token("Warehouse").await);
    assert_eq!(gives(&ben, &page, "1", "").await.status, 403);
    assert_eq!(gives(&stranger, &page.replace(SLUG, "elsewhere"), "1", "").await.status, 404);
    let form = [("external_id", "1"), ("version", "1")];
    assert_eq!(ben.post(&format!("{token}/external-id"), &form).await.status, 403);
    assert_eq!(stranger.post(&format!("{token}/external-id").replace(SLUG, "elsewhere"), &form).await.status, 404);
    assert_eq!(stranger.get(&format!("{TOKENS}/zzzzzzzzzz/external-id")).await.status, 404);
    // Whoever manages users does not decide about somebody who may do more.
    let set = [("name", "Guards"), ("permission", "platform.users")];
    assert_eq!(ann.post(org!("/permission-sets"), &set).await.status, 303);
    assert_eq!(ann.gives("Ben", "Guards").await.status, 303);
    let own = ann.page_of("Ann").await;
    let refused = gives(&ben, &own, "1", "").await;
    assert_eq!(refused.status, 422);
    refused.shows("permissions that you do not hold");
    assert_eq!(gives(&ben, &page, "1", "").await.status, 303);
}
