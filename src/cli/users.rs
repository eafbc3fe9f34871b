//! `jeton user …`

use super::{
    Outcome,
    operate::{Common, print, tell, why},
};
use app::{
    Jeton,
    operator::{Operator, users::AddForm},
};
use clap::{Args, Subcommand};
use domain::{
    membership::Standing,
    password_link::MINUTES,
    user::{User, shown_email},
};
use serde_json::{Value, json};
use storage::memberships::places::Place;
use web::{PublicUrl, routes::path};

/// `jeton user …`
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// List all users, and the organizations that they belong to
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Add a user to an organization; without an account, one is created and a link to choose its password is printed
    Create {
        /// The e-mail address; if an account has it, its user joins the organization
        email: String,
        /// Their name, for a new account
        #[arg(long)]
        name: String,
        /// The slug of the organization
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The name of the permission set: administrator, standard, reader, or one of the organization's own
        #[arg(long, value_name = "NAME", default_value = "standard")]
        permission_set: String,
        #[command(flatten)]
        links: Links,
        #[command(flatten)]
        common: Common,
    },
    /// End a user's access: their tokens are refused from then on, they are signed out, and their seats become free
    Deactivate {
        /// Their e-mail address
        email: String,
        /// Only in the organization with this slug; by default in each one where they are active
        #[arg(long, value_name = "SLUG")]
        org: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Reactivate a deactivated user; their former tokens and sessions are not restored
    Reactivate {
        /// Their e-mail address
        email: String,
        /// The slug of the organization
        #[arg(long, value_name = "SLUG")]
        org: String,
        #[command(flatten)]
        common: Common,
    },
    /// Block a whole account, whatever it administers: nobody can sign in with it, and its tokens are refused
    /// everywhere
    Block {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: Common,
    },
    /// Unblock an account; its former tokens and sessions are not restored
    Unblock {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: Common,
    },
    /// Make a user an installation administrator, who creates organizations and decides who else administers the
    /// installation
    Promote {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: Common,
    },
    /// Remove a user from the installation administrators, unless they are the only one
    Demote {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: Common,
    },
    /// Print a one-time link with which a user chooses a new password
    PasswordLink {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        links: Links,
        #[command(flatten)]
        common: Common,
    },
    /// Give a user a new random password, which is printed once, and end their sessions
    ResetPassword {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: Common,
    },
}

/// The beginning of links.
#[derive(Args, Debug)]
pub struct Links {
    /// Address that people use, such as `https://jeton.example.org`
    #[arg(long, env = "JETON_PUBLIC_URL", value_name = "URL")]
    public_url: String,
}

impl Links {
    fn check(&self) -> Result<PublicUrl, String> {
        PublicUrl::parse(&self.public_url).map_err(|problem| format!("JETON_PUBLIC_URL (--public-url): {problem}"))
    }
}

impl UserCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub async fn run(self) -> Outcome {
        let operator = Operator::at_the_command_line();
        match self {
            Self::List { common } => {
                let (mut records, as_json) = common.read()?;
                let users = records.users()?;
                let row = |(user, places): &(User, Vec<Place>)| {
                    if as_json { json_user(user, places).to_string() } else { words_user(user, places) }
                };
                print(as_json, &users.iter().map(row).collect::<Vec<_>>(), "There is no user yet.")
            }
            Self::Create { email, name, org, permission_set, links, common } => {
                let url = links.check()?;
                let (jeton, as_json) = common.open()?;
                let form = AddForm { email: email.clone(), name, organization: org.clone(), permission_set };
                let code = app::operator::add_user(&jeton, operator, form).await;
                let code = code.map_err(|error| format!("{email}: {}", why(error)))?;
                let link = code.map(|code| format!("{}{}", url.0, path::password_link(code.reveal())));
                let words = match &link {
                    Some(link) => {
                        let later = "To create another link later, use jeton user password-link.";
                        format!("{email} belongs to {org}.\n{}\n{later}", words_link(&email, link))
                    }
                    None => format!("{email} already had an account and now belongs to {org}. They sign in as before."),
                };
                let made = link.is_some();
                tell(as_json, &json!({ "email": email, "organization": org, "created": made, "link": link }), &words)
            }
            Self::Deactivate { email, org, common } => {
                let (jeton, as_json) = common.open()?;
                deactivate(operator, &jeton, &email, org, as_json).await
            }
            Self::Reactivate { email, org, common } => {
                let (jeton, as_json) = common.open()?;
                let done = app::operator::reactivate_user(&jeton, operator, &email, &org).await;
                let done = done.map_err(|error| format!("{email}, {org}: {}", why(error)))?;
                let words = match done {
                    true => format!("{email} is active in {org} again."),
                    false => format!("{email} was already active in {org}."),
                };
                tell(as_json, &json!({ "email": email, "organization": org, "reactivated": done }), &words)
            }
            Self::Block { email, common } => {
                let (jeton, as_json) = common.open()?;
                let done = app::operator::block_user(&jeton, operator, &email).await;
                let words =
                    ["is blocked. Their sessions have ended, and their tokens are refused.", "was already blocked."];
                tell_done(as_json, &email, done, "blocked", words)?;
                warn_unadministered(operator, &jeton).await
            }
            Self::Unblock { email, common } => {
                let (jeton, as_json) = common.open()?;
                let done = app::operator::unblock_user(&jeton, operator, &email).await;
                tell_done(as_json, &email, done, "unblocked", ["is no longer blocked.", "was not blocked."])
            }
            Self::Promote { email, common } => {
                let (jeton, as_json) = common.open()?;
                let done = app::operator::promote_user(&jeton, operator, &email).await;
                let words = ["administers the installation.", "already administered the installation."];
                tell_done(as_json, &email, done, "promoted", words)
            }
            Self::Demote { email, common } => {
                let (jeton, as_json) = common.open()?;
                let done = app::operator::demote_user(&jeton, operator, &email).await;
                let words = ["no longer administers the installation.", "did not administer the installation."];
                tell_done(as_json, &email, done, "demoted", words)
            }
            Self::PasswordLink { email, links, common } => {
                let url = links.check()?;
                let (jeton, as_json) = common.open()?;
                let code = app::operator::make_password_link(&jeton, operator, &email).await;
                let code = code.map_err(|error| format!("{email}: {}", why(error)))?;
                let link = format!("{}{}", url.0, path::password_link(code.reveal()));
                tell(as_json, &json!({ "email": email, "link": link }), &words_link(&email, &link))
            }
            Self::ResetPassword { email, common } => {
                let (jeton, as_json) = common.open()?;
                let password = app::operator::reset_password(&jeton, operator, &email).await;
                let password = password.map_err(|error| format!("{email}: {}", why(error)))?;
                let words = format!("The new password of {email}, shown this once:\n\n    {password}\n");
                tell(as_json, &json!({ "email": email, "password": password }), &words)
            }
        }
    }
}

/// Deactivates a user in one organization or in each. A refusal in one organization does not stop the others: if
/// somebody else has taken over the account, as much access as possible must end.
async fn deactivate(operator: Operator, jeton: &Jeton, email: &str, org: Option<String>, as_json: bool) -> Outcome {
    let slugs = match org {
        Some(slug) => vec![slug],
        None => {
            let slugs = app::operator::organizations_of(jeton, operator, email).await;
            slugs.map_err(|error| format!("{email}: {}", why(error)))?
        }
    };
    let (mut rows, mut refused) = (Vec::new(), Vec::new());
    for slug in slugs {
        match app::operator::deactivate_user(jeton, operator, email, &slug).await {
            Ok(done) if as_json => {
                rows.push(json!({ "email": email, "organization": slug, "deactivated": done }).to_string());
            }
            Ok(true) => {
                rows.push(format!("{email} is deactivated in {slug}. Their tokens there are refused from now on."))
            }
            Ok(false) => rows.push(format!("{email} was already deactivated in {slug}.")),
            Err(error) => refused.push(format!("{email}, {slug}: {}", why(error))),
        }
    }
    if as_json || !rows.is_empty() || refused.is_empty() {
        print(as_json, &rows, &format!("{email} was not active in any organization."))?;
    }
    warn_unadministered(operator, jeton).await?;
    if refused.is_empty() { Ok(()) } else { Err(refused.join(" ").into()) }
}

/// Prints that an action was done to a user, or why it was not necessary.
fn tell_done(as_json: bool, email: &str, done: app::Result<bool>, name: &str, [is_so, was_so]: [&str; 2]) -> Outcome {
    let done = done.map_err(|error| format!("{email}: {}", why(error)))?;
    let words = format!("{email} {}", if done { is_so } else { was_so });
    tell(as_json, &json!({ "email": email, name: done }), &words)
}

/// Warns if nobody administers the installation any more: only an operator can fix that.
async fn warn_unadministered(operator: Operator, jeton: &Jeton) -> Outcome {
    if !app::operator::is_administered(jeton, operator).await? {
        tracing::warn!("nobody administers the installation any more; use jeton user promote");
    }
    Ok(())
}

fn words_link(email: &str, link: &str) -> String {
    format!("{email} can choose a new password here, once, for {MINUTES} minutes:\n\n    {link}\n")
}

fn words_user(user: &User, places: &[Place]) -> String {
    let roles = [(user.is_blocked, "blocked"), (user.is_installation_admin, "administers the installation")];
    let roles = roles.into_iter().filter(|(has, _)| *has).map(|(_, role)| role.to_owned());
    let all: Vec<String> = roles.chain(places.iter().map(words_place)).collect();
    format!("{}  {}  {}", shown_email(&user.email), user.name, all.join(", ")).trim_end().to_owned()
}

fn words_place(place: &Place) -> String {
    let deactivated = if place.standing == Standing::Active { "" } else { ", deactivated" };
    format!("{} ({}{deactivated})", place.slug, place.set.as_str())
}

fn json_user(user: &User, places: &[Place]) -> Value {
    let place = |place: &Place| {
        json!({
            "slug": place.slug,
            "permission_set": place.set.as_str(),
            "is_active": place.standing == Standing::Active,
        })
    };
    let places: Vec<Value> = places.iter().map(place).collect();
    json!({
        "email": user.email,
        "name": user.name,
        "is_blocked": user.is_blocked,
        "is_installation_admin": user.is_installation_admin,
        "organizations": places,
    })
}
