//! What somebody typed into a form that they may not send any more: a share has ended, a permission is gone, the item is
//! deleted. Nothing is said about the item but what they have sent.

use super::{Here, form::Filled};
use crate::{errors::WebError, page::page_with, shell::Shell};
use actix_web::{HttpResponse, ResponseError};
use app::AppError;
use askama::Template;

/// What was typed, to be copied.
#[derive(Template)]
#[template(path = "items/lost.html")]
struct LostPage {
    shell: Shell,
    list: String,
    plural: String,
    typed: String,
}

/// Returns whether an error says that they may not do it, so that what they typed would be lost.
pub fn is_lost(error: &AppError) -> bool {
    matches!(error, AppError::NotFound | AppError::Refused(_))
}

/// Returns the page with what was typed.
///
/// # Errors
/// The error itself if nothing was typed.
pub fn page(here: &Here, filled: &Filled, error: AppError) -> Result<HttpResponse, WebError> {
    let (typed, error) = (text(here, filled), WebError::from(error));
    if typed.is_empty() {
        return Err(error);
    }
    let page = LostPage { shell: here.shell(), list: here.list(), plural: here.plural(), typed };
    page_with(error.status_code(), &page)
}

/// Returns everything that people type, a paragraph for each field.
fn text(here: &Here, filled: &Filled) -> String {
    let t = here.t();
    let typed = &filled.typed;
    let mut parts = vec![
        (t.common_name().to_owned(), typed.name.clone()),
        (t.items_description().to_owned(), typed.description.clone()),
        (t.common_external_id().to_owned(), typed.external_id.clone()),
    ];
    for field in &filled.questions.fields {
        parts.push((t.fields_question().to_owned(), field.label.clone()));
        parts.push((t.fields_choices().to_owned(), field.choices.clone()));
        parts.push((t.fields_help().to_owned(), field.help.clone()));
    }
    // The form brings the label of each answer before it.
    let mut label = "";
    for (name, value) in &filled.pairs {
        match name.strip_prefix("label-") {
            Some(_) => label = value,
            None if name.starts_with("answer-") => parts.push((label.to_owned(), value.clone())),
            None => {}
        }
    }
    let written = parts.iter().filter(|(_, value)| !value.trim().is_empty());
    written.map(|(label, value)| format!("{label}\n{value}")).collect::<Vec<_>>().join("\n\n")
}
