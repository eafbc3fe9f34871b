//! The mail queue: rows in the database, so that no mail is lost when the mail server is down for some minutes or Jeton
//! restarts.
//!
//! A mail is stored in the transaction that it reports, and the first attempt to send it follows the commit. After a
//! temporary error (4xx) or a broken connection, it is sent again, with increasing delays; after a permanent error
//! (5xx), it is not. A node that tries a mail first leases it for longer than an attempt takes, so that only one of
//! several nodes sends it. If that node dies meanwhile, another one tries later: a mail that was being sent at that
//! time may then arrive twice, with the same Message-ID.

use super::{LONGEST, Mail, Settings, server::Transport};
use crate::{AppError, Jeton, Result, background, clock::Clock, random, seal::Seal};
use domain::{time::Timestamp, token::Pepper, user::Email};
use lettre::{
    Address, AsyncTransport, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::extension::ClientId,
};
use serde::{Deserialize, Serialize};
use std::{
    io,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use storage::{
    AnyConnection, Db,
    mails::{self, Waiting},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// The maximum number of queued mails; further mails are refused.
const MOST: i64 = 1000;
/// The maximum number of mails that one node holds in memory.
const IN_HAND: u32 = 1000;
/// The number of mails that a node sends at once.
const AT_ONCE: usize = 4;
/// How long a node leases a mail, in seconds: longer than [`LONGEST`] and the round trips to the database.
const LEASE: i64 = 60;
/// The delays after the first attempt, the second and so on, in seconds: short ones for a server that restarts, longer
/// ones for greylisting, and all within the hour for which a link for a new password works.
const PAUSES: [i64; 7] = [15, 30, 60, 120, 240, 480, 900];
/// After how many seconds a mail is given up.
const TOO_OLD: i64 = 45 * 60;
/// How often a node looks for mails that are due.
const LOOK: Duration = Duration::from_secs(2);

/// The result of sending a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has accepted it.
    Sent,
    /// It will be tried again, or the attempt is still in progress.
    Waiting,
    /// It will not be sent: the server has refused it permanently, or the queue is full.
    Refused,
}

/// A stored mail, to be sent once its transaction is committed; `None` if it cannot be sent.
#[derive(Debug)]
pub struct Posted(Option<Waiting>);

/// A mail that is being sent.
#[derive(Debug)]
pub struct Sending(oneshot::Receiver<Fate>);

impl Sending {
    /// Waits up to `timeout` for the result.
    pub async fn fate(self, timeout: Duration) -> Fate {
        match tokio::time::timeout(timeout, self.0).await {
            Ok(Ok(fate)) => fate,
            _ => Fate::Waiting,
        }
    }
}

/// The encrypted part of a mail.
#[derive(Serialize, Deserialize)]
struct Content {
    to: String,
    subject: String,
    text: String,
    message_id: String,
}

/// Sends mail from the queue in the database.
pub struct Mailer {
    seal: Arc<Seal>,
    host: String,
    fresh: mpsc::UnboundedSender<Job>,
    hands: Arc<Semaphore>,
    is_closing: Arc<AtomicBool>,
}

/// A mail that this node holds in memory.
struct Job {
    mail: Waiting,
    done: Option<oneshot::Sender<Fate>>,
    _hand: OwnedSemaphorePermit,
}

impl Mailer {
    /// Starts the sending thread, which ends when this is dropped.
    ///
    /// # Errors
    /// When the thread cannot be created.
    pub(crate) fn start(settings: Settings, db: Db, pepper: &Pepper, clock: Clock) -> io::Result<Self> {
        let from = settings.from.0;
        let host = from.email.domain().to_owned();
        let transport = settings.server.transport(&ClientId::Domain(host.clone())).map_err(io::Error::other)?;
        let seal = Arc::new(Seal::new(pepper, "mail"));
        let (hands, is_closing) = (Arc::new(Semaphore::new(IN_HAND as usize)), Arc::<AtomicBool>::default());
        let postman = Arc::new(Postman { db, clock, seal: Arc::clone(&seal), transport, from });
        let round = Round {
            postman,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            hands: Arc::clone(&hands),
            is_closing: Arc::clone(&is_closing),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (fresh, mut jobs) = mpsc::unbounded_channel();
        background::thread("mail", move || runtime.block_on(round.work(&mut jobs)))?;
        Ok(Self { seal, host, fresh, hands, is_closing })
    }

    /// Stores a mail as part of the transaction that it reports. A mail that cannot be sent does not make the
    /// transaction fail: it is logged under `request_id`.
    pub(crate) fn post(
        &self,
        connection: &mut AnyConnection,
        mail: &Mail,
        request_id: &str,
        now: Timestamp,
    ) -> Result<Posted> {
        let is_full = mails::count(connection)? >= MOST;
        let sealed = if is_full { Err(format!("{MOST} mails are already queued")) } else { self.sealed(mail) };
        match sealed {
            Ok(sealed) => {
                let until = now.plus(LEASE);
                Ok(Posted(Some(mails::insert(connection, sealed, request_id, now, until)?)))
            }
            Err(error) => {
                tracing::error!(id = request_id, %error, "a mail could not be sent");
                Ok(Posted(None))
            }
        }
    }

    fn sealed(&self, mail: &Mail) -> std::result::Result<Vec<u8>, String> {
        // An old account may have an address that is not valid for mail.
        Address::from_str(mail.to.as_str()).map_err(|error| error.to_string())?;
        let content = Content {
            to: mail.to.as_str().to_owned(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            message_id: format!("<{}@{}>", random::code(), self.host),
        };
        let text = serde_json::to_vec(&content).map_err(|error| error.to_string())?;
        self.seal.close(text).ok_or_else(|| "it could not be encrypted".into())
    }

    /// Sends a stored mail, now that its transaction is committed. The caller need not wait for the result, and may
    /// drop it.
    pub(crate) fn send(&self, Posted(mail): Posted) -> Sending {
        let (done, outcome) = oneshot::channel();
        match (mail, Arc::clone(&self.hands).try_acquire_owned()) {
            (None, _) => drop(done.send(Fate::Refused)),
            // The thread ends only with this mailer.
            (Some(mail), Ok(hand)) => drop(self.fresh.send(Job { mail, done: Some(done), _hand: hand })),
            // It is tried later, once there is room in memory.
            (Some(_), Err(_)) => {}
        }
        Sending(outcome)
    }

    /// Takes no more mails from the queue, and waits until those in memory have been tried, before a shutdown. Mails
    /// that are not sent by then stay queued.
    pub(crate) async fn finish(&self) {
        self.is_closing.store(true, Relaxed);
        // No attempt takes longer.
        drop(tokio::time::timeout(LONGEST, self.hands.acquire_many(IN_HAND)).await);
    }
}

/// The work of the thread until its mailer is dropped.
struct Round {
    postman: Arc<Postman>,
    places: Arc<Semaphore>,
    hands: Arc<Semaphore>,
    is_closing: Arc<AtomicBool>,
}

impl Round {
    async fn work(&self, jobs: &mut mpsc::UnboundedReceiver<Job>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_heard = true;
        loop {
            tokio::select! {
                job = jobs.recv() => match job {
                    Some(job) => self.start(job),
                    None => return,
                },
                _ = look.tick() => {
                    let looked = self.look().await;
                    if let Err(error) = &looked
                        && is_heard
                    {
                        tracing::warn!(%error, "the mail queue cannot be read");
                    }
                    is_heard = looked.is_ok();
                }
            }
        }
    }

    /// Takes mails that are due from the queue, as many as can be sent at once.
    async fn look(&self) -> Result<()> {
        let room = self.places.available_permits();
        if room == 0 || self.is_closing.load(Relaxed) {
            return Ok(());
        }
        let postman = Arc::clone(&self.postman);
        let due = Jeton::blocking(move || postman.due(room)).await?;
        for mail in due {
            if let Ok(hand) = Arc::clone(&self.hands).try_acquire_owned() {
                self.start(Job { mail, done: None, _hand: hand });
            }
        }
        Ok(())
    }

    fn start(&self, job: Job) {
        let (postman, places) = (Arc::clone(&self.postman), Arc::clone(&self.places));
        tokio::spawn(async move {
            // The semaphore is never closed.
            let Ok(_place) = places.acquire_owned().await else { return };
            let Job { mail, done, _hand } = job;
            let id = mail.request_id.clone();
            let fate = postman.deliver(mail).await.unwrap_or_else(|error| {
                tracing::warn!(id, %error, "the database fails, so a mail could not be sent; it will be tried again");
                Fate::Waiting
            });
            // The caller may not be waiting.
            done.map(|done| done.send(fate).ok());
        });
    }
}

/// Why the server did not accept a mail.
struct Failure {
    error: String,
    is_final: bool,
}

/// Delivers mails to the server.
struct Postman {
    db: Db,
    clock: Clock,
    seal: Arc<Seal>,
    transport: Transport,
    from: Mailbox,
}

impl Postman {
    fn due(&self, limit: usize) -> Result<Vec<Waiting>> {
        let (now, limit) = (self.clock.now(), i64::try_from(limit).unwrap_or(i64::MAX));
        self.db.read(|connection| Ok(mails::due(connection, now, now.plus(-TOO_OLD), limit)?))
    }

    /// Tries a mail, unless another node has leased it since it was read.
    async fn deliver(self: Arc<Self>, seen: Waiting) -> Result<Fate> {
        let (postman, mail) = (Arc::clone(&self), seen.clone());
        let until = self.clock.now().plus(LEASE);
        if !write(postman, move |connection| mails::take(connection, &mail, until)).await? {
            return Ok(Fate::Waiting);
        }
        let Waiting { id, request_id, tries, sealed, .. } = seen;
        let failure = match self.message(&sealed) {
            Ok(message) => self.hand_over(message).await.err(),
            Err(error) => Some(Failure { error, is_final: true }),
        };
        let fate = match &failure {
            None => Fate::Sent,
            Some(Failure { error, is_final: true }) => {
                tracing::error!(id = request_id, %error, "a mail could not be sent");
                Fate::Refused
            }
            Some(Failure { error, .. }) => {
                tracing::warn!(id = request_id, %error, "a mail could not be sent; it will be tried again");
                Fate::Waiting
            }
        };
        let next = self.clock.now().plus(pause(tries));
        write(self, move |connection| match fate {
            Fate::Waiting => mails::postpone(connection, id, next),
            Fate::Sent | Fate::Refused => mails::delete(connection, id),
        })
        .await?;
        Ok(fate)
    }

    async fn hand_over(&self, message: Message) -> std::result::Result<(), Failure> {
        match tokio::time::timeout(LONGEST, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            // Refused by the server, or impossible to send to it, such as an address that is not in ASCII.
            Ok(Err(error)) => {
                Err(Failure { is_final: error.is_permanent() || error.is_client(), error: error.to_string() })
            }
            Err(_) => Err(Failure { error: format!("it took longer than {} s", LONGEST.as_secs()), is_final: false }),
        }
    }

    /// Builds the message that is sent. Addresses are parsed again by the rules of mail, and the subject is encoded as
    /// one line, so that neither can inject a header (G4).
    fn message(&self, sealed: &[u8]) -> std::result::Result<Message, String> {
        let broken = |error: &dyn std::error::Error| error.to_string();
        let text = self.seal.open(sealed).ok_or("it was encrypted with another pepper")?;
        let content = serde_json::from_slice(&text).map_err(|error| broken(&error))?;
        let Content { to, subject, text, message_id } = content;
        let subject: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // Prevents out-of-office replies (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let to = Address::from_str(&to).map_err(|error| broken(&error))?;
        Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(subject)
            .message_id(Some(message_id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".into()))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| broken(&error))
    }
}

/// Returns the seconds until the next attempt for a mail that was tried `tries` times before the current attempt.
fn pause(tries: i64) -> i64 {
    let last = PAUSES.len() - 1;
    PAUSES[usize::try_from(tries).map_or(last, |tries| tries.min(last))]
}

async fn write<T: Send + 'static>(
    postman: Arc<Postman>,
    mut work: impl FnMut(&mut AnyConnection) -> storage::Result<T> + Send + 'static,
) -> Result<T> {
    Jeton::blocking(move || postman.db.write(|connection| work(connection).map_err(AppError::from))).await
}

/// Sends a mail that does not report a transaction. The caller need not wait for the result.
///
/// # Errors
/// When the database fails; [`AppError::NotFound`] where no mail is sent.
pub async fn send(jeton: &Jeton, mail: Mail, request_id: &str) -> Result<Sending> {
    let mailer = jeton.mail.clone().ok_or(AppError::NotFound)?;
    let (posting, request_id, now) = (Arc::clone(&mailer), request_id.to_owned(), jeton.clock.now());
    let posted = jeton.write(move |connection| posting.post(connection, &mail, &request_id, now)).await?;
    Ok(mailer.send(posted))
}

/// Gives up mails that have been queued for too long.
pub(crate) async fn sweep(jeton: &Jeton) -> Result<()> {
    let until = jeton.clock.now().plus(-TOO_OLD);
    for id in jeton.write(move |connection| Ok(mails::sweep(connection, until)?)).await? {
        tracing::error!(id, "the mail server did not accept a mail for {} minutes; it is given up", TOO_OLD / 60);
    }
    Ok(())
}

/// Reads the e-mail address of a new account or invitation, which must be valid for mail, whether this server sends any
/// or not.
///
/// # Errors
/// [`domain::user::EmailError`] if it is not valid.
pub(crate) fn address(typed: &str) -> std::result::Result<Email, domain::user::EmailError> {
    let email = Email::parse(typed)?;
    let read = Address::from_str(email.as_str());
    read.map(|_| email).map_err(|_| domain::user::EmailError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::user::EmailError;

    #[test]
    fn attempts_are_spaced_out_and_end_before_the_link_expires() {
        let pauses: Vec<i64> = (0..PAUSES.len()).map(|tries| pause(tries.try_into().unwrap())).collect();
        assert!(pauses.is_sorted() && pause(1_000) == 900);
        let last = pauses.iter().sum::<i64>();
        assert!((10 * 60..TOO_OLD).contains(&last), "{last}");
        const { assert!(TOO_OLD < domain::password_link::MINUTES * 60) };
        assert!(LEASE > 3 * i64::try_from(LONGEST.as_secs()).unwrap());
    }

    #[test]
    fn an_account_gets_only_an_address_that_mail_can_reach() {
        for none in [
            "mailto:max@example.org",
            "a..b@example.org",
            ".a@example.org",
            "a.@example.org",
            "a@b@example.org",
            "a(b)@example.org",
            "a[b@example.org",
            "a:b@example.org",
            "a\\b@example.org",
            "a@-example.org",
            "a@[127.0.0.1]",
            &format!("{}@example.org", "a".repeat(65)),
        ] {
            assert_eq!(address(none), Err(EmailError::Malformed), "{none}");
        }
        for one in ["a@b", "max+jeton@example.org", "o'neill@example.org", "{x}@example.org", "é@exämple.org"] {
            assert!(address(one).is_ok(), "{one}");
        }
        assert_eq!(address(" "), Err(EmailError::Empty));
    }
}
