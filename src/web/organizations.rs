//! Organizations: creating them, switching between them, their start pages, and their settings.

use super::{
    App,
    errors::WebError,
    form::{Form, Refused},
    holder::{Administering, AtWork},
    notice::{self, Message, Notice},
    page::{page, see},
    routes::path,
    session::SignedIn,
    shell::{Nav, Shell},
    words::Errors,
};
use actix_web::HttpResponse;
use app::{
    organizations::OrganizationForm,
    problem::{Field, Problem},
};
use askama::Template;
use serde::Deserialize;

/// The choice of an organization.
#[derive(Debug, Deserialize)]
pub struct Choice {
    organization: String,
}

/// `POST /account/organization`: switches to another organization.
///
/// # Errors
/// Not found for an organization in which the user is not active.
pub async fn choose(app: App, who: SignedIn, Form(choice): Form<Choice>) -> Result<HttpResponse, WebError> {
    let slug = app::organizations::choose(&app, &who.actor, &choice.organization).await?;
    Ok(see(&path::organization(&slug)))
}

/// `GET /orgs`: the organization that the user works in, or their own tokens.
pub async fn own(who: SignedIn) -> HttpResponse {
    let own = who.actor.membership().map(|at| path::organization(&at.slug));
    see(own.as_deref().unwrap_or(path::TOKENS))
}

/// `GET /orgs/{slug}`: the first section that the user may see, or their own tokens.
pub async fn home(at: AtWork) -> HttpResponse {
    let shell = at.shell(Nav::None);
    let first = shell.item_sections().into_iter().chain(shell.sections()).next();
    see(&first.map_or_else(|| path::TOKENS.to_owned(), |section| section.href))
}

/// The form for a new organization.
#[derive(Template)]
#[template(path = "organizations/new.html")]
struct NewPage {
    shell: Shell,
    typed: OrganizationForm,
    errors: Errors,
    asks_password: bool,
}

/// The settings of an organization.
#[derive(Template)]
#[template(path = "organizations/settings.html")]
struct SettingsPage {
    shell: Shell,
    message: Option<Message>,
    action: String,
    /// The id that programs use.
    id: String,
    /// Its current slug.
    address: String,
    /// Its current name.
    before: String,
    typed: OrganizationForm,
    errors: Errors,
}

fn new_page(app: &App, who: &Administering) -> NewPage {
    let asks_password = !app::sessions::recently_authenticated(app, who.who.actor());
    NewPage {
        shell: who.shell(Nav::None),
        typed: OrganizationForm::default(),
        errors: Errors::default(),
        asks_password,
    }
}

/// `GET /organizations/new`
///
/// # Errors
/// Not found unless they administer the installation.
pub async fn new(app: App, who: Administering) -> Result<HttpResponse, WebError> {
    page(&new_page(&app, &who))
}

/// `POST /organizations/new`
///
/// # Errors
/// Not found unless they administer the installation.
pub async fn create(
    app: App,
    who: Administering,
    Form(mut typed): Form<OrganizationForm>,
) -> Result<HttpResponse, WebError> {
    match app::organizations::create(&app, &who.who, typed.clone(), who.source.clone()).await {
        Ok(slug) => Ok(see(&path::organization(&slug))),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(who.t(), &refused.problems);
            if typed.slug.trim().is_empty() && refused.problems.at(Field::Slug) == Some(Problem::SlugTaken) {
                typed.slug = app::organizations::propose_slug(&app, &typed.name).await?;
            }
            refused.page(&NewPage { typed, errors, ..new_page(&app, &who) })
        }
    }
}

fn settings_page(at: &AtWork) -> SettingsPage {
    let organization = at.who.membership();
    let (name, slug) = (organization.organization_name.clone(), organization.slug.clone());
    SettingsPage {
        shell: at.shell(Nav::Settings),
        message: None,
        action: path::organization_settings(&slug),
        id: organization.organization_public_id.clone(),
        address: path::organization(&slug),
        before: name.clone(),
        typed: OrganizationForm { name, slug, ..OrganizationForm::default() },
        errors: Errors::default(),
    }
}

/// `GET /orgs/{slug}/settings`
///
/// # Errors
/// Forbidden unless they hold every permission.
pub async fn settings(at: AtWork, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    at.who.clone().administrating()?;
    let form = settings_page(&at);
    let message = (notice == Some(Notice::Saved)).then(|| Message::done(form.shell.t.organizations_saved()));
    page(&SettingsPage { message, ..form })
}

/// `POST /orgs/{slug}/settings`
///
/// # Errors
/// Forbidden unless they hold every permission.
pub async fn change(app: App, at: AtWork, Form(typed): Form<OrganizationForm>) -> Result<HttpResponse, WebError> {
    let administrator = at.who.clone().administrating()?;
    match app::organizations::change(&app, &administrator, typed.clone(), at.source.clone()).await {
        Ok(slug) => Ok(notice::see(&path::organization_settings(&slug), &Notice::Saved)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(at.t(), &refused.problems);
            refused.page(&SettingsPage { typed, errors, ..settings_page(&at) })
        }
    }
}
