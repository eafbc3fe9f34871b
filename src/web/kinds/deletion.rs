//! Deleting a kind: a confirmation first, as a page of its own or, for htmx, as a dialog. It names who loses what.

use super::{Editor, Of, not_built_in};
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    shell::{Nav, Shell},
};
use actix_web::{HttpResponse, web::Path};
use app::{authority::Caller, kinds::Effects};
use askama::Template;
use domain::kind::StoredKind;
use serde::Deserialize;

/// What the page has shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shown {
    affected: String,
}

/// Who loses what, in a confirmation.
#[derive(Template)]
#[template(path = "kinds/_deletion.html")]
struct Fields {
    shell: Shell,
    effects: Effects,
}

/// `GET /orgs/{slug}/kinds/{key}/deletion`
///
/// # Errors
/// Not found if the organization has no such kind, or it is built in.
pub async fn confirm_deletion(
    app: App,
    at: Editor,
    of: Path<Of>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    confirm(&app, &at, &of.key).await?.ask(at.shell(Nav::Kinds), is_dialog)
}

async fn confirm(app: &App, at: &Editor, key: &str) -> Result<Confirm<Fields>, WebError> {
    not_built_in(key)?;
    let (stored, effects) = app::kinds::deletion(app, &Caller::from(&at.who), key).await?;
    Ok(question(at, &stored).with(Fields { shell: at.shell(Nav::Kinds), effects }))
}

fn question(at: &Editor, stored: &StoredKind) -> Confirm {
    let (t, key) = (at.t(), stored.kind.key.as_str());
    let heading = t.kinds_delete_heading(&stored.kind.plural);
    Confirm {
        title: heading.clone(),
        heading,
        text: vec![t.kinds_delete_text().to_owned()],
        action: path::kind_part(at.slug(), key, "deletion"),
        offer: Offer::End(t.kinds_delete()),
        cancel: path::kind(at.slug(), key),
        ..Confirm::default()
    }
}

/// `POST /orgs/{slug}/kinds/{key}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(app: App, at: Editor, of: Path<Of>, Form(shown): Form<Shown>) -> Result<HttpResponse, WebError> {
    not_built_in(&of.key)?;
    match app::kinds::delete(&app, &Caller::from(&at.who), &of.key, Some(shown.affected), at.source.clone()).await {
        Ok(_) => Ok(notice::see(&path::kinds(at.slug()), &Notice::Deleted)),
        Err(error) => {
            let refused = Refused::new(error)?;
            confirm(&app, &at, &of.key).await?.ask_again(at.shell(Nav::Kinds), &refused)
        }
    }
}
