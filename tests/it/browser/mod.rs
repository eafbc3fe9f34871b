//! People at browsers: what they do, step by step, and what they see. On SQLite only; what a page means for the database
//! is tested on both without a browser.

mod coming_back;
mod cors;
mod first_document;
mod key;
mod keyboard;
mod leaving;
mod pages;
mod second_document;
mod texts;
mod theme;
mod twice;

use crate::harness::{Browser, PASSWORD, Person, Setup, TestApp, TestDb};

/// What a browser that complains of nothing says.
const NOTHING: [&str; 0] = [];

/// A Jeton with its administrator Ann, who sits at a browser and is signed in. The same session is hers in `Person`, which
/// stands in for another tab.
async fn ann_at(setup: Setup) -> (TestApp, Person, Browser) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let browser = Browser::with(&app.url, setup).await;
    bring(&ann, &browser).await;
    (app, ann, browser)
}

/// Takes the session of `person` to a browser.
async fn bring(person: &Person, browser: &Browser) {
    let (name, value) = person.cookie("jeton").expect("somebody signed in");
    browser.takes_cookie(&name, &value).await;
}

/// Ann's pages follow the language of her browser, and no longer that in which she set Jeton up.
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

/// Each answer takes this long, as over a bad line.
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

/// Makes a read-only token in the browser, in English, and stays on the page with its key, which it returns.
async fn generate(browser: &Browser, label: &str) -> String {
    browser.go("/account/tokens/new").await;
    browser.fill("Label", label).await;
    browser.click("Generate").await;
    browser.sees("is ready").await;
    key_shown(browser).await
}

/// The key on the page, as a person reads it.
async fn key_shown(browser: &Browser) -> String {
    let key = browser.evaluate("return document.querySelector('output').innerText").await;
    let key = key.as_str().expect("a key").to_owned();
    assert!(key.starts_with("jtn_") && key.len() == 44, "{key}");
    key
}

/// How many active tokens Ann has, as her list says it.
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
