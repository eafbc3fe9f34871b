//! The API under `/api/v1`, for programs with a bearer token.

pub mod access_rules;
pub mod directory;
pub mod explanation;
mod fields;
pub mod groups;
pub mod items;
pub mod kinds;
pub mod members;
pub mod resources;
pub mod sites;

use super::{
    App,
    bearer::{self, BearerError},
    errors::WebError,
    finish,
    prepared::Prepared,
    routes::Group,
    source::{self, RequestId},
    verify::Worker,
};
use actix_web::{
    HttpRequest, HttpResponse,
    dev::RequestHead,
    http::{Method, header::ContentType},
};
use app::{
    AppError,
    clock::Moment,
    verify::{Accepted, denied::Denied},
};
use domain::access::Demand;
use serde::Serialize;
use utoipa::ToSchema;

/// `GET /api/v1/me`: whom the token acts for and what it may do.
pub async fn me(request: HttpRequest) -> Result<HttpResponse, WebError> {
    match bearer::authenticate(&request, Demand::default()).await {
        Ok(accepted) => about(&accepted),
        Err(error) => Ok(refused(&request, &error)),
    }
}

/// As [`me`], before the application sees the request, if the token is accepted from memory. Without an answer, the
/// application answers the same.
pub fn me_from_memory(request: &RequestHead, worker: &Worker) -> Option<HttpResponse> {
    let (arrived, id) = (Moment::now(), RequestId::new());
    if request.method != Method::GET || request.uri.query().is_some() {
        return None;
    }
    let (key, verifier) = (bearer::key(request).ok()?, worker.verifier.as_ref().as_ref()?);
    let source = || worker.proxies.source(request, id.as_str());
    let accepted = verifier.accept_from_memory(key, &Demand::default(), arrived, source)?;
    // A token that has sent too many is refused by the application.
    let allowance = worker.jeton.take_request(&accepted).ok()?;
    let mut response = about(&accepted).ok()?;
    if let Some(allowance) = allowance {
        bearer::tell_allowance(response.headers_mut(), allowance);
    }
    finish::add_headers_of_api(response.headers_mut(), &id, worker.is_https);
    let (status, took) = (response.status(), arrived.elapsed());
    worker.thread.count(Group::Api, status, took);
    tracing::debug!(id = id.as_str(), status = status.as_u16(), ?took, "answered about a token");
    Some(response)
}

/// `DELETE /api/v1/me/token`: revokes the token of the request. A read-only token may do so, because giving up access
/// needs no scope, and however many requests it has sent. Extra text around the key in the header does not prevent the revocation.
pub async fn revoke_own_token(jeton: App, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let verified = bearer::authenticate_uncounted(&request, Demand::default()).await;
    let verified = match (verified, bearer::some_key(request.head())) {
        (Err(BearerError::Missing | BearerError::Denied(Denied::Malformed)), Some(key)) => {
            bearer::verify(&request, &key, Demand::default()).await.map_err(BearerError::from)
        }
        (verified, _) => verified,
    };
    match verified {
        Ok(accepted) => {
            app::tokens::revoke_own(&jeton, &accepted, source::of(&request)).await?;
            Ok(HttpResponse::NoContent().finish())
        }
        Err(error) => Ok(refused(&request, &error)),
    }
}

fn refused(request: &HttpRequest, error: &BearerError) -> HttpResponse {
    bearer::problem(error, request)
}

/// Returns whom the token acts for, what it may do, and the token itself.
fn about(accepted: &Accepted) -> Result<HttpResponse, WebError> {
    let broken = || WebError::from(AppError::Broken("another protocol has prepared this answer".into()));
    let (prepared, identity) = (Prepared::of(accepted).ok_or_else(broken)?, accepted.identity());
    let token = Token {
        id: &identity.token_public_id,
        label: &identity.label,
        kind: identity.kind.key(),
        expires_at: accepted.expires_at().rfc3339(),
    };
    let mut body = Vec::with_capacity(prepared.me.len() + TOKEN_BYTES);
    body.extend_from_slice(prepared.me.as_bytes());
    body.extend_from_slice(br#","token":"#);
    serde_json::to_writer(&mut body, &token).map_err(|error| AppError::Broken(error.to_string()))?;
    body.push(b'}');
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(body))
}

/// The bytes of most tokens in the answer.
const TOKEN_BYTES: usize = 200;

/// A token in the answer to `GET /api/v1/me`.
#[derive(Serialize, ToSchema)]
pub struct Token<'a> {
    id: &'a str,
    label: &'a str,
    kind: &'a str,
    expires_at: String,
}
