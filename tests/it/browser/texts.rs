//! Typing into a real browser: keys stay out of addresses, and equivalent texts are the same.

use super::{ann_at, bring, speaks_as_the_browser};
use crate::harness::{Browser, PASSWORD, Setup, TestApp, TestDb, USERS, another_key, org};

const INVENTORY: &str = org!("/integrations/inventory");

/// Returns every address that this tab has visited or requested, including requests of scripts.
async fn addresses(browser: &Browser) -> String {
    let script =
        "return [location.href, document.referrer, ...performance.getEntries().map((entry) => entry.name)].join(' ')";
    browser.evaluate(script).await.as_str().expect("addresses").to_owned()
}

#[actix_web::test]
async fn a_key_pasted_into_a_search_finds_its_token_and_is_in_no_address() {
    for javascript in [true, false] {
        let (_app, ann, browser) = ann_at(Setup { javascript, ..Setup::default() }).await;
        let key = ann.makes_token("Power BI").await;
        let service = ann.makes_service_token("Workato").await;
        let id = ann.token_id("Power BI").await;
        browser.go(INVENTORY).await;
        browser.fill("Search", &key).await;
        if !javascript {
            browser.click("Show").await;
        }
        browser.is_at(&format!("{INVENTORY}?search={id}")).await;
        browser.sees("Power BI").await;
        assert!(!addresses(&browser).await.contains(&key[6..20]));
        browser.go(USERS).await;
        browser.fill("Search by name or e-mail address", &service).await;
        if !javascript {
            browser.click("Search").await;
        }
        browser.is_at(&ann.service_token("Workato").await).await;
        browser.go(USERS).await;
        browser.fill("Search by name or e-mail address", &another_key()).await;
        if !javascript {
            browser.click("Search").await;
        }
        browser.sees("That was an API key.").await;
        // The way back leads through no address with a key either.
        for _ in 0..3 {
            browser.back().await;
            assert!(!browser.path().await.contains("jtn_"), "{}", browser.path().await);
            assert!(!addresses(&browser).await.contains("jtn_"));
        }
        assert_eq!(browser.complaints().await, super::NOTHING);
    }
}

#[actix_web::test]
async fn a_list_is_searched_while_typing_and_its_address_follows() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    speaks_as_the_browser(&ann).await;
    ann.makes_token("Entrepôt de Ségou").await;
    ann.makes_token("Power BI").await;
    browser.go(INVENTORY).await;
    browser.fill("Search", "SEGOU entrepo\u{302}t").await;
    browser.sees_no("Power BI").await;
    browser.sees("Entrepôt de Ségou").await;
    let path = browser.path().await;
    assert!(path.starts_with(&format!("{INVENTORY}?search=SEGOU+entrep")), "{path}");
    browser.reload().await;
    browser.sees("Entrepôt de Ségou").await;
    browser.sees_no("Power BI").await;
    // In the log each choice is a step to go back by.
    browser.go(org!("/activity")).await;
    browser.fill("Kind", "Token created").await;
    browser.sees_no("signed in").await;
    browser.is_at(org!("/activity?kind=token.created")).await;
    browser.back().await;
    browser.is_at(org!("/activity")).await;
    assert_eq!(browser.complaints().await, super::NOTHING);
    drop(app);
}

#[actix_web::test]
async fn a_user_signs_in_with_an_umlaut_in_the_domain() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let link = ann.invites("claire@exämple.org", "Reader").await;
    let browser = Browser::new(&app.url).await;
    browser.go(&link).await;
    browser.sees("claire@exämple.org").await;
    browser.fill("Name", "Claire").await;
    browser.fill("Password", PASSWORD).await;
    browser.click("Join").await;
    browser.sees("API tokens").await;
    let browser = Browser::new(&app.url).await;
    browser.go("/sign-in").await;
    // Chromium itself makes xn--exmple-cua.org of it.
    browser.fill("E-mail address", "claire@exämple.org").await;
    browser.fill("Password", PASSWORD).await;
    browser.click("Sign in").await;
    browser.sees("API tokens").await;
    browser.go("/account/profile").await;
    browser.click("Save").await;
    browser.sees("saved").await;
    assert_eq!(browser.complaints().await, super::NOTHING);
}

#[actix_web::test]
async fn a_field_names_an_invisible_character_and_refuses_an_api_key() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    let key = ann.makes_token("Power BI").await;
    bring(&ann, &browser).await;
    browser.go("/account/tokens/new").await;
    for (typed, said) in [
        ("Power\u{200b} BI", "This contains an invisible character (U+200B)."),
        ("\u{2060}", "Enter a label"),
        (&*key, "This is an API key, and others could read it here."),
    ] {
        browser.fill("Label", typed).await;
        browser.click("Generate").await;
        browser.sees(said).await;
    }
    browser.fill("Label", "👩‍🚀 Équipe").await;
    browser.click("Generate").await;
    browser.sees("is ready").await;
    browser.sees("👩‍🚀 Équipe").await;
}
