//! A page of another site that uses the API for programs, and an API behind a proxy that asks Jeton.

use super::bring;
use crate::harness::{
    Browser, TestApp, TestDb, org,
    proxy::{Kind, Proxy, Upstream, free_port},
};
use serde_json::{Value, json};

const APIS: &str = org!("/integrations/apis");

/// Returns what a script of the open page gets: status, two headers and body, or that the browser withholds the answer.
async fn fetches(browser: &Browser, address: &str, how: &Value) -> Value {
    let script = format!(
        "return fetch('{address}', {how}).then(async (answer) => [answer.status, answer.headers.get('www-authenticate'), \
         answer.headers.get('x-request-id')?.length, await answer.text()]).catch((error) => error.message)"
    );
    browser.evaluate(&script).await
}

fn with_key(key: &str, method: &str) -> Value {
    json!({ "method": method, "headers": { "Authorization": format!("Bearer {key}") } })
}

#[actix_web::test]
async fn a_page_of_another_site_uses_the_api_with_a_key_but_never_with_a_session() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let key = ann.makes_token("dashboard").await;
    let browser = Browser::new(&app.url).await;
    bring(&ann, &browser).await;
    let site = Upstream::start();
    browser.go(&format!("http://{}/", site.address())).await;
    let (me, own) = (format!("{}/api/v1/me", app.url), format!("{}/api/v1/me/token", app.url));
    let told = fetches(&browser, &me, &with_key(&key, "GET")).await;
    assert_eq!((&told[0], &told[2]), (&json!(200), &json!(16)), "{told}");
    let body: Value = serde_json::from_str(told[3].as_str().expect("a body")).expect("JSON");
    assert_eq!(body["token"]["label"], "dashboard");
    let refused = fetches(&browser, &me, &with_key("jtn_p_x", "GET")).await;
    assert!(refused[0] == 401 && refused[1].as_str().is_some_and(|told| told.contains("malformed")), "{refused}");
    for address in [&me, &format!("{}/account/tokens", app.url)] {
        let with_session = fetches(&browser, address, &json!({ "credentials": "include" })).await;
        assert_eq!(with_session, "Failed to fetch", "{address}");
    }
    assert_eq!(fetches(&browser, &own, &with_key(&key, "DELETE")).await[0], 204);
    assert_eq!(fetches(&browser, &me, &with_key(&key, "GET")).await[0], 401);
}

#[actix_web::test]
async fn a_page_of_another_site_calls_a_protected_api_that_allows_preflights() {
    let (app, ann) = TestApp::with_proxies(TestDb::sqlite(), "Ann").await;
    let key = ann.makes_token("dashboard").await;
    let (site, upstream, port) = (Upstream::start(), Upstream::start(), free_port());
    let address = format!("http://127.0.0.1:{port}/v1");
    let fields = [
        ("name", "Order API"),
        ("address", &*address),
        ("methods[]", "any"),
        ("path[]", "/**"),
        ("needs[]", "by_method"),
        ("permission[]", ""),
    ];
    let made = ann.post(APIS, &fields).await;
    let page = made.header("location").trim_end_matches("?notice=created").to_owned();
    let proxy = Proxy::start(Kind::Nginx, port, &ann.get(&page).await, &upstream);
    let browser = Browser::new(&app.url).await;
    browser.go(&format!("http://{}/", site.address())).await;
    let orders = format!("http://127.0.0.1:{}/v1/orders", proxy.port());
    assert_eq!(fetches(&browser, &orders, &with_key(&key, "GET")).await, "Failed to fetch");
    assert!(upstream.hits().is_empty(), "not even the browser's question");

    let version = ann.get(&format!("{page}/edit")).await.field("version").expect("a version");
    let changed = [&fields[..], &[("version", &*version), ("preflights", "yes")]].concat();
    assert_eq!(ann.post(&format!("{page}/edit"), &changed).await.status, 303);
    assert_eq!(fetches(&browser, &orders, &with_key(&key, "GET")).await[0], 200);
    let hits = upstream.hits();
    let [question, request] = &hits[..] else { panic!("{hits:?}") };
    assert!(
        question.line.starts_with("OPTIONS /v1/orders") && question.all("jeton-subject").is_empty(),
        "{question:?}"
    );
    assert!(
        request.line.starts_with("GET /v1/orders") && request.all("jeton-subject") == ["membership:1"],
        "{request:?}"
    );
    // The question passes; the request that it is about needs the token that it always needs.
    for (key, method) in [(&*key, "DELETE"), ("jtn_p_x", "GET")] {
        assert_eq!(fetches(&browser, &orders, &with_key(key, method)).await, "Failed to fetch");
        assert!(upstream.hits().iter().all(|hit| hit.line.starts_with("OPTIONS")), "{method}");
    }
}
