//! `/api/v1/items`: the items that the subject of a token reaches.

pub mod bulk;
pub mod feed;
mod once;
mod query;
pub mod shares;
mod table;
pub mod told;
pub mod wanted;

use super::resources::{ApiError, answer, page, versioned, wanted_version};
use crate::{
    App, accept,
    bearer::{self, BearerError},
    body::Json,
    errors::WebError,
    routes::path,
    source,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use app::{
    AppError,
    items::{self, Direction, Done, Found, ItemKey},
    kept_answers::KeptAnswer,
    requester::Requester,
};
use domain::{
    access::Demand,
    item::{ExternalId, Item},
    paging::PageFrom,
};
use query::{ItemsAsked, typed_place};
use told::{Receipt, Told, ToldWhole};
use wanted::{Changed, Put, Wanted};

/// `GET /api/v1/items/{kind}`
pub async fn list(
    app: App,
    request: HttpRequest,
    kind: Path<String>,
    asked: Query<ItemsAsked>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = reader(&request).await?;
        if accept::wants_table(&request) {
            return table::sent(app, &request, &by, (&kind, asked.whole(false)?), told::row).await;
        }
        let from = asked.place()?.map_or(PageFrom::Start, PageFrom::After);
        let (query, limit) = (asked.query(false)?, asked.limit()?);
        let found = items::list(&app, &by, &kind, query, Direction::Descending, from, limit).await?;
        let told = found.items.iter().map(|(item, level)| Told::new(item, *level, &found.names));
        Ok(table::varied(page(told.collect(), found.next.map(typed_place))))
    })
    .await
}

/// `POST /api/v1/items/{kind}`
pub async fn create(
    app: App,
    request: HttpRequest,
    kind: Path<String>,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = writer(&request).await?;
        let (form, source) = (body?.0.into(), source::of(&request));
        if let Some(once) = once::of(&request)? {
            let told = |item: &Item, found: Option<Found>| told_made(item, found.map(ToldWhole::from));
            return once::response(items::create_once(&app, &by, &kind, form, source, once, told).await?);
        }
        let item = items::create(&app, &by, &kind, form, source).await?;
        made(&app, &by, &item).await
    })
    .await
}

/// `GET /api/v1/items/{kind}/{id}`
pub async fn show(app: App, request: HttpRequest, named: Path<(String, String)>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = reader(&request).await?;
        let (kind, id) = named.into_inner();
        let found = items::find(&app, &by, &kind, id.as_str().into()).await?;
        let version = found.item.version;
        Ok(versioned(&ToldWhole::from(found), version))
    })
    .await
}

/// `PATCH /api/v1/items/{kind}/{id}`
pub async fn change(
    app: App,
    request: HttpRequest,
    named: Path<(String, String)>,
    body: Result<Json<Changed>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = writer(&request).await?;
        let (kind, id) = named.into_inner();
        let change = body?.0.change(wanted_version(&request));
        let item = items::change(&app, &by, &kind, id.as_str().into(), change, source::of(&request)).await?;
        as_it_is(&app, &by, &item).await
    })
    .await
}

/// `DELETE /api/v1/items/{kind}/{id}`
pub async fn delete(app: App, request: HttpRequest, named: Path<(String, String)>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = writer(&request).await?;
        let ((kind, id), version) = (named.into_inner(), wanted_version(&request));
        items::delete(&app, &by, &kind, id.as_str().into(), version, source::of(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

/// `PUT /api/v1/items/{kind}/by-external-id/{id}`
pub async fn put(
    app: App,
    request: HttpRequest,
    named: Path<(String, String)>,
    body: Result<Json<Put>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = writer(&request).await?;
        let (kind, id) = named.into_inner();
        let id = ExternalId::parse(&id).map_err(|_| AppError::NotFound)?;
        let (form, change) = body?.0.either(wanted_version(&request));
        match items::put(&app, &by, &kind, id, form, change, source::of(&request)).await? {
            Done::Created(item) => made(&app, &by, &item).await,
            Done::Changed(item) | Done::Deleted(item) => as_it_is(&app, &by, &item).await,
        }
    })
    .await
}

/// Returns who asks to read items. The verbs decide what they may do.
async fn reader(request: &HttpRequest) -> Result<Requester, BearerError> {
    Ok(bearer::authenticate(request, Demand::default()).await?.into())
}

/// Returns who asks to change items, which a read-only token may not.
async fn writer(request: &HttpRequest) -> Result<Requester, BearerError> {
    Ok(bearer::authenticate(request, Demand { write: true, ..Demand::default() }).await?.into())
}

/// Answers that an item was created.
async fn made(app: &App, by: &Requester, item: &Item) -> Result<HttpResponse, ApiError> {
    Ok(once::sent(&told_made(item, viewed(app, by, item).await?)?))
}

/// Returns the answer that an item was created, with everything about it for those who may view it.
fn told_made(item: &Item, seen: Option<ToldWhole>) -> Result<KeptAnswer, AppError> {
    let answer = match seen {
        Some(whole) => once::answer(StatusCode::CREATED, &whole),
        None => once::answer(StatusCode::CREATED, &Receipt::from(item)),
    };
    let location = path::api_item(item.kind.key(), &item.public_id);
    Ok(KeptAnswer { location, etag: format!("\"{}\"", item.version), ..answer? })
}

/// Answers with an item that was changed.
async fn as_it_is(app: &App, by: &Requester, item: &Item) -> Result<HttpResponse, ApiError> {
    Ok(match viewed(app, by, item).await? {
        Some(whole) => versioned(&whole, item.version),
        None => versioned(&Receipt::from(item), item.version),
    })
}

/// Returns an item with everything about it, if whoever has changed it may view it. If somebody else has changed it
/// since, that is not what was written, and it is read by another request.
async fn viewed(app: &App, by: &Requester, item: &Item) -> Result<Option<ToldWhole>, ApiError> {
    let key = ItemKey::PublicId(item.public_id.clone());
    match items::find(app, by, item.kind.key(), key).await {
        Ok(found) if found.item.version == item.version => Ok(Some(found.into())),
        Ok(_) | Err(AppError::NotFound | AppError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
