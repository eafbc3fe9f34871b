//! Forward-auth: a reverse proxy asks about each request before it hands it on.
//!
//! `/verify` asks about a token alone; `/verify/apis/{id}` about a request to a protected API, by the API's rules. What is
//! behind either is the path of the client's request, which Envoy puts there, with the client's own method.
//!
//! The answers are 200, 401, 403 and 503, for nginx makes 500 of everything else, and Envoy lets only 200 through; and 400 at
//! `/verify` alone for a key in the address or in two headers (T7), neither of which nginx hands on.

mod told;

use super::{
    bearer::{self, BearerError},
    front::Worker,
    routes::path,
    source::RequestId,
};
use crate::{
    app::verify::{
        Accepted, Verifier,
        protected::{NotLetIn, Told},
    },
    domain::access::Demand,
};
use actix_web::{
    HttpResponse, HttpResponseBuilder,
    dev::RequestHead,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue, WWW_AUTHENTICATE},
    },
};
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
pub async fn answer(request: &RequestHead, worker: &Worker, id: &RequestId) -> HttpResponse {
    // As it was sent: whatever decoded it on the way here would have decided how it is read.
    let verdict = match request.uri.path().strip_prefix(path::VERIFY_APIS) {
        Some(behind) => about_request(request, worker, id, behind).await,
        None => about_token(request, worker, id).await,
    };
    match verdict {
        Ok(accepted) => allowed(&accepted),
        Err(refused) => blanked(refused.head()),
    }
}

/// The answer when Jeton itself failed.
pub fn broken() -> HttpResponse {
    blanked(HttpResponse::InternalServerError())
}

/// The request changes something if its own method, or any that a proxy tells, is not one that only reads: a client may
/// forge such a header, and then it can only narrow what it may do.
async fn about_token(request: &RequestHead, worker: &Worker, id: &RequestId) -> Result<Accepted, Refused> {
    let asked = told::demanded(request.uri.query().unwrap_or_default());
    let demand = Demand { write: told::some_write(request), ..Demand::default() };
    // A key first: without one nothing else matters.
    let (key, demand) = (bearer::key(request)?, demand.and(asked?));
    let verifier = verifier(worker)?;
    let accepted = verifier.verify(key, demand, || worker.proxies.source(request, id.as_str())).await;
    Ok(accepted.map_err(BearerError::from)?)
}

/// `behind` is the public id of a protected API and, from Envoy, the path of the client's request.
async fn about_request(
    request: &RequestHead,
    worker: &Worker,
    id: &RequestId,
    behind: &str,
) -> Result<Accepted, Refused> {
    let key = bearer::key(request).map_err(|error| match error {
        // RFC 6750, section 3.1, would have 400, which nginx makes 500 of: the client would take its fault for ours.
        BearerError::NotOne => Refused::MoreKeys,
        error => error.into(),
    })?;
    let (public_id, path) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
    if !worker.proxies.sent(request) {
        return Err(Misled::Stranger.into());
    }
    let headers = Headers::of(request)?;
    let methods = headers.methods(request, path)?;
    let paths = headers.paths(path)?;
    // Behind a path stands the client's own query.
    let query = if path.len() > 1 { "" } else { request.uri.query().unwrap_or_default() };
    let told = Told { methods: &methods, paths: &paths, besides: told::demanded(query)? };
    let source = || worker.proxies.source(request, id.as_str());
    Ok(verifier(worker)?.verify_for(key, public_id, told, source).await?)
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
