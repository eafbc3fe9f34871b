//! Several organizations: creating them, and their settings.

use crate::harness::{PASSWORD, Person, SLUG, TestApp, TestDb, db_test, org};
use domain::permission::BuiltInSet;
use futures_util::future::{join, join_all};

const SETTINGS: &str = org!("/settings");

#[db_test]
async fn installation_administrators_create_organizations(db: TestDb) {
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

#[db_test]
async fn a_taken_address_is_refused_and_another_one_suggested(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let taken = ann.post("/organizations/new", &[("organization", "Croix-Bleue  Sahel"), ("slug", "")]).await;
    assert_eq!((taken.status, taken.field("slug").as_deref()), (422, Some(&*format!("{SLUG}-2"))));
    taken.shows("Another organization uses or used this address");
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

#[db_test]
async fn creating_an_organization_needs_the_password_again(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.clock.advance(11 * 60);
    assert!(ann.get("/organizations/new").await.body.contains("name=\"password\""));
    let form = [("organization", "Later"), ("slug", "later")];
    assert_eq!(ann.post("/organizations/new", &form).await.status, 422);
    assert_eq!(ann.post("/organizations/new", &[form[0], form[1], ("password", PASSWORD)]).await.status, 303);
}

#[db_test]
async fn a_new_address_works_immediately_and_the_old_one_redirects(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    assert_eq!(app.me(&key).await.json()["organization"]["slug"], SLUG);
    let form = [("organization", "Croix-Bleue <Mali>"), ("slug", "mali"), ("before", "Croix-Bleue Sahel")];
    let saved = ann.post(SETTINGS, &form).await;
    assert_eq!((saved.status, saved.header("location")), (303, "/orgs/mali/settings?notice=saved"));
    let me = app.me(&key).await.json();
    assert_eq!(
        (&me["organization"]["slug"], &me["organization"]["name"]),
        (&"mali".into(), &"Croix-Bleue <Mali>".into())
    );
    for (old, new) in [
        (SETTINGS, "/orgs/mali/settings"),
        (org!(""), "/orgs/mali"),
        (org!("/users?q=a/b&set=1"), "/orgs/mali/users?q=a/b&set=1"),
        (org!("/billing/seats.csv"), "/orgs/mali/billing/seats.csv"),
    ] {
        for moved in [ann.get(old).await, ann.get_part(old).await] {
            assert_eq!((moved.status, moved.header("location")), (307, new), "{old}");
            assert_eq!(moved.header("cache-control"), "no-store", "it may move back");
        }
    }
    ann.get("/orgs/mali/settings").await.shows("Croix-Bleue <Mali>");
    // An administrator who had opened the form before is told.
    let stale = [("organization", "Other"), ("slug", "mali"), ("before", "Croix-Bleue Sahel")];
    assert_eq!(ann.post("/orgs/mali/settings", &stale).await.status, 422);
    // A form that was opened at the old address is sent on as it is.
    let invited = [("email", "leo@example.org"), ("permission_set", "2")];
    let sent = ann.post(org!("/users/invite"), &invited).await;
    assert_eq!((sent.status, sent.header("location")), (307, "/orgs/mali/users/invite"));
    assert_eq!(ann.post("/orgs/mali/users/invite", &invited).await.status, 200);
    let chosen = ann.post("/account/organization", &[("organization", SLUG)]).await;
    assert_eq!((chosen.status, chosen.header("location")), (303, "/orgs/mali"));
}

#[db_test]
async fn a_former_address_is_never_given_to_another_organization(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let moves = async |person: &Person, at: &str, name: &str, slug: &str, before: &str| {
        let form = [("organization", name), ("slug", slug), ("before", before)];
        person.post(&format!("/orgs/{at}/settings"), &form).await
    };
    assert_eq!(moves(&ann, SLUG, "A", "mali", "Croix-Bleue Sahel").await.status, 303);
    assert_eq!(moves(&ann, "mali", "A", "segou", "A").await.status, 303);
    for former in [SLUG, "mali", "segou"] {
        let refused = moves(&stranger, "elsewhere", "A", former, "elsewhere").await;
        assert_eq!(refused.status, 422, "{former}");
        refused.shows("Another organization uses or used this address");
        let refused = ann.post("/organizations/new", &[("organization", "B"), ("slug", former)]).await;
        assert_eq!(refused.status, 422, "{former}");
        // To whoever is not in it, it is as little there as ever.
        assert_eq!(stranger.get(&format!("/orgs/{former}/users")).await.status, 404, "{former}");
        assert_eq!(stranger.post("/account/organization", &[("organization", former)]).await.status, 404, "{former}");
    }
    let proposed = ann.post("/organizations/new", &[("organization", "Mali"), ("slug", "")]).await;
    assert_eq!(proposed.field("slug").as_deref(), Some("mali-2"));
    // It takes one of its own again, and the others follow.
    assert_eq!(moves(&ann, "segou", "A", "mali", "A").await.status, 303);
    assert_eq!(ann.get("/orgs/mali/users").await.status, 200);
    for former in [SLUG, "segou"] {
        assert_eq!(ann.get(&format!("/orgs/{former}/users")).await.header("location"), "/orgs/mali/users");
    }
}

#[db_test]
async fn of_two_who_want_one_address_one_gets_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let zoe = app.add_organization("elsewhere", "Zoe").await;
    let (mut of_ann, mut of_zoe) = (SLUG.to_owned(), "elsewhere".to_owned());
    for round in 0..5 {
        let slug = format!("wanted-{round}");
        let wants = async |person: &Person, at: &str, before: &str| {
            let form = [("organization", before), ("slug", &*slug), ("before", before)];
            person.post(&format!("/orgs/{at}/settings"), &form).await.status
        };
        let got = join(wants(&ann, &of_ann, "Croix-Bleue Sahel"), wants(&zoe, &of_zoe, "elsewhere")).await;
        match got {
            (303, 422) => of_ann = slug,
            (422, 303) => of_zoe = slug,
            both => panic!("{both:?}"),
        }
    }
}

#[db_test]
async fn the_id_of_an_organization_never_changes(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let zoe = app.add_organization("elsewhere", "Zoe").await;
    let (key, foreign) = (ann.makes_token("Power BI").await, zoe.makes_token("theirs").await);
    let asker = ann.asks_for_service_token("Warehouse", "45", &["platform.verify_tokens"]).await.key().unwrap();
    let ids = async |key: &str| {
        let form =
            [("authorization", &*format!("Bearer {asker}")), ("content-type", "application/x-www-form-urlencoded")];
        let told = app.send("POST", "/oauth2/introspect", &form, &format!("token={key}")).await.json();
        let verified = app.with_key("GET", "/verify", key).await.header("jeton-organization-id").to_owned();
        (app.me(key).await.json()["organization"]["id"].clone(), verified, told["organization_id"].clone())
    };
    let (me, verified, told) = ids(&key).await;
    let id = me.as_str().expect("an id").to_owned();
    assert!(domain::token::is_public_id(&id), "{id}");
    assert_eq!((&*verified, told.as_str()), (&*id, Some(&*id)));
    ann.get(SETTINGS).await.shows(&format!("Programs know the organization by this id, which never changes: {id}"));
    let (other, of_other, nothing) = ids(&foreign).await;
    assert!(other != me && of_other != id && nothing.is_null(), "{other}");
    let form = [("organization", "elsewhere"), ("slug", "mali"), ("before", "Croix-Bleue Sahel")];
    assert_eq!(ann.post(SETTINGS, &form).await.status, 303);
    assert_eq!(ids(&key).await, (me, verified, told));
    let refused = app.with_key("GET", "/verify", "jtn_p_x").await;
    assert_eq!(refused.headers["jeton-organization-id"], "", "set or blanked as the others");
}

#[db_test]
async fn settings_need_an_administrator_and_a_free_address(db: TestDb) {
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
