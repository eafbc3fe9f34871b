//! Batchers to Postgres that nothing but verification uses: a thread with a connection of its own, for all requests of a node.
//!
//! The thread answers together whatever has come while the round before was on its way: one round trip serves many
//! requests, and pages, exports and sign-ins can take no connection away. A network that swallows everything, or a server
//! that stands still, may keep a thread waiting for ever; it is then given up, with its connection, and another one takes
//! its place (R4).

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

/// A thread that takes longer for a round is given up: nobody waits for it any more.
const LONGEST_ROUND: Duration = Duration::from_millis(1500);
/// The same while it opens a connection.
const LONGEST_OPENING: Duration = Duration::from_secs(3);
/// Threads of a line that were given up and still wait, from which on another one takes its place only after a [`REST`]:
/// they may wait for hours, and are not to become thousands meanwhile.
const MANY_GIVEN_UP: usize = 8;
/// Longest that a line rests when the network is well again.
const REST: Duration = Duration::from_secs(20);

/// Answers questions in their order, over a connection that is open.
type Work<Q, A> = dyn Fn(&mut AnyConnection, &[Q]) -> Result<Vec<A>, Unavailable> + Send + Sync;

/// The line.
pub struct Batcher<Q, A> {
    server: Arc<Server<Q, A>>,
    worker: RwLock<Worker<Q, A>>,
}

/// What the threads of a line have in common.
struct Server<Q, A> {
    address: DatabaseUrl,
    pepper: Pepper,
    /// Most questions of one round.
    most: usize,
    work: Box<Work<Q, A>>,
}

/// A thread, as others see it.
struct Worker<Q, A> {
    waiting: mpsc::Sender<Waiter<Q, A>>,
    busy: Arc<Busy>,
}

/// Somebody who waits for an answer.
struct Waiter<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, Unavailable>>,
}

/// Until when a thread should be done with what it does.
struct Busy {
    /// When the thread was started.
    begun: Instant,
    /// In milliseconds since then; 0 while it does nothing.
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
    /// Starts the thread, which asks with `work`, at most `most` questions at a time. It ends when this is dropped.
    pub fn start(
        address: DatabaseUrl,
        pepper: Pepper,
        most: usize,
        work: impl Fn(&mut AnyConnection, &[Q]) -> Result<Vec<A>, Unavailable> + Send + Sync + 'static,
    ) -> Self {
        let server = Arc::new(Server { address, pepper, most, work: Box::new(work) });
        Self { worker: Worker::open(&server).into(), server }
    }

    /// The answer to a question, which was asked after this call began.
    ///
    /// # Errors
    /// When the database does not answer in time, or what the work said.
    pub async fn ask(&self, question: Q) -> Result<A, Unavailable> {
        let ended = || Unavailable("the thread that asks the database has ended".into());
        let (answer, answered) = oneshot::channel();
        self.worker().waiting.send(Waiter { question, answer }).map_err(|_| ended())?;
        match tokio::time::timeout(TIMEOUT, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(ended())),
            Err(_) => Err(Unavailable::late()),
        }
    }

    /// The thread, unless it is stuck: then another one.
    fn worker(&self) -> RwLockReadGuard<'_, Worker<Q, A>> {
        let worker = self.worker.read().unwrap_or_else(PoisonError::into_inner);
        if !worker.busy.is_stuck() {
            return worker;
        }
        drop(worker);
        self.give_up();
        self.worker.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets another thread take the place of the one that is stuck.
    fn give_up(&self) {
        let mut worker = self.worker.write().unwrap_or_else(PoisonError::into_inner);
        // Each thread holds the server, too.
        let given_up = Arc::strong_count(&self.server).saturating_sub(2);
        let is_due = given_up < MANY_GIVEN_UP || worker.busy.begun.elapsed() >= REST;
        if worker.busy.is_stuck() && is_due {
            tracing::warn!(given_up, "a connection to the database does not answer, and is given up");
            *worker = Worker::open(&self.server);
        }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Worker<Q, A> {
    fn open(server: &Arc<Server<Q, A>>) -> Self {
        let (waiting, arrived) = mpsc::channel();
        let busy = Arc::new(Busy { begun: Instant::now(), until: 0.into() });
        let (server, seen) = (Arc::clone(server), Arc::clone(&busy));
        if let Err(error) = background::thread("line", move || server.serve(&arrived, &seen)) {
            tracing::error!(%error, "there is no thread to ask the database");
            // Whoever asks next tries again.
            busy.begins(Duration::ZERO);
        }
        Self { waiting, busy }
    }
}

impl<Q, A> Server<Q, A> {
    fn serve(&self, arrived: &mpsc::Receiver<Waiter<Q, A>>, busy: &Busy) {
        let mut connection = None;
        // Opened before the first who waits comes, as opening takes several round trips. A failure is the next one's.
        drop(self.connected(&mut connection, busy));
        busy.ends();
        while let Ok(first) = arrived.recv() {
            // Whoever waits by now arrived before the round that begins next; who has lost patience is no longer there.
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

    /// The connection, opened if there is none. What it is opened to is no standby, and the database to which the pepper
    /// belongs.
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
