//! Reads request bodies: of one media type, not too large, and in time.

use super::errors::WebError;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, dev::Payload, error::PayloadError, http::header::CONTENT_TYPE, web::Bytes,
};
use serde::de::DeserializeOwned;
use std::{future::Future, pin::Pin, time::Duration};

/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of JSON.
pub const JSON: &str = "application/json";
/// The maximum length of JSON, in bytes (R8).
const LARGEST_JSON: usize = 64 * 1024;
/// How long a body may take to arrive (R7).
const SLOWEST: Duration = Duration::from_secs(30);

/// A JSON body sent by a program.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = WebError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, WebError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read(request, payload, JSON, LARGEST_JSON);
        Box::pin(async move {
            let parsed = serde_json::from_slice(&body.await?);
            parsed.map(Self).map_err(|error| WebError::BrokenForm(error.to_string()))
        })
    }
}

/// The body of a form, if `kept_forms` has read it before the handler.
pub struct Received(pub Result<Bytes, WebError>);

/// Returns the body if it has this media type, has no more than `largest` bytes, and arrives in time.
///
/// # Errors
/// Which of these conditions it does not meet.
pub fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    kind: &'static str,
    largest: usize,
) -> impl Future<Output = Result<Bytes, WebError>> + use<> {
    let is_kind = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|sent| sent.to_str().is_ok_and(|sent| sent.to_ascii_lowercase().starts_with(kind)));
    let received = request.extensions_mut().remove::<Received>();
    let bytes = actix_web::web::Payload::from_request(request, payload);
    async move {
        if let Some(Received(received)) = received {
            return received;
        }
        if !is_kind {
            return Err(WebError::BrokenForm(format!("not {kind}")));
        }
        let payload = bytes.await.map_err(|error| WebError::BrokenForm(error.to_string()))?;
        let arrived = tokio::time::timeout(SLOWEST, payload.to_bytes_limited(largest)).await;
        match arrived {
            Err(_) => Err(WebError::TooSlow),
            Ok(Err(_)) => Err(WebError::TooLarge),
            Ok(Ok(Err(error))) => match error.as_error::<PayloadError>() {
                Some(PayloadError::Overflow) => Err(WebError::TooLarge),
                _ => Err(WebError::BrokenForm(error.to_string())),
            },
            Ok(Ok(Ok(bytes))) => Ok(bytes),
        }
    }
}
