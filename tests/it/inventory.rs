//! The inventory: every token of an organization, and revoking somebody's with a reason.

use crate::harness::{Answer, DAY, Person, TestApp, TestDb, db_test, lists, org};
use domain::{organization::OrganizationId, permission::BuiltInSet, time::Timestamp, token::TokenKind, user::UserId};
use storage::{
    AnyConnection, StorageError,
    tokens::{
        inventory::{self, Filter, PageFrom, Place, State},
        service_users,
    },
};

const ALL: &str = org!("/integrations/inventory");

async fn revoke(person: &Person, id: &str, reason: &str) -> Answer {
    person.post(&format!("{ALL}/{id}/revocation"), &[("reason", reason)]).await
}

#[db_test]
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

#[db_test]
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
    ann.get(org!("/activity")).await.shows("Ann revoked the token Power BI :").shows(reason);
    let log = crate::harness::activity(&app.db);
    assert_eq!(log.iter().filter(|entry| entry.action == "token.revoked").count(), 1, "twice is once");
}

#[db_test]
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

#[db_test]
async fn filters_find_by_owner_state_age_and_name(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    ann.asks_for_token("Old 100%", "read", "180").await;
    ann.asks_for_token("Short", "read", "31").await;
    app.clock.advance(40 * DAY);
    let (ann, ben) = {
        ben.signs_in().await;
        let again = app.browser("Ann");
        again.signs_in().await;
        (again, ben)
    };
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
            let list = page.text().split_once(" first").expect("a list").1.to_owned();
            for label in ["Fresh", "Lost", "Old", "Short"] {
                assert_eq!(list.contains(label), shown.contains(&label), "{filter}: {label} in {list}");
            }
            // The same once the expiry is written down.
            app::maintenance::run(&app.jeton).await;
        }
    }
    for wrong in ["state=odd", "kind=system", "owner=Nobody", "unused=many"] {
        assert_eq!(ann.get(&format!("{ALL}?{wrong}")).await.status, 422, "{wrong}");
    }
}

#[db_test]
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

#[db_test]
async fn pages_go_forwards_and_backwards_through_every_token_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 130, now.seconds())).unwrap();
    for (filter, tokens) in [("", 150), ("state=active", 140), ("unused=90", 59), ("kind=service", 20)] {
        let forwards = walk(&ann, &format!("{ALL}?{filter}"), "next").await;
        let ids: Vec<&String> = forwards.iter().flat_map(|(_, ids)| ids).collect();
        let unique: std::collections::HashSet<&&String> = ids.iter().collect();
        assert_eq!((ids.len(), unique.len()), (tokens, tokens), "{filter}");
        let backwards = walk(&ann, &forwards.last().unwrap().0, "prev").await;
        let again: Vec<&String> = backwards.iter().rev().flat_map(|(_, ids)| ids).collect();
        assert_eq!(again, ids, "{filter}");
    }
    ann.get(&format!("{ALL}?unused=90")).await.shows("Longest unused first");
    for odd in ["after=x", "before=1.", "after=.1", "before=99999999999999999999.1", "after=5"] {
        assert_eq!(ann.get(&format!("{ALL}?{odd}")).await.status, 200, "{odd}");
    }
}

#[db_test]
async fn a_public_id_finds_its_token_alone_and_a_foreign_one_none(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("of Ann").await;
    ann.makes_token("another").await;
    let id = ann.token_id("of Ann").await;
    let now = app.clock.now();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 50, now.seconds())).unwrap();
    let listed = |page: Answer| ids(&page.body);
    assert_eq!(listed(ann.get(&format!("{ALL}?search={id}")).await), [&*id]);
    assert_eq!(listed(ann.get(&format!("{ALL}?search={}", id.to_uppercase())).await), [&*id]);
    assert_eq!(listed(ann.get(&format!("{ALL}?search={id}&state=revoked")).await), [""; 0]);
    assert_eq!(listed(ann.get(&format!("{ALL}?search=s100000007")).await), ["s100000007"]);
    let eve = app.add_organization("elsewhere", "Eve").await;
    let there = "/orgs/elsewhere/integrations/inventory";
    assert_eq!(listed(eve.get(&format!("{there}?search={id}")).await), [""; 0]);
    assert_eq!(listed(eve.get(&format!("{there}?search=s100000007")).await), [""; 0]);
}

#[db_test]
async fn every_filter_reads_one_index_in_the_order_of_the_page(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 10_000, now.seconds())).unwrap();
    let of = |state| Filter { state, kind: Some(TokenKind::Personal), ..Filter::default() };
    let idle = Filter { idle_since: Some(inventory::idle_for(90, now)), ..of(None) };
    let mut cases = vec![
        (of(None), "api_tokens_kind"),
        (of(Some(State::Active)), "api_tokens_active"),
        (of(Some(State::Revoked)), "api_tokens_revoked"),
        (of(Some(State::Expired)), "api_tokens_expired"),
        (idle, "api_tokens_idle"),
    ];
    for (filter, index) in cases.clone() {
        cases.push((Filter { kind: Some(TokenKind::Service), ..filter.clone() }, index));
        cases.push((Filter { owners: Some(vec![UserId(70), UserId(71)]), ..filter }, "api_tokens_owner"));
    }
    let listed = |connection: &mut AnyConnection| service_users::list(connection, OrganizationId(1), now);
    let list = app.db.read::<_, StorageError>(|connection| lists::plans(connection, listed)).expect("plans").join("\n");
    assert!(list.contains("api_tokens_kind") && !list.contains("Seq Scan on api_tokens"), "{list}");
    let used = now.plus(-120 * DAY);
    let id = domain::token::TokenId(5_000);
    for (filter, index) in cases {
        for from in [PageFrom::Start, PageFrom::After(Place { used, id }), PageFrom::Before(Place { used, id })] {
            for plan in plans(&app, &filter, from, now) {
                assert_plan(&plan, &filter, index);
            }
        }
    }
}

fn plans(app: &TestApp, filter: &Filter, from: PageFrom, now: Timestamp) -> Vec<String> {
    let page = |connection: &mut AnyConnection| inventory::page(connection, OrganizationId(1), filter, from, now, 51);
    app.db.read::<_, StorageError>(|connection| lists::plans(connection, page)).expect("plans")
}

/// Tokens are found through the index, in its order. What little belongs to an owner, to service users, or has just expired may
/// be found otherwise, and sorted.
fn assert_plan(plan: &str, filter: &Filter, index: &str) {
    assert!(!plan.contains("SCAN") && !plan.contains("Seq Scan on api_tokens"), "{filter:?}: {plan}");
    let is_few = filter.owners.is_some() || filter.kind == Some(TokenKind::Service) || plan.contains("api_tokens_due");
    // Where almost all tokens are of one organization and kind, Postgres may as well go through all by id.
    let is_read = plan.contains(index)
        || (plan.contains("api_tokens_pkey") && matches!(filter.state, None | Some(State::Active)));
    let is_sorted = plan.contains("Sort") || plan.contains("TEMP B-TREE");
    assert!(is_few || (is_read && !is_sorted), "{filter:?}: {plan}");
    let others = ["_kind", "_active", "_revoked", "_expired", "_idle"].map(|name| format!("api_tokens{name}"));
    assert!(filter.owners.is_none() || !others.iter().any(|other| plan.contains(other)), "{filter:?}: {plan}");
}

/// The public ids of a page, in their order.
fn ids(body: &str) -> Vec<String> {
    let list = body.split_once("id=\"inventory\"").expect("a list").1;
    list.split("<code>").skip(1).filter_map(|part| Some(part.split_once("</code>")?.0.to_owned())).collect()
}

/// The pages from this one on in a direction: the address and the public ids of each.
async fn walk(person: &Person, from: &str, direction: &str) -> Vec<(String, Vec<String>)> {
    let (mut pages, mut next) = (Vec::new(), Some(from.to_owned()));
    while let Some(path) = next {
        let body = person.get(&path).await.body;
        let link = body.split_once(&format!("rel=\"{direction}\" href=\"")).and_then(|(_, rest)| rest.split_once('"'));
        next = link.map(|(href, _)| href.replace("&#38;", "&").replace("&amp;", "&"));
        assert!(pages.len() < 20, "no end");
        pages.push((path, ids(&body)));
    }
    pages
}
