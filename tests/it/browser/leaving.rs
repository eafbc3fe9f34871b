//! Signing out.

use super::{NOTHING, ann_at, generate, sign_in};
use crate::harness::{Browser, Setup, TestApp, TestDb};

async fn back_after_signing_out(javascript: bool) {
    let (_app, ann, browser) = ann_at(Setup { javascript, ..Setup::default() }).await;
    ann.makes_token("a very private label").await;
    browser.go("/account/profile").await;
    browser.go("/account/tokens").await;
    browser.sees("a very private label").await;
    browser.click("Ann").await;
    browser.click("Sign out").await;
    browser.sees("You are signed out.").await;
    for _ in 0..2 {
        browser.back().await;
        let page = browser.html().await;
        assert!(!page.contains("private label") && !page.contains("ann@example.org"), "{page}");
    }
    browser.go("/account/tokens").await;
    browser.sees_no("You are signed out.").await;
    sign_in(&browser).await;
    browser.is_at("/account/tokens").await;
    browser.sees("a very private label").await;
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn back_after_signing_out_shows_nothing() {
    back_after_signing_out(true).await;
}

#[actix_web::test]
async fn back_after_signing_out_shows_nothing_without_javascript() {
    back_after_signing_out(false).await;
}

/// The session ends elsewhere while a page is open.
#[actix_web::test]
async fn a_user_signed_out_elsewhere_signs_in_and_returns_to_the_page() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    ann.makes_token("Power BI").await;
    browser.go("/account/tokens").await;
    ann.post("/sign-out", &[]).await;
    let id_page = browser.evaluate("return document.querySelector('[data-token]').getAttribute('href')").await;
    browser.click("Power BI").await;
    browser.sees("Password").await;
    sign_in(&browser).await;
    browser.sees("Public ID").await;
    browser.is_at(id_page.as_str().unwrap()).await;
    assert_eq!(browser.complaints().await, NOTHING);
}

/// At a plain-HTTP address in a local network, a browser states where a form comes from only in `Origin`.
#[actix_web::test]
async fn the_page_with_a_key_can_be_left_by_signing_out_without_tls() {
    let app = TestApp::start_behind(TestDb::sqlite(), Some("http://jeton.test")).await;
    assert_eq!(app.browser("Ann").sets_up(app::setup::code(&app.jeton)).await.status, 303);
    let port = app.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let browser = Browser::with("http://jeton.test", Setup { jeton_test: port, ..Setup::default() }).await;
    browser.go("/account/tokens").await;
    sign_in(&browser).await;
    browser.sees("Your first API token").await;
    generate(&browser, "Power BI").await;
    browser.click("Ann").await;
    browser.click("Sign out").await;
    browser.sees("You are signed out.").await;
}
