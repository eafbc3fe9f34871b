//! Hashing of passwords: few threads, each with memory of its own, behind a short queue.
//!
//! Argon2id takes 19 MiB a hash. Hashing wherever a request happens to run lets a storm of sign-ins take gigabytes; here
//! memory is bounded by the number of threads, and what does not fit in the queue is told to come back (R6).

use super::{AppError, Result, background, random};
use argon2::{
    Argon2, Block, PasswordHash,
    password_hash::phc::{Output, ParamsString, Salt},
};
use domain::user::Password;
use std::{
    io,
    num::NonZero,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::available_parallelism,
    time::Duration,
};
use subtle::{Choice, ConstantTimeEq};
use tokio::sync::oneshot;

/// Hashes that run at once, where there are as many cores: a second one on the same core makes nothing quicker.
const THREADS: usize = 2;
/// Requests that wait for a thread. Two threads at 20 ms a hash work off 32 in a third of a second.
const QUEUE: usize = 32;
/// A thread that has had nothing to do for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(10);

/// Bytes of a hash.
const OUTPUT: usize = 32;

type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// The threads that hash. They end when this is dropped.
pub struct Hasher {
    jobs: SyncSender<Job>,
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system has none left.
    pub fn start() -> io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let cores = available_parallelism().map_or(1, NonZero::get);
        for _ in 0..THREADS.min(cores) {
            let queue = Arc::clone(&queue);
            background::thread("passwords", move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// The PHC string of a password under a new salt.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full.
    pub async fn hash(&self, password: Password) -> Result<String> {
        self.run(move |memory| {
            let salt = random::bytes::<16>();
            let output = digest(&Argon2::default(), password.bytes(), &salt, OUTPUT, memory)?;
            phc(&Argon2::default(), &salt, &output)
        })
        .await
    }

    /// Whether `password` is the one behind the PHC string `hash`. With no hash the same work is done for nothing and
    /// the answer is no, so that the time does not tell whether there is such a user (S6). Each form of the password is
    /// hashed, whichever is the right one.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full, [`AppError::Broken`] when the string is none.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool> {
        self.run(move |memory| {
            let Some(hash) = hash else {
                for form in password.forms() {
                    digest(&Argon2::default(), form, &[0; 16], OUTPUT, memory)?;
                }
                return Ok(false);
            };
            let broken = |what: &str| AppError::Broken(format!("a stored password hash has {what}"));
            let stored = PasswordHash::new(&hash).map_err(|_| broken("no PHC form"))?;
            let parameters = argon2::Params::try_from(&stored).map_err(|_| broken("unknown parameters"))?;
            let argon = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters);
            let salt = stored.salt.ok_or_else(|| broken("no salt"))?;
            let expected = stored.hash.ok_or_else(|| broken("no output"))?;
            let mut fits = Choice::from(0);
            for form in password.forms() {
                let output = digest(&argon, form, salt.as_ref(), expected.len(), memory)?;
                fits |= output.ct_eq(expected.as_bytes());
            }
            Ok(fits.into())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Vec<Block>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, done) = oneshot::channel();
        // Whoever asked may have gone away; then nobody is there to take the answer.
        let job: Job = Box::new(move |memory| drop(answer.send(job(memory))));
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => AppError::Busy(2),
            TrySendError::Disconnected(_) => AppError::Broken("the hashing threads have ended".into()),
        })?;
        done.await.unwrap_or_else(|_| Err(AppError::Broken("a hashing thread ended".into())))
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    stand_back();
    let mut memory = Vec::new();
    loop {
        let next = match queue.lock() {
            Ok(queue) => queue.recv_timeout(IDLE),
            Err(_) => return,
        };
        match next {
            Ok(job) => job(&mut memory),
            Err(RecvTimeoutError::Timeout) => memory = Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Leaves the processor to requests that want it meanwhile: a storm of sign-ins is not to slow down whoever verifies tokens.
/// A thread of the lowest priority alone would keep a core for some milliseconds once it has it.
#[cfg(target_os = "linux")]
fn stand_back() {
    use thread_priority::{
        NormalThreadSchedulePolicy::Idle, ThreadPriority, ThreadSchedulePolicy::Normal, set_thread_priority_and_policy,
        thread_native_id,
    };
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, Normal(Idle)) {
        tracing::debug!(%error, "the threads that hash have the priority of all others");
    }
}

#[cfg(not(target_os = "linux"))]
fn stand_back() {}

fn digest(argon: &Argon2<'_>, password: &[u8], salt: &[u8], length: usize, memory: &mut Vec<Block>) -> Result<Vec<u8>> {
    let blocks = argon.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut output = vec![0; length];
    argon
        .hash_password_into_with_memory(password, salt, &mut output, &mut memory[..blocks])
        .map_err(|error| AppError::Broken(error.to_string()))?;
    Ok(output)
}

fn phc(argon: &Argon2<'_>, salt: &[u8], output: &[u8]) -> Result<String> {
    let broken = |error: &dyn std::fmt::Display| AppError::Broken(error.to_string());
    let hash = PasswordHash {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(argon2::Version::V0x13.into()),
        params: ParamsString::try_from(argon.params()).map_err(|error| broken(&error))?,
        salt: Some(Salt::new(salt).map_err(|error| broken(&error))?),
        hash: Some(Output::new(output).map_err(|error| broken(&error))?),
    };
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    fn password(text: &str) -> Password {
        Password::given(text.into()).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_another_is_not() {
        let hasher = Hasher::start().unwrap();
        let hash = hasher.hash(password("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify(password("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(password("correct horse batterz"), Some(hash)).await.unwrap());
        assert!(!hasher.verify(password("correct horse battery"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_fits_however_it_is_composed_and_as_it_was_hashed_before() {
        let hasher = Hasher::start().unwrap();
        let composed = "un été à la mer, épuisé";
        let decomposed: String = composed.nfd().collect();
        let hash = hasher.hash(password(&decomposed)).await.unwrap();
        for typed in [composed, &decomposed, "un\u{a0}été à la mer, épuisé"] {
            assert!(hasher.verify(password(typed), Some(hash.clone())).await.unwrap(), "{typed}");
        }
        // As versions before hashed what such a keyboard sent.
        let mut memory = Vec::new();
        let output = digest(&Argon2::default(), decomposed.as_bytes(), &[7; 16], OUTPUT, &mut memory).unwrap();
        let before = phc(&Argon2::default(), &[7; 16], &output).unwrap();
        assert!(hasher.verify(password(&decomposed), Some(before.clone())).await.unwrap());
        assert!(!hasher.verify(password("un ete a la mer, epuise"), Some(before)).await.unwrap());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn whoever_stands_back_runs_only_while_nobody_else_wants_to() {
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            // The 41st field; the second, in brackets, may contain anything (proc(5)).
            stat.rsplit(')').next().unwrap().split_whitespace().nth(38).unwrap().to_owned()
        };
        let before_and_after = std::thread::spawn(move || (policy(), stand_back(), policy())).join().unwrap();
        assert_eq!(before_and_after, ("0".into(), (), "5".into()), "SCHED_OTHER, then SCHED_IDLE");
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once() {
        let hasher = Hasher::start().unwrap();
        let (mut done, mut busy) = (0, 0);
        // Polled together: all of them knock before the first is through.
        let mut tasks = tokio::task::JoinSet::new();
        let hasher = Arc::new(hasher);
        for _ in 0..100 {
            let hasher = Arc::clone(&hasher);
            tasks.spawn(async move { hasher.verify(password("whatever it may be"), None).await });
        }
        while let Some(answer) = tasks.join_next().await {
            match answer.unwrap() {
                Ok(false) => done += 1,
                Err(AppError::Busy(_)) => busy += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(done >= QUEUE && busy > 0, "{done} done, {busy} told to come back");
    }
}
