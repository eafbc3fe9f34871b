//! The middleware that every answer passes through: it adds a request id and the security headers, and explains errors.

use super::{
    PublicUrl, api, bearer, compression, cors,
    errors::{ErrorFragment, ErrorPage, WebError, words},
    node::NodeThread,
    notice::Notice,
    oauth::OAuthError,
    page,
    routes::{Group, path},
    session::{self, Reader},
    shell::Shell,
    source::RequestId,
    texts::Texts,
};
use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode, Uri,
        header::{
            ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
            RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
        },
    },
    middleware::Next,
    web::Data,
};
use app::{AppError, Jeton, request_limit::Allowance};
use askama::Template;
use domain::leak;
use futures_util::FutureExt;
use serde_json::{Map, Value, json};
use std::{panic::AssertUnwindSafe, rc::Rc, sync::LazyLock, time::Instant};
use tracing::{Instrument, Span, field::Empty};

/// Allows scripts, styles, pictures, connections and forms only from and to this server; nothing inline, no frames
/// (C6).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer to a person (C7), unless the answer sets its own. Created once: an answer only counts
/// references to them.
static FOR_PEOPLE: LazyLock<Vec<(HeaderName, HeaderValue)>> = LazyLock::new(|| {
    headers(&[
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
        ("referrer-policy", "same-origin"),
    ])
});
/// Headers of every answer to a program. They stop a browser that was led there from doing anything with the answer;
/// the other headers matter only for a page.
static FOR_PROGRAMS: LazyLock<Vec<(HeaderName, HeaderValue)>> = LazyLock::new(|| {
    headers(&[
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ])
});

/// How long a browser that has connected over TLS uses only TLS: a year.
pub const TRANSPORT_SECURITY: &str = "max-age=31536000";

/// Returns the headers of every answer to a program.
pub fn for_programs() -> &'static [(HeaderName, HeaderValue)] {
    &FOR_PROGRAMS
}

fn headers(table: &[(&'static str, &'static str)]) -> Vec<(HeaderName, HeaderValue)> {
    table.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

/// The outermost middleware.
///
/// # Errors
/// The finished answer to a request that a middleware refused, or whose handler panicked.
pub async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let measuring = Measuring::begin(&request);
    // Keep what is needed of the request in case it is not returned.
    let asked = Asked::of(request.request());
    request.extensions_mut().insert(asked.id);
    let span = tracing::debug_span!("request", id = asked.id.as_str(), method = %asked.method, route = Empty);
    let handled = next.call(request).instrument(span.clone());
    // A handler that panics must not leave its client without an answer (R14).
    let error = match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(Ok(response)) => {
            let (request, response) = response.into_parts();
            if !span.is_disabled() {
                span.record("route", request.match_pattern().as_deref().unwrap_or("none"));
            }
            let mut response = asked.finished(&request, response.map_into_boxed_body());
            if measuring.group == Group::Api {
                response = compression::compressed(&request, response).await;
            }
            measuring.end(&response, &span);
            return Ok(ServiceResponse::new(request, response));
        }
        Ok(Err(error)) => error,
        Err(_) => WebError::from(AppError::Broken("a handler panicked".into())).into(),
    };
    let mut response = asked.explain(HttpResponse::from_error(error));
    asked.add_headers(response.headers_mut());
    measuring.end(&response, &span);
    Err(InternalError::from_response("refused", response).into())
}

/// A request whose duration is being measured.
struct Measuring {
    thread: Option<Rc<NodeThread>>,
    group: Group,
    begun: Instant,
}

impl Measuring {
    fn begin(request: &ServiceRequest) -> Self {
        let thread = request.app_data::<Rc<NodeThread>>().cloned();
        Self { thread, group: Group::of(request.path()), begun: Instant::now() }
    }

    fn end(self, response: &HttpResponse, span: &Span) {
        let (status, took) = (response.status(), self.begun.elapsed());
        if let Some(thread) = &self.thread {
            thread.count(self.group, status, took);
        }
        tracing::debug!(parent: span, status = status.as_u16(), ?took, "answered");
    }
}

/// What an answer depends on: how the request was made and by whom.
struct Asked {
    id: RequestId,
    /// The id that the client gave its request and gets back, where a standard promises that.
    echoed: Option<HeaderValue>,
    method: Method,
    uri: Uri,
    form: Form,
    /// The preferences of a person; programs are treated alike.
    reader: Reader,
    /// The page frame of a signed-in user.
    shell: Option<Shell>,
    is_demo: bool,
    is_https: bool,
}

/// The format of an error answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A page.
    Page,
    /// A part of a page, for htmx.
    Part,
    /// problem+json (RFC 9457): always for the API and other addresses for programs, elsewhere if a program asks for
    /// JSON.
    Json,
}

impl Form {
    fn of(request: &HttpRequest) -> Self {
        if Group::of(request.path()).is_for_programs() {
            return Self::Json;
        }
        let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if accepts.contains("json") && !accepts.contains("html") {
            Self::Json
        } else if page::is_htmx(request) {
            Self::Part
        } else {
            Self::Page
        }
    }

    const fn is_for_person(self) -> bool {
        matches!(self, Self::Page | Self::Part)
    }
}

impl Asked {
    fn of(request: &HttpRequest) -> Self {
        let form = Form::of(request);
        let is_for_person = form.is_for_person();
        Self {
            id: RequestId::new(),
            echoed: echoed(request),
            method: request.method().clone(),
            uri: request.uri().clone(),
            form,
            reader: if is_for_person { Reader::of(request) } else { Reader::default() },
            shell: None,
            is_demo: is_for_person && request.app_data::<Data<Jeton>>().is_some_and(|jeton| jeton.is_demo()),
            is_https: request.app_data::<Data<PublicUrl>>().is_some_and(|url| url.is_https()),
        }
    }

    fn finished(mut self, request: &HttpRequest, response: HttpResponse) -> HttpResponse {
        let went_well = response.error().is_none() && !response.status().is_client_error();
        let mut response = if went_well && !response.status().is_server_error() {
            response
        } else {
            self.shell = request.extensions().get::<Shell>().cloned();
            self.reader = request.extensions().get::<Reader>().copied().unwrap_or(self.reader);
            self.explain(response)
        };
        if let Some(allowance) = request.extensions().get::<Allowance>() {
            bearer::tell_allowance(response.headers_mut(), *allowance);
        }
        if let Some(cookie) = session::language_cookie(request) {
            response.add_cookie(&cookie).unwrap_or_else(|error| tracing::warn!(%error, "a cookie could not be set"));
        }
        self.add_headers(response.headers_mut());
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        let table = if self.form.is_for_person() { &FOR_PEOPLE } else { &FOR_PROGRAMS };
        add_headers(headers, table, &self.id, self.is_https);
        if let Some(id) = &self.echoed {
            headers.insert(RequestId::HEADER, id.clone());
        }
        if cors::is_shared(self.uri.path()) {
            cors::share(headers);
        }
    }

    /// Adds an explanation to an error. An answer that a handler composed itself, such as a form with messages, stays
    /// as it is.
    fn explain(&self, response: HttpResponse) -> HttpResponse {
        let status = response.status();
        let error = response.error().and_then(|error| error.as_error::<WebError>());
        match error {
            Some(WebError::SignedOut | WebError::App(AppError::SignedOut)) => return self.to_sign_in(),
            Some(WebError::Moved { to }) => {
                return HttpResponse::build(status).insert_header((LOCATION, to.as_str())).finish();
            }
            _ => {}
        }
        let has_words = response.error().is_none_or(|error| error.as_error::<OAuthError>().is_some());
        let is_composed = has_words && response.body().size() != BodySize::Sized(0);
        if !(status.is_client_error() || status.is_server_error()) || is_composed {
            return response;
        }
        if status.is_server_error() {
            let cause = response.error().map(ToString::to_string).unwrap_or_default();
            let path = leak::without_keys(path::without_codes(self.uri.path()));
            let (method, id) = (&self.method, self.id.as_str());
            if error.is_some_and(WebError::is_told_elsewhere) {
                tracing::debug!(%method, path, id, %status, %cause, "a request was postponed");
            } else {
                tracing::error!(%method, path, id, %status, %cause, "a request failed");
            }
        }
        let mut explained = self.answer(status, error);
        for (name, value) in response.headers() {
            if name != CONTENT_TYPE && name != CONTENT_LENGTH {
                explained.headers_mut().append(name.clone(), value.clone());
            }
        }
        if let Some(seconds) = error.and_then(WebError::retry_after) {
            explained.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        explained.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        explained
    }

    fn answer(&self, status: StatusCode, error: Option<&WebError>) -> HttpResponse {
        let t = Texts(self.reader.language);
        let (title, text) = words(t, status, error, self.method.is_safe());
        // Show the request id only where the log says more: for failures of Jeton itself.
        let request_id = if status.is_server_error() { self.id.as_str().to_owned() } else { String::new() };
        let rendered = match self.form {
            Form::Page => ErrorPage {
                shell: self.shell.clone().unwrap_or_else(|| Shell::outside(t, self.reader.theme, self.is_demo)),
                title,
                text,
                request_id,
                back: Some((path::HOME.to_owned(), t.errors_back().to_owned())),
            }
            .render(),
            Form::Part => ErrorFragment { t, title, text, request_id }.render(),
            Form::Json => {
                if let Some(WebError::WrongField { field, words }) = error {
                    return api::resources::wrong(status, &[(field.clone(), words.clone())], self.id.as_str());
                }
                let detail = error.and_then(WebError::detail).unwrap_or_else(|| explanation(status));
                return problem(status, status.canonical_reason().unwrap_or("Error"), detail, self.id.as_str());
            }
        };
        match rendered {
            Ok(html) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html),
            Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, "Error", &error.to_string(), self.id.as_str()),
        }
    }

    /// Redirects a browser to the sign-in page, and afterwards back to the requested page, without an API key in its
    /// address. After a form was sent, it leads back to the page with the form, so that nothing is changed unseen. htmx
    /// is told to load the whole sign-in page.
    fn to_sign_in(&self) -> HttpResponse {
        let (path, query) = (self.uri.path(), self.uri.query().unwrap_or_default());
        let address = match self.method.is_safe() {
            true if query.is_empty() || leak::names_a_key(query) => path::sign_in(path),
            true => path::sign_in(&path::extended(path, query)),
            false => Notice::SignInAgain.at(&path::sign_in(&path::form_page(path).unwrap_or_default())),
        };
        match self.form {
            Form::Part => HttpResponse::Unauthorized().insert_header(("hx-redirect", address)).finish(),
            _ => page::see(&address),
        }
    }
}

/// Returns the `X-Request-ID` of a request for a decision (AuthZEN, section 10.1.5).
fn echoed(request: &HttpRequest) -> Option<HeaderValue> {
    if Group::of(request.path()) != Group::Decisions {
        return None;
    }
    let id = request.headers().get(RequestId::HEADER)?;
    let is_plain = id.len() <= 200 && id.to_str().is_ok_and(|id| !leak::holds_key(id));
    is_plain.then(|| id.clone())
}

fn add_headers(headers: &mut HeaderMap, table: &[(HeaderName, HeaderValue)], id: &RequestId, is_https: bool) {
    for (name, value) in table {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert(RequestId::HEADER, id.header());
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT_SECURITY));
    }
}

/// Adds the headers of an answer of the API that has none of them yet, and that pages of other sites may read.
pub fn add_headers_of_api(headers: &mut HeaderMap, id: &RequestId, is_https: bool) {
    add_headers(headers, &FOR_PROGRAMS, id, is_https);
    cors::share(headers);
}

/// Explains a problem to the developer of the client program.
fn explanation(status: StatusCode) -> &'static str {
    match status.as_u16() {
        404 => "Nothing exists at this address.",
        408 => "The request did not arrive in time.",
        405 => "This address does not support this method; the Allow header lists the methods that it supports.",
        413 => "The body is too large.",
        429 | 503 => "Try again after the number of seconds in the Retry-After header.",
        431 => "The header fields are too large or too many.",
        500.. => "Something went wrong in Jeton. Search its log for this request_id.",
        _ => "The request does not have the form that this address expects.",
    }
}

/// Answers at addresses that do not exist, on a listener for programs only.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    let id = request.extensions().get::<RequestId>().copied().unwrap_or_default();
    HttpResponse::NotFound().content_type(PROBLEM).body(problem_body(StatusCode::NOT_FOUND, id.as_str()))
}

/// The media type of a problem.
pub const PROBLEM: &str = "application/problem+json";

/// Returns the body of a problem about which only the status is known.
pub fn problem_body(status: StatusCode, id: &str) -> String {
    let title = status.canonical_reason().unwrap_or("Error");
    json!({ "title": title, "status": status.as_u16(), "detail": explanation(status), "request_id": id }).to_string()
}

/// Returns an answer with a problem+json body (RFC 9457).
pub fn problem(status: StatusCode, title: &str, detail: &str, id: &str) -> HttpResponse {
    problem_with(status, title, detail, id, Map::new())
}

/// Returns the same with members of its own.
pub fn problem_with(status: StatusCode, title: &str, detail: &str, id: &str, more: Map<String, Value>) -> HttpResponse {
    let mut body = json!({ "title": title, "status": status.as_u16(), "detail": detail, "request_id": id });
    if let Some(members) = body.as_object_mut() {
        members.extend(more);
    }
    HttpResponse::build(status).content_type(PROBLEM).body(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, middleware::from_fn, test, web};

    async fn panics() -> HttpResponse {
        panic!("a defect in a handler")
    }

    #[actix_web::test]
    async fn a_handler_that_panics_harms_no_other_request() {
        let app = App::new()
            .route("/panics", web::get().to(panics))
            .route("/works", web::get().to(HttpResponse::Ok))
            .wrap(from_fn(finish));
        let app = test::init_service(app).await;
        let error = test::try_call_service(&app, test::TestRequest::get().uri("/panics").to_request()).await;
        let answer = error.expect_err("an answer of its own").error_response();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.headers().contains_key("content-security-policy"));
        assert_ne!(answer.body().size(), BodySize::Sized(0));
        let next = test::call_service(&app, test::TestRequest::get().uri("/works").to_request()).await;
        assert_eq!(next.status(), StatusCode::OK);
    }
}
