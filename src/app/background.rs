//! Background tasks that run as long as the program. A panic, whatever its cause, does not end a task: it is counted,
//! and the task is restarted after a pause.

use super::metrics::Counter;
use futures_util::FutureExt;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};
use tokio::task::JoinHandle;

/// The pause before a task that panicked is restarted.
const PAUSE: Duration = Duration::from_secs(1);

static PANICS: Counter = Counter::new();

/// Returns how often background tasks have panicked since the start.
pub fn panics() -> u64 {
    PANICS.get()
}

/// Runs `work` on its own thread until it returns.
///
/// # Errors
/// When the system cannot create a thread.
pub fn thread(name: &'static str, mut work: impl FnMut() + Send + 'static) -> io::Result<()> {
    let go_on = move || {
        while catch_unwind(AssertUnwindSafe(&mut work)).is_err() {
            note(name);
            thread::sleep(PAUSE);
        }
    };
    thread::Builder::new().name(name.into()).spawn(go_on).map(drop)
}

/// Runs `work` as a task on the calling thread until it returns or is aborted.
pub fn spawn<T: 'static>(name: &'static str, mut work: impl AsyncFnMut() -> T + 'static) -> JoinHandle<T> {
    tokio::task::spawn_local(async move {
        loop {
            match AssertUnwindSafe(work()).catch_unwind().await {
                Ok(done) => return done,
                Err(_) => {
                    note(name);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}

/// Counts and logs the restart. The panic itself is already in the log ([`super::log`]).
fn note(work: &str) {
    PANICS.count();
    tracing::error!(work, "a background task has panicked and is restarted");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_thread_that_panics_goes_on_and_ends_when_its_work_is_done() {
        let before = panics();
        let (jobs, waiting) = mpsc::channel();
        let (say, said) = mpsc::channel();
        let work = move || {
            for job in waiting.iter() {
                assert!(job != 2, "a defect");
                say.send(job).unwrap();
            }
        };
        thread("test", work).unwrap();
        for job in 1..=3 {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        assert_eq!(said.iter().collect::<Vec<_>>(), [1, 3]);
        assert!(panics() > before);
    }

    #[actix_web::test]
    async fn a_task_that_panics_goes_on_with_its_state() {
        let mut rounds = 0;
        let task = spawn("test", async move || {
            rounds += 1;
            tokio::task::yield_now().await;
            assert!(rounds > 2, "a defect");
            rounds
        });
        assert_eq!(task.await.unwrap(), 3);
    }
}
