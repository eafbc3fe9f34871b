//! The pages that show the description of the API to people, from the same document that programs get
//! ([`super::openapi`]): an overview, and a page for each part, where requests can be tried.

mod operation;

use super::{
    App,
    errors::WebError,
    openapi,
    page::page,
    routes::path,
    session::{SignedIn, Visitor},
    shell::{Nav, Shell},
};
use actix_web::{HttpRequest, HttpResponse, web};
use app::AppError;
use askama::Template;
use operation::{Operation, Who};
use serde_json::Value;

/// The overview.
#[derive(Template)]
#[template(path = "developers/overview.html")]
struct OverviewPage {
    shell: Shell,
    parts: Vec<Part>,
}

/// The page of a part.
#[derive(Template)]
#[template(path = "developers/part.html")]
struct PartPage {
    shell: Shell,
    part: Part,
    /// All parts, for the menu: address, name and whether it is this one.
    menu: Vec<(String, String, bool)>,
}

impl PartPage {
    /// Who may ask.
    fn who(&self, operation: &Operation) -> &'static str {
        let t = self.shell.t;
        match operation.who {
            Who::Anybody => t.developers_by_anybody(),
            Who::Token => t.developers_by_token(),
            Who::TokenOrBasic => t.developers_by_token_or_basic(),
            Who::Client => t.developers_by_client(),
        }
    }
}

/// A part of the API.
struct Part {
    name: String,
    href: String,
    words: Vec<Piece>,
    operations: Vec<Operation>,
}

/// A piece of a text of the document, which marks code and names.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    is_code: bool,
    text: String,
}

/// Splits a text at the marks of code; the stars around names only matter to other tools.
fn pieces(text: &str) -> Vec<Piece> {
    let part = |(at, part): (usize, &str)| {
        let is_code = at % 2 == 1;
        Piece { is_code, text: if is_code { part.to_owned() } else { part.replace('*', "") } }
    };
    text.split('`').enumerate().map(part).filter(|piece| !piece.text.is_empty()).collect()
}

/// Returns the part of an address that names a part of the API.
fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn parts(document: &Value) -> Vec<Part> {
    let part = |tag: &Value| {
        let name = tag["name"].as_str()?;
        Some(Part {
            name: name.to_owned(),
            href: path::developers_part(&slug(name)),
            words: pieces(tag["description"].as_str().unwrap_or_default()),
            operations: Operation::all(document, name),
        })
    };
    document["tags"].as_array().into_iter().flatten().filter_map(part).collect()
}

fn shell(app: &App, request: &HttpRequest) -> Shell {
    match SignedIn::known(request) {
        Some(who) => who.shell(Nav::None),
        None => Visitor::of(request, app).shell,
    }
}

/// `GET /developers`
///
/// # Errors
/// When there is no document.
pub async fn overview(app: App, request: HttpRequest) -> Result<HttpResponse, WebError> {
    page(&OverviewPage { shell: shell(&app, &request), parts: parts(openapi::known()?) })
}

/// `GET /developers/{part}`
///
/// # Errors
/// Not found if there is no such part.
pub async fn part(app: App, request: HttpRequest, wanted: web::Path<String>) -> Result<HttpResponse, WebError> {
    let all = parts(openapi::known()?);
    let is_wanted = |part: &Part| slug(&part.name) == *wanted;
    let menu = all.iter().map(|part| (part.href.clone(), part.name.clone(), is_wanted(part))).collect();
    let part = all.into_iter().find(is_wanted).ok_or(AppError::NotFound)?;
    page(&PartPage { shell: shell(&app, &request), part, menu })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_stars_are_not() {
        let told: Vec<(bool, String)> =
            pieces("With *Users*: `If-Match: *`.").into_iter().map(|piece| (piece.is_code, piece.text)).collect();
        assert_eq!(told, [(false, "With Users: ".into()), (true, "If-Match: *".into()), (false, ".".into())]);
    }
}
