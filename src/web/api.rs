//! The API under `/api/v1`, for programs with a bearer token.

pub mod groups;
pub mod members;
mod resources;
pub mod sites;

use super::{
    App,
    bearer::{self, BearerError},
    errors::WebError,
    prepared::Prepared,
    source,
};
use actix_web::{HttpRequest, HttpResponse, http::header::ContentType};
use app::{
    AppError,
    verify::{Accepted, denied::Denied},
};
use domain::access::Demand;
use serde::Serialize;

/// `GET /api/v1/me`: whom the token acts for and what it may do.
pub async fn me(request: HttpRequest) -> Result<HttpResponse, WebError> {
    match bearer::authenticate(&request, Demand::default()).await {
        Ok(accepted) => about(&accepted),
        Err(error) => Ok(refused(&request, &error)),
    }
}

/// `DELETE /api/v1/me/token`: revokes the token of the request. A read-only token may do so, because giving up access
/// needs no scope. Extra text around the key in the header does not prevent the revocation.
pub async fn revoke_own_token(jeton: App, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let verified = match (bearer::authenticate(&request, Demand::default()).await, bearer::some_key(request.head())) {
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
    let token = serde_json::to_string(&token).map_err(|error| AppError::Broken(error.to_string()))?;
    let body = format!(r#"{},"token":{token}}}"#, prepared.me);
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(body))
}

/// A token in the answer to `GET /api/v1/me`.
#[derive(Serialize)]
struct Token<'a> {
    id: &'a str,
    label: &'a str,
    kind: &'a str,
    expires_at: String,
}
