//! From a template to a finished inspection: with and without scripts, on a phone, with the keyboard alone.

use super::{NOTHING, ann_at, bring, keyboard::tab_to, network};
use crate::{
    harness::{Browser, Person, Setup, TestApp, org},
    items::{at, inspections_are_shared_with, share, user},
};
use app::items::{self, Direction, ListQuery};
use domain::{item::Item, paging::PageFrom, permission::BuiltInSet};
use serde_json::json;
use thirtyfour::Key;

/// The type, the question, and the choices.
const QUESTIONS: [(&str, &str, &str); 8] = [
    ("An item", "Which fridge is it?", ""),
    ("Yes or no", "Does it have power?", ""),
    ("Number", "What is the temperature now?", ""),
    ("Date", "When was it last defrosted?", ""),
    ("One of several", "What do the vial monitors show?", "All good to use\nSome past the discard point"),
    ("Several of several", "Which vaccines are out of stock?", "BCG\nMeasles\nPolio"),
    ("Text", "Who opened the door for you?", ""),
    ("Long text", "What else should we know?", ""),
];

async fn only(app: &TestApp, person: &Person, kind: &str) -> Item {
    let by = at(app, person).await;
    let (query, order) = (ListQuery::default(), Direction::Ascending);
    let mut page = items::list(&app.jeton, &by, kind, query, order, PageFrom::Start, 50).await.expect("a list").items;
    assert_eq!(page.len(), 1, "{page:?}");
    page.remove(0).0
}

/// Ann makes the template in her browser, and a fridge that Ben can view, too.
async fn has_template(app: &TestApp, ann: &Person, ben: &Person, browser: &Browser, javascript: bool) {
    browser.go(org!("/items/templates")).await;
    browser.click_in("Nothing here yet", "New template").await;
    browser.fill("Name", "Cold chain check").await;
    for (number, (of, question, choices)) in QUESTIONS.iter().enumerate() {
        browser.click(of).await;
        browser.until(&format!("return document.activeElement.id === 'label-{}'", number + 1)).await;
        browser.press(*question).await;
        if !choices.is_empty() {
            browser.fill("Choices, one on each line", choices).await;
        }
        if *of == "An item" {
            browser.fill("Of which kind", "Assets").await;
        }
        if number > 4 {
            browser.unchoose("Must be answered").await;
        }
    }
    // Without scripts, a question is called by its number until it has been sent.
    browser.click(if javascript { "Move up: What else should we know?" } else { "Move up: Question 8" }).await;
    browser.until("return document.activeElement.id === 'up-7'").await;
    browser.click("Create").await;
    browser.sees("It is created.").await;
    let by = at(app, ann).await;
    let fridge = crate::items::make(&app.jeton, &by, "assets", "Fridge Mopti-02").await;
    for item in [fridge, only(app, ann, "templates").await] {
        share(&app.jeton, &by, &item, user(ben), "view").await.unwrap();
    }
}

async fn from_a_template_to_an_inspection(javascript: bool) {
    let (app, ann, browser) = ann_at(Setup { javascript, ..Setup::default() }).await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let mia = app.add_user("Mia", BuiltInSet::Reader).await;
    has_template(&app, &ann, &ben, &browser, javascript).await;
    inspections_are_shared_with(&app, &ann, &mia).await;
    assert_eq!(browser.complaints().await, NOTHING);

    let phone = Browser::with(&app.url, Setup { javascript, size: (390, 844), ..Setup::default() }).await;
    bring(&ben, &phone).await;
    phone.go(org!("/items/templates")).await;
    phone.click("Inspect with Cold chain check").await;
    phone.sees("Inspect with “Cold chain check”?").await;
    phone.click("Start").await;
    phone.sees("Started by you").await;
    assert_eq!(phone.too_wide_by().await, 0);
    phone.fill("Which fridge is it?", "Fridge Mopti-02").await;
    phone.choose("Yes").await;
    phone.fill("What is the temperature now?", "4,5 approx.").await;
    phone.fill("What else should we know?", "The seal is worn.").await;
    phone.click("Save as draft").await;
    phone.sees("The draft is saved.").await;
    phone.choose("Measles").await;
    phone.click("Finish").await;
    phone.sees("The inspection is not finished yet").await;
    phone.sees("What is the temperature now? – Enter a number, for example 4.5").await;
    assert_eq!(phone.evaluate("return document.activeElement.matches('.notice')").await, true, "the summary is read");
    phone.click("What do the vial monitors show? – Choose an answer").await;
    phone.choose("All good to use").await;
    phone.fill("What is the temperature now?", "4,5").await;
    phone.evaluate("document.querySelector('[type=date]').value = '2026-10-02'").await;
    assert_eq!(phone.value("What else should we know?").await, "The seal is worn.");
    phone.click("Finish").await;
    phone.sees("The inspection is finished.").await;
    phone.sees("Fridge Mopti-02").await;
    assert_eq!(phone.too_wide_by().await, 0);
    assert_eq!(phone.complaints().await, NOTHING);

    bring(&mia, &browser).await;
    browser.go(org!("/items/inspections")).await;
    browser.click("Cold chain check").await;
    browser.sees("Measles").await;
    browser.sees("4.5").await;
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn a_template_is_made_inspected_and_read() {
    from_a_template_to_an_inspection(true).await;
}

#[actix_web::test]
async fn a_template_is_made_inspected_and_read_without_javascript() {
    from_a_template_to_an_inspection(false).await;
}

#[actix_web::test]
async fn a_template_is_edited_with_the_keyboard_alone() {
    let (app, ann, browser) = ann_at(Setup::default()).await;
    browser.go(org!("/items/templates/new")).await;
    tab_to(&browser, "Name").await;
    browser.press("Check").await;
    for question in ["First", "Second", "Third"] {
        tab_to(&browser, "Number").await;
        browser.press(Key::Enter).await;
        browser.until("return document.activeElement.value === ''").await;
        browser.press(question).await;
    }
    tab_to(&browser, "Move up: Third").await;
    for place in [2, 1] {
        browser.press(Key::Enter).await;
        browser.until(&format!("return document.querySelector('#label-{place}').value === 'Third'")).await;
    }
    // At the top, the other button of the same question has the focus.
    browser.until("return document.activeElement.id === 'down-1'").await;
    tab_to(&browser, "Remove: First").await;
    browser.press(Key::Enter).await;
    browser.until("return document.querySelectorAll('[name=\"label[]\"]').length === 2").await;
    // Enter in a field saves.
    browser.evaluate("document.querySelector('#name').focus()").await;
    browser.press(Key::Enter).await;
    browser.sees("It is created.").await;
    let by = at(&app, &ann).await;
    let id = only(&app, &ann, "templates").await.public_id;
    let found = items::find(&app.jeton, &by, "templates", id.as_str().into()).await.unwrap();
    assert_eq!(found.form.fields().iter().map(|field| field.label.as_str()).collect::<Vec<_>>(), ["Third", "Second"]);
    assert_eq!(browser.complaints().await, NOTHING);
}

#[actix_web::test]
async fn answers_stay_on_the_page_while_the_network_is_away() {
    let (app, ann, browser) = ann_at(Setup { size: (390, 844), ..Setup::default() }).await;
    let by = at(&app, &ann).await;
    let template = crate::items::make_template(&app.jeton, &by, "Check").await;
    browser.go(&format!("{}/{}/inspection", org!("/items/templates"), template.public_id)).await;
    browser.click("Start").await;
    browser.fill("Temperature", "4,5").await;
    network(&browser, json!({ "offline": true, "latency": 0 })).await;
    browser.click("Save as draft").await;
    browser.sees("Jeton did not answer.").await;
    assert_eq!(browser.value("Temperature").await, "4,5");
    network(&browser, json!({ "offline": false, "latency": 0 })).await;
    browser.click("Save as draft").await;
    browser.sees("The draft is saved.").await;
    assert_eq!(browser.value("Temperature").await, "4.5");
}
