//! What the commands for whoever runs the server have in common. They go through the same verbs as pages do, and take effect
//! on a running server at once: its next answer about a token needs an epoch that it reads after this.

use super::{Outcome, open, say};
use crate::{
    app::{
        AppError, Jeton,
        problem::{Field, Problem},
    },
    config::DataOptions,
    domain::{text::TextError, user::Language},
    web::texts::Texts,
};
use clap::Args;
use serde_json::Value;

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
    /// Opens what is there, and says whether to answer in JSON.
    pub(super) fn open(self) -> Result<(Jeton, bool), Box<dyn std::error::Error>> {
        Ok((open(&self.data.check()?, false, None, None)?, self.json))
    }
}

/// Prints rows: a line each, or one JSON array.
pub(super) fn print(as_json: bool, rows: Vec<String>) -> Outcome {
    if as_json || !rows.is_empty() {
        say(&if as_json { format!("[{}]", rows.join(",")) } else { rows.join("\n") })?;
    }
    Ok(())
}

/// Prints what was done.
pub(super) fn tell(as_json: bool, json: &Value, words: &str) -> Outcome {
    say(&if as_json { json.to_string() } else { words.to_owned() })?;
    Ok(())
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
