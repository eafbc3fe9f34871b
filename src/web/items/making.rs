//! Making an item.

use super::{
    Here, Of,
    form::{About, Filled, FormPage, Typed},
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
    AppError,
    problem::{Field, Problem, Problems},
};
use domain::field::Answers;

/// `GET /orgs/{slug}/items/{kind}/new`
///
/// # Errors
/// Not found for a kind that is not there, and for inspections, which start from a template.
pub async fn new(app: App, at: AtWork, of: Path<Of>) -> Result<HttpResponse, WebError> {
    let here = makes(at, &of.kind)?;
    let typed = Typed { nonce: app::items::form_nonce(), ..Typed::default() };
    page(&new_page(&app, &here, Filled { typed, ..Filled::default() }, &Problems::default()).await?)
}

/// `POST /orgs/{slug}/items/{kind}/new`
///
/// # Errors
/// As [`new`].
pub async fn create(
    app: App,
    at: AtWork,
    of: Path<Of>,
    FormWith(typed, pairs): FormWith<Typed, Pairs>,
) -> Result<HttpResponse, WebError> {
    let here = makes(at, &of.kind)?;
    let mut filled = Filled::sent(typed, pairs);
    if let Some(arranged) = filled.arranged() {
        return page(&new_page(&app, &here, arranged, &Problems::default()).await?);
    }
    if filled.typed.nonce.is_empty() {
        filled.typed.nonce = app::items::form_nonce();
    }
    match app::items::create(&app, &here.by, &of.kind, filled.form(), here.at.source.clone()).await {
        Ok(item) => Ok(notice::see(&here.item(&item.public_id), &Notice::Created)),
        Err(error) if lost::is_lost(&error) => lost::page(&here, &filled, error),
        Err(error) => {
            let refused = Refused::new(error)?;
            if refused.problems.at(Field::Form) == Some(Problem::MadeBefore) {
                filled.typed.nonce = app::items::form_nonce();
            }
            refused.page(&new_page(&app, &here, filled, &refused.problems).await?)
        }
    }
}

fn makes(at: AtWork, kind: &str) -> Result<Here, WebError> {
    let here = Here::new(at, kind)?;
    if here.kind.is_inspections() { Err(AppError::NotFound.into()) } else { Ok(here) }
}

async fn new_page(app: &App, here: &Here, filled: Filled, problems: &Problems) -> Result<FormPage, WebError> {
    let form = app::items::blank(app, &here.by, here.kind.key()).await?;
    let about = About { form: &form, before: &Answers::default(), is_answered: false, is_own: true };
    let page = FormPage::new(app, here, about, filled, problems).await?;
    let t = here.t();
    let lead = if here.kind.is_templates() { t.items_new_template_lead() } else { "" };
    Ok(FormPage { title: t.new_item(here.at.kinds(), &here.kind), lead, action: here.new_one(), is_new: true, ..page })
}
