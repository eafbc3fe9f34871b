//! Editing a part of a token: each part has an address that opens the form and receives the change.

use super::{
    Admin,
    confirm::TokenPath,
    detail::{Editing, Part, token_page},
};
use crate::{
    App,
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::{page, see},
    permissions::{PermissionFields, chosen, picked},
    routes::path,
    words::Errors,
};
use actix_web::HttpResponse;
use app::{
    Result as Outcome,
    problem::{Field, Problem, Problems},
    service_users::{ExpiryForm, ExternalIdForm, NameForm, PermissionsForm},
};
use domain::{permission::Permissions, service_user::ServiceToken, text::TextError};
use serde::Deserialize;

/// What was typed into the form of one part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    name: String,
    external_id: String,
    inactivity: String,
    permission: Vec<String>,
    pick: String,
    version: String,
    /// The period that may make the token expire immediately: only the one that the warning was about.
    confirmed: String,
    password: Option<String>,
}

impl Part {
    const fn saved(self) -> Notice {
        match self {
            Self::Name => Notice::NameSaved,
            Self::ExternalId => Notice::ExternalIdSaved,
            Self::Expiry => Notice::ExpirySaved,
            Self::Permissions => Notice::PermissionsSaved,
        }
    }
}

/// `GET …/tokens/{id}/name`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit_name(app: App, at: Admin, ids: TokenPath) -> Result<HttpResponse, WebError> {
    open(&app, &at, &ids.1, Part::Name).await
}

/// `GET …/tokens/{id}/expiry`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit_expiry(app: App, at: Admin, ids: TokenPath) -> Result<HttpResponse, WebError> {
    open(&app, &at, &ids.1, Part::Expiry).await
}

/// `GET …/tokens/{id}/permissions`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit_permissions(app: App, at: Admin, ids: TokenPath) -> Result<HttpResponse, WebError> {
    open(&app, &at, &ids.1, Part::Permissions).await
}

/// `GET …/tokens/{id}/external-id`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit_external_id(app: App, at: Admin, ids: TokenPath) -> Result<HttpResponse, WebError> {
    open(&app, &at, &ids.1, Part::ExternalId).await
}

/// `POST …/tokens/{id}/external-id`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn change_external_id(
    app: App,
    at: Admin,
    ids: TokenPath,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    let form = ExternalIdForm { external_id: typed.external_id.clone(), version: typed.version.clone() };
    let saved = app::service_users::change_external_id(&app, &at.who, &ids.1, form, at.source.clone()).await;
    answer(&app, &at, &ids.1, Part::ExternalId, typed, saved).await
}

/// `POST …/tokens/{id}/name`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn rename(app: App, at: Admin, ids: TokenPath, Form(typed): Form<Typed>) -> Result<HttpResponse, WebError> {
    let form = NameForm { name: typed.name.clone(), version: typed.version.clone() };
    let saved = app::service_users::rename(&app, &at.who, &ids.1, form, at.source.clone()).await;
    answer(&app, &at, &ids.1, Part::Name, typed, saved).await
}

/// `POST …/tokens/{id}/expiry`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn change_expiry(
    app: App,
    at: Admin,
    ids: TokenPath,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    let form = ExpiryForm {
        inactivity: typed.inactivity.clone(),
        version: typed.version.clone(),
        confirmed: typed.confirmed == typed.inactivity,
    };
    let saved = app::service_users::change_expiry(&app, &at.who, &ids.1, form, at.source.clone()).await;
    answer(&app, &at, &ids.1, Part::Expiry, typed, saved).await
}

/// `POST …/tokens/{id}/permissions`; a press of *select all* or *none* without JavaScript saves nothing.
///
/// # Errors
/// Not found if it does not exist or belongs to another organization; too many wrong passwords.
pub async fn change_permissions(
    app: App,
    at: Admin,
    ids: TokenPath,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    if !typed.pick.is_empty() {
        let token = app::service_users::find(&app, &at.who, &ids.1).await?;
        let known = at.who.grant().known();
        let chosen = chosen(&typed.permission, known);
        let chosen = picked(&typed.pick, known, &chosen, &open_to(&at, &token)).unwrap_or(chosen);
        return page(&token_page(&app, &at, &token, Some(editing(&at, &token, Part::Permissions, typed, &chosen))));
    }
    let form = PermissionsForm {
        permissions: typed.permission.clone(),
        version: typed.version.clone(),
        password: typed.password.clone(),
    };
    let saved = app::service_users::change_permissions(&app, &at.who, &ids.1, form, at.source.clone()).await;
    answer(&app, &at, &ids.1, Part::Permissions, typed, saved).await
}

/// Returns the page with one part open for editing, with its current value. A token that has ended cannot be edited.
async fn open(app: &App, at: &Admin, id: &str, part: Part) -> Result<HttpResponse, WebError> {
    let token = app::service_users::find(app, &at.who, id).await?;
    if !token.key.life.is_active(app.clock().now()) {
        return Ok(see(&path::service_token(at.slug(), id)));
    }
    let typed = Typed {
        name: token.name.clone(),
        external_id: token.external_id.clone().unwrap_or_default(),
        inactivity: token.key.life.inactivity.days().to_string(),
        version: token.version.to_string(),
        ..Typed::default()
    };
    page(&token_page(app, at, &token, Some(editing(at, &token, part, typed, &token.permissions))))
}

/// Returns the permissions that can be chosen: those that the editor holds, and those that the token has.
fn open_to(at: &Admin, token: &ServiceToken) -> Permissions {
    at.who.grant().held().with(&token.permissions)
}

fn editing(at: &Admin, token: &ServiceToken, part: Part, typed: Typed, chosen: &Permissions) -> Editing {
    let t = at.t();
    Editing {
        part,
        fields: PermissionFields::new(t, at.kinds(), chosen, &open_to(at, token)),
        version: typed.version,
        name: typed.name,
        external_id: typed.external_id,
        inactivity: typed.inactivity,
        errors: Errors::default(),
        would_expire: false,
        is_stale: false,
    }
}

/// Redirects to the page; or shows the part again with what was typed and what is wrong.
async fn answer(
    app: &App,
    at: &Admin,
    id: &str,
    part: Part,
    typed: Typed,
    saved: Outcome<()>,
) -> Result<HttpResponse, WebError> {
    let Err(error) = saved else {
        return Ok(notice::see(&path::service_token(at.slug(), id), &part.saved()));
    };
    let refused = Refused::new(error)?;
    let token = app::service_users::find(app, &at.who, id).await?;
    let chosen = chosen(&typed.permission, at.who.grant().known());
    let again = with_problems(at, &token, editing(at, &token, part, typed, &chosen), &refused.problems);
    refused.page(&token_page(app, at, &token, Some(again)))
}

fn with_problems(at: &Admin, token: &ServiceToken, editing: Editing, problems: &Problems) -> Editing {
    let t = at.t();
    let is_stale = problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
    let mut errors = Errors::named(t, at.kinds(), problems);
    if problems.at(Field::Name) == Some(Problem::Text(TextError::Empty)) {
        errors = errors.reworded("name", t.service_users_name_empty());
    }
    Editing {
        // The current value is now shown beside what was typed, so the next form may replace it.
        version: if is_stale { token.version.to_string() } else { editing.version },
        would_expire: problems.at(Field::Inactivity) == Some(Problem::WouldExpire),
        is_stale,
        errors,
        ..editing
    }
}
