//! A link for a user who has forgotten their password, handed over by a member who manages users.

use super::{Manager, link::LinkPage};
use crate::{
    App, PublicUrl,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    page::IsHtmx,
    routes::path,
    shell::Nav,
};
use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use app::{problem::Field, users::PersonFacts};
use domain::{organization::MembershipId, password_link::MINUTES};
use serde::Deserialize;

/// The password, if it was required.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    password: Option<String>,
}

/// `GET /orgs/{slug}/users/{id}/password-link`
///
/// # Errors
/// Not found if they are not active in the organization.
pub async fn ask_link(
    app: App,
    at: Manager,
    address: Path<(String, i64)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let facts = app::users::find(&app, &at.who, MembershipId(address.1)).await?;
    confirm(&app, &at, &facts).ask(at.shell(Nav::Users), is_dialog)
}

/// `POST /orgs/{slug}/users/{id}/password-link`: creates the link and shows it once.
///
/// # Errors
/// Not found if they are not active in the organization.
pub async fn make_link(
    app: App,
    url: Data<PublicUrl>,
    at: Manager,
    address: Path<(String, i64)>,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    let id = MembershipId(address.1);
    let made = app::users::make_link(&app, &at.who, id, typed.password, at.source.clone()).await;
    let facts = app::users::find(&app, &at.who, id).await?;
    match made {
        Ok(code) => {
            let link = format!("{}{}", url.0, path::password_link(code.reveal()));
            link_page(&at, &facts.person.name, id, link).show()
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            confirm(&app, &at, &facts).ask_again(at.shell(Nav::Users), &refused)
        }
    }
}

fn link_page(at: &Manager, name: &str, id: MembershipId, link: String) -> LinkPage {
    let shell = at.shell(Nav::Users);
    let t = shell.t;
    LinkPage {
        title: t.users_person_link_title(),
        heading: t.users_person_link_ready_heading(name),
        lines: vec![t.users_person_link_ready_text(MINUTES)],
        link,
        once: t.users_person_link_ready_once(),
        back: path::person(at.slug(), id.0),
        back_name: name.to_owned(),
        another: None,
        shell,
    }
}

fn confirm(app: &App, at: &Manager, facts: &PersonFacts) -> Confirm {
    let (t, person) = (at.t(), &facts.person);
    let confirm = Confirm {
        title: t.users_person_link_title().to_owned(),
        heading: t.users_person_link_heading(&person.name),
        text: vec![t.users_person_link_text(MINUTES)],
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        action: path::link_for(at.slug(), person.membership.0),
        offer: Offer::Do(t.users_person_link_submit()),
        cancel: path::person(at.slug(), person.membership.0),
        ..Confirm::default()
    };
    match facts.link_refusal.clone() {
        Some(problem) => confirm.impossible(Some(t.problem(at.kinds(), Field::Form, problem)), t.common_close()),
        None => confirm,
    }
}
