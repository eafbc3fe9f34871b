//! Authenticates the caller of an endpoint, in one of the ways of RFC 6749, section 2.3.1, or RFC 6750, section 2.1.

use crate::{
    bearer::{self, BearerError},
    errors::WebError,
};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
    },
};
use app::verify::{Accepted, denied::Denied};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{
    access::{Demand, Refusal},
    token::TokenKind,
};
use serde_json::json;
use url::form_urlencoded;

/// The form fields with which a client may identify itself: the public id of a service user, and its key.
#[derive(Default)]
pub struct ClientFields {
    id: Option<String>,
    secret: Option<String>,
}

impl ClientFields {
    /// Returns what was sent, without the white space at the end of secret files.
    pub fn new(id: Option<String>, secret: Option<String>) -> Self {
        let given = |field| given(field).map(|value| value.trim().to_owned());
        Self { id: given(id), secret: given(secret) }
    }
}

/// Treats a parameter without a value as left out (RFC 6749, section 3.2); Dovecot sends such parameters along with a
/// Basic header.
fn given(field: Option<String>) -> Option<String> {
    field.filter(|value| !value.is_empty())
}

/// Returns the token of a form.
///
/// # Errors
/// [`OAuthError::Request`] if there is none.
pub fn token(field: Option<String>) -> Result<String, OAuthError> {
    given(field).ok_or_else(|| OAuthError::Request("The field token is missing or empty.".into()))
}

/// Why an endpoint refuses a request.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// The request does not have the form that the endpoint expects.
    #[error("{0}")]
    Request(String),
    /// The caller's bearer token is missing, not accepted, or may not do this.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The caller's id and key are not accepted.
    #[error("client not accepted: {0}")]
    Client(Denied),
    /// The id that was sent is not that of the key.
    #[error("the key is not one of this client's")]
    OtherClient,
    /// A person's token was used where only a service user's may be.
    #[error("not a service user's token")]
    NotServiceUser,
}

/// What is wrong with a key that was sent as a client secret.
impl From<Denied> for OAuthError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unavailable(_) => Self::Bearer(denied.into()),
            denied => Self::Client(denied),
        }
    }
}

impl OAuthError {
    fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Client(denied) if !is_of_client(denied) => "insufficient_scope",
            Self::Client(_) | Self::OtherClient => "invalid_client",
            Self::Bearer(error) => error.code().unwrap_or("invalid_client"),
            Self::NotServiceUser => "insufficient_scope",
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Request(text) => text.clone(),
            Self::Bearer(error) => error.description(),
            Self::Client(denied) if is_of_client(denied) => {
                "The client_id must be a service user's public id, and the client_secret its API key.".into()
            }
            Self::Client(_) => "The service user does not have the permission platform.verify_tokens.".into(),
            Self::OtherClient => "The client_secret is not the API key of this client_id.".into(),
            Self::NotServiceUser => "Only a service user's token may ask about other tokens.".into(),
        }
    }
}

/// Returns whether the client is unknown, rather than not allowed.
fn is_of_client(denied: &Denied) -> bool {
    !matches!(denied, Denied::Refused(Refusal::ReadOnly | Refusal::PermissionMissing(_) | Refusal::PermissionUnknown))
}

impl ResponseError for OAuthError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::Bearer(error) => error.status_code(),
            Self::Client(denied) if !is_of_client(denied) => StatusCode::FORBIDDEN,
            Self::Client(_) | Self::OtherClient => StatusCode::UNAUTHORIZED,
            Self::NotServiceUser => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = match self {
            Self::Bearer(error) => error.head(),
            _ => HttpResponse::build(status),
        };
        match self {
            Self::Client(_) | Self::OtherClient => response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"jeton\"")),
            Self::NotServiceUser => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"jeton\", error=\"insufficient_scope\""))
            }
            _ => &mut response,
        };
        let body = match status {
            StatusCode::SERVICE_UNAVAILABLE => json!({ "error": "temporarily_unavailable" }),
            _ => json!({ "error": self.code(), "error_description": self.description() }),
        };
        response.insert_header((CONTENT_TYPE, "application/json")).body(body.to_string())
    }
}

impl OAuthError {
    /// Converts the error of an unreadable body into one of OAuth's own form where there is one.
    pub fn of_body(error: WebError) -> actix_web::Error {
        match error {
            WebError::BrokenForm(why) => Self::Request(format!("The body could not be read: {why}")).into(),
            WebError::WrongField { field, words } => Self::Request(format!("{field}: {words}")).into(),
            other => other.into(),
        }
    }
}

/// Returns the caller if their token is accepted and grants `demand`, and if it belongs to the client that they name.
///
/// # Errors
/// [`OAuthError`] says why it is not.
pub async fn caller(request: &HttpRequest, fields: &ClientFields, demand: Demand) -> Result<Accepted, OAuthError> {
    let (accepted, id) = match (basic(request)?, &fields.secret) {
        (Some(_), Some(_)) => return Err(more_than_one()),
        (Some((id, key)), None) => (bearer::verify(request, &key, demand).await?, Some(id)),
        (None, Some(_)) if request.headers().contains_key(AUTHORIZATION) => return Err(more_than_one()),
        // A secret without an id is only half of the credentials.
        (None, Some(_)) if fields.id.is_none() => return Err(OAuthError::OtherClient),
        (None, Some(secret)) => (bearer::verify(request, secret, demand).await?, None),
        (None, None) => (bearer::authenticate_uncounted(request, demand).await?, None),
    };
    let own = accepted.identity().token_public_id.as_str();
    if id.iter().chain(&fields.id).all(|told| told == own) { Ok(accepted) } else { Err(OAuthError::OtherClient) }
}

/// Returns whether a request identifies its caller in any way.
pub fn is_named(request: &HttpRequest, fields: &ClientFields) -> bool {
    request.headers().contains_key(AUTHORIZATION) || fields.secret.is_some()
}

fn more_than_one() -> OAuthError {
    OAuthError::Request("Say who calls in one way: in the Authorization header or in the form.".into())
}

/// Returns the caller if it is a service user.
///
/// # Errors
/// [`OAuthError::NotServiceUser`].
pub fn service_user(accepted: Accepted) -> Result<Accepted, OAuthError> {
    match accepted.identity().kind {
        TokenKind::Service => Ok(accepted),
        TokenKind::Personal => Err(OAuthError::NotServiceUser),
    }
}

/// Returns the id and key of a Basic header.
fn basic(request: &HttpRequest) -> Result<Option<(String, String)>, OAuthError> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next().and_then(|header| header.to_str().ok()) else { return Ok(None) };
    let credentials = match header.split_at_checked("Basic ".len()) {
        Some((scheme, credentials)) if scheme.eq_ignore_ascii_case("basic ") => credentials,
        _ => return Ok(None),
    };
    if headers.next().is_some() {
        return Err(more_than_one());
    }
    let decoded = BASE64_STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let both = decoded.as_deref().and_then(|text| text.split_once(':'));
    let both = both.and_then(|(id, key)| Some((form_decoded(id)?, form_decoded(key)?)));
    both.map(Some).ok_or(OAuthError::Client(Denied::Malformed))
}

/// RFC 6749, section 2.3.1, requires form encoding for both, and some clients encode even the `_` of a key. Clients
/// that send them unencoded mean the same: neither contains a character that would decode to another.
fn form_decoded(part: &str) -> Option<String> {
    let (text, _) = form_urlencoded::parse(part.as_bytes()).next()?;
    (!part.contains(['&', '='])).then(|| text.trim().to_owned())
}
