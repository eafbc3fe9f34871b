//! Health checks for load balancers and supervisors. They are for programs, so they use no session and no texts of
//! pages. Anybody else who asks learns only yes or no; the log says why.

use super::{
    App,
    bearer::WorkerVerifier,
    node::{Node, NodeThread},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::RETRY_AFTER},
};
use app::verify::denied::Unavailable;
use std::rc::Rc;

/// `GET /healthz`: 200 while requests are served at all, whatever the state of the database. A restart of the node
/// would fix nothing else.
pub async fn healthz() -> HttpResponse {
    text(StatusCode::OK, "ok\n".into())
}

/// `GET /readyz`: 200 if this node should get requests, because it can answer them: it is not about to stop, and it can
/// accept and refuse tokens. That needs a database that answers in time, is not a standby, has not lost commits, and
/// belongs to the pepper (R5, R10, V7), and a clock that is trusted (L7). Otherwise 503.
///
/// A database that cannot be written to is reported too, but is no reason to send requests elsewhere: tokens are still
/// verified from it, and revoking some may still work.
pub async fn readyz(request: HttpRequest) -> HttpResponse {
    let node = request.app_data::<Rc<NodeThread>>().map(|thread| &thread.node);
    let is_stopping = node.is_some_and(|node| node.is_stopping());
    let checked = check(&request).await;
    let database_fails = request.app_data::<App>().is_some_and(|jeton| jeton.database_fails());
    let is_right = request.app_data::<App>().is_none_or(|jeton| jeton.clock().trusted().is_ok());
    if let Some(node) = node {
        log(node, &checked);
    }
    let line = |is_well: bool, well: &str, ill: &str| format!("{}\n", if is_well { well } else { ill });
    let lines = [
        line(!is_stopping, "serving: ok", "serving: about to stop"),
        line(checked.is_ok(), "tokens: ok", "tokens: cannot be verified right now; the log says why"),
        line(!database_fails, "changes: ok", "changes: not saved; the log says why"),
        line(is_right, "clock: ok", "clock: not trusted; the log says why"),
    ];
    if checked.is_ok() && !is_stopping {
        text(StatusCode::OK, lines.concat())
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, lines.concat())
    }
}

async fn check(request: &HttpRequest) -> Result<(), Unavailable> {
    match request.app_data::<WorkerVerifier>().and_then(|verifier| verifier.as_ref().as_ref()) {
        Some(verifier) => verifier.check().await,
        None => Err(Unavailable("this thread could not open the database when it started".into())),
    }
}

/// Load balancers ask every second, so only a change is logged.
fn log(node: &Node, checked: &Result<(), Unavailable>) {
    if !node.note_ready(checked.is_ok()) {
        return;
    }
    match checked {
        Ok(()) => tracing::info!("ready again"),
        Err(cause) => tracing::error!(%cause, "not ready"),
    }
}

fn text(status: StatusCode, lines: String) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.insert_header((RETRY_AFTER, "1"));
    }
    answer.content_type("text/plain; charset=utf-8").body(lines)
}
