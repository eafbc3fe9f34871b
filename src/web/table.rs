//! Everything that a list of items has, as one table, streamed: only one page of it is in memory at a time.

use super::{App, csv, errors::WebError};
use actix_web::{HttpRequest, HttpResponse, http::Method, web::Bytes};
use app::{
    AppError,
    items::{Export, Exported},
};
use futures_util::stream;

/// Begins to send an export: `beginning`, then the lines of each page.
///
/// # Errors
/// When the first page cannot be read.
pub async fn sent(
    app: App,
    request: &HttpRequest,
    mut export: Export,
    beginning: String,
    lines: impl Fn(&Export, &Exported) -> String + 'static,
) -> Result<HttpResponse, AppError> {
    let first = export.more(&app).await?;
    let first = first.map_or_else(String::new, |page| lines(&export, &page));
    let mut answer = HttpResponse::Ok();
    answer.content_type(csv::CONTENT_TYPE);
    if request.method() == Method::HEAD {
        // Nobody reads the rest.
        return Ok(answer.streaming(stream::empty::<Result<Bytes, WebError>>()));
    }
    Ok(answer.streaming(stream::try_unfold((app, export, Some(beginning + &first), lines), more)))
}

type State<L> = (App, Export, Option<String>, L);

/// Returns the next lines. An error ends the answer early, which every client recognizes as an incomplete file.
async fn more<L: Fn(&Export, &Exported) -> String>(
    (app, mut export, first, lines): State<L>,
) -> Result<Option<(Bytes, State<L>)>, WebError> {
    if let Some(first) = first {
        return Ok(Some((first.into(), (app, export, None, lines))));
    }
    let page = export.more(&app).await.inspect_err(|error| match error {
        AppError::SignedOut | AppError::NotFound | AppError::Refused(_) => {}
        error => tracing::error!(%error, "an export of items was aborted"),
    })?;
    Ok(page.map(|page| (lines(&export, &page).into(), (app, export, None, lines))))
}
