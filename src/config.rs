//! The configuration from flags and the environment. Nothing else reads either.

use app::mail;
use clap::{Args, Command, builder::Resettable};
use std::{ffi::OsStr, net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};
use storage::DatabaseUrl;
use web::{PublicUrl, source::TrustedProxies};

/// More requests than any program sends in a minute.
const MOST_REQUESTS: u32 = 100_000_000;

/// Returns an environment variable. An empty one counts as unset: compose and systemd files pass on variables that
/// nobody has set.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Makes options ignore an empty variable.
pub fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|option| if option.get_env().is_some_and(is_empty) { option.env(Resettable::Reset) } else { option })
        .mut_subcommands(without_empty_variables)
}

/// The location of the data, as configured.
#[derive(Args, Clone, Debug)]
pub struct DataOptions {
    /// Folder for the database and the pepper [default: data]
    #[arg(long, env = "JETON_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// postgres://… for Postgres, or sqlite:FILE [default: jeton.db in the data folder]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
}

/// The location of the data, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataConfig {
    /// The database.
    pub database: DatabaseUrl,
    /// The folder that contains the pepper.
    pub data_dir: PathBuf,
}

impl DataOptions {
    /// Returns the configured folder, if any.
    pub fn folder(&self) -> Option<PathBuf> {
        self.data_dir.clone()
    }

    /// Returns whether a database was configured.
    pub fn names_database(&self) -> bool {
        self.database_url.is_some()
    }

    /// Checks the URL.
    ///
    /// # Errors
    /// When the URL is not valid.
    pub fn check(self) -> Result<DataConfig, ConfigError> {
        let data_dir = self.data_dir.unwrap_or_else(|| "data".into());
        let database = match &self.database_url {
            None => DatabaseUrl::Sqlite(data_dir.join("jeton.db")),
            // The URL may hold a password, so it is not repeated.
            Some(url) => {
                let read = DatabaseUrl::parse_in(url, variable);
                read.map_err(|problem| wrong("DATABASE_URL", "--database-url", "…", &problem))?
            }
        };
        Ok(DataConfig { database, data_dir })
    }
}

/// All options, as configured. Each flag has an environment variable; the flag takes precedence.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    data: DataOptions,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "JETON_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: String,
    /// Address that people and programs use, such as `https://jeton.example.org` [default: the one listened on]
    #[arg(long, env = "JETON_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Reverse proxies whose X-Forwarded-For is trusted: comma-separated IP addresses and networks, such as
    /// 172.18.0.0/16
    #[arg(long, env = "JETON_TRUSTED_PROXIES", default_value = "", value_name = "ADDRESSES")]
    trusted_proxies: String,
    /// A second address and port, with threads of its own, for programs that verify tokens and for /metrics; do not
    /// expose it to the public
    #[arg(long, env = "JETON_VERIFY_LISTEN", value_name = "ADDRESS:PORT")]
    verify_listen: Option<String>,
    /// For how many seconds requests are still served after SIGTERM, while /readyz reports not ready [default: 0, and 5
    /// with trusted proxies]
    #[arg(long, env = "JETON_DRAIN_SECONDS", value_name = "SECONDS")]
    drain_seconds: Option<String>,
    /// Number of threads that serve requests, for each address [default: one per core]
    #[arg(long, env = "JETON_WORKERS", value_name = "NUMBER")]
    workers: Option<String>,
    /// Mail server: smtp://USER:PASSWORD@HOST:PORT or smtps://… [default: no mail is sent]
    #[arg(long, env = "JETON_SMTP_URL", hide_env_values = true, value_name = "URL")]
    smtp_url: Option<String>,
    /// Sender of mail: `jeton@example.org` or `Jeton <jeton@example.org>`
    #[arg(long, env = "JETON_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// File with GitHub's public keys, with which its reports of leaked keys are verified [default: none, so its
    /// reports count as unsigned]
    #[arg(long, env = "JETON_GITHUB_KEYS_FILE", value_name = "FILE")]
    github_keys_file: Option<PathBuf>,
    /// How many requests a token may send to Jeton's own API and to the feeds in a minute; 0 for no limit
    #[arg(long, env = "JETON_REQUESTS_PER_MINUTE", default_value = "60000", value_name = "NUMBER")]
    requests_per_minute: String,
}

/// The configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the data is.
    pub data: DataConfig,
    /// How the server is reached.
    pub web: web::Settings,
    /// How mail is sent, if at all.
    pub mail: Option<mail::Settings>,
    /// The file with GitHub's public keys, if there is one.
    pub github_keys: Option<PathBuf>,
    /// How many requests a token may send in a minute, if there is a limit.
    pub requests_per_minute: Option<NonZeroU32>,
}

/// An invalid value, with the names of its variable and flag.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} ({flag}) is {value:?}: {problem}")]
pub struct ConfigError {
    variable: &'static str,
    flag: &'static str,
    value: String,
    problem: String,
}

impl Options {
    /// Where the data is.
    pub fn data(&self) -> &DataOptions {
        &self.data
    }

    /// Checks everything.
    ///
    /// # Errors
    /// The first invalid value.
    pub fn check(self) -> Result<Config, ConfigError> {
        let listen = check_address("JETON_LISTEN", "--listen", &self.listen)?;
        let verify_listen = match &self.verify_listen {
            None => None,
            Some(text) => Some(check_address("JETON_VERIFY_LISTEN", "--verify-listen", text)?),
        };
        let data = self.data.check()?;
        let public_url = match &self.public_url {
            Some(url) => Some(PublicUrl::parse(url).map_err(|problem| {
                let shown = if url.contains('@') { "…" } else { url };
                wrong("JETON_PUBLIC_URL", "--public-url", shown, &problem)
            })?),
            None if [Some(listen), verify_listen].iter().flatten().all(|address| address.ip().is_loopback()) => None,
            None => {
                let problem = "it is required when Jeton listens on more than this machine's loopback: set it to the \
                    address that people use, such as https://jeton.example.org";
                return Err(wrong("JETON_PUBLIC_URL", "--public-url", "", problem));
            }
        };
        let trusted_proxies = TrustedProxies::parse(&self.trusted_proxies)
            .map_err(|problem| wrong("JETON_TRUSTED_PROXIES", "--trusted-proxies", &self.trusted_proxies, &problem))?;
        let workers = match &self.workers {
            None => None,
            Some(text) => match text.parse() {
                Ok(number @ 1..=512) => Some(number),
                _ => return Err(wrong("JETON_WORKERS", "--workers", text, "it must be a number from 1 to 512")),
            },
        };
        let mail = check_mail(self.smtp_url.as_deref(), self.mail_from.as_deref())?;
        let drain = match &self.drain_seconds {
            // An operator who stops a server in a terminal does not want to wait for a load balancer.
            None if trusted_proxies.is_empty() => Duration::ZERO,
            None => Duration::from_secs(5),
            Some(text) => match text.parse() {
                Ok(seconds @ 0..=600) => Duration::from_secs(seconds),
                _ => {
                    let problem = "it must be a number of seconds, up to 600";
                    return Err(wrong("JETON_DRAIN_SECONDS", "--drain-seconds", text, problem));
                }
            },
        };
        let requests_per_minute = match self.requests_per_minute.parse() {
            Ok(number @ 0..=MOST_REQUESTS) => NonZeroU32::new(number),
            _ => {
                let problem = "it must be a number from 0, which is no limit, to 100000000";
                let text = &self.requests_per_minute;
                return Err(wrong("JETON_REQUESTS_PER_MINUTE", "--requests-per-minute", text, problem));
            }
        };
        let web = web::Settings { listen, public_url, trusted_proxies, workers, verify_listen, drain };
        Ok(Config { data, web, mail, github_keys: self.github_keys_file, requests_per_minute })
    }
}

fn check_address(variable: &'static str, flag: &'static str, text: &str) -> Result<SocketAddr, ConfigError> {
    let problem = "it must be an IP address and a port, such as 127.0.0.1:8080";
    text.parse().map_err(|_| wrong(variable, flag, text, problem))
}

/// Both values are required, or neither: mail that somebody expects to be sent, and is not, helps nobody.
fn check_mail(url: Option<&str>, from: Option<&str>) -> Result<Option<mail::Settings>, ConfigError> {
    let bad_from = |from: &str, problem: &str| wrong("JETON_MAIL_FROM", "--mail-from", from, problem);
    // The URL may hold a password, so it is not repeated.
    let bad_url = |problem: &str| wrong("JETON_SMTP_URL", "--smtp-url", if url.is_some() { "…" } else { "" }, problem);
    match (url, from) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(bad_from("", "it is required with JETON_SMTP_URL: set it to the sender of mail")),
        (None, Some(_)) => Err(bad_url("it is required with JETON_MAIL_FROM: set it to the mail server")),
        (Some(url), Some(from)) => Ok(Some(mail::Settings {
            server: mail::Server::parse(url).map_err(|problem| bad_url(&problem))?,
            from: mail::Sender::parse(from).map_err(|problem| bad_from(from, &problem))?,
        })),
    }
}

fn wrong(variable: &'static str, flag: &'static str, value: &str, problem: &str) -> ConfigError {
    ConfigError { variable, flag, value: value.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            data: DataOptions { data_dir: None, database_url: None },
            listen: "127.0.0.1:8080".into(),
            public_url: None,
            trusted_proxies: String::new(),
            verify_listen: None,
            drain_seconds: None,
            workers: None,
            smtp_url: None,
            mail_from: None,
            github_keys_file: None,
            requests_per_minute: "60000".into(),
        }
    }

    #[test]
    fn nothing_needs_to_be_configured() {
        let config = options().check().unwrap();
        assert_eq!(config.data.database, DatabaseUrl::Sqlite("data/jeton.db".into()));
        assert_eq!(config.web.public_url, None);
        assert_eq!(config.web.drain, Duration::ZERO);
        assert_eq!(config.requests_per_minute, NonZeroU32::new(60_000));
        let unlimited = Options { requests_per_minute: "0".into(), ..options() };
        assert_eq!(unlimited.check().unwrap().requests_per_minute, None);
        let behind = Options { trusted_proxies: "127.0.0.1".into(), ..options() };
        assert_eq!(behind.check().unwrap().web.drain, Duration::from_secs(5));
    }

    #[test]
    fn wrong_values_are_named_and_no_password_is_printed() {
        let wrong = |change: fn(&mut Options)| {
            let mut options = options();
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        assert!(wrong(|o| o.listen = "localhost".into()).starts_with("JETON_LISTEN (--listen)"));
        assert!(wrong(|o| o.listen = "0.0.0.0:80".into()).starts_with("JETON_PUBLIC_URL"));
        assert!(wrong(|o| o.public_url = Some("jeton.example.org".into())).starts_with("JETON_PUBLIC_URL"));
        assert!(wrong(|o| o.trusted_proxies = "10.0.0.0/33".into()).starts_with("JETON_TRUSTED_PROXIES"));
        assert!(wrong(|o| o.verify_listen = Some("8081".into())).starts_with("JETON_VERIFY_LISTEN"));
        assert!(wrong(|o| o.verify_listen = Some("0.0.0.0:81".into())).starts_with("JETON_PUBLIC_URL"));
        assert!(wrong(|o| o.drain_seconds = Some("601".into())).starts_with("JETON_DRAIN_SECONDS"));
        assert!(wrong(|o| o.workers = Some("0".into())).starts_with("JETON_WORKERS"));
        assert!(wrong(|o| o.mail_from = Some("a@example.org".into())).starts_with("JETON_SMTP_URL (--smtp-url)"));
        assert!(wrong(|o| o.smtp_url = Some("smtp://localhost".into())).starts_with("JETON_MAIL_FROM (--mail-from)"));
        for number in ["-1", "many", "", "100000001"] {
            let options = Options { requests_per_minute: number.into(), ..options() };
            let problem = options.check().unwrap_err().to_string();
            assert!(problem.starts_with("JETON_REQUESTS_PER_MINUTE (--requests-per-minute)"), "{problem}");
        }
        let wrong_server = wrong(|o| {
            o.smtp_url = Some("smtp://ann:secret@mail.example.org?tls=maybe".into());
            o.mail_from = Some("a@example.org".into());
        });
        assert!(wrong_server.starts_with("JETON_SMTP_URL") && !wrong_server.contains("secret"), "{wrong_server}");
        let url = wrong(|o| o.data.database_url = Some("mysql://ann:secret@db/x".into()));
        assert!(url.starts_with("DATABASE_URL") && !url.contains("secret"));
    }
}
