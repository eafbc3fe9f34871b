//! `jeton org …`

use super::{
    Outcome,
    operate::{Common, print, tell, why},
};
use crate::app::operator::{Operator, organizations::OrganizationFacts};
use clap::Subcommand;
use serde_json::{Value, json};

/// `jeton org …`
#[derive(Subcommand, Debug)]
pub enum OrganizationCommand {
    /// List all organizations: slug, name, seats in use and permission sets
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Make an organization
    Create {
        /// Its name
        name: String,
        /// The part of its addresses; made from the name if this is missing
        #[arg(long)]
        slug: Option<String>,
        /// The e-mail address of a user, who is its administrator
        #[arg(long, value_name = "EMAIL")]
        administrator: String,
        #[command(flatten)]
        common: Common,
    },
    /// Give an organization another name
    Rename {
        /// Its slug
        slug: String,
        /// The new name
        name: String,
        /// Another slug; pages at the old one are not found from then on
        #[arg(long = "slug", value_name = "NEW-SLUG")]
        new_slug: Option<String>,
        #[command(flatten)]
        common: Common,
    },
}

impl OrganizationCommand {
    /// Does it.
    ///
    /// # Errors
    /// In words for whoever typed the command.
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
                let slug = jeton.create_organization_for(operator, name.clone(), slug, &administrator).await;
                let slug = slug.map_err(|error| format!("{name}, {administrator}: {}", why(error)))?;
                let words = format!("{name} is at /orgs/{slug}, and {administrator} administers it.");
                tell(as_json, &json!({ "slug": slug, "name": name, "administrator": administrator }), &words)
            }
            Self::Rename { slug, name, new_slug, common } => {
                let (jeton, as_json) = common.open()?;
                let renamed = jeton.rename_organization(operator, &slug, name.clone(), new_slug).await;
                let slug = renamed.map_err(|error| format!("{slug}: {}", why(error)))?;
                tell(as_json, &json!({ "slug": slug, "name": name }), &format!("{name} is at /orgs/{slug}."))
            }
        }
    }
}

fn set_names(facts: &OrganizationFacts) -> Vec<&str> {
    facts.sets.iter().map(|name| name.as_str()).collect()
}

fn words(facts: &OrganizationFacts) -> String {
    let OrganizationFacts { slug, name, seats, .. } = facts;
    let seats = if *seats == 1 { "1 seat".to_owned() } else { format!("{seats} seats") };
    format!("{slug}  {name}  {seats}  {}", set_names(facts).join(", "))
}

fn json(facts: &OrganizationFacts) -> Value {
    json!({
        "slug": facts.slug,
        "name": facts.name,
        "seats": facts.seats,
        "permission_sets": set_names(facts),
    })
}
