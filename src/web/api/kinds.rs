//! `/api/v1/kinds`: the kinds of the organization of the token that asks. Every token may read them; changing them takes
//! *Platform management: Kinds* and a token that may write.

use super::fields::{WantedField, typed};
use super::resources::{answer, created, page, versioned, wanted_version, writer};
use crate::{
    App,
    bearer::{self, BearerError},
    body::Json,
    errors::WebError,
    finish,
    routes::path,
    source,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use app::kinds::{CHANGES, KindFields, KindForm, READS, TypedAction};
use domain::{
    access::{Demand, Level},
    field::Field,
    kind::{CommonAction, Kind, StoredKind},
    organization::OrganizationId,
    permission::{ManageKinds, PermissionGroup},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind in an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Kind)]
pub struct Told<'a> {
    key: &'a str,
    built_in: bool,
    /// The name of one item; only an own kind has names of its organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    singular: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plural: Option<&'a str>,
    actions: Vec<ToldAction<'a>>,
}

/// An action in an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Action)]
struct ToldAction<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    permission: String,
    reads: bool,
    level: &'static str,
}

/// The fields of a kind in an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = KindFields)]
pub struct ToldFields<'a> {
    #[schema(value_type = Vec<WantedField>)]
    fields: &'a [Field],
}

/// The fields of a kind in a request, in order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KindFieldsWanted)]
pub struct WantedFields {
    #[schema(max_items = 200)]
    fields: Vec<WantedField>,
}

/// A kind in a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KindWanted)]
pub struct Wanted {
    /// Only of a new one.
    #[serde(default)]
    key: String,
    #[schema(min_length = 1, max_length = 100)]
    singular: String,
    #[schema(min_length = 1, max_length = 100)]
    plural: String,
    /// The own actions, in order.
    #[serde(default)]
    #[schema(max_items = 12)]
    actions: Vec<WantedAction>,
}

/// An own action in a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActionWanted)]
struct WantedAction {
    #[schema(pattern = "^[a-z][a-z0-9_]{1,31}$")]
    key: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    reads: bool,
}

impl<'a> Told<'a> {
    fn own(kind: &'a Kind) -> Self {
        let permission = |action: &str| format!("{}.{action}", kind.key.as_str());
        let common = CommonAction::ALL.into_iter().map(|action| ToldAction {
            key: action.key(),
            name: None,
            permission: permission(action.key()),
            reads: action.reads(),
            level: action.level().key(),
        });
        let own = kind.actions.iter().map(|action| ToldAction {
            key: action.key.as_str(),
            name: Some(&action.name),
            permission: permission(action.key.as_str()),
            reads: action.reads,
            level: action.level().key(),
        });
        Self {
            key: kind.key.as_str(),
            built_in: false,
            singular: Some(&kind.singular),
            plural: Some(&kind.plural),
            actions: common.chain(own).collect(),
        }
    }

    fn built_in(group: PermissionGroup) -> Self {
        let actions = group.permissions().filter_map(|permission| {
            let (level, key) = (permission.level()?, permission.key());
            Some(ToldAction {
                key: key.split_once('.').map_or(key, |(_, action)| action),
                name: None,
                permission: key.to_owned(),
                reads: level == Level::View,
                level: level.key(),
            })
        });
        Self { key: group.key(), built_in: true, singular: None, plural: None, actions: actions.collect() }
    }
}

impl Wanted {
    fn form(self, version: String) -> KindForm {
        let action = |WantedAction { key, name, reads }| TypedAction {
            name,
            key,
            nature: if reads { READS } else { CHANGES }.to_owned(),
        };
        let Self { key, singular, plural, actions } = self;
        let actions = actions.into_iter().map(action).collect();
        // A program asks without a preview.
        KindForm { singular, plural, key, actions, version, affected: None, password: None }
    }
}

/// `GET /api/v1/kinds`
pub async fn list(app: App, request: HttpRequest) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let own = app::kinds::list(&app, reader(&request).await?).await?;
        let built_in = PermissionGroup::KINDS.into_iter().map(Told::built_in);
        Ok(page(built_in.chain(own.iter().map(|stored| Told::own(&stored.kind))).collect(), None))
    })
    .await
}

/// `GET /api/v1/kinds/{key}`
pub async fn show(app: App, request: HttpRequest, key: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let organization = reader(&request).await?;
        if let Some(group) = PermissionGroup::KINDS.into_iter().find(|group| group.key() == *key) {
            return Ok(HttpResponse::Ok().json(Told::built_in(group)));
        }
        Ok(told(&app::kinds::find(&app, organization, &key).await?))
    })
    .await
}

/// `POST /api/v1/kinds`
pub async fn create(
    app: App,
    request: HttpRequest,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageKinds>(&request).await?;
        let form = body?.0.form(String::new());
        let kind = app::kinds::create(&app, &caller, form, source::of(&request)).await?.kind;
        Ok(created(&Told::own(&kind), path::api_kind(kind.key.as_str())))
    })
    .await
}

/// `PUT /api/v1/kinds/{key}`: takes the version that was read in `If-Match`, so that nobody overwrites what they have not
/// read.
pub async fn change(
    app: App,
    request: HttpRequest,
    key: Path<String>,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageKinds>(&request).await?;
        let Some(version) = wanted_version(&request) else { return Ok(version_missing(&request)) };
        let form = body?.0.form(version.to_string());
        Ok(told(&app::kinds::change(&app, &caller, &key, form, source::of(&request)).await?))
    })
    .await
}

/// `DELETE /api/v1/kinds/{key}`
pub async fn delete(app: App, request: HttpRequest, key: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageKinds>(&request).await?;
        app::kinds::delete(&app, &caller, &key, None, source::of(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

/// `GET /api/v1/kinds/{key}/fields`: the fields of the items of a kind, but templates and inspections, which have
/// questions.
pub async fn fields(app: App, request: HttpRequest, key: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let organization = reader(&request).await?;
        Ok(told_fields(&app::kinds::fields(&app, organization, &key).await?))
    })
    .await
}

/// `PUT /api/v1/kinds/{key}/fields`: takes the version that was read in `If-Match`.
pub async fn change_fields(
    app: App,
    request: HttpRequest,
    key: Path<String>,
    body: Result<Json<WantedFields>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageKinds>(&request).await?;
        let Some(version) = wanted_version(&request) else { return Ok(version_missing(&request)) };
        let typed = typed(body?.0.fields);
        let source = source::of(&request);
        Ok(told_fields(&app::kinds::change_fields(&app, &caller, &key, typed, Some(version), source).await?))
    })
    .await
}

fn told_fields(fields: &KindFields) -> HttpResponse {
    versioned(&ToldFields { fields: fields.form.fields() }, fields.version)
}

/// Returns the organization of any token.
async fn reader(request: &HttpRequest) -> Result<OrganizationId, BearerError> {
    Ok(bearer::authenticate(request, Demand::default()).await?.identity().subject.organization.id)
}

/// Returns the kind with its version.
fn told(stored: &StoredKind) -> HttpResponse {
    versioned(&Told::own(&stored.kind), stored.version)
}

fn version_missing(request: &HttpRequest) -> HttpResponse {
    let detail = "Send the ETag that you have read in If-Match, such as \"3\".";
    let id = source::of(request).request_id;
    finish::problem(StatusCode::PRECONDITION_REQUIRED, "Version missing", detail, &id)
}
