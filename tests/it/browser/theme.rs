//! Light and dark.

use super::{NOTHING, ann_at, generate, key_shown, network};
use crate::harness::{Browser, Setup};

/// Returns how bright the page is behind its text, from 0 to 1.
async fn brightness(browser: &Browser) -> f64 {
    let script = "const c = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        c.fillStyle = getComputedStyle(document.body).backgroundColor; c.fillRect(0, 0, 1, 1);
        return c.getImageData(0, 0, 1, 1).data[0] / 255";
    browser.evaluate(script).await.as_f64().expect("a number")
}

async fn is_dark(browser: &Browser) {
    assert!(brightness(browser).await < 0.2, "the page is dark");
}

async fn is_light(browser: &Browser) {
    assert!(brightness(browser).await > 0.9, "the page is light");
}

async fn switches(javascript: bool) {
    let (_app, _ann, browser) = ann_at(Setup { javascript, ..Setup::default() }).await;
    browser.go("/account/sessions").await;
    is_light(&browser).await;
    browser.set_dark(true).await;
    is_dark(&browser).await;
    for (name, other) in [("Light", "Dark"), ("Dark", "Light"), ("Light", "Dark")] {
        browser.click("Ann").await;
        browser.click(name).await;
        // Loading again before the answer is there would give the answer up.
        pressed(&browser, name).await;
        if javascript {
            browser.sees(other).await; // The menu stays open, to compare.
            look(&browser, name).await;
        }
        browser.reload().await;
        browser.is_at("/account/sessions").await;
        look(&browser, name).await;
        pressed(&browser, name).await;
    }
    browser.click("Ann").await;
    browser.click("System").await;
    pressed(&browser, "System").await;
    is_dark(&browser).await;
    browser.set_dark(false).await;
    is_light(&browser).await;
    assert_eq!(browser.complaints().await, NOTHING);
}

async fn look(browser: &Browser, theme: &str) {
    if theme == "Dark" { is_dark(browser).await } else { is_light(browser).await }
}

/// Waits until the switch shows this theme.
async fn pressed(browser: &Browser, name: &str) {
    let pressed = "document.querySelector('[name=theme][aria-pressed=true]')?.textContent";
    browser.until(&format!("return {pressed} === '{name}'")).await;
}

#[actix_web::test]
async fn the_switch_takes_effect_immediately_and_stays() {
    switches(true).await;
}

#[actix_web::test]
async fn the_switch_works_without_javascript() {
    switches(false).await;
}

#[actix_web::test]
async fn switching_the_theme_keeps_the_key_on_the_page() {
    let (_app, _ann, browser) = ann_at(Setup::default()).await;
    let key = generate(&browser, "Power BI").await;
    browser.click("Ann").await;
    browser.click("Dark").await;
    pressed(&browser, "Dark").await;
    is_dark(&browser).await;
    assert_eq!(key_shown(&browser).await, key);
}

/// Without a network nothing changes, and a message says so.
#[actix_web::test]
async fn a_switch_that_cannot_be_saved_says_so() {
    let (_app, _ann, browser) = ann_at(Setup::default()).await;
    browser.go("/account/sessions").await;
    network(&browser, serde_json::json!({ "offline": true, "latency": 0 })).await;
    browser.click("Ann").await;
    browser.click("Dark").await;
    browser.sees("Jeton did not answer. Check your connection and try again.").await;
    is_light(&browser).await;
}
