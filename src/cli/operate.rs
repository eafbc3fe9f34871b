//! What the operator's commands have in common. They use the same verbs as the pages, and take effect on a running
//! server immediately: its next answer about a token needs an epoch that it reads afterwards.

use super::{Outcome, say};
use crate::config::{ConfigError, DataConfig, DataOptions};
use app::{
    AppError, Jeton, Settings,
    clock::Clock,
    operator::{Operator, Records},
    problem::{Field, Problem},
};
use clap::Args;
use domain::{text::TextError, user::Language};
use serde_json::Value;
use std::error::Error;
use web::texts::Texts;

/// Which data to use, and the output format.
#[derive(Args, Debug)]
pub struct Common {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataOptions,
}

impl Common {
    /// Checks the options. Returns which data to use, and whether to print JSON.
    pub(super) fn check(self) -> Result<(DataConfig, bool), ConfigError> {
        Ok((self.data.check()?, self.json))
    }

    /// Opens existing data for changes. Returns it, and whether to print JSON.
    pub(super) fn open(self) -> Result<(Jeton, bool), Box<dyn Error>> {
        let (DataConfig { database, data_dir }, as_json) = self.check()?;
        let clock = Clock::system();
        let settings = Settings {
            database,
            data_dir,
            clock,
            is_demo: false,
            mail: None,
            github_keys: None,
            requests_per_minute: None,
        };
        Ok((Jeton::open_existing(settings)?, as_json))
    }

    /// Opens existing data for reading.
    pub(super) fn read(self) -> Result<(Records, bool), Box<dyn Error>> {
        let (data, as_json) = self.check()?;
        Ok((Records::open(Operator::at_the_command_line(), &data.database, &Clock::system())?, as_json))
    }
}

/// Prints rows: one line each, or one JSON array. `nothing` is printed if there are none.
pub(super) fn print(as_json: bool, rows: &[String], nothing: &str) -> Outcome {
    match rows {
        _ if as_json => say(&format!("[{}]", rows.join(","))),
        [] => say(nothing),
        _ => say(&rows.join("\n")),
    }
}

/// Prints what was done.
pub(super) fn tell(as_json: bool, json: &Value, words: &str) -> Outcome {
    say(&if as_json { json.to_string() } else { words.to_owned() })
}

/// Explains why a command failed. Problems of a typed text have the same words as on pages.
pub(super) fn why(error: AppError) -> String {
    let AppError::Invalid(problems) = error else { return error.to_string() };
    let words = |(field, problem): (Field, Problem)| match (field, problem) {
        (Field::Email, Problem::NotAChoice) => "no user has this e-mail address".to_owned(),
        (Field::Form, Problem::LastInstallationAdmin) => {
            "the installation needs at least one administrator; use jeton user promote to add somebody else".to_owned()
        }
        (Field::Organization, Problem::NotAChoice) => "no organization has this slug".to_owned(),
        (Field::Person, Problem::NotAChoice) => "this user does not belong to this organization".to_owned(),
        (Field::PermissionSet, Problem::NotAChoice) => {
            "the organization has no permission set with this name; jeton org list shows those that it has".to_owned()
        }
        (Field::Name, Problem::Text(TextError::Empty)) => "the name is empty".to_owned(),
        (field, problem) => Texts(Language::En).problem(&[], field, problem),
    };
    problems.iter().map(words).collect::<Vec<_>>().join(" ")
}
