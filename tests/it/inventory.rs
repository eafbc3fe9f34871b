//! The inventory: every token of an organization, and revoking somebody's with a reason.

use crate::harness::{Answer, Person, TestApp, db_test};
use jeton::domain::permission::BuiltInSet;

const DAY: i64 = 86_400;
const ALL: &str = "/orgs/croix-bleue-sahel/integrations/inventory";

async fn revoke(person: &Person, id: &str, reason: &str) -> Answer {
    person.post(&format!("{ALL}/{id}/revocation"), &[("reason", reason)]).await
}

db_test! {
    async fn an_administrator_sees_every_token_and_never_a_key(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let ben = app.add_user("Ben", BuiltInSet::Reader).await;
        let key = ben.makes_token_with("Power <b>BI</b>", "read_write").await;
        ann.makes_token("R scripts").await;
        let headers = [("authorization", &*format!("Bearer {key}")), ("user-agent", "curl/8.5.0")];
        assert_eq!(app.send("GET", "/api/v1/me", &headers, "").await.status, 200);
        let page = ann.get(ALL).await;
        page.shows("Power <b>BI</b>").shows("Ben").shows("Read & write").shows("R scripts").shows("with curl 8.5.0");
        assert!(!page.body.contains(&key[6..20]) && !page.body.contains("<b>BI"));
        assert_eq!(ben.get(ALL).await.status, 403);
        let eve = app.add_organization("elsewhere", "Eve").await;
        assert_eq!(eve.get(ALL).await.status, 404);
        assert!(!eve.get("/orgs/elsewhere/integrations/inventory").await.text().contains("Power"));
    }

    async fn an_administrator_revokes_and_the_owner_reads_who_and_why(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let ben = app.add_user("Ben", BuiltInSet::Reader).await;
        let key = ben.makes_token("Power BI").await;
        let id = ben.token_id("Power BI").await;
        ann.get(&format!("{ALL}/{id}/revocation")).await.shows("Revoke “Power BI” of Ben?");
        assert_eq!(app.me(&key).await.status, 200, "asking changes nothing");
        for wrong in ["", "   ", "a\u{0}b", &*"é".repeat(201)] {
            let refused = revoke(&ann, &id, wrong).await;
            assert_eq!(refused.status, 422, "{wrong:?}");
            assert!(refused.body.contains("aria-invalid"));
            assert_eq!(app.me(&key).await.status, 200);
        }
        let reason = "laptop <i>stolen</i>";
        assert_eq!(revoke(&ann, &id, reason).await.header("location"), format!("{ALL}?revoked={id}"));
        assert_eq!(app.me(&key).await.status, 401);
        ann.get(&format!("{ALL}?revoked={id}")).await.shows("“Power BI” of Ben is revoked").shows(reason);
        let twice = revoke(&ann, &id, "another reason").await;
        assert_eq!(twice.header("location"), format!("{ALL}?ended={id}"));

        let told = format!("by Ann, an administrator. Reason: {reason}");
        ben.get("/account/tokens").await.shows(&told);
        let page = ben.get(&format!("/account/tokens/{id}")).await;
        page.shows(&told);
        assert!(!page.body.contains("<i>stolen") && !page.body.contains("another reason"));
        ann.get("/orgs/croix-bleue-sahel/activity").await.shows("Ann revoked the token Power BI :").shows(reason);
        let log = crate::harness::activity(&app.db);
        assert_eq!(log.iter().filter(|entry| entry.action == "token.revoked").count(), 1, "twice is once");
    }

    async fn nobody_revokes_what_is_not_in_their_organization_or_without_the_permission(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let key = ann.makes_token("of Ann").await;
        let id = ann.token_id("of Ann").await;
        let reader = app.add_user("Reader", BuiltInSet::Reader).await;
        let eve = app.add_organization("elsewhere", "Eve").await;
        assert_eq!(revoke(&reader, &id, "why not").await.status, 403);
        assert_eq!(revoke(&eve, &id, "why not").await.status, 404);
        let there = format!("/orgs/elsewhere/integrations/inventory/{id}/revocation");
        assert_eq!(eve.get(&there).await.status, 404);
        assert_eq!(eve.post(&there, &[("reason", "why not")]).await.status, 404);
        assert_eq!(revoke(&ann, "zzzzzzzzzz", "none such").await.status, 404);
        assert_eq!(app.me(&key).await.status, 200);
    }

    async fn filters_find_by_owner_state_age_and_name(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let ben = app.add_user("Ben", BuiltInSet::Reader).await;
        ann.asks_for_token("Old 100%", "read", "180").await;
        ann.asks_for_token("Short", "read", "31").await;
        app.clock.advance(40 * DAY);
        let (ann, ben) = { ben.signs_in().await; let again = app.browser("Ann"); again.signs_in().await; (again, ben) };
        ben.makes_token("Fresh").await;
        ben.makes_token("Lost").await;
        ben.revokes("Lost").await;
        for (filter, shown) in [
            ("", vec!["Fresh", "Lost", "Old", "Short"]),
            ("state=active", vec!["Fresh", "Old"]),
            ("state=revoked", vec!["Lost"]),
            ("state=expired", vec!["Short"]),
            ("owner=ben@example.org", vec!["Fresh", "Lost"]),
            ("owner=Ann&state=active", vec!["Old"]),
            ("unused=30", vec!["Old"]),
            ("search=FRE", vec!["Fresh"]),
            ("search=%25", vec!["Old"]),
            ("search=_", vec![]),
            ("kind=service", vec![]),
            ("kind=personal&search=lost", vec!["Lost"]),
        ] {
            for _ in 0..2 {
                let page = ann.get(&format!("{ALL}?{filter}")).await;
                assert_eq!(page.status, 200, "{filter}");
                let list = page.text().split_once("Newest first").expect("a list").1.to_owned();
                for label in ["Fresh", "Lost", "Old", "Short"] {
                    assert_eq!(list.contains(label), shown.contains(&label), "{filter}: {label} in {list}");
                }
                // The same once the expiry is written down.
                app.jeton.keep_house().await;
            }
        }
        for wrong in ["state=odd", "kind=system", "owner=Nobody", "unused=many"] {
            assert_eq!(ann.get(&format!("{ALL}?{wrong}")).await.status, 422, "{wrong}");
        }
    }

    async fn a_use_that_is_not_yet_in_the_database_counts(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let key = ann.asks_for_token("Nightly", "read", "180").await.key().unwrap();
        app.clock.advance(100 * DAY);
        let ann = app.browser("Ann");
        ann.signs_in().await;
        ann.get(&format!("{ALL}?unused=90")).await.shows("Nightly");
        assert_eq!(app.me(&key).await.status, 200);
        assert!(!ann.get(&format!("{ALL}?unused=90")).await.text().contains("Nightly"));
        ann.get(ALL).await.shows("Last used just now");
    }
}
