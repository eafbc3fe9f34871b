//! A link for a user who has forgotten their password, handed over by a member who manages users.

use super::{Manager, link::LinkPage};
use crate::{
    App, PublicUrl,
    errors::WebError,
    form::{Form, Refused},
    page::IsHtmx,
    question::Question,
    routes::path,
    shell::Nav,
    words::Errors,
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
    question(&app, &at, &facts).ask(at.shell(Nav::Users), is_dialog)
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
            question(&app, &at, &facts).ask_again(at.shell(Nav::Users), &refused)
        }
    }
}

fn link_page(at: &Manager, name: &str, id: MembershipId, link: String) -> LinkPage {
    let shell = at.shell(Nav::Users);
    let t = shell.t;
    LinkPage {
        title: t.person_link_title(),
        heading: t.person_link_ready_heading(name),
        lines: vec![t.person_link_ready_text(MINUTES)],
        link,
        once: t.person_link_ready_once(),
        back: path::person(at.slug(), id.0),
        back_name: name.to_owned(),
        another: None,
        shell,
    }
}

fn question(app: &App, at: &Manager, facts: &PersonFacts) -> Question {
    let shell = at.shell(Nav::Users);
    let (t, person) = (shell.t, &facts.person);
    let refusal = facts.link_refusal.map(|problem| t.problem(Field::Form, problem));
    Question {
        t,
        csrf: shell.csrf,
        title: t.person_link_title().to_owned(),
        heading: t.person_link_heading(&person.name),
        lines: if refusal.is_some() { Vec::new() } else { vec![t.person_link_text(MINUTES)] },
        action: path::link_for(at.slug(), person.membership.0),
        submit: t.person_link_submit(),
        is_destructive: false,
        cancel: path::person(at.slug(), person.membership.0),
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        refusal,
        errors: Errors::default(),
        is_dialog: false,
    }
}
