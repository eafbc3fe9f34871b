//! The key is on the page that created it, and nowhere afterwards.

use super::{NOTHING, active_tokens, ann_at, generate, key_shown};
use crate::harness::{Browser, Setup, contains};
use std::path::Path;

/// Returns everything that a page can store in a browser, and everything that it shows, as one text.
const KEPT: &str = "const tried = (f) => { try { return JSON.stringify(f()) } catch (error) { return '' } };
    return [tried(() => ({...localStorage})), tried(() => ({...sessionStorage})), tried(() => history.state),
        tried(() => document.cookie), tried(() => window.name), location.href, document.title].join('\\n')";

/// Fails if any part of the key is on the page, in its source or in its storage.
async fn is_nowhere(browser: &Browser, key: &str, when: &str) {
    let kept = browser.evaluate(KEPT).await;
    let all = [browser.html().await, kept.as_str().expect("a text").to_owned()].concat();
    // The checksum's end, too: an abbreviated key is a part of a key.
    for part in [&key[6..18], &key[18..32], &key[32..]] {
        assert!(!all.contains(part), "{when}, a part of the key is left: {all}");
    }
}

/// Leaves the page with the key by this link, and searches for the key everywhere.
async fn after_leaving_by(link: &str, setup: Setup) {
    let (_app, ann, browser) = ann_at(setup).await;
    browser.go("/account/tokens").await;
    let key = generate(&browser, "Power BI").await;
    let kept = browser.evaluate(KEPT).await;
    assert!(!kept.as_str().unwrap().contains(&key[6..18]), "the page keeps it: {kept}");
    browser.click(link).await;
    browser.sees_no("is ready").await;
    is_nowhere(&browser, &key, link).await;
    browser.back().await;
    is_nowhere(&browser, &key, "after back").await;
    // In a browser that is driven, this sends a form again without asking.
    browser.reload().await;
    is_nowhere(&browser, &key, "after back and reload").await;
    browser.back().await;
    is_nowhere(&browser, &key, "after going back twice").await;
    browser.forward().await;
    is_nowhere(&browser, &key, "after forward").await;
    browser.forward().await;
    is_nowhere(&browser, &key, "after forward twice").await;
    assert_eq!(active_tokens(&ann).await, 1, "no form made another token");
}

#[actix_web::test]
async fn the_key_is_nowhere_after_leaving() {
    // The list has the same address as the page with the key and takes its place in the history; the profile does not.
    for link in ["I have saved the key", "Profile"] {
        after_leaving_by(link, Setup::default()).await;
    }
}

#[actix_web::test]
async fn the_key_is_nowhere_after_leaving_without_javascript() {
    for link in ["I have saved the key", "Profile"] {
        after_leaving_by(link, Setup { javascript: false, ..Setup::default() }).await;
    }
}

#[actix_web::test]
async fn reloading_the_page_with_the_key_creates_no_second_token() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    let key = generate(&browser, "Power BI").await;
    browser.reload().await;
    browser.sees("This form was already sent, and its token was created").await;
    is_nowhere(&browser, &key, "after reload").await;
    assert_eq!(active_tokens(&ann).await, 1);
    assert_eq!(browser.value("Label").await, "Power BI");
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn another_tab_does_not_get_the_key() {
    let (_app, _ann, browser) = ann_at(Setup::default()).await;
    let key = generate(&browser, "Power BI").await;
    browser.open_tab().await;
    browser.go("/account/tokens").await;
    is_nowhere(&browser, &key, "in another tab").await;
    browser.click("Power BI").await;
    browser.sees("Public ID").await;
    is_nowhere(&browser, &key, "beside the list").await;
}

/// A browser may keep a page that was left, to show it again on *back*.
#[actix_web::test]
async fn a_page_that_was_left_no_longer_has_the_key() {
    for event in ["new PageTransitionEvent('pagehide')", "new PageTransitionEvent('pageshow', { persisted: true })"] {
        let (_app, _ann, browser) = ann_at(Setup::default()).await;
        let key = generate(&browser, "Power BI").await;
        browser.evaluate(&format!("dispatchEvent({event})")).await;
        is_nowhere(&browser, &key, event).await;
        browser.sees("The key is no longer shown, because you left this page.").await;
    }
}

/// The key is not in the browser's history, its cache, or the files that reopen tabs after a crash either.
#[actix_web::test]
async fn the_profile_of_the_browser_has_no_key() {
    let (_app, _ann, browser) = ann_at(Setup::default()).await;
    let key = generate(&browser, "Power BI").await;
    browser.click("Copy to clipboard").await;
    browser.sees("Copied").await;
    browser.click("I have saved the key").await;
    browser.sees("1 of 10").await;
    let other = generate(&browser, "still on the screen").await;
    assert_eq!(key_shown(&browser).await, other);
    // Longer than Chromium waits before it writes down which tabs are open, and its history.
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    let profile = browser.close();

    let mut files = Vec::new();
    read_all(profile.path(), &mut files);
    let holders = |text: &str| -> Vec<&str> {
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let holds = |bytes: &[u8]| contains(bytes, text.as_bytes()) || contains(bytes, &wide);
        files.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name.as_str()).collect()
    };
    // What is searched is the real thing: it knows the pages, and which tabs are open.
    for (part, text) in [("History", "Your API token"), ("Sessions/", "/account/tokens"), ("Cache", "/static/app-")] {
        assert!(holders(text).iter().any(|name| name.contains(part)), "{text} is only in {:?}", holders(text));
    }
    for key in [key, other] {
        for part in [&key[6..18], &key[18..32], &key[32..]] {
            assert_eq!(holders(part), NOTHING, "a part of the key");
        }
    }
}

fn read_all(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            read_all(&path, files);
        } else if let Ok(bytes) = std::fs::read(&path) {
            files.push((path.display().to_string(), bytes));
        }
    }
}

const NO_CLIPBOARD: &str = "The text is selected. Press Ctrl+C (on a Mac ⌘C) to copy it.";

async fn selects_instead(browser: &Browser) {
    let key = generate(browser, "Power BI").await;
    browser.click("Copy to clipboard").await;
    browser.sees(NO_CLIPBOARD).await;
    browser.sees_no("Copied").await;
    assert_eq!(browser.evaluate("return getSelection().toString().trim()").await, key);
    browser.click("Copy example").await;
    // The browser refuses in its own time; until then the key is still selected.
    browser.until("return getSelection().toString().trim().startsWith('curl -H \"Authorization: Bearer')").await;
    assert!(browser.axe().await.is_empty());
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn without_a_clipboard_the_key_is_selected() {
    let (_app, _ann, browser) = ann_at(Setup { clipboard: false, ..Setup::default() }).await;
    selects_instead(&browser).await;
}

#[actix_web::test]
async fn with_a_clipboard_that_is_refused_the_key_is_selected() {
    let (_app, _ann, browser) = ann_at(Setup::default()).await;
    let refused = serde_json::json!({ "permission": { "name": "clipboard-write" }, "setting": "denied" });
    browser.driver().cdp().send_raw("Browser.setPermission", refused).await.unwrap();
    selects_instead(&browser).await;
}
