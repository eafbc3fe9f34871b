//! Password hashing: a few threads, each with its own memory, behind a short queue.
//!
//! Argon2id takes 19 MiB per hash. If each request hashed on its own thread, a flood of sign-ins could take gigabytes.
//! Here, the number of threads limits the memory, and requests that do not fit in the queue are asked to try again
//! later (R6).

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

/// The maximum number of hashes at once, if there are as many cores: a second hash on the same core would make nothing
/// faster.
const THREADS: usize = 2;
/// The maximum number of requests that wait for a thread. Two threads with 20 ms per hash complete 32 in a third of a
/// second.
const QUEUE: usize = 32;
/// A thread that has been idle for this long frees its memory.
const IDLE: Duration = Duration::from_secs(10);

/// The length of a hash in bytes.
const OUTPUT: usize = 32;

type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// The hashing threads, which end when this is dropped.
pub struct Hasher {
    jobs: SyncSender<Job>,
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system cannot create them.
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

    /// Returns the PHC string of a password with a new salt.
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

    /// Returns whether `password` matches the PHC string `hash`. Without a hash, the work is the same and the answer is
    /// no, so that the time does not reveal whether the user exists (S6). Each form of the password is hashed,
    /// whichever matches.
    ///
    /// # Errors
    /// [`AppError::Busy`] when the queue is full, [`AppError::Broken`] when the PHC string is invalid.
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
        // The request may have ended meanwhile, so that nobody takes the answer.
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

/// Lets requests use the processor first, so that a flood of sign-ins does not slow down the verification of tokens.
/// The lowest priority under the normal scheduling policy is not enough: such a thread could still keep a core for some
/// milliseconds.
#[cfg(target_os = "linux")]
fn stand_back() {
    use thread_priority::{
        NormalThreadSchedulePolicy::Idle, ThreadPriority, ThreadSchedulePolicy::Normal, set_thread_priority_and_policy,
        thread_native_id,
    };
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, Normal(Idle)) {
        tracing::debug!(%error, "the hashing threads run with normal priority");
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
    async fn a_password_matches_its_hash_and_another_does_not() {
        let hasher = Hasher::start().unwrap();
        let hash = hasher.hash(password("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify(password("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(password("correct horse batterz"), Some(hash)).await.unwrap());
        assert!(!hasher.verify(password("correct horse battery"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_matches_in_every_unicode_form_and_with_older_hashes() {
        let hasher = Hasher::start().unwrap();
        let composed = "un été à la mer, épuisé";
        let decomposed: String = composed.nfd().collect();
        let hash = hasher.hash(password(&decomposed)).await.unwrap();
        for typed in [composed, &decomposed, "un\u{a0}été à la mer, épuisé"] {
            assert!(hasher.verify(password(typed), Some(hash.clone())).await.unwrap(), "{typed}");
        }
        // As earlier versions hashed what such a keyboard sent.
        let mut memory = Vec::new();
        let output = digest(&Argon2::default(), decomposed.as_bytes(), &[7; 16], OUTPUT, &mut memory).unwrap();
        let before = phc(&Argon2::default(), &[7; 16], &output).unwrap();
        assert!(hasher.verify(password(&decomposed), Some(before.clone())).await.unwrap());
        assert!(!hasher.verify(password("un ete a la mer, epuise"), Some(before)).await.unwrap());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn low_priority_hashing_waits_for_all_others() {
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            // The 41st field; the second, in brackets, may contain anything (proc(5)).
            stat.rsplit(')').next().unwrap().split_whitespace().nth(38).unwrap().to_owned()
        };
        let before_and_after = std::thread::spawn(move || (policy(), stand_back(), policy())).join().unwrap();
        assert_eq!(before_and_after, ("0".into(), (), "5".into()), "SCHED_OTHER, then SCHED_IDLE");
    }

    #[tokio::test]
    async fn a_full_queue_says_so_immediately() {
        let hasher = Hasher::start().unwrap();
        let (mut done, mut busy) = (0, 0);
        // Polled together: all of them arrive before the first is done.
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
        assert!(done >= QUEUE && busy > 0, "{done} done, {busy} busy");
    }
}
