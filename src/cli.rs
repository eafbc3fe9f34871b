//! The commands.

mod activity;
mod backups;
mod clock;
mod freshness;
mod operate;
mod organizations;
mod tokens;
mod users;

use crate::config::{self, Config, DataConfig, Options};
use activity::ActivityCommand;
use app::{Jeton, StartError, clock::Clock, demo, log};
use backups::{Backup, Restore};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clock::ClockCommand;
use freshness::FreshnessCommand;
use organizations::OrganizationCommand;
use std::{
    error::Error,
    io::{ErrorKind, Write},
};
use storage::DatabaseUrl;
use tokens::TokenCommand;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use users::UserCommand;
use web::routes::path;

/// API tokens for people and organizations, and exact answers about them
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Serve (the default without a command)
    Serve {
        #[command(flatten)]
        options: Options,
    },
    /// Serve a new demonstration with people, tokens and history, in a folder that is deleted when it stops
    ///
    /// The folder is created in --data-dir, or in the folder for temporary files. A database that --database-url names
    /// must be empty, and is kept. No mail is sent.
    Demo {
        /// Print one line of JSON first: url, users, and live keys for scripts
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        options: Options,
    },
    /// List, add and deactivate users, or help a user who has forgotten their password; also while the server runs
    #[command(subcommand)]
    User(UserCommand),
    /// List, create and rename organizations; also while the server runs
    #[command(subcommand)]
    Org(OrganizationCommand),
    /// List active tokens, or revoke them immediately; also while the server runs
    #[command(subcommand)]
    Token(TokenCommand),
    /// List entries of the activity log, or verify that none was tampered with; also while the server runs
    #[command(subcommand)]
    Activity(ActivityCommand),
    /// Confirm that the server's clock is right when Jeton does not trust it; also while the server runs
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Show or set for how long nodes may answer from memory before they ask the database; also while the server runs
    ///
    /// A node answers from memory for at most this long before it asks the database again what has changed. A
    /// revocation is answered only a little later than that, so that no node accepts the token any more. With 0, each
    /// request waits for the database, and revocations do not wait.
    Freshness(FreshnessCommand),
    /// Back up everything to one new file, also while the server runs (SQLite; for Postgres use pg_dump)
    Backup(Backup),
    /// Replace the database with a backup, while the server is stopped
    Restore(Restore),
}

impl Cli {
    /// Reads the command line and the environment. Ends the process if they are invalid, or if help is requested.
    pub fn read() -> Self {
        let given = config::without_empty_variables(Self::command()).get_matches();
        Self::from_arg_matches(&given).unwrap_or_else(|error| error.exit())
    }
}

type Outcome = Result<(), Box<dyn Error>>;

/// Runs the command until it is done or stopped.
///
/// # Errors
/// A message for the user when it cannot start or continue.
pub async fn run(cli: Cli) -> Outcome {
    match cli.command {
        None => serve(cli.options.check()?).await,
        Some(Command::Serve { options }) => serve(options.check()?).await,
        Some(Command::Demo { json, options }) => demonstrate(options, json).await,
        Some(Command::User(command)) => command.run().await,
        Some(Command::Org(command)) => command.run().await,
        Some(Command::Token(command)) => command.run().await,
        Some(Command::Activity(command)) => command.run().await,
        Some(Command::Clock(command)) => command.run().await,
        Some(Command::Freshness(command)) => command.run().await,
        Some(Command::Backup(command)) => command.run(),
        Some(Command::Restore(command)) => command.run(),
    }
}

async fn serve(config: Config) -> Outcome {
    let jeton = Jeton::open(settings(&config))?;
    if jeton.is_demo() {
        tracing::warn!("this database is a demonstration; its pages say so");
    }
    if let Err(untrusted) = jeton.clock().trusted() {
        tracing::error!("{untrusted}");
    }
    let needs_setup = app::setup::is_needed(&jeton).await?;
    let server = bind(jeton, &config)?;
    say(&format!("Jeton {} serves {}", env!("CARGO_PKG_VERSION"), server.url.0))?;
    if let Some(address) = server.verify_address {
        say(&format!("Programs are served at http://{address}"))?;
    }
    if needs_setup {
        let link = format!("{}{}", server.url.0, path::setup(app::setup::code(&server.jeton())));
        say(&format!("There is no user yet. Set up the first one here, once:\n\n    {link}\n"))?;
    }
    Ok(server.run().await?)
}

async fn demonstrate(options: Options, json: bool) -> Outcome {
    let (parent, has_database) = (options.data().folder(), options.data().names_database());
    let config = options.check()?;
    // Use a new folder, so that a demonstration never touches real data; a database that was named must be empty.
    let folder = demo::Folder::create(parent)?;
    let database =
        if has_database { config.data.database.clone() } else { DatabaseUrl::Sqlite(folder.path().join("jeton.db")) };
    if config.mail.is_some() || config.github_keys.is_some() {
        tracing::warn!(
            "a demonstration sends no mail and accepts no reports from GitHub, because its people are invented"
        );
    }
    let data_dir = folder.path().to_owned();
    let settings =
        app::Settings { database, data_dir, is_demo: true, mail: None, github_keys: None, ..settings(&config) };
    let jeton = match Jeton::open(settings) {
        // The database belongs to another pepper, so it is not empty.
        Err(StartError::Pepper(_)) => return Err(demo::NOT_EMPTY.into()),
        opened => opened?,
    };
    let keys = app::demo::fill(&jeton).await?;
    let server = bind(jeton, &config)?;
    if json {
        say(&keys.json(&server.url.0).to_string())?;
    } else {
        say(&keys.words(&server.url.0))?;
    }
    Ok(server.run().await?)
}

fn settings(config: &Config) -> app::Settings {
    let DataConfig { database, data_dir } = config.data.clone();
    app::Settings {
        database,
        data_dir,
        clock: Clock::system(),
        is_demo: false,
        mail: config.mail.clone(),
        github_keys: config.github_keys.clone(),
        requests_per_minute: config.requests_per_minute,
    }
}

fn bind(jeton: Jeton, config: &Config) -> Result<web::Server, String> {
    web::bind(jeton, &config.web).map_err(|error| error.to_string())
}

/// Prints to standard output; logs go to standard error. If the reader has closed its end, as `head` does, that is not
/// an error.
fn say(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Log filters for events that strangers cause in libraries: malformed requests, which are counted instead.
const UNHEARD: &str = "actix_http=off,actix_server=warn";

/// Sends logs to standard error, at the level of `JETON_LOG` (default `info`). Events that strangers cause are logged
/// only above that level.
pub fn start_logging() {
    let asked = config::variable("JETON_LOG").filter(|asked| EnvFilter::try_new(asked).is_ok());
    let asked = asked.unwrap_or_else(|| "info".into());
    let filter = EnvFilter::new(&asked);
    let hears_all = filter.max_level_hint().is_some_and(|most| most > LevelFilter::INFO);
    log::start(if hears_all { filter } else { EnvFilter::new(format!("{UNHEARD},{asked}")) });
}
