//! The SMTP server, as its URL describes it.

use super::LONGEST;
use domain::percent::{self, RESERVED};
use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    transport::smtp::{
        Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use std::{fmt, net::IpAddr};
use url::{Host, Url};

/// The transport that sends mail.
pub type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The SMTP server. It includes the password, so its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, and no mail without it.
    StartTls,
    None,
}

impl Server {
    /// Reads `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS, port 587) or `smtps://…` (TLS from the first byte, port 465);
    /// user and password are optional. Mail has links that give access to accounts, so it leaves the machine only
    /// encrypted: `?tls=none` (port 25) is for a trusted network. For a server on the same machine, TLS is off unless
    /// the URL has `?tls=required`.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        if rest.split_once(['/', '?', '#']).is_some_and(|(_, behind)| behind.contains('@')) {
            return Err(RESERVED.into());
        }
        let url = Url::parse(text).map_err(|error| format!("it is not a valid URL: {error}"))?;
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return Err("it must begin with smtp:// or smtps://".into());
        }
        let host = read_host(&url)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("it must end after the host and port, or with ?tls=required or ?tls=none".into());
        }
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => Some((percent::decode(user)?, percent::decode(password)?)),
            _ => return Err("it needs both a user and a password, or neither, as in smtp://USER:PASSWORD@HOST".into()),
        };
        let encryption = match (url.scheme(), wanted_tls(&url)?) {
            ("smtps", None | Some(true)) => Encryption::Tls,
            ("smtps", _) => return Err("smtps:// uses TLS from the first byte: leave out tls=none".into()),
            (_, None) if is_local(&host) => Encryption::None,
            (_, None | Some(true)) => Encryption::StartTls,
            (_, Some(false)) => Encryption::None,
        };
        let usual = match encryption {
            Encryption::Tls => SUBMISSIONS_PORT,
            Encryption::StartTls => SUBMISSION_PORT,
            Encryption::None => SMTP_PORT,
        };
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            // Without the brackets of the URL, as DNS and certificates have it.
            Host::Ipv6(address) => address.to_string(),
        };
        let server = Self { host, port: url.port().unwrap_or(usual), encryption, login };
        server.transport(&ClientId::default()).map_err(|error| format!("it cannot be used: {error}"))?;
        Ok(server)
    }

    /// Creates a transport that introduces itself by this name.
    ///
    /// # Errors
    /// When TLS to this host is not possible.
    pub(super) fn transport(&self, hello: &ClientId) -> Result<Transport, Error> {
        let tls = || TlsParameters::new(self.host.clone());
        let mut builder = Transport::builder_dangerous(&self.host).port(self.port).tls(match self.encryption {
            Encryption::Tls => Tls::Wrapper(tls()?),
            Encryption::StartTls => Tls::Required(tls()?),
            Encryption::None => Tls::None,
        });
        if let Some((user, password)) = &self.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(builder.hello_name(hello.clone()).timeout(Some(LONGEST)).build())
    }
}

/// Normalizes the host as in a web address: the URL parser leaves the host of an unknown scheme as it was written.
fn read_host(url: &Url) -> Result<Host, String> {
    match url.host() {
        Some(Host::Domain(name)) => Host::parse(name).map_err(|error| format!("its host is not valid: {error}")),
        Some(host) => Ok(host.to_owned()),
        None => Err("it has no host, as in smtp://mail.example.org".into()),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).to_canonical().is_loopback(),
    }
}

/// Returns whether the URL requires or refuses TLS, if it says so.
fn wanted_tls(url: &Url) -> Result<Option<bool>, String> {
    let mut wanted = None;
    for (name, value) in url.query_pairs() {
        if name != "tls" {
            return Err(format!("it has an unknown parameter {name:?}; the only one is tls"));
        }
        let said = match &*value {
            "required" => true,
            "none" => false,
            _ => return Err("tls must be required, or, with smtp://, none".into()),
        };
        if wanted.replace(said).is_some_and(|before| before != said) {
            return Err("it has two different values for tls".into());
        }
    }
    Ok(wanted)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u16, Encryption) {
        let Server { host, port, encryption, .. } = Server::parse(text).expect(text);
        (host, port, encryption)
    }

    #[test]
    fn mail_is_encrypted_unless_configured_otherwise() {
        for (text, host, port, encryption) in [
            ("smtp://mail.example.org", "mail.example.org", 587, Encryption::StartTls),
            ("smtp://ann:secret@10.0.0.2:2525/", "10.0.0.2", 2525, Encryption::StartTls),
            ("smtp://127.evil.example.org", "127.evil.example.org", 587, Encryption::StartTls),
            ("smtp://MAIL.Exämple.org:", "mail.xn--exmple-cua.org", 587, Encryption::StartTls),
            ("smtp://[2001:DB8:0:0::7]", "2001:db8::7", 587, Encryption::StartTls),
            ("smtps://ann:secret@mail.example.org", "mail.example.org", 465, Encryption::Tls),
            ("smtps://mail.example.org:2465?tls=required", "mail.example.org", 2465, Encryption::Tls),
            ("smtp://mail.example.org?tls=none", "mail.example.org", 25, Encryption::None),
            ("smtp://localhost?tls=required", "localhost", 587, Encryption::StartTls),
            ("smtp://LOCALHOST:1025", "localhost", 1025, Encryption::None),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Encryption::None),
            ("smtp://[::1]", "::1", 25, Encryption::None),
            ("smtp://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", 25, Encryption::None),
        ] {
            assert_eq!(read(text), (host.to_owned(), port, encryption), "{text}");
        }
    }

    #[test]
    fn a_login_is_decoded() {
        for (login, user, password) in [
            ("ann:secret", "ann", "secret"),
            ("ann%40example.org:%2F%3F%23%25%3A", "ann@example.org", "/?#%:"),
            ("ann@example.org:se:cr@t é", "ann@example.org", "se:cr@t é"),
        ] {
            let server = Server::parse(&format!("smtp://{login}@mail.example.org")).expect(login);
            assert_eq!(server.login, Some((user.into(), password.into())), "{login}");
        }
    }

    #[test]
    fn an_invalid_address_is_refused_without_printing_its_password() {
        for wrong in [
            "",
            "mail.example.org",
            "http://ann:secret@mail.example.org",
            "smtp://",
            "smtp:///path",
            "smtp://ann@mail.example.org",
            "smtp://:secret@mail.example.org",
            "smtp://ann:secret",
            "smtp://ann:secret@mail.example.org:port",
            "smtp://ann:secret@mail.example.org:99999",
            "smtp://ann:secret@mail.example.org/inbox",
            "smtp://ann:secret@mail.example.org#tls=none",
            "smtp://ann:secret@[::1",
            "smtp://ann:secret@exa mple.org",
            "smtp://ann:secret@mail.example.org?tls=opportunistic",
            "smtp://ann:secret@mail.example.org?tls=required&tls=none",
            "smtps://ann:secret@mail.example.org?tls=none",
            "smtp://ann:%ffsecret@mail.example.org",
            "smtp://ann:secret%@mail.example.org",
        ] {
            let said = Server::parse(wrong).expect_err(wrong);
            assert!(!said.contains("secret"), "{wrong}: {said}");
        }
        for wrong in ["smtp://ann:1/secret@mail.example.org", "smtp://ann:1?x@y@mail.example.org", "smtps://a:1#x@host"]
        {
            assert_eq!(Server::parse(wrong).expect_err(wrong), RESERVED);
        }
        let unknown = Server::parse("smtp://ann:secret@mail.example.org?starttls=true").expect_err("an unknown one");
        assert!(unknown.contains("starttls") && !unknown.contains("secret"), "{unknown}");
        let server = Server::parse("smtp://ann:secret@mail.example.org").expect("an address");
        assert!(!format!("{server:?}").contains("secret"));
    }
}
