//! `jeton backup` and `jeton restore`.

use super::{
    Outcome,
    operate::{Common, tell},
};
use app::{
    backups::{self, Order, Tokens},
    clock::Clock,
    operator::Operator,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// `jeton backup FILE`
#[derive(Args, Debug)]
pub struct Backup {
    /// The file to create, which must not exist
    file: PathBuf,
    /// Leave out the pepper, without which nobody can use the backup: keep it elsewhere
    #[arg(long)]
    without_pepper: bool,
    #[command(flatten)]
    common: Common,
}

/// `jeton restore FILE`
#[derive(Args, Debug)]
pub struct Restore {
    /// The backup
    file: PathBuf,
    /// Keep an existing database under another name beside the new one; tokens that have ended in it are revoked
    #[arg(long)]
    replace: bool,
    /// Revoke every token in the backup: new ones must be created
    #[arg(long, conflicts_with = "keep_tokens")]
    revoke_all: bool,
    /// Keep every token in the backup active, even those that were revoked after the backup
    #[arg(long)]
    keep_tokens: bool,
    #[command(flatten)]
    common: Common,
}

impl Backup {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub fn run(self) -> Outcome {
        let Self { file, without_pepper, common } = self;
        let (data, as_json) = common.check()?;
        let (operator, now) = (Operator::at_the_command_line(), Clock::system().now());
        let size = backups::make(operator, &data.database, &data.data_dir, &file, !without_pepper, now)?;
        let place = file.display();
        let secret = match without_pepper {
            true => "It is useless without the pepper, which it does not contain.",
            false => "It contains the pepper: keep it as secret as the data folder.",
        };
        let done = json!({ "file": file, "bytes": size, "made_at": now.rfc3339(), "has_pepper": !without_pepper });
        tell(as_json, &done, &format!("{place} is a complete backup ({size} bytes). {secret}"))
    }
}

impl Restore {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub fn run(self) -> Outcome {
        let Self { file, replace, revoke_all, keep_tokens, common } = self;
        let (data, as_json) = common.check()?;
        let tokens = match (revoke_all, keep_tokens) {
            (true, _) => Tokens::RevokeAll,
            (false, true) => Tokens::KeepAll,
            (false, false) => Tokens::AsReplaced,
        };
        let order = Order { database: &data.database, folder: &data.data_dir, file: &file, replace, tokens };
        let done = backups::restore(Operator::at_the_command_line(), &order, Clock::system().now())?;
        let revoked = match done.revoked {
            0 => "No key was revoked.".to_owned(),
            1 => "1 key was revoked.".to_owned(),
            count => format!("{count} keys were revoked."),
        };
        let set_aside = done.set_aside.as_ref();
        let before =
            set_aside.map(|path| format!(" The previous database is now {}.", path.display())).unwrap_or_default();
        let words = format!(
            "The backup of {} is in place.{before} {revoked} Everybody is signed out.\nPeople, passwords and permissions \
             are those of the backup: repeat every removal of access since then. Then start jeton serve.",
            done.made_at
        );
        let json = json!({ "made_at": done.made_at, "revoked": done.revoked, "replaced": set_aside });
        tell(as_json, &json, &words)
    }
}
