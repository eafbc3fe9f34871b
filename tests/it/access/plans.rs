//! How the databases carry out what lists and feeds ask of them: however many items there are, a page reads only the
//! beginning of what somebody reaches.

use super::open;
use crate::harness::{TestDb, lists};
use diesel::{RunQueryDsl, sql_query};
use domain::{
    access::{SubjectFacts, SubjectId},
    item::{ItemId, ItemKind, Place},
    organization::{MembershipId, OrganizationId, ServiceUserId},
    paging::PageFrom,
    time::Timestamp,
};
use storage::{
    AnyConnection,
    access::{self, Direction, Filter, Reachable},
    items,
};
use test_macros::db_test;

/// Writes an organization with 20,000 inspections at 40 sites below one, of 20 templates. There are rules for user 1
/// and service user 2 (everything), user 3 (a site and all below it), user 4 (a template), user 5 (a template at a
/// site); user 6 owns five inspections and has five shared with it.
fn fill(connection: &mut AnyConnection) {
    let numbers =
        |to: i64| format!("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {to})");
    for statement in [
        "INSERT INTO organizations (id, public_id, slug, name, created_at) VALUES (1, 'o', 'o', 'O', 0)".to_owned(),
        "INSERT INTO permission_sets (id, organization_id, name, permissions, version) VALUES (1, 1, 'All', '', 1)"
            .into(),
        format!(
            "INSERT INTO users (id, name, search, email, email_folded, password_hash, time_zone, theme, \
             session_generation, is_installation_admin, created_at) {} SELECT n, 'U', 'u', 'u' || n, 'u' || n, '', 'UTC', \
             'system', 0, FALSE, 0 FROM numbers",
            numbers(100)
        ),
        "INSERT INTO memberships (id, user_id, organization_id, permission_set_id, search, is_active, created_at) \
         SELECT id, id, 1, 1, 'u', TRUE, 0 FROM users"
            .into(),
        "INSERT INTO service_users (id, public_id, organization_id, name, permissions, created_at, created_by, \
         created_by_name, version) VALUES (2, 'v', 1, 'V', '', 0, 1, 'U', 1)"
            .into(),
        format!(
            "INSERT INTO sites (id, public_id, organization_id, parent_id, level, name, name_folded, search, created_at, \
             version) {} SELECT n, 's' || n, 1, CASE WHEN n > 1 THEN 1 END, CASE WHEN n > 1 THEN 2 ELSE 1 END, 's', \
             's' || n, 's', 0, 1 FROM numbers",
            numbers(40)
        ),
        "INSERT INTO site_ancestors (site_id, ancestor_id) SELECT id, id FROM sites UNION SELECT id, 1 FROM sites"
            .into(),
        format!(
            "INSERT INTO items (id, public_id, organization_id, kind, name, search, version, created_at, modified_at) {} \
             SELECT n, 't' || n, 1, 'templates', 'T', 't', 1, 0, 0 FROM numbers",
            numbers(20)
        ),
        format!(
            "INSERT INTO items (id, public_id, organization_id, kind, name, search, owner_membership_id, site_id, \
             template_id, archived_at, version, created_at, modified_at) {} SELECT 100 + n, 'i' || n, 1, 'inspections', \
             'I', 'i', CASE WHEN n % 4000 = 0 THEN 6 ELSE 10 + n % 90 END, 1 + n % 40, 1 + n * 7 % 20, \
             CASE WHEN n % 3 = 0 THEN 9 END, 1, 0, n / 10 FROM numbers",
            numbers(20_000)
        ),
        "INSERT INTO shares (public_id, item_id, recipient_kind, recipient_id, level, created_at, created_by_name) \
         SELECT 'h' || id, id, 'user', CASE WHEN id % 4000 = 0 THEN 6 ELSE 10 + id % 80 END, 'view', 0, 'U' FROM items \
         WHERE id > 100 AND id % 20 = 0"
            .into(),
        format!(
            "INSERT INTO access_rules (public_id, organization_id, kind, site_id, template_id, recipient_kind, \
             recipient_id, level, created_at, created_by_name, version) VALUES {}",
            [
                "('1', 1, 'inspections', NULL, NULL, 'user', 1, 'manage', 0, 'U', 1)",
                "('2', 1, 'inspections', NULL, NULL, 'service_user', 2, 'view', 0, 'U', 1)",
                "('3', 1, 'inspections', 1, NULL, 'user', 3, 'view', 0, 'U', 1)",
                "('4', 1, 'inspections', NULL, 1, 'user', 4, 'view', 0, 'U', 1)",
                "('5', 1, 'inspections', 1, 2, 'user', 5, 'view', 0, 'U', 1)",
            ]
            .join(",")
        ),
        "ANALYZE".into(),
    ] {
        sql_query(&statement).execute(connection).expect(&statement);
    }
    if let AnyConnection::Sqlite(_) = connection {
        // Jeton gathers no statistics on SQLite, and neither may what stands for it.
        sql_query("DELETE FROM sqlite_stat1").execute(connection).expect("no statistics");
        sql_query("ANALYZE sqlite_schema").execute(connection).expect("no statistics");
    }
}

fn facts(connection: &mut AnyConnection, id: SubjectId) -> SubjectFacts {
    access::subject_facts(connection, id, OrganizationId(1)).expect("facts")
}

#[db_test]
async fn a_page_reads_each_ground_through_an_index_in_its_order(db: TestDb) {
    let mut connection = open(&db);
    fill(&mut connection);
    let kind = ItemKind::parse("inspections").unwrap();
    let member = |id| SubjectId::Membership(MembershipId(id));
    let subjects = [
        (member(1), "items_kind"),
        (SubjectId::ServiceUser(ServiceUserId(2)), "items_kind"),
        (member(3), "items_site"),
        (member(4), "items_template"),
        (member(5), "items_template_site"),
        (member(6), "items_member"),
    ];
    for (subject, index) in subjects {
        let facts = facts(&mut connection, subject);
        let reachable = Reachable::read(&mut connection, &facts, &kind).expect("what it reaches");
        for direction in [Direction::Ascending, Direction::Descending] {
            for archived in [None, Some(false)] {
                for from in [
                    PageFrom::Start,
                    PageFrom::After(Place { modified_at: Timestamp::from_seconds(900), id: ItemId(9_103) }),
                ] {
                    let filter = Filter { archived, ..Filter::default() };
                    let plans = lists::plans(&mut connection, |connection| {
                        items::page(connection, &reachable, &filter, direction, &from, 51).map(drop)
                    });
                    let plan = plans.expect("a plan").join("\n");
                    assert_plan(&plan, index, &connection);
                }
            }
        }
    }
}

/// The ground's own index is read, in its order on SQLite, where the plan does not depend on how many items there are;
/// Postgres may sort the few items of a small list. What is sorted besides are the rows of the page, and what is shared
/// with the subject itself.
fn assert_plan(plan: &str, index: &str, connection: &AnyConnection) {
    let is_named = plan.split_whitespace().any(|word| word == index);
    let is_through = plan.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "->").collect();
        matches!(words[..], ["SCAN", "i" | "r" | "s" | "items", ..] | ["Seq", "Scan", "on", "items" | "shares", ..])
    });
    assert!(is_named && !is_through, "{index}: {plan}");
    if let AnyConnection::Sqlite(_) = connection {
        let shared =
            plan.matches("SEARCH s USING INDEX shares_recipient (recipient_kind=? AND recipient_id=?)").count();
        assert_eq!(plan.matches("TEMP B-TREE FOR ORDER BY").count(), shared + 2, "{index}: {plan}");
    }
}
