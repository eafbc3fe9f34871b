//! Forms that are sent after their session has ended, and two installations in one browser.

use super::{NOTHING, ann_at, bring, sign_in};
use crate::harness::{Setup, TestApp, TestDb, org};

async fn a_form_over_lunch(javascript: bool) {
    let (app, ann, browser) = ann_at(Setup { javascript, ..Setup::default() }).await;
    browser.go(org!("/permission-sets/new")).await;
    browser.fill("Name", "Night shift").await;
    browser.choose("Conduct").await;
    app.clock.advance(60 * 60);
    browser.click("Create").await;
    browser.sees("Your session has ended, so nothing has been saved yet.").await;
    browser.fill("E-mail address", "ann@example.org").await;
    browser.fill("Password", "not the right one").await;
    browser.click("Sign in").await;
    browser.sees("do not match").await;
    sign_in(&browser).await;
    browser.sees("Nothing has been saved yet, because your session had ended.").await;
    assert_eq!(browser.value("Name").await, "Night shift");
    assert_eq!(browser.evaluate("return document.querySelectorAll('[name=permission]:checked').length").await, 1);
    ann.signs_in().await;
    assert!(!ann.get(org!("/permission-sets")).await.text().contains("Night shift"));
    browser.click("Create").await;
    browser.sees("The permission set is created").await;
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn a_form_is_kept_when_its_session_ends() {
    a_form_over_lunch(true).await;
}

#[actix_web::test]
async fn a_form_is_kept_when_its_session_ends_without_javascript() {
    a_form_over_lunch(false).await;
}

/// A confirmation in a dialog is shown again as a page.
#[actix_web::test]
async fn a_dialog_becomes_a_page_when_its_session_ends() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    let key = ann.makes_token("Power BI").await;
    browser.go(&format!("/account/tokens/{}", ann.token_id("Power BI").await)).await;
    browser.click("Revoke token").await;
    browser.sees("Revoke “Power BI”?").await;
    ann.post("/sign-out", &[]).await;
    browser.click("Revoke token").await;
    browser.sees("Your session has ended, so nothing has been saved.").await;
    assert_eq!(app.me(&key).await.status, 200);
    sign_in(&browser).await;
    browser.sees("Revoke “Power BI”?").await;
    browser.click("Revoke token").await;
    browser.sees("“Power BI” is revoked").await;
    assert_eq!(app.me(&key).await.status, 401);
}

#[actix_web::test]
async fn one_browser_is_signed_in_at_two_installations_on_one_host() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    let (neighbour, other) = TestApp::with_user(TestDb::sqlite(), "Ben").await;
    bring(&other, &browser).await;
    for _ in 0..2 {
        browser.go("/account/profile").await;
        assert_eq!(browser.value("E-mail address").await, "ann@example.org");
        browser.driver().goto(format!("{}/account/profile", neighbour.url)).await.expect("a page");
        assert_eq!(browser.value("E-mail address").await, "ben@example.org");
    }
    browser.click("Ben").await;
    browser.click("Sign out").await;
    browser.sees("You are signed out.").await;
    browser.go("/account/profile").await;
    assert_eq!(browser.value("E-mail address").await, "ann@example.org");
    assert_eq!(ann.get("/account/profile").await.status, 200);
}
