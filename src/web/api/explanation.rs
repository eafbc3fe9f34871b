//! `POST /api/v1/explanation`: why somebody may do something with an item, or not. It only reads, so every token may ask
//! about its own subject.

use super::resources::{ApiError, answer};
use crate::{
    App, bearer,
    body::Json,
    errors::WebError,
    evaluations::sent::{Object, Sent},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use app::explanations::{Explained, Why, explain};
use domain::access::{Change, Check, Demand, Refusal, Source, Way};
use serde_json::{Value, json};

/// `POST /api/v1/explanation`
///
/// # Errors
/// Those about which only the status is said.
pub async fn show(
    app: App,
    request: HttpRequest,
    body: Result<Json<Object<Sent>>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = bearer::authenticate(&request, Demand::default()).await?.into();
        let Json(Object(sent)) = body?;
        let wrong = |why: String| ApiError::Wrong(StatusCode::UNPROCESSABLE_ENTITY, vec![("form".to_owned(), why)]);
        let whom = if sent.has_subject() { Some(sent.subject().map_err(wrong)?) } else { None };
        let why = Why { whom, action: sent.action().map_err(wrong)?, item: sent.resource().map_err(wrong)? };
        Ok(HttpResponse::Ok().json(told(&explain(&app, &by, why).await?)))
    })
    .await
}

fn told(explained: &Explained) -> Value {
    let Explained { subject, token, item, explanation, .. } = explained;
    let decision = explanation.decision();
    let changes = explained.changes.as_ref().map(|all| all.iter().map(change).collect::<Vec<_>>());
    json!({
        "decision": decision.is_ok(),
        "stopped_by": decision.err().map(|refusal| refusal.link().key()),
        "subject": { "id": subject.name, "name": subject.display_name },
        "token": token.as_ref().map(|(identity, _)| &identity.token_public_id),
        "action": explained.action.permission.key(),
        "item": { "kind": item.kind.key(), "id": item.public_id, "external_id": item.external_id.as_ref().map(ToString::to_string) },
        "checks": explanation.checks().iter().map(check).collect::<Vec<_>>(),
        "ways": explained.ways.iter().map(|way| told_way(explained, way)).collect::<Vec<_>>(),
        "changes": changes,
    })
}

fn check(Check { link, refusal }: &Check) -> Value {
    let mut told = json!({ "check": link.key(), "says": if refusal.is_none() { "yes" } else { "no" } });
    if let Some(needs) = refusal.as_ref().and_then(Refusal::needs) {
        told["needs"] = needs.into();
    }
    match refusal {
        Some(Refusal::Revoked(at)) => told["revoked_at"] = at.rfc3339().into(),
        Some(Refusal::Expired(at)) => told["expired_at"] = at.rfc3339().into(),
        _ => {}
    }
    told
}

fn told_way(explained: &Explained, way: &Way) -> Value {
    let by = match way.source {
        Source::Owner => "owner",
        Source::Share(_) => "share",
        Source::Rule(_) => "access_rule",
    };
    let known = explained.recipients.get(&way.recipient);
    json!({
        "by": by,
        "level": way.level.key(),
        "recipient": { "type": way.recipient.kind().key(), "id": known.map(|known| &known.id), "name": known.map(|known| &known.name) },
    })
}

fn change((change, may): &(Change, bool)) -> Value {
    let mut told = match change {
        Change::Activate => json!({ "change": "activate" }),
        Change::Regenerate => json!({ "change": "regenerate" }),
        Change::NewToken(scope) => json!({ "change": "new_token", "scope": scope.key() }),
        Change::Grant(permission) => json!({ "change": "grant", "permission": permission.key() }),
        Change::Share(level) => json!({ "change": "share", "level": level.key() }),
    };
    told["you_may"] = (*may).into();
    told
}
