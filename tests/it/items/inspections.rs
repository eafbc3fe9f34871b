//! Inspections in a browser: started once, kept as drafts whatever is in them, finished, reopened.

use super::{
    at,
    forms::{sends, typed},
    share, user,
};
use crate::harness::{Answer, Person, TestApp, TestDb, activity, css, db_test, org, text_of};
use app::items;
use domain::{activity::Source, field::Answer as Given, item::Item, permission::BuiltInSet};

const NEW: &str = org!("/items/templates/new");
const QUESTIONS: [(&str, &str); 5] = [
    ("Fridge", "heading"),
    ("Power?", "yes_no"),
    ("Temperature", "number"),
    ("Monitors", "one_of\nGood\nBad"),
    ("More", "long_text"),
];

/// Makes a template, of which all questions but the last must be answered, and shares it. Returns its page.
async fn template(app: &TestApp, ann: &Person, ben: &Person) -> (String, Item) {
    let required = [("required[]", "2"), ("required[]", "3"), ("required[]", "4")];
    let made = sends(ann, NEW, &[&[("name", "Cold chain")], &typed(&QUESTIONS)[..], &required].concat()).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let page = made.header("location").replace("?notice=created", "");
    let by = at(app, ann).await;
    let found = items::find(&app.jeton, &by, "templates", page.rsplit('/').next().unwrap().into()).await.unwrap();
    share(&app.jeton, &by, &found.item, user(ben), "view").await.unwrap();
    (page, found.item)
}

/// Starts an inspection, and returns the page on which it is conducted.
async fn starts(person: &Person, template: &str) -> String {
    let asked = person.get(&format!("{template}/inspection")).await;
    asked.shows("Inspect with “Cold chain”?");
    let nonce = asked.field("nonce").expect("a nonce");
    let started = person.post(&format!("{template}/inspection"), &[("nonce", &nonce)]).await;
    assert_eq!(started.status, 303, "{}", started.text());
    started.header("location").to_owned()
}

fn id(edit: &str) -> &str {
    edit.trim_end_matches("/edit").rsplit('/').next().unwrap()
}

fn summary(page: &Answer) -> Vec<String> {
    let document = scraper::Html::parse_document(&page.body);
    let links = css(".notice[autofocus] a");
    document.select(&links).map(text_of).collect()
}

#[db_test]
async fn a_draft_takes_everything_and_finishing_asks_for_everything(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (page, _) = template(&app, &ann, &ben).await;
    let edit = starts(&ben, &page).await;
    ben.get(&edit).await.shows("Cold chain").shows("started by you").shows("Temperature");
    let draft = [("step", "draft"), ("answer-temperature", "4,5 approx."), ("answer-power", "yes")];
    let kept = sends(&ben, &edit, &draft).await;
    assert_eq!(kept.status, 303, "{}", kept.text());
    let form = ben.get(kept.header("location")).await;
    form.shows("The draft is saved.");
    assert_eq!(form.field("answer-temperature").as_deref(), Some("4,5 approx."));
    assert!(form.first("[name=answer-power][value=yes][checked]", |_| Some(())).is_some());

    let refused = sends(&ben, &edit, &draft[1..]).await;
    assert_eq!(refused.status, 422);
    refused.shows("The inspection is not finished yet");
    let wrong = ["Temperature – Enter a number, for example 4.5", "Monitors – Choose an answer"];
    assert_eq!(summary(&refused), wrong);
    assert!(refused.first("title", |title| Some(title.text().collect::<String>())).unwrap().starts_with("Error: "));
    assert_eq!(refused.field("answer-temperature").as_deref(), Some("4,5 approx."));
    assert!(refused.first(".notice a[href='#answer-monitors']", |_| Some(())).is_some());
    assert!(refused.first("input#answer-monitors[type=radio]", |_| Some(())).is_some());

    let all = [("answer-temperature", "4,5"), ("answer-power", "no"), ("answer-monitors", "Bad")];
    let done = sends(&ben, &edit, &all).await;
    ben.get(done.header("location")).await.shows("The inspection is finished.").shows("4.5").shows("Bad");
    let by = at(&app, &ben).await;
    let found = items::find(&app.jeton, &by, "inspections", id(&edit).into()).await.unwrap();
    let answers: Vec<Vec<String>> = found.contents.answers.iter().map(|(_, answer)| Given::typed(answer)).collect();
    assert_eq!(answers, [vec!["Bad".to_owned()], vec!["no".into()], vec!["4.5".into()]]);

    // It is read then, until it is reopened.
    let read = ben.get(&edit).await;
    assert_eq!(read.header("location"), edit.trim_end_matches("/edit"));
    let shown = ben.get(read.header("location")).await;
    shown.shows("Reopen");
    let reopening = edit.replace("/edit", "/reopening");
    for _ in 0..2 {
        let reopened = ben.post(&reopening, &[]).await;
        ben.get(reopened.header("location")).await.shows("a draft again");
    }
    assert_eq!(ann.post(&reopening, &[]).await.status, 404, "a level on the template is none on its inspections");
    assert_eq!(ann.get(&edit).await.status, 404);
}

#[db_test]
async fn a_double_tap_starts_one_inspection_and_finishes_it_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ben, rita) = (app.add_user("Ben", BuiltInSet::Standard).await, app.add_user("Rita", BuiltInSet::Reader).await);
    let (page, template) = template(&app, &ann, &ben).await;
    let start = format!("{page}/inspection");
    assert_eq!((rita.get(&start).await.status, rita.post(&start, &[]).await.status), (404, 404));
    share(&app.jeton, &at(&app, &ann).await, &template, user(&rita), "view").await.unwrap();
    assert_eq!((rita.get(&start).await.status, rita.post(&start, &[]).await.status), (403, 403));
    assert!(!rita.get(&page).await.text().contains("Inspect "), "she may not conduct any");

    let nonce = ben.get(&start).await.field("nonce").unwrap();
    let (one, two) = (ben.post(&start, &[("nonce", &nonce)]).await, ben.post(&start, &[("nonce", &nonce)]).await);
    assert_eq!((two.status, one.header("location")), (303, two.header("location")));
    let edit = one.header("location").to_owned();
    assert_ne!(starts(&ben, &page).await, edit, "another form starts another one");

    let version = ben.get(&edit).await.field("version").unwrap();
    let finish = [
        ("version", &*version),
        ("name", "Cold chain"),
        ("answer-power", "yes"),
        ("answer-temperature", "3"),
        ("answer-monitors", "Good"),
    ];
    let before = activity(&app.db).len();
    for _ in 0..2 {
        assert_eq!(ben.post(&edit, &finish).await.status, 303);
    }
    assert_eq!(activity(&app.db).len(), before + 1, "one answer");
    // The first is still open with the questions that it had; going back to it starts none.
    assert_eq!(ben.post(&start, &[("nonce", &nonce)]).await.header("location"), edit);
}

#[db_test]
async fn answers_stay_on_the_page_when_anything_happens_meanwhile(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let (page, _) = template(&app, &ann, &ben).await;
    let edit = starts(&ben, &page).await;
    let by = at(&app, &ben).await;
    let found = items::find(&app.jeton, &by, "inspections", id(&edit).into()).await.unwrap();
    let shared = share(&app.jeton, &by, &found.item, user(&ann), "edit").await.unwrap();

    // Somebody else has answered meanwhile.
    let version = ann.get(&edit).await.field("version").unwrap();
    let theirs = sends(&ben, &edit, &[("step", "draft"), ("answer-temperature", "7"), ("answer-more", "Door")]).await;
    assert_eq!(theirs.status, 303);
    let mine = [
        ("version", &*version),
        ("name", "Cold chain"),
        ("answer-temperature", "4"),
        ("answer-more", "Mine"),
        ("step", "draft"),
    ];
    let stale = ann.post(&edit, &mine).await;
    assert_eq!(stale.status, 422);
    stale.shows("Somebody else changed this").shows("Door").shows("Mine");
    assert_eq!(stale.field("answer-temperature").as_deref(), Some("4"));

    // The session has ended.
    app.clock.advance(2 * 60 * 60);
    let kept = ann.post(&edit, &mine).await;
    kept.shows("Your session has ended").shows("Sign in");
    let sealed = kept.field("kept").expect("what was typed");
    let back =
        ann.post(&edit, &[("kept", &sealed), ("email", &ann.email), ("password", crate::harness::PASSWORD)]).await;
    back.shows("Nothing has been saved yet").shows("Mine");
    assert_eq!(back.field("answer-temperature").as_deref(), Some("4"));
    let found = items::find(&app.jeton, &by, "inspections", id(&edit).into()).await.unwrap();
    assert_eq!(found.item.version, 2, "nothing but Ben's answers was saved");

    // The share has ended.
    items::end_share(&app.jeton, &by, "inspections", id(&edit).into(), &shared, Source::default()).await.unwrap();
    let gone = ann.post(&edit, &mine).await;
    assert_eq!(gone.status, 404);
    gone.shows("Mine").shows("4");
}
