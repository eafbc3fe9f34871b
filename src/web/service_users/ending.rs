//! Revoking, regenerating and deleting: each time a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{
    Admin,
    adding::{Full, full, key_page},
    calendar,
    confirm::{TokenPath, about, ask_for_key_again, to_token},
};
use crate::{
    App, PublicUrl,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    shell::Nav,
    sign_in::Nothing,
    texts::Texts,
    words::Errors,
};
use actix_web::{HttpResponse, web::Data};
use app::service_users::RegenerateForm;
use askama::Template;
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
    let (t, calendar) = (at.t(), calendar(&app, &at));
    if !token.key.life.is_active(calendar.now()) {
        return to_token(&at, &ids);
    }
    let used = token.key.last_use.as_ref();
    let last_use = used.map(|used| t.last_use_sentence(used, calendar.when(used.at)));
    let mut text =
        vec![last_use.unwrap_or_else(|| t.tokens_revocation_never_used().into()), t.service_users_revoke_text().into()];
    text.extend(token.old_key.as_ref().map(|_| t.service_users_revoke_both().into()));
    let confirm = Confirm {
        title: t.service_users_revoke_title().to_owned(),
        heading: t.tokens_revocation_heading(&token.name),
        text,
        offer: Offer::End(t.common_revoke()),
        ..about(&at, &token, "revocation")
    };
    confirm.ask(at.shell(Nav::Integrations), is_dialog)
}

/// `POST …/tokens/{id}/revocation`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn revoke(app: App, at: Admin, ids: TokenPath, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let was_active = app::service_users::revoke(&app, &at.who, &ids.1, at.source.clone()).await?;
    let id = ids.1.clone();
    let notice = if was_active { Notice::Revoked(id) } else { Notice::HadEnded(id) };
    Ok(notice::see(&path::service_tokens(at.slug()), &notice))
}

/// The field of a regeneration.
#[derive(Template)]
#[template(source = r#"<input type="hidden" name="nonce" value="{{ nonce }}">"#, ext = "html")]
struct Nonce {
    /// Makes this form unique.
    nonce: String,
}

/// The list of tokens that could be revoked to make room for a new key.
#[derive(Template)]
#[template(path = "service_users/_full.html")]
struct FullPart {
    t: Texts,
    full: Full,
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
    let shell = at.shell(Nav::Integrations);
    let confirm = regeneration(&app, &at, &token);
    match no_room(&app, &at).await? {
        Some(full) => confirm.impossible(None, shell.t.service_users_back()).with(full).ask(shell, is_dialog),
        None => confirm.with(Nonce { nonce: app::tokens::form_nonce() }).ask(shell, is_dialog),
    }
}

fn regeneration(app: &App, at: &Admin, token: &ServiceToken) -> Confirm {
    let t = at.t();
    Confirm {
        title: t.service_users_regenerate_title().to_owned(),
        heading: t.service_users_regenerate_heading(&token.name),
        text: vec![t.service_users_regenerate_text().into(), t.service_users_regenerate_place(SERVICE_LIMIT)],
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        offer: Offer::Do(t.service_users_confirm()),
        ..about(at, token, "regeneration")
    }
}

/// Returns the list of tokens that could be revoked, if there is no room for another active one.
async fn no_room(app: &App, at: &Admin) -> Result<Option<FullPart>, WebError> {
    let t = at.t();
    let full = full(t, calendar(app, at), at.slug(), &app::service_users::list(app, &at.who).await?);
    Ok(full.map(|full| FullPart { t, full }))
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
            let confirm = regeneration(&app, &at, &token);
            let shell = at.shell(Nav::Integrations);
            match no_room(&app, &at).await? {
                // The list of tokens that could be revoked says more than the problem.
                Some(full) => confirm.impossible(None, shell.t.service_users_back()).with(full).ask_again_with(
                    shell,
                    &refused,
                    Errors::default(),
                ),
                None => ask_for_key_again(confirm.with(Nonce { nonce }), &at, &refused),
            }
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
    deletion(&at, &token).ask(at.shell(Nav::Integrations), is_dialog)
}

fn deletion(at: &Admin, token: &ServiceToken) -> Confirm {
    let t = at.t();
    Confirm {
        title: t.service_users_delete_title().to_owned(),
        heading: t.service_users_delete_heading(&token.name),
        text: vec![t.service_users_delete_text().into()],
        offer: Offer::End(t.service_users_delete()),
        ..about(at, token, "deletion")
    }
}

/// `POST …/tokens/{id}/deletion`
///
/// # Errors
/// Not found if it does not exist, was deleted already, or belongs to another organization.
pub async fn delete(app: App, at: Admin, ids: TokenPath, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    match app::service_users::delete(&app, &at.who, &ids.1, at.source.clone()).await {
        Ok(_) => Ok(notice::see(&path::service_tokens(at.slug()), &Notice::Deleted)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let token = app::service_users::find(&app, &at.who, &ids.1).await?;
            let shell = at.shell(Nav::Integrations);
            deletion(&at, &token).impossible(None, shell.t.service_users_back()).ask_again(shell, &refused)
        }
    }
}
