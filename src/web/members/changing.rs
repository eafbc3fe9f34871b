//! Adding people to a group or site, and taking them out.

use super::{Asked, MembersPage, Place, members_page, wrong_entries};
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::Holding,
    notice::{self, Notice},
    page::{IsHtmx, page_with},
    sign_in::Nothing,
    words::Errors,
};
use actix_web::{HttpResponse, http::StatusCode, web::Path};
use app::{
    authority::Caller,
    members::{self, Outcome},
};
use domain::organization::MembershipId;
use serde::Deserialize;

/// The list of people, as pasted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    people: String,
}

fn there<A: Place>(at: &Holding<A>, id: &str) -> String {
    A::with(at.slug(), &[("id", id)])
}

/// `POST /orgs/{slug}/{groups,sites}/{id}/members`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn add<A: Place>(
    app: App,
    at: Holding<A>,
    address: Path<(String, String)>,
    Form(typed): Form<Listed>,
) -> Result<HttpResponse, WebError> {
    let id = &address.1;
    let caller = Caller::from(&at.who);
    match members::add_pasted(&app, &caller, id, &typed.people, at.source.clone()).await {
        Ok(Outcome::Done { changed, .. }) => Ok(notice::see(&there(&at, id), &Notice::PeopleAdded(changed))),
        Ok(Outcome::Refused(wrong)) => {
            let page = members_page(&app, &at, id, &Asked::default()).await?;
            let wrong = Some(wrong_entries(page.shell.t, &wrong));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &MembersPage { listed: typed.people, wrong, ..page })
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let page = members_page(&app, &at, id, &Asked::default()).await?;
            let errors = Errors::new(page.shell.t, &refused.problems);
            refused.page(&MembersPage { listed: typed.people, errors, ..page })
        }
    }
}

/// `POST …/members/{member}/removal`
///
/// # Errors
/// Not found if either does not exist or belongs to another organization.
pub async fn remove<A: Place>(
    app: App,
    at: Holding<A>,
    address: Path<(String, String, i64)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let (_, id, member) = &*address;
    let caller = Caller::from(&at.who);
    match members::remove_one(&app, &caller, id, MembershipId(*member), at.source.clone()).await {
        Ok((_, was_in)) => Ok(notice::see(&there(&at, id), &Notice::PeopleRemoved(was_in.into()))),
        Err(error) => {
            let refused = Refused::new(error)?;
            let page = members_page(&app, &at, id, &Asked::default()).await?;
            let errors = Errors::new(page.shell.t, &refused.problems);
            refused.page(&MembersPage { errors, ..page })
        }
    }
}

/// `GET …/emptying`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_emptying<A: Place>(
    app: App,
    at: Holding<A>,
    address: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    confirm(&app, &at, &address.1).await?.ask(at.shell(A::NAV), is_dialog)
}

async fn confirm<A: Place>(app: &App, at: &Holding<A>, id: &str) -> Result<Confirm, WebError> {
    let head = A::head(app, at, id).await?;
    let (heading, effect) = A::emptying(at.t(), &head.name, head.count);
    Ok(Confirm {
        title: heading.clone(),
        heading,
        text: vec![effect],
        action: A::part(at.slug(), id, "emptying"),
        offer: Offer::End(at.t().members_remove_all()),
        cancel: there(at, id),
        ..Confirm::default()
    })
}

/// `POST …/emptying`
///
/// # Errors
/// As [`confirm_emptying`].
pub async fn empty<A: Place>(
    app: App,
    at: Holding<A>,
    address: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let id = &address.1;
    match members::empty(&app, &Caller::from(&at.who), id, at.source.clone()).await {
        Ok(count) => Ok(notice::see(&there(&at, id), &Notice::PeopleRemoved(count))),
        Err(error) => {
            let refused = Refused::new(error)?;
            confirm(&app, &at, id).await?.ask_again(at.shell(A::NAV), &refused)
        }
    }
}
