//! `/api/v1/groups`: the groups of the token's organization.

use super::resources::{ApiError, Asked, answer, at, created, page, reader, versioned, wanted_version, writer};
use crate::{
    App,
    body::Json,
    errors::WebError,
    routes::path,
    source,
    tables::{name_place, typed_by_name},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::{authority::Caller, groups};
use domain::{group::CountedGroup, paging::PageFrom, permission::ManageGroups};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A group in answers.
#[derive(Serialize, ToSchema)]
pub struct Group {
    id: String,
    name: String,
    /// How many people are in it.
    members: i64,
    created_at: String,
    version: i64,
}

impl From<CountedGroup> for Group {
    fn from(CountedGroup { group, members }: CountedGroup) -> Self {
        let created_at = group.created_at.rfc3339();
        Self { id: group.public_id, name: group.name, members, created_at, version: group.version }
    }
}

/// A group in requests.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupWanted)]
pub struct Wanted {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// `GET /api/v1/groups`
pub async fn list(app: App, request: HttpRequest, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = reader::<ManageGroups>(&request).await?;
        let from = asked.cursor(name_place)?.map_or(PageFrom::Start, PageFrom::After);
        let found = groups::list(&app, &caller, asked.q.clone(), from, asked.limit()?).await?;
        let next = found.next.as_ref().map(typed_by_name);
        Ok(page(found.groups.into_iter().map(Group::from).collect(), next))
    })
    .await
}

/// `POST /api/v1/groups`
pub async fn create(
    app: App,
    request: HttpRequest,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageGroups>(&request).await?;
        let Json(wanted) = body?;
        let id = groups::create(&app, &caller, &wanted.name, source::of(&request)).await?;
        Ok(created(&find(&app, &caller, &id).await?, at(path::API_GROUPS, &id)))
    })
    .await
}

/// `GET /api/v1/groups/{id}`
pub async fn show(app: App, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let group = find(&app, &reader(&request).await?, &id).await?;
        Ok(versioned(&group, group.version))
    })
    .await
}

/// `PATCH /api/v1/groups/{id}`
pub async fn change(
    app: App,
    request: HttpRequest,
    id: Path<String>,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageGroups>(&request).await?;
        let Json(wanted) = body?;
        let version = wanted_version(&request);
        groups::rename(&app, &caller, &id, &wanted.name, version, source::of(&request)).await?;
        let group = find(&app, &caller, &id).await?;
        Ok(versioned(&group, group.version))
    })
    .await
}

/// `DELETE /api/v1/groups/{id}`
pub async fn delete(app: App, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageGroups>(&request).await?;
        groups::delete(&app, &caller, &id, wanted_version(&request), source::of(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

async fn find(app: &App, caller: &Caller<ManageGroups>, id: &str) -> Result<Group, ApiError> {
    Ok(groups::find(app, caller, id).await?.into())
}
