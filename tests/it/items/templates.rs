//! The editor of a template.

use super::{
    at,
    forms::{sends, typed},
    share, user,
};
use crate::harness::{Answer, Person, TestApp, TestDb, css, db_test, org};
use app::items::{self, ItemForm};
use domain::{activity::Source, field::MOST_FIELDS, permission::BuiltInSet};

const TEMPLATES: &str = org!("/items/templates");
const NEW: &str = org!("/items/templates/new");

/// The labels in the editor, in order.
fn labels(page: &Answer) -> Vec<String> {
    let document = scraper::Html::parse_document(&page.body);
    let inputs = css("input[name='label[]']");
    document.select(&inputs).map(|input| input.attr("value").unwrap_or_default().to_owned()).collect()
}

fn focus(page: &Answer) -> Option<String> {
    page.first("[autofocus]", |element| element.attr("id").map(Into::into))
}

/// The questions of the page as they would be sent.
fn shown(page: &Answer) -> Vec<(String, String)> {
    let document = scraper::Html::parse_document(&page.body);
    let all =
        "form.editor input:not([type=checkbox]), form.editor input[checked], form.editor textarea, form.editor select";
    let all = css(all);
    let fields = document.select(&all).filter_map(|field| {
        let name = field.attr("name")?.to_owned();
        let value = match field.value().name() {
            "select" => field.select(&css("option[selected]")).next()?.attr("value")?.to_owned(),
            "textarea" => field.text().collect(),
            _ => field.attr("value").unwrap_or_default().to_owned(),
        };
        Some((name, value))
    });
    fields.filter(|(name, _)| name != "csrf").collect()
}

/// Sends the page as it is, with this button.
async fn presses(person: &Person, path: &str, page: &Answer, step: &str) -> Answer {
    let mut fields = shown(page);
    fields.push(("step".into(), step.into()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    person.post(path, &fields).await
}

#[db_test]
async fn questions_are_added_moved_and_removed_before_anything_is_saved(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let fields = [&[("name", "Cold chain")], &typed(&[("A", "text"), ("B", "heading"), ("C", "one_of\nx\ny")])[..]];
    let page = sends(&ann, NEW, &[&fields.concat()[..], &[("step", "up.3")]].concat()).await;
    assert_eq!((page.status, labels(&page)), (200, vec!["A".into(), "C".into(), "B".into()]));
    assert_eq!(focus(&page).as_deref(), Some("up-2"));
    assert_eq!(page.field("name").as_deref(), Some("Cold chain"));
    let page = presses(&ann, NEW, &page, "add.number").await;
    assert_eq!((labels(&page).len(), focus(&page).as_deref()), (4, Some("label-4")));
    let page = presses(&ann, NEW, &page, "remove.1").await;
    assert_eq!(labels(&page), ["C", "B", ""]);
    ann.get(TEMPLATES).await.shows("Nothing here yet");

    let refused = presses(&ann, NEW, &page, "").await;
    assert_eq!(refused.status, 422);
    refused.shows("Question 2 – Enter what people should read here.");
    assert!(refused.first("details[open] #label-3[aria-invalid]", |_| Some(())).is_some(), "{}", refused.body);
    let page = presses(&ann, NEW, &refused, "remove.3").await;
    let saved = presses(&ann, NEW, &page, "").await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let made = ann.get(saved.header("location")).await;
    made.shows("Cold chain").shows("One of several");
    let edit = saved.header("location").replace("?notice=created", "/edit");
    let page = ann.get(&edit).await;
    assert_eq!(shown(&page).iter().filter(|(name, value)| name == "choices[]" && value.trim() == "x\ny").count(), 1);
}

#[db_test]
async fn a_question_keeps_its_key_and_its_answers_when_its_words_change(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let by = at(&app, &ann).await;
    let made = sends(&ann, NEW, &[&[("name", "Check")], &typed(&[("A", "text"), ("B", "text")])[..]].concat()).await;
    let page = made.header("location").replace("?notice=created", "");
    let id = page.rsplit('/').next().unwrap();
    let form = ItemForm { template: id.to_owned(), ..ItemForm::default() };
    let running = items::create(&app.jeton, &by, "inspections", form, Source::default()).await.unwrap();

    let edit = format!("{page}/edit");
    let form = ann.get(&edit).await;
    form.shows("Changes count for new inspections").shows("There are answers already");
    let form = presses(&ann, &edit, &form, "down.1").await;
    assert_eq!(labels(&form), ["B", "A"]);
    let mut fields = shown(&form);
    let label = fields.iter_mut().find(|(name, value)| name == "label[]" && value == "A").unwrap();
    label.1 = "Other words".into();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(ann.post(&edit, &fields).await.status, 303);
    let found = items::find(&app.jeton, &by, "templates", id.into()).await.unwrap();
    let keys: Vec<_> = found.form.fields().iter().map(|field| (field.key.as_str(), field.label.as_str())).collect();
    assert_eq!(keys, [("b", "B"), ("a", "Other words")]);
    let found = items::find(&app.jeton, &by, "inspections", running.public_id.as_str().into()).await.unwrap();
    assert_eq!(found.form.fields().iter().map(|field| field.label.as_str()).collect::<Vec<_>>(), ["A", "B"]);

    // Another type would make nonsense of the answers that there are.
    let forged: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, if *name == "type[]" { "number" } else { *value })).collect();
    let refused = ann.post(&edit, &forged).await;
    assert_eq!(refused.status, 422);
}

#[db_test]
async fn a_template_has_as_many_questions_as_a_form_can_have(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let long = "é".repeat(150);
    let all = vec![(long.as_str(), "long_text"); MOST_FIELDS];
    let made = sends(&ann, NEW, &[&[("name", "Long")], &typed(&all)[..]].concat()).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let edit = made.header("location").replace("?notice=created", "/edit");
    let page = ann.get(&edit).await;
    page.shows("That is the most that there can be: 200.");
    assert_eq!(presses(&ann, &edit, &page, "add.text").await.status, 200);
    let more = sends(&ann, NEW, &[&[("name", "Long")], &typed(&all)[..], &typed(&[("x", "text")])].concat()).await;
    assert_eq!(more.status, 422);
}

#[db_test]
async fn two_who_edit_a_template_lose_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let made = sends(&ann, NEW, &[&[("name", "Check")], &typed(&[("A", "text")])[..]].concat()).await;
    let page = made.header("location").replace("?notice=created", "");
    let by = at(&app, &ann).await;
    let found = items::find(&app.jeton, &by, "templates", page.rsplit('/').next().unwrap().into()).await.unwrap();
    share(&app.jeton, &by, &found.item, user(&ben), "edit").await.unwrap();
    let edit = format!("{page}/edit");
    let (mine, theirs) = (ann.get(&edit).await, ben.get(&edit).await);
    let theirs = presses(&ben, &edit, &theirs, "add.heading").await;
    let theirs = shown(&theirs).into_iter().map(|(name, value)| match name.as_str() {
        "label[]" if value.is_empty() => (name, "Ben’s heading".to_owned()),
        _ => (name, value),
    });
    let theirs: Vec<_> = theirs.collect();
    let theirs: Vec<(&str, &str)> = theirs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(ben.post(&edit, &theirs).await.status, 303);
    assert_eq!(ben.post(&edit, &theirs).await.status, 303, "twice is once");

    let mine = presses(&ann, &edit, &mine, "add.date").await;
    let mut fields = shown(&mine);
    fields.iter_mut().rfind(|(name, _)| name == "label[]").unwrap().1 = "Ann’s question".into();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let stale = ann.post(&edit, &fields).await;
    assert_eq!((stale.status, labels(&stale)), (422, vec!["A".to_owned(), "Ann’s question".into()]));
    stale.shows("Somebody else changed this").shows("Ben’s heading");
    assert_eq!(presses(&ann, &edit, &stale, "").await.status, 303);
}
