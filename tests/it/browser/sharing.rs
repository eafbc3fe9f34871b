//! Sharing an item, and walking through a list of items, at a browser.

use super::{NOTHING, ann_at, bring};
use crate::harness::{Browser, Setup, TestApp, TestDb, org};
use crate::items::{at, make};
use domain::permission::BuiltInSet;
use thirtyfour::Key;

const ASSETS: &str = org!("/items/assets");

/// Creates a fridge of Ann's and a group with Ben in it.
async fn fridge(app: &TestApp, ann: &crate::harness::Person) -> String {
    app.add_user("Ben", BuiltInSet::Standard).await;
    let group = ann.post(org!("/groups"), &[("name", "Mopti team")]).await;
    let group = group.header("location").trim_end_matches("?notice=created").to_owned();
    assert_eq!(ann.post(&format!("{group}/members"), &[("people", "ben")]).await.status, 303);
    let item = make(&app.jeton, &at(app, ann).await, "assets", "Fridge").await;
    format!("{ASSETS}/{}", item.public_id)
}

#[actix_web::test]
async fn an_item_is_shared_in_a_dialog_with_the_keyboard_alone() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    let page = fridge(&app, &ann).await;
    browser.go(&page).await;
    browser.evaluate("document.querySelector('[href$=\"/share\"]').focus()").await;
    browser.press(Key::Enter).await;
    browser
        .until("return document.activeElement.id === 'find' && Boolean(document.activeElement.closest('dialog:modal'))")
        .await;
    browser.press("mop").await;
    browser.until("return document.querySelectorAll('#sharing [name=with]').length === 1").await;
    // Enter searches; it does not share yet, nor leave the dialog.
    browser.press(Key::Enter).await;
    browser.press(Key::Tab).await;
    browser.press(Key::Space).await;
    browser.sees("1 more will be able to view: Ben").await;
    browser.until("return document.activeElement.name === 'with'").await;
    browser.press(Key::Tab).await;
    browser.until("return document.activeElement.name === 'level'").await;
    browser.press(Key::Right).await;
    browser.sees("1 more will be able to edit: Ben").await;
    browser.until("return document.activeElement.id === 'level-edit' && document.activeElement.checked").await;
    browser.press(Key::Tab).await;
    browser.press(Key::Tab).await;
    browser.press(Key::Enter).await;
    browser.sees("It is shared.").await;
    browser.sees("Group Mopti team").await;
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn an_item_is_shared_and_the_share_ended_without_scripts() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let page = fridge(&app, &ann).await;
    let browser = Browser::without_javascript(&app.url).await;
    bring(&ann, &browser).await;
    browser.go(&page).await;
    browser.click("Share").await;
    browser.fill("Share with", "mopti").await;
    browser.click("Search").await;
    browser.choose("Mopti team").await;
    browser.click("Search").await;
    browser.sees("1 more will be able to view: Ben").await;
    browser.click("Share").await;
    browser.sees("It is shared.").await;
    browser.click("End the share with group Mopti team").await;
    browser.sees("1 loses all access.").await;
    browser.click("End the share").await;
    browser.sees("The share has ended.").await;
}

#[actix_web::test]
async fn single_keys_walk_through_a_list_unless_somebody_types_or_has_switched_them_off() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    let by = at(&app, &ann).await;
    for name in ["Fridge", "Pump"] {
        make(&app.jeton, &by, "assets", name).await;
        app.clock.advance(1);
    }
    let focus = "return document.activeElement.innerText ?? ''";
    browser.go(ASSETS).await;
    for (key, name) in [("j", "Pump"), ("j", "Fridge"), ("j", "Fridge"), ("k", "Pump")] {
        browser.press(key).await;
        assert_eq!(browser.evaluate(focus).await, name, "{key}");
    }
    browser.press("/").await;
    browser.until("return document.activeElement.id === 'q'").await;
    browser.press("jk/").await;
    assert_eq!(browser.value("Search by name").await, "jk/", "whoever types, types");
    browser.go(ASSETS).await;
    browser.press("j").await;
    browser.press(Key::Enter).await;
    browser.sees("You can manage this.").await;
    browser.go("/account/profile").await;
    browser.unchoose("Single keys in lists").await;
    browser.click("Save").await;
    browser.sees("Your profile is saved.").await;
    browser.go(ASSETS).await;
    browser.press("j").await;
    assert_eq!(browser.evaluate("return document.activeElement === document.body").await, true);
    assert_eq!(browser.complaints().await, NOTHING);
}
