//! Introspection: an API asks whom a token acts for (RFC 7662).

use super::caller::{ClientFields, OAuthError, caller, service_user, token};
use crate::{PublicUrl, bearer, body::Json, errors::WebError, form::OpenForm};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use app::verify::{Accepted, denied::Denied};
use domain::{access::Demand, organization::OrganizationId, permission::BuiltInPermission};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The maximum number of tokens in a batch.
const BATCH: usize = 100;
/// For how many seconds a client may cache an answer: many cache it until its `exp`.
const KEPT: i64 = 120;

/// The form of RFC 7662, section 2.1. `token_type_hint` is ignored: the key itself shows its kind.
#[derive(Deserialize)]
pub struct IntrospectionForm {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// Many tokens at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    #[schema(max_items = 100)]
    tokens: Vec<String>,
}

/// `POST /oauth2/introspect`: returns whom a token of the caller's organization acts for; any other token is reported
/// as not active. An introspection counts as a use of an active token.
///
/// # Errors
/// When the caller may not ask, or tokens cannot be verified right now.
pub async fn introspect(
    request: HttpRequest,
    form: Result<OpenForm<IntrospectionForm>, WebError>,
) -> Result<HttpResponse, actix_web::Error> {
    let OpenForm(form) = form.map_err(OAuthError::of_body)?;
    let fields = ClientFields::new(form.client_id, form.client_secret);
    let asks = asker(&request, &fields).await?;
    let answer = look_at(&request, &token(form.token)?, asks).await?;
    Ok(HttpResponse::Ok().json(Answer::new(answer.as_ref(), &url(&request))))
}

/// `POST /oauth2/introspect/batch`: the same for up to 100 tokens, in the order of the request.
///
/// # Errors
/// As [`introspect`].
pub async fn introspect_batch(
    request: HttpRequest,
    batch: Result<Json<Batch>, WebError>,
) -> Result<HttpResponse, actix_web::Error> {
    let Json(batch) = batch.map_err(OAuthError::of_body)?;
    let asks = asker(&request, &ClientFields::default()).await?;
    if batch.tokens.len() > BATCH {
        return Err(OAuthError::Request(format!("A batch has {BATCH} tokens at most.")).into());
    }
    let looked = join_all(batch.tokens.iter().map(|token| look_at(&request, token, asks))).await;
    let looked = looked.into_iter().collect::<Result<Vec<_>, _>>()?;
    let url = url(&request);
    let results: Vec<Answer<'_>> = looked.iter().map(|answer| Answer::new(answer.as_ref(), &url)).collect();
    Ok(HttpResponse::Ok().json(Results { results }))
}

/// Returns the organization about which the caller may ask.
///
/// # Errors
/// When the caller is no service user, or lacks *Verify tokens*.
pub async fn asker(request: &HttpRequest, fields: &ClientFields) -> Result<OrganizationId, OAuthError> {
    let demand = Demand { permissions: BuiltInPermission::PlatformVerifyTokens.into(), ..Demand::default() };
    Ok(service_user(caller(request, fields, demand).await?)?.identity().subject.organization.id)
}

/// Reveals nothing, not even a reason, unless the token belongs to `organization` and is active.
async fn look_at(
    request: &HttpRequest,
    token: &str,
    organization: OrganizationId,
) -> Result<Option<Accepted>, OAuthError> {
    let demand = Demand { organization: Some(organization), ..Demand::default() };
    match bearer::verify(request, token, demand).await {
        Ok(accepted) => Ok(Some(accepted)),
        Err(unavailable @ Denied::Unavailable(_)) => Err(unavailable.into()),
        Err(_) => Ok(None),
    }
}

fn url(request: &HttpRequest) -> String {
    request.app_data::<Data<PublicUrl>>().map(|url| url.0.clone()).unwrap_or_default()
}

#[derive(Serialize)]
struct Results<'a> {
    results: Vec<Answer<'a>>,
}

/// RFC 7662, section 2.2.
#[derive(Serialize)]
struct Answer<'a> {
    active: bool,
    #[serde(flatten)]
    token: Option<Active<'a>>,
}

/// What is told about an active token.
#[derive(Serialize, ToSchema)]
#[schema(as = ActiveToken)]
pub struct Active<'a> {
    sub: &'a str,
    /// `sub` without the colon, which mail servers and shells do not allow in a user name. Clients create one account
    /// for each value, and people's names are neither unique nor permanent.
    username: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    scope: &'a str,
    client_id: &'a str,
    token_type: &'a str,
    exp: i64,
    iat: i64,
    iss: &'a str,
    organization: &'a str,
    organization_id: &'a str,
    permissions: Vec<&'a str>,
}

impl<'a> Answer<'a> {
    fn new(accepted: Option<&'a Accepted>, url: &'a str) -> Self {
        Self { active: accepted.is_some(), token: accepted.map(|accepted| Active::new(accepted, url)) }
    }
}

impl<'a> Active<'a> {
    fn new(accepted: &'a Accepted, url: &'a str) -> Self {
        let identity = accepted.identity();
        Self {
            sub: &identity.subject.name,
            username: identity.subject.name.replace(':', "-"),
            name: &identity.subject.display_name,
            external_id: identity.subject.external_id.as_deref(),
            scope: identity.scope.oauth(),
            client_id: &identity.token_public_id,
            token_type: "Bearer",
            exp: accepted.expires_at().min(accepted.at().plus(KEPT)).seconds(),
            iat: accepted.issued_at().seconds(),
            iss: url,
            organization: &identity.subject.organization.slug,
            organization_id: &identity.subject.organization.public_id,
            permissions: identity.permission_keys().split_ascii_whitespace().collect(),
        }
    }
}
