//! Lists and feeds as tables, for programs that ask for `text/csv`: everything that a list has, in one answer.

use crate::{
    App,
    api::resources::ApiError,
    csv::{Cell, Csv, inert_json},
    table,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, VARY},
};
use app::{
    items::{self, Exported, ListQuery, Names},
    requester::Requester,
};
use domain::{
    access::Level,
    item::{Contents, Item, ItemId, ItemKind},
    organization::OrganizationId,
    time::Timestamp,
};
use serde_json::Value;

/// Columns with what stands in them, in order.
pub type Fields = Vec<(&'static str, Value)>;
/// Returns the columns of an item; its answers follow.
pub type Row = fn(&Item, Level, &Contents, &Names) -> Fields;

/// The column of the answers.
const ANSWERS: &str = "answers";

/// Sends everything that a list has.
///
/// # Errors
/// As those of [`items::export`].
pub async fn sent(
    app: App,
    request: &HttpRequest,
    by: &Requester,
    (kind, query): (&str, ListQuery),
    row: Row,
) -> Result<HttpResponse, ApiError> {
    let export = items::export(&app, by, kind, query).await?;
    let csv = Csv::for_programs();
    let columns = columns(&export.kind, row);
    let beginning = csv.beginning(&columns);
    let lines = move |_: &items::Export, Exported { page, contents }: &Exported| {
        let all = page.items.iter().zip(contents);
        all.map(|((item, level), contents)| line(csv, item, contents, row(item, *level, contents, &page.names)))
            .collect()
    };
    Ok(varied(table::sent(app, request, export, beginning, lines).await?))
}

/// Says that the answer depends on what the client accepts.
pub fn varied(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    response
}

/// Returns the columns of the items of a kind: those of any item.
fn columns(kind: &ItemKind, row: Row) -> Vec<&'static str> {
    let never = Timestamp::from_seconds(0);
    let any = Item {
        id: ItemId(0),
        public_id: String::new(),
        organization: OrganizationId(0),
        kind: kind.clone(),
        external_id: None,
        name: String::new(),
        owner: None,
        site: None,
        template: None,
        archived_at: None,
        finished_at: None,
        version: 0,
        created_at: never,
        modified_at: never,
    };
    let row = row(&any, Level::View, &Contents::default(), &Names::default());
    let answers = (!kind.is_templates()).then_some(ANSWERS);
    row.into_iter().map(|(column, _)| column).chain(answers).collect()
}

fn line(csv: Csv, item: &Item, contents: &Contents, row: Fields) -> String {
    let answers = (!item.kind.is_templates()).then(|| contents.answers.without_unread().to_json());
    let answers = answers.map(|json| (ANSWERS, Value::String(json)));
    let cells: Vec<(&str, String)> =
        row.into_iter().chain(answers).map(|(column, value)| (column, text(column, value))).collect();
    let mut line = Vec::with_capacity(cells.len());
    for (column, text) in &cells {
        line.push(if is_typed(column) { Cell::Text(text) } else { Cell::Plain(text) });
    }
    csv.line(&line)
}

fn text(column: &str, value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(json) if matches!(column, ANSWERS | "fields") => inert_json(&json),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Whether somebody has typed what stands in a column.
fn is_typed(column: &str) -> bool {
    matches!(
        column,
        "name"
            | "description"
            | "external_id"
            | "owner"
            | "owner_name"
            | "author_name"
            | "site"
            | "template"
            | "template_name"
            | "code"
    )
}
