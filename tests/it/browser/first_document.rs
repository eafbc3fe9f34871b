//! The steps of the first document, in its words; in English from the very first start on.

use super::{NOTHING, key_shown, speaks_as_the_browser};
use crate::harness::{Browser, PASSWORD, Setup, TestApp, TestDb};
use domain::user::SHORTEST_PASSWORD;
use thirtyfour::{By, Key};

#[actix_web::test]
async fn the_first_document_in_french() {
    let (app, browser) = signed_in_in_french(true).await;
    let key = french_key(&browser).await;
    browser.click("Copier dans le presse-papier").await;
    browser.sees("Copié").await;
    assert_eq!(browser.clipboard().await, key);
    french_use_and_revocation(&app, &browser, &key).await;
}

#[actix_web::test]
async fn the_first_document_in_french_without_javascript() {
    let (app, browser) = signed_in_in_french(false).await;
    let key = french_key(&browser).await;
    // Nothing could happen when it is pressed; the key is selected as a whole by one click.
    browser.sees_no("Copier dans le presse-papier").await;
    browser.driver().find(By::Css("output")).await.unwrap().click().await.unwrap();
    assert_eq!(browser.evaluate("return getSelection().toString().trim()").await, key);
    french_use_and_revocation(&app, &browser, &key).await;
}

async fn signed_in_in_french(javascript: bool) -> (TestApp, Browser) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let browser = Browser::with(&app.url, Setup { javascript, language: "fr", ..Setup::default() }).await;
    browser.go("/").await;
    browser.fill("Adresse e-mail", "ann@example.org").await;
    browser.fill("Mot de passe", PASSWORD).await;
    browser.click("Se connecter").await;
    browser.is_at("/account/tokens").await;
    (app, browser)
}

async fn french_settings(browser: &Browser) {
    // «Cliquez sur le profil de l'utilisateur et sélectionnez « Paramètres du compte ».»
    browser.click("Ann").await;
    browser.click("Paramètres du compte").await;
    // «Sélectionnez « Jetons API » dans le panneau de navigation de gauche.»
    browser.click("Jetons API").await;
    is_right_of(browser, "main", ".subnav").await;
}

/// Up to «Générer»; returns the key.
async fn french_key(browser: &Browser) -> String {
    browser.sees("Votre premier jeton API").await;
    french_settings(browser).await;
    // «Cliquez sur « Ajouter ».»
    browser.click("Ajouter").await;
    // «Nommez le jeton en remplissant le champ Étiquette.»
    browser.fill("Étiquette", "Power BI, portable du bureau").await;
    // «Choisissez la portée du jeton en sélectionnant « Lecture seule » ou « Lecture & écriture ».»
    browser.sees("Portée").await;
    browser.sees("Autorise les applications externes à lire uniquement les données de votre compte.").await;
    browser.sees("non seulement à lire vos données, mais aussi").await;
    assert_eq!(browser.value("Lecture seule").await, "true");
    browser.choose("Lecture & écriture").await;
    browser.choose("Lecture seule").await;
    // «Cliquez sur « Générer ».»
    browser.click("Générer").await;
    browser.sees("Copiez la clé API maintenant.").await;
    browser.sees("Une fois que vous quittez cette page").await;
    key_shown(browser).await
}

async fn french_use_and_revocation(app: &TestApp, browser: &Browser, key: &str) {
    let with_curl = [("authorization", &*format!("Bearer {key}")), ("user-agent", "curl/8.5.0")];
    let me = app.send("GET", "/api/v1/me", &with_curl, "").await;
    assert_eq!(me.status, 200);
    assert_eq!(me.json()["token"]["label"], "Power BI, portable du bureau");

    french_settings(browser).await;
    assert!(!browser.html().await.contains(key));
    browser.sees("1 sur 10").await;
    // «Sélectionnez le jeton que vous souhaitez révoquer.»
    browser.click("Power BI, portable du bureau").await;
    // «Cliquez sur le bouton « Révoquer le jeton » dans le panneau de droite.»
    is_right_of(browser, "#panel", ".token-list").await;
    browser.click("Révoquer le jeton").await;
    browser.sees("Révoquer « Power BI, portable du bureau » ?").await;
    browser.sees("Dernière utilisation : à l’instant, depuis 127.0.0.1, par curl 8.5.0.").await;
    browser.sees("C’est irréversible.").await;
    assert_eq!(app.me(key).await.status, 200, "not before it is confirmed");
    browser.click("Révoquer le jeton").await;
    browser.sees("« Power BI, portable du bureau » est révoqué. Il est refusé dès maintenant.").await;
    assert_eq!(app.me(key).await.status, 401);
    browser.sees("0 sur 10").await;
    // «Un jeton révoqué ne peut pas être restauré.»
    browser.click("Power BI, portable du bureau").await;
    browser.sees("Un jeton qui a pris fin ne peut pas être restauré.").await;
    browser.sees_no("Révoquer le jeton").await;
    assert_eq!(browser.complaints().await, NOTHING);
}

async fn is_right_of(browser: &Browser, one: &str, other: &str) {
    let edge = |css: &str, side: &str| format!("document.querySelector('{css}').getBoundingClientRect().{side}");
    let script = format!("return {} >= {}", edge(one, "left"), edge(other, "right"));
    assert_eq!(browser.evaluate(&script).await, true, "{one} is right of {other}");
}

#[actix_web::test]
async fn from_the_printed_link_to_a_revoked_token() {
    from_the_printed_link(true).await;
}

#[actix_web::test]
async fn from_the_printed_link_to_a_revoked_token_without_javascript() {
    from_the_printed_link(false).await;
}

async fn from_the_printed_link(javascript: bool) {
    let app = TestApp::start(TestDb::sqlite()).await;
    let browser = Browser::with(&app.url, Setup { javascript, ..Setup::default() }).await;
    browser.go("/").await;
    browser.sees("Jeton is not set up yet").await;

    let printed = format!("/setup?code={}", app::setup::code(&app.jeton));
    browser.go(&printed).await;
    browser.fill("Name", "Ann").await;
    browser.fill("E-mail address", "ann@example.org").await;
    browser.fill("Organization", "Croix-Bleue Sahel").await;
    browser.fill("Password", "short").await;
    browser.click("Set up").await;
    browser.sees(&format!("Use {SHORTEST_PASSWORD} characters or more.")).await;
    assert_eq!(browser.value("Organization").await, "Croix-Bleue Sahel");
    assert_eq!(browser.value("Password").await, "");
    browser.fill("Password", PASSWORD).await;
    browser.click("Set up").await;

    browser.sees("Your first API token").await;
    browser.click("Ann").await;
    browser.sees("ann@example.org").await;
    browser.click("Account settings").await;
    browser.click("API tokens").await;
    browser.click("Add").await;
    browser.click("Generate").await;
    browser.sees("Enter a label").await;
    browser.fill("Label", "Power BI").await;
    browser.choose("Read & write").await;
    browser.choose("180 days").await;
    browser.click("Generate").await;
    browser.sees("Copy the API key now.").await;
    let key = key_shown(&browser).await;
    if javascript {
        browser.click("Copy to clipboard").await;
        browser.sees("Copied").await;
        assert_eq!(browser.clipboard().await, key);
    }
    browser.click("Python").await;
    browser.sees(&format!("\"Authorization\": \"Bearer {key}\"")).await;
    browser.sees(&format!("\"{}/api/v1/me\"", app.url)).await;

    let me = app.me(&key).await;
    assert_eq!((me.status, &me.json()["scope"]), (200, &"read write".into()), "{}", me.body);
    browser.click("I have saved the key").await;
    browser.sees("1 of 10").await;
    browser.click("Power BI").await;
    browser.click("Revoke token").await;
    browser.sees("This cannot be undone.").await;
    browser.click("Revoke token").await;
    browser.sees("“Power BI” is revoked. It is refused from now on.").await;
    assert_eq!(app.me(&key).await.status, 401);

    browser.go(&printed).await;
    browser.sees("Page not found").await;
    assert_eq!(browser.complaints().await, NOTHING);
}

/// Many people use the keyboard: a menu opens and closes by its keys, even without JavaScript.
#[actix_web::test]
async fn the_profile_menu_closes_by_escape_without_javascript() {
    let (_app, _ann, browser) = super::ann_at(Setup { javascript: false, ..Setup::default() }).await;
    browser.go("/account/tokens").await;
    browser.click("Ann").await;
    browser.sees("ann@example.org").await;
    browser.press(Key::Escape).await;
    browser.sees_no("ann@example.org").await;
}
