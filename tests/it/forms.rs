//! Forms: they contain what they are about, and typed values survive the end of a session.

use crate::harness::{
    Answer, PASSWORD, Person, SLUG, TestApp, TestDb, USERS, activity, db_test, org, with_another_letter,
};
use domain::permission::BuiltInSet;

const HOUR: i64 = 3600;
const SETS: &str = org!("/permission-sets");
const APIS: &str = org!("/integrations/apis");

/// Ann, who is a member of two organizations and currently works in the first; the second is `segou`.
async fn in_two_organizations(app: &TestApp, ann: &Person) {
    let second = [("organization", "Hôpital de Ségou"), ("slug", "segou")];
    assert_eq!(ann.post("/organizations/new", &second).await.status, 303);
    works_in(ann, SLUG).await;
    assert_eq!(app.me(&ann.makes_token("at first").await).await.json()["organization"]["slug"], SLUG);
}

/// Switches to an organization, as in another tab.
async fn works_in(person: &Person, slug: &str) {
    assert_eq!(person.post("/account/organization", &[("organization", slug)]).await.status, 303);
}

/// Returns the hidden fields of a form that say what it is about.
fn hidden<'a>(page: &Answer, names: &[&'a str]) -> Vec<(&'a str, String)> {
    names.iter().map(|name| (*name, page.field(name).unwrap_or_else(|| panic!("{name} in {}", page.body)))).collect()
}

async fn sends(person: &Person, path: &str, hidden: &[(&str, String)], typed: &[(&str, &str)]) -> Answer {
    let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend(typed);
    person.post(path, &fields).await
}

const TOKEN: [(&str, &str); 3] = [("label", "Power BI"), ("scope", "read"), ("inactivity", "45")];

#[db_test]
async fn a_token_is_created_in_the_organization_of_its_form(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    in_two_organizations(&app, &ann).await;
    for (opened, chosen, name) in [(SLUG, "segou", "Croix-Bleue Sahel"), ("segou", SLUG, "Hôpital de Ségou")] {
        works_in(&ann, opened).await;
        let form = ann.get("/account/tokens/new").await;
        form.shows(&format!("The token will act for you in {name}"));
        let about = hidden(&form, &["nonce", "working_in"]);
        works_in(&ann, chosen).await;
        let made = sends(&ann, "/account/tokens", &about, &TOKEN).await;
        assert_eq!(made.status, 200, "{}", made.text());
        made.shows(&format!("It belongs to you in {name}"));
        let key = made.key().expect("a key");
        assert_eq!(app.me(&key).await.json()["organization"]["slug"], opened);
        // The way on leads to where the token is.
        let list = made.body.split("href=\"").filter_map(|part| part.split('"').next());
        let list = list.filter(|link| link.starts_with("/account/tokens?")).last().expect("a link to the list");
        ann.get(list).await.shows("Power BI");
    }
}

#[db_test]
async fn several_tokens_are_revoked_in_the_organization_of_the_form(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    in_two_organizations(&app, &ann).await;
    let here = ann.makes_token("here").await;
    let question = ann.get("/account/tokens/revocation").await;
    let about = hidden(&question, &["working_in"]);
    works_in(&ann, "segou").await;
    let there = ann.makes_token("there").await;
    let sent = sends(&ann, "/account/tokens/revocation", &about, &[("which", "all")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    ann.get(sent.header("location")).await.shows("2 tokens are revoked").shows("at first");
    assert_eq!((app.me(&here).await.status, app.me(&there).await.status), (401, 200));
    // Nothing chosen, nothing revoked, and the question is still about the same organization.
    let again = sends(&ann, "/account/tokens/revocation", &about, &[]).await;
    assert_eq!((again.status, again.field("working_in")), (422, Some(about[0].1.clone())));
    again.shows("Choose which tokens to revoke").shows("Only tokens in Croix-Bleue Sahel");
}

#[db_test]
async fn the_pages_of_a_token_do_not_depend_on_the_chosen_organization(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    in_two_organizations(&app, &ann).await;
    let key = ann.makes_token("script").await;
    let page = format!("/account/tokens/{}", ann.token_id("script").await);
    works_in(&ann, "segou").await;
    for path in [page.clone(), format!("{page}/revocation")] {
        let shown = ann.get(&path).await;
        assert_eq!(shown.status, 200, "{path}");
        assert!(shown.body.contains("script"), "{path}");
    }
    assert!(ann.get(&page).await.body.contains("<span>Croix-Bleue Sahel</span>"));
    let revoked = ann.post(&format!("{page}/revocation"), &[]).await;
    assert_eq!(revoked.status, 303, "{}", revoked.text());
    ann.get(revoked.header("location")).await.shows("“script” is revoked").shows("at first");
    assert_eq!(app.me(&key).await.status, 401);
    for path in [format!("{page}/receipt"), format!("{page}/receipt/file")] {
        assert_eq!(ann.get(&path).await.status, 200, "{path}");
    }
    let entry = activity(&app.db).pop().expect("an entry");
    assert!(format!("{entry:?}").contains("token.revoked"), "{entry:?}");
    ann.get(&format!("/orgs/{SLUG}/activity")).await.shows("script");
}

#[db_test]
async fn a_form_for_an_organization_that_the_user_left_is_shown_again(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    in_two_organizations(&app, &ann).await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let form = ben.get("/account/tokens/new").await;
    let about = hidden(&form, &["nonce", "working_in"]);
    let set = ann.get("/orgs/segou/users/invite").await.body;
    let set = set.split("name=\"permission_set\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let invited = ann.post("/orgs/segou/users/invite", &[("email", &ben.email), ("permission_set", &set)]).await;
    let link = invited.link("/invitations/").expect("a link");
    ben.get(&link).await;
    assert_eq!(ben.post(&format!("{link}/acceptance"), &[]).await.status, 303);
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);

    // That has ended his sessions.
    let asked = sends(&ben, "/account/tokens", &about, &TOKEN).await;
    let refused = signs_in_again(&ben, "/account/tokens", &asked.field("kept").expect("a form"), PASSWORD).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    refused.shows("no longer active in the organization").shows("The token will act for you in Hôpital de Ségou");
    assert_eq!(refused.field("label").as_deref(), Some("Power BI"));
    let bulk = sends(&ben, "/account/tokens/revocation", &about[1..], &[("which", "all")]).await;
    assert_eq!(bulk.status, 422);
    bulk.shows("no longer active in the organization").shows("Only tokens in Hôpital de Ségou");
    // What came back is about the other organization, and goes through.
    let made = sends(&ben, "/account/tokens", &hidden(&refused, &["nonce", "working_in"]), &TOKEN).await;
    assert_eq!(app.me(&made.key().expect("a key")).await.json()["organization"]["slug"], "segou");
}

#[db_test]
async fn a_form_without_an_organization_is_about_the_only_one_or_shown_again(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let nonce = hidden(&ann.get("/account/tokens/new").await, &["nonce"]);
    assert_eq!(sends(&ann, "/account/tokens", &nonce, &TOKEN).await.status, 200);
    in_two_organizations(&app, &ann).await;
    let nonce = hidden(&ann.get("/account/tokens/new").await, &["nonce"]);
    for about in ["", "zzzzzzzzzz", SLUG] {
        let refused = sends(&ann, "/account/tokens", &nonce, &[&TOKEN[..], &[("working_in", about)]].concat()).await;
        assert_eq!((refused.status, refused.key()), (422, None), "{about}");
        assert_eq!(refused.field("label").as_deref(), Some("Power BI"));
    }
}

#[db_test]
async fn a_form_of_one_user_does_nothing_for_the_next_in_the_same_browser(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let forms = [
        ("/account/tokens/new", "/account/tokens", "label"),
        ("/account/profile", "/account/profile", "name"),
        (org!("/permission-sets/new"), SETS, "name"),
    ];
    for (page, action, field) in forms {
        let csrf = ann.get(page).await.field("csrf").unwrap();
        let before = activity(&app.db).len();
        let sent = ben.post(action, &[("csrf", &csrf), (field, "Secret plans of Ann")]).await;
        assert_eq!(sent.status, 403, "{action}");
        sent.shows("opened in another session").shows("Ben");
        assert!(!sent.body.contains("Secret plans"), "{action}");
        assert_eq!(activity(&app.db).len(), before);
    }
}

/// A form: its page, its address, its hidden fields, what is typed, and how some of it looks when it comes back.
struct Sent {
    page: String,
    action: String,
    hidden: &'static [&'static str],
    typed: Vec<(&'static str, &'static str)>,
    comes_back: &'static [&'static str],
}

/// Returns forms of many kinds, most with several values or rows.
async fn forms(app: &TestApp, ann: &Person) -> Vec<Sent> {
    ann.makes_token("script").await;
    ann.makes_service_token("Workato").await;
    app.add_user("Ben", BuiltInSet::Standard).await;
    let permissions = [("permission", "assets.view"), ("permission", "templates.view")];
    let set = ann.post(SETS, &[&[("name", "Guards")][..], &permissions].concat()).await;
    let set = set.header("location").trim_end_matches("?notice=created").to_owned();
    let api = ann.post(APIS, &[("name", "Order API"), ("address", "https://api.example.org")]).await;
    let api = format!("{}/edit", api.header("location").trim_end_matches("?notice=created"));
    let (service, ben) = (ann.service_token("Workato").await, ann.page_of("Ben").await);
    let rules = vec![
        ("name", "Stock API"),
        ("address", "https://stock.example.org/v2/"),
        ("methods[]", "reads"),
        ("path[]", "/é/*"),
        ("needs[]", "read"),
        ("permission[]", "templates.view"),
        ("methods[]", "any"),
        ("path[]", "/**"),
        ("needs[]", "read_write"),
        ("permission[]", ""),
    ];
    let changed = [&[("name", "Depot API")][..], &rules[1..]].concat();
    let boxes = &["value=\"assets.view\" checked", "value=\"assets.edit\" checked"];
    let form = |page: &str, action: &str, hidden, typed: &[(&'static str, &'static str)], comes_back| Sent {
        page: page.to_owned(),
        action: action.to_owned(),
        hidden,
        typed: typed.to_vec(),
        comes_back,
    };
    let two = [("name", "A & B <c>"), ("permission", "assets.view"), ("permission", "assets.edit")];
    let other = [("name", "D & E <f>"), two[1], two[2]];
    vec![
        form("/account/tokens/new", "/account/tokens", &["nonce", "working_in"], &TOKEN, &["value=\"Power BI\""]),
        form(
            "/account/profile",
            "/account/profile",
            &[],
            &[("name", "Ann-Élise"), ("email", "ann@example.org"), ("time_zone", "UTC"), ("theme", "dark")],
            &["value=\"Ann-Élise\""],
        ),
        form(&format!("{SETS}/new"), SETS, &[], &two, boxes),
        form(&format!("{set}/edit"), &format!("{set}/edit"), &["version"], &other, boxes),
        form(
            &format!("{APIS}/new"),
            APIS,
            &[],
            &rules,
            &["value=\"/é/*\"", "value=\"/**\"", "https://stock.example.org/v2/"],
        ),
        form(&api, &api, &["version"], &changed, &["value=\"/é/*\"", "value=\"/**\""]),
        form(
            org!("/integrations/tokens/new"),
            org!("/integrations/tokens"),
            &["nonce"],
            &[("name", "Warehouse"), ("inactivity", "60"), ("permission", "assets.view")],
            &["value=\"Warehouse\"", "value=\"assets.view\" checked"],
        ),
        form(
            &format!("{service}/name"),
            &format!("{service}/name"),
            &["version"],
            &[("name", "Warehouse")],
            &["value=\"Warehouse\""],
        ),
        form(
            &format!("{service}/permissions"),
            &format!("{service}/permissions"),
            &["version"],
            &[("permission", "assets.view"), ("permission", "assets.edit")],
            boxes,
        ),
        form(
            &format!("{service}/rotation"),
            &format!("{service}/rotation"),
            &["nonce"],
            &[("hours", "72"), ("quiet", "6")],
            &["value=\"72\""],
        ),
        form(
            &format!("{USERS}/invite"),
            &format!("{USERS}/invite"),
            &[],
            &[("email", "leo@example.org"), ("permission_set", "3")],
            &["value=\"leo@example.org\"", "value=\"3\" checked"],
        ),
        form(
            &ben,
            &format!("{ben}/permission-set"),
            &["before"],
            &[("permission_set", "3")],
            &["value=\"3\" selected"],
        ),
        form(
            org!("/settings"),
            org!("/settings"),
            &["before"],
            &[("organization", "Croix-Bleue Mali"), ("slug", "mali")],
            &["value=\"Croix-Bleue Mali\"", "value=\"mali\""],
        ),
        form(
            "/organizations/new",
            "/organizations/new",
            &[],
            &[("organization", "Ségou"), ("slug", "segou")],
            &["value=\"Ségou\"", "value=\"segou\""],
        ),
        form(
            "/installation/administrators",
            "/installation/administrators",
            &[],
            &[("email", "ben@example.org")],
            &["value=\"ben@example.org\""],
        ),
    ]
}

/// Returns whether the page has this piece of a field, as templates write it.
fn shows_field(page: &Answer, piece: &str) -> bool {
    page.body.replace("&#47;", "/").contains(piece)
}

/// Returns the entries of the activity log, except those about sessions.
fn changes(app: &TestApp) -> usize {
    activity(&app.db).iter().filter(|entry| !entry.action.starts_with("session.")).count()
}

/// Signs in on the page that answered a form sent to `action`.
async fn signs_in_again(person: &Person, action: &str, kept: &str, password: &str) -> Answer {
    person.post(action, &[("email", &person.email), ("password", password), ("kept", kept)]).await
}

/// Sends a form after its session has ended, and returns what is kept of it.
async fn sends_too_late(app: &TestApp, person: &Person, action: &str, fields: &[(&str, &str)]) -> String {
    app.clock.advance(HOUR);
    let asked = person.post(action, fields).await;
    assert_eq!(asked.status, 403, "{action}: {}", asked.text());
    asked.field("kept").unwrap_or_else(|| panic!("{action}: {}", asked.body))
}

const WHY: &str = "Nothing has been saved yet, because your session had ended. Check the form and send it again.";

#[db_test]
async fn what_was_typed_is_kept_when_the_session_ends(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for Sent { page, action, hidden: names, typed, comes_back } in forms(&app, &ann).await {
        let form = ann.get(&page).await;
        assert_eq!(form.status, 200, "{page}");
        let hidden = hidden(&form, names);
        let before = changes(&app);
        app.clock.advance(HOUR);
        let asked = sends(&ann, &action, &hidden, &typed).await;
        assert_eq!((asked.status, asked.header("location")), (403, ""), "{action}: {}", asked.text());
        asked.shows("Your session has ended, so nothing has been saved yet").shows("Sign in");
        for (_, value) in typed.iter().filter(|(_, value)| value.len() > 5) {
            assert!(!asked.body.contains(value), "{action} shows {value} to nobody in particular");
        }
        let kept = asked.field("kept").expect("what was typed");
        let back = signs_in_again(&ann, &action, &kept, PASSWORD).await;
        assert!(matches!(back.status, 200 | 422), "{action}: {} {}", back.status, back.text());
        if !action.ends_with("permission-set") && !back.body.contains("name=\"affected\"") {
            assert_eq!(back.status, 422, "{action}");
        }
        back.shows(WHY);
        for piece in comes_back {
            assert!(shows_field(&back, piece), "{action}: {piece} in {}", back.body);
        }
        assert_eq!(changes(&app), before, "{action} did something by itself");
        // The button once more, with what stands in the form now.
        let now: Vec<(&str, String)> = names.iter().filter_map(|name| Some((*name, back.field(name)?))).collect();
        let done = sends(&ann, &action, &now, &typed).await;
        assert!(matches!(done.status, 200 | 303), "{action}: {} {}", done.status, done.text());
        assert!(changes(&app) > before || done.body.contains("name=\"affected\""), "{action}");
    }
}

#[db_test]
async fn a_kept_form_is_explained_in_french_too(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let csrf = ann.get("/account/tokens/new").await.field("csrf").unwrap();
    app.clock.advance(HOUR);
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept-language", "fr"),
    ];
    let asked = ann.request("POST", "/account/tokens", &headers, format!("csrf={csrf}&label=x")).await;
    asked.shows("Votre session a pris fin").shows("le formulaire s’affichera de nouveau tel que vous l’avez rempli");
    let body = format!("email=ann%40example.org&password={PASSWORD}&kept={}", asked.field("kept").unwrap());
    let back = ann.request("POST", "/account/tokens", &headers, body.replace(' ', "+")).await;
    assert_eq!(back.field("label").as_deref(), Some("x"));
}

#[db_test]
async fn nobody_else_sees_a_kept_form(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    ann.get("/account/tokens/new").await;
    let kept = sends_too_late(&app, &ann, "/account/tokens", &[("label", "Secret plans")]).await;
    for other in [&ben, &eve] {
        let answer = signs_in_again(other, "/account/tokens", &kept, PASSWORD).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.text());
        assert!(!answer.body.contains("Secret plans"));
        assert_eq!(other.get("/account/profile").await.status, 200, "signed in all the same");
    }
    // Nor does it come back elsewhere, altered, or in pieces.
    let altered = with_another_letter(&kept, 40);
    for (path, kept) in [
        ("/account/profile", kept.as_str()),
        ("/account/tokens", &altered),
        ("/account/tokens", &kept[..60]),
        ("/account/tokens", ""),
    ] {
        let answer = signs_in_again(&ann, path, kept, PASSWORD).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{path}");
    }
    let back = signs_in_again(&ann, "/account/tokens", &kept, PASSWORD).await;
    assert_eq!(back.field("label").as_deref(), Some("Secret plans"));
}

#[db_test]
async fn a_form_is_kept_for_an_hour_and_despite_wrong_passwords(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.get("/account/tokens/new").await;
    let kept = sends_too_late(&app, &ann, "/account/tokens", &[("label", "Power BI")]).await;
    for password in ["", "not the password at all"] {
        let again = signs_in_again(&ann, "/account/tokens", &kept, password).await;
        assert_eq!((again.status, again.field("kept").as_deref()), (422, Some(&*kept)));
        assert_eq!(again.field("email").as_deref(), Some("ann@example.org"));
        again.shows("nothing has been saved yet");
    }
    app.clock.advance(HOUR - 100);
    let back = signs_in_again(&ann, "/account/tokens", &kept, PASSWORD).await;
    assert_eq!((back.status, back.field("label").as_deref()), (422, Some("Power BI")));
    app.clock.advance(100);
    let late = signs_in_again(&ann, "/account/tokens", &kept, PASSWORD).await;
    assert_eq!((late.status, late.header("location")), (303, "/account/tokens/new"));
    assert_eq!(ann.get("/account/tokens/new").await.status, 200);
}

#[db_test]
async fn a_kept_form_has_no_password_or_key(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("script").await;
    ann.get("/account/tokens/new").await;
    let typed = [("label", &*key), ("scope", "read_write"), ("inactivity", "45"), ("password", "typed in a hurry")];
    let kept = sends_too_late(&app, &ann, "/account/tokens", &typed).await;
    let back = signs_in_again(&ann, "/account/tokens", &kept, PASSWORD).await;
    assert!(!back.body.contains(&key) && !back.body.contains("typed in a hurry"), "{}", back.body);
    back.shows(WHY);
    // A form of nothing but passwords has nothing to come back with.
    ann.get("/account/security").await;
    app.clock.advance(HOUR);
    let asked = ann.post("/account/security", &[("password", "a"), ("new_password", "b")]).await;
    assert_eq!(
        (asked.status, asked.header("location")),
        (303, "/sign-in?next=%2Faccount%2Fsecurity&notice=sign-in-again")
    );
}

#[db_test]
async fn after_signing_in_in_another_tab_the_form_is_shown_immediately(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for Sent { page, action, hidden: names, typed, comes_back } in forms(&app, &ann).await {
        let form = ann.get(&page).await;
        let (csrf, hidden) = (form.field("csrf").unwrap(), hidden(&form, names));
        ann.post("/sign-out", &[]).await;
        assert_eq!(ann.signs_in().await.status, 303);
        let before = changes(&app);
        let back = sends(&ann, &action, &hidden, &[&typed[..], &[("csrf", &csrf)]].concat()).await;
        assert!(matches!(back.status, 200 | 422), "{action}: {} {}", back.status, back.text());
        back.shows(WHY);
        assert_ne!(back.field("csrf"), Some(csrf));
        assert!(shows_field(&back, comes_back[0]), "{action}: {} in {}", comes_back[0], back.body);
        assert_eq!(changes(&app), before, "{action}");
    }
    // A question that nothing is typed into is asked again.
    let token = format!("/account/tokens/{}/revocation", ann.token_id("script").await);
    let csrf = ann.get(&token).await.field("csrf").unwrap();
    ann.signs_in().await;
    let asked = ann.post(&token, &[("csrf", &csrf)]).await;
    assert_eq!((asked.status, asked.header("location")), (303, &*token));
    assert_eq!(ann.get(&token).await.status, 200, "it is not revoked");
}

#[db_test]
async fn forms_are_kept_when_a_session_is_ended_from_elsewhere(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let phone = app.browser("Ann");
    phone.signs_in().await;
    phone.get(&format!("{SETS}/new")).await;
    let typed = [("name", "Guards"), ("permission", "assets.view")];
    for end in ["/account/sessions/end-others", "/account/security"] {
        ann.get("/account/profile").await;
        let passwords = [("password", PASSWORD), ("new_password", "another long enough sentence")];
        assert_eq!(ann.post(end, &passwords).await.status, 303, "{end}");
        let asked = phone.post(SETS, &typed).await;
        assert_eq!(asked.status, 403, "{end}");
        let password = if end.ends_with("security") { "another long enough sentence" } else { PASSWORD };
        let back = signs_in_again(&phone, SETS, &asked.field("kept").unwrap(), password).await;
        assert_eq!((back.status, back.field("name").as_deref()), (422, Some("Guards")));
    }
    ben.get(&format!("{SETS}/new")).await;
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);
    let asked = ben.post(SETS, &typed).await;
    let refused = signs_in_again(&ben, SETS, &asked.field("kept").unwrap(), PASSWORD).await;
    assert_eq!((refused.status, refused.field("kept")), (422, asked.field("kept")));
    assert!(!refused.body.contains("Guards"));
    ann.get("/account/profile").await;
    assert_eq!(ann.does("Ben", "reactivation").await.status, 303);
    let back = signs_in_again(&ben, SETS, &refused.field("kept").unwrap(), PASSWORD).await;
    assert_eq!((back.status, back.field("name").as_deref()), (422, Some("Guards")));
}

#[db_test]
async fn a_form_without_an_owner_is_not_kept(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let visitor = app.browser("Visitor");
    for (action, page) in [
        ("/account/tokens", "/account/tokens/new"),
        ("/account/tokens/revocation", "/account/tokens/revocation"),
        (SETS, org!("/permission-sets/new")),
        ("/account/profile", "/account/profile"),
    ] {
        for csrf in ["", "0", &"0".repeat(63), &"é".repeat(32)] {
            let sent = visitor.post(action, &[("csrf", csrf), ("label", "typed"), ("name", "typed")]).await;
            let next = format!("/sign-in?next={}&notice=sign-in-again", page.replace('/', "%2F"));
            assert_eq!((sent.status, sent.header("location")), (303, &*next), "{action} {csrf}");
        }
        let form = visitor.get(&format!("/sign-in?next={page}&notice=sign-in-again")).await;
        form.shows("Your session has ended, so nothing has been saved.");
        assert_eq!(form.field("next").as_deref(), Some(page));
    }
    // htmx takes the whole page there.
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("hx-request", "true"),
    ];
    let csrf = ann.get(USERS).await.field("csrf").unwrap();
    app.clock.advance(HOUR);
    let part = ann.request("POST", &format!("{USERS}/search"), &headers, format!("csrf={csrf}&q=ben")).await;
    let next = format!("/sign-in?next={}&notice=sign-in-again", USERS.replace('/', "%2F"));
    assert_eq!((part.status, part.header("hx-redirect")), (401, &*next));
}

#[db_test]
async fn no_other_site_can_fill_in_a_form_for_a_user(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let csrf = eve.get("/account/tokens/new").await.field("csrf").unwrap();
    app.clock.advance(HOUR);
    let asked = eve.post("/account/tokens", &[("csrf", &csrf), ("label", "of Eve")]).await;
    let kept = asked.field("kept").unwrap();
    let own = format!("csrf={csrf}&label=of+Eve");
    let brings = format!("email=ann%40example.org&password=a+long+enough+sentence&kept={kept}");
    for body in [&own, &brings] {
        for site in ["cross-site", "same-site", "none"] {
            let headers = [("sec-fetch-site", site), ("content-type", "application/x-www-form-urlencoded")];
            let answer = ann.request("POST", "/account/tokens", &headers, body.clone()).await;
            assert_eq!((answer.status, answer.header("set-cookie"), answer.field("kept")), (403, "", None));
            answer.shows("another website");
        }
    }
    // What Eve made herself opens for nobody else.
    let answer = signs_in_again(&ann, "/account/tokens", &kept, PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
}

#[db_test]
async fn the_largest_form_can_be_kept(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.get(&format!("{APIS}/new")).await;
    let path = format!("/{}/**", "x".repeat(400));
    let mut typed = vec![("name", "Stock API"), ("address", "https://stock.example.org")];
    for _ in 0..30 {
        typed.extend([("methods[]", "any"), ("path[]", &*path), ("needs[]", "read"), ("permission[]", "")]);
    }
    let kept = sends_too_late(&app, &ann, APIS, &typed).await;
    assert!(kept.len() > 16 * 1024, "{}", kept.len());
    let back = signs_in_again(&ann, APIS, &kept, PASSWORD).await;
    assert!(back.body.matches(&"x".repeat(400)).count() >= 30, "{}", back.text());
    // More than that is no form of anybody.
    ann.get("/account/profile").await;
    assert_eq!(ann.post(APIS, &[("name", &*"x".repeat(90_000))]).await.status, 413);
    assert_eq!(ann.post(APIS, &[("kept", &*"x".repeat(90_000))]).await.status, 413);
}
