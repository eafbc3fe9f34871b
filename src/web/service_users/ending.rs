//! Revoking, regenerating and deleting: each time a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{
    Admin,
    adding::{full, key_page},
    calendar,
    question::{Confirm, TokenPath, to_token},
};
use crate::{
    App, PublicUrl,
    errors::WebError,
    form::{Form, Refused},
    page::{IsHtmx, see},
    routes::path,
    shell::Nav,
    sign_in::Nothing,
};
use actix_web::{HttpResponse, web::Data};
use app::service_users::RegenerateForm;
use domain::{service_user::ServiceToken, token::SERVICE_LIMIT};

/// `GET …/tokens/{id}/revocation`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_revocation(
    app: App,
    at: Admin,
    ids: TokenPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app::service_users::find(&app, &at.who, &ids.1).await?;
    let (t, calendar) = (at.shell(Nav::Integrations).t, calendar(&app, &at));
    if !token.key.life.is_active(calendar.now()) {
        return to_token(&at, &ids);
    }
    let used = token.key.last_use.as_ref();
    let last_use = used.map(|used| t.last_use_sentence(used, calendar.when(used.at)));
    let mut text =
        vec![last_use.unwrap_or_else(|| t.revocation_never_used().into()), t.service_end_revoke_text().into()];
    text.extend(token.old_key.as_ref().map(|_| t.service_end_revoke_both().into()));
    let confirm = Confirm {
        title: t.service_end_revoke_title(),
        heading: t.revocation_heading(&token.name),
        text,
        submit: t.action_revoke(),
        is_destructive: true,
        ..Confirm::new(&at, &token, "revocation", is_dialog)
    };
    confirm.ask(&at)
}

/// `POST …/tokens/{id}/revocation`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn revoke(app: App, at: Admin, ids: TokenPath, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let was_active = app::service_users::revoke(&app, &at.who, &ids.1, at.source.clone()).await?;
    let what = if was_active { "revoked" } else { "ended" };
    Ok(see(&format!("{}?{what}={}", path::service_tokens(at.slug()), ids.1)))
}

/// `GET …/tokens/{id}/regeneration`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_regeneration(
    app: App,
    at: Admin,
    ids: TokenPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app::service_users::find(&app, &at.who, &ids.1).await?;
    if token.key.life.is_active(app.clock().now()) {
        return to_token(&at, &ids);
    }
    Confirm { is_dialog, ..regeneration(&app, &at, &token, app::tokens::form_nonce()).await? }.ask(&at)
}

async fn regeneration(app: &App, at: &Admin, token: &ServiceToken, nonce: String) -> Result<Confirm, WebError> {
    let t = at.shell(Nav::Integrations).t;
    let full = full(t, calendar(app, at), at.slug(), &app::service_users::list(app, &at.who).await?);
    Ok(Confirm {
        title: t.service_end_regenerate_title(),
        heading: t.service_end_regenerate_heading(&token.name),
        text: vec![t.service_end_regenerate_text().into(), t.service_end_regenerate_place(SERVICE_LIMIT)],
        nonce: Some(nonce),
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        is_possible: full.is_none(),
        full,
        ..Confirm::new(at, token, "regeneration", false)
    })
}

/// `POST …/tokens/{id}/regeneration`: gives the token a new key and shows it once.
///
/// # Errors
/// Not found if it does not exist or belongs to another organization; too many wrong passwords.
pub async fn regenerate(
    app: App,
    url: Data<PublicUrl>,
    at: Admin,
    ids: TokenPath,
    Form(typed): Form<RegenerateForm>,
) -> Result<HttpResponse, WebError> {
    let nonce = typed.nonce.clone();
    match app::service_users::regenerate(&app, &at.who, &ids.1, typed, at.source.clone()).await {
        Ok(new) => key_page(&app, &at, &url, &new),
        Err(error) => {
            let refused = Refused::new(error)?;
            let token = app::service_users::find(&app, &at.who, &ids.1).await?;
            regeneration(&app, &at, &token, nonce).await?.ask_for_key_again(&at, &refused)
        }
    }
}

/// `GET …/tokens/{id}/deletion`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_deletion(
    app: App,
    at: Admin,
    ids: TokenPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app::service_users::find(&app, &at.who, &ids.1).await?;
    if token.key.life.is_active(app.clock().now()) {
        return to_token(&at, &ids);
    }
    Confirm { is_dialog, ..deletion(&at, &token) }.ask(&at)
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
/// Not found if it does not exist, was deleted already, or belongs to another organization.
pub async fn delete(app: App, at: Admin, ids: TokenPath, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    match app::service_users::delete(&app, &at.who, &ids.1, at.source.clone()).await {
        Ok(_) => Ok(see(&format!("{}?deleted={}", path::service_tokens(at.slug()), ids.1))),
        Err(error) => {
            let refused = Refused::new(error)?;
            let token = app::service_users::find(&app, &at.who, &ids.1).await?;
            Confirm { is_possible: false, ..deletion(&at, &token) }.ask_again(&at, &refused)
        }
    }
}
