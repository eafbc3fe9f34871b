//! What other organizations share with this one: refused, so that none of it counts, and accepted again.

use super::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::Holding,
    notice::{self, Message, Notice},
    page::{IsHtmx, page},
    routes::path,
    shell::{Nav, Shell},
    sign_in::Nothing,
    texts::Texts,
};
use actix_web::{HttpResponse, web::Path};
use app::{AppError, authority::Caller, refused_organizations::Giver};
use askama::Template;
use domain::permission::ManageUsers;

type Manager = Holding<ManageUsers>;

/// The list.
#[derive(Template)]
#[template(path = "refused_organizations/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    back: String,
    rows: Vec<Row>,
}

/// An organization that shares something.
struct Row {
    name: String,
    facts: Vec<String>,
    is_refused: bool,
    refuse: String,
    accept: String,
}

/// `GET /orgs/{slug}/access-rules/other-organizations`
pub async fn list(app: App, at: Manager, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let givers = app::refused_organizations::givers(&app, &Caller::from(&at.who)).await?;
    let t = at.t();
    let row = |giver: &Giver| Row {
        name: giver.name.clone(),
        facts: facts(t, giver),
        is_refused: giver.is_refused,
        refuse: path::refusal(at.slug(), &giver.public_id),
        accept: path::acceptance_of(at.slug(), &giver.public_id),
    };
    let message = match notice {
        Some(Notice::Refused) => Some(Message::done(t.givers_refused_notice())),
        Some(Notice::Accepted) => Some(Message::done(t.givers_accepted_notice())),
        Some(Notice::Unchanged) => Some(Message::done(t.givers_unchanged_notice())),
        _ => None,
    };
    page(&ListPage {
        message,
        back: path::access_rules(at.slug()),
        rows: givers.iter().map(row).collect(),
        shell: at.shell(Nav::AccessRules),
    })
}

fn facts(t: Texts, giver: &Giver) -> Vec<String> {
    let shares = (giver.shares > 0).then(|| t.givers_shares(giver.shares));
    let rules = (giver.rules > 0).then(|| t.givers_rules(giver.rules));
    let all: Vec<String> = shares.into_iter().chain(rules).collect();
    if all.is_empty() { vec![t.givers_nothing().to_owned()] } else { all }
}

/// `GET /orgs/{slug}/access-rules/other-organizations/{id}/refusal`
///
/// # Errors
/// Not found if it shares nothing with this one.
pub async fn ask(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    confirm(&app, &at, &address.1).await?.ask(at.shell(Nav::AccessRules), is_dialog)
}

async fn confirm(app: &App, at: &Manager, id: &str) -> Result<Confirm, WebError> {
    let givers = app::refused_organizations::givers(app, &Caller::from(&at.who)).await?;
    let giver = givers.into_iter().find(|giver| giver.public_id == id).ok_or(AppError::NotFound)?;
    let t = at.t();
    let heading = t.givers_refuse_heading(&giver.name);
    Ok(Confirm {
        title: heading.clone(),
        heading,
        text: vec![t.givers_refuse_text().to_owned(), t.givers_refuse_after().to_owned()],
        action: path::refusal(at.slug(), id),
        offer: Offer::End(t.givers_refuse()),
        cancel: path::givers(at.slug()),
        ..Confirm::default()
    })
}

/// `POST /orgs/{slug}/access-rules/other-organizations/{id}/refusal`
///
/// # Errors
/// As [`ask`].
pub async fn refuse(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let caller = Caller::from(&at.who);
    match app::refused_organizations::refuse(&app, &caller, &address.1, at.source.clone()).await {
        Ok(is_new) => {
            let notice = if is_new { Notice::Refused } else { Notice::Unchanged };
            Ok(notice::see(&path::givers(at.slug()), &notice))
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            confirm(&app, &at, &address.1).await?.ask_again(at.shell(Nav::AccessRules), &refused)
        }
    }
}

/// `POST /orgs/{slug}/access-rules/other-organizations/{id}/acceptance`
///
/// # Errors
/// As [`ask`].
pub async fn accept(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let caller = Caller::from(&at.who);
    let was_refused = app::refused_organizations::accept(&app, &caller, &address.1, at.source.clone()).await?;
    let notice = if was_refused { Notice::Accepted } else { Notice::Unchanged };
    Ok(notice::see(&path::givers(at.slug()), &notice))
}
