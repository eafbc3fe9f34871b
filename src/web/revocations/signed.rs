//! Receipts for programs: as JSON, and the same signed.
//!
//! The signature proves that an installation with this pepper issued the receipt, and that nobody has changed it since.
//! It does not prove that the installation's clock was right, and anybody who has the pepper can issue receipts.

use crate::{App, PublicUrl, bearer, errors::WebError, finish, routes::path, source};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::CONTENT_DISPOSITION},
    web::{Data, Path},
};
use app::{
    AppError, Jeton,
    revocations::{NodeReceipt, Receipt},
};
use domain::{
    access::Demand,
    membership::Membership,
    time::{Timestamp, rfc3339_milliseconds},
};
use serde::Serialize;
use serde_json::json;

/// The organization of a receipt.
#[derive(Clone, Copy, Default)]
pub struct Organization<'a> {
    slug: &'a str,
    id: &'a str,
}

impl<'a> From<&'a Membership> for Organization<'a> {
    fn from(at: &'a Membership) -> Self {
        Self { slug: &at.slug, id: &at.organization_public_id }
    }
}

/// The signed content.
#[derive(Serialize)]
struct Statement<'a> {
    /// The issuer: the public address.
    iss: &'a str,
    /// The time of issue, in seconds since 1970.
    iat: i64,
    organization: &'a str,
    organization_id: &'a str,
    token: Token<'a>,
    revoked: &'static str,
    revoked_at: String,
    epoch: i64,
    is_complete: bool,
    nodes: Vec<Node<'a>>,
}

#[derive(Serialize)]
struct Token<'a> {
    id: &'a str,
    label: &'a str,
    kind: &'static str,
}

#[derive(Serialize)]
struct Node<'a> {
    id: &'a str,
    name: &'a str,
    state: &'static str,
    /// The first epoch, at or after that of the revocation, that the node has confirmed; none until it has, or if it
    /// started later.
    epoch: Option<i64>,
    refuses_since: Option<String>,
    last_accepted_at: Option<String>,
    last_seen_at: Option<String>,
}

impl<'a> Statement<'a> {
    fn new(url: &'a PublicUrl, of: Organization<'a>, receipt: &'a Receipt) -> Self {
        let revoked = &receipt.revoked;
        let kind = if revoked.owner.is_some() { "personal" } else { "service" };
        Self {
            iss: &url.0,
            iat: receipt.created_at.div_euclid(1000),
            organization: of.slug,
            organization_id: of.id,
            token: Token { id: &revoked.public_id, label: &revoked.label, kind },
            revoked: if revoked.is_old_key { "old_key" } else { "token" },
            revoked_at: rfc3339_milliseconds(revoked.revoked_at),
            epoch: revoked.epoch,
            is_complete: receipt.is_complete(),
            nodes: receipt.nodes.iter().map(Node::new).collect(),
        }
    }

    fn signed(&self, jeton: &Jeton) -> Result<String, WebError> {
        let payload = serde_json::to_string(self).map_err(|error| AppError::Broken(error.to_string()))?;
        Ok(app::revocations::sign(jeton, &payload))
    }
}

impl<'a> Node<'a> {
    fn new(node: &'a NodeReceipt) -> Self {
        Self {
            id: &node.id,
            name: &node.name,
            state: node.state.key(),
            epoch: node.epoch,
            refuses_since: node.since.map(rfc3339_milliseconds),
            last_accepted_at: node.last_accepted_at.map(Timestamp::rfc3339),
            last_seen_at: node.seen_at.map(rfc3339_milliseconds),
        }
    }
}

/// `GET /api/v1/revocations/{id}`: the receipt of a token's newest revocation, by the token's public id.
pub async fn receipt(
    jeton: App,
    url: Data<PublicUrl>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let asking = match bearer::authenticate(&request, Demand::default()).await {
        Ok(accepted) => accepted,
        Err(error) => return Ok(bearer::problem(&error, &request)),
    };
    match app::revocations::receipt_for(&jeton, &asking, &id).await {
        Ok(receipt) => {
            let identity = asking.identity();
            let of = Organization {
                slug: &identity.subject.organization.slug,
                id: &identity.subject.organization.public_id,
            };
            let statement = Statement::new(&url, of, &receipt);
            let signed = statement.signed(&jeton)?;
            let keys = format!("{}{}", url.0, path::KEY_SET);
            Ok(HttpResponse::Ok().json(json!({ "receipt": statement, "signed": signed, "keys": keys })))
        }
        Err(AppError::NotFound) => Ok(no_receipt(&request)),
        Err(error) => Err(error.into()),
    }
}

fn no_receipt(request: &HttpRequest) -> HttpResponse {
    const WHY: &str = "There is no receipt for a token with this id that this token may see. It was not revoked, or too long \
                       ago; or it belongs to somebody else, and asking takes platform.integrations or platform.activity.";
    finish::problem(StatusCode::NOT_FOUND, "No receipt", WHY, &source::of(request).request_id)
}

/// `GET /.well-known/jwks.json`: the public key of receipts (RFC 7517, RFC 8037).
pub async fn key_set(jeton: App) -> HttpResponse {
    HttpResponse::Ok().json(app::revocations::signing_keys(&jeton))
}

/// Returns the signed receipt as a file (RFC 7515, section 9.2.1).
///
/// # Errors
/// When it cannot be serialized as JSON.
pub fn download(
    jeton: &Jeton,
    url: &PublicUrl,
    of: Organization<'_>,
    receipt: &Receipt,
) -> Result<HttpResponse, WebError> {
    let name = format!("attachment; filename=\"receipt-{}.jws\"", receipt.revoked.public_id);
    let mut response = HttpResponse::Ok();
    response.content_type("application/jose").insert_header((CONTENT_DISPOSITION, name));
    Ok(response.body(Statement::new(url, of, receipt).signed(jeton)?))
}
