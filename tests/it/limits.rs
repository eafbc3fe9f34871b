//! How many requests a token may send.

use crate::harness::{Person, TestApp, TestDb, db_test, service::TOKENS};
use base64::{Engine, prelude::BASE64_STANDARD};

/// Addresses that count, besides that of the token itself.
const COUNTED: [&str; 8] = [
    "/api/v1/me",
    "/api/v1/kinds",
    "/api/v1/groups",
    "/api/v1/sites",
    "/api/v1/items/assets",
    "/api/v1/items/assets/aaaaaaaaaa",
    "/feed/assets",
    "/accounts/user/v1/user:WhoAmI",
];

/// Uses up the two requests of a token that may send so many in a minute, and returns its key.
async fn exhausted(app: &TestApp, ann: &Person) -> String {
    let key = ann.makes_token_with("Power BI", "read_write").await;
    for left in ["1", "0"] {
        let answer = app.with_key("GET", "/api/v1/items/assets", &key).await;
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (200, left), "{}", answer.body);
        assert_eq!(answer.header("x-ratelimit-limit"), "2");
    }
    key
}

#[db_test]
async fn a_token_that_sends_too_many_requests_is_told_when_to_try_again(db: TestDb) {
    let (app, ann) = TestApp::with_limit(db, "Ann", 2).await;
    let key = exhausted(&app, &ann).await;
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("any:{key}")));
    for path in COUNTED {
        let bearer = format!("Bearer {key}");
        for method in ["GET", "HEAD"] {
            let answer = app.send(method, path, &[("authorization", &bearer)], "").await;
            assert_eq!(answer.status, 429, "{method} {path}");
            let (after, reset) = (answer.header("retry-after"), answer.header("x-ratelimit-reset"));
            // One is allowed each 30 s.
            assert!((1..=30).contains(&after.parse::<u64>().unwrap()) && after == reset, "{after} {reset}");
            assert_eq!((answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")), ("2", "0"));
            assert_eq!(answer.header("www-authenticate"), "", "the key is good");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        let answer = app.with_key("GET", path, &key).await;
        assert_eq!(answer.json()["status"], 429, "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("2 requests a minute"), "{}", answer.body);
    }
    for path in ["/feed/assets", "/accounts/user/v1/user:WhoAmI"] {
        assert_eq!(app.send("GET", path, &[("authorization", &basic)], "").await.status, 429, "{path}");
    }
}

#[db_test]
async fn nothing_is_written_by_a_request_too_many(db: TestDb) {
    let (app, ann) = TestApp::with_limit(db, "Ann", 2).await;
    let key = exhausted(&app, &ann).await;
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let path = "/api/v1/items/assets";
    assert_eq!(app.send("POST", path, &headers, r#"{"name":"Fridge"}"#).await.status, 429);
    let other = ann.makes_token("Other").await;
    let list = app.with_key("GET", path, &other).await;
    assert_eq!((list.status, &list.json()["data"]), (200, &serde_json::json!([])), "another token has its own");
}

#[db_test]
async fn a_token_is_verified_and_revoked_whatever_it_has_sent(db: TestDb) {
    let (app, ann) = TestApp::with_limit(db, "Ann", 2).await;
    let caller = ann.asks_for_service_token("Warehouse", "45", &["platform.verify_tokens"]).await;
    let caller = format!("Bearer {}", caller.key().expect("a key"));
    assert_ne!(ann.get(TOKENS).await.status, 429);
    let key = exhausted(&app, &ann).await;
    assert_eq!(app.with_key("GET", "/api/v1/me", &key).await.status, 429);
    let form = [("authorization", caller.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    for _ in 0..5 {
        let verified = app.with_key("GET", "/verify", &key).await;
        assert_eq!((verified.status, verified.header("x-ratelimit-limit")), (200, ""));
        let asked = app.send("POST", "/oauth2/introspect", &form, &format!("token={key}")).await;
        assert_eq!((asked.status, &asked.json()["active"]), (200, &serde_json::json!(true)), "{}", asked.body);
    }
    assert_eq!(app.with_key("DELETE", "/api/v1/me/token", &key).await.status, 204);
    assert_eq!(app.with_key("GET", "/api/v1/me", &key).await.status, 401);
}

#[db_test]
async fn strangers_use_up_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_limit(db, "Ann", 2).await;
    let key = ann.makes_token("Power BI").await;
    for _ in 0..5 {
        let unknown = crate::harness::another_key();
        let answer = app.with_key("GET", "/api/v1/me", &unknown).await;
        assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (401, ""));
    }
    assert_eq!(app.with_key("GET", "/api/v1/me", &key).await.header("x-ratelimit-remaining"), "1");
}
