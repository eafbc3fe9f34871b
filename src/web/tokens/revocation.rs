//! Revoking: each time a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{adding::Asked, calendar};
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::{IsHtmx, see},
    routes::path,
    session::SignedIn,
    shell::Nav,
    sign_in::Nothing,
    texts::Texts,
    words::Calendar,
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

/// The fields that choose which of several tokens to revoke.
#[derive(Template)]
#[template(path = "tokens/_which.html")]
struct Which {
    t: Texts,
    /// The public id of the organization in which tokens are revoked.
    organization: String,
    choices: Vec<Choice>,
    is_wrong: bool,
}

/// A choice: the tokens it includes, in words and by name.
struct Choice {
    key: &'static str,
    words: String,
    labels: String,
    is_first: bool,
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
    let t = who.t();
    let confirm = Confirm {
        title: t.tokens_revocation_title().to_owned(),
        heading: t.tokens_revocation_heading(&token.label),
        text: vec![last_use(t, calendar, &token), t.tokens_revocation_stops().to_owned()],
        action: path::token_revocation(&token.public_id),
        offer: Offer::End(t.tokens_revoke()),
        cancel: path::token(&token.public_id),
        ..Confirm::default()
    };
    confirm.ask(who.shell(Nav::Tokens), is_dialog)
}

/// Returns what will stop: when, from where and by what program the token was last used.
fn last_use(t: Texts, calendar: Calendar, token: &Token) -> String {
    match &token.key.last_use {
        Some(used) => t.last_use_sentence(used, calendar.when(used.at)),
        None => t.tokens_revocation_never_used().into(),
    }
}

/// `POST /account/tokens/{id}/revocation`
///
/// # Errors
/// Not found if it does not exist or belongs to somebody else.
pub async fn revoke(app: App, who: SignedIn, id: Path<String>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let who = who.at_token(&app, &id).await?;
    let was_active = app::tokens::revoke(&app, &who.actor, &id, who.source.clone()).await?;
    let id = id.into_inner();
    let notice = if was_active { Notice::Revoked(id) } else { Notice::HadEnded(id) };
    Ok(notice::see(&who.here(path::TOKENS), &notice))
}

/// `GET /account/tokens/revocation`
pub async fn confirm_bulk(
    app: App,
    who: SignedIn,
    asked: Query<Asked>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let who = who.at(asked.working_in.as_deref());
    bulk(&app, &who, false).await?.ask(who.shell(Nav::Tokens), is_dialog)
}

async fn bulk(app: &App, who: &SignedIn, is_wrong: bool) -> Result<Confirm<Which>, WebError> {
    let tokens = app::tokens::list(app, &who.actor).await?;
    let shell = who.shell(Nav::Tokens);
    let (t, cancel) = (shell.t, shell.here(path::TOKENS));
    let (organization, name) = shell.organization.map(|here| (here.public_id, here.name)).unwrap_or_default();
    let confirm = Confirm {
        title: t.tokens_revocation_many_title().to_owned(),
        heading: t.tokens_revocation_many_title().to_owned(),
        text: vec![format!("{} {}", t.tokens_revocation_many_text(), t.tokens_revocation_in_this_organization(name))],
        action: path::TOKENS_REVOCATION.to_owned(),
        offer: Offer::End(t.tokens_revocation_many_submit()),
        cancel,
        ..Confirm::default()
    };
    Ok(confirm.with(Which { t, organization, choices: choices(t, &tokens, app.clock().now()), is_wrong }))
}

fn choices(t: Texts, tokens: &TokenList, now: Timestamp) -> Vec<Choice> {
    let taken = |bulk: Bulk| -> Vec<&str> {
        tokens.active.iter().filter(|token| bulk.takes(token, now)).map(|token| token.label.as_str()).collect()
    };
    let (unused, all) = (taken(Bulk::Unused), taken(Bulk::All));
    let words = if unused.is_empty() {
        t.tokens_revocation_unused_none(UNUSED_DAYS)
    } else {
        t.tokens_revocation_unused(unused.len(), UNUSED_DAYS)
    };
    let choice = |bulk: Bulk, words, labels: &[&str]| Choice {
        key: bulk.key(),
        words,
        labels: labels.join(" · "),
        is_first: false,
    };
    vec![
        Choice { is_first: true, ..choice(Bulk::Unused, words, &unused) },
        choice(Bulk::All, t.tokens_revocation_all(all.len()), &all),
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
        Ok(count) => Ok(notice::see(&who.here(path::TOKENS), &Notice::RevokedMany(count))),
        Err(error) => ask_again(&app, &who, error, false).await,
    }
}

async fn ask_again(app: &App, who: &SignedIn, error: AppError, is_wrong: bool) -> Result<HttpResponse, WebError> {
    let refused = Refused::new(error)?;
    bulk(app, who, is_wrong).await?.ask_again(who.shell(Nav::Tokens), &refused)
}
