//! Forward-auth: a reverse proxy asks about each request before it hands it on.
//!
//! `/verify` asks about a token alone; `/verify/apis/{id}` about a request to a protected API, by the API's rules.
//! Envoy puts the path of the client's request behind the address that it asks, with the client's own method:
//! `/verify/token` asks about a token alone, with a path behind, and the address of a protected API may have one.
//! Everything else below `/verify` is closed: a mistyped address in a proxy's configuration must not be one that asks
//! for less.
//!
//! The answers are 200, 401, 403 and 503, for nginx makes 500 of everything else, and Envoy lets only 200 through; and 400 at
//! `/verify` alone for a key in the address or in two headers (T7), neither of which nginx hands on.

mod told;

use super::{
    bearer::{self, BearerError},
    node::{Group, NodeThread},
    routes::path,
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
use app::verify::{
    Accepted, Verifier,
    protected::{NotLetIn, Told},
};
use domain::{access::Demand, token::is_public_id};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, rc::Rc, time::Instant};
use told::{Headers, Misled};

const SUBJECT: HeaderName = HeaderName::from_static("jeton-subject");
const ORGANIZATION: HeaderName = HeaderName::from_static("jeton-organization");
const ORGANIZATION_ID: HeaderName = HeaderName::from_static("jeton-organization-id");
const SCOPE: HeaderName = HeaderName::from_static("jeton-scope");
const PERMISSIONS: HeaderName = HeaderName::from_static("jeton-permissions");
const TOKEN: HeaderName = HeaderName::from_static("jeton-token");

/// The headers that say whom a token speaks for. Every answer has them all, a refusal empty: what a proxy copies always
/// takes the place of what a client sent (V11).
pub const IDENTITY: [HeaderName; 6] = [SUBJECT, ORGANIZATION, ORGANIZATION_ID, SCOPE, PERMISSIONS, TOKEN];

/// Headers in which clients tell a framework another method or path than that of the request. What proxies hand on of
/// them counts (see `told`); the configurations of proxies take them off, so that no API sees one.
pub const OVERRIDING: [&str; 5] =
    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"];

/// What one thread has to answer forward-auth with.
#[derive(Clone)]
pub struct Worker {
    /// Without it nothing can be said about tokens.
    pub verifier: Data<Option<Verifier>>,
    /// Whose word about a request is believed.
    pub proxies: Data<TrustedProxies>,
    /// Where answers are counted.
    pub thread: Rc<NodeThread>,
}

impl Worker {
    /// The answer to a proxy: identity or challenge in headers, never a body, so it carries none of the headers that tell a
    /// browser what to do with one.
    pub async fn answer(&self, request: &RequestHead) -> HttpResponse {
        let (begun, id) = (Instant::now(), RequestId::new());
        // A panic must not leave the proxy without an answer (R14).
        let answered = AssertUnwindSafe(answer(request, self, &id)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| broken());
        let (status, took) = (response.status(), begun.elapsed());
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

/// The answer to a proxy: 200 with whom the token speaks for in headers, or 401 or 403 with the reason.
async fn answer(request: &RequestHead, worker: &Worker, id: &RequestId) -> HttpResponse {
    // As it was sent: whatever decoded it on the way here would have decided how it is read.
    let verdict = match Asked::of(&request.uri) {
        Some(asked) => match asked.api {
            Some(api) => about_request(request, worker, id, api, &asked).await,
            None => about_token(request, worker, id, &asked).await.map(LetIn::Token),
        },
        None => Err(Misled::Nowhere.into()),
    };
    match verdict {
        Ok(LetIn::Token(accepted)) => allowed(&accepted),
        Ok(LetIn::Preflight) => blanked(HttpResponse::Ok()),
        Err(refused) => blanked(refused.head()),
    }
}

/// Whom a request is let in for.
enum LetIn {
    /// Whom its token speaks for.
    Token(Accepted),
    /// Nobody: a browser asks whether a page of another site may send a request.
    Preflight,
}

/// What is asked.
struct Asked<'a> {
    /// The public id of the protected API, if it is about a request to one.
    api: Option<&'a str>,
    /// From Envoy, the path of the client's request.
    path: &'a str,
    /// What the address demands besides.
    query: &'a str,
}

impl<'a> Asked<'a> {
    /// What this address asks, if it is exactly one that there is.
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
        // Behind a path stands the client's own query.
        let query = if path.len() > 1 { "" } else { uri.query().unwrap_or_default() };
        Some(Self { api, path, query })
    }
}

/// The answer when Jeton itself failed.
fn broken() -> HttpResponse {
    blanked(HttpResponse::InternalServerError())
}

/// The request changes something if its own method, or any that a proxy tells, is not one that only reads: a client may
/// forge such a header, and then it can only narrow what it may do.
async fn about_token(
    request: &RequestHead,
    worker: &Worker,
    id: &RequestId,
    asked: &Asked<'_>,
) -> Result<Accepted, Refused> {
    let besides = told::demanded(asked.query);
    let demand = Demand { write: told::some_write(request), ..Demand::default() };
    // A key first: without one nothing else matters.
    let (key, demand) = (bearer::key(request)?, demand.and(besides?));
    let verifier = verifier(worker)?;
    let accepted = verifier.verify(key, demand, || worker.proxies.source(request, id.as_str())).await;
    Ok(accepted.map_err(BearerError::from)?)
}

/// Without a key, a preflight passes if the API lets it: a browser's question whether a page of another site may send
/// the request that it announces.
async fn about_request(
    request: &RequestHead,
    worker: &Worker,
    id: &RequestId,
    api: &str,
    asked: &Asked<'_>,
) -> Result<LetIn, Refused> {
    let (key, announced) = match bearer::key(request) {
        Ok(key) => (key, None),
        Err(BearerError::Missing) => ("", Some(told::announced(request).ok_or(BearerError::Missing)?)),
        // RFC 6750, section 3.1, would have 400, which nginx makes 500 of: the client would take its fault for ours.
        Err(BearerError::NotOne) => return Err(Refused::MoreKeys),
        Err(error) => return Err(error.into()),
    };
    if !worker.proxies.sent(request) {
        return Err(Misled::Stranger.into());
    }
    let headers = Headers::of(request)?;
    let methods = headers.methods(request, asked.path)?;
    let paths = headers.paths(asked.path)?;
    let told = Told { methods: &methods, paths: &paths, besides: told::demanded(asked.query)? };
    let verifier = verifier(worker)?;
    if let Some(announced) = announced {
        let is_preflight = methods.iter().all(|method| *method == "OPTIONS");
        let lets = is_preflight && verifier.lets_preflight(api, Told { methods: &[announced], ..told }).await?;
        return if lets { Ok(LetIn::Preflight) } else { Err(BearerError::Missing.into()) };
    }
    let source = || worker.proxies.source(request, id.as_str());
    Ok(LetIn::Token(verifier.verify_for(key, api, told, source).await?))
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
            Self::Bearer(error) => return error.head(),
            Self::NotLetIn(NotLetIn::Denied(denied)) => return BearerError::from(denied).head(),
            Self::Misled(misled) => misled.to_string(),
            Self::NotLetIn(NotLetIn::NoApi) => "There is no such protected API.".into(),
            Self::NotLetIn(NotLetIn::Closed(closed)) => closed.to_string(),
        };
        let mut response = HttpResponse::Forbidden();
        let challenge = format!("Bearer realm=\"jeton\", error=\"invalid_request\", error_description=\"{closed}\"");
        response.insert_header((WWW_AUTHENTICATE, challenge));
        response
    }
}

fn allowed(accepted: &Accepted) -> HttpResponse {
    let identity = accepted.identity();
    HttpResponse::Ok()
        .insert_header((SUBJECT, identity.subject.name.as_str()))
        .insert_header((ORGANIZATION, &*identity.organization_slug))
        .insert_header((ORGANIZATION_ID, &*identity.organization_public_id))
        .insert_header((SCOPE, HeaderValue::from_static(identity.scope.oauth())))
        .insert_header((PERMISSIONS, &*identity.permission_keys))
        .insert_header((TOKEN, identity.token_public_id.as_str()))
        .finish()
}
