//! Answers made of templates.

use super::errors::WebError;
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    cookie::Cookie,
    dev::Payload,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION, REFERRER_POLICY},
    },
};
use app::AppError;
use askama::Template;
use std::{
    convert::Infallible,
    future::{Ready, ready},
};

/// A page, 200.
///
/// # Errors
/// When the template fails.
pub fn page(template: &impl Template) -> Result<HttpResponse, WebError> {
    page_with(StatusCode::OK, template)
}

/// A page with another status, such as a form that comes back with messages, 422.
///
/// # Errors
/// When the template fails.
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<HttpResponse, WebError> {
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8").insert_header(("vary", "HX-Request, Cookie, Accept-Language"));
    Ok(response.body(template.render()?))
}

/// A page that shows a secret: besides not being stored, nothing of it may leave with the next request (T8).
///
/// # Errors
/// When the template fails.
pub fn secret_page(template: &impl Template) -> Result<HttpResponse, WebError> {
    Ok(keep_address(page(template)?))
}

/// Keeps the address of a page, which may be a secret, out of `Referer` everywhere (T8). Not by `no-referrer`: with
/// that a browser that is not behind TLS says of the page's own forms, such as signing out, that they come from
/// nowhere, and they would be refused (<https://fetch.spec.whatwg.org/#append-a-request-origin-header>).
pub fn keep_address(mut answer: HttpResponse) -> HttpResponse {
    answer.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    answer
}

/// Sends the browser to `path` with GET (303).
pub fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}

/// The same answer with a cookie.
///
/// # Errors
/// When the cookie cannot be written.
pub fn with_cookie(mut answer: HttpResponse, cookie: &Cookie<'_>) -> Result<HttpResponse, WebError> {
    answer.add_cookie(cookie).map_err(|error| AppError::Broken(error.to_string()))?;
    Ok(answer)
}

/// Whether htmx asks, and takes a part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsHtmx(pub bool);

impl FromRequest for IsHtmx {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(is_htmx(request))))
    }
}

/// Whether htmx asks.
pub fn is_htmx(request: &HttpRequest) -> bool {
    request.headers().get("hx-request").is_some_and(|value| value == "true")
}

/// Whether htmx asks for the part of a page with this id. When it restores a page of the history it asks for the whole
/// of it.
pub fn is_for(request: &HttpRequest, part: &str) -> bool {
    let target = request.headers().get("hx-target").and_then(|target| target.to_str().ok());
    target.is_some_and(|target| target.ends_with(part))
}
