//! Billing: the seats of an organization, month by month, to read and to download.

use super::{
    App,
    csv::{self, Cell, Csv},
    errors::WebError,
    holder::Holding,
    page::page,
    routes::path,
    shell::{Nav, Shell},
};
use actix_web::HttpResponse;
use app::billing::Billing;
use askama::Template;
use domain::{billing::Month, permission::SeeBilling};

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
pub async fn show(app: App, at: Holding<SeeBilling>) -> Result<HttpResponse, WebError> {
    let billing = app::billing::overview(&app, &at.who).await?;
    let shell = at.shell(Nav::Billing);
    let row = |(index, (month, seats)): (usize, &(Month, i64))| Row {
        key: month.key(),
        name: shell.t.month(*month),
        seats: *seats,
        is_current: index == 0,
    };
    let months = billing.months.iter().enumerate().map(row).collect();
    let most = billing.months.iter().map(|(_, seats)| *seats).max().unwrap_or(0).max(1);
    page(&BillingPage { csv: path::seats_csv(at.slug()), months, most, billing, shell })
}

/// `GET /orgs/{slug}/billing/seats.csv`: year, month and seats, newest first. The two numbers are two cells, since
/// spreadsheets make a day of `2026-11`.
pub async fn csv(app: App, at: Holding<SeeBilling>) -> Result<HttpResponse, WebError> {
    let billing = app::billing::export_seats(&app, &at.who, FILE, at.source.clone()).await?;
    let csv = Csv::of(at.t().0);
    let line = |(month, seats): &(Month, i64)| {
        csv.line(&[Cell::Number(month.year().into()), Cell::Number(month.number().into()), Cell::Number(*seats)])
    };
    let lines = billing.months.iter().map(line);
    let text: String = std::iter::once(csv.beginning(&["year", "month", "seats"])).chain(lines).collect();
    let name = format!("{}-{FILE}", at.slug());
    Ok(HttpResponse::Ok().content_type(csv::CONTENT_TYPE).insert_header(csv::attachment(&name)).body(text))
}
