//! `/feed/{kind}`: exports of items for programs that take everything, page by page, in the form that they know from the
//! system that they were written for. These addresses also accept the key as the password of HTTP Basic, which is what
//! spreadsheets ask for.

use super::{
    query::{ItemsAsked, typed_place},
    table::{self, Fields},
};
use crate::{
    App, accept,
    api::{
        directory::{self, Directory},
        resources::{answer, cursor},
    },
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
    access::{Demand, Level},
    field::Answers,
    item::{Contents, Item, ItemKind},
    text::is_blank,
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

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

struct Row {
    fields: Fields,
    /// Those that could be read, with all digits of numbers. A template has none.
    answers: Option<Answers>,
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(None)?;
        for (name, value) in &self.fields {
            row.serialize_entry(name, value)?;
        }
        if let Some(answers) = &self.answers {
            row.serialize_entry("answers", answers)?;
        }
        row.end()
    }
}

/// `GET /feed/{kind}`
pub async fn show(
    app: App,
    request: HttpRequest,
    kind: Path<String>,
    asked: Query<ItemsAsked>,
) -> Result<HttpResponse, WebError> {
    let shown = answer(&request, async {
        let accepted = bearer::authenticate_also_basic(&request, Demand::default()).await?;
        let known = &accepted.identity().subject.held.known;
        // A kind of the organization's own may have the same name.
        if let Some(of) = Directory::from_key(&kind)
            && !ItemKind::parse(&kind).is_some_and(|kind| kind.is_known(known))
        {
            return directory::feed(&app, accepted, of, asked.of_directory()?).await;
        }
        let by = accepted.into();
        if accept::wants_table(&request) {
            return table::sent(app, &request, &by, (&kind, asked.whole(true)?), fields).await;
        }
        let (query, limit) = (asked.query(true)?, asked.limit()?);
        let Feed { page, contents, remaining } = items::feed(&app, &by, &kind, query, asked.place()?, limit).await?;
        let all = page.items.iter().zip(&contents);
        let data = all.map(|((item, level), contents)| Row {
            fields: fields(item, *level, contents, &page.names),
            answers: (!item.kind.is_templates()).then(|| contents.answers.without_unread()),
        });
        let data = data.collect();
        let next = page.next.map(|place| path::feed_page(&kind, &asked.next(cursor(typed_place(place)), limit)));
        let metadata = Metadata { next_page: next, remaining_records: remaining };
        Ok(table::varied(HttpResponse::Ok().json(ToldPage { metadata, data })))
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

/// Returns the fields of a row, without the answers: with the other system's names if it has such items.
fn fields(item: &Item, _: Level, contents: &Contents, names: &Names) -> Fields {
    let mut fields = Fields::new();
    let mut add = |name: &'static str, value: Value| fields.push((name, value));
    let id = |named: Option<&Named>| json!(named.map_or("", |named| &named.id));
    let name = |named: Option<&Named>| json!(named.map_or("", |named| &named.name));
    let (made, modified) = (item.created_at.rfc3339(), item.modified_at.rfc3339());
    add("id", json!(item.public_id));
    add("name", json!(item.name));
    add("modified_at", json!(modified));
    if !item.kind.is_built_in() {
        return fields;
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
    if item.kind.is_inspections() {
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
    fields
}
