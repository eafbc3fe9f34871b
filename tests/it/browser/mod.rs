//! People at browsers: what they do, step by step, and what they see. On SQLite only; the effects of a page on the
//! database are tested on both without a browser.

mod cors;
mod developers;
mod first_document;
mod inspections;
mod kept_form;
mod key;
mod keyboard;
mod leaving;
mod pages;
mod second_document;
mod sharing;
mod texts;
mod theme;
mod twice;

use crate::harness::{Browser, PASSWORD, Person, Setup, TestApp, TestDb};

/// The complaints of a browser without any.
const NOTHING: [&str; 0] = [];

/// Starts a server with its administrator Ann, who is signed in at a browser. Her `Person` has the same session, and
/// stands for another tab.
async fn ann_at(setup: Setup) -> (TestApp, Person, Browser) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let browser = Browser::with(&app.url, setup).await;
    bring(&ann, &browser).await;
    (app, ann, browser)
}

/// Gives the session of `person` to a browser.
async fn bring(person: &Person, browser: &Browser) {
    let (name, value) = person.cookie("jeton").expect("somebody signed in");
    browser.takes_cookie(&name, &value).await;
}

/// Makes Ann's pages follow the language of her browser, instead of the one in which she set up the server.
async fn speaks_as_the_browser(ann: &Person) {
    let profile = [
        ("name", "Ann"),
        ("email", &*ann.email),
        ("language", ""),
        ("time_zone", "Africa/Bamako"),
        ("theme", "system"),
    ];
    let answer = ann.post("/account/profile", &profile).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

/// Delays each answer by this time, as on a slow connection.
async fn over_a_slow_line(browser: &Browser, milliseconds: u32) {
    network(browser, serde_json::json!({ "offline": false, "latency": milliseconds })).await;
}

async fn network(browser: &Browser, mut conditions: serde_json::Value) {
    for way in ["downloadThroughput", "uploadThroughput"] {
        conditions[way] = (-1).into();
    }
    let set = browser.driver().cdp().send_raw("Network.emulateNetworkConditions", conditions).await;
    set.expect("the network changes");
}

/// Creates a read-only token in the browser, in English, and stays on the page with its key, which it returns.
async fn generate(browser: &Browser, label: &str) -> String {
    browser.go("/account/tokens/new").await;
    browser.fill("Label", label).await;
    browser.click("Generate").await;
    browser.sees("is ready").await;
    key_shown(browser).await
}

/// Returns the key on the page, as a person reads it.
async fn key_shown(browser: &Browser) -> String {
    let key = browser.evaluate("return document.querySelector('output').innerText").await;
    let key = key.as_str().expect("a key").to_owned();
    assert!(key.starts_with("jtn_") && key.len() == 44, "{key}");
    key
}

/// Returns how many active tokens Ann has, as her list says.
async fn active_tokens(ann: &Person) -> usize {
    let list = ann.get("/account/tokens").await.text();
    if list.contains("Your first API token") {
        return 0;
    }
    let before = list.split(" of 10").next().expect("a count");
    before.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count in: {list}"))
}

/// Signs in on the page that is open, in English.
async fn sign_in(browser: &Browser) {
    browser.fill("E-mail address", "ann@example.org").await;
    browser.fill("Password", PASSWORD).await;
    browser.click("Sign in").await;
}
