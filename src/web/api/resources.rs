//! What the resources of the API have in common: who asks, the pages of a list, versions, and problems that name
//! fields.

use super::super::{
    bearer::{self, BearerError},
    errors::WebError,
    finish,
    routes::path,
    source,
    texts::Texts,
    words::Errors,
};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ETAG, IF_MATCH, LOCATION},
    },
    web::QueryConfig,
};
use app::{
    AppError,
    authority::Caller,
    problem::{Field, Problem, Problems},
    verify::denied::Denied,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    access::{Demand, Refusal},
    field::FieldProblem,
    permission::Authority,
    user::Language,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::future::Future;

/// The number of things on a page, unless the request says otherwise, and the maximum.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 100;

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Because of its token.
    #[error(transparent)]
    Token(#[from] BearerError),
    /// A verb, or something else, failed.
    #[error(transparent)]
    Failed(#[from] WebError),
    /// These fields are wrong: each with its name, and what is wrong with it.
    #[error("{0}: {1:?}")]
    Wrong(StatusCode, Vec<(String, String)>),
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        Self::Failed(error.into())
    }
}

impl ApiError {
    /// A part of the address is wrong.
    pub fn of_query(name: &str, words: &str) -> Self {
        Self::Wrong(StatusCode::BAD_REQUEST, vec![(name.to_owned(), words.to_owned())])
    }
}

/// Answers a request, with a problem if its handler fails.
///
/// # Errors
/// Those about which only the status is said.
pub async fn answer(
    request: &HttpRequest,
    work: impl Future<Output = Result<HttpResponse, ApiError>>,
) -> Result<HttpResponse, WebError> {
    let id = source::of(request).request_id;
    match work.await {
        Ok(response) => Ok(response),
        Err(ApiError::Token(error)) => Ok(bearer::problem(&error, request)),
        Err(ApiError::Wrong(status, fields)) => Ok(wrong(status, &fields, &id)),
        Err(ApiError::Failed(WebError::App(AppError::Forbidden(permission)))) => {
            let refusal = Denied::Refused(Refusal::PermissionMissing(permission.into()));
            Ok(bearer::problem(&refusal.into(), request))
        }
        Err(ApiError::Failed(WebError::App(AppError::Refused(refusal)))) => {
            Ok(bearer::problem(&Denied::Refused(refusal).into(), request))
        }
        Err(ApiError::Failed(WebError::App(AppError::Invalid(problems)))) => Ok(invalid(&problems, &id)),
        Err(ApiError::Failed(WebError::WrongField { field, words })) => {
            Ok(wrong(StatusCode::BAD_REQUEST, &[(field, words)], &id))
        }
        Err(ApiError::Failed(WebError::BrokenForm(words))) => {
            Ok(finish::problem(StatusCode::BAD_REQUEST, "Bad Request", &words, &id))
        }
        Err(ApiError::Failed(error)) => Err(error),
    }
}

/// What a program does whose `If-Match` names another version.
const OUT_OF_DATE: &str = "It has another version now than If-Match says. Read it again before you change it.";

fn invalid(problems: &Problems, id: &str) -> HttpResponse {
    if is_out_of_date(problems) {
        return finish::problem(StatusCode::PRECONDITION_FAILED, "Precondition Failed", OUT_OF_DATE, id);
    }
    wrong(StatusCode::UNPROCESSABLE_ENTITY, &named(problems), id)
}

fn is_out_of_date(problems: &Problems) -> bool {
    problems.at(Field::Form) == Some(Problem::ChangedMeanwhile)
}

/// Returns the name of each wrong field in requests, and what is wrong with it.
fn named(problems: &Problems) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (name, words) in Errors::new(Texts(Language::En), problems).iter() {
        match (name, problems.at(Field::Answers), problems.at(Field::Questions)) {
            ("people", ..) => fields.push(("members".to_owned(), words.to_owned())),
            ("answers", Some(Problem::Answers(wrong)), _) => {
                fields.extend(wrong.iter().map(|one| (format!("answers.{}", one.field), one.why.to_string())));
            }
            ("questions", _, Some(Problem::Questions(wrong))) => {
                let part = |one: &FieldProblem| format!("questions.{}.{}", one.at, one.part.key());
                fields.extend(wrong.iter().map(|one| (part(one), one.why.to_string())));
            }
            _ => fields.push((name.to_owned(), words.to_owned())),
        }
    }
    fields
}

/// Returns what is wrong with one of several things in a request, with its status.
pub fn verdict(error: &AppError) -> Value {
    let told = |status: StatusCode, detail: &str| json!({ "status": status.as_u16(), "detail": detail });
    match error {
        AppError::Invalid(problems) if is_out_of_date(problems) => told(StatusCode::PRECONDITION_FAILED, OUT_OF_DATE),
        AppError::Invalid(problems) => {
            let (detail, errors) = explained(&named(problems));
            json!({ "status": 422, "detail": detail, "errors": errors })
        }
        AppError::Refused(refusal) => {
            let refused = BearerError::from(Denied::Refused(refusal.clone()));
            told(refused.status_code(), &refused.description())
        }
        AppError::NotFound => told(StatusCode::NOT_FOUND, "There is no such item."),
        _ => told(StatusCode::INTERNAL_SERVER_ERROR, "This was not done."),
    }
}

/// Returns a problem that names each wrong field. What is wrong with the request as a whole is its detail.
pub fn wrong(status: StatusCode, fields: &[(String, String)], id: &str) -> HttpResponse {
    let (detail, errors) = explained(fields);
    let body = json!({
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "errors": errors,
        "request_id": id,
    });
    HttpResponse::build(status).content_type(finish::PROBLEM).body(body.to_string())
}

fn explained(fields: &[(String, String)]) -> (String, Vec<Value>) {
    let errors: Vec<_> = fields.iter().filter(|(name, _)| name != "form").collect();
    let whole = fields.iter().find(|(name, _)| name == "form").map(|(_, words)| words.clone());
    let detail = whole.unwrap_or_else(|| {
        errors.iter().map(|(name, words)| format!("{name}: {words}")).take(3).collect::<Vec<_>>().join(" ")
    });
    (detail, errors.iter().map(|(name, words)| json!({ "field": name, "detail": words })).collect())
}

/// Returns the caller of a request that only reads.
///
/// # Errors
/// Because of the token, or the missing permission.
pub async fn reader<A: Authority>(request: &HttpRequest) -> Result<Caller<A>, ApiError> {
    caller(request, false).await
}

/// Returns the caller of a request that changes something, which a read-only token may not.
///
/// # Errors
/// As [`reader`].
pub async fn writer<A: Authority>(request: &HttpRequest) -> Result<Caller<A>, ApiError> {
    caller(request, true).await
}

async fn caller<A: Authority>(request: &HttpRequest, write: bool) -> Result<Caller<A>, ApiError> {
    let demand = Demand { write, permissions: A::PERMISSION.into(), ..Demand::default() };
    Ok(Caller::with_token(bearer::authenticate(request, demand).await?)?)
}

/// Says which part of an address is wrong.
pub fn query_config() -> QueryConfig {
    QueryConfig::default().error_handler(|error, _| {
        let words = error.to_string();
        let field = words.split('`').nth(1).unwrap_or_default().to_owned();
        let words = if field.is_empty() { words } else { "Send it once.".to_owned() };
        WebError::WrongField { field, words }.into()
    })
}

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Words that must all be in the name.
    pub q: String,
    /// Where the page begins.
    cursor: String,
    /// The number of things on it.
    limit: String,
}

impl Asked {
    /// Returns the number of things on the page.
    ///
    /// # Errors
    /// That it is no number, or too small or large.
    pub fn limit(&self) -> Result<usize, ApiError> {
        limit_of(&self.limit)
    }

    /// Returns where the page begins, as `read` reads it; `None` for the first page.
    ///
    /// # Errors
    /// That it is no cursor of this list.
    pub fn cursor<P>(&self, read: impl FnOnce(&str) -> Option<P>) -> Result<Option<P>, ApiError> {
        place_of(&self.cursor, read)
    }
}

/// Reads how many things a page has; `typed` is empty for the usual number.
///
/// # Errors
/// That it is no number, or too small or large.
pub fn limit_of(typed: &str) -> Result<usize, ApiError> {
    match typed {
        "" => Ok(PAGE),
        typed => typed
            .parse()
            .ok()
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
            .ok_or_else(|| ApiError::of_query("limit", &format!("Use a number from 1 to {LARGEST_PAGE}."))),
    }
}

/// Reads where a page begins; `cursor` is empty for the first page.
///
/// # Errors
/// That it is no cursor of this list.
pub fn place_of<P>(cursor: &str, read: impl FnOnce(&str) -> Option<P>) -> Result<Option<P>, ApiError> {
    if cursor.is_empty() {
        return Ok(None);
    }
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let place = decoded.and_then(|place| read(&place));
    place.map(Some).ok_or_else(|| ApiError::of_query("cursor", "Pass on the cursor of the page before, unchanged."))
}

/// A page of a list.
#[derive(Serialize)]
struct Page<T> {
    data: Vec<T>,
    /// The cursor of the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// Returns a page of a list, and the place where it ends if there is another one.
pub fn page<T: Serialize>(data: Vec<T>, next: Option<String>) -> HttpResponse {
    let next_cursor = next.map(cursor);
    HttpResponse::Ok().json(Page { data, next_cursor })
}

/// Returns a place in a list as programs pass it on.
pub fn cursor(place: String) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(place)
}

/// Returns the version that `If-Match` asks for; `None` without one. A version that there cannot be is 0.
pub fn wanted_version(request: &HttpRequest) -> Option<i64> {
    let header = request.headers().get(IF_MATCH)?.to_str().unwrap_or_default().trim();
    (header != "*").then(|| header.trim_matches('"').parse().unwrap_or(-1))
}

/// Returns a thing with its version.
pub fn versioned(thing: &impl Serialize, version: i64) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, format!("\"{version}\""))).json(thing)
}

/// Returns a thing that was created at this address, in its first version.
pub fn created(thing: &impl Serialize, address: String) -> HttpResponse {
    HttpResponse::Created().insert_header((ETAG, "\"1\"")).insert_header((LOCATION, address)).json(thing)
}

/// Returns the address of a thing of this list.
pub fn at(list: &str, id: &str) -> String {
    path::below(list, id)
}
