//! `jeton freshness`: for how long nodes may answer from memory.

use super::{
    Outcome,
    operate::{Common, tell, why},
};
use app::operator::Operator;
use clap::Args;
use serde_json::json;

/// `jeton freshness`
#[derive(Args, Debug)]
pub struct FreshnessCommand {
    /// The new bound, from 0 to 1000 milliseconds, for all nodes; without it, the present one is shown
    #[arg(value_parser = clap::value_parser!(u16).range(0..=1000))]
    milliseconds: Option<u16>,
    #[command(flatten)]
    common: Common,
}

impl FreshnessCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub async fn run(self) -> Outcome {
        let (jeton, as_json) = self.common.open()?;
        if let Some(new) = self.milliseconds {
            app::operator::set_freshness(&jeton, new, Operator::at_the_command_line()).await.map_err(why)?;
        }
        let bound = app::operator::freshness(&jeton, Operator::at_the_command_line()).await.map_err(why)?;
        let words = match bound {
            0 => "Nodes ask the database for each request.".to_owned(),
            bound => format!("Nodes answer from memory for up to {bound} ms before they ask the database."),
        };
        tell(as_json, &json!({ "milliseconds": bound }), &words)
    }
}
