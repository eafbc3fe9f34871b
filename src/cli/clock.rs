//! `jeton clock …`: the operator's confirmation of the server's clock.

use super::{
    Outcome,
    operate::{Common, tell, why},
};
use app::operator::Operator;
use clap::Subcommand;
use serde_json::json;

/// `jeton clock …`
#[derive(Subcommand, Debug)]
pub enum ClockCommand {
    /// Confirm that the clock is right now, so that a server that does not trust it continues
    ///
    /// Check it first (date -u; with Postgres, on the database's machine). The activity log records the confirmation.
    Confirm {
        #[command(flatten)]
        common: Common,
    },
}

impl ClockCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub async fn run(self) -> Outcome {
        let Self::Confirm { common } = self;
        let (jeton, as_json) = common.open()?;
        let now = app::operator::confirm_clock(&jeton, Operator::at_the_command_line()).await.map_err(why)?.rfc3339();
        let words = format!("It is {now}. Jeton uses this clock from now on.");
        tell(as_json, &json!({ "now": now }), &words)
    }
}
