//! The same thing twice: a double click, two tabs.

use super::{NOTHING, active_tokens, ann_at, key_shown, over_a_slow_line};
use crate::harness::{Person, Setup};
use thirtyfour::Key;

#[actix_web::test]
async fn a_double_click_creates_one_token_and_shows_its_key() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    browser.go("/account/tokens/new").await;
    browser.fill("Label", "Power BI").await;
    browser.double_click("Generate").await;
    browser.sees("is ready").await;
    let key = key_shown(&browser).await;
    assert_eq!(app.me(&key).await.status, 200);
    assert_eq!(active_tokens(&ann).await, 1);
}

/// The first answer may be lost to the second click; then the page says so.
#[actix_web::test]
async fn a_double_click_creates_one_token_without_javascript() {
    let (_app, ann, browser) = ann_at(Setup { javascript: false, ..Setup::default() }).await;
    browser.go("/account/tokens/new").await;
    browser.fill("Label", "Power BI").await;
    browser.double_click("Generate").await;
    browser.is_at("/account/tokens").await;
    let page = browser.text().await;
    assert!(page.contains("is ready") || page.contains("This form was already sent"), "{page}");
    assert_eq!(active_tokens(&ann).await, 1);
}

/// The connection is slow and nothing seems to happen, so the button is pressed again: the first answer must not be
/// lost.
#[actix_web::test]
async fn a_later_second_click_creates_one_token_and_shows_its_key() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    browser.go("/account/tokens/new").await;
    browser.fill("Label", "Power BI").await;
    over_a_slow_line(&browser, 800).await;
    let twice = "const button = document.querySelector('main form [type=submit]');
        button.click();
        setTimeout(() => button.click(), 300)";
    browser.evaluate(twice).await;
    browser.sees("Power BI").await;
    browser.sees("is ready").await;
    let key = key_shown(&browser).await;
    assert_eq!(app.me(&key).await.status, 200);
    assert_eq!(active_tokens(&ann).await, 1);
}

#[actix_web::test]
async fn pressing_enter_twice_creates_one_token_and_shows_its_key() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    browser.go("/account/tokens/new").await;
    browser.fill("Label", "Power BI").await;
    over_a_slow_line(&browser, 400).await;
    browser.press(format!("{}{}", char::from(Key::Enter), char::from(Key::Enter)).as_str()).await;
    browser.sees("is ready").await;
    key_shown(&browser).await;
    assert_eq!(active_tokens(&ann).await, 1);
}

async fn with_one_token(setup: Setup) -> (crate::harness::TestApp, Person, crate::harness::Browser) {
    let (app, ann, browser) = ann_at(setup).await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    browser.go(&format!("/account/tokens/{id}")).await;
    browser.sees("Revoke token").await;
    (app, ann, browser)
}

#[actix_web::test]
async fn a_token_revoked_in_another_tab_is_shown_as_revoked() {
    for javascript in [true, false] {
        let (_app, other_tab, browser) = with_one_token(Setup { javascript, ..Setup::default() }).await;
        other_tab.revokes("Power BI").await;
        browser.click("Revoke token").await;
        browser.sees("An ended token cannot be restored.").await;
        browser.sees("0 of 10").await;
        assert_eq!(browser.complaints().await, NOTHING);
    }
}

#[actix_web::test]
async fn a_confirmation_already_given_in_another_tab_says_so() {
    for javascript in [true, false] {
        let (_app, other_tab, browser) = with_one_token(Setup { javascript, ..Setup::default() }).await;
        browser.click("Revoke token").await;
        browser.sees("Revoke “Power BI”?").await;
        other_tab.revokes("Power BI").await;
        browser.click("Revoke token").await;
        browser.sees("“Power BI” had already ended. It stays refused.").await;
        assert_eq!(browser.complaints().await, NOTHING);
    }
}

#[actix_web::test]
async fn revoking_several_that_another_tab_revoked_says_so() {
    for javascript in [true, false] {
        let (_app, other_tab, browser) = with_one_token(Setup { javascript, ..Setup::default() }).await;
        browser.go("/account/tokens").await;
        browser.click("Revoke several").await;
        browser.choose("The one active token").await;
        other_tab.revokes("Power BI").await;
        browser.click("Revoke tokens").await;
        browser.sees("No token was revoked: none matched your choice any more.").await;
        assert_eq!(browser.complaints().await, NOTHING);
    }
}

#[actix_web::test]
async fn the_choice_to_revoke_several_says_which_tokens_it_means() {
    for javascript in [true, false] {
        let (app, ann, browser) = ann_at(Setup { javascript, ..Setup::default() }).await;
        let keys = [ann.makes_token("Power BI").await, ann.makes_token("R scripts").await];
        browser.go("/account/tokens").await;
        browser.click("Revoke several").await;
        browser.sees("No token was unused for 90 days").await;
        browser.sees("All 2 active tokens").await;
        browser.sees("Power BI").await;
        browser.choose("All 2 active tokens").await;
        browser.click("Revoke tokens").await;
        browser.sees("2 tokens are revoked. They are refused from now on.").await;
        for key in &keys {
            assert_eq!(app.me(key).await.status, 401);
        }
        assert_eq!(browser.complaints().await, NOTHING);
    }
}

/// A tab that was open while its user signed out and in again.
#[actix_web::test]
async fn a_form_from_an_earlier_session_changes_nothing_and_is_shown_again() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    browser.go("/account/tokens/new").await;
    browser.fill("Label", "Power BI").await;
    ann.post("/sign-out", &[]).await;
    ann.signs_in().await;
    super::bring(&ann, &browser).await;
    browser.click("Generate").await;
    browser.sees("Nothing has been saved yet").await;
    assert_eq!(active_tokens(&ann).await, 0);
    assert_eq!(browser.value("Label").await, "Power BI");
    browser.click("Generate").await;
    browser.sees("is ready").await;
}
