//! Commands for whoever runs the server. They go through the same verbs as pages do, and take effect on a running server
//! at once: its next answer about a token needs an epoch that it reads after this.

use super::{Outcome, open, say};
use crate::{
    app::{
        Jeton,
        operator::{Operator, TokenFilter},
    },
    config::DataOptions,
    domain::password_link::MINUTES,
    domain::token::{Life, Scope, TokenKind},
    storage::{
        tokens::{LastUse, OwnedToken, service_users::ServiceToken},
        users::User,
    },
    web::{PublicUrl, routes::path},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

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
        Ok((open(&self.data.check()?, false, None)?, self.json))
    }
}

/// `jeton user …`
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// List all users
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Print a link with which a user chooses a new password, once
    PasswordLink {
        /// Their e-mail address
        email: String,
        /// Address that people use, such as `https://jeton.example.org`
        #[arg(long, env = "JETON_PUBLIC_URL", value_name = "URL")]
        public_url: String,
        #[command(flatten)]
        common: Common,
    },
    /// Give a user a new random password, printed once, and end their sessions
    ResetPassword {
        /// Their e-mail address
        email: String,
        #[command(flatten)]
        common: Common,
    },
}

/// `jeton token …`
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// List active tokens, newest first; never their keys
    List {
        /// Only those of the user with this e-mail address
        #[arg(long, value_name = "EMAIL")]
        owner: Option<String>,
        /// Only those without a use in this many days
        #[arg(long, value_name = "DAYS")]
        unused_for: Option<u16>,
        #[command(flatten)]
        common: Common,
    },
    /// Revoke a token; from then on nothing accepts it
    Revoke {
        /// Its public id, as lists show it
        public_id: String,
        #[command(flatten)]
        common: Common,
    },
}

impl UserCommand {
    /// Does it.
    ///
    /// # Errors
    /// In words for whoever typed the command.
    pub async fn run(self) -> Outcome {
        let operator = Operator::at_the_command_line();
        match self {
            Self::List { common } => {
                let (jeton, as_json) = common.open()?;
                let users = jeton.users(operator).await?;
                let rows =
                    users.iter().map(|user| if as_json { json_user(user).to_string() } else { words_user(user) });
                print(as_json, rows.collect())
            }
            Self::PasswordLink { email, public_url, common } => {
                let url = PublicUrl::parse(&public_url)
                    .map_err(|problem| format!("JETON_PUBLIC_URL (--public-url): {problem}"))?;
                let (jeton, as_json) = common.open()?;
                let code = jeton.make_password_link(operator, &email).await;
                let code = code.map_err(|error| format!("{email}: {error}"))?;
                let link = format!("{}{}", url.0, path::password_link(code.reveal()));
                let words =
                    format!("{email} can choose a new password here, once, for {MINUTES} minutes:\n\n    {link}\n");
                say(&if as_json { json!({ "email": email, "link": link }).to_string() } else { words })?;
                Ok(())
            }
            Self::ResetPassword { email, common } => {
                let (jeton, as_json) = common.open()?;
                let password =
                    jeton.reset_password(operator, &email).await.map_err(|error| format!("{email}: {error}"))?;
                let words = format!("The new password of {email}, shown this once:\n\n    {password}\n");
                say(&if as_json { json!({ "email": email, "password": password }).to_string() } else { words })?;
                Ok(())
            }
        }
    }
}

impl TokenCommand {
    /// Does it.
    ///
    /// # Errors
    /// In words for whoever typed the command.
    pub async fn run(self) -> Outcome {
        let operator = Operator::at_the_command_line();
        match self {
            Self::List { owner, unused_for, common } => {
                let (jeton, as_json) = common.open()?;
                // A service user's token is nobody's own.
                let of_service_users = match &owner {
                    None => jeton.all_service_tokens(operator, unused_for).await?,
                    Some(_) => Vec::new(),
                };
                let tokens = jeton.all_tokens(operator, TokenFilter { owner, unused_for }).await?;
                let tokens = tokens.iter().map(Listed::of_person);
                let rows = tokens.chain(of_service_users.iter().map(Listed::of_service_user));
                print(as_json, rows.map(|row| if as_json { row.json().to_string() } else { row.words() }).collect())
            }
            Self::Revoke { public_id, common } => {
                let (jeton, as_json) = common.open()?;
                let revoked = jeton.revoke_any_token(operator, &public_id).await;
                let revoked = revoked.map_err(|error| format!("{public_id}: {error}"))?;
                let words = match revoked {
                    true => format!("{public_id} is revoked. It is refused from now on."),
                    false => format!("{public_id} had ended before."),
                };
                say(&if as_json { json!({ "id": public_id, "revoked": revoked }).to_string() } else { words })?;
                Ok(())
            }
        }
    }
}

/// Prints rows: a line each, or one JSON array.
pub(super) fn print(as_json: bool, rows: Vec<String>) -> Outcome {
    say(&if as_json { format!("[{}]", rows.join(",")) } else { rows.join("\n") })?;
    Ok(())
}

fn words_user(user: &User) -> String {
    format!("{}  {}", user.email, user.name)
}

fn json_user(user: &User) -> Value {
    json!({ "email": user.email, "name": user.name })
}

/// A token as it is listed.
struct Listed<'a> {
    id: &'a str,
    kind: TokenKind,
    /// An e-mail address, or the slug of a service user's organization.
    owner: &'a str,
    label: &'a str,
    scope: Scope,
    life: Life,
    last_use: Option<&'a LastUse>,
}

impl<'a> Listed<'a> {
    fn of_person(owned: &'a OwnedToken) -> Self {
        let token = &owned.token;
        Self {
            id: &token.public_id,
            kind: TokenKind::Personal,
            owner: &owned.owner_email,
            label: &token.label,
            scope: token.scope,
            life: token.life,
            last_use: token.last_use.as_ref(),
        }
    }

    fn of_service_user((slug, token): &'a (String, ServiceToken)) -> Self {
        Self {
            id: &token.public_id,
            kind: TokenKind::Service,
            owner: slug,
            label: &token.name,
            scope: Scope::ReadWrite,
            life: token.key.life,
            last_use: token.key.last_use.as_ref(),
        }
    }

    fn words(&self) -> String {
        let used = match self.last_use {
            Some(used) => format!("last used {} from {}", used.at.rfc3339(), used.address),
            None => "never used".into(),
        };
        let Self { id, kind, owner, label, scope, .. } = self;
        format!("{id}  {}  {owner}  {}  {label}  {used}", kind.key(), scope.oauth())
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "kind": self.kind.key(),
            "owner": self.owner,
            "label": self.label,
            "scope": self.scope.oauth(),
            "created_at": self.life.created_at.rfc3339(),
            "last_used_at": self.life.last_used_at.map(|at| at.rfc3339()),
            "expires_at": self.life.expires_at().rfc3339(),
        })
    }
}
