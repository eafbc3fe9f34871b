//! One running server: whether it is stopping, and what its threads measure of requests.

use actix_web::{http::StatusCode, web::Data};
use app::metrics::{Counter, Durations, Timed};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// What the requests of one group have in common, by the beginning of their path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Forward-auth.
    Verify,
    /// Introspection and revocation.
    OAuth,
    /// Jeton's own API.
    Api,
    /// Styles, scripts and pictures.
    Files,
    /// Health, metrics and metadata.
    Machine,
    /// Everything else.
    Pages,
}

impl Group {
    /// All of them, in the order in which they are counted, with the names that they have in metrics.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Verify, "verify"),
        (Self::OAuth, "oauth"),
        (Self::Api, "api"),
        (Self::Files, "files"),
        (Self::Machine, "machine"),
        (Self::Pages, "pages"),
    ];

    /// Where a request to this path belongs.
    pub fn of(path: &str) -> Self {
        let first = path.split('/').nth(1).unwrap_or_default();
        match first {
            "verify" => Self::Verify,
            "oauth2" => Self::OAuth,
            "api" => Self::Api,
            "static" => Self::Files,
            "healthz" | "readyz" | "metrics" | ".well-known" => Self::Machine,
            _ => Self::Pages,
        }
    }
}

/// The classes of statuses: 2xx to 5xx. Jeton sends no 1xx.
pub const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Requests of one group, on one thread or added up.
#[derive(Debug, Default)]
struct Requests {
    classes: [Counter; CLASSES.len()],
    took: Durations,
}

/// The same, added up.
#[derive(Clone, Debug, Default)]
pub struct RequestsSum {
    /// As in [`CLASSES`].
    pub classes: [u64; CLASSES.len()],
    /// From the head of the request to the head of the answer.
    pub took: Timed,
}

/// What one thread counts.
#[derive(Debug, Default)]
struct ThreadRequests([Requests; Group::ALL.len()]);

/// Connections since the start.
#[derive(Debug, Default)]
pub struct ConnectionCounts {
    /// Those that were taken.
    pub opened: Counter,
    /// Those of them that have ended.
    pub closed: Counter,
    /// Those that were too many.
    pub refused: Counter,
    /// Those that ended with what could not be read as a request.
    pub malformed: Counter,
}

/// What all threads of all listeners share.
#[derive(Debug, Default)]
pub struct Node {
    is_stopping: AtomicBool,
    is_leaving: AtomicBool,
    was_unready: AtomicBool,
    end: Notify,
    /// What became of connections.
    pub connections: ConnectionCounts,
    threads: Mutex<Vec<Arc<ThreadRequests>>>,
}

impl Node {
    /// From now on this node asks for no more requests, and answers those that come.
    pub fn begin_to_stop(&self) {
        self.is_stopping.store(true, Relaxed);
    }

    /// Whether it is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Relaxed)
    }

    /// From now on each answer is the last one on its connection.
    pub fn begin_to_leave(&self) {
        self.is_leaving.store(true, Relaxed);
    }

    /// Whether clients are to open their next connection elsewhere.
    pub fn is_leaving(&self) -> bool {
        self.is_leaving.load(Relaxed)
    }

    /// Connections on which nothing goes on are to be closed now.
    pub fn begin_to_end(&self) {
        self.begin_to_leave();
        self.end.notify_waiters();
    }

    /// Waits until connections on which nothing goes on are to be closed.
    pub async fn ending(&self) {
        self.end.notified().await;
    }

    /// Notes whether the node is ready. Returns true if it was not so the last time.
    pub fn note_ready(&self, is_ready: bool) -> bool {
        self.was_unready.swap(!is_ready, Relaxed) == is_ready
    }

    /// Requests by [`Group::ALL`].
    pub fn requests(&self) -> Vec<RequestsSum> {
        let mut sums = vec![RequestsSum::default(); Group::ALL.len()];
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (sum, requests) in sums.iter_mut().zip(&thread.0) {
                for (sum, class) in sum.classes.iter_mut().zip(&requests.classes) {
                    *sum += class.get();
                }
                sum.took.add(&requests.took);
            }
        }
        sums
    }
}

/// The node as one thread sees it.
#[derive(Clone, Debug)]
pub struct NodeThread {
    /// What it belongs to.
    pub node: Data<Node>,
    requests: Arc<ThreadRequests>,
}

impl NodeThread {
    /// For the calling thread.
    pub fn new(node: &Data<Node>) -> Self {
        let requests = Arc::<ThreadRequests>::default();
        node.threads.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&requests));
        Self { node: node.clone(), requests }
    }

    /// Counts an answer.
    pub fn count(&self, group: Group, status: StatusCode, took: Duration) {
        let Some(requests) = self.requests.0.get(group as usize) else { return };
        let class = usize::from(status.as_u16() / 100).checked_sub(2);
        if let Some(counter) = class.and_then(|class| requests.classes.get(class)) {
            counter.count();
        }
        requests.took.count(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_go_by_the_first_part_of_the_path() {
        for (path, group) in [
            ("/verify", Group::Verify),
            ("/verify/behind", Group::Verify),
            ("/verifying", Group::Pages),
            ("/", Group::Pages),
            ("", Group::Pages),
            ("/api/v1/me", Group::Api),
            ("/.well-known/x", Group::Machine),
        ] {
            assert_eq!(Group::of(path), group, "{path}");
        }
        assert!(Group::ALL.iter().enumerate().all(|(index, (group, _))| *group as usize == index));
    }

    #[test]
    fn requests_of_all_threads_are_added_up() {
        let node = Data::new(Node::default());
        for _ in 0..2 {
            NodeThread::new(&node).count(Group::Api, StatusCode::NOT_FOUND, Duration::from_millis(1));
        }
        let sums = node.requests();
        assert_eq!(sums[Group::Api as usize].classes, [0, 0, 2, 0]);
        assert_eq!(sums[Group::Pages as usize].classes, [0; 4]);
    }
}
