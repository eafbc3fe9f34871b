//! Adding a token: the form, and the one page that shows the key.

use super::calendar;
use crate::{
    App, PublicUrl,
    errors::WebError,
    form::{FormWith, Refused},
    page::{page, secret_page, see},
    routes::path,
    samples::Samples,
    session::SignedIn,
    shell::{Nav, Shell},
    words::{Calendar, Errors},
};
use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use app::{
    problem::{Field, Problem, Problems},
    tokens::{Created, TokenForm, TokenList},
};
use askama::Template;
use domain::token::{InactivityExpiry, PERSONAL_LIMIT, Token};
use serde::Deserialize;

/// How many of the tokens that were idle the longest are named to somebody who has no place left.
const NAMED: usize = 5;

/// The form.
#[derive(Template)]
#[template(path = "tokens/new.html")]
struct NewPage {
    shell: Shell,
    list: String,
    /// The organization of the new token, by its public id and its name.
    organization: (String, String),
    typed: TokenForm,
    nonce: String,
    errors: Errors,
    periods: Vec<i16>,
    asks_password: bool,
    full: Option<Full>,
}

/// What could be revoked to make room for another token.
struct Full {
    in_all: usize,
    is_elsewhere: bool,
    list: String,
    idle: Vec<Idle>,
}

/// A token that could be revoked.
struct Idle {
    href: String,
    revocation: String,
    label: String,
    used: String,
}

/// The page with the key.
#[derive(Template)]
#[template(path = "tokens/created.html")]
struct CreatedPage<'a> {
    shell: Shell,
    list: String,
    organization: String,
    label: &'a str,
    scope: &'static str,
    days: i16,
    key: &'a str,
    samples: Samples,
}

/// The organization that a page or a form is about, if it names one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub(super) working_in: Option<String>,
}

/// `GET /account/tokens/new`
pub async fn new(app: App, who: SignedIn, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    let who = who.at(asked.working_in.as_deref());
    if who.actor.membership().is_none() {
        return Ok(see(path::TOKENS));
    }
    page(&new_page(&app, &who, TokenForm::default(), None).await?)
}

/// `POST /account/tokens`: creates the token and shows its key once.
///
/// # Errors
/// When the database fails, or with too many wrong passwords.
pub async fn create(
    app: App,
    url: Data<PublicUrl>,
    who: SignedIn,
    FormWith(typed, asked): FormWith<TokenForm, Asked>,
) -> Result<HttpResponse, WebError> {
    let who = match who.at_that_of_form(asked.working_in.as_deref().unwrap_or_default()) {
        Ok(who) => who,
        Err(problems) => {
            let form = new_page(&app, &who, typed, Some(&problems)).await?;
            return Refused::new(problems.into())?.page(&form);
        }
    };
    match app::tokens::create(&app, &who.actor, typed.clone(), who.source.clone()).await {
        Ok(created) => secret_page(&created_page(&who, &url, &created)),
        Err(error) => {
            let refused = Refused::new(error)?;
            refused.page(&new_page(&app, &who, typed, Some(&refused.problems)).await?)
        }
    }
}

fn created_page<'a>(who: &SignedIn, url: &PublicUrl, created: &'a Created) -> CreatedPage<'a> {
    let shell = who.shell(Nav::Tokens);
    let (token, key) = (&created.token, created.key.reveal());
    CreatedPage {
        list: shell.here(path::TOKENS),
        organization: shell.organization.as_ref().map(|here| here.name.clone()).unwrap_or_default(),
        label: &token.label,
        scope: shell.t.scope(token.scope),
        days: token.key.life.inactivity.days(),
        key,
        samples: Samples::new(&url.0, key),
        shell,
    }
}

async fn new_page(
    app: &App,
    who: &SignedIn,
    typed: TokenForm,
    problems: Option<&Problems>,
) -> Result<NewPage, WebError> {
    let shell = who.shell(Nav::Tokens);
    let tokens = app::tokens::list(app, &who.actor).await?;
    let at_form = problems.and_then(|problems| problems.at(Field::Form));
    let at_password = problems.and_then(|problems| problems.at(Field::Password));
    // A form that has already created its token must not create another one unless it is sent on purpose, as a new
    // form.
    let is_used_up = typed.nonce.is_empty() || matches!(at_form, Some(Problem::SentBefore | Problem::NotAChoice));
    let mut errors = problems.map(|problems| Errors::new(shell.t, problems)).unwrap_or_default();
    let full = full(&shell, calendar(app, who), &tokens);
    if full.is_some() && at_form == Some(Problem::LimitReached) {
        // The list of tokens that could be revoked says the same and more.
        errors = Errors::default();
    }
    let organization = shell.organization.as_ref().map(|here| (here.public_id.clone(), here.name.clone()));
    Ok(NewPage {
        list: shell.here(path::TOKENS),
        organization: organization.unwrap_or_default(),
        nonce: if is_used_up { app::tokens::form_nonce() } else { typed.nonce.clone() },
        periods: InactivityExpiry::ALL.map(InactivityExpiry::days).to_vec(),
        asks_password: at_password.is_some() || !app::sessions::recently_authenticated(app, &who.actor),
        errors,
        full,
        typed,
        shell,
    })
}

/// Returns the tokens that could be revoked if the limit is reached, longest unused first.
fn full(shell: &Shell, calendar: Calendar, tokens: &TokenList) -> Option<Full> {
    let t = shell.t;
    if tokens.in_all < usize::from(PERSONAL_LIMIT.unsigned_abs()) {
        return None;
    }
    let mut active: Vec<&Token> = tokens.active.iter().collect();
    active.sort_by_key(|token| (token.key.life.idle_since(), token.key.token));
    let idle = active.into_iter().take(NAMED).map(|token| Idle {
        href: path::token(&token.public_id),
        revocation: path::token_revocation(&token.public_id),
        label: token.label.clone(),
        used: match &token.key.last_use {
            Some(used) => t.use_in_a_line(used, &calendar.when(used.at)),
            None => t.tokens_never_used().into(),
        },
    });
    let is_elsewhere = tokens.in_all > tokens.active.len();
    Some(Full { in_all: tokens.in_all, is_elsewhere, list: shell.here(path::TOKENS), idle: idle.collect() })
}
