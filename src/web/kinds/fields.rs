//! The fields of a kind: what people are asked for when they make or change one of its items.

use super::{Editor, Of, name_of};
use crate::{
    App,
    errors::WebError,
    fields::{self, FieldsPart, Pairs},
    form::{FormWith, Refused},
    notice::{self, Notice},
    page::page,
    routes::path,
    shell::{Nav, Shell},
    summary::Summary,
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    authority::Caller,
    kinds::KindFields,
    problem::{Field, Problem, Problems},
};
use askama::Template;
use domain::field::TypedForm;
use serde::Deserialize;

/// What is sent besides the fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shown {
    version: String,
    /// The button that was pressed, if it saves nothing.
    step: String,
}

/// The form.
#[derive(Template)]
#[template(path = "kinds/fields.html")]
struct FieldsPage {
    shell: Shell,
    name: String,
    title: String,
    action: String,
    cancel: String,
    version: String,
    summary: Option<Summary>,
    /// The fields as they are now, if somebody else has changed them.
    now: Vec<(String, Vec<String>)>,
    part: FieldsPart,
}

/// `GET /orgs/{slug}/kinds/{key}/fields`
///
/// # Errors
/// Not found for a kind that is not there, and for one whose items have questions.
pub async fn edit(app: App, at: Editor, of: Path<Of>) -> Result<HttpResponse, WebError> {
    let now = app::kinds::fields(&app, at.who.grant().organization(), &of.key).await?;
    let (typed, version) = (TypedForm::from(&now.form), now.version.to_string());
    page(&fields_page(&app, &at, &of.key, &now, (typed, version, String::new()), &Problems::default()).await?)
}

/// `POST /orgs/{slug}/kinds/{key}/fields`
///
/// # Errors
/// As [`edit`].
pub async fn save(
    app: App,
    at: Editor,
    of: Path<Of>,
    FormWith(shown, pairs): FormWith<Shown, Pairs>,
) -> Result<HttpResponse, WebError> {
    let organization = at.who.grant().organization();
    let (typed, key) = (fields::typed(&pairs), of.key.as_str());
    if let Some(arranged) = fields::arranged(typed.clone(), &shown.step) {
        let now = app::kinds::fields(&app, organization, key).await?;
        let form = (arranged.form, shown.version, arranged.focus);
        return page(&fields_page(&app, &at, key, &now, form, &Problems::default()).await?);
    }
    let version = Some(shown.version.parse().unwrap_or(-1));
    let by = Caller::from(&at.who);
    match app::kinds::change_fields(&app, &by, key, typed.clone(), version, at.source.clone()).await {
        Ok(_) => Ok(notice::see(&path::kind(at.slug(), key), &Notice::FieldsSaved)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let now = app::kinds::fields(&app, organization, key).await?;
            let is_stale = refused.problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
            // Whoever has seen the current version may overwrite it.
            let version = if is_stale { now.version.to_string() } else { shown.version };
            let form = (typed, version, String::new());
            let mut page = fields_page(&app, &at, key, &now, form, &refused.problems).await?;
            if is_stale {
                let labels = now.form.fields().iter().map(|field| field.label.clone());
                page.now = vec![(at.t().kinds_fields().to_owned(), labels.collect())];
            }
            refused.page(&page)
        }
    }
}

async fn fields_page(
    app: &App,
    at: &Editor,
    key: &str,
    now: &KindFields,
    (typed, version, focus): (TypedForm, String, String),
    problems: &Problems,
) -> Result<FieldsPage, WebError> {
    let t = at.t();
    let name = name_of(app, at, key).await?;
    let keys = now.form.fields().iter().map(|field| field.key.to_string());
    let locked = if now.is_answered { keys.collect() } else { Default::default() };
    let wrong = match problems.at(Field::Questions) {
        Some(Problem::Questions(wrong)) => wrong,
        _ => Vec::new(),
    };
    let part = FieldsPart::new(t, (fields::Of::Kind, at.kinds()), &typed, &locked, &wrong, focus);
    let errors = Errors::named(t, at.kinds(), problems);
    Ok(FieldsPage {
        shell: at.shell(Nav::Kinds),
        title: t.kinds_fields_title(&name),
        name,
        action: path::kind_part(at.slug(), key, "fields"),
        cancel: path::kind(at.slug(), key),
        version,
        summary: Summary::new(t, &errors, part.links(t)),
        now: Vec::new(),
        part,
    })
}
