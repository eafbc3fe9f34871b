//! `/api/v1/items/{kind}/{id}/shares`: with whom an item is shared.

use super::{once, reader, writer};
use crate::{
    App,
    api::resources::{ApiError, answer, page},
    body::Json,
    errors::WebError,
    source,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use app::{
    AppError,
    items::{self, ReachedBy, ShareForm, SharedWith},
    kept_answers::KeptAnswer,
    recipients::RecipientForm,
    requester::Requester,
};
use domain::access::StoredShare;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A share in answers.
#[derive(Serialize, ToSchema)]
#[schema(as = Share)]
pub struct Told {
    id: String,
    level: &'static str,
    recipient: ToldRecipient,
    created_at: String,
    /// The name of whoever shared the item.
    created_by: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Recipient)]
struct ToldRecipient {
    r#type: &'static str,
    id: String,
    name: String,
    /// The name of its organization.
    organization: String,
}

impl From<&SharedWith> for Told {
    fn from(SharedWith { by, recipient }: &SharedWith) -> Self {
        Self {
            id: by.public_id.clone(),
            level: by.share.level.key(),
            recipient: ToldRecipient {
                r#type: by.share.recipient.kind().key(),
                id: recipient.id.clone(),
                name: recipient.name.clone(),
                organization: recipient.organization_name.clone(),
            },
            created_at: by.created_at.rfc3339(),
            created_by: by.made_by.clone(),
        }
    }
}

/// What is told to a token that may share an item and not view it.
#[derive(Serialize)]
struct Receipt {
    id: String,
    level: &'static str,
}

/// A share in requests.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShareWanted)]
pub struct Wanted {
    recipient: Recipient,
    level: String,
}

/// Whom a share is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecipientWanted)]
struct Recipient {
    r#type: String,
    #[serde(default)]
    id: String,
    /// The slug of another organization.
    #[serde(default)]
    organization: String,
}

impl From<Wanted> for ShareForm {
    fn from(Wanted { recipient: Recipient { r#type, id, organization }, level }: Wanted) -> Self {
        Self { recipient: RecipientForm { kind: r#type, id, organization, name: String::new() }, level }
    }
}

/// `GET /api/v1/items/{kind}/{id}/shares`
pub async fn list(app: App, request: HttpRequest, named: Path<(String, String)>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = reader(&request).await?;
        let (kind, id) = named.into_inner();
        let reached = items::reached_by(&app, &by, &kind, id.as_str().into()).await?;
        Ok(page(reached.shares.iter().map(Told::from).collect(), None))
    })
    .await
}

/// `POST /api/v1/items/{kind}/{id}/shares`: a recipient who has a share already gets another level.
pub async fn share(
    app: App,
    request: HttpRequest,
    named: Path<(String, String)>,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = writer(&request).await?;
        let ((kind, id), form, source) = (named.into_inner(), body?.0.into(), source::of(&request));
        if let Some(once) = once::of(&request)? {
            let of = (kind.as_str(), id.as_str().into());
            return once::response(items::share_once(&app, &by, of, form, source, once, told).await?);
        }
        let share = items::share(&app, &by, &kind, id.as_str().into(), form, source).await?;
        Ok(once::sent(&told(&share, reached(&app, &by, (&kind, &id)).await?)?))
    })
    .await
}

/// `DELETE /api/v1/items/{kind}/{id}/shares/{share}`
pub async fn end(
    app: App,
    request: HttpRequest,
    named: Path<(String, String, String)>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = writer(&request).await?;
        let (kind, id, share) = named.into_inner();
        items::end_share(&app, &by, &kind, id.as_str().into(), &share, source::of(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

/// Returns the answer about a share, with the name of its recipient if whoever has made it may see that.
fn told(share: &StoredShare, reached: Option<ReachedBy>) -> Result<KeptAnswer, AppError> {
    let shares = reached.map(|reached| reached.shares).unwrap_or_default();
    match shares.iter().find(|one| one.by.public_id == share.public_id) {
        Some(seen) => once::answer(StatusCode::OK, &Told::from(seen)),
        None => {
            let receipt = Receipt { id: share.public_id.clone(), level: share.share.level.key() };
            once::answer(StatusCode::OK, &receipt)
        }
    }
}

/// Returns who reaches an item, for those who may see that.
async fn reached(app: &App, by: &Requester, (kind, id): (&str, &str)) -> Result<Option<ReachedBy>, ApiError> {
    match items::reached_by(app, by, kind, id.into()).await {
        Ok(reached) => Ok(Some(reached)),
        Err(AppError::NotFound | AppError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
