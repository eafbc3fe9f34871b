//! Metadata with which standard clients find the endpoints.

use crate::{PublicUrl, routes::path};
use actix_web::{HttpResponse, web::Data};
use serde_json::json;

const SCOPES: [&str; 2] = ["read", "write"];
const CLIENT_AUTHENTICATION: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// `GET /.well-known/oauth-authorization-server` (RFC 8414). Tokens are created on pages, so there are no grants.
pub async fn server_metadata(url: Data<PublicUrl>) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", url.0);
    HttpResponse::Ok().json(json!({
        "issuer": url.0,
        "jwks_uri": at(path::KEY_SET),
        "introspection_endpoint": at(path::INTROSPECTION),
        "introspection_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "revocation_endpoint": at(path::REVOCATION),
        "revocation_endpoint_auth_methods_supported": ["none", CLIENT_AUTHENTICATION[0], CLIENT_AUTHENTICATION[1]],
        "scopes_supported": SCOPES,
        "response_types_supported": [],
        "grant_types_supported": [],
    }))
}

/// `GET /.well-known/oauth-protected-resource` (RFC 9728), about Jeton's own API.
pub async fn resource_metadata(url: Data<PublicUrl>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "resource": url.0,
        "resource_name": "Jeton",
        "authorization_servers": [url.0],
        "scopes_supported": SCOPES,
        "bearer_methods_supported": ["header"],
    }))
}
