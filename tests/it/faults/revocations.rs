//! Tokens that are revoked while everybody uses them on every node.

use super::{
    figure, milliseconds,
    nodes::{MOST, Nodes},
    quantile, rounds,
};
use crate::harness::{TestDb, link::Way, random::Random};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Binary, Double},
};
use futures_util::future::{join, join_all};
use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use storage::StorageError;

/// How many nodes there are. The link of the last one is that with the fault.
const NODES: usize = 3;
const FAULTY: usize = NODES - 1;
/// How many clients use the same token on a node, where times are measured.
const CALLERS: usize = 4;
/// The longest time that a batch may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Is(Way),
    /// Another fault every moment.
    Flaps,
    /// The node itself stands still now and then, with whatever it knows.
    StandsStill,
    /// The operator sets another freshness bound every moment.
    Bounds,
}

const FAULTS: [(&str, Fault); 8] = [
    ("all links well", Fault::None),
    ("the link of one delayed by 50 ms each way", Fault::Is(Way::Open(Duration::from_millis(50)))),
    ("the link of one delayed by 400 ms each way", Fault::Is(Way::Open(Duration::from_millis(400)))),
    ("the link of one cut", Fault::Is(Way::Cut)),
    ("the link of one swallows everything", Fault::Is(Way::Hole)),
    ("the link of one changes at random", Fault::Flaps),
    ("one stands still now and then", Fault::StandsStill),
    ("the freshness bound changes all the time", Fault::Bounds),
];

/// A token, and the answers about it.
struct Token {
    key: String,
    /// When the answer to its revocation had arrived.
    revoked: Cell<Option<Instant>>,
    /// The requests, in no particular order.
    asked: RefCell<Vec<Asked>>,
}

/// A request.
struct Asked {
    node: usize,
    begun: Instant,
    ended: Instant,
    status: u16,
}

impl Token {
    fn new(key: String) -> Token {
        Token { key, revoked: Cell::new(None), asked: RefCell::default() }
    }

    /// Returns how many requests to a node that began after the answer to the revocation have ended with this status,
    /// if the status matters.
    fn after(&self, node: usize, status: Option<u16>) -> usize {
        let Some(revoked) = self.revoked.get() else { return 0 };
        let counts = |asked: &&Asked| {
            asked.node == node && asked.begun > revoked && status.is_none_or(|status| asked.status == status)
        };
        self.asked.borrow().iter().filter(counts).count()
    }

    /// Uses it on a node repeatedly, with this pause in milliseconds, until a request that began after the answer to
    /// its revocation is refused.
    async fn is_used(&self, nodes: &Nodes, node: usize, every: u64) {
        while self.after(node, Some(401)) == 0 {
            let begun = Instant::now();
            let status = nodes.verify(node, &self.key).await;
            assert!([200, 401, 503].contains(&status), "{status} from node {node}");
            self.asked.borrow_mut().push(Asked { node, begun, ended: Instant::now(), status });
            pause(every).await;
        }
    }

    async fn is_revoked(&self, nodes: &Nodes, node: usize) {
        let mut status = None;
        // An answer that says nothing may come too late for a revocation that has been done: then the key is refused.
        while matches!(status, None | Some(503)) {
            status = nodes.revoke(node, &self.key).await;
        }
        self.revoked.set(Some(Instant::now()));
        assert!(matches!(status, Some(204 | 401)), "{status:?}");
    }
}

/// The results of all batches with one fault.
#[derive(Default)]
struct Sum {
    tokens: usize,
    accepted: usize,
    refused: usize,
    /// Answers with 503 by the node with the fault, and by the others.
    unsaid: [usize; 2],
    /// Requests that were accepted although they began after the answer to the revocation.
    wrong: usize,
    /// The longest time from the end of the fault until the node refused every token.
    back: Duration,
}

impl Sum {
    fn add(&mut self, tokens: &[Token]) {
        self.tokens += tokens.len();
        for token in tokens {
            for asked in token.asked.borrow().iter() {
                match asked.status {
                    200 => self.accepted += 1,
                    401 => self.refused += 1,
                    _ => self.unsaid[usize::from(asked.node != FAULTY)] += 1,
                }
            }
            self.wrong += (0..NODES).map(|node| token.after(node, Some(200))).sum::<usize>();
        }
    }
}

/// Revokes new tokens one by one while all nodes are asked about all of them, and the link of the last node has a
/// fault.
async fn batch(nodes: &Nodes, fault: Fault, count: usize, random: &RefCell<Random>, sum: &mut Sum) {
    let keys = nodes.tokens(count, 0);
    // Each node knows them: a cache that is believed would go on accepting them.
    nodes.all_say(200, &keys).await;
    let tokens: Vec<Token> = keys.into_iter().map(Token::new).collect();
    let healed = Cell::new(None);
    if let Fault::Is(way) = fault {
        nodes.links[FAULTY].set(way);
    }
    // As many requests a second however many tokens there are.
    let uses =
        join_all((0..NODES).flat_map(|node| tokens.iter().map(move |token| token.is_used(nodes, node, count as u64))));
    let revocations = async {
        pause(20).await;
        for token in &tokens {
            let node = random.borrow_mut().next(FAULTY);
            token.is_revoked(nodes, node).await;
        }
        // The fault lasts until the node has been asked about each again.
        while tokens.iter().any(|token| token.after(FAULTY, Some(401)) == 0 && token.after(FAULTY, None) < 2) {
            pause(5).await;
        }
        healed.set(Some(Instant::now()));
        nodes.links[FAULTY].set(Way::Open(Duration::ZERO));
    };
    let changes = async {
        while healed.get().is_none() {
            match fault {
                Fault::None | Fault::Is(_) => return,
                Fault::Flaps => {
                    let ways = [Way::Open(Duration::ZERO), Way::Open(Duration::from_millis(20)), Way::Cut, Way::Hole];
                    nodes.links[FAULTY].set(ways[random.borrow_mut().next(ways.len())]);
                }
                Fault::StandsStill => {
                    nodes.stand_still(FAULTY);
                    let time = random.borrow_mut().next(60);
                    pause(time as u64).await;
                    nodes.go_on(FAULTY);
                }
                Fault::Bounds => {
                    let bound = [0, 5, 20, 100, 300][random.borrow_mut().next(5)];
                    nodes.set_freshness(bound).await;
                }
            }
            let time = random.borrow_mut().next(150);
            pause(time as u64).await;
        }
        nodes.links[FAULTY].set(Way::Open(Duration::ZERO));
    };
    let done = actix_web::rt::time::timeout(PATIENCE, join(uses, join(revocations, changes))).await;
    nodes.go_on(FAULTY);
    sum.add(&tokens);
    let revoked = tokens.iter().filter(|token| token.revoked.get().is_some()).count();
    let is_healed = healed.get().is_some();
    assert!(done.is_ok(), "not done with {fault:?}: {revoked} of {count} revoked, the fault is over: {is_healed}");
    sum.back = sum.back.max(healed.get().expect("its end").elapsed());
}

async fn pause(milliseconds: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// V1, V3: whatever happens to the link of one node, no node accepts a request that begins after the answer to a
/// revocation.
#[actix_web::test]
async fn no_request_after_the_answer_to_a_revocation_is_accepted_on_failing_links() {
    let nodes = Nodes::start(TestDb::postgres(), NODES).await;
    let random = RefCell::new(Random::new());
    for (name, fault) in FAULTS {
        if fault != Fault::Bounds {
            // The default, and the way of a node that believes nothing.
            let bound = [20, 0][random.borrow_mut().next(2)];
            nodes.set_freshness(bound).await;
        }
        let (mut sum, each) = (Sum::default(), rounds().div_ceil(FAULTS.len()));
        while sum.tokens < each {
            batch(&nodes, fault, MOST.min(each - sum.tokens), &random, &mut sum).await;
        }
        let Sum { tokens, accepted, refused, unsaid: [unsaid, elsewhere], wrong, back } = sum;
        figure(
            &format!("revoke → refused on {NODES} nodes, {name}: accepts that start after the answer"),
            &format!(
                "{wrong} in {tokens} revocations ({accepted} requests accepted before, {refused} refused; 503: {unsaid} of \
                 the node with the fault, {elsewhere} of the others; it refuses all {} after the fault at the latest)",
                milliseconds(back)
            ),
        );
        assert_eq!(wrong, 0, "{name}");
        assert!(accepted > 0 && refused > 0, "{name}");
        if let Fault::Is(Way::Cut | Way::Hole) = fault {
            assert!(unsaid > 0, "{name}: it says nothing");
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Binary)]
    digests: Vec<u8>,
    #[diesel(sql_type = Double)]
    at: f64,
}

/// The time from each commit, as recorded by Postgres, to the end of the last accepted request.
#[actix_web::test]
async fn after_a_revocation_is_committed_only_pending_requests_are_accepted() {
    let nodes = Nodes::start(TestDb::postgres(), NODES).await;
    let (begun, time) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
    let mut accepted_until = Vec::new();
    for _ in 0..rounds().div_ceil(20) {
        let keys = nodes.tokens(1, 0);
        nodes.all_say(200, &keys).await;
        let token = Token::new(keys[0].clone());
        let callers = (0..NODES * CALLERS).map(|caller| token.is_used(&nodes, caller % NODES, 1));
        let uses = join_all(callers);
        let revocation = async {
            pause(30).await;
            token.is_revoked(&nodes, 0).await;
        };
        join(uses, revocation).await;
        let asked = token.asked.borrow();
        let last = asked.iter().filter(|asked| asked.status == 200).map(|asked| asked.ended).max();
        let last = time + last.expect("it was used").duration_since(begun);
        accepted_until.push((nodes.digest(&token.key), last.as_secs_f64()));
    }
    let steps = nodes.db.read::<Vec<Step>, StorageError>(|connection| {
        let committed =
            "SELECT digests, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at FROM auth_changes";
        Ok(sql_query(committed).load(connection)?)
    });
    let steps = steps.unwrap();
    let after = |(digest, until): &(domain::token::KeyDigest, f64)| {
        let step = steps.iter().find(|step| step.digests == digest.0).expect("its revocation");
        // None was under way: the last had ended before.
        ((until - step.at) * 1000.0).max(0.0)
    };
    let mut after: Vec<f64> = accepted_until.iter().map(after).collect();
    after.sort_by(f64::total_cmp);
    figure(
        "revoke: from the commit, as Postgres has its time, to the end of the last accepted request on 3 nodes, p50 / p99",
        &format!("{:.1} / {:.1} ms in {}", quantile(&after, 0.5), quantile(&after, 0.99), after.len()),
    );
}
