//! Several organizations: making them, and their settings.

use crate::harness::{PASSWORD, TestApp, db_test};
use futures_util::future::join_all;
use jeton::domain::permission::BuiltInSet;

const SETTINGS: &str = "/orgs/croix-bleue-sahel/settings";

db_test! {
    async fn whoever_administers_the_installation_makes_organizations(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let made = ann.post("/organizations/new", &[("organization", "Hôpital de Ségou"), ("slug", "")]).await;
        assert_eq!((made.status, made.header("location")), (303, "/orgs/hopital-de-segou"));
        // She works there from now on, with every permission, and nothing of the other one is in it.
        let billing = ann.get("/orgs/hopital-de-segou/billing").await;
        assert_eq!(billing.status, 200);
        billing.shows("Hôpital de Ségou").shows("Seats in use 1");
        let key = ann.makes_token("there").await;
        assert_eq!(app.me(&key).await.json()["organization"]["slug"], "hopital-de-segou");
        let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
        assert_eq!(ben.get("/organizations/new").await.status, 404);
        assert_eq!(ben.post("/organizations/new", &[("organization", "Mine")]).await.status, 404);
        assert!(!ben.get("/account/profile").await.body.contains("/organizations/new"));
        assert_eq!(ben.get("/orgs/hopital-de-segou/billing").await.status, 404);
    }

    async fn an_address_that_is_taken_is_said_and_another_one_proposed(db: TestDb) {
        let (_app, ann) = TestApp::with_user(db, "Ann").await;
        let taken = ann.post("/organizations/new", &[("organization", "Croix-Bleue  Sahel"), ("slug", "")]).await;
        assert_eq!((taken.status, taken.field("slug").as_deref()), (422, Some("croix-bleue-sahel-2")));
        taken.shows("Another organization has this address");
        for wrong in ["Croix", "a--b", "-", "a/b", "é", "../x"] {
            let refused = ann.post("/organizations/new", &[("organization", "X"), ("slug", wrong)]).await;
            assert_eq!(refused.status, 422, "{wrong}");
            assert_eq!(refused.field("slug").as_deref(), Some(wrong));
        }
        assert_eq!(ann.post("/organizations/new", &[("organization", " "), ("slug", "x")]).await.status, 422);
        let form = [("organization", "Twice"), ("slug", "twice")];
        let twice = join_all([ann.post("/organizations/new", &form), ann.post("/organizations/new", &form)]).await;
        let mut answers: Vec<u16> = twice.iter().map(|answer| answer.status).collect();
        answers.sort_unstable();
        assert_eq!(answers, [303, 422]);
    }

    async fn to_make_one_needs_the_password_again(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        app.clock.advance(11 * 60);
        assert!(ann.get("/organizations/new").await.body.contains("name=\"password\""));
        let form = [("organization", "Later"), ("slug", "later")];
        assert_eq!(ann.post("/organizations/new", &form).await.status, 422);
        assert_eq!(ann.post("/organizations/new", &[form[0], form[1], ("password", PASSWORD)]).await.status, 303);
    }

    async fn a_new_address_counts_at_once_and_the_old_one_is_not_found(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let key = ann.makes_token("Power BI").await;
        assert_eq!(app.me(&key).await.json()["organization"]["slug"], "croix-bleue-sahel");
        let form = [("organization", "Croix-Bleue <Mali>"), ("slug", "mali"), ("before", "Croix-Bleue Sahel")];
        let saved = ann.post(SETTINGS, &form).await;
        assert_eq!((saved.status, saved.header("location")), (303, "/orgs/mali/settings?saved"));
        let me = app.me(&key).await.json();
        assert_eq!((&me["organization"]["slug"], &me["organization"]["name"]), (&"mali".into(), &"Croix-Bleue <Mali>".into()));
        for old in [SETTINGS, "/orgs/croix-bleue-sahel", "/orgs/croix-bleue-sahel/billing"] {
            assert_eq!(ann.get(old).await.status, 404, "{old}");
        }
        ann.get("/orgs/mali/settings").await.shows("Croix-Bleue <Mali>");
        // Whoever had opened the form before that is told.
        let stale = [("organization", "Other"), ("slug", "mali"), ("before", "Croix-Bleue Sahel")];
        assert_eq!(ann.post("/orgs/mali/settings", &stale).await.status, 422);
    }

    async fn only_administrators_change_the_settings_and_not_into_another_ones_address(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let stranger = app.add_organization("elsewhere", "Stranger").await;
        let reader = app.add_user("Reader", BuiltInSet::Standard).await;
        let form = [("organization", "Theirs"), ("slug", "theirs"), ("before", "Croix-Bleue Sahel")];
        assert_eq!(reader.post(SETTINGS, &form).await.status, 403);
        assert_eq!(stranger.post(SETTINGS, &form).await.status, 404);
        assert!(!reader.get("/account/profile").await.body.contains("/settings"));
        let taken = [("organization", "Ours"), ("slug", "elsewhere"), ("before", "Croix-Bleue Sahel")];
        let refused = ann.post(SETTINGS, &taken).await;
        assert_eq!((refused.status, refused.field("organization").as_deref()), (422, Some("Ours")));
        ann.get(SETTINGS).await.shows("Croix-Bleue Sahel");
    }
}
