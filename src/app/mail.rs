//! Mail through the SMTP server of the configuration. Without one Jeton sends no mail, and pages say what to do instead.
//!
//! Mail comes after the commit that it tells of, and never holds up an answer or makes it fail: it is queued, and a thread of
//! its own sends it within ten seconds. What could not be sent is in the log under the id of its request; whoever needs to
//! know waits for [`Mailer::send`]. The words come from the caller, since texts belong to the pages.

use super::random;
use crate::domain::user::Email;
use futures_util::{StreamExt, stream};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::extension::ClientId,
};
use std::{io, str::FromStr, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use url::{Host, Url};

/// How long sending one mail may take, from the connection to the server's last word. lettre's own limit is for the
/// connection alone.
const LONGEST: Duration = Duration::from_secs(10);
/// Mails that wait or are being sent; more are not taken.
const QUEUE: u32 = 64;
/// Mails that are sent at once.
const AT_ONCE: usize = 4;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The SMTP server, as its URL was written. The URL may hold a password, so it never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Server(Url);

impl Server {
    /// Reads `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS, port 587) or `smtps://…` (TLS from the first byte, port 465); user
    /// and password may be left out. Mail carries links that let people in, so it leaves the machine encrypted: `?tls=none`
    /// (port 25) is for a network that is trusted. On the machine itself no TLS is asked for unless `?tls=required` is.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| format!("it is no address: {error}"))?;
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return Err("it must begin with smtp:// or smtps://".into());
        }
        let is_local = match url.host() {
            // A scheme that browsers do not know leaves IPv4 addresses unread.
            Some(Host::Domain(name)) => name == "localhost" || name.starts_with("127.") && is_ipv4(name),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err("it names no host, as smtp://mail.example.org does".into()),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("it must end after the host and port, or with ?tls=required or ?tls=none".into());
        }
        if url.username().is_empty() != url.password().is_none() {
            return Err("a user and a password belong together, as in smtp://USER:PASSWORD@HOST".into());
        }
        let encrypted = match (url.scheme(), url.query()) {
            (_, Some("tls=required")) | ("smtps", None) => true,
            ("smtp", Some("tls=none")) => false,
            ("smtp", None) => !is_local,
            _ => return Err("what follows ? must be tls=required, or with smtp:// tls=none".into()),
        };
        url.set_query(encrypted.then_some("tls=required"));
        let server = Self(url);
        server.transport(&ClientId::default()).map_err(|error| format!("it cannot be used: {error}"))?;
        Ok(server)
    }

    fn transport(&self, hello: &ClientId) -> Result<Transport, lettre::transport::smtp::Error> {
        let builder = Transport::from_url(self.0.as_str())?;
        Ok(builder.hello_name(hello.clone()).timeout(Some(LONGEST)).build())
    }
}

fn is_ipv4(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>().is_ok()
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server(…)")
    }
}

/// Whom mail is from: an address, with a name or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads `jeton@example.org` or `Jeton <jeton@example.org>`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = Mailbox::from_str(text).ok().filter(|_| !text.contains(char::is_control));
        let Mailbox { name, email } = read.ok_or("it must look like jeton@example.org or Jeton <jeton@example.org>")?;
        // A domain with other letters goes over the line in ASCII.
        let in_ascii = Email::known(email.as_ref()).ok().and_then(|known| known.as_str().parse().ok());
        Ok(Self(Mailbox { name, email: in_ascii.unwrap_or(email) }))
    }
}

/// What is needed to send mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The server that takes it.
    pub server: Server,
    /// Whom it is from.
    pub from: Sender,
}

/// A mail, in plain text.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Who gets it.
    pub to: Email,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Sends mail.
pub struct Mailer {
    from: Mailbox,
    queue: mpsc::UnboundedSender<Job>,
    places: Arc<Semaphore>,
}

/// A mail on its way.
struct Job {
    message: Message,
    request_id: String,
    done: oneshot::Sender<bool>,
    place: OwnedSemaphorePermit,
}

impl Mailer {
    /// Starts the thread that sends. It ends when this is dropped.
    ///
    /// # Errors
    /// When there can be no such thread.
    pub(super) fn start(settings: Settings) -> io::Result<Self> {
        let from = settings.from.0;
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let transport = settings.server.transport(&hello).map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (queue, jobs) = mpsc::unbounded_channel();
        std::thread::Builder::new().name("mail".into()).spawn(move || runtime.block_on(work(transport, jobs)))?;
        Ok(Self { from, queue, places: Arc::new(Semaphore::new(QUEUE as usize)) })
    }

    /// Queues a mail. The future tells whether the server has taken it; it need not be waited for, and dropping it changes
    /// nothing. What goes wrong is in the log under `request_id`.
    pub fn send(&self, mail: &Mail, request_id: &str) -> impl Future<Output = bool> + use<> {
        let (done, outcome) = oneshot::channel();
        match self.job(mail, request_id, done) {
            // The thread only ends with this mailer.
            Ok(job) => drop(self.queue.send(job)),
            Err(error) => tracing::error!(id = request_id, %error, "a mail could not be sent"),
        }
        async move { outcome.await.unwrap_or(false) }
    }

    fn job(&self, mail: &Mail, request_id: &str, done: oneshot::Sender<bool>) -> Result<Job, String> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| format!("{QUEUE} others are waiting already"))?;
        let message = self.message(mail).map_err(|error| error.to_string())?;
        Ok(Job { message, request_id: request_id.to_owned(), done, place })
    }

    /// The message as it goes over the line. Addresses are read again by the rules of mail, and the subject is one line and
    /// encoded, so that nothing in them can end a header and begin another (G4).
    fn message(&self, mail: &Mail) -> Result<Message, Box<dyn std::error::Error>> {
        let to = Address::from_str(mail.to.as_str())?;
        let subject: String = mail.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // No out-of-office note answers to this (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(subject)
            .message_id(Some(format!("<{}@{}>", random::code(), self.from.email.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".into()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())?;
        Ok(message)
    }

    /// Waits until everything that was queued is sent or given up, as before a stop.
    pub(super) async fn finish(&self) {
        // Nothing takes longer than that; whatever does is not worth waiting for.
        drop(tokio::time::timeout(LONGEST, self.places.acquire_many(QUEUE)).await);
    }
}

async fn work(transport: Transport, mut jobs: mpsc::UnboundedReceiver<Job>) {
    stream::poll_fn(|context| jobs.poll_recv(context))
        .for_each_concurrent(AT_ONCE, |job| deliver(&transport, job))
        .await;
}

async fn deliver(transport: &Transport, job: Job) {
    let Job { message, request_id, done, place } = job;
    let sent = match tokio::time::timeout(LONGEST, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it took longer than {} s", LONGEST.as_secs())),
    };
    if let Err(error) = &sent {
        tracing::error!(id = request_id, %error, "a mail could not be sent");
    }
    drop(place);
    // Whoever asked may not be waiting.
    done.send(sent.is_ok()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_leaves_the_machine_encrypted_unless_somebody_says_otherwise() {
        let as_used = |text: &str| Server::parse(text).map(|server| server.0.to_string()).unwrap();
        for encrypted in ["smtp://mail.example.org", "smtp://ann:secret@10.0.0.2:2525", "smtp://127.evil.example.org"] {
            assert_eq!(as_used(encrypted), format!("{encrypted}?tls=required"));
        }
        for plain in ["smtp://localhost:1025", "smtp://127.0.0.1:1025", "smtp://[::1]"] {
            assert_eq!(as_used(plain), plain);
        }
        assert_eq!(as_used("smtp://mail.example.org?tls=none"), "smtp://mail.example.org");
        assert_eq!(as_used("smtp://localhost?tls=required"), "smtp://localhost?tls=required");
        assert_eq!(as_used("smtps://ann:secret@mail.example.org"), "smtps://ann:secret@mail.example.org?tls=required");
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_the_password_kept_to_itself() {
        for wrong in [
            "",
            "mail.example.org",
            "http://ann:secret@mail.example.org",
            "smtp://",
            "smtp:///path",
            "smtp://ann@mail.example.org",
            "smtp://:secret@mail.example.org",
            "smtp://ann:secret@mail.example.org:port",
            "smtp://ann:secret@mail.example.org/inbox",
            "smtp://ann:secret@mail.example.org?tls=opportunistic",
            "smtp://ann:secret@mail.example.org?tls=required&tls=none",
            "smtps://ann:secret@mail.example.org?tls=none",
            "smtp://ann:%ff@mail.example.org",
        ] {
            let said = Server::parse(wrong).unwrap_err();
            assert!(!said.contains("secret"), "{wrong}: {said}");
        }
        let server = Server::parse("smtp://ann:secret@mail.example.org").unwrap();
        assert!(!format!("{server:?}").contains("secret"));
        for wrong in ["", "jeton", "Jeton", "jeton@", "a@b\nBcc: eve@example.org"] {
            assert!(Sender::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Sender::parse("Jeton, Sahel <jeton@example.org>").is_err());
        assert!(Sender::parse("Jeton à Gao <jeton@example.org>").is_ok());
    }
}
