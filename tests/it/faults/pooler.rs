//! PgBouncer between nodes and Postgres.

use super::nodes::Nodes;
use crate::harness::{
    PgBouncer, TestDb, folder,
    process::{command, fails},
};

#[actix_web::test]
async fn nodes_work_through_a_session_pooler() {
    let db = TestDb::postgres();
    let (_pooler, through) = PgBouncer::before(&db.url, "session");
    let nodes = Nodes::start(TestDb::at(through), 2).await;
    let keys = nodes.tokens(10, 0);
    nodes.all_say(200, &keys).await;
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(nodes.revoke(number % 2, key).await, Some(204));
        let statuses = [nodes.verify(0, key).await, nodes.verify(1, key).await];
        assert_eq!(statuses, [401, 401]);
    }
    let key = nodes.ann.makes_token("Power BI").await;
    nodes.all_say(200, std::slice::from_ref(&key)).await;
    assert_eq!(nodes.ann.revokes("Power BI").await.status, 303);
    nodes.all_say(401, &[key]).await;
}

#[test]
fn a_transaction_pooler_is_refused() {
    for pool_mode in ["transaction", "statement"] {
        let (db, data) = (TestDb::postgres(), folder());
        let (_pooler, through) = PgBouncer::before(&db.url, pool_mode);
        let said = fails(command(&[], data.path()).env("DATABASE_URL", through));
        assert!(said.contains("pool_mode = session"), "{pool_mode}: {said}");
    }
}
