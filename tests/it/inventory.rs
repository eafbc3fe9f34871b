//! The inventory: every token of an organization, and revoking somebody's with a reason.

use crate::harness::{Answer, DAY, Person, TestApp, TestDb, change, db_test, lists, org};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use domain::{
    organization::OrganizationId,
    paging::PageFrom,
    permission::BuiltInSet,
    time::Timestamp,
    token::{
        TokenKind,
        listing::{Order, Place, Sort},
    },
    user::UserId,
};
use storage::{
    AnyConnection, StorageError,
    tokens::{
        inventory::{self, Filter, PageRequest, State},
        service_users,
    },
};

const ALL: &str = org!("/integrations/inventory");

async fn revoke(person: &Person, id: &str, reason: &str) -> Answer {
    person.post(&format!("{ALL}/{id}/revocation"), &[("reason", reason)]).await
}

#[db_test]
async fn an_administrator_sees_every_token_but_never_a_key(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let key = ben.makes_token_with("Power <b>BI</b>", "read_write").await;
    ann.makes_token("R scripts").await;
    let headers = [("authorization", &*format!("Bearer {key}")), ("user-agent", "curl/8.5.0")];
    assert_eq!(app.send("GET", "/api/v1/me", &headers, "").await.status, 200);
    let page = ann.get(ALL).await;
    page.shows("Power <b>BI</b>").shows("Ben").shows("Read & write").shows("R scripts").shows("curl 8.5.0");
    assert!(!page.body.contains(&key[6..20]) && !page.body.contains("<b>BI"));
    assert_eq!(ben.get(ALL).await.status, 403);
    let eve = app.add_organization("elsewhere", "Eve").await;
    assert_eq!(eve.get(ALL).await.status, 404);
    assert!(!eve.get("/orgs/elsewhere/integrations/inventory").await.text().contains("Power"));
}

#[db_test]
async fn an_administrator_revokes_a_token_and_the_owner_sees_who_and_why(db: TestDb) {
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
    assert_eq!(revoke(&ann, &id, reason).await.header("location"), format!("{ALL}?notice=revoked&of={id}"));
    assert_eq!(app.me(&key).await.status, 401);
    ann.get(&format!("{ALL}?notice=revoked&of={id}")).await.shows("“Power BI” of Ben is revoked").shows(reason);
    let twice = revoke(&ann, &id, "another reason").await;
    assert_eq!(twice.header("location"), format!("{ALL}?notice=had-ended&of={id}"));

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
async fn revoking_needs_the_permission_in_the_same_organization(db: TestDb) {
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
async fn filters_find_tokens_by_owner_state_age_and_name(db: TestDb) {
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
        ("", vec!["Fresh", "Lost", "Old 100%", "Short"]),
        ("state=active", vec!["Fresh", "Old 100%"]),
        ("state=revoked", vec!["Lost"]),
        ("state=expired", vec!["Short"]),
        ("owner=ben@example.org", vec!["Fresh", "Lost"]),
        ("owner=Ann&state=active", vec!["Old 100%"]),
        ("unused=30", vec!["Old 100%"]),
        ("search=FRE", vec!["Fresh"]),
        ("search=%25", vec!["Old 100%"]),
        ("search=_", vec![]),
        ("kind=service", vec![]),
        ("kind=personal&search=lost", vec!["Lost"]),
    ] {
        for _ in 0..2 {
            let page = ann.get(&format!("{ALL}?{filter}")).await;
            assert_eq!(page.status, 200, "{filter}");
            let labels = labels(&page.body);
            for label in ["Fresh", "Lost", "Old 100%", "Short"] {
                assert_eq!(labels.contains(&label), shown.contains(&label), "{filter}: {label} in {labels:?}");
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
async fn a_use_that_is_not_yet_stored_counts(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.asks_for_token("Nightly", "read", "180").await.key().unwrap();
    app.clock.advance(100 * DAY);
    let ann = app.browser("Ann");
    ann.signs_in().await;
    ann.get(&format!("{ALL}?unused=90")).await.shows("Nightly");
    assert_eq!(app.me(&key).await.status, 200);
    assert!(!ann.get(&format!("{ALL}?unused=90")).await.text().contains("Nightly"));
    ann.get(ALL).await.shows("just now");
}

#[db_test]
async fn paging_shows_every_token_once_in_both_directions(db: TestDb) {
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
    assert_eq!(sorted_by(&ann.get(&format!("{ALL}?unused=90")).await), Some(("used".into(), "ascending".into())));
    for odd in
        ["after=x", "before=1.", "after=.1", "before=0.99999999999999999999.1.", "after=5", "after=0.0.5.%00&sort=name"]
    {
        assert_eq!(ann.get(&format!("{ALL}?{odd}")).await.status, 200, "{odd}");
    }
}

#[db_test]
async fn every_order_shows_every_token_once_even_with_equal_values(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now().seconds();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 130, now)).unwrap();
    change(&app, "UPDATE api_tokens SET label = 'Same', search = 'same' WHERE id % 3 = 0");
    change(
        &app,
        "UPDATE token_uses SET idle_since = (SELECT created_at FROM api_tokens WHERE id = token_id) + 86400 \
         WHERE token_id % 4 = 0",
    );
    // Expired, which nobody has written down yet.
    change(&app, "UPDATE token_uses SET inactivity_days = 45 WHERE token_id % 5 = 0 AND state = 'active'");
    let used = "idle_since";
    let end = format!("coalesce(revoked_at, expired_at, {used} + inactivity_days * 86400)");
    let rank = format!("CASE WHEN revoked_at IS NOT NULL THEN 2 WHEN {end} <= {now} THEN 1 ELSE 0 END");
    for (sort, columns) in [
        ("created", vec![]),
        ("name", vec!["search"]),
        ("used", vec![used]),
        ("expiry", vec![&*end]),
        ("state", vec![&*rank, "search"]),
    ] {
        for (minus, direction) in [("", "ASC"), ("-", "DESC")] {
            let columns: Vec<String> =
                columns.iter().chain(&["id"]).map(|column| format!("{column} {direction}")).collect();
            let expected = public_ids(&app, &columns.join(", "));
            let forwards = walk(&ann, &format!("{ALL}?kind=personal&sort={minus}{sort}"), "next").await;
            assert!(forwards.len() > 2, "{minus}{sort}");
            assert_eq!(forwards.iter().flat_map(|(_, ids)| ids.clone()).collect::<Vec<_>>(), expected, "{minus}{sort}");
            let backwards = walk(&ann, &forwards.last().unwrap().0, "prev").await;
            let again: Vec<String> = backwards.into_iter().rev().flat_map(|(_, ids)| ids).collect();
            assert_eq!(again, expected, "{minus}{sort}, backwards");
        }
    }
}

#[db_test]
async fn every_order_works_with_every_filter(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now().seconds();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 60, now)).unwrap();
    for filter in [
        "",
        "state=active",
        "state=revoked",
        "state=expired",
        "unused=90",
        "owner=Person 3",
        "kind=service",
        "search=export",
    ] {
        let mut usual = all_ids(&ann, filter, "").await;
        usual.sort_unstable();
        for sort in ["created", "name", "used", "expiry", "state"] {
            for minus in ["", "-"] {
                let mut sorted = all_ids(&ann, filter, &format!("{minus}{sort}")).await;
                sorted.sort_unstable();
                assert_eq!(sorted, usual, "{filter} {minus}{sort}");
            }
        }
    }
}

#[db_test]
async fn a_column_head_sorts_and_a_second_click_reverses_the_order(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    for label in ["Beta", "alpha", "Gamma"] {
        ann.makes_token(label).await;
    }
    let page = ann.get(ALL).await;
    assert_eq!(sorted_by(&page), Some(("created".into(), "descending".into())), "newest first");
    assert_eq!(labels(&page.body), ["Gamma", "alpha", "Beta"]);
    let by_name = ann.get(&head(&page, "name")).await;
    assert_eq!(sorted_by(&by_name), Some(("name".into(), "ascending".into())));
    assert_eq!(labels(&by_name.body), ["alpha", "Beta", "Gamma"], "capital letters do not matter");
    let reversed = ann.get(&head(&by_name, "name")).await;
    assert_eq!(sorted_by(&reversed), Some(("name".into(), "descending".into())));
    assert_eq!(labels(&reversed.body), ["Gamma", "Beta", "alpha"]);
    let odd = ann.get(&format!("{ALL}?sort=owner")).await;
    assert_eq!((odd.status, labels(&odd.body)), (200, vec!["Gamma", "alpha", "Beta"]), "no such order");
}

#[db_test]
async fn sorting_keeps_the_filters_and_filters_keep_the_order(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now().seconds();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 130, now)).unwrap();
    let page = ann.get(&format!("{ALL}?search=export&kind=personal&state=active&unused=30")).await;
    let filters = "?search=export&kind=personal&state=active&unused=30";
    assert_eq!(head(&page, "name"), format!("{ALL}{filters}&sort=name"));
    let by_name = ann.get(&head(&page, "name")).await;
    let next = link(&by_name.body, "next").expect("another page");
    assert!(next.starts_with(&format!("{ALL}{filters}&sort=name&after=")), "{next}");
    assert!(by_name.body.contains("<option value=\"name\" selected>"));
    for (field, value) in [("search", "export"), ("owner", "")] {
        assert_eq!(by_name.field(field).as_deref(), Some(value), "{field}");
    }
    let cleared = format!("href=\"{ALL}?sort=name\"");
    assert!(by_name.body.contains(&cleared), "the order outlasts the filters");
    let fields = [("search", "warehouse"), ("state", "active"), ("sort", "-expiry")];
    let sent = ann.post(&format!("{ALL}/search"), &fields).await;
    assert_eq!(sent.header("location"), format!("{ALL}?search=warehouse&state=active&sort=-expiry"));
}

#[db_test]
async fn a_public_id_finds_only_its_token_and_a_foreign_one_nothing(db: TestDb) {
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
        (idle, "token_uses_active"),
    ];
    for (filter, index) in cases.clone() {
        cases.push((Filter { kind: Some(TokenKind::Service), ..filter.clone() }, index));
        cases.push((Filter { owners: Some(vec![UserId(70), UserId(71)]), ..filter }, "api_tokens_owner"));
    }
    let listed = |connection: &mut AnyConnection| service_users::list(connection, OrganizationId(1), now);
    let list = app.db.read::<_, StorageError>(|connection| lists::plans(connection, listed)).expect("plans").join("\n");
    assert!(list.contains("api_tokens_kind") && !list.contains("Seq Scan on api_tokens"), "{list}");
    for (filter, index) in cases {
        let sort = match filter.idle_since {
            Some(_) => Sort::ascending(Order::LastUse),
            None => Sort::descending(Order::Created),
        };
        for (request, plan) in plans(&app, &filter, sort, now) {
            assert_plan(&plan, &filter, &request, &[index]);
        }
    }
}

#[db_test]
async fn every_order_reads_an_index_of_its_own(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 10_000, now.seconds())).unwrap();
    let (name, used, end) = (
        ["api_tokens_active_name", "api_tokens_revoked_name", "api_tokens_expired_name"],
        ["token_uses_active", "token_uses_revoked", "token_uses_expired"],
        ["token_uses_active", "api_tokens_revoked_end", "api_tokens_expired_end"],
    );
    for (by, indexes) in [(Order::Name, name), (Order::State, name), (Order::LastUse, used), (Order::End, end)] {
        for state in [None, Some(State::Active), Some(State::Revoked), Some(State::Expired)] {
            for kind in [TokenKind::Personal, TokenKind::Service] {
                for owners in [None, Some(vec![UserId(70)])] {
                    let filter = Filter { state, kind: Some(kind), owners, ..Filter::default() };
                    for sort in [Sort::ascending(by), Sort::descending(by)] {
                        for (request, plan) in plans(&app, &filter, sort, now) {
                            assert_plan(&plan, &filter, &request, &indexes);
                        }
                    }
                }
            }
        }
    }
}

/// The queries of the first page, of the pages before and after a position in the middle, and the filters.
fn plans(app: &TestApp, filter: &Filter, sort: Sort, now: Timestamp) -> Vec<(PageRequest, String)> {
    let (rank, seconds) = (1, now.plus(-120 * DAY).seconds());
    let middle = Place { rank, seconds, name: "nightly export".into(), id: 5_000 };
    let starts = [PageFrom::Start, PageFrom::After(middle.clone()), PageFrom::Before(middle)];
    let plans_from = |from| {
        let request = PageRequest { sort, from, limit: 51 };
        let page =
            |connection: &mut AnyConnection| inventory::page(connection, OrganizationId(1), filter, &request, now);
        let plans = app.db.read::<_, StorageError>(|connection| lists::plans(connection, page)).expect("plans");
        plans.into_iter().map(move |plan| (request.clone(), plan)).collect::<Vec<_>>()
    };
    starts.into_iter().flat_map(plans_from).collect()
}

/// Tokens are found through one of the indexes, in its order. The few that belong to an owner or to service users, or
/// have just expired, may be found in another way and sorted.
fn assert_plan(plan: &str, filter: &Filter, request: &PageRequest, indexes: &[&str]) {
    let tables = ["api_tokens", "token_uses"].map(|table| format!("Seq Scan on {table}"));
    let is_through = plan.contains("SCAN") || tables.iter().any(|table| plan.contains(table));
    assert!(!is_through, "{filter:?} {request:?}: {plan}");
    // Only those that have just expired are found by their uses in another order.
    let are_due = plan.contains("token_uses_active") && !matches!(request.sort.by, Order::LastUse | Order::End);
    let is_few = filter.owners.is_some() || filter.kind == Some(TokenKind::Service) || are_due;
    // Where almost all tokens are of one organization and kind, Postgres may as well go through all by id.
    let is_read = indexes.iter().any(|index| plan.contains(index))
        || (request.sort.by == Order::Created
            && plan.contains("api_tokens_pkey")
            && matches!(filter.state, None | Some(State::Active)));
    let is_sorted = plan.contains("Sort") || plan.contains("TEMP B-TREE");
    // Postgres knows how few have ended, and may as well read those behind a place and sort them.
    let are_few_ended = request.from != PageFrom::Start
        && plan.contains("Sort Key")
        && indexes
            .iter()
            .any(|index| plan.contains(index) && (index.contains("_revoked") || index.contains("_expired")));
    assert!(is_few || (is_read && (!is_sorted || are_few_ended)), "{filter:?} {request:?}: {plan}");
    let others =
        ["api_tokens_kind", "api_tokens_active", "api_tokens_revoked", "api_tokens_expired", "token_uses_active"];
    let is_owners = filter.owners.is_none() || !others.iter().any(|other| plan.contains(other));
    assert!(is_owners, "{filter:?} {request:?}: {plan}");
}

/// Returns the public ids of the personal tokens, as the database itself sorts them.
fn public_ids(app: &TestApp, order: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = Text)]
        public_id: String,
    }
    let sql = format!(
        "SELECT public_id FROM api_tokens JOIN token_uses ON token_id = id \
         WHERE api_tokens.kind = 'personal' ORDER BY {order}"
    );
    let rows = app.db.read::<Vec<Id>, StorageError>(|connection| Ok(sql_query(&sql).load(connection)?));
    rows.expect("ids").into_iter().map(|row| row.public_id).collect()
}

/// Returns the public ids on all pages of a filter in an order.
async fn all_ids(ann: &Person, filter: &str, sort: &str) -> Vec<String> {
    let pages = walk(ann, &format!("{ALL}?{filter}&sort={sort}"), "next").await;
    pages.into_iter().flat_map(|(_, ids)| ids).collect()
}

/// Returns the labels and names on a page, in their order.
fn labels(body: &str) -> Vec<&str> {
    let rows = body.split("<th scope=\"row\"><bdi>").skip(1);
    rows.filter_map(|row| Some(row.split_once("</bdi>")?.0))
        .map(|cell| cell.trim_end_matches("</a>"))
        .map(after_tag)
        .collect()
}

fn after_tag(cell: &str) -> &str {
    cell.rsplit_once('>').map_or(cell, |(_, text)| text)
}

/// Returns the column that a page says it is sorted by, and the direction.
fn sorted_by(page: &Answer) -> Option<(String, String)> {
    let (_, rest) = page.body.split_once("aria-sort=\"")?;
    let (direction, rest) = rest.split_once('"')?;
    let (key, _) = rest.split_once("id=\"sort-")?.1.split_once('"')?;
    assert!(!rest.contains("aria-sort"), "one column");
    Some((key.into(), direction.into()))
}

/// Returns the address that the head of a column leads to.
fn head(page: &Answer, key: &str) -> String {
    let (_, rest) = page.body.split_once(&format!("id=\"sort-{key}\" href=\"")).expect("a head");
    unescaped(rest.split_once('"').expect("an address").0)
}

fn link(body: &str, direction: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("rel=\"{direction}\" href=\""))?;
    Some(unescaped(rest.split_once('"')?.0))
}

fn unescaped(href: &str) -> String {
    href.replace("&#38;", "&").replace("&amp;", "&")
}

/// Returns the public ids of a page, in their order.
fn ids(body: &str) -> Vec<String> {
    let list = body.split_once("id=\"inventory\"").expect("a list").1;
    list.split("<code>").skip(1).filter_map(|part| Some(part.split_once("</code>")?.0.to_owned())).collect()
}

/// Returns the pages from this one on in a direction: the address and the public ids of each.
async fn walk(person: &Person, from: &str, direction: &str) -> Vec<(String, Vec<String>)> {
    let (mut pages, mut next) = (Vec::new(), Some(from.to_owned()));
    while let Some(path) = next {
        let body = person.get(&path).await.body;
        next = link(&body, direction);
        assert!(pages.len() < 20, "no end");
        pages.push((path, ids(&body)));
    }
    pages
}
