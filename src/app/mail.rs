//! Mail through the SMTP server of the configuration. Without one Jeton sends no mail, and pages say what to do instead.
//!
//! Mail never holds up an answer or makes it fail: it is queued ([`Mailer`]), and a thread of its own sends it. What
//! could not be sent is in the log under the id of its request; whoever needs to know waits for [`Sending::fate`]. The
//! words come from the caller, since texts belong to the pages.

mod queue;
mod server;

pub use queue::send;
pub(crate) use queue::sweep;
pub use queue::{Fate, Mailer, Sending};
pub(crate) use queue::{Posted, address};

use domain::user::Email;
use lettre::message::Mailbox;
pub use server::Server;
use std::{str::FromStr, time::Duration};

/// How long sending one mail may take, from the connection to the server's last word. lettre's own limit is for the
/// connection alone.
const LONGEST: Duration = Duration::from_secs(10);

/// Subject and text of a mail.
pub type Words = (String, String);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_a_name_or_without() {
        for wrong in ["", "jeton", "Jeton", "jeton@", "a@b\nBcc: eve@example.org"] {
            assert!(Sender::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Sender::parse("Jeton, Sahel <jeton@example.org>").is_err());
        assert!(Sender::parse("Jeton à Gao <jeton@example.org>").is_ok());
    }
}
