//! Access for pages of other sites to the API for programs (CORS, Fetch Standard).
//!
//! A key is in a header that no browser sends by itself, and no cookie is read here, so a page gets no more than any
//! other program with that key. So every site may send requests, but never with the browser's credentials.
//! Introspection and decisions are excluded: they need the key of a service user, which does not belong in a page.

use super::routes::path;
use actix_web::{
    HttpResponse, Route, guard,
    http::header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue,
    },
    web,
};
use std::future::ready;

/// The headers that a page may read, besides those that it may always read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, idempotent-replayed, location, retry-after, www-authenticate, x-ratelimit-limit, x-ratelimit-remaining, \
     x-ratelimit-reset, x-request-id",
);

/// Returns whether pages of other sites may read the answers at this path.
pub fn is_shared(path: &str) -> bool {
    let others = [
        path::REVOCATION,
        path::SERVER_METADATA,
        path::RESOURCE_METADATA,
        path::DECISION_METADATA,
        path::KEY_SET,
        path::OPENAPI,
    ];
    path.starts_with(path::API) || others.contains(&path)
}

/// Allows pages of other sites to read an answer.
pub fn share(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// Answers a preflight: a browser asks whether a page of another site may send a request with one of these methods. The
/// answer is valid for two hours, the longest that browsers cache it.
pub fn preflight(methods: String) -> Route {
    let asks = guard::fn_guard(|context| context.head().headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD));
    web::route().guard(guard::Options()).guard(asks).to(move || {
        let answer = HttpResponse::NoContent()
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods.clone()))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, idempotency-key, if-match"))
            .insert_header((ACCESS_CONTROL_MAX_AGE, "7200"))
            .finish();
        ready(answer)
    })
}
