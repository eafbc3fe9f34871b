//! The API under `/api/v1`, for programs with a bearer token.

use super::{
    App,
    bearer::{self, BearerError},
    errors::WebError,
    source,
};
use actix_web::{HttpRequest, HttpResponse};
use app::verify::{Accepted, denied::Denied};
use domain::access::Demand;
use serde::Serialize;

/// `GET /api/v1/me`: whom the token acts for and what it may do.
pub async fn me(request: HttpRequest) -> HttpResponse {
    match bearer::authenticate(&request, Demand::default()).await {
        Ok(accepted) => HttpResponse::Ok().json(Me::of(&accepted)),
        Err(error) => refused(&request, &error),
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

/// The answer to `GET /api/v1/me`.
#[derive(Serialize)]
struct Me<'a> {
    subject: Subject<'a>,
    organization: Organization<'a>,
    scope: &'a str,
    permissions: Vec<&'a str>,
    token: Token<'a>,
}

#[derive(Serialize)]
struct Subject<'a> {
    id: &'a str,
    r#type: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Organization<'a> {
    /// Never changes; the other fields may change.
    id: &'a str,
    slug: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Token<'a> {
    id: &'a str,
    label: &'a str,
    kind: &'a str,
    expires_at: String,
}

impl<'a> Me<'a> {
    fn of(accepted: &'a Accepted) -> Self {
        let identity = accepted.identity();
        let r#type = if identity.subject.user.is_some() { "user" } else { "service_user" };
        Self {
            subject: Subject { id: &identity.subject.name, r#type, name: &identity.subject.display_name },
            organization: Organization {
                id: &identity.subject.organization.public_id,
                slug: &identity.subject.organization.slug,
                name: &identity.subject.organization.name,
            },
            scope: identity.scope.oauth(),
            permissions: identity.permission_keys().split_ascii_whitespace().collect(),
            token: Token {
                id: &identity.token_public_id,
                label: &identity.label,
                kind: identity.kind.key(),
                expires_at: accepted.expires_at().rfc3339(),
            },
        }
    }
}
