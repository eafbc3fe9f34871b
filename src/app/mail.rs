//! Mail through the configured SMTP server. Without one, Jeton sends no mail, and pages say what to do instead.
//!
//! Mail never delays an answer or makes it fail: it is queued ([`Mailer`]), and a separate thread sends it. Mail that
//! could not be sent is logged under the id of its request; callers that need the result wait for [`Sending::fate`].
//! The caller provides the text, as texts belong to the pages.

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

/// The timeout for sending one mail, from connecting to the server's last reply. lettre's own timeout only covers
/// single operations.
const LONGEST: Duration = Duration::from_secs(10);

/// Subject and text of a mail.
pub type Words = (String, String);

/// The sender of mail: an address, with or without a name.
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
        // An internationalized domain is sent in ASCII.
        let in_ascii = Email::known(email.as_ref()).ok().and_then(|known| known.as_str().parse().ok());
        Ok(Self(Mailbox { name, email: in_ascii.unwrap_or(email) }))
    }
}

/// The configuration of mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The SMTP server.
    pub server: Server,
    /// The sender.
    pub from: Sender,
}

/// A mail, in plain text.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The recipient.
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
