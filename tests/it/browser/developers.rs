//! The pages that describe the API: a request is tried on them, and the key stays where it was typed.

use super::{NOTHING, bring};
use crate::harness::{Browser, Setup, TestApp, TestDb};

/// Opens the form of the operation with this id, and sends it.
async fn tries(browser: &Browser, id: &str) {
    let open = format!(
        "document.querySelector('#{id} .try').open = true; document.querySelector('#{id} .try button').click()"
    );
    browser.evaluate(&open).await;
}

#[actix_web::test]
async fn a_request_is_tried_with_a_pasted_key_which_stays_nowhere() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let key = ann.makes_token_with("script", "read_write").await;
    let browser = Browser::new(&app.url).await;
    bring(&ann, &browser).await;
    browser.go("/developers").await;
    browser.sees("Change the item with your own id").await;
    browser.go("/developers/tokens").await;
    browser.sees("Whom the token speaks for").await;
    tries(&browser, "readMe").await;
    browser.sees("401 Unauthorized").await;
    browser.fill("API key", &key).await;
    tries(&browser, "readMe").await;
    browser.sees("200 OK").await;
    browser.sees("membership:1").await;
    assert!(!browser.html().await.contains(&key), "a typed value is no part of the page");
    let kept = browser
        .evaluate(
            "return [location.href, document.cookie, JSON.stringify({...localStorage, ...sessionStorage})].join()",
        )
        .await;
    assert!(!kept.to_string().contains(&key[6..18]), "{kept}");
    browser.go("/developers/groups").await;
    assert_eq!(browser.value("API key").await, "", "each page begins without one");
    browser.fill("API key", &key).await;
    tries(&browser, "createGroup").await;
    browser.sees("201 Created").await;
    browser.sees("location: /api/v1/groups/").await;
    assert!(ann.get("/orgs/croix-bleue-sahel/groups").await.text().contains("Logistics"));
    browser.go("/developers").await;
    browser.back().await;
    assert_eq!(browser.value("API key").await, "", "nor does it come back");
    // The browser itself says so of each request that is refused.
    let complaints = browser.complaints().await;
    assert!(complaints.iter().all(|line| line.contains("401")), "{complaints:?}");
}

#[actix_web::test]
async fn without_scripts_everything_can_be_read() {
    let app = TestApp::with_user(TestDb::sqlite(), "Ann").await.0;
    let browser = Browser::with(&app.url, Setup { javascript: false, ..Setup::default() }).await;
    browser.go("/developers/items").await;
    browser.sees("only if scripts are allowed").await;
    browser.sees("Create an item").await;
    browser.sees_no("API key").await;
    assert_eq!(browser.complaints().await, NOTHING);
}
