//! Mail through the SMTP server of the configuration. Without one Jeton sends no mail, and pages say what to do instead.
//!
//! Mail never holds up an answer or makes it fail: it is queued ([`Mailer`]), and a thread of its own sends it. What
//! could not be sent is in the log under the id of its request; whoever needs to know waits for [`Sending::fate`]. The
//! words come from the caller, since texts belong to the pages.

mod queue;
mod seal;

pub use queue::{Fate, Mailer, Sending};
pub(in crate::app) use queue::{Posted, address};

use crate::domain::user::Email;
use lettre::{AsyncSmtpTransport, Tokio1Executor, message::Mailbox, transport::smtp::extension::ClientId};
use std::{str::FromStr, time::Duration};
use url::{Host, Url};

/// How long sending one mail may take, from the connection to the server's last word. lettre's own limit is for the
/// connection alone.
const LONGEST: Duration = Duration::from_secs(10);

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
        read.map(Self).ok_or_else(|| "it must look like jeton@example.org or Jeton <jeton@example.org>".into())
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
