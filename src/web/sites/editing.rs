//! Creating, renaming, moving and deleting a site.

use super::Manager;
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::{IsHtmx, page},
    routes::path,
    shell::{Nav, Shell},
    sign_in::Nothing,
    words::Errors,
};
use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use app::{
    AppError,
    authority::Caller,
    problem::{Field, Problem},
    sites::{Change, SiteFacts, SiteForm},
};
use askama::Template;
use domain::site::{CountedSite, Site, SiteId};
use serde::Deserialize;
use std::collections::HashMap;

/// What the form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    New,
    Name,
    Place,
}

/// The form.
#[derive(Template)]
#[template(path = "sites/form.html")]
struct FormPage {
    shell: Shell,
    purpose: Purpose,
    /// The current name; empty for a new site.
    name: String,
    action: String,
    cancel: String,
    typed: SiteForm,
    /// Where it may be: public id, name with what it is in, whether it is chosen.
    places: Vec<(String, String, bool)>,
    errors: Errors,
    /// The current name and place, if somebody else has changed them.
    now: Option<(String, String)>,
}

/// The place of a new site.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    parent: String,
}

/// `GET /orgs/{slug}/sites/new`
///
/// # Errors
/// Not found if the site that it should be in does not exist or belongs to another organization.
pub async fn new(app: App, at: Manager, Query(asked): Query<Asked>) -> Result<HttpResponse, WebError> {
    if !asked.parent.is_empty() {
        app::sites::find(&app, &Caller::from(&at.who), &asked.parent).await?;
    }
    let typed = SiteForm { parent: asked.parent, ..SiteForm::default() };
    page(&new_form(&app, &at, typed, Errors::default()).await?)
}

/// `POST /orgs/{slug}/sites`
///
/// # Errors
/// As [`new`].
pub async fn create(app: App, at: Manager, Form(typed): Form<SiteForm>) -> Result<HttpResponse, WebError> {
    let caller = Caller::from(&at.who);
    match app::sites::create(&app, &caller, &typed.name, &typed.parent, at.source.clone()).await {
        Ok(id) => Ok(notice::see(&path::site(at.slug(), &id), &Notice::Created)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(at.t(), &refused.problems);
            refused.page(&new_form(&app, &at, typed, errors).await?)
        }
    }
}

async fn new_form(app: &App, at: &Manager, typed: SiteForm, errors: Errors) -> Result<FormPage, WebError> {
    let all = app::sites::all(app, &Caller::from(&at.who)).await?;
    let cancel = match typed.parent.as_str() {
        "" => path::sites(at.slug()),
        parent => path::site(at.slug(), parent),
    };
    Ok(FormPage {
        purpose: Purpose::New,
        name: String::new(),
        action: path::sites(at.slug()),
        cancel,
        places: places(at, &all, None, &typed.parent),
        typed,
        errors,
        now: None,
        shell: at.shell(Nav::Sites),
    })
}

/// Returns where a site can be: everywhere but in itself and below itself.
fn places(at: &Manager, all: &[CountedSite], own: Option<SiteId>, chosen: &str) -> Vec<(String, String, bool)> {
    let sites: HashMap<SiteId, &Site> = all.iter().map(|one| (one.site.id, &one.site)).collect();
    let way = |site: &Site| {
        let mut way = vec![site.name.as_str()];
        let mut next = site.parent;
        let mut is_own = Some(site.id) == own;
        while let Some(above) = next.and_then(|id| sites.get(&id)) {
            is_own |= Some(above.id) == own;
            way.push(&above.name);
            next = above.parent;
        }
        way.reverse();
        (!is_own).then(|| (site.public_id.clone(), way.join(" › "), site.public_id == chosen))
    };
    let mut places: Vec<_> = all.iter().filter_map(|one| way(&one.site)).collect();
    places.sort_by_cached_key(|(_, way, _)| domain::text::searchable(way));
    places.insert(0, (String::new(), at.t().sites_parent_none().to_owned(), chosen.is_empty()));
    places
}

/// `GET /orgs/{slug}/sites/{id}/name`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit_name(app: App, at: Manager, address: Path<(String, String)>) -> Result<HttpResponse, WebError> {
    edit(&app, &at, &address.1, Purpose::Name).await
}

/// `GET /orgs/{slug}/sites/{id}/place`
///
/// # Errors
/// As [`edit_name`].
pub async fn choose_place(app: App, at: Manager, address: Path<(String, String)>) -> Result<HttpResponse, WebError> {
    edit(&app, &at, &address.1, Purpose::Place).await
}

async fn edit(app: &App, at: &Manager, id: &str, purpose: Purpose) -> Result<HttpResponse, WebError> {
    let facts = app::sites::find(app, &Caller::from(&at.who), id).await?;
    let site = &facts.counted.site;
    let typed = SiteForm {
        name: site.name.clone(),
        parent: facts.above.last().map(|parent| parent.public_id.clone()).unwrap_or_default(),
        version: site.version.to_string(),
    };
    page(&change_form(app, at, &facts, purpose, typed, Errors::default()).await?)
}

async fn change_form(
    app: &App,
    at: &Manager,
    facts: &SiteFacts,
    purpose: Purpose,
    typed: SiteForm,
    errors: Errors,
) -> Result<FormPage, WebError> {
    let site = &facts.counted.site;
    let places = match purpose {
        Purpose::Place => {
            let all = app::sites::all(app, &Caller::from(&at.who)).await?;
            places(at, &all, Some(site.id), &typed.parent)
        }
        Purpose::Name | Purpose::New => Vec::new(),
    };
    let part = if purpose == Purpose::Place { "place" } else { "name" };
    Ok(FormPage {
        purpose,
        name: site.name.clone(),
        action: path::site_part(at.slug(), &site.public_id, part),
        cancel: path::site(at.slug(), &site.public_id),
        places,
        typed,
        errors,
        now: None,
        shell: at.shell(Nav::Sites),
    })
}

/// `POST /orgs/{slug}/sites/{id}/name`
///
/// # Errors
/// As [`edit_name`].
pub async fn rename(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    Form(typed): Form<SiteForm>,
) -> Result<HttpResponse, WebError> {
    let change = Change { name: Some(typed.name.clone()), ..Change::default() };
    save(&app, &at, &address.1, Purpose::Name, typed, change).await
}

/// `POST /orgs/{slug}/sites/{id}/place`
///
/// # Errors
/// As [`edit_name`]; not found also if the site that it should be in does not exist or belongs to another organization.
pub async fn relocate(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    Form(typed): Form<SiteForm>,
) -> Result<HttpResponse, WebError> {
    let change = Change { parent: Some(typed.parent.clone()), ..Change::default() };
    save(&app, &at, &address.1, Purpose::Place, typed, change).await
}

async fn save(
    app: &App,
    at: &Manager,
    id: &str,
    purpose: Purpose,
    typed: SiteForm,
    change: Change,
) -> Result<HttpResponse, WebError> {
    let caller = Caller::from(&at.who);
    // A version that cannot be read is none that there is.
    let change = Change { version: Some(typed.version.parse().unwrap_or(0)), ..change };
    let Err(error) = app::sites::change(app, &caller, id, change, at.source.clone()).await else {
        let notice = if purpose == Purpose::Place { Notice::Moved } else { Notice::Saved };
        return Ok(notice::see(&path::site(at.slug(), id), &notice));
    };
    let refused = Refused::new(error)?;
    let facts = app::sites::find(app, &caller, id).await?;
    let errors = Errors::new(at.t(), &refused.problems);
    let is_stale = refused.problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
    let above = facts.above.last().map_or_else(|| at.t().sites_parent_none().to_owned(), |parent| parent.name.clone());
    let now = is_stale.then(|| (facts.counted.site.name.clone(), above));
    // What it is now is shown beside what was typed, so the next form may replace it.
    let version = if is_stale { facts.counted.site.version.to_string() } else { typed.version.clone() };
    let form = change_form(app, at, &facts, purpose, SiteForm { version, ..typed }, errors).await?;
    refused.page(&FormPage { now, ..form })
}

/// `GET /orgs/{slug}/sites/{id}/deletion`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_deletion(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let facts = app::sites::find(&app, &Caller::from(&at.who), &address.1).await?;
    confirm(&at, &facts).ask(at.shell(Nav::Sites), is_dialog)
}

fn confirm(at: &Manager, facts: &SiteFacts) -> Confirm {
    let (t, CountedSite { site, people }) = (at.t(), &facts.counted);
    let heading = t.sites_delete_heading(&site.name);
    let effect = match people.here {
        0 => t.sites_delete_nobody().to_owned(),
        here => t.sites_delete_text(here),
    };
    let confirm = Confirm {
        title: heading.clone(),
        heading,
        text: vec![effect, t.sites_delete_for_good().to_owned()],
        action: path::site_part(at.slug(), &site.public_id, "deletion"),
        offer: Offer::End(t.sites_delete()),
        cancel: path::site(at.slug(), &site.public_id),
        ..Confirm::default()
    };
    match facts.inside.as_slice() {
        [] => confirm,
        _ => confirm.impossible(Some(t.problem(&[], Field::Form, Problem::HasSites)), t.common_close()),
    }
}

/// `POST /orgs/{slug}/sites/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let caller = Caller::from(&at.who);
    let deleted: Result<(), AppError> = app::sites::delete(&app, &caller, &address.1, None, at.source.clone()).await;
    match deleted {
        Ok(()) => Ok(notice::see(&path::sites(at.slug()), &Notice::Deleted)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let facts = app::sites::find(&app, &caller, &address.1).await?;
            confirm(&at, &facts).ask_again(at.shell(Nav::Sites), &refused)
        }
    }
}
