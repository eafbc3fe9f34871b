//! Answers rendered from templates.

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

/// Returns a page with status 200.
///
/// # Errors
/// When the template fails.
pub fn page(template: &impl Template) -> Result<HttpResponse, WebError> {
    page_with(StatusCode::OK, template)
}

/// Returns a page with another status, such as 422 for a form that is shown again with messages.
///
/// # Errors
/// When the template fails.
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<HttpResponse, WebError> {
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8").insert_header(("vary", "HX-Request, Cookie, Accept-Language"));
    Ok(response.body(template.render()?))
}

/// Returns a page that shows a secret: it is not stored, and the next request must not leak anything of it (T8).
///
/// # Errors
/// When the template fails.
pub fn secret_page(template: &impl Template) -> Result<HttpResponse, WebError> {
    Ok(keep_address(page(template)?))
}

/// Keeps the address of a page, which may be a secret, out of `Referer` everywhere (T8). It does not use `no-referrer`:
/// with that, a browser without TLS would send no origin with the page's own forms, such as signing out, and they would
/// be refused (<https://fetch.spec.whatwg.org/#append-a-request-origin-header>).
pub fn keep_address(mut answer: HttpResponse) -> HttpResponse {
    answer.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    answer
}

/// Redirects the browser to `path` with GET (303).
pub fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}

/// Adds a cookie to an answer.
///
/// # Errors
/// When the cookie cannot be encoded.
pub fn with_cookie(mut answer: HttpResponse, cookie: &Cookie<'_>) -> Result<HttpResponse, WebError> {
    answer.add_cookie(cookie).map_err(|error| AppError::Broken(error.to_string()))?;
    Ok(answer)
}

/// Returns whether htmx asks for a part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsHtmx(pub bool);

impl FromRequest for IsHtmx {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(is_htmx(request))))
    }
}

/// Returns whether the request comes from htmx.
pub fn is_htmx(request: &HttpRequest) -> bool {
    request.headers().get("hx-request").is_some_and(|value| value == "true")
}

/// Returns whether htmx asks for the part of a page with this id. When it restores a page from the history, it asks for
/// the whole page.
pub fn is_for(request: &HttpRequest, part: &str) -> bool {
    let target = request.headers().get("hx-target").and_then(|target| target.to_str().ok());
    target.is_some_and(|target| target.ends_with(part))
}
