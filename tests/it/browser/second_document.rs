//! The steps of the second document, in its words, section by section; in English, too, and without JavaScript.

use super::{NOTHING, ann_at, key_shown, speaks_as_the_browser};
use crate::harness::{Browser, Setup, TestApp, service::TOKENS};
use thirtyfour::{By, Key};

/// The texts of the pages for the document's steps, in one language.
struct Words {
    language: &'static str,
    integrations: &'static str,
    tab: &'static str,
    create: &'static str,
    name: &'static str,
    days: [&'static str; 2],
    one_permission: &'static str,
    submit: &'static str,
    saved_key: &'static str,
    edit_name: &'static str,
    edit_expiry: &'static str,
    edit_permissions: &'static str,
    save: &'static str,
    saved: &'static str,
    under: &'static str,
    revoke: &'static str,
    revoked: &'static str,
    regenerate: &'static str,
    confirm: &'static str,
    more: &'static str,
    delete: &'static str,
    deleted: &'static str,
}

const FRENCH: Words = Words {
    language: "fr",
    integrations: "Intégrations",
    tab: "Jetons API",
    create: "Créer un jeton API",
    name: "Nom",
    days: ["45 jours", "180 jours"],
    one_permission: "Facturation",
    submit: "Créer un jeton",
    saved_key: "J’ai enregistré la clé",
    edit_name: "Modifier le nom",
    edit_expiry: "Modifier l’expiration pour inactivité",
    edit_permissions: "Modifier les autorisations",
    save: "Enregistrer les modifications",
    saved: "Les autorisations sont enregistrées.",
    under: "Jetons API d’utilisateurs de service",
    revoke: "Révoquer",
    revoked: "« Workato, stock » est révoqué. Il est refusé dès maintenant.",
    regenerate: "Régénérer",
    confirm: "Confirmer",
    more: "Autres actions pour",
    delete: "Supprimer",
    deleted: "Le jeton API est supprimé.",
};

const ENGLISH: Words = Words {
    language: "en",
    integrations: "Integrations",
    tab: "API tokens",
    create: "Create API token",
    name: "Name",
    days: ["45 days", "180 days"],
    one_permission: "Billing",
    submit: "Create token",
    saved_key: "I have saved the key",
    edit_name: "Change the name",
    edit_expiry: "Edit the inactivity expiry",
    edit_permissions: "Edit the permissions",
    save: "Save changes",
    saved: "The permissions are saved.",
    under: "Service user API tokens",
    revoke: "Revoke",
    revoked: "“Workato, stock” is revoked. It is refused from now on.",
    regenerate: "Regenerate",
    confirm: "Confirm",
    more: "More for",
    delete: "Delete",
    deleted: "The API token is deleted.",
};

#[actix_web::test]
async fn the_second_document_in_french() {
    the_document(&FRENCH, true).await;
}

#[actix_web::test]
async fn the_second_document_in_french_without_javascript() {
    the_document(&FRENCH, false).await;
}

#[actix_web::test]
async fn the_second_document_in_english() {
    the_document(&ENGLISH, true).await;
}

#[actix_web::test]
async fn the_second_document_in_english_without_javascript() {
    the_document(&ENGLISH, false).await;
}

async fn the_document(words: &Words, javascript: bool) {
    let setup = Setup { javascript, language: words.language, ..Setup::default() };
    let (app, ann, browser) = ann_at(setup).await;
    speaks_as_the_browser(&ann).await;
    let key = creates(&browser, words, javascript).await;
    edits(&app, &browser, words, &key).await;
    opens(&browser, words).await;
    // «Sous Jetons API de l'utilisateur du service, affichez la liste des jetons.»
    browser.sees(words.under).await;
    browser.sees("Workato, stock").await;
    revokes(&app, &browser, words, &key).await;
    let new = regenerates(&browser, words).await;
    assert_eq!((app.me(&key).await.status, app.me(&new).await.status), (401, 200));
    deletes(&app, &browser, words, &new).await;
    assert_eq!(browser.complaints().await, NOTHING);
}

/// «Cliquez sur le nom de votre organisation et sélectionnez Intégrations. Sélectionnez Jetons API dans l'onglet en haut de
/// la page.»
async fn opens(browser: &Browser, words: &Words) {
    browser.go("/account/tokens").await;
    browser.click("Croix-Bleue Sahel").await;
    browser.click(words.integrations).await;
    browser.click(words.tab).await;
    browser.is_at(TOKENS).await;
}

async fn creates(browser: &Browser, words: &Words, javascript: bool) -> String {
    opens(browser, words).await;
    browser.click(words.create).await;
    // «Entrez un nom pour le jeton API de l'utilisateur du service afin de décrire son objectif.»
    browser.fill(words.name, "Workato").await;
    // «Vous pouvez sélectionner 31, 45 (par défaut), 60 ou 180 jours.»
    assert_eq!(browser.value(words.days[0]).await, "true");
    browser.choose(words.days[1]).await;
    // «Toutes les autorisations sont sélectionnées par défaut.»
    let all = "return [...document.querySelectorAll('[name=permission]')].filter((box) => box.checked).length";
    assert_eq!(browser.evaluate(all).await, 21);
    browser.unchoose(words.one_permission).await;
    browser.click(words.submit).await;
    copied_key(browser, words, javascript).await
}

/// «Dans la fenêtre contextuelle, cliquez sur le jeton API pour le copier. Enregistrez le jeton en lieu sûr avant de fermer la
/// fenêtre.»
async fn copied_key(browser: &Browser, words: &Words, javascript: bool) -> String {
    browser.sees(words.saved_key).await;
    let key = key_shown(browser).await;
    browser.driver().find(By::Css("output")).await.unwrap().click().await.unwrap();
    if javascript {
        browser.sees(if words.language == "fr" { "Copié" } else { "Copied" }).await;
        assert_eq!(browser.clipboard().await, key);
    } else {
        assert_eq!(browser.evaluate("return getSelection().toString().trim()").await, key);
    }
    browser.click(words.saved_key).await;
    browser.is_at(TOKENS).await;
    assert!(!browser.html().await.contains(&key[6..18]));
    key
}

async fn edits(app: &TestApp, browser: &Browser, words: &Words, key: &str) {
    opens(browser, words).await;
    browser.click("Workato").await;
    browser.click(words.edit_name).await;
    browser.fill(words.name, "Workato, stock").await;
    browser.click(words.save).await;
    browser.sees("Workato, stock").await;
    // «Sur le côté gauche de la page, cliquez sur Modifier…»
    browser.click(words.edit_expiry).await;
    browser.choose(words.days[0]).await;
    browser.click(words.save).await;
    browser.sees(words.days[0]).await;
    // «Sur le côté droit de la page, cliquez sur Modifier pour mettre à jour les ensembles d'autorisations.»
    let sides =
        "const edge = (id, side) => document.getElementById(id).closest('section').getBoundingClientRect()[side];
        return edge('expiry', 'right') <= edge('held', 'left')";
    assert_eq!(browser.evaluate(sides).await, true);
    browser.click(words.edit_permissions).await;
    browser.choose(words.one_permission).await;
    browser.click(words.save).await;
    browser.sees(words.saved).await;
    let me = app.me(key).await.json();
    assert_eq!(me["subject"]["name"], "Workato, stock");
    assert_eq!(me["permissions"].as_array().unwrap().len(), 21);
}

/// Waits for the confirmation: a dialog, or a page if there are no scripts. What was clicked has the same name as the
/// confirming button.
async fn is_asked(browser: &Browser, what: &str) {
    let script = format!("return !!document.querySelector('dialog:modal') || location.pathname.endsWith('/{what}')");
    browser.until(&script).await;
}

async fn revokes(app: &TestApp, browser: &Browser, words: &Words, key: &str) {
    opens(browser, words).await;
    browser.click(&format!("{} Workato", words.revoke)).await;
    is_asked(browser, "revocation").await;
    browser.sees("127.0.0.1").await;
    assert_eq!(app.me(key).await.status, 200, "not before it is confirmed");
    browser.click(words.revoke).await;
    browser.sees(words.revoked).await;
    assert_eq!(app.me(key).await.status, 401);
}

async fn regenerates(browser: &Browser, words: &Words) -> String {
    opens(browser, words).await;
    browser.click(&format!("{} Workato", words.regenerate)).await;
    browser.click(words.confirm).await;
    browser.sees(words.saved_key).await;
    let key = key_shown(browser).await;
    browser.click(words.saved_key).await;
    key
}

async fn deletes(app: &TestApp, browser: &Browser, words: &Words, key: &str) {
    opens(browser, words).await;
    browser.click(&format!("{} Workato", words.revoke)).await;
    is_asked(browser, "revocation").await;
    browser.click(words.revoke).await;
    browser.sees(words.revoked).await;
    browser.click(words.more).await;
    browser.click(words.delete).await;
    is_asked(browser, "deletion").await;
    browser.click(words.delete).await;
    browser.sees(words.deleted).await;
    browser.sees_no("Workato, stock").await;
    assert_eq!(app.me(key).await.status, 401);
}

#[actix_web::test]
async fn the_page_shows_who_still_uses_the_old_key_during_an_overlap() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    let old = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    browser.go(&token).await;
    browser.click("Regenerate with overlap").await;
    browser.sees("The old key keeps working beside it").await;
    browser.choose("7 days").await;
    browser.click("Create the new key").await;
    browser.sees("I have saved the key").await;
    let new = key_shown(&browser).await;
    browser.click("I have saved the key").await;
    browser.sees("Two keys work").await;
    browser.sees("Not used yet").await;
    // Somebody moves a program over; the open page follows.
    let with_curl = [("authorization", &*format!("Bearer {new}")), ("user-agent", "curl/8.5.0")];
    assert_eq!(app.send("GET", "/api/v1/me", &with_curl, "").await.status, 200);
    browser.sees_no("Not used yet").await;
    browser.sees("curl 8.5.0").await;
    browser.click("End the old key now").await;
    browser.sees("Applications that still use the old key are refused immediately.").await;
    browser.click("End the old key now").await;
    browser.sees("The old key is refused from now on.").await;
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (401, 200));
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn the_list_follows_the_search_and_dialogs_return_the_focus() {
    let (_app, ann, browser) = ann_at(Setup::default()).await;
    for name in ["Warehouse", "Accounting"] {
        ann.makes_service_token(name).await;
    }
    let accounting = ann.service_token("Accounting").await;
    ann.confirms(&accounting, "revocation").await;
    browser.go(TOKENS).await;
    browser.fill("Search", "ware").await;
    browser.sees_no("Accounting").await;
    browser.sees("Warehouse").await;
    browser.fill("Search", "").await;
    browser.press("acc").await;
    browser.sees("Accounting").await;
    browser.sees_no("Warehouse").await;
    browser.click("More for Accounting").await;
    browser.click("Delete").await;
    browser.sees("Delete “Accounting”?").await;
    browser.press(Key::Escape).await;
    browser.sees_no("Delete “Accounting”?").await;
    browser.until("return document.activeElement.getAttribute('aria-label') === 'More for Accounting'").await;
    assert_eq!(browser.complaints().await, NOTHING);
}
