//! `jeton org …`

use super::{
    Outcome,
    operate::{Common, print, tell, why},
};
use app::operator::{Operator, organizations::OrganizationFacts};
use clap::Subcommand;
use serde_json::{Value, json};

/// `jeton org …`
#[derive(Subcommand, Debug)]
pub enum OrganizationCommand {
    /// List all organizations: slug, id, name, seats in use and permission sets
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Create an organization
    Create {
        /// Its name
        name: String,
        /// The part of its addresses after /orgs/; derived from the name by default
        #[arg(long)]
        slug: Option<String>,
        /// The e-mail address of the user who becomes its administrator
        #[arg(long, value_name = "EMAIL")]
        administrator: String,
        #[command(flatten)]
        common: Common,
    },
    /// Give an organization another name
    Rename {
        /// Its slug, or one that it had before
        slug: String,
        /// The new name
        name: String,
        /// A new slug; the old one redirects to it from then on, and no other organization can take it
        #[arg(long = "slug", value_name = "NEW-SLUG")]
        new_slug: Option<String>,
        #[command(flatten)]
        common: Common,
    },
}

impl OrganizationCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub async fn run(self) -> Outcome {
        let operator = Operator::at_the_command_line();
        match self {
            Self::List { common } => {
                let (mut records, as_json) = common.read()?;
                let all = records.organizations()?;
                let row = |facts: &OrganizationFacts| if as_json { json(facts).to_string() } else { words(facts) };
                print(as_json, &all.iter().map(row).collect::<Vec<_>>(), "There is no organization yet.")
            }
            Self::Create { name, slug, administrator, common } => {
                let (jeton, as_json) = common.open()?;
                let made =
                    app::operator::create_organization_for(&jeton, operator, name.clone(), slug, &administrator).await;
                let made = made.map_err(|error| format!("{name}, {administrator}: {}", why(error)))?;
                let words = format!("{} is at /orgs/{}, and {administrator} administers it.", made.name, made.slug);
                let json = json!({
                    "id": made.public_id,
                    "slug": made.slug,
                    "name": made.name,
                    "administrator": administrator,
                });
                tell(as_json, &json, &words)
            }
            Self::Rename { slug, name, new_slug, common } => {
                let (jeton, as_json) = common.open()?;
                let renamed = app::operator::rename_organization(&jeton, operator, &slug, name, new_slug).await;
                let renamed = renamed.map_err(|error| format!("{slug}: {}", why(error)))?;
                let words = format!("{} is at /orgs/{}.", renamed.name, renamed.slug);
                let json = json!({ "id": renamed.public_id, "slug": renamed.slug, "name": renamed.name });
                tell(as_json, &json, &words)
            }
        }
    }
}

fn set_names(facts: &OrganizationFacts) -> Vec<&str> {
    facts.sets.iter().map(|name| name.as_str()).collect()
}

fn words(facts: &OrganizationFacts) -> String {
    let OrganizationFacts { named, seats, .. } = facts;
    let seats = if *seats == 1 { "1 seat".to_owned() } else { format!("{seats} seats") };
    format!("{}  {}  {}  {seats}  {}", named.slug, named.public_id, named.name, set_names(facts).join(", "))
}

fn json(facts: &OrganizationFacts) -> Value {
    json!({
        "id": facts.named.public_id,
        "slug": facts.named.slug,
        "name": facts.named.name,
        "seats": facts.seats,
        "permission_sets": set_names(facts),
    })
}
