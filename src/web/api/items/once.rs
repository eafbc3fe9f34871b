//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that may be sent again is done once.

use crate::{
    api::resources::ApiError,
    body::{BodyDigest, IDEMPOTENCY_KEY},
    errors::WebError,
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ContentType, ETAG, HeaderName, HeaderValue, LOCATION},
    },
};
use app::{
    AppError,
    kept_answers::{KeptAnswer, Once, Outcome},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// How the header is called in problems.
const FIELD: &str = "Idempotency-Key";
/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The maximum length of a key, in characters.
const LONGEST: usize = 255;

/// Returns what makes a request one that is done once; `None` without a key. Its body must have been read.
///
/// # Errors
/// That the key is none.
pub fn of(request: &HttpRequest) -> Result<Option<Once>, ApiError> {
    let mut sent = request.headers().get_all(&IDEMPOTENCY_KEY);
    let Some(first) = sent.next() else { return Ok(None) };
    let key = first.to_str().ok().and_then(read).filter(|_| sent.next().is_none());
    let key = key.ok_or_else(|| {
        let words = format!("Send one key of 1 to {LONGEST} printable ASCII characters, with or without quotes.");
        ApiError::Wrong(StatusCode::BAD_REQUEST, vec![(FIELD.to_owned(), words)])
    })?;
    let body = request.extensions().get::<BodyDigest>().copied();
    let BodyDigest(body) = body.ok_or_else(|| WebError::from(AppError::Broken("the body was not read".into())))?;
    let address = request.uri().path_and_query().map_or("", |address| address.as_str());
    let request = Sha256::new().chain_update(address).chain_update([0]).chain_update(body).finalize().into();
    Ok(Some(Once { key: Sha256::digest(key).into(), request }))
}

/// Reads a key: a string of RFC 9651, or, as many programs send it, its characters alone.
fn read(sent: &str) -> Option<String> {
    let sent = sent.trim();
    let key = match sent.strip_prefix('"') {
        Some(quoted) => unquoted(quoted)?,
        None => sent.to_owned(),
    };
    ((1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| matches!(byte, b' '..=b'~'))).then_some(key)
}

/// Reads a string up to the quote that ends it, after which nothing stands.
fn unquoted(text: &str) -> Option<String> {
    let (mut key, mut all) = (String::new(), text.chars());
    loop {
        match all.next()? {
            '"' => return all.next().is_none().then_some(key),
            '\\' => key.push(all.next().filter(|c| matches!(c, '"' | '\\'))?),
            c => key.push(c),
        }
    }
}

/// Returns the answer with this thing.
///
/// # Errors
/// When it cannot be written.
pub fn answer(status: StatusCode, thing: &impl Serialize) -> Result<KeptAnswer, AppError> {
    let body = serde_json::to_string(thing).map_err(|error| AppError::Broken(error.to_string()))?;
    Ok(KeptAnswer { status: status.as_u16(), location: String::new(), etag: String::new(), body })
}

/// Answers a request that is done once.
///
/// # Errors
/// That the key is that of another request, or of one that is being done.
pub fn response(outcome: Outcome) -> Result<HttpResponse, ApiError> {
    let wrong = |status, words: &str| Err(ApiError::Wrong(status, vec![(FIELD.to_owned(), words.to_owned())]));
    match outcome {
        Outcome::Done(answer) => Ok(sent(&answer)),
        Outcome::Again(answer) => {
            let mut response = sent(&answer);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Outcome::OtherRequest => {
            wrong(StatusCode::UNPROCESSABLE_ENTITY, "This key was sent with another request. Give each its own.")
        }
        Outcome::Running => {
            wrong(StatusCode::CONFLICT, "The request with this key is still being answered. Try again in a moment.")
        }
    }
}

/// Sends an answer.
pub fn sent(KeptAnswer { status, location, etag, body }: &KeptAnswer) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(*status).unwrap_or(StatusCode::OK));
    response.content_type(ContentType::json());
    for (name, value) in [(LOCATION, location), (ETAG, etag)] {
        if !value.is_empty() {
            response.insert_header((name, value.as_str()));
        }
    }
    response.body(body.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_with_and_without_quotes() {
        for (sent, key) in
            [("a-1", "a-1"), ("a b", "a b"), ("\"a-1\"", "a-1"), (" \"a\\\"\\\\\" ", "a\"\\"), ("a\"b", "a\"b")]
        {
            assert_eq!(read(sent).as_deref(), Some(key), "{sent}");
        }
        let long = "k".repeat(LONGEST + 1);
        for sent in ["", " ", "\"\"", "\"a", "\"a\\b\"", "\"a\";x=1", "a\tb", "\"a\u{7f}\"", "é", &long] {
            assert_eq!(read(sent), None, "{sent}");
        }
    }
}
