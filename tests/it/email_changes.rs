//! A new e-mail address, which must be confirmed where there is mail.

use crate::harness::{
    Answer, PASSWORD, Person, Received, Smtp, TestApp, TestDb, activity, contains, db_test, everything_stored, org,
};
use domain::permission::BuiltInSet::Reader;
use futures_util::future::join_all;

const NEW: &str = "ann.new@example.org";
const CANCELLATION: &str = "/account/email-change/cancellation";

async fn wants(person: &Person, email: &str) -> Answer {
    wants_with(person, email, &[]).await
}

async fn wants_with(person: &Person, email: &str, more: &[(&str, &str)]) -> Answer {
    person.get("/account/profile").await;
    let fields = [("name", &*person.name), ("email", email), ("time_zone", "UTC"), ("theme", "system")];
    person.post("/account/profile", &[&fields[..], more].concat()).await
}

/// Returns the mails to this address, once there are so many in total.
async fn mails_to(smtp: &Smtp, count: usize, to: &str) -> Vec<Received> {
    smtp.mails(count).await.into_iter().filter(|mail| mail.to == [to]).collect()
}

/// Requests the new address, and returns the path of the link in the mail, once there are so many mails in total.
async fn link_for(person: &Person, smtp: &Smtp, count: usize) -> String {
    let asked = wants(person, NEW).await;
    assert_eq!((asked.status, asked.header("location")), (303, "/account/profile?notice=saved"));
    mails_to(smtp, count, NEW).await.pop().expect("a mail to the new address").link_to("/email/")
}

async fn signs_in_as(app: &TestApp, email: &str) -> u16 {
    app.browser("Somebody").post("/sign-in", &[("email", email), ("password", PASSWORD)]).await.status
}

#[db_test]
async fn a_new_address_takes_effect_when_its_link_is_opened(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let link = link_for(&ann, &smtp, 2).await;
    let page = ann.get("/account/profile?notice=saved").await;
    page.shows("A link was mailed to ann.new@example.org").shows("Until then ann@example.org stays in effect");
    assert_eq!(page.field("email").as_deref(), Some("ann@example.org"));
    let note = mails_to(&smtp, 2, "ann@example.org").await.remove(0);
    assert!(note.text().contains(NEW) && !note.text().contains("/email/"), "{}", note.text());
    assert_eq!((signs_in_as(&app, "ann@example.org").await, signs_in_as(&app, NEW).await), (303, 422));

    let someone = app.browser("Someone");
    for _ in 0..2 {
        // A program that looks through mail opens it, too.
        let shown = someone.get(&link).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"));
        assert_eq!(shown.header("referrer-policy"), "strict-origin");
        shown.shows("Ann, who signs in with ann@example.org, will sign in with ann.new@example.org");
    }
    assert_eq!(signs_in_as(&app, NEW).await, 422);
    let proved = someone.post(&link, &[]).await;
    assert_eq!((proved.status, proved.header("location")), (303, "/sign-in?notice=email-confirmed"));
    someone.get("/sign-in?notice=email-confirmed").await.shows("Your new e-mail address is in effect");
    assert_eq!((signs_in_as(&app, "ann@example.org").await, signs_in_as(&app, NEW).await), (422, 303));
    assert_eq!((someone.get(&link).await.status, someone.post(&link, &[]).await.status), (410, 410), "once");
    assert!(!ann.get("/account/profile").await.text().contains("A link was mailed"));
    ann.get(org!("/users?q=ann.new")).await.shows(NEW);
    let note = mails_to(&smtp, 3, "ann@example.org").await.pop().unwrap();
    assert!(note.text().contains("has a new e-mail address: ann.new@example.org"), "{}", note.text());
    let log = activity(&app.db);
    for action in ["profile.email_change_asked", "profile.email_changed"] {
        let logged = log.iter().filter(|entry| entry.action == action && entry.organization_id.is_some());
        assert_eq!(logged.count(), 1, "{action}");
    }
    // In her own browser she is led back to her profile.
    let back = wants(&ann, "ann@example.org").await;
    assert_eq!(back.status, 303);
    let link = mails_to(&smtp, 5, "ann@example.org").await.pop().unwrap().link_to("/email/");
    assert_eq!(ann.post(&link, &[]).await.header("location"), "/account/profile?notice=email-confirmed");
}

#[db_test]
async fn a_request_reveals_nothing_about_other_users(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let eve = app.add_user("Eve", Reader).await;
    let emil = app.add_user("Emil", Reader).await;
    app.clock.stop();
    let told = async |person: &Person, email: &str| {
        let asked = wants(person, email).await;
        let page = person.get(asked.header("location")).await.text();
        let page = page.replace(&person.email, "old@").replace(email, "new@").replace(&person.name, "");
        let mut headers: Vec<_> = asked.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.retain(|header| !header.starts_with("x-request-id:") && !header.starts_with("date:"));
        headers.sort();
        (asked.status, headers, asked.body, page)
    };
    assert_eq!(told(&eve, "ANN@example.org").await, told(&emil, "nobody@example.org").await);
    // Only the owner learns of it.
    let mails = smtp.mails(4).await;
    let to_ann = mails.iter().find(|mail| mail.to == ["ann@example.org"]).expect("a mail to Ann").text();
    assert!(to_ann.contains("Somebody with another account"), "{to_ann}");
    assert!(!to_ann.contains("/email/") && !to_ann.contains("eve@"), "{to_ann}");
    assert_eq!(mails.iter().filter(|mail| mail.to == ["nobody@example.org"]).count(), 1);
    assert_eq!(signs_in_as(&app, "ann@example.org").await, 303);
    // The same for an address that an invitation is for, which stays Ben's to take.
    let invitation = ann.invites("ben@example.org", "Reader").await;
    assert_eq!(wants(&eve, "ben@example.org").await.status, 303);
    assert_eq!(app.browser("Ben").joins(&invitation).await.status, 303);
}

#[db_test]
async fn a_link_ends_by_time_cancellation_replacement_or_a_new_password(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    app.clock.stop();
    let someone = app.browser("Someone");
    let link = link_for(&ann, &smtp, 2).await;
    app.clock.advance(86_400 - 1);
    assert_eq!(someone.get(&link).await.status, 200);
    app.clock.advance(1);
    assert_eq!((someone.get(&link).await.status, someone.post(&link, &[]).await.status), (410, 410));
    ann.signs_in().await;
    assert!(!ann.get("/account/profile").await.text().contains("A link was mailed"));

    let link = link_for(&ann, &smtp, 4).await;
    assert_eq!(ann.post(CANCELLATION, &[]).await.header("location"), "/account/profile?notice=email-cancelled");
    ann.get("/account/profile?notice=email-cancelled").await.shows("The change is cancelled");
    assert_eq!(someone.post(&link, &[]).await.status, 410);
    assert_eq!(ann.post(CANCELLATION, &[]).await.status, 303, "twice is once");

    let first = link_for(&ann, &smtp, 6).await;
    let gone = someone.get("/email/0000000000").await;
    assert_eq!(gone.status, 410);
    let ben = app.add_user("Ben", Reader).await;
    wants(&ben, "ben.new@example.org").await;
    let of_ben = mails_to(&smtp, 8, "ben.new@example.org").await.remove(0).link_to("/email/");
    ann.get("/account/security").await;
    let fields = [("password", PASSWORD), ("new_password", "another long enough sentence")];
    assert_eq!(ann.post("/account/security", &fields).await.status, 303);
    let after = someone.post(&first, &[]).await;
    assert_eq!((after.status, after.body), (410, gone.body), "one page, whatever the reason");
    // Somebody may have got hold of Ben's account: by his new password whatever they asked for is over.
    someone.post("/sign-in/forgotten", &[("email", "ben@example.org")]).await;
    let reset = mails_to(&smtp, 9, "ben@example.org").await.pop().unwrap().link();
    assert_eq!(someone.post(&reset, &fields[1..]).await.status, 303);
    assert_eq!(someone.post(&of_ben, &[]).await.status, 410);
}

#[db_test]
async fn a_second_request_replaces_the_first(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let first = link_for(&ann, &smtp, 2).await;
    assert_eq!(wants(&ann, "ann.other@example.org").await.status, 303);
    let second = mails_to(&smtp, 4, "ann.other@example.org").await.remove(0).link_to("/email/");
    let someone = app.browser("Someone");
    assert_eq!((someone.post(&first, &[]).await.status, someone.post(&second, &[]).await.status), (410, 303));
    assert_eq!(signs_in_as(&app, "ann.other@example.org").await, 303);
}

#[db_test]
async fn of_many_who_confirm_the_same_address_one_gets_it(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let ben = app.add_user("Ben", Reader).await;
    let of_ann = link_for(&ann, &smtp, 2).await;
    assert_eq!(wants(&ben, NEW).await.status, 303);
    let links = mails_to(&smtp, 4, NEW).await.into_iter().map(|mail| mail.link_to("/email/"));
    let of_ben = links.into_iter().find(|link| *link != of_ann).unwrap();
    let people: Vec<_> = (0..6).map(|_| app.browser("Someone")).collect();
    let links = [&of_ann, &of_ben];
    let proofs = people.iter().enumerate().map(|(number, person)| person.post(links[number % 2], &[]));
    let statuses: Vec<u16> = join_all(proofs).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 410).count(), 5, "{statuses:?}");
    assert_eq!(signs_in_as(&app, NEW).await, 303);
    assert_eq!(activity(&app.db).iter().filter(|entry| entry.action == "profile.email_changed").count(), 1);
}

#[db_test]
async fn attempts_with_many_addresses_are_limited(db: TestDb) {
    let (app, ann, _smtp) = TestApp::with_mail(db, "Ann").await;
    let eve = app.add_user("Eve", Reader).await;
    tries_few(&eve, &ann).await;
    let letters = wants(&app.add_user("Mallory", Reader).await, "a0@example.org").await;
    assert_eq!(letters.status, 303, "others have tries of their own");
}

#[db_test]
async fn without_mail_attempts_with_many_addresses_are_limited_too(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.add_user("Eve", Reader).await;
    tries_few(&eve, &ann).await;
}

#[db_test]
async fn the_code_of_a_link_is_only_in_the_mail(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let link = link_for(&ann, &smtp, 2).await;
    let code = link.strip_prefix("/email/").unwrap();
    assert!(code.len() >= 26 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    assert!(!contains(&everything_stored(&app), code.as_bytes()));
}

#[db_test]
async fn a_new_address_needs_the_password_and_an_active_user(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let ben = app.add_user("Ben", Reader).await;
    app.clock.advance(11 * 60);
    assert_eq!(wants(&ben, NEW).await.status, 422);
    assert_eq!(wants_with(&ben, NEW, &[("password", "not the password at all")]).await.status, 422);
    assert_eq!(wants_with(&ben, NEW, &[("password", PASSWORD)]).await.status, 303);
    let link = mails_to(&smtp, 2, NEW).await.remove(0).link_to("/email/");
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);
    assert_eq!(app.browser("Someone").post(&link, &[]).await.status, 410);
}

/// Tries several addresses, one of which is `other`'s.
async fn tries_few(eve: &Person, other: &Person) {
    let mut statuses = Vec::new();
    for email in ["a1@example.org", &other.email, "a2@example.org", "a3@example.org", &other.email] {
        let answer = wants(eve, email).await;
        assert_eq!(answer.status == 429, !answer.header("retry-after").is_empty());
        statuses.push(answer.status);
    }
    assert_eq!(statuses[3..], [429, 429], "{statuses:?}");
    assert!(statuses[..3].iter().all(|status| *status != 429), "{statuses:?}");
}
