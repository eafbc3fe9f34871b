//! Giving an item to another owner: a question first, as a page or in a dialog.

use super::{Here, One};
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::AtWork,
    notice::{self, Notice},
    page::IsHtmx,
    shell::Shell,
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::{AppError, items::Found};
use askama::Template;
use domain::kind::CommonAction;
use serde::Deserialize;

/// To whom, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct To {
    recipient: String,
}

/// The field of the question.
#[derive(Template)]
#[template(path = "items/_owner.html")]
struct OwnerField {
    shell: Shell,
    recipient: String,
    errors: Errors,
}

/// `GET /orgs/{slug}/items/{kind}/{id}/owner`
///
/// # Errors
/// Not found if they reach no such item; refused with a level below *manage*.
pub async fn ask_owner(
    app: App,
    at: AtWork,
    one: Path<One>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
    here.must(CommonAction::Share, found.level)?;
    question(&here, &found, To::default(), Errors::default()).ask(here.shell(), is_dialog)
}

/// `POST /orgs/{slug}/items/{kind}/{id}/owner`
///
/// # Errors
/// As [`ask_owner`].
pub async fn give(app: App, at: AtWork, one: Path<One>, Form(to): Form<To>) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let source = here.at.source.clone();
    let error = match app::items::give(&app, &here.by, &one.kind, one.key(), &to.recipient, source).await {
        Ok(_) => {
            // Whoever gave it away may not reach it any more.
            let seen = app::items::find(&app, &here.by, &one.kind, one.key()).await;
            let page = if matches!(seen, Err(AppError::NotFound)) { here.list() } else { here.item(&one.id) };
            return Ok(notice::see(&page, &Notice::Given));
        }
        Err(error) => error,
    };
    let refused = Refused::new(error)?;
    let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
    let errors = Errors::named(here.t(), here.at.kinds(), &refused.problems);
    question(&here, &found, to, errors.clone()).ask_again_with(here.shell(), &refused, errors)
}

fn question(here: &Here, found: &Found, to: To, errors: Errors) -> Confirm<OwnerField> {
    let (t, item) = (here.t(), &found.item);
    let heading = t.items_give_heading(&item.name);
    let confirm = Confirm {
        title: heading.clone(),
        heading,
        text: vec![t.items_give_text().to_owned()],
        action: here.part(&item.public_id, "owner"),
        offer: Offer::Do(t.items_give()),
        cancel: here.item(&item.public_id),
        ..Confirm::default()
    };
    confirm.with(OwnerField { shell: here.shell(), recipient: to.recipient, errors })
}
