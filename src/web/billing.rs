//! Billing: the seats of an organization, month by month, to read and to download.

use super::{
    App,
    errors::WebError,
    holder::Holding,
    page::page,
    routes::path,
    shell::{Nav, Shell},
};
use crate::{app::billing::Billing, domain::permission::SeeBilling};
use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use askama::Template;
use std::fmt::Write;

/// The name of the file.
const FILE: &str = "seats.csv";

/// The page.
#[derive(Template)]
#[template(path = "billing/show.html")]
struct BillingPage {
    shell: Shell,
    billing: Billing,
    months: Vec<Row>,
    /// The largest number, which the bars are drawn against.
    most: i64,
    csv: String,
}

/// A month.
struct Row {
    key: String,
    name: String,
    seats: i64,
    is_current: bool,
}

/// `GET /orgs/{slug}/billing`
///
/// # Errors
/// When the database fails.
pub async fn show(app: App, at: Holding<SeeBilling>) -> Result<HttpResponse, WebError> {
    let billing = app.billing(&at.who).await?;
    let shell = at.shell(Nav::Billing);
    let row = |(index, (month, seats)): (usize, &(_, i64))| Row {
        key: crate::domain::billing::Month::key(*month),
        name: shell.t.month(*month),
        seats: *seats,
        is_current: index == 0,
    };
    let months = billing.months.iter().enumerate().map(row).collect();
    let most = billing.months.iter().map(|(_, seats)| *seats).max().unwrap_or(0).max(1);
    page(&BillingPage { csv: path::seats_csv(at.slug()), months, most, billing, shell })
}

/// `GET /orgs/{slug}/billing/seats.csv`: `month,seats`, newest first, and nothing that a spreadsheet could take for a
/// formula: months and numbers are all there is. It is plain ASCII, so it has no byte order mark, which other programs would
/// take for a part of the first name.
///
/// # Errors
/// When the database fails.
pub async fn csv(app: App, at: Holding<SeeBilling>) -> Result<HttpResponse, WebError> {
    let billing = app.export_seats(&at.who, FILE, at.source.clone()).await?;
    let mut text = String::from("month,seats\r\n");
    for (month, seats) in &billing.months {
        // Writing into a string does not fail.
        let _ = write!(text, "{},{seats}\r\n", month.key());
    }
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}-{FILE}\"", at.slug())))
        .body(text))
}
