//! What the commands for whoever runs the server have in common. They go through the same verbs as pages do, and take
//! effect on a running server at once: its next answer about a token needs an epoch that it reads after this.

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

/// Where to work, and in which form to answer.
#[derive(Args, Debug)]
pub struct Common {
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataOptions,
}

impl Common {
    /// Where to work, and whether to answer in JSON.
    pub(super) fn check(self) -> Result<(DataConfig, bool), ConfigError> {
        Ok((self.data.check()?, self.json))
    }

    /// Opens what is there, to change it, and says whether to answer in JSON.
    pub(super) fn open(self) -> Result<(Jeton, bool), Box<dyn Error>> {
        let (DataConfig { database, data_dir }, as_json) = self.check()?;
        let clock = Clock::system();
        let settings = Settings { database, data_dir, clock, is_demo: false, mail: None, github_keys: None };
        Ok((Jeton::open_existing(settings)?, as_json))
    }

    /// Opens what is there, to look at it.
    pub(super) fn read(self) -> Result<(Records, bool), Box<dyn Error>> {
        let (data, as_json) = self.check()?;
        Ok((Records::open(Operator::at_the_command_line(), &data.database, &Clock::system())?, as_json))
    }
}

/// Prints rows: a line each, or one JSON array. `nothing` is said instead of no line.
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

/// Why a command did not do what was asked. What is wrong with a text is said in the words of the pages.
pub(super) fn why(error: AppError) -> String {
    let AppError::Invalid(problems) = error else { return error.to_string() };
    let words = |(field, problem): (Field, Problem)| match (field, problem) {
        (Field::Email, Problem::NotAChoice) => "no user has this e-mail address".to_owned(),
        (Field::Form, Problem::LastInstallationAdmin) => {
            "nobody would be left who administers the installation; jeton user promote names somebody else".to_owned()
        }
        (Field::Organization, Problem::NotAChoice) => "no organization has this slug".to_owned(),
        (Field::Person, Problem::NotAChoice) => "they do not belong to this organization".to_owned(),
        (Field::PermissionSet, Problem::NotAChoice) => {
            "the organization has no permission set with this name; jeton org list shows which it has".to_owned()
        }
        (Field::Name, Problem::Text(TextError::Empty)) => "the name is empty".to_owned(),
        (field, problem) => Texts(Language::En).problem(field, problem),
    };
    problems.iter().map(words).collect::<Vec<_>>().join(" ")
}
