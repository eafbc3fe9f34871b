//! Forward-auth: a reverse proxy asks about each request before it passes the request on.
//!
//! `/verify` verifies a token alone; `/verify/apis/{id}` decides about a request to a protected API, by the API's
//! rules. Envoy uses the client's own method and appends the path of the client's request to the address that it is
//! configured with. For Envoy, `/verify/token` verifies a token alone and accepts such a path, as the address of a
//! protected API does. Everything else below `/verify` is refused: a mistyped address in a proxy's configuration must
//! not verify less.
//!
//! The answers are 200, 401, 403 and 503, because nginx turns every other status into 500, and Envoy passes only 200; and
//! 404 for an item that the token does not reach, which the configurations hand on. `/verify` also answers 400 for a key in the address or in two headers (T7); nginx forwards neither of them.

mod told;

use super::{
    App,
    bearer::{self, BearerError},
    node::NodeThread,
    prepared::Prepared,
    routes::{Group, path},
    source::{RequestId, TrustedProxies},
};
use actix_web::{
    HttpResponse, HttpResponseBuilder,
    dev::RequestHead,
    http::{
        StatusCode, Uri,
        header::{CACHE_CONTROL, HeaderName, HeaderValue, WWW_AUTHENTICATE},
    },
    web::Data,
};
use app::{
    clock::Moment,
    verify::{
        Accepted, Verifier,
        denied::Denied,
        protected::{NotLetIn, Told},
    },
};
use domain::{
    access::{Demand, Refusal},
    token::is_public_id,
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, rc::Rc};
use told::{Headers, Misled};

const SUBJECT: HeaderName = HeaderName::from_static("jeton-subject");
const ORGANIZATION: HeaderName = HeaderName::from_static("jeton-organization");
const ORGANIZATION_ID: HeaderName = HeaderName::from_static("jeton-organization-id");
const SCOPE: HeaderName = HeaderName::from_static("jeton-scope");
const PERMISSIONS: HeaderName = HeaderName::from_static("jeton-permissions");
const TOKEN: HeaderName = HeaderName::from_static("jeton-token");

/// The headers that say whom a token acts for. Every answer has all of them, and in a refusal they are empty: the
/// headers that a proxy copies always replace those that a client sent (V11).
pub const IDENTITY: [HeaderName; 6] = [SUBJECT, ORGANIZATION, ORGANIZATION_ID, SCOPE, PERMISSIONS, TOKEN];

/// Headers with which clients tell a framework to use another method or path than that of the request. Those that a
/// proxy forwards count (see `told`). The proxy configurations remove them, so that no API sees one.
pub const OVERRIDING: [&str; 5] =
    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"];

/// What one thread needs to answer before the application sees a request ([`super::forward_auth`]).
#[derive(Clone)]
pub struct Worker {
    /// The application.
    pub jeton: App,
    /// The verifier; without it, tokens cannot be verified right now.
    pub verifier: Data<Option<Verifier>>,
    /// The proxies that are trusted to describe a request.
    pub proxies: Data<TrustedProxies>,
    /// The counters for answers.
    pub thread: Rc<NodeThread>,
    /// Whether people and programs use HTTPS.
    pub is_https: bool,
}

impl Worker {
    /// Answers a proxy, with the identity or a challenge in headers and never with a body. So the answer needs none of
    /// the headers that tell a browser what to do with a body.
    pub async fn answer(&self, request: &RequestHead) -> HttpResponse {
        let (arrived, id) = (Moment::now(), RequestId::new());
        // A panic must not leave the proxy without an answer (R14).
        let answered = AssertUnwindSafe(answer(request, self, &id, arrived)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| broken());
        let (status, took) = (response.status(), arrived.elapsed());
        self.thread.count(Group::Verify, status, took);
        tracing::debug!(id = id.as_str(), method = %request.method, status = status.as_u16(), ?took, "answered a proxy");
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(RequestId::HEADER, id.header());
        response
    }
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error("more than one key")]
    MoreKeys,
    #[error(transparent)]
    Misled(#[from] Misled),
    #[error(transparent)]
    NotLetIn(#[from] NotLetIn),
}

/// Decides about the request: 200 with the identity in headers, or 401, 403 or 404 with the reason.
async fn answer(request: &RequestHead, worker: &Worker, id: &RequestId, arrived: Moment) -> HttpResponse {
    // Use the URI as it was sent: decoding it here would already decide how it is interpreted.
    let verdict = match Asked::of(&request.uri) {
        Some(asked) => match asked.api {
            Some(api) => about_request(request, worker, (id, arrived), api, &asked).await,
            None => about_token(request, worker, (id, arrived), &asked).await.map(LetIn::Token),
        },
        None => Err(Misled::Nowhere.into()),
    };
    match verdict {
        Ok(LetIn::Token(accepted)) => allowed(&accepted),
        Ok(LetIn::Preflight) => blanked(HttpResponse::Ok()),
        Err(refused) => blanked(refused.head()),
    }
}

/// Why a request is allowed.
enum LetIn {
    /// Its token was accepted.
    Token(Accepted),
    /// It is a CORS preflight: a browser asks whether a page of another site may send a request.
    Preflight,
}

/// What the address of a verification request asks for.
struct Asked<'a> {
    /// The public id of the protected API, if the request is for one.
    api: Option<&'a str>,
    /// The path of the client's request, if Envoy appended it.
    path: &'a str,
    /// The query, which may demand a scope and permissions.
    query: &'a str,
}

impl<'a> Asked<'a> {
    /// Parses an address; none if it is not exactly one of those that exist.
    fn of(uri: &'a Uri) -> Option<Self> {
        let asked = uri.path();
        let (api, path) = if let Some(behind) = asked.strip_prefix(path::VERIFY_APIS) {
            let (api, path) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
            is_public_id(api).then_some((Some(api), path))?
        } else if let Some(path) = asked.strip_prefix(path::VERIFY_TOKEN) {
            path.starts_with('/').then_some((None, path))?
        } else {
            (asked == path::VERIFY).then_some((None, ""))?
        };
        // After a path, the query is the client's own.
        let query = if path.len() > 1 { "" } else { uri.query().unwrap_or_default() };
        Some(Self { api, path, query })
    }
}

/// Returns the answer for a failure of Jeton itself.
fn broken() -> HttpResponse {
    blanked(HttpResponse::InternalServerError())
}

/// Verifies a token alone. The request counts as a write unless its own method and every method that a header states
/// only read. A client may forge such a header, but that can only narrow what it may do.
async fn about_token(
    request: &RequestHead,
    worker: &Worker,
    (id, arrived): (&RequestId, Moment),
    asked: &Asked<'_>,
) -> Result<Accepted, Refused> {
    let besides = told::demanded(asked.query);
    let demand = Demand { write: told::some_write(request), ..Demand::default() };
    // Check the key first: without one nothing else matters.
    let (key, demand) = (bearer::key(request)?, demand.and(&besides?));
    let verifier = verifier(worker)?;
    let accepted = verifier.verify(key, demand, arrived, || worker.proxies.source(request, id.as_str())).await;
    Ok(accepted.map_err(BearerError::from)?)
}

/// Decides about a request to a protected API. Without a key, a CORS preflight passes if the API allows it: with a
/// preflight, a browser asks whether a page of another site may send the request that it announces.
async fn about_request(
    request: &RequestHead,
    worker: &Worker,
    (id, arrived): (&RequestId, Moment),
    api: &str,
    asked: &Asked<'_>,
) -> Result<LetIn, Refused> {
    let (key, announced) = match bearer::key(request) {
        Ok(key) => (key, None),
        Err(BearerError::Missing) => ("", Some(told::announced(request).ok_or(BearerError::Missing)?)),
        // RFC 6750, section 3.1, asks for 400, which nginx turns into 500: the client would take its own error for the
        // server's.
        Err(BearerError::NotOne) => return Err(Refused::MoreKeys),
        Err(error) => return Err(error.into()),
    };
    if !worker.proxies.sent(request) {
        return Err(Misled::Stranger.into());
    }
    let headers = Headers::of(request)?;
    let methods = headers.methods(request, asked.path)?;
    let paths = headers.paths(asked.path)?;
    let besides = told::demanded(asked.query)?;
    let told = Told { methods: &methods, paths: &paths, besides: &besides };
    let verifier = verifier(worker)?;
    if let Some(announced) = announced {
        let is_preflight = methods.iter().all(|method| *method == "OPTIONS");
        let lets = is_preflight && verifier.lets_preflight(api, Told { methods: &[announced], ..told }).await?;
        return if lets { Ok(LetIn::Preflight) } else { Err(BearerError::Missing.into()) };
    }
    let source = || worker.proxies.source(request, id.as_str());
    Ok(LetIn::Token(verifier.verify_for(key, api, told, arrived, source).await?))
}

fn verifier(worker: &Worker) -> Result<&Verifier, BearerError> {
    worker.verifier.as_ref().as_ref().ok_or_else(|| bearer::no_verifier().into())
}

fn blanked(mut response: HttpResponseBuilder) -> HttpResponse {
    for name in IDENTITY {
        response.insert_header((name, HeaderValue::from_static("")));
    }
    response.finish()
}

impl Refused {
    fn head(self) -> HttpResponseBuilder {
        let closed = match self {
            Self::MoreKeys => {
                let mut response = BearerError::NotOne.head();
                response.status(StatusCode::UNAUTHORIZED);
                return response;
            }
            Self::Bearer(BearerError::Denied(Denied::Refused(Refusal::PermissionUnknown)))
            | Self::NotLetIn(NotLetIn::Denied(Denied::Refused(Refusal::PermissionUnknown))) => {
                Misled::UnknownDemand.to_string()
            }
            Self::Bearer(error) => return error.head(),
            Self::NotLetIn(NotLetIn::Denied(denied)) => return BearerError::from(denied).head(),
            Self::Misled(misled) => misled.to_string(),
            Self::NotLetIn(NotLetIn::NoApi) => "This protected API does not exist.".into(),
            Self::NotLetIn(NotLetIn::Closed(closed)) => closed.to_string(),
        };
        let mut response = HttpResponse::Forbidden();
        let challenge = format!("Bearer realm=\"jeton\", error=\"invalid_request\", error_description=\"{closed}\"");
        response.insert_header((WWW_AUTHENTICATE, challenge));
        response
    }
}

fn allowed(accepted: &Accepted) -> HttpResponse {
    let Some(prepared) = Prepared::of(accepted) else { return broken() };
    let mut response = HttpResponse::Ok();
    for (name, value) in IDENTITY.iter().zip(&prepared.headers) {
        response.insert_header((name.clone(), value.clone()));
    }
    response.insert_header((TOKEN, accepted.identity().token_public_id.as_str())).finish()
}
