//! The state of one running server: whether it is stopping, and the request metrics of its threads.

use super::routes::Group;
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

/// The status classes, 2xx to 5xx. Jeton sends no 1xx.
pub const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The counters of one group of requests, for one thread.
#[derive(Debug, Default)]
struct Requests {
    classes: [Counter; CLASSES.len()],
    took: Durations,
}

/// The counters of one group of requests, summed over all threads.
#[derive(Clone, Debug, Default)]
pub struct RequestsSum {
    /// Counts by status class, in the order of [`CLASSES`].
    pub classes: [u64; CLASSES.len()],
    /// Durations from the head of the request to the head of the answer.
    pub took: Timed,
}

/// The counters of one thread, by [`Group`].
#[derive(Debug, Default)]
struct ThreadRequests([Requests; Group::ALL.len()]);

/// Counts of connections since the start.
#[derive(Debug, Default)]
pub struct ConnectionCounts {
    /// Connections that were accepted.
    pub opened: Counter,
    /// Accepted connections that have ended.
    pub closed: Counter,
    /// Connections that were refused because there were too many.
    pub refused: Counter,
    /// Connections that ended with bytes that were not a valid request.
    pub malformed: Counter,
}

/// The state that all threads of all listeners share.
#[derive(Debug, Default)]
pub struct Node {
    is_stopping: AtomicBool,
    is_leaving: AtomicBool,
    was_unready: AtomicBool,
    end: Notify,
    /// The counts of connections.
    pub connections: ConnectionCounts,
    threads: Mutex<Vec<Arc<ThreadRequests>>>,
}

impl Node {
    /// Reports the node as not ready from now on, while it still answers requests.
    pub fn begin_to_stop(&self) {
        self.is_stopping.store(true, Relaxed);
    }

    /// Returns whether the node is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Relaxed)
    }

    /// Makes each answer from now on the last one on its connection.
    pub fn begin_to_leave(&self) {
        self.is_leaving.store(true, Relaxed);
    }

    /// Returns whether clients should open their next connection elsewhere.
    pub fn is_leaving(&self) -> bool {
        self.is_leaving.load(Relaxed)
    }

    /// Closes the idle connections now.
    pub fn begin_to_end(&self) {
        self.begin_to_leave();
        self.end.notify_waiters();
    }

    /// Waits until idle connections should be closed.
    pub async fn ending(&self) {
        self.end.notified().await;
    }

    /// Records whether the node is ready. Returns true if this has changed since the last call.
    pub fn note_ready(&self, is_ready: bool) -> bool {
        self.was_unready.swap(!is_ready, Relaxed) == is_ready
    }

    /// Returns the sums of all threads, in the order of [`Group::ALL`].
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

/// One thread's view of the node.
#[derive(Clone, Debug)]
pub struct NodeThread {
    /// The node.
    pub node: Data<Node>,
    requests: Arc<ThreadRequests>,
}

impl NodeThread {
    /// Registers counters for the calling thread.
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
