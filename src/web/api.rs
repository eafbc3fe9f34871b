//! The API under `/api/v1`, for programs with a bearer token.

use super::{
    App,
    bearer::{self, BearerError},
    errors::WebError,
    source,
};
use crate::{
    app::verify::Accepted,
    domain::{access::Demand, permission::Permission},
};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// `GET /api/v1/me`: whom the token speaks for and what it may do.
pub async fn me(request: HttpRequest) -> HttpResponse {
    match bearer::authenticate(&request, Demand::default()).await {
        Ok(accepted) => HttpResponse::Ok().json(description(&accepted)),
        Err(error) => refused(&request, &error),
    }
}

/// `DELETE /api/v1/me/token`: revokes the token that asks. A read-only token may: giving up access needs no scope.
///
/// # Errors
/// When the database fails.
pub async fn revoke_own_token(jeton: App, request: HttpRequest) -> Result<HttpResponse, WebError> {
    match bearer::authenticate(&request, Demand::default()).await {
        Ok(accepted) => {
            jeton.revoke_own_token(&accepted, source::of(&request)).await?;
            Ok(HttpResponse::NoContent().finish())
        }
        Err(error) => Ok(refused(&request, &error)),
    }
}

fn refused(request: &HttpRequest, error: &BearerError) -> HttpResponse {
    bearer::problem(error, &source::of(request).request_id)
}

fn description(accepted: &Accepted) -> Value {
    let identity = accepted.identity();
    let permissions: Vec<&str> = identity.permissions().iter().map(Permission::key).collect();
    json!({
        "subject": {
            "id": identity.subject.name,
            "type": "user",
            "name": identity.subject.display_name,
        },
        "organization": { "slug": identity.organization_slug, "name": identity.organization_name },
        "scope": identity.scope.oauth(),
        "permissions": permissions,
        "token": {
            "id": identity.token_public_id,
            "label": identity.label,
            "kind": identity.kind.key(),
            "expires_at": accepted.expires_at().utc().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
    })
}
