//! Deactivating, removing and reactivating somebody: each with a confirmation first, which says what would stop.

use super::Manager;
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    shell::Nav,
    sign_in::Nothing,
    texts::Texts,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    problem::Field,
    users::{Ending, PersonFacts},
};
use domain::{membership::Standing, organization::MembershipId};
use serde::Deserialize;

/// The parts of an address: the organization and the person.
type PersonPath = Path<(String, i64)>;

fn id(address: &PersonPath) -> MembershipId {
    MembershipId(address.1)
}

/// `GET /orgs/{slug}/users/{id}/deactivation`
///
/// # Errors
/// Not found if they never belonged to the organization.
pub async fn ask_deactivation(
    app: App,
    at: Manager,
    address: PersonPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let facts = app::users::find(&app, &at.who, id(&address)).await?;
    ending_confirm(&at, &facts, Ending::Deactivation).ask(at.shell(Nav::Users), is_dialog)
}

/// `GET /orgs/{slug}/users/{id}/removal`
///
/// # Errors
/// Not found if they never belonged to the organization.
pub async fn ask_removal(
    app: App,
    at: Manager,
    address: PersonPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let facts = app::users::find(&app, &at.who, id(&address)).await?;
    ending_confirm(&at, &facts, Ending::Removal).ask(at.shell(Nav::Users), is_dialog)
}

/// `POST /orgs/{slug}/users/{id}/deactivation`
///
/// # Errors
/// Not found if they never belonged to the organization.
pub async fn deactivate(
    app: App,
    at: Manager,
    address: PersonPath,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    end(&app, &at, id(&address), Ending::Deactivation).await
}

/// `POST /orgs/{slug}/users/{id}/removal`
///
/// # Errors
/// Not found if they never belonged to the organization.
pub async fn remove(app: App, at: Manager, address: PersonPath, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    end(&app, &at, id(&address), Ending::Removal).await
}

async fn end(app: &App, at: &Manager, id: MembershipId, ending: Ending) -> Result<HttpResponse, WebError> {
    match app::users::end(app, &at.who, id, ending, at.source.clone()).await {
        Ok(has_changed) => Ok(match ending {
            Ending::Removal => notice::see(&path::users(at.slug()), &Notice::Removed(id.0)),
            Ending::Deactivation => {
                let notice = if has_changed { Notice::Deactivated } else { Notice::Unchanged };
                notice::see(&path::person(at.slug(), id.0), &notice)
            }
        }),
        Err(error) => {
            let refused = Refused::new(error)?;
            let facts = app::users::find(app, &at.who, id).await?;
            ending_confirm(at, &facts, ending).ask_again(at.shell(Nav::Users), &refused)
        }
    }
}

fn ending_confirm(at: &Manager, facts: &PersonFacts, ending: Ending) -> Confirm {
    let t = at.t();
    let (slug, name, id) = (at.slug(), &facts.person.name, facts.person.membership.0);
    let organization = &at.who.membership().organization_name;
    let is_you = facts.person.user == at.who.actor().user().id;
    let (title, heading, action, submit, afterwards) = match ending {
        Ending::Deactivation => (
            t.users_person_deactivate_title(),
            t.users_person_deactivate_heading(name),
            path::deactivation(slug, id),
            t.users_person_deactivate(),
            t.users_person_can_return(),
        ),
        Ending::Removal => (
            t.users_person_remove_title(),
            t.users_person_remove_heading(name, organization),
            path::removal(slug, id),
            t.users_person_remove(),
            t.users_person_needs_invitation(),
        ),
    };
    let mut text = what_stops(t, facts);
    if is_you {
        text.insert(0, t.users_person_stops_yourself().to_owned());
    }
    text.push(afterwards.to_owned());
    let confirm = Confirm {
        title: title.to_owned(),
        heading,
        text,
        action,
        offer: Offer::End(submit),
        cancel: path::person(slug, id),
        ..Confirm::default()
    };
    match facts.refusal.clone() {
        Some(problem) => confirm.impossible(Some(t.problem(at.kinds(), Field::Form, problem)), t.common_close()),
        None => confirm,
    }
}

/// Returns what stops when somebody's access ends, one sentence each.
fn what_stops(t: Texts, facts: &PersonFacts) -> Vec<String> {
    let mut lines = vec![match facts.tokens {
        0 => t.users_person_stops_no_tokens().to_owned(),
        tokens => t.users_person_stops_tokens(tokens),
    }];
    if facts.sessions > 0 && facts.person.standing == Standing::Active {
        lines.push(t.users_person_stops_sessions(facts.sessions));
    }
    if facts.invitations > 0 {
        lines.push(t.users_person_stops_invitations(facts.invitations));
    }
    lines
}

/// The password, if it was required.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    password: Option<String>,
}

/// `GET /orgs/{slug}/users/{id}/reactivation`
///
/// # Errors
/// Not found if they never belonged to the organization.
pub async fn ask_reactivation(
    app: App,
    at: Manager,
    address: PersonPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let facts = app::users::find(&app, &at.who, id(&address)).await?;
    reactivation_confirm(&app, &at, &facts).ask(at.shell(Nav::Users), is_dialog)
}

/// `POST /orgs/{slug}/users/{id}/reactivation`
///
/// # Errors
/// Not found if they do not belong to the organization.
pub async fn reactivate(
    app: App,
    at: Manager,
    address: PersonPath,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    let id = id(&address);
    match app::users::reactivate(&app, &at.who, id, typed.password, at.source.clone()).await {
        Ok(has_changed) => {
            let notice = if has_changed { Notice::Reactivated } else { Notice::Unchanged };
            Ok(notice::see(&path::person(at.slug(), id.0), &notice))
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let facts = app::users::find(&app, &at.who, id).await?;
            reactivation_confirm(&app, &at, &facts).ask_again(at.shell(Nav::Users), &refused)
        }
    }
}

fn reactivation_confirm(app: &App, at: &Manager, facts: &PersonFacts) -> Confirm {
    let (t, person) = (at.t(), &facts.person);
    Confirm {
        title: t.users_person_reactivate_title().to_owned(),
        heading: t.users_person_reactivate_heading(&person.name),
        text: vec![t.users_person_comes_back(t.set_name(&person.set.name))],
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        action: path::reactivation(at.slug(), person.membership.0),
        offer: Offer::Do(t.users_person_reactivate()),
        cancel: path::person(at.slug(), person.membership.0),
        ..Confirm::default()
    }
}
