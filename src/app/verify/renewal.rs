//! Reads the epoch ahead of time on a busy node, so that no request has to wait for it. An idle node reads nothing.

use super::freshness::Freshness;
use crate::background;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

/// The thread waits for the next request.
const IDLE: u8 = 0;
/// The thread waits until the next read is due, and no request came since the last one.
const QUIET: u8 = 1;
/// A request came since the last read.
const USED: u8 = 2;

/// The thread that renews the freshness as long as requests come. It ends when this is dropped.
pub struct Renewal {
    state: Arc<AtomicU8>,
    wake: mpsc::Sender<()>,
}

impl Renewal {
    /// Starts the thread. `read` reads the epoch and returns whether it could.
    pub fn start(freshness: Arc<Freshness>, read: impl Fn() -> bool + Send + 'static) -> Self {
        let (state, (wake, woken)) = (Arc::new(AtomicU8::new(IDLE)), mpsc::channel());
        let seen = Arc::clone(&state);
        let started = background::thread("renewal", move || {
            // Also after a panic: the next request must be able to wake it.
            seen.store(IDLE, SeqCst);
            while woken.recv().is_ok() {
                renew_while_used(&seen, &freshness, &read);
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "cannot start a thread to read the epoch ahead of time, so requests wait for it");
        }
        Self { state, wake }
    }

    /// Notes that a request was answered from memory.
    pub fn used(&self) {
        // Loading it first keeps the threads of a busy node from competing for the memory.
        if self.state.load(SeqCst) != USED && self.state.swap(USED, SeqCst) == IDLE {
            // The thread has ended only if it could not be started.
            let _ = self.wake.send(());
        }
    }
}

fn renew_while_used(state: &AtomicU8, freshness: &Freshness, read: &impl Fn() -> bool) {
    loop {
        thread::sleep(freshness.renew_in());
        if state.compare_exchange(QUIET, IDLE, SeqCst, SeqCst).is_ok() {
            return;
        }
        state.store(QUIET, SeqCst);
        // If the read took longer than it is good for, or failed, reading ahead is of no use.
        if !read() || freshness.renew_in().is_zero() {
            state.store(IDLE, SeqCst);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use std::{
        sync::atomic::AtomicUsize,
        time::{Duration, Instant},
    };

    const BOUND: Duration = Duration::from_millis(10);

    /// A renewal whose reads take this long, and the count of the reads.
    struct Started {
        renewal: Renewal,
        freshness: Arc<Freshness>,
        reads: Arc<AtomicUsize>,
    }

    fn start(took: Duration) -> Started {
        let (freshness, reads) = (Arc::new(Freshness::default()), Arc::new(AtomicUsize::new(0)));
        let (renewed, count) = (Arc::clone(&freshness), Arc::clone(&reads));
        let renewal = Renewal::start(Arc::clone(&freshness), move || {
            let begun = renewed.begin_read();
            thread::sleep(took);
            renewed.renew(begun, BOUND);
            count.fetch_add(1, SeqCst);
            true
        });
        Started { renewal, freshness, reads }
    }

    impl Started {
        /// Uses it as a request does, which reads by itself if it must.
        fn is_used(&self) {
            match self.freshness.lasts(Moment::now()) {
                true => self.renewal.used(),
                false => self.freshness.renew(self.freshness.begin_read(), BOUND),
            }
        }

        /// Uses it until so many reads were made ahead.
        fn reads(&self, count: usize) {
            until(|| {
                self.is_used();
                self.reads.load(SeqCst) >= count
            });
        }

        fn becomes_idle(&self) {
            until(|| self.renewal.state.load(SeqCst) == IDLE);
        }
    }

    fn until(what: impl Fn() -> bool) {
        let begun = Instant::now();
        while !what() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it never happens");
            thread::yield_now();
        }
    }

    #[test]
    fn a_busy_node_reads_ahead_and_an_idle_one_stops() {
        let started = start(Duration::ZERO);
        started.reads(3);
        started.becomes_idle();
        let then = started.reads.load(SeqCst);
        thread::sleep(5 * BOUND);
        assert_eq!(started.reads.load(SeqCst), then, "nobody asks, so nobody reads");
        started.reads(then + 1);
    }

    #[test]
    fn a_single_request_costs_no_further_read() {
        let started = start(Duration::ZERO);
        started.is_used();
        started.becomes_idle();
        assert_eq!(started.reads.load(SeqCst), 0);
    }

    #[test]
    fn reading_ahead_stops_where_the_database_is_further_away_than_the_bound() {
        let started = start(2 * BOUND);
        started.reads(1);
        started.becomes_idle();
    }
}
