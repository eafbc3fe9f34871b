//! A user's own settings.

use crate::harness::{PASSWORD, TestApp, TestDb, db_test};
use domain::permission::BuiltInSet;

const PROFILE: [(&str, &str); 5] = [
    ("name", "Ann"),
    ("email", "ann@example.org"),
    ("language", "fr"),
    ("time_zone", "Africa/Bamako"),
    ("theme", "dark"),
];

fn profile(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let changed = |name: &str| changes.iter().find(|(changed, _)| *changed == name).copied();
    let mut fields: Vec<_> = PROFILE.iter().map(|(name, value)| changed(name).unwrap_or((name, value))).collect();
    fields.extend(changes.iter().filter(|(name, _)| *name == "password"));
    fields
}

#[db_test]
async fn settings_take_effect_on_the_next_page(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    assert_eq!(ann.post("/account/profile", &profile(&[("name", "Ann Łęcka")])).await.status, 303);
    let page = ann.get("/account/tokens").await;
    assert!(page.body.contains("<html lang=\"fr\" data-theme=\"dark\""), "{}", &page.body[..200]);
    page.shows("Jetons API").shows("Ann Łęcka");
}

#[db_test]
async fn wrong_settings_are_explained_at_their_fields_and_keep_what_was_typed(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let wrong = profile(&[
        ("name", " "),
        ("email", "nobody"),
        ("time_zone", "Mars/Base"),
        ("language", "xx"),
        ("theme", "pink"),
    ]);
    let form = ann.post("/account/profile", &wrong).await;
    assert_eq!(form.status, 422);
    assert_eq!(form.field("email").as_deref(), Some("nobody"));
    assert!(form.body.matches("aria-invalid=\"true\"").count() >= 3, "{}", form.body);
    ann.get("/account/profile").await.shows("ann@example.org");
}

#[db_test]
async fn a_new_address_needs_the_password_unless_it_was_entered_recently(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.clock.advance(11 * 60);
    let change = [("email", "ann.new@example.org")];
    let asked = ann.post("/account/profile", &profile(&change)).await;
    assert_eq!(asked.status, 422);
    assert_eq!(asked.field("email").as_deref(), Some("ann.new@example.org"));
    assert!(asked.field("password").is_some() || asked.body.contains("name=\"password\""));
    let wrong = profile(&[change[0], ("password", "not the password at all")]);
    assert_eq!(ann.post("/account/profile", &wrong).await.status, 422);
    let right = profile(&[change[0], ("password", PASSWORD)]);
    assert_eq!(ann.post("/account/profile", &right).await.status, 303);
    let again = app.browser("Ann.New");
    assert_eq!(again.signs_in().await.status, 303);
}

#[db_test]
async fn an_address_belongs_to_one_user_whatever_its_case(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", BuiltInSet::Reader).await;
    let taken = ann.post("/account/profile", &profile(&[("email", "BEN@example.org")])).await;
    assert_eq!(taken.status, 422);
    assert!(taken.body.contains("aria-invalid=\"true\""));
}

#[db_test]
async fn a_new_password_ends_the_other_sessions_immediately(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let phone = app.browser("Ann");
    phone.signs_in().await;
    let new = "another long enough sentence";
    let wrong = ann.post("/account/security", &[("password", "not the password at all"), ("new_password", new)]).await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.body.contains(new));
    assert_eq!(ann.post("/account/security", &[("password", PASSWORD), ("new_password", "short")]).await.status, 422);
    assert_eq!(phone.get("/account/tokens").await.status, 200);

    // Whatever else a form carries changes nothing about it.
    let fields = [("password", PASSWORD), ("new_password", new), ("keep_sessions", "1")];
    assert_eq!(ann.post("/account/security", &fields).await.status, 303);
    assert_eq!(phone.get("/account/tokens").await.status, 303);
    assert_eq!(ann.get("/account/tokens").await.status, 200);
    let tablet = app.browser("Ann");
    assert_eq!(tablet.signs_in().await.status, 422);
    assert_eq!(tablet.signs_in_with(new).await.status, 303);
}

#[db_test]
async fn a_sign_in_with_the_old_password_fails_if_it_changes_meanwhile(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let phones: Vec<_> = (0..4).map(|_| app.browser("Ann")).collect();
    let old = futures_util::future::join_all(phones.iter().map(|phone| phone.signs_in()));
    let fields = [("password", PASSWORD), ("new_password", "another long enough sentence")];
    let (changed, _) = futures_util::future::join(ann.post("/account/security", &fields), old).await;
    assert_eq!(changed.status, 303);
    for phone in phones {
        assert_eq!(phone.get("/account/tokens").await.status, 303);
    }
}

#[db_test]
async fn the_theme_switch_changes_only_the_theme(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    assert_eq!(ann.post("/account/theme", &[("theme", "dark")]).await.status, 303);
    assert!(ann.get("/account/profile").await.body.contains("data-theme=\"dark\""));
    assert!((400..500).contains(&ann.post("/account/theme", &[("theme", "pink")]).await.status));
}

#[db_test]
async fn the_language_follows_the_browser_until_the_user_chooses_one(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let french = app.send("GET", "/sign-in", &[("accept-language", "fr-CA,en;q=0.5")], "").await;
    assert!(french.body.contains("<html lang=\"fr\""));
    let english = app.send("GET", "/sign-in?lang=en", &[("accept-language", "fr")], "").await;
    assert!(english.body.contains("<html lang=\"en\""));
    let cookie = format!("jeton_language_{}=en", app.jeton.fingerprint());
    assert!(english.header("set-cookie").starts_with(&cookie));
    let kept = app.send("GET", "/nowhere", &[("accept-language", "fr"), ("cookie", &cookie)], "").await;
    assert!(kept.body.contains("<html lang=\"en\""));
}
