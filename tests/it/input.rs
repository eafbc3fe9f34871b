//! Every kind of bad input gets an answer that says what is wrong.

use crate::harness::{TestApp, TestDb, db_test};

#[db_test]
async fn broken_requests_get_a_proper_answer(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let bodies = ["", "=", "&&&", "csrf", "csrf=%", "csrf=%zz", "csrf=%ff%fe", "a=b&a=b", "\u{0}", "csrf[]=1", "{}"];
    for path in
        ["/account/tokens", "/account/profile", "/sign-in", "/setup", "/account/security", "/password/0000000000"]
    {
        for body in bodies {
            let answer = ann.request("POST", path, &form, body.to_owned()).await;
            assert!((400..500).contains(&answer.status), "{path} {body:?}: {}", answer.status);
            assert!(answer.body.contains("</html>"), "{path} {body:?}");
        }
        let large = ann.request("POST", path, &form, "a".repeat(90_000)).await;
        assert_eq!(large.status, 413, "{path}");
        large.shows("large");
    }
}

#[db_test]
async fn odd_addresses_are_not_found_and_never_fail(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for path in [
        "/account/tokens/%00",
        "/account/tokens/%ff",
        "/account/tokens/..%2f..%2f",
        "/account/tokens/'%20OR%201=1--",
        "/account/tokens/{{7*7}}",
        "/static/../../etc/passwd",
        "/static/%2e%2e%2fCargo.toml",
        "/api/v1/nothing",
        "/api/",
        "/%",
    ] {
        let answer = ann.get(path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.body.is_empty(), "{path}");
    }
    let long = format!("/account/tokens/{}", "x".repeat(6_000));
    assert_eq!(ann.get(&long).await.status, 404);
    assert_eq!(app.send("GET", "/api/v1/nothing", &[], "").await.header("content-type"), "application/problem+json");
    let asked = app.send("GET", "/nowhere", &[("accept", "application/json")], "").await;
    assert_eq!((asked.status, asked.header("content-type")), (404, "application/problem+json"));
}

#[db_test]
async fn parts_for_htmx_work_as_pages_and_are_not_cached(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    for path in [
        format!("/account/tokens/{id}"),
        format!("/account/tokens/{id}/revocation"),
        "/account/tokens/revocation".into(),
    ] {
        let (part, page) = (ann.get_part(&path).await, ann.get(&path).await);
        assert!(!part.body.contains("<html") && page.body.contains("<html"), "{path}");
        for answer in [part, page] {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert!(answer.header("vary").to_ascii_lowercase().contains("hx-request"), "{path}");
        }
    }
    let missing = ann.get_part("/account/tokens/zzzzzzzzzz").await;
    assert_eq!(missing.status, 404);
    assert!(!missing.body.contains("<html"));
}
