//! Bearer tokens of programs (RFC 6750).

use super::{App, PublicUrl, finish, routes::path, source};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::RequestHead,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::Data,
};
use app::{
    AppError,
    clock::Moment,
    request_limit::{Allowance, TooMany},
    verify::{Accepted, Verifier, denied::Denied},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{
    access::{Demand, Refusal},
    leak,
};
use serde_json::{Map, Value};

/// The verifier of one worker thread. Without it, no token can be verified, and every request with a token gets an
/// answer that says so.
pub type WorkerVerifier = Data<Option<Verifier>>;

/// Opens the verifier of the calling worker thread.
pub fn verifier(jeton: &App) -> WorkerVerifier {
    let opened = jeton.verifier().inspect_err(|error| tracing::error!(%error, "a worker cannot verify tokens"));
    Data::new(opened.ok())
}

/// Why a request is refused because of its token, or because it has none.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// It has no token.
    #[error("no token")]
    Missing,
    /// It has more than one, or one where none belongs.
    #[error("the token is not in exactly one Authorization header")]
    NotOne,
    /// The token is not accepted.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The token has sent too many requests.
    #[error("too many requests")]
    TooMany(TooMany),
}

/// The number of requests that a token may send in a minute.
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// How many of them are left.
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
/// After how many seconds the next one is allowed. Exporters that were written for the documents' system wait for it.
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

impl BearerError {
    /// The `error` of RFC 6750 §3.1; a request without any token gets none.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Missing
            | Self::TooMany(_)
            | Self::Denied(Denied::Unavailable(_) | Denied::Refused(Refusal::NotThere)) => None,
            Self::NotOne => Some("invalid_request"),
            Self::Denied(Denied::Refused(
                Refusal::ReadOnly
                | Refusal::PermissionMissing(_)
                | Refusal::PermissionUnknown
                | Refusal::LevelMissing(_),
            )) => Some("insufficient_scope"),
            Self::Denied(_) => Some("invalid_token"),
        }
    }

    /// Explains the error to the developer of the client program. Plain ASCII, as the header requires.
    pub fn description(&self) -> String {
        match self {
            Self::Missing => "Send the API key as: Authorization: Bearer jtn_...".into(),
            Self::NotOne => "Send the API key once, in one Authorization header, and nowhere else.".into(),
            Self::Denied(Denied::Malformed) => {
                "The API key is malformed: it must be jtn_ and the rest exactly as it was copied.".into()
            }
            Self::Denied(Denied::Unknown) => "No token has this API key. It may have been deleted.".into(),
            Self::Denied(Denied::Refused(refusal)) => match refusal {
                Refusal::Foreign => "The token belongs to another organization.".into(),
                Refusal::Revoked(at) => format!("The token was revoked at {}.", at.rfc3339()),
                Refusal::Expired(at) => {
                    format!("The token expired at {}: it was not used for its whole inactivity period.", at.rfc3339())
                }
                Refusal::SubjectInactive => "The token's user is deactivated in the organization.".into(),
                Refusal::ReadOnly => "The token is read only, but this request changes something.".into(),
                Refusal::PermissionMissing(permission) => {
                    format!("The token does not have the permission {}.", permission.key())
                }
                Refusal::NotThere => "There is no such item.".into(),
                Refusal::LevelMissing(level) => {
                    format!("The token's subject does not have the level {} on the item.", level.key())
                }
                Refusal::PermissionUnknown => "The token's organization does not have this permission.".into(),
            },
            Self::Denied(Denied::Unavailable(_)) => "The token cannot be verified right now. Try again.".into(),
            Self::TooMany(TooMany { limit, seconds }) => {
                format!("The token may send {limit} requests a minute. Try again in {seconds} s.")
            }
        }
    }

    /// Returns the check that refuses a good token, and what it misses. Whoever has another one learns nothing of it.
    fn check(&self) -> Map<String, Value> {
        let Self::Denied(Denied::Refused(refusal)) = self else { return Map::new() };
        if self.status_code() != StatusCode::FORBIDDEN {
            return Map::new();
        }
        let stopped_by = ("stopped_by".to_owned(), refusal.link().key().into());
        let needs = refusal.needs().map(|needs| ("needs".to_owned(), needs.into()));
        [stopped_by].into_iter().chain(needs).collect()
    }

    /// Returns the value of `WWW-Authenticate` (RFC 6750 §3).
    fn challenge(&self) -> String {
        let Some(code) = self.code() else { return "Bearer realm=\"jeton\"".into() };
        let scope = match self {
            Self::Denied(Denied::Refused(Refusal::ReadOnly)) => ", scope=\"read write\"",
            _ => "",
        };
        format!("Bearer realm=\"jeton\", error=\"{code}\", error_description=\"{}\"{scope}", self.description())
    }

    /// Returns only the status and headers, for answers whose body nobody reads.
    pub fn head(&self) -> actix_web::HttpResponseBuilder {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Denied(Denied::Unavailable(cause)) => {
                // Any stranger may send requests, so this is logged at debug level; `app::nodes` logs once that tokens
                // cannot be verified.
                tracing::debug!(%cause, "a token could not be verified");
                response.insert_header((RETRY_AFTER, "1"));
            }
            Self::TooMany(TooMany { limit, seconds }) => {
                response.insert_header((RETRY_AFTER, *seconds)).insert_header((RESET, *seconds));
                response.insert_header((LIMIT, *limit)).insert_header((REMAINING, 0));
            }
            // The token is good.
            Self::Denied(Denied::Refused(Refusal::NotThere)) => {}
            _ => drop(response.insert_header((WWW_AUTHENTICATE, self.challenge()))),
        }
        response
    }
}

impl ResponseError for BearerError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotOne => StatusCode::BAD_REQUEST,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Denied(Denied::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Denied(Denied::Refused(Refusal::NotThere)) => StatusCode::NOT_FOUND,
            _ if self.code() == Some("insufficient_scope") => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.head().finish()
    }
}

/// Verifies the token of a request that needs `demand`, and counts the request.
///
/// # Errors
/// [`BearerError`] says why it is not accepted.
pub async fn authenticate(request: &HttpRequest, demand: Demand) -> Result<Accepted, BearerError> {
    counted(request, authenticate_uncounted(request, demand).await?)
}

/// As [`authenticate`], whatever the token has sent before.
///
/// # Errors
/// As those of [`authenticate`], except that there were too many.
pub async fn authenticate_uncounted(request: &HttpRequest, demand: Demand) -> Result<Accepted, BearerError> {
    Ok(verify(request, key(request.head())?, demand).await?)
}

/// Takes a request from what the token may send. The answer says how many are left ([`tell_allowance`]).
fn counted(request: &HttpRequest, accepted: Accepted) -> Result<Accepted, BearerError> {
    let Some(jeton) = request.app_data::<App>() else { return Ok(accepted) };
    if let Some(allowance) = jeton.take_request(&accepted).map_err(BearerError::TooMany)? {
        request.extensions_mut().insert(allowance);
    }
    Ok(accepted)
}

/// Adds to an answer how many more requests its token may send.
pub fn tell_allowance(headers: &mut HeaderMap, Allowance { limit, remaining }: Allowance) {
    headers.insert(LIMIT, limit.into());
    headers.insert(REMAINING, remaining.into());
}

/// As [`authenticate`], also for a request with HTTP Basic, whose password is the key. The user name does not matter.
///
/// # Errors
/// As those of [`authenticate`].
pub async fn authenticate_also_basic(request: &HttpRequest, demand: Demand) -> Result<Accepted, BearerError> {
    let accepted = match (key(request.head()), basic_key(request.head())) {
        (Err(BearerError::Missing), Some(key)) => verify(request, &key, demand).await?,
        (key, _) => verify(request, key?, demand).await?,
    };
    counted(request, accepted)
}

fn basic_key(request: &RequestHead) -> Option<String> {
    let (scheme, credentials) = request.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(credentials.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some(String::from_utf8(decoded).ok()?.split_once(':')?.1.to_owned())
}

/// Adds to an answer without an accepted key that it may also be sent by HTTP Basic.
pub fn offering_basic(mut response: HttpResponse) -> HttpResponse {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"jeton\""));
    }
    response
}

/// Verifies a key that a request contains, wherever it is.
///
/// # Errors
/// [`Denied`] says why it is not accepted.
pub async fn verify(request: &HttpRequest, key: &str, demand: Demand) -> Result<Accepted, Denied> {
    let verifier = request.app_data::<WorkerVerifier>().and_then(|verifier| verifier.as_ref().as_ref());
    verifier.ok_or_else(no_verifier)?.verify(key, demand, Moment::now(), || source::of(request)).await
}

/// Returns why tokens cannot be verified on a thread without a verifier.
pub fn no_verifier() -> Denied {
    AppError::Broken("no verifier".into()).into()
}

/// Returns the one key of a request. A key in the address is always refused, because addresses end up in logs (T7).
///
/// # Errors
/// That there is none, or more than one.
pub fn key(request: &RequestHead) -> Result<&str, BearerError> {
    if request.uri.query().is_some_and(|query| query.contains("access_token=")) {
        return Err(BearerError::NotOne);
    }
    let mut headers = request.headers.get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Err(BearerError::Missing) };
    if headers.next().is_some() {
        return Err(BearerError::NotOne);
    }
    let text = header.to_str().map_err(|_| Denied::Malformed)?;
    match text.split_at_checked("Bearer ".len()) {
        // One space or more (RFC 6750, section 2.1).
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer ") => Ok(key.trim_start_matches(' ')),
        _ => Err(BearerError::Missing),
    }
}

/// Returns a key found anywhere in the `Authorization` header of a request that has no valid one.
pub fn some_key(request: &RequestHead) -> Option<String> {
    let header = request.headers.get(AUTHORIZATION)?;
    leak::keys_in(&String::from_utf8_lossy(header.as_bytes())).into_iter().next()
}

/// Returns the error as problem+json, for Jeton's own API; the challenge contains the address of the metadata (RFC
/// 9728, section 5.1).
pub fn problem(error: &BearerError, request: &HttpRequest) -> HttpResponse {
    let status = error.status_code();
    let title = match error.code() {
        Some("insufficient_scope") => "Not allowed with this token",
        Some("invalid_request") => "More than one token",
        Some(_) => "Token not accepted",
        None if status == StatusCode::SERVICE_UNAVAILABLE => "Not verified",
        None if status == StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        None => "Token missing",
    };
    let id = source::of(request).request_id;
    let mut response = finish::problem_with(status, title, &error.description(), &id, error.check());
    for (name, value) in error.head().finish().headers() {
        response.headers_mut().append(name.clone(), value.clone());
    }
    if let Some(challenge) = response.headers_mut().get_mut(WWW_AUTHENTICATE) {
        name_metadata(challenge, request);
    }
    response
}

/// Adds the address of this resource's metadata to a challenge.
fn name_metadata(challenge: &mut HeaderValue, request: &HttpRequest) {
    let url = request.app_data::<Data<PublicUrl>>().map_or("", |url| url.0.as_str());
    let text = challenge.to_str().unwrap_or_default();
    let named = format!("{text}, resource_metadata=\"{url}{}\"", path::RESOURCE_METADATA);
    if let Ok(named) = HeaderValue::try_from(named) {
        *challenge = named;
    }
}
