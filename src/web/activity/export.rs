//! The log as a file, streamed: only one page of it is in memory at a time, however long it is.

use super::{Sought, calendar};
use crate::{
    App,
    csv::{self, Cell, Csv},
    errors::WebError,
    form::Form,
    holder::Holding,
};
use actix_web::{HttpResponse, web::Bytes};
use app::{AppError, activity::Export};
use domain::{
    activity::{Detail, Logged},
    permission::ReadActivity,
};
use serde_json::json;

/// Returns the name of the file with this ending.
pub const fn name(ending: &str) -> &'static str {
    match ending.as_bytes() {
        b"csv" => "activity.csv",
        _ => "activity.jsonl",
    }
}

/// `POST /orgs/{slug}/activity.csv`: the entries that match the filter, newest first. It is a POST because the log
/// records it.
///
/// # Errors
/// When the filter cannot be read.
pub async fn export_csv(app: App, at: Holding<ReadActivity>, form: Form<Sought>) -> Result<HttpResponse, WebError> {
    let columns = [
        "entry",
        "time_utc",
        "action",
        "actor",
        "target",
        "token_id",
        "token",
        "detail",
        "count",
        "address",
        "program",
        "request_id",
        "hash",
    ];
    let csv = Csv::of(at.t().0);
    let beginning = csv.beginning(&columns);
    export(app, at, form, ("csv", csv::CONTENT_TYPE), beginning, move |entry| csv_line(csv, entry)).await
}

/// `POST /orgs/{slug}/activity.jsonl`: the same entries with everything that is needed to verify the chain, one JSON
/// object per line. [`domain::activity::chained`] describes how to verify it.
///
/// # Errors
/// When the filter cannot be read.
pub async fn export_jsonl(app: App, at: Holding<ReadActivity>, form: Form<Sought>) -> Result<HttpResponse, WebError> {
    export(app, at, form, ("jsonl", "application/jsonl"), String::new(), json_line).await
}

async fn export(
    app: App,
    at: Holding<ReadActivity>,
    Form(sought): Form<Sought>,
    (ending, content_type): (&str, &'static str),
    beginning: String,
    line: impl Fn(&Logged) -> String + Copy + 'static,
) -> Result<HttpResponse, WebError> {
    let form = sought.form(calendar(&app, &at))?;
    let export = app::activity::export(&app, &at.who, form, name(ending), at.source.clone()).await?;
    let day = app.clock().now().utc().format("%Y-%m-%d");
    let name = format!("activity-{}-{day}.{ending}", at.slug());
    let lines = futures_util::stream::try_unfold((app, export, Some(beginning)), move |state| more(state, line));
    Ok(HttpResponse::Ok().content_type(content_type).insert_header(csv::attachment(&name)).streaming(lines))
}

type State = (App, Export, Option<String>);

/// Returns the next lines. An error ends the answer early, which every client recognizes as an incomplete file.
async fn more(
    (app, mut export, beginning): State,
    line: impl Fn(&Logged) -> String,
) -> Result<Option<(Bytes, State)>, WebError> {
    let entries = app::activity::export_more(&app, &mut export).await.inspect_err(|error| match error {
        AppError::SignedOut | AppError::NotFound | AppError::Forbidden(_) => {}
        error => tracing::error!(%error, "an export of the activity log was aborted"),
    })?;
    if entries.is_empty() && beginning.is_none() {
        return Ok(None);
    }
    let lines: String = beginning.into_iter().chain(entries.iter().map(line)).collect();
    Ok(Some((lines.into(), (app, export, None))))
}

fn csv_line(csv: Csv, entry: &Logged) -> String {
    let (token_id, token) = entry.token.as_ref().map_or(("", ""), |(public_id, label)| (public_id, label));
    csv.line(&[
        Cell::Number(entry.position),
        Cell::Moment(entry.at),
        Cell::Text(entry.action.key()),
        Cell::Text(&entry.actor_name),
        Cell::Text(entry.target_name.as_deref().unwrap_or_default()),
        Cell::Text(token_id),
        Cell::Text(token),
        Cell::Text(&entry.detail.as_ref().map(Detail::to_text).unwrap_or_default()),
        Cell::Number(entry.count),
        Cell::Text(&entry.source.address),
        Cell::Text(&entry.source.program),
        Cell::Text(&entry.source.request_id),
        Cell::Text(&hex::encode(entry.hash)),
    ])
}

/// An entry for programs, in one line.
pub fn json_line(entry: &Logged) -> String {
    let token = entry.token.as_ref();
    let line = json!({
        "position": entry.position,
        "organization": entry.organization.map(|id| id.0),
        "at": entry.at.seconds(),
        "time": entry.at.rfc3339(),
        "action": entry.action.key(),
        "actor_id": entry.actor.map(|id| id.0),
        "actor": entry.actor_name,
        "target_id": entry.target.map(|id| id.0),
        "target": entry.target_name,
        "token_id": token.map(|(public_id, _)| public_id),
        "token": token.map(|(_, label)| label),
        "detail": entry.detail.as_ref().map(Detail::to_text),
        "count": entry.count,
        "address": entry.source.address,
        "program": entry.source.program,
        "request_id": entry.source.request_id,
        "hash": hex::encode(entry.hash),
    });
    format!("{line}\n")
}
