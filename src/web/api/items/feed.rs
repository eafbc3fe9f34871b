//! `/feed/{kind}`: exports of items for programs that take everything, page by page, in the form that they know from the
//! system that they were written for. These addresses also accept the key as the password of HTTP Basic, which is what
//! spreadsheets ask for.

use super::query::{ItemsAsked, typed_place};
use crate::{
    App,
    api::resources::{answer, cursor},
    bearer,
    errors::WebError,
    routes::path,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::items::{self, Feed, Named, Names};
use domain::{
    access::Demand,
    field::Answers,
    item::{Contents, Item},
    text::is_blank,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A page of a feed.
#[derive(Serialize)]
struct ToldPage {
    metadata: Metadata,
    data: Vec<Row>,
}

#[derive(Serialize)]
struct Metadata {
    /// The address of the next page; `null` on the last one.
    next_page: Option<String>,
    remaining_records: i64,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    fields: Map<String, Value>,
    /// Those that could be read, with all digits of numbers. A template has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Answers>,
}

/// `GET /feed/{kind}`
pub async fn show(
    app: App,
    request: HttpRequest,
    kind: Path<String>,
    asked: Query<ItemsAsked>,
) -> Result<HttpResponse, WebError> {
    let shown = answer(&request, async {
        let by = bearer::authenticate_also_basic(&request, Demand::default()).await?.into();
        let (query, limit) = (asked.query(true)?, asked.limit()?);
        let Feed { page, contents, remaining } = items::feed(&app, &by, &kind, query, asked.place()?, limit).await?;
        let data =
            page.items.iter().zip(&contents).map(|((item, _), contents)| row(item, contents, &page.names)).collect();
        let next = page.next.map(|place| path::feed_page(&kind, &asked.next(cursor(typed_place(place)), limit)));
        let metadata = Metadata { next_page: next, remaining_records: remaining };
        Ok(HttpResponse::Ok().json(ToldPage { metadata, data }))
    });
    Ok(bearer::offering_basic(shown.await?))
}

/// `GET /accounts/user/v1/user:WhoAmI`: whom the key acts for, which such programs ask first.
pub async fn who_am_i(request: HttpRequest) -> Result<HttpResponse, WebError> {
    let shown = answer(&request, async {
        let accepted = bearer::authenticate_also_basic(&request, Demand::default()).await?;
        let subject = &accepted.identity().subject;
        let name = subject.display_name.as_str();
        let (first, last) = match (&subject.user, name.split_once(is_blank)) {
            (Some(_), Some((first, last))) => (first, last),
            _ => (name, ""),
        };
        Ok(HttpResponse::Ok().json(json!({
            "user_id": subject.name,
            "organisation_id": subject.organization.public_id,
            "firstname": first,
            "lastname": last,
        })))
    });
    Ok(bearer::offering_basic(shown.await?))
}

/// Returns a row: with the other system's names if it has such items.
fn row(item: &Item, contents: &Contents, names: &Names) -> Row {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    let id = |named: Option<&Named>| json!(named.map_or("", |named| &named.id));
    let name = |named: Option<&Named>| json!(named.map_or("", |named| &named.name));
    let (made, modified) = (item.created_at.rfc3339(), item.modified_at.rfc3339());
    add("id", json!(item.public_id));
    add("name", json!(item.name));
    add("modified_at", json!(modified));
    let (is_template, is_inspection) = (item.kind.is_templates(), item.kind.is_inspections());
    let answers = (!is_template).then(|| contents.answers.without_unread());
    if !item.kind.is_built_in() {
        return Row { fields, answers };
    }
    add("archived", json!(item.archived_at.is_some()));
    add("description", json!(contents.description));
    add("organisation_id", id(names.organization(item)));
    add("owner_id", id(names.owner(item)));
    add("owner_name", name(names.owner(item)));
    add("author_id", id(names.owner(item)));
    add("author_name", name(names.owner(item)));
    add("created_at", json!(made));
    add("site_id", id(names.site(item)));
    if is_inspection {
        add("template_id", id(names.template(item)));
        add("template_name", name(names.template(item)));
        add("date_started", json!(made));
        add("date_completed", json!(item.finished_at.map(|at| at.rfc3339())));
        add("date_modified", json!(modified));
    }
    if item.kind.is_assets() {
        add("code", json!(item.name));
        // A text, as there.
        add("fields", json!(contents.answers.without_unread().to_json()));
        add("state", json!(if item.archived_at.is_some() { "archived" } else { "active" }));
    }
    Row { fields, answers }
}
