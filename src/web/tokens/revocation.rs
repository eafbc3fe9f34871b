//! Revoking: each time a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{adding::Asked, calendar};
use crate::{
    App,
    errors::WebError,
    form::{Form, Refused},
    page::{IsHtmx, page, see},
    routes::path,
    session::SignedIn,
    shell::{Nav, Shell},
    sign_in::Nothing,
    texts::Texts,
    words::{Calendar, Errors},
};
use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use app::{
    AppError,
    problem::Problems,
    tokens::{Bulk, TokenList, UNUSED_DAYS},
};
use askama::Template;
use domain::{
    time::Timestamp,
    token::{Token, TokenState},
};
use serde::Deserialize;

/// The question whether to revoke one token.
struct Confirm {
    t: Texts,
    csrf: String,
    action: String,
    label: String,
    last_use: String,
    cancel: String,
    is_dialog: bool,
}

/// The question as a page.
#[derive(Template)]
#[template(path = "tokens/revocation.html")]
struct ConfirmPage {
    shell: Shell,
    confirm: Confirm,
}

/// The question as a dialog.
#[derive(Template)]
#[template(path = "tokens/_dialog.html")]
struct ConfirmDialog {
    confirm: Confirm,
}

/// The question which of several tokens to revoke.
struct ConfirmBulk {
    t: Texts,
    csrf: String,
    /// The organization in which tokens are revoked, by its public id and its name.
    organization: (String, String),
    cancel: String,
    errors: Errors,
    choices: Vec<Choice>,
    is_wrong: bool,
    is_dialog: bool,
}

/// A choice: the tokens it includes, in words and by name.
struct Choice {
    key: &'static str,
    words: String,
    labels: String,
    is_first: bool,
}

/// The question as a page.
#[derive(Template)]
#[template(path = "tokens/revocation_bulk.html")]
struct ConfirmBulkPage {
    shell: Shell,
    confirm: ConfirmBulk,
}

/// The question as a dialog.
#[derive(Template)]
#[template(path = "tokens/_dialog_bulk.html")]
struct ConfirmBulkDialog {
    confirm: ConfirmBulk,
}

/// `GET /account/tokens/{id}/revocation`
///
/// # Errors
/// Not found if it does not exist or belongs to somebody else.
pub async fn confirm_revocation(
    app: App,
    who: SignedIn,
    id: Path<String>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let who = who.at_token(&app, &id).await?;
    let token = app::tokens::find(&app, &who.actor, &id).await?;
    let calendar = calendar(&app, &who);
    if !matches!(token.key.life.state(calendar.now()), TokenState::Active { .. }) {
        return Ok(see(&path::token(&token.public_id)));
    }
    let shell = who.shell(Nav::Tokens);
    let confirm = Confirm {
        t: shell.t,
        csrf: shell.csrf.clone(),
        action: path::token_revocation(&token.public_id),
        last_use: last_use(shell.t, calendar, &token),
        cancel: path::token(&token.public_id),
        label: token.label,
        is_dialog,
    };
    if is_dialog { page(&ConfirmDialog { confirm }) } else { page(&ConfirmPage { shell, confirm }) }
}

/// Returns what will stop: when, from where and by what program the token was last used.
fn last_use(t: Texts, calendar: Calendar, token: &Token) -> String {
    match &token.key.last_use {
        Some(used) => t.last_use_sentence(used, calendar.when(used.at)),
        None => t.revocation_never_used().into(),
    }
}

/// `POST /account/tokens/{id}/revocation`
///
/// # Errors
/// Not found if it does not exist or belongs to somebody else.
pub async fn revoke(app: App, who: SignedIn, id: Path<String>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let who = who.at_token(&app, &id).await?;
    let was_active = app::tokens::revoke(&app, &who.actor, &id, who.source.clone()).await?;
    let what = if was_active { "revoked" } else { "ended" };
    Ok(see(&who.shell(Nav::Tokens).here(&format!("{}?{what}={id}", path::TOKENS))))
}

/// `GET /account/tokens/revocation`
pub async fn confirm_bulk(
    app: App,
    who: SignedIn,
    asked: Query<Asked>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let who = who.at(asked.working_in.as_deref());
    let confirm = question(&app, &who, is_dialog).await?;
    if is_dialog {
        page(&ConfirmBulkDialog { confirm })
    } else {
        page(&ConfirmBulkPage { shell: who.shell(Nav::Tokens), confirm })
    }
}

async fn question(app: &App, who: &SignedIn, is_dialog: bool) -> Result<ConfirmBulk, WebError> {
    let tokens = app::tokens::list(app, &who.actor).await?;
    let shell = who.shell(Nav::Tokens);
    let organization = shell.organization.as_ref().map(|here| (here.public_id.clone(), here.name.clone()));
    Ok(ConfirmBulk {
        t: shell.t,
        choices: choices(shell.t, &tokens, app.clock().now()),
        organization: organization.unwrap_or_default(),
        cancel: shell.here(path::TOKENS),
        errors: Errors::default(),
        csrf: shell.csrf,
        is_wrong: false,
        is_dialog,
    })
}

fn choices(t: Texts, tokens: &TokenList, now: Timestamp) -> Vec<Choice> {
    let taken = |bulk: Bulk| -> Vec<&str> {
        tokens.active.iter().filter(|token| bulk.takes(token, now)).map(|token| token.label.as_str()).collect()
    };
    let (unused, all) = (taken(Bulk::Unused), taken(Bulk::All));
    let words = if unused.is_empty() {
        t.revocation_unused_none(UNUSED_DAYS)
    } else {
        t.revocation_unused(unused.len(), UNUSED_DAYS)
    };
    let choice = |bulk: Bulk, words, labels: &[&str]| Choice {
        key: bulk.key(),
        words,
        labels: labels.join(" · "),
        is_first: false,
    };
    vec![
        Choice { is_first: true, ..choice(Bulk::Unused, words, &unused) },
        choice(Bulk::All, t.revocation_all(all.len()), &all),
    ]
}

/// What was chosen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    which: String,
    /// The organization that the form was opened for.
    working_in: String,
}

/// `POST /account/tokens/revocation`
pub async fn revoke_bulk(app: App, who: SignedIn, Form(chosen): Form<Chosen>) -> Result<HttpResponse, WebError> {
    let who = match who.at_that_of_form(&chosen.working_in) {
        Ok(who) => who,
        Err(problems) => return ask_again(&app, &who, problems.into(), false).await,
    };
    let Some(bulk) = Bulk::from_key(&chosen.which) else {
        return ask_again(&app, &who, Problems::default().into(), true).await;
    };
    match app::tokens::revoke_bulk(&app, &who.actor, bulk, who.source.clone()).await {
        Ok(count) => Ok(see(&who.shell(Nav::Tokens).here(&format!("{}?revoked_many={count}", path::TOKENS)))),
        Err(error) => ask_again(&app, &who, error, false).await,
    }
}

async fn ask_again(app: &App, who: &SignedIn, error: AppError, is_wrong: bool) -> Result<HttpResponse, WebError> {
    let (refused, shell) = (Refused::new(error)?, who.shell(Nav::Tokens));
    let errors = Errors::new(shell.t, &refused.problems);
    let confirm = ConfirmBulk { errors, is_wrong, ..question(app, who, false).await? };
    refused.page(&ConfirmBulkPage { shell, confirm })
}
