//! Reads request bodies: of one media type, not too large, and in time.

use super::errors::WebError;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header::{CONTENT_TYPE, HeaderName},
    web::Bytes,
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::{future::Future, pin::Pin, time::Duration};

/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of JSON.
pub const JSON: &str = "application/json";
/// The maximum length of JSON, in bytes (R8).
const LARGEST_JSON: usize = 64 * 1024;
/// The same for many things that are sent together.
const LARGEST_OF_MANY: usize = 1024 * 1024;
/// How long a body may take to arrive (R7).
const SLOWEST: Duration = Duration::from_secs(30);

/// A JSON body sent by a program, of at most so many bytes.
#[derive(Debug)]
pub struct Json<T, const LARGEST: usize = LARGEST_JSON>(pub T);

/// A JSON body with many things in it.
pub type LargeJson<T> = Json<T, LARGEST_OF_MANY>;

/// The header by which a request says that it may be sent again.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// SHA-256 of the JSON that such a request has sent, once that is read.
#[derive(Clone, Copy)]
pub struct BodyDigest(pub [u8; 32]);

impl<T: DeserializeOwned + 'static, const LARGEST: usize> FromRequest for Json<T, LARGEST> {
    type Error = WebError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, WebError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (body, request) = (read(request, payload, JSON, LARGEST), request.clone());
        Box::pin(async move {
            let body = body.await?;
            if request.headers().contains_key(IDEMPOTENCY_KEY) {
                request.extensions_mut().insert(BodyDigest(Sha256::digest(&body).into()));
            }
            parsed(&body).map(Self)
        })
    }
}

/// Reads JSON.
///
/// # Errors
/// Which field is wrong, or that it is no JSON.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, WebError> {
    let broken = |error: serde_json::Error| WebError::BrokenForm(error.to_string());
    // serde would read a list as the fields of an object, in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(WebError::BrokenForm("a list, where an object is expected".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string().replace('[', ".").replace(']', "");
        let error = error.into_inner();
        match field_of(path.trim_matches('.'), &error) {
            Some(field) => WebError::WrongField { field, words: error.to_string() },
            None => broken(error),
        }
    })?;
    reader.end().map_err(broken)?;
    Ok(read)
}

/// Returns the name of the field about which an error is, which was found at this path.
fn field_of(path: &str, error: &serde_json::Error) -> Option<String> {
    if !error.is_data() {
        return None;
    }
    let words = error.to_string();
    // The path of a field that is missing or unknown may end above it.
    let named =
        ["missing field `", "unknown field `"].iter().find_map(|begin| words.strip_prefix(begin)?.split('`').next());
    let parts = [Some(path), named.filter(|name| path.rsplit('.').next() != Some(name))];
    let field = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    (!field.is_empty()).then_some(field)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Many {
        #[expect(dead_code, reason = "only its name matters")]
        all: Vec<One>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct One {
        #[expect(dead_code, reason = "only its name matters")]
        name: String,
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (body, wrong) in [
            (r#"{"all":[{"name":"a"},{"name":5}]}"#, Some("all.1.name")),
            (r#"{"all":[{"name":"a"},{}]}"#, Some("all.1.name")),
            (r#"{"all":[{"name":"a","colour":"red"}]}"#, Some("all.0.colour")),
            (r#"{"all":{}}"#, Some("all")),
            ("{}", Some("all")),
            (r#"{"some":[]}"#, Some("some")),
            ("[]", None),
            ("{", None),
            (r#"{"all":[]} {}"#, None),
            ("", None),
        ] {
            let named = match parsed::<Many>(body.as_bytes()).expect_err(body) {
                WebError::WrongField { field, .. } => Some(field),
                WebError::BrokenForm(_) => None,
                other => panic!("{other}"),
            };
            assert_eq!(named.as_deref(), wrong, "{body}");
        }
        assert!(parsed::<Many>(br#"{"all":[{"name":"a"}]}"#).is_ok());
    }
}
