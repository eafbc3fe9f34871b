//! The reader of an answer is determined once per request: the same request gets the same page, whatever is wrong with
//! it.

use crate::harness::{Person, TestApp, TestDb, db_test, org};
use domain::permission::BuiltInSet;
use futures_util::future::join_all;

/// A request that is refused, with its status.
struct Bad {
    what: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    status: u16,
}

fn bad(what: &'static str, (method, path): (&'static str, &str), body: &str, status: u16) -> Bad {
    let headers = vec![("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
    Bad { what, method, path: path.to_owned(), headers, body: body.to_owned(), status }
}

/// Fails unless 60 of these requests, many of them concurrent, get the same page, in the frame of this person.
async fn is_always_the_same(person: &Person, bad: &Bad, organization: &str) {
    let mut bodies = Vec::new();
    for _ in 0..6 {
        let answers = (0..10).map(|_| person.request(bad.method, &bad.path, &bad.headers, bad.body.clone()));
        for answer in join_all(answers).await {
            assert_eq!(answer.status, bad.status, "{}: {}", bad.what, answer.text());
            bodies.push(answer.body);
        }
    }
    assert!(bodies[0].contains("/sign-out") && bodies[0].contains(&person.email), "{}: {}", bad.what, bodies[0]);
    assert!(bodies[0].contains(organization), "{}: {}", bad.what, bodies[0]);
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{}: {bodies:#?}", bad.what);
}

#[db_test]
async fn the_same_bad_request_always_gets_the_same_page(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("script").await;
    let token = ann.token_id("script").await;
    assert_eq!(ann.post("/organizations/new", &[("organization", "Ségou"), ("slug", "segou")]).await.status, 303);
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let csrf = ben.get("/account/tokens/new").await.field("csrf").unwrap();
    let good = format!("csrf={csrf}&name=x&label=x");
    let sets = org!("/permission-sets");
    let mut all = vec![
        bad("wrong csrf", ("POST", "/account/tokens"), "csrf=0&label=x", 403),
        bad("no csrf", ("POST", "/account/profile"), "name=x", 403),
        bad("wrong csrf, and no permission", ("POST", sets), "csrf=0&name=x", 403),
        bad("wrong csrf, and another's organization", ("POST", "/orgs/segou/settings"), "csrf=0&slug=x", 404),
        bad("one field twice", ("POST", "/account/theme"), &format!("{good}&theme=dark&theme=light"), 400),
        bad("no page", ("GET", "/nowhere"), "", 404),
        bad("no page to send to", ("POST", "/account/nowhere"), &good, 404),
        bad("another method", ("PUT", "/account/tokens"), "", 405),
        bad("too large", ("POST", "/account/theme"), &format!("{good}&theme={}", "x".repeat(90_000)), 413),
        bad("no permission", ("GET", sets), "", 403),
        bad("no permission to send", ("POST", sets), &good, 403),
        bad("another's organization", ("GET", "/orgs/segou/settings"), "", 404),
        bad("another's token", ("POST", &format!("/account/tokens/{token}/revocation")), &good, 404),
    ];
    let mut json = bad("another kind of body", ("POST", "/account/theme"), "{}", 400);
    json.headers[1] = ("content-type", "application/json");
    all.push(json);
    for bad in &all {
        is_always_the_same(&ben, bad, "Croix-Bleue Sahel").await;
    }

    let no_number = bad("an id that is no number", ("GET", &format!("{sets}/x")), "", 404);
    is_always_the_same(&ann, &no_number, "<span>Croix-Bleue Sahel</span>").await;

    // Whoever works in one organization and asks for a page of another sees that one in the frame.
    for (path, name) in [(org!("/activity"), "Croix-Bleue Sahel"), ("/orgs/segou/activity", "Ségou")] {
        let csrf = bad("wrong csrf there", ("POST", &format!("{path}.csv")), "csrf=0", 403);
        is_always_the_same(&ann, &csrf, &format!("<span>{name}</span>")).await;
        let method = bad("another method there", ("DELETE", path), "", 405);
        is_always_the_same(&ann, &method, &format!("<span>{name}</span>")).await;
    }
}

#[db_test]
async fn a_refused_request_is_answered_in_the_language_of_the_user(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let profile =
        [("name", "Ann"), ("email", &*ann.email), ("language", "fr"), ("time_zone", "UTC"), ("theme", "dark")];
    assert_eq!(ann.post("/account/profile", &profile).await.status, 303);
    for bad in [
        bad("wrong csrf", ("POST", "/account/tokens"), "csrf=0", 403),
        bad("no page", ("GET", "/nowhere?lang=en"), "", 404),
        bad("another method", ("PATCH", "/account/profile"), "", 405),
    ] {
        is_always_the_same(&ann, &bad, "<html lang=\"fr\" data-theme=\"dark\"").await;
    }
}
