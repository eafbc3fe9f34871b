//! `/api/v1/sites`: the sites of the token's organization.

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
use app::{
    authority::Caller,
    sites::{self, Change},
};
use domain::{
    paging::PageFrom,
    permission::ManageSites,
    site::{CountedSite, SiteId},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// A site in answers.
#[derive(Serialize, ToSchema)]
pub struct Site {
    id: String,
    name: String,
    /// The id of the site that it is in.
    parent: Option<String>,
    level: i16,
    /// How many people are assigned to the site itself.
    members: i64,
    /// How many are assigned to it or to a site below it.
    members_in_all: i64,
    created_at: String,
    version: i64,
}

impl Site {
    fn new(CountedSite { site, people }: CountedSite, parent: Option<String>) -> Self {
        Self {
            id: site.public_id,
            name: site.name,
            parent,
            level: site.level,
            members: people.here,
            members_in_all: people.in_all,
            created_at: site.created_at.rfc3339(),
            version: site.version,
        }
    }
}

/// A site to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteWanted)]
pub struct Wanted {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[serde(default)]
    parent: Option<String>,
}

/// A change of a site: what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteChange)]
pub struct Changed {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// `null` moves it out of the site that it is in.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<String>>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `GET /api/v1/sites`
pub async fn list(app: App, request: HttpRequest, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = reader::<ManageSites>(&request).await?;
        let from = asked.cursor(name_place)?.map_or(PageFrom::Start, PageFrom::After);
        let found = sites::list(&app, &caller, asked.q.clone(), from, asked.limit()?).await?;
        let next = found.next.as_ref().map(typed_by_name);
        let parents: HashMap<SiteId, String> = found.parents.into_iter().collect();
        let site = |one: CountedSite| {
            let parent = one.site.parent.and_then(|id| parents.get(&id).cloned());
            Site::new(one, parent)
        };
        Ok(page(found.sites.into_iter().map(site).collect(), next))
    })
    .await
}

/// `POST /api/v1/sites`
pub async fn create(
    app: App,
    request: HttpRequest,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageSites>(&request).await?;
        let Json(wanted) = body?;
        let parent = wanted.parent.unwrap_or_default();
        let id = sites::create(&app, &caller, &wanted.name, &parent, source::of(&request)).await?;
        Ok(created(&find(&app, &caller, &id).await?, at(path::API_SITES, &id)))
    })
    .await
}

/// `GET /api/v1/sites/{id}`
pub async fn show(app: App, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let site = find(&app, &reader(&request).await?, &id).await?;
        Ok(versioned(&site, site.version))
    })
    .await
}

/// `PATCH /api/v1/sites/{id}`
pub async fn change(
    app: App,
    request: HttpRequest,
    id: Path<String>,
    body: Result<Json<Changed>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageSites>(&request).await?;
        let Json(Changed { name, parent }) = body?;
        let parent = parent.map(Option::unwrap_or_default);
        let change = Change { name, parent, version: wanted_version(&request) };
        sites::change(&app, &caller, &id, change, source::of(&request)).await?;
        let site = find(&app, &caller, &id).await?;
        Ok(versioned(&site, site.version))
    })
    .await
}

/// `DELETE /api/v1/sites/{id}`
pub async fn delete(app: App, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageSites>(&request).await?;
        sites::delete(&app, &caller, &id, wanted_version(&request), source::of(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

async fn find(app: &App, caller: &Caller<ManageSites>, id: &str) -> Result<Site, ApiError> {
    let facts = sites::find(app, caller, id).await?;
    let parent = facts.above.last().map(|parent| parent.public_id.clone());
    Ok(Site::new(facts.counted, parent))
}
