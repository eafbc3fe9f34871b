//! `jeton token …`

use super::{
    Outcome,
    operate::{Common, print, tell, why},
    say,
};
use app::operator::{
    Operator,
    tokens::{AnyToken, Placed, TokenFilter},
};
use clap::{ArgGroup, Args, Subcommand};
use domain::{
    token::{LastUse, Scope, TokenKind},
    user::shown_email,
};
use serde_json::{Value, json};

/// `jeton token …`
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// List active tokens, newest first; never their keys
    List {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        common: Common,
    },
    /// Revoke one token, or with --yes all active ones that match; nothing accepts them from then on
    #[command(group = ArgGroup::new("which").args(["public_id", "owner", "org", "unused_for"]).required(true).multiple(true))]
    Revoke {
        /// The public id of one token, as shown in lists
        #[arg(conflicts_with_all = ["owner", "org", "unused_for"])]
        public_id: Option<String>,
        #[command(flatten)]
        which: Which,
        /// The reason, for the activity log and the tokens' owners
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Revoke all that match; without this they are only listed, and the command exits with 1
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        common: Common,
    },
}

/// Which tokens are meant: those that match all filters.
#[derive(Args, Debug)]
pub struct Which {
    /// Only those of the user with this e-mail address
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Only those in the organization with this slug
    #[arg(long, value_name = "SLUG")]
    org: Option<String>,
    /// Only those that were not used for this many days
    #[arg(long, value_name = "DAYS")]
    unused_for: Option<u16>,
}

impl Which {
    fn filter(self) -> TokenFilter {
        TokenFilter { owner: self.owner, organization: self.org, unused_for: self.unused_for }
    }
}

impl TokenCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line.
    pub async fn run(self) -> Outcome {
        let operator = Operator::at_the_command_line();
        match self {
            Self::List { which, common } => {
                let (mut records, as_json) = common.read()?;
                list(as_json, &records.tokens(&which.filter()).map_err(why)?)
            }
            Self::Revoke { public_id: Some(public_id), reason, common, .. } => {
                let (jeton, as_json) = common.open()?;
                let revoked = app::operator::revoke_token(&jeton, operator, &public_id, reason).await;
                let revoked = revoked.map_err(|error| format!("{public_id}: {}", why(error)))?;
                let words = match revoked {
                    true => format!("{public_id} is revoked. It is refused from now on."),
                    false => format!("{public_id} had already ended."),
                };
                tell(as_json, &json!({ "id": public_id, "revoked": revoked }), &words)
            }
            Self::Revoke { public_id: None, which, reason, yes: true, common } => {
                let (jeton, as_json) = common.open()?;
                let revoked =
                    app::operator::revoke_tokens(&jeton, operator, which.filter(), reason).await.map_err(why)?;
                list(as_json, &revoked)?;
                match revoked.len() {
                    count @ 1.. if !as_json => say(&format!("Revoked {}: refused from now on.", those(count))),
                    _ => Ok(()),
                }
            }
            Self::Revoke { public_id: None, which, yes: false, common, .. } => {
                let (mut records, as_json) = common.read()?;
                let tokens = records.tokens(&which.filter()).map_err(why)?;
                list(as_json, &tokens)?;
                match tokens.len() {
                    0 => Ok(()),
                    // An error, so that a script that forgot the flag notices.
                    count => Err(format!("nothing is revoked yet: add --yes to revoke {}", those(count)).into()),
                }
            }
        }
    }
}

fn those(count: usize) -> String {
    if count == 1 { "this token".to_owned() } else { format!("these {count} tokens") }
}

fn list(as_json: bool, tokens: &[Placed]) -> Outcome {
    let row = |placed: &Placed| {
        let row = Listed::new(placed);
        if as_json { row.json().to_string() } else { row.words() }
    };
    print(as_json, &tokens.iter().map(row).collect::<Vec<_>>(), "No active token matches.")
}

/// A token as it is listed.
struct Listed<'a> {
    placed: &'a Placed,
    id: &'a str,
    kind: TokenKind,
    /// An e-mail address, or the slug of a service user's organization.
    owner: &'a str,
    label: &'a str,
    scope: Scope,
    last_use: Option<&'a LastUse>,
}

impl<'a> Listed<'a> {
    fn new(placed: &'a Placed) -> Self {
        match &placed.token {
            AnyToken::Personal(owned) => Self {
                placed,
                id: &owned.token.public_id,
                kind: TokenKind::Personal,
                owner: &owned.owner_email,
                label: &owned.token.label,
                scope: owned.token.scope,
                last_use: owned.token.key.last_use.as_ref(),
            },
            AnyToken::Service(token) => Self {
                placed,
                id: &token.public_id,
                kind: TokenKind::Service,
                owner: &placed.organization.slug,
                label: &token.name,
                scope: Scope::ReadWrite,
                last_use: token.key.last_use.as_ref(),
            },
        }
    }

    fn words(&self) -> String {
        let used = match self.last_use {
            Some(used) => format!("last used {} from {}", used.at.rfc3339(), used.address),
            None => "never used".into(),
        };
        let Self { id, kind, label, scope, .. } = self;
        let owner = shown_email(self.owner);
        format!("{id}  {}  {owner}  {}  {label}  {used}", kind.key(), scope.oauth())
    }

    fn json(&self) -> Value {
        let life = self.placed.token.life();
        json!({
            "id": self.id,
            "kind": self.kind.key(),
            "organization": self.placed.organization.slug,
            "organization_id": self.placed.organization.public_id,
            "owner": self.owner,
            "label": self.label,
            "scope": self.scope.oauth(),
            "created_at": life.created_at.rfc3339(),
            "last_used_at": life.last_used_at.map(|at| at.rfc3339()),
            "expires_at": life.expires_at().rfc3339(),
        })
    }
}
