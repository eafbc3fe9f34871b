//! Archiving and deleting an item.

use super::{Here, One};
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::AtWork,
    notice::{self, Notice},
    page::IsHtmx,
    sign_in::Nothing,
};
use actix_web::{HttpResponse, web::Path};
use app::items::Found;
use domain::{access::Refusal, kind::CommonAction};
use serde::Deserialize;

/// Whether the item should be archived.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    archived: String,
}

/// `POST /orgs/{slug}/items/{kind}/{id}/archive`: archives it, or with an empty `archived` takes it out of the archive.
///
/// # Errors
/// Not found if they reach no such item.
pub async fn archive(
    app: App,
    at: AtWork,
    one: Path<One>,
    Form(wanted): Form<Wanted>,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let (is_archived, source) = (!wanted.archived.is_empty(), here.at.source.clone());
    // It ends up as it was asked for, whatever others have changed.
    app::items::archive(&app, &here.by, &one.kind, one.key(), is_archived, None, source).await?;
    let notice = if is_archived { Notice::Archived } else { Notice::Unarchived };
    Ok(notice::see(&here.item(&one.id), &notice))
}

/// `GET /orgs/{slug}/items/{kind}/{id}/deletion`
///
/// # Errors
/// Not found if they reach no such item.
pub async fn confirm_deletion(
    app: App,
    at: AtWork,
    one: Path<One>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
    if !here.may(CommonAction::Delete, found.level) {
        return Err(app::AppError::Refused(Refusal::LevelMissing(CommonAction::Delete.level())).into());
    }
    confirm(&here, &found).ask(here.shell(), is_dialog)
}

fn confirm(here: &Here, found: &Found) -> Confirm {
    let (t, item) = (here.t(), &found.item);
    let heading = t.items_delete_heading(&item.name);
    let mut text = vec![t.items_delete_text().to_owned()];
    if here.kind.is_templates() {
        text.push(t.items_delete_template().to_owned());
    }
    text.push(t.items_delete_for_good().to_owned());
    Confirm {
        title: heading.clone(),
        heading,
        text,
        action: here.part(&item.public_id, "deletion"),
        offer: Offer::End(t.items_delete()),
        cancel: here.item(&item.public_id),
        ..Confirm::default()
    }
}

/// `POST /orgs/{slug}/items/{kind}/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(app: App, at: AtWork, one: Path<One>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let source = here.at.source.clone();
    match app::items::delete(&app, &here.by, &one.kind, one.key(), None, source).await {
        Ok(_) => Ok(notice::see(&here.list(), &Notice::Deleted)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
            confirm(&here, &found).ask_again(here.shell(), &refused)
        }
    }
}
