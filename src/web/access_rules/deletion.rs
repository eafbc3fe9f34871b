//! Deleting an access rule: a confirmation that says who loses what.

use super::Manager;
use crate::{
    App,
    confirm::{Confirm, Offer},
    effects::Effects,
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    shell::Nav,
};
use actix_web::{HttpResponse, web::Path};
use app::authority::Caller;
use askama::Template;
use serde::Deserialize;

/// What the page has shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shown {
    version: String,
}

/// What the confirmation has beside its question.
#[derive(Template)]
#[template(path = "access_rules/_deletion.html")]
struct Fields {
    version: i64,
    effects: Effects,
}

/// `GET /orgs/{slug}/access-rules/{id}/deletion`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_deletion(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    confirm(&app, &at, &address.1).await?.ask(at.shell(Nav::AccessRules), is_dialog)
}

async fn confirm(app: &App, at: &Manager, id: &str) -> Result<Confirm<Fields>, WebError> {
    let found = app::access_rules::deletion(app, &Caller::from(&at.who), id).await?;
    let (t, rule) = (at.t(), &found.rule);
    let mut told = t.losses(&found.effect);
    told.lines.push(t.covers_now(found.items));
    let question = Confirm {
        title: t.access_rules_delete_heading().to_owned(),
        heading: t.access_rules_delete_heading().to_owned(),
        text: vec![t.rule_in_full(at.kinds(), rule)],
        action: path::access_rule_deletion(at.slug(), &rule.stored.public_id),
        offer: Offer::End(t.access_rules_delete()),
        cancel: path::access_rules(at.slug()),
        ..Confirm::default()
    };
    let effects = Effects { told, after: t.access_rules_delete_after() };
    Ok(question.with(Fields { version: rule.stored.version, effects }))
}

/// `POST /orgs/{slug}/access-rules/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    Form(shown): Form<Shown>,
) -> Result<HttpResponse, WebError> {
    // A version that cannot be read is none that there is.
    let version = Some(shown.version.parse().unwrap_or(0));
    let caller = Caller::from(&at.who);
    match app::access_rules::delete(&app, &caller, &address.1, version, at.source.clone()).await {
        Ok(()) => Ok(notice::see(&path::access_rules(at.slug()), &Notice::Deleted)),
        Err(error) => {
            let refused = Refused::new(error)?;
            confirm(&app, &at, &address.1).await?.ask_again(at.shell(Nav::AccessRules), &refused)
        }
    }
}
