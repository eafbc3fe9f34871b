//! `jeton clock …`: what whoever runs the server says of its clock.

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
    /// Say that the clock is right at this moment, so that a server that does not believe it goes on
    ///
    /// Look at it first (date -u; on Postgres the one of its machine). It is written down in the activity log.
    Confirm {
        #[command(flatten)]
        common: Common,
    },
}

impl ClockCommand {
    /// Does it.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub async fn run(self) -> Outcome {
        let Self::Confirm { common } = self;
        let (jeton, as_json) = common.open()?;
        let now = app::operator::confirm_clock(&jeton, Operator::at_the_command_line()).await.map_err(why)?.rfc3339();
        let words = format!("It is {now}. Jeton goes by this clock from now on.");
        tell(as_json, &json!({ "now": now }), &words)
    }
}
