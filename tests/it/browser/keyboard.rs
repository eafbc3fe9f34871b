//! The main tasks, with the keyboard alone.

use super::{NOTHING, ann_at, key_shown};
use crate::harness::{Browser, PASSWORD, Setup, TestApp, TestDb, org};
use thirtyfour::Key;

/// Returns the name of the focused element.
const FOCUSED: &str = "const e = document.activeElement;
    const label = e.labels?.[0]?.innerText.split('\\n')[0];
    return (label || e.getAttribute('aria-label') || e.innerText || '').replace(/\\s+/g, ' ').trim()";

async fn focused(browser: &Browser) -> String {
    browser.evaluate(FOCUSED).await.as_str().unwrap_or_default().to_owned()
}

/// Presses Tab until the element with this name has the focus, and checks that the focus is visible there.
pub async fn tab_to(browser: &Browser, name: &str) {
    let mut passed = Vec::new();
    while passed.len() < 60 {
        let now = focused(browser).await;
        if now == name || now.starts_with(name) {
            let outlined = "const e = document.activeElement; const box = e.closest('.choice, .segmented label, .selectable') ?? e;
                const drawn = [e, box].some((one) => getComputedStyle(one).outlineStyle !== 'none');
                const at = box.getBoundingClientRect();
                return drawn && at.width > 0 && at.top >= 0 && at.bottom <= innerHeight";
            assert_eq!(browser.evaluate(outlined).await, true, "the focus on {name} can be seen");
            return;
        }
        passed.push(now);
        browser.press(Key::Tab).await;
    }
    panic!("{name} is not reached by Tab, only: {passed:?}");
}

async fn enter(browser: &Browser, name: &str) {
    tab_to(browser, name).await;
    browser.press(Key::Enter).await;
}

#[actix_web::test]
async fn a_token_from_sign_in_to_revocation() {
    let (app, _) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let browser = Browser::new(&app.url).await;
    browser.go("/").await;
    assert_eq!(focused(&browser).await, "E-mail address", "the form has the focus at once");
    browser.press("ann@example.org").await;
    tab_to(&browser, "Password").await;
    browser.press(PASSWORD).await;
    browser.press(Key::Enter).await;
    browser.sees("Your first API token").await;

    browser.press(Key::Tab).await;
    assert_eq!(focused(&browser).await, "Skip to content");
    enter(&browser, "Account menu: A").await;
    browser.sees("ann@example.org").await;
    enter(&browser, "Account settings").await;
    browser.is_at("/account/profile").await;
    enter(&browser, "API tokens").await;
    browser.is_at("/account/tokens").await;
    enter(&browser, "Add").await;
    browser.is_at("/account/tokens/new").await;

    assert_eq!(focused(&browser).await, "Label");
    browser.press("Power BI").await;
    tab_to(&browser, "Read only").await;
    browser.press(Key::Down).await;
    assert_eq!(browser.value("Read & write").await, "true");
    browser.press(Key::Up).await;
    assert_eq!(browser.value("Read only").await, "true");
    tab_to(&browser, "45 days").await;
    browser.press(Key::Right).await;
    assert_eq!(browser.value("60 days").await, "true");
    enter(&browser, "Generate").await;
    browser.sees("is ready").await;
    let key = key_shown(&browser).await;
    enter(&browser, "Copy to clipboard").await;
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, key);
    assert_eq!(app.me(&key).await.status, 200);

    enter(&browser, "I have saved the key").await;
    enter(&browser, "Power BI").await;
    browser.sees("Public ID").await;
    enter(&browser, "Revoke token").await;
    browser.sees("Revoke “Power BI”?").await;
    in_dialog(&browser).await;
    browser.press(Key::Escape).await;
    browser.sees_no("Revoke “Power BI”?").await;
    assert_eq!(focused(&browser).await, "Revoke token", "back where it was opened");
    browser.press(Key::Enter).await;
    browser.sees("Revoke “Power BI”?").await;
    for _ in 0..4 {
        in_dialog(&browser).await;
        browser.press(Key::Tab).await;
    }
    enter(&browser, "Cancel").await;
    browser.sees_no("Revoke “Power BI”?").await;
    assert_eq!(focused(&browser).await, "Revoke token");
    browser.press(Key::Enter).await;
    browser.sees("Revoke “Power BI”?").await;
    enter(&browser, "Revoke token").await;
    browser.sees("“Power BI” is revoked.").await;
    assert_eq!(app.me(&key).await.status, 401);
    assert_eq!(browser.complaints().await, NOTHING);
}

/// The focus is in the dialog, or has moved to the browser's own toolbar; it is never behind the dialog.
async fn in_dialog(browser: &Browser) {
    let script = "const e = document.activeElement; return e === document.body || Boolean(e.closest('dialog[open]'))";
    assert_eq!(browser.evaluate(script).await, true, "{} has the focus", focused(browser).await);
}

#[actix_web::test]
async fn a_dialog_does_not_focus_the_destructive_button() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    ann.makes_token("Power BI").await;
    browser.go(&format!("/account/tokens/{}", ann.token_id("Power BI").await)).await;
    browser.click("Revoke token").await;
    browser.sees("Revoke “Power BI”?").await;
    let inside = browser.evaluate("return Boolean(document.activeElement.closest('dialog:modal'))").await;
    assert_eq!(inside, true, "{}", focused(&browser).await);
    assert_ne!(focused(&browser).await, "Revoke token", "Enter by mistake revokes nothing");
    browser.click("Cancel").await;
    browser.click("Revoke several").await;
    browser.sees("Which tokens?").await;
    browser.press(Key::Escape).await;
    browser.sees_no("Which tokens?").await;
    assert_eq!(focused(&browser).await, "Revoke several");
}

/// After a form was refused, the field with the problem has the focus.
#[actix_web::test]
async fn a_refused_form_focuses_the_first_wrong_field() {
    let (_app, _ann, browser) = ann_at(Setup::default()).await;
    browser.go("/account/tokens/new").await;
    browser.press(Key::Enter).await;
    browser.sees("Enter a label").await;
    assert_eq!(focused(&browser).await, "Label");
    let described = "const e = document.activeElement; return document.getElementById(e.getAttribute('aria-describedby').split(' ')[0]).innerText";
    assert!(browser.evaluate(described).await.as_str().unwrap().starts_with("Enter a label"));
    browser.go("/account/security").await;
    tab_to(&browser, "New password").await;
    browser.press("short").await;
    browser.press(Key::Enter).await;
    browser.sees("Enter your password.").await;
    assert_eq!(focused(&browser).await, "Current password");
}

#[actix_web::test]
async fn the_skip_link_leads_past_the_navigation() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    ann.makes_token("Power BI").await;
    browser.go("/account/tokens").await;
    browser.press(Key::Tab).await;
    browser.press(Key::Enter).await;
    browser.press(Key::Tab).await;
    assert_eq!(focused(&browser).await, "Add");
}

#[actix_web::test]
async fn the_inventory_is_searched_while_typing_and_keeps_the_focus() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    ann.makes_token("Power BI").await;
    ann.makes_token("R scripts").await;
    const ALL: &str = org!("/integrations/inventory");
    browser.go(ALL).await;
    tab_to(&browser, "Search").await;
    browser.press("power").await;
    browser.sees_no("R scripts").await;
    browser.sees("Power BI").await;
    assert_eq!(focused(&browser).await, "Search");
    assert_eq!(browser.value("Search").await, "power");
    browser.until("return location.search.includes('search=power')").await;
    browser.reload().await;
    browser.sees("Power BI").await;
    browser.sees_no("R scripts").await;
    // A name is looked for as a whole: not before it is there.
    tab_to(&browser, "Owner").await;
    browser.press("An").await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    browser.sees("Power BI").await;
    browser.press("n").await;
    browser.press(Key::Tab).await;
    browser.sees("Power BI").await;
    browser.is_at(&format!("{ALL}?search=power&owner=Ann")).await;
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn a_table_is_sorted_by_its_heads_and_keeps_the_focus() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    for label in ["Beta", "Alpha"] {
        ann.makes_token(label).await;
    }
    const ALL: &str = "/orgs/croix-bleue-sahel/integrations/inventory";
    browser.go(&format!("{ALL}?state=active")).await;
    for (order, direction) in [("name", "ascending"), ("-name", "descending")] {
        tab_to(&browser, "Name").await;
        browser.press(Key::Enter).await;
        let is_sorted = format!("Boolean(document.querySelector('[aria-sort={direction}] #sort-name:focus'))");
        browser.until(&format!("return {is_sorted}")).await;
        browser.is_at(&format!("{ALL}?state=active&sort={order}")).await;
    }
    browser.press(Key::Tab).await;
    assert_eq!(focused(&browser).await, "Last used", "the order of the columns");
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn the_inventory_is_searched_without_scripts() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    ann.makes_token("Power BI").await;
    ann.makes_token("R scripts").await;
    let browser = Browser::without_javascript(&app.url).await;
    super::bring(&ann, &browser).await;
    browser.go(org!("/integrations/inventory")).await;
    browser.fill("Search", "power").await;
    browser.click("Show").await;
    browser.sees_no("R scripts").await;
    browser.sees("Power BI").await;
}
