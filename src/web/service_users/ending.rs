//! Revoking, regenerating and deleting: each time a question first, as a page of its own or, for htmx, as a dialog.

use super::{
    Admin,
    adding::{Full, full, key_page},
    calendar,
};
use crate::{
    app::problem::{Field, Problem, Problems},
    app::service_users::RegenerateForm,
    domain::token::SERVICE_LIMIT,
    storage::tokens::service_users::ServiceToken,
    web::{
        App, PublicUrl,
        errors::WebError,
        form::{Form, Refused},
        page::{IsHtmx, page, see},
        routes::path,
        shell::{Nav, Shell},
        sign_in::Nothing,
        texts::Texts,
        words::Errors,
    },
};
use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

/// A question, with what its answer means.
pub(super) struct Confirm {
    pub(super) t: Texts,
    pub(super) csrf: String,
    pub(super) action: String,
    pub(super) title: &'static str,
    pub(super) heading: String,
    pub(super) text: Vec<String>,
    pub(super) submit: &'static str,
    pub(super) is_destructive: bool,
    pub(super) cancel: String,
    pub(super) is_dialog: bool,
    /// What tells this form from every other, where it makes a key.
    pub(super) nonce: Option<String>,
    pub(super) asks_password: bool,
    pub(super) errors: Errors,
    /// Whether it can still be done; otherwise only the way back is offered.
    pub(super) is_possible: bool,
    pub(super) full: Option<Full>,
}

impl Confirm {
    pub(super) fn new(at: &Admin, token: &ServiceToken, part: &str, is_dialog: bool) -> Self {
        let shell = at.shell(Nav::Integrations);
        Self {
            t: shell.t,
            csrf: shell.csrf,
            action: path::service_token_part(at.slug(), &token.public_id, part),
            title: "",
            heading: String::new(),
            text: Vec::new(),
            submit: shell.t.service_end_confirm(),
            is_destructive: false,
            cancel: path::service_token(at.slug(), &token.public_id),
            is_dialog,
            nonce: None,
            asks_password: false,
            errors: Errors::default(),
            is_possible: true,
            full: None,
        }
    }
}

/// The question as a page.
#[derive(Template)]
#[template(path = "service_users/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    confirm: Confirm,
}

/// The question as a dialog.
#[derive(Template)]
#[template(path = "service_users/_dialog.html")]
struct ConfirmDialog {
    confirm: Confirm,
}

pub(super) fn asked(at: &Admin, confirm: Confirm) -> Result<HttpResponse, WebError> {
    if confirm.is_dialog {
        page(&ConfirmDialog { confirm })
    } else {
        page(&ConfirmPage { shell: at.shell(Nav::Integrations), confirm })
    }
}

/// The question again, with why its answer was not taken.
fn asked_again(at: &Admin, refused: &Refused, confirm: Confirm) -> Result<HttpResponse, WebError> {
    refused.page(&ConfirmPage { shell: at.shell(Nav::Integrations), confirm })
}

/// `GET …/tokens/{id}/revocation`
///
/// # Errors
/// Not found if there is none, or it belongs to another organization.
pub async fn confirm_revocation(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app.service_token(&at.who, &ids.1).await?;
    let (t, calendar) = (at.shell(Nav::Integrations).t, calendar(&app, &at));
    if !token.key.life.is_active(calendar.now()) {
        return Ok(see(&path::service_token(at.slug(), &ids.1)));
    }
    let used = token.key.last_use.as_ref();
    let last_use = used.map(|used| t.last_use_sentence(used, calendar.when(used.at)));
    let mut text =
        vec![last_use.unwrap_or_else(|| t.revocation_never_used().into()), t.service_end_revoke_text().into()];
    text.extend(token.old_key.as_ref().map(|_| t.service_end_revoke_both().into()));
    asked(
        &at,
        Confirm {
            title: t.service_end_revoke_title(),
            heading: t.revocation_heading(&token.name),
            text,
            submit: t.action_revoke(),
            is_destructive: true,
            ..Confirm::new(&at, &token, "revocation", is_dialog)
        },
    )
}

/// `POST …/tokens/{id}/revocation`
///
/// # Errors
/// Not found if there is none, or it belongs to another organization.
pub async fn revoke(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let was_active = app.revoke_service_token(&at.who, &ids.1, at.source.clone()).await?;
    let what = if was_active { "revoked" } else { "ended" };
    Ok(see(&format!("{}?{what}={}", path::service_tokens(at.slug()), ids.1)))
}

/// What was typed into the question whether to make a new key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    password: Option<String>,
    nonce: String,
}

/// `GET …/tokens/{id}/regeneration`
///
/// # Errors
/// Not found if there is none, or it belongs to another organization.
pub async fn confirm_regeneration(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app.service_token(&at.who, &ids.1).await?;
    if token.key.life.is_active(app.clock().now()) {
        return Ok(see(&path::service_token(at.slug(), &ids.1)));
    }
    let confirm = Confirm { is_dialog, ..regeneration(&app, &at, &token, app.form_nonce()).await? };
    asked(&at, confirm)
}

async fn regeneration(app: &App, at: &Admin, token: &ServiceToken, nonce: String) -> Result<Confirm, WebError> {
    let t = at.shell(Nav::Integrations).t;
    let full = full(t, calendar(app, at), at.slug(), &app.service_tokens(&at.who).await?);
    Ok(Confirm {
        title: t.service_end_regenerate_title(),
        heading: t.service_end_regenerate_heading(&token.name),
        text: vec![t.service_end_regenerate_text().into(), t.service_end_regenerate_place(SERVICE_LIMIT)],
        nonce: Some(nonce),
        asks_password: !app.has_proof(at.who.actor()),
        is_possible: full.is_none(),
        full,
        ..Confirm::new(at, token, "regeneration", false)
    })
}

/// `POST …/tokens/{id}/regeneration`: gives the token a new key and shows it, this once.
///
/// # Errors
/// Not found if there is none, or it belongs to another organization; too many wrong passwords.
pub async fn regenerate(
    app: App,
    url: Data<PublicUrl>,
    at: Admin,
    ids: Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    let form = RegenerateForm { password: typed.password, nonce: typed.nonce.clone() };
    match app.regenerate_service_token(&at.who, &ids.1, form, at.source.clone()).await {
        Ok(new) => key_page(&app, &at, &url, &new),
        Err(error) => {
            let refused = Refused::new(error)?;
            let token = app.service_token(&at.who, &ids.1).await?;
            let again = regeneration(&app, &at, &token, typed.nonce).await?;
            asked_again(&at, &refused, refused_renewal(again, &refused.problems))
        }
    }
}

/// The question whether to make a new key, with why none was made.
pub(super) fn refused_renewal(confirm: Confirm, problems: &Problems) -> Confirm {
    let at_form = problems.at(Field::Form);
    let mut errors = Errors::new(confirm.t, problems);
    if at_form == Some(Problem::SentBefore) {
        errors = errors.reworded("form", confirm.t.service_end_sent_before());
    }
    if confirm.full.is_some() {
        // The box with what could be revoked says the same and more.
        errors = Errors::default();
    }
    Confirm {
        is_possible: confirm.is_possible && matches!(at_form, None | Some(Problem::TryLater(_))),
        asks_password: confirm.asks_password || problems.at(Field::Password).is_some(),
        errors,
        ..confirm
    }
}

/// `GET …/tokens/{id}/deletion`
///
/// # Errors
/// Not found if there is none, or it belongs to another organization.
pub async fn confirm_deletion(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app.service_token(&at.who, &ids.1).await?;
    if token.key.life.is_active(app.clock().now()) {
        return Ok(see(&path::service_token(at.slug(), &ids.1)));
    }
    asked(&at, Confirm { is_dialog, ..deletion(&at, &token) })
}

fn deletion(at: &Admin, token: &ServiceToken) -> Confirm {
    let t = at.shell(Nav::Integrations).t;
    Confirm {
        title: t.service_end_delete_title(),
        heading: t.service_end_delete_heading(&token.name),
        text: vec![t.service_end_delete_text().into()],
        submit: t.service_delete(),
        is_destructive: true,
        ..Confirm::new(at, token, "deletion", false)
    }
}

/// `POST …/tokens/{id}/deletion`
///
/// # Errors
/// Not found if there is none, also if it was deleted before, or it belongs to another organization.
pub async fn delete(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    match app.delete_service_token(&at.who, &ids.1, at.source.clone()).await {
        Ok(_) => Ok(see(&format!("{}?deleted={}", path::service_tokens(at.slug()), ids.1))),
        Err(error) => {
            let refused = Refused::new(error)?;
            let confirm = deletion(&at, &app.service_token(&at.who, &ids.1).await?);
            let errors = Errors::new(confirm.t, &refused.problems);
            asked_again(&at, &refused, Confirm { errors, is_possible: false, ..confirm })
        }
    }
}
