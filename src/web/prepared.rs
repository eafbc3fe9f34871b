//! What answers about all tokens of a subject with one scope have in common: made once, and kept in the cache of tokens as
//! long as the subject does not change.

use actix_web::http::header::HeaderValue;
use app::verify::Accepted;
use domain::access::{Identity, Subject};
use serde::Serialize;
use utoipa::ToSchema;

/// The common part of the answers of all protocols.
pub struct Prepared {
    /// The values of the headers of forward-auth, in the order of [`super::verify::IDENTITY`], without the token's.
    pub headers: [HeaderValue; 5],
    /// The answer to `GET /api/v1/me` up to the token: a JSON object that is not closed yet.
    pub me: String,
}

impl Prepared {
    /// Returns what is kept for the subject of this token; makes it first if there is none.
    pub fn of(accepted: &Accepted) -> Option<&Self> {
        let identity = accepted.identity();
        accepted.answers().get_or_make(identity.scope, || Self::make(identity))
    }

    fn make(identity: &Identity) -> Self {
        let Subject { name, organization, .. } = &*identity.subject;
        // A text that no header may have is left out, which gives nobody access to anything.
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let scope = HeaderValue::from_static(identity.scope.oauth());
        let permissions = value(identity.permission_keys());
        let headers = [value(name), value(&organization.slug), value(&organization.public_id), scope, permissions];
        Self { headers, me: open_json(&Me::of(identity)) }
    }
}

/// The answer to `GET /api/v1/me`, without the token.
#[derive(Serialize, ToSchema)]
pub struct Me<'a> {
    subject: Who<'a>,
    organization: Organization<'a>,
    scope: &'a str,
    permissions: Vec<&'a str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Subject)]
struct Who<'a> {
    id: &'a str,
    r#type: &'a str,
    name: &'a str,
    /// The id by which other programs of the organization know the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
struct Organization<'a> {
    /// Never changes; the other fields may change.
    id: &'a str,
    slug: &'a str,
    name: &'a str,
}

impl<'a> Me<'a> {
    fn of(identity: &'a Identity) -> Self {
        let Subject { user, name, display_name, external_id, organization, .. } = &*identity.subject;
        Self {
            subject: Who {
                id: name,
                r#type: if user.is_some() { "user" } else { "service_user" },
                name: display_name,
                external_id: external_id.as_deref(),
            },
            organization: Organization {
                id: &organization.public_id,
                slug: &organization.slug,
                name: &organization.name,
            },
            scope: identity.scope.oauth(),
            permissions: identity.permission_keys().split_ascii_whitespace().collect(),
        }
    }
}

/// Returns the JSON object without its closing brace.
fn open_json(object: &impl Serialize) -> String {
    let mut text = serde_json::to_string(object).unwrap_or_default();
    text.pop();
    text
}
