//! The database becomes unavailable for all nodes, and then available again.

use super::{figure, is_long, milliseconds, nodes::Nodes};
use crate::harness::{OwnCluster, TestDb, another_key, link::Way, wait_for_freshness};
use futures_util::future::join_all;
use std::time::{Duration, Instant};

const NODES: usize = 3;

/// Returns the answers of every node about these keys.
async fn statuses(nodes: &Nodes, keys: &[String; 2]) -> Vec<u16> {
    join_all((0..NODES).flat_map(|node| keys.iter().map(move |key| nodes.verify(node, key)))).await
}

/// V3, R4: once the freshness bound has passed, no node accepts or refuses any key without the database, and each does so
/// again once the database is back.
async fn is_gone(nodes: &Nodes, name: &str, goes: impl FnOnce(), comes_back: impl FnOnce()) {
    // One that they know well, and one that nobody knows.
    let keys = [nodes.tokens(1, 0).remove(0), another_key()];
    nodes.all_say(200, &keys[..1]).await;
    nodes.all_say(401, &keys[1..]).await;

    goes();
    wait_for_freshness();
    let mut longest = Duration::ZERO;
    // The first find connections that were well a moment ago, the last such that were given up.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(if is_long() { 10 } else { 2 }) {
        let asked = Instant::now();
        assert_eq!(statuses(nodes, &keys).await, vec![503; 2 * NODES], "{name}");
        longest = longest.max(asked.elapsed());
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }

    comes_back();
    let back = Instant::now();
    loop {
        let said = statuses(nodes, &keys).await;
        if said == [200, 401].repeat(NODES) {
            break;
        }
        let fits = |(place, status): (usize, &u16)| [[200, 401][place % 2], 503].contains(status);
        assert!(said.iter().enumerate().all(fits), "{name}: {said:?}");
        assert!(back.elapsed() < Duration::from_secs(30), "{name}: {said:?}");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    figure(
        &format!("database gone, {name}: all {NODES} nodes answer 503 within"),
        &format!("{}; all answers are back {} after it is", milliseconds(longest), milliseconds(back.elapsed())),
    );
}

#[actix_web::test]
async fn nodes_with_failing_links_answer_503_and_recover() {
    let nodes = Nodes::start(TestDb::postgres(), NODES).await;
    let set = |way: Way| nodes.links.iter().for_each(|link| link.set(way));
    let open = || set(Way::Open(Duration::ZERO));
    is_gone(&nodes, "all links cut", || set(Way::Cut), open).await;
    is_gone(&nodes, "all links swallow everything", || set(Way::Hole), open).await;
}

#[actix_web::test]
async fn nodes_whose_postgres_hangs_or_dies_answer_503_and_recover() {
    let cluster = OwnCluster::start();
    let nodes = Nodes::start(TestDb::at(cluster.url()), NODES).await;
    is_gone(&nodes, "Postgres stands still", || cluster.signal("STOP"), || cluster.signal("CONT")).await;
    is_gone(&nodes, "Postgres killed", || cluster.signal("KILL"), || cluster.start_again()).await;
}

/// R4: pages have waited for answers that never come. This takes as long as Postgres may take for a statement.
#[actix_web::test]
async fn pages_recover_after_all_their_connections_hung() {
    if !is_long() {
        return;
    }
    let nodes = Nodes::start(TestDb::postgres(), 1).await;
    let tabs: Vec<_> = (0..40).map(|_| nodes.ann.copy()).collect();
    let page = async |tab: &crate::harness::Person| {
        let page = tab.try_post("/account/theme", &[("theme", "dark")]);
        actix_web::rt::time::timeout(Duration::from_secs(8), page)
            .await
            .is_ok_and(|answer| answer.is_ok_and(|page| page.status == 303))
    };
    assert!(join_all(tabs.iter().take(8).map(page)).await.into_iter().all(|done| done));
    nodes.links[0].set(Way::Hole);
    assert!(join_all(tabs.iter().map(page)).await.into_iter().all(|done| !done));
    nodes.links[0].set(Way::Open(Duration::ZERO));
    let back = Instant::now();
    while !page(&tabs[0]).await {
        assert!(back.elapsed() < Duration::from_secs(60));
    }
    figure("pages whose connections were all swallowed for 8 s are back after", &milliseconds(back.elapsed()));
}

/// R10: a node stops when it is told to, even if its database does not respond.
#[actix_web::test]
async fn a_node_stops_while_its_database_hangs() {
    if !is_long() {
        return;
    }
    let mut nodes = Nodes::start(TestDb::postgres(), 1).await;
    let key = nodes.tokens(1, 0).remove(0);
    nodes.all_say(200, &[key]).await;
    nodes.links[0].set(Way::Hole);
    let begun = Instant::now();
    assert!(!nodes.stop(0), "it says that uses could not be written");
    figure("a node is told to stop while its database answers nothing: it ends within", &milliseconds(begun.elapsed()));
}
