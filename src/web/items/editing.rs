//! Changing an item. An inspection is conducted instead.

use super::{
    Here, One, conducting,
    form::{About, Filled, FormPage, Typed, now},
    lost,
};
use crate::{
    App,
    errors::WebError,
    fields::Pairs,
    form::{FormWith, Refused},
    holder::AtWork,
    notice::{self, Notice},
    page::page,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    items::Found,
    problem::{Field, Problem, Problems},
};
use domain::kind::CommonAction;

/// `GET /orgs/{slug}/items/{kind}/{id}/edit`
///
/// # Errors
/// Not found if they reach no such item; refused with a level below *edit*.
pub async fn edit(app: App, at: AtWork, one: Path<One>, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
    here.must(CommonAction::Edit, found.level)?;
    if here.kind.is_inspections() {
        return conducting::show(&app, &here, &found, notice).await;
    }
    let filled = Filled::of(here.t(), &found);
    page(&edit_page(&app, &here, &found, filled, &Problems::default()).await?)
}

/// `POST /orgs/{slug}/items/{kind}/{id}/edit`
///
/// # Errors
/// As [`edit`]; what was typed is shown then.
pub async fn save(
    app: App,
    at: AtWork,
    one: Path<One>,
    FormWith(typed, pairs): FormWith<Typed, Pairs>,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let filled = Filled::sent(typed, pairs);
    let found = match app::items::find(&app, &here.by, &one.kind, one.key()).await {
        Ok(found) => found,
        Err(error) if lost::is_lost(&error) => return lost::page(&here, &filled, error),
        Err(error) => return Err(error.into()),
    };
    if here.kind.is_inspections() {
        return conducting::save(&app, &here, found, filled).await;
    }
    if let Some(arranged) = filled.arranged() {
        here.must(CommonAction::Edit, found.level)?;
        return page(&edit_page(&app, &here, &found, arranged, &Problems::default()).await?);
    }
    let change = filled.change(&here, &found);
    match app::items::change(&app, &here.by, &one.kind, one.key(), change, here.at.source.clone()).await {
        Ok(_) => Ok(notice::see(&here.item(&one.id), &Notice::Saved)),
        Err(error) if lost::is_lost(&error) => lost::page(&here, &filled, error),
        Err(error) => {
            let refused = Refused::new(error)?;
            let (found, filled, now) = meanwhile(&app, &here, found, filled, &refused).await?;
            let page = edit_page(&app, &here, &found, filled, &refused.problems).await?;
            refused.page(&FormPage { now, ..page })
        }
    }
}

/// Returns the item and the form as they are shown after a refusal: if somebody else has changed the item, with what
/// it is now, and with its version, so that whoever has seen it may overwrite it.
pub(super) async fn meanwhile(
    app: &App,
    here: &Here,
    found: Found,
    filled: Filled,
    refused: &Refused,
) -> Result<(Found, Filled, Vec<super::form::Now>), WebError> {
    if refused.problems.at(Field::Form) != Some(Problem::ChangedMeanwhile) {
        return Ok((found, filled, Vec::new()));
    }
    let id = found.item.public_id.as_str();
    let found = app::items::find(app, &here.by, here.kind.key(), id.into()).await?;
    let now = now(app, here, &found, &filled).await?;
    let typed = Typed { version: found.item.version.to_string(), ..filled.typed };
    Ok((found, Filled { typed, ..filled }, now))
}

async fn edit_page(
    app: &App,
    here: &Here,
    found: &Found,
    filled: Filled,
    problems: &Problems,
) -> Result<FormPage, WebError> {
    let (t, item) = (here.t(), &found.item);
    let is_answered = here.kind.is_templates() && app::items::is_answered(app, item).await?;
    let about = About {
        form: &found.form,
        before: &found.contents.answers,
        is_answered,
        is_own: item.organization == here.by.organization(),
    };
    let page = FormPage::new(app, here, about, filled, problems).await?;
    Ok(FormPage {
        title: t.items_edit_title(&item.name),
        lead: if is_answered { t.items_edit_template_lead() } else { "" },
        back: (here.item(&item.public_id), item.name.clone()),
        action: here.part(&item.public_id, "edit"),
        ..page
    })
}
