//! Mail that the mail server does not accept immediately.

use crate::harness::{
    Person, Smtp, TestApp, TestDb, Trouble, activity, change, contains, count, db_test, everything_stored, mail_through,
};
use app::{
    Jeton, Settings,
    mail::{Fate, Mail},
};
use domain::{permission::BuiltInSet::Reader, user::Email};
use futures_util::future::join_all;
use std::{collections::BTreeMap, time::Duration};

/// Longer than an attempt takes.
const LONG: Duration = Duration::from_secs(30);

/// Waits until this many rows of mails match.
async fn until(app: &TestApp, number: i64, like: &str) {
    for _ in 0..1200 {
        if count(app, &format!("mails WHERE {like}")) == number {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("there are not {number} mails with {like}")
}

/// Waits until all `number` waiting mails were attempted this many times and are waiting again.
async fn until_tried(app: &TestApp, number: i64, tries: i64) {
    // Whoever tries one has it for a minute; the first pauses are shorter.
    let soon = app.clock.now().plus(45).seconds();
    until(app, number, &format!("tries = {tries} AND next_at < {soon}")).await;
}

async fn asks(person: &Person) {
    assert_eq!(person.post("/sign-in/forgotten", &[("email", &person.email)]).await.status, 303);
}

fn letter(to: &str) -> Mail {
    Mail { to: Email::parse(to).unwrap(), subject: "Hello".into(), text: "Hello".into() }
}

/// Returns whether every received mail has a Message-ID of its own.
fn each_came_once(smtp: &[crate::harness::Received]) -> bool {
    let ids: BTreeMap<_, _> = smtp.iter().map(|mail| (mail.header("Message-ID"), ())).collect();
    ids.len() == smtp.len()
}

#[db_test]
async fn a_mail_that_is_deferred_is_tried_again(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    app.clock.stop();
    smtp.troubles([Trouble::Says("451 later"), Trouble::HangsUp]);
    asks(&app.browser("Ann")).await;
    for (tries, pause) in [(1, 15), (2, 30)] {
        let next = app.clock.now().plus(pause).seconds();
        until(&app, 1, &format!("tries = {tries} AND next_at = {next}")).await;
        assert_eq!(smtp.tries(), usize::try_from(tries).unwrap());
        app.clock.advance(pause);
    }
    let mails = smtp.mails(1).await;
    assert_eq!((mails.len(), smtp.tries()), (1, 3));
    until(&app, 0, "TRUE").await;
    let chosen = ann.post(&mails[0].link(), &[("new_password", "another long enough sentence")]).await;
    assert_eq!(chosen.status, 303, "its link still works");
}

#[db_test]
async fn a_mail_that_is_rejected_is_not_tried_again(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    smtp.troubles([Trouble::Says("550 nobody here")]);
    let made = ann.asks_to_invite("nobody@example.org", "Reader").await;
    made.shows("The mail could not be sent, and Jeton does not try again");
    assert!(made.link("/invitations/").is_some());
    assert_eq!(count(&app, "mails"), 0);
    assert_eq!((smtp.tries(), smtp.mails(0).await.len()), (1, 0));
}

#[db_test]
async fn a_page_says_that_a_mail_waits_and_it_arrives_with_the_same_link(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    smtp.troubles([Trouble::Says("450 greylisted")]);
    let made = ann.asks_to_invite("leo@example.org", "Reader").await;
    made.shows("The mail server has not accepted the mail yet. Jeton keeps trying");
    until_tried(&app, 1, 1).await;
    app.clock.advance(15);
    let mail = smtp.mails(1).await.remove(0);
    assert_eq!(Some(mail.link_to("/invitations/")), made.link("/invitations/"));
}

#[db_test]
async fn a_mail_survives_a_restart_and_is_stored_encrypted(db: TestDb) {
    let (app, _, away) = TestApp::with_mail(db, "Ann").await;
    app.add_user("Ben", Reader).await;
    drop(away);
    asks(&app.browser("Ben")).await;
    until_tried(&app, 1, 1).await;
    app.jeton.finish_mail().await;
    let stored = everything_stored(&app);

    let smtp = Smtp::start();
    let settings = Settings { mail: Some(mail_through(&smtp.url())), ..app.settings() };
    settings.clock.advance(15);
    let again = Jeton::open(settings).expect("it starts");
    let mail = smtp.mails(1).await.remove(0);
    assert_eq!(mail.to, ["ben@example.org"]);
    let code = mail.link().rsplit('/').next().unwrap().to_owned();
    for secret in [&*code, "Choose a new password", "Hello Ben"] {
        assert!(!contains(&stored, secret.as_bytes()), "{secret}");
    }
    assert_eq!(app.browser("Ben").get(&mail.link()).await.status, 200);
    until(&app, 0, "TRUE").await;
    drop(again);
}

#[db_test]
async fn of_several_nodes_one_sends_each_mail(db: TestDb) {
    let (app, _, smtp) = TestApp::with_mail(db, "Ann").await;
    let settings = || Settings { mail: Some(mail_through(&smtp.url())), ..app.settings() };
    let nodes: Vec<Settings> = (0..2).map(|_| settings()).collect();
    let others: Vec<Jeton> = nodes.iter().map(|node| Jeton::open(node.clone()).expect("a node")).collect();
    smtp.troubles([Trouble::Says("451 later"); 12]);
    let letters =
        (0..12).map(|number| app::mail::send(&app.jeton, letter(&format!("{number}@example.org")), "a request"));
    for sending in join_all(letters).await {
        assert_eq!(sending.unwrap().fate(LONG).await, Fate::Waiting);
    }
    until_tried(&app, 12, 1).await;
    // All see them at the same moment.
    for node in &nodes {
        node.clock.advance(15);
    }
    app.clock.advance(15);
    let mails = smtp.mails(12).await;
    until(&app, 0, "TRUE").await;
    assert!(each_came_once(&mails) && each_came_once(&smtp.mails(12).await));
    assert_eq!((smtp.mails(12).await.len(), smtp.tries()), (12, 24));
    drop(others);
}

#[db_test]
async fn a_mail_that_is_never_accepted_is_given_up(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    smtp.troubles([Trouble::Says("451 later"); 3]);
    asks(&ann).await;
    until_tried(&app, 1, 1).await;
    app.clock.advance(45 * 60);
    app::maintenance::run(&app.jeton).await;
    assert_eq!(count(&app, "mails"), 0);
    assert_eq!(smtp.mails(0).await.len(), 0);
}

#[db_test]
async fn the_queue_of_mails_is_limited_and_pages_still_answer(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let row = "INSERT INTO mails (sealed, request_id, created_at, next_at, tries)
            SELECT sealed, request_id, created_at, next_at, tries FROM mails";
    smtp.troubles([Trouble::Says("451 later")]);
    let sending = app::mail::send(&app.jeton, letter("a@example.org"), "a request").await.unwrap();
    assert_eq!(sending.fate(LONG).await, Fate::Waiting);
    until_tried(&app, 1, 1).await;
    for _ in 0..10 {
        change(&app, row);
    }
    assert_eq!(count(&app, "mails"), 1024);
    ann.asks_to_invite("leo@example.org", "Reader").await.shows("The mail could not be sent");
    asks(&ann).await;
    assert_eq!(count(&app, "mails"), 1024);
}

#[db_test]
async fn an_impossible_mail_address_is_refused_at_its_field(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    for wrong in [
        "mailto:max@example.org",
        "a..b@example.org",
        ".a@example.org",
        "a.@example.org",
        "a@exa mple.org",
        "a:b@example.org",
        "a@-b-.org",
    ] {
        let invited = ann.asks_to_invite(wrong, "Reader").await;
        assert_eq!(invited.status, 422, "{wrong}");
        invited.shows("Enter a complete e-mail address");
        let fields = [("name", "Ann"), ("email", wrong), ("time_zone", "UTC"), ("theme", "system")];
        ann.get("/account/profile").await;
        let changed = ann.post("/account/profile", &fields).await;
        assert_eq!(changed.status, 422, "{wrong}");
        changed.shows("Enter a complete e-mail address");
    }
    assert_eq!((smtp.tries(), count(&app, "mails")), (0, 0));
    // A user who already has such an address keeps it, signs in, and learns that mail does not reach it by
    // nobody.
    change(&app, "UPDATE users SET email = 'mailto:ann@example.org', email_folded = 'mailto:ann@example.org'");
    let again = app.browser("mailto:Ann");
    assert_eq!(again.signs_in().await.status, 303);
    again.get("/account/profile").await;
    let odd = ("email", "mailto:ann@example.org");
    let fields = [("name", "Ann B."), odd, ("time_zone", "UTC"), ("theme", "system")];
    assert_eq!(again.post("/account/profile", &fields).await.status, 303);
    asks(&again).await;
    for _ in 0..400 {
        if activity(&app.db).iter().any(|entry| entry.action == "password.link_made") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!((smtp.tries(), count(&app, "mails")), (0, 0));
}

#[db_test]
async fn invitations_by_mail_are_limited(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let mut statuses = Vec::new();
    for number in 0..6 {
        let email = ["leo@example.org", "LEO@Example.org"][number % 2];
        let answer = ann.asks_to_invite(email, "Reader").await;
        assert_eq!(answer.status == 429, !answer.header("retry-after").is_empty());
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429, 429]);
    // Nor by another organization.
    let eve = app.add_organization("elsewhere", "Eve").await;
    let form = eve.get("/orgs/elsewhere/users/invite").await.body;
    let set = form.split("name=\"permission_set\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let invite = [("email", "leo@example.org"), ("permission_set", set)];
    assert_eq!(eve.post("/orgs/elsewhere/users/invite", &invite).await.status, 429);
    assert_eq!(ann.asks_to_invite("zoe@example.org", "Reader").await.status, 200, "others are invited still");
    assert_eq!(smtp.mails(4).await.len(), 4);
}

#[db_test]
async fn without_mail_invitations_are_not_limited(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    for _ in 0..5 {
        assert_eq!(ann.asks_to_invite("leo@example.org", "Reader").await.status, 200);
    }
}
