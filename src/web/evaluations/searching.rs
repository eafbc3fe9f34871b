//! Searches (section 8): the subjects, items or actions for which the answer is yes.

use super::{Body, begin, whom};
use crate::{App, errors::WebError, oauth::OAuthError};
use actix_web::{HttpRequest, HttpResponse};
use app::evaluations::{self, Part};
use domain::{
    item::{Item, ItemId, Place},
    time::Timestamp,
};
use serde_json::{Value, json};

/// The maximum number of results in an answer.
const MOST: usize = 100;

/// `POST /access/v1/search/subject`
///
/// # Errors
/// When the caller may not ask, the search cannot be read, or tokens cannot be verified right now.
pub async fn search_subjects(app: App, request: HttpRequest, body: Body) -> Result<HttpResponse, actix_web::Error> {
    let (organization, sent) = begin(&request, body).await?;
    let kind = sent.subject_type().map_err(OAuthError::Request)?;
    let (action, item) = (sent.action(), sent.resource());
    let (action, item) = (action.map_err(OAuthError::Request)?, item.map_err(OAuthError::Request)?);
    let limit = sent.page_limit(MOST).map_err(OAuthError::Request)?;
    let after = sent.page_token().map_or(Ok(0), |token| token.parse().map_err(|_| not_a_token()))?;
    let found = evaluations::subjects(&app, organization, kind.clone(), action, item, after, limit);
    let Part { results, next } = found.await.map_err(WebError::from)?;
    let results = results.into_iter().map(|id| json!({ "type": kind, "id": id })).collect();
    Ok(page(results, next.map(|row| row.to_string())))
}

/// `POST /access/v1/search/resource`
///
/// # Errors
/// As [`search_subjects`].
pub async fn search_items(app: App, request: HttpRequest, body: Body) -> Result<HttpResponse, actix_web::Error> {
    let (organization, sent) = begin(&request, body).await?;
    let (subject, action) = (sent.subject(), sent.action());
    let (subject, action) = (subject.map_err(OAuthError::Request)?, action.map_err(OAuthError::Request)?);
    let kind = sent.resource_type().map_err(OAuthError::Request)?;
    let limit = sent.page_limit(MOST).map_err(OAuthError::Request)?;
    let after = sent.page_token().map(|token| place(token).ok_or_else(not_a_token)).transpose()?;
    let whom = whom(&request, organization, subject).await?;
    let found = evaluations::items(&app, organization, whom, action, kind, after, limit);
    let Part { results, next } = found.await.map_err(WebError::from)?;
    let id = |item: &Item| item.external_id.as_ref().map_or_else(|| item.public_id.clone(), ToString::to_string);
    let results = results.iter().map(|item| json!({ "type": item.kind.key(), "id": id(item) })).collect();
    Ok(page(results, next.map(|Place { modified_at, id }| format!("{}.{}", modified_at.seconds(), id.0))))
}

/// `POST /access/v1/search/action`
///
/// # Errors
/// As [`search_subjects`].
pub async fn search_actions(app: App, request: HttpRequest, body: Body) -> Result<HttpResponse, actix_web::Error> {
    let (organization, sent) = begin(&request, body).await?;
    let (subject, item) = (sent.subject(), sent.resource());
    let (subject, item) = (subject.map_err(OAuthError::Request)?, item.map_err(OAuthError::Request)?);
    sent.page_limit(MOST).map_err(OAuthError::Request)?;
    let whom = whom(&request, organization, subject).await?;
    let found = evaluations::actions(&app, organization, whom, item).await.map_err(WebError::from)?;
    Ok(page(found.into_iter().map(|name| json!({ "name": name })).collect(), None))
}

fn page(results: Vec<Value>, next: Option<String>) -> HttpResponse {
    let page = json!({ "next_token": next.unwrap_or_default(), "count": results.len() });
    HttpResponse::Ok().json(json!({ "results": results, "page": page }))
}

fn not_a_token() -> OAuthError {
    OAuthError::Request("page.token is not the next_token of an answer.".into())
}

/// Reads a place as [`search_items`] writes it.
fn place(token: &str) -> Option<Place> {
    let (seconds, id) = token.split_once('.')?;
    Some(Place { modified_at: Timestamp::from_seconds(seconds.parse().ok()?), id: ItemId(id.parse().ok()?) })
}
