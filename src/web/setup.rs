//! The first start: the page behind the link that the server printed.

use super::{
    App,
    errors::WebError,
    form::{OpenForm, Refused},
    page::{page, see, with_cookie},
    routes::path,
    session::{self, Visitor},
    shell::Shell,
    words::Errors,
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::{AppError, setup::SetupForm};
use askama::Template;
use serde::Deserialize;

/// What was typed into the form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    code: String,
    name: String,
    email: String,
    organization: String,
    new_password: String,
    time_zone: String,
}

/// The form.
#[derive(Template)]
#[template(path = "setup/form.html")]
struct SetupPage {
    shell: Shell,
    typed: Typed,
    errors: Errors,
}

/// The code in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Link {
    code: String,
}

/// `GET /setup?code=…`
///
/// # Errors
/// Not found once there is a user; refused without the code of this start.
pub async fn form(app: App, visitor: Visitor, link: Query<Link>) -> Result<HttpResponse, WebError> {
    admit(&app, &link.code).await?;
    let typed = Typed { code: link.into_inner().code, ..Typed::default() };
    page(&SetupPage { shell: visitor.shell, typed, errors: Errors::default() })
}

/// `POST /setup`: creates the first organization and its administrator, and signs the administrator in.
///
/// # Errors
/// As for the form.
pub async fn submit(
    app: App,
    visitor: Visitor,
    request: HttpRequest,
    OpenForm(typed): OpenForm<Typed>,
) -> Result<HttpResponse, WebError> {
    admit(&app, &typed.code).await?;
    let form = SetupForm {
        name: typed.name.clone(),
        email: typed.email.clone(),
        organization: typed.organization.clone(),
        password: typed.new_password.clone(),
        language: Some(visitor.shell.t.0),
        time_zone: typed.time_zone.clone(),
    };
    match app::setup::set_up(&app, form, visitor.source).await {
        Ok(begin) => {
            let (_, cookie) = session::begin(&app, &request, begin).await?;
            with_cookie(see(path::TOKENS), &cookie)
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(visitor.shell.t, &refused.problems);
            refused.page(&SetupPage { shell: visitor.shell, typed, errors })
        }
    }
}

async fn admit(app: &App, code: &str) -> Result<(), WebError> {
    if !app::setup::is_needed(app).await? {
        return Err(AppError::NotFound.into());
    }
    if app::setup::is_code(app, code) { Ok(()) } else { Err(WebError::WrongSetupLink) }
}
