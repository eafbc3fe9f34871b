//! Batches the queries of verification to Postgres. A batcher is a thread with its own connection, for all requests of
//! a node.
//!
//! The thread answers all questions that arrived during the previous round as one batch. So one round trip serves many
//! requests, and pages, exports and sign-ins cannot use up the connections. If the network drops all packets or the
//! server hangs, a thread may wait forever. It is then abandoned together with its connection, and a new thread
//! replaces it (R4).

use super::denied::{TIMEOUT, Unavailable, check_pepper};
use crate::background;
use domain::token::Pepper;
use std::{
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};
use storage::{AnyConnection, DatabaseUrl};
use tokio::sync::oneshot;

/// Longest round: a thread that takes longer is abandoned, as the requests that it serves have timed out.
const LONGEST_ROUND: Duration = Duration::from_millis(1500);
/// Longest time to open a connection: a thread that takes longer is abandoned.
const LONGEST_OPENING: Duration = Duration::from_secs(3);
/// With this many abandoned threads that still wait, a batcher replaces its thread only after a [`REST`]: threads may
/// wait for hours, and must not become thousands meanwhile.
const MANY_GIVEN_UP: usize = 8;
/// How long a batcher with many abandoned threads waits before it replaces its thread: after an outage, it recovers at
/// the latest then.
const REST: Duration = Duration::from_secs(20);

/// Answers questions in order, over an open connection.
type Work<Q, A> = dyn Fn(&mut AnyConnection, &[Q]) -> Result<Vec<A>, Unavailable> + Send + Sync;

/// A thread that answers questions in batches, and is replaced when it gets stuck.
pub struct Batcher<Q, A> {
    server: Arc<Server<Q, A>>,
    worker: RwLock<Worker<Q, A>>,
}

/// What a thread and its replacements share.
struct Server<Q, A> {
    address: DatabaseUrl,
    pepper: Pepper,
    /// The maximum number of questions in a batch.
    most: usize,
    work: Box<Work<Q, A>>,
}

/// A thread, as its callers see it.
struct Worker<Q, A> {
    waiting: mpsc::Sender<Waiter<Q, A>>,
    busy: Arc<Busy>,
}

/// A caller that waits for an answer.
struct Waiter<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, Unavailable>>,
}

/// The deadline of what a thread is doing.
struct Busy {
    /// When the thread started.
    begun: Instant,
    /// In milliseconds since `begun`; 0 while the thread is idle.
    until: AtomicU64,
}

impl Busy {
    fn now(&self) -> u64 {
        self.begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }

    fn begins(&self, longest: Duration) {
        let longest = longest.as_millis().try_into().unwrap_or(u64::MAX);
        self.until.store(self.now().saturating_add(longest), Ordering::Relaxed);
    }

    fn ends(&self) {
        self.until.store(0, Ordering::Relaxed);
    }

    fn is_stuck(&self) -> bool {
        match self.until.load(Ordering::Relaxed) {
            0 => false,
            until => self.now() > until,
        }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Starts the thread, which answers up to `most` questions at a time with `work`. It ends when this is dropped.
    pub fn start(
        address: DatabaseUrl,
        pepper: Pepper,
        most: usize,
        work: impl Fn(&mut AnyConnection, &[Q]) -> Result<Vec<A>, Unavailable> + Send + Sync + 'static,
    ) -> Self {
        let server = Arc::new(Server { address, pepper, most, work: Box::new(work) });
        Self { worker: Worker::open(&server).into(), server }
    }

    /// Returns the answer to a question, from a query that began after this call.
    ///
    /// # Errors
    /// When the database does not answer in time, or `work` fails.
    pub async fn ask(&self, question: Q) -> Result<A, Unavailable> {
        let ended = || Unavailable("the thread that queries the database has ended".into());
        let (answer, answered) = oneshot::channel();
        self.worker().waiting.send(Waiter { question, answer }).map_err(|_| ended())?;
        match tokio::time::timeout(TIMEOUT, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(ended())),
            Err(_) => Err(Unavailable::late()),
        }
    }

    /// Returns the thread, or its replacement if it is stuck.
    fn worker(&self) -> RwLockReadGuard<'_, Worker<Q, A>> {
        let worker = self.worker.read().unwrap_or_else(PoisonError::into_inner);
        if !worker.busy.is_stuck() {
            return worker;
        }
        drop(worker);
        self.give_up();
        self.worker.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the thread if it is stuck.
    fn give_up(&self) {
        let mut worker = self.worker.write().unwrap_or_else(PoisonError::into_inner);
        // Each thread holds a reference to the server, and so do the batcher and its current thread.
        let given_up = Arc::strong_count(&self.server).saturating_sub(2);
        let is_due = given_up < MANY_GIVEN_UP || worker.busy.begun.elapsed() >= REST;
        if worker.busy.is_stuck() && is_due {
            tracing::warn!(given_up, "a connection to the database does not answer and is abandoned");
            *worker = Worker::open(&self.server);
        }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Worker<Q, A> {
    fn open(server: &Arc<Server<Q, A>>) -> Self {
        let (waiting, arrived) = mpsc::channel();
        let busy = Arc::new(Busy { begun: Instant::now(), until: 0.into() });
        let (server, seen) = (Arc::clone(server), Arc::clone(&busy));
        if let Err(error) = background::thread("batcher", move || server.serve(&arrived, &seen)) {
            tracing::error!(%error, "cannot start a thread to query the database");
            // The next caller tries again.
            busy.begins(Duration::ZERO);
        }
        Self { waiting, busy }
    }
}

impl<Q, A> Server<Q, A> {
    fn serve(&self, arrived: &mpsc::Receiver<Waiter<Q, A>>, busy: &Busy) {
        let mut connection = None;
        // The connection is opened before the first request, as opening takes several round trips. If this fails, the
        // first request tries again.
        drop(self.connected(&mut connection, busy));
        busy.ends();
        while let Ok(first) = arrived.recv() {
            // Every question in the queue arrived before the round that begins next. Callers that have timed out are
            // skipped.
            let together = std::iter::once(first).chain(arrived.try_iter()).take(self.most);
            let (questions, waiting): (Vec<Q>, Vec<_>) = together
                .filter(|waiter| !waiter.answer.is_closed())
                .map(|waiter| (waiter.question, waiter.answer))
                .unzip();
            if !questions.is_empty() {
                tell(waiting, self.round(&questions, &mut connection, busy));
            }
            busy.ends();
        }
    }

    fn round(
        &self,
        questions: &[Q],
        connection: &mut Option<AnyConnection>,
        busy: &Busy,
    ) -> Result<Vec<A>, Unavailable> {
        let open = self.connected(connection, busy)?;
        busy.begins(LONGEST_ROUND);
        let done = (self.work)(open, questions);
        if done.is_err() {
            *connection = None;
        }
        done
    }

    /// Returns the connection; opens it first if there is none, and checks that the database is not a standby and
    /// belongs to the pepper.
    fn connected<'a>(
        &self,
        connection: &'a mut Option<AnyConnection>,
        busy: &Busy,
    ) -> Result<&'a mut AnyConnection, Unavailable> {
        match connection {
            Some(open) => Ok(open),
            None => {
                busy.begins(LONGEST_OPENING);
                let mut new = self.address.connect_for_lookups()?;
                check_pepper(&mut new, &self.pepper)?;
                Ok(connection.insert(new))
            }
        }
    }
}

fn tell<A>(waiting: Vec<oneshot::Sender<Result<A, Unavailable>>>, answers: Result<Vec<A>, Unavailable>) {
    match answers {
        Ok(answers) => waiting.into_iter().zip(answers).for_each(|(waiter, answer)| drop(waiter.send(Ok(answer)))),
        Err(error) => waiting.into_iter().for_each(|waiter| drop(waiter.send(Err(error.clone())))),
    }
}
