//! Decisions for gateways, frameworks and other programs, in the words of the OpenID AuthZEN Authorization API 1.0.
//!
//! The caller is a service user with *Verify tokens*, as for introspection, and asks about its own organization.

mod searching;
pub mod sent;

pub use searching::{search_actions, search_items, search_subjects};

use crate::{
    App, PublicUrl, bearer,
    body::Json,
    errors::WebError,
    oauth::{OAuthError, asker},
    routes::path,
};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use app::{
    entities::Entity,
    evaluations::{self, Answer, MOST_QUESTIONS, Question, Whom},
    verify::denied::Denied,
};
use domain::{access::Demand, organization::OrganizationId};
use sent::{Asked, Object, Semantic, Sent};
use serde::Serialize;
use serde_json::{Value, json};

/// The `type` of a subject whose `id` is an API key.
const API_KEY: &str = "api_key";

/// A body that a request for decisions has.
type Body = Result<Json<Object<Sent>>, WebError>;

/// An answer (section 6.2).
#[derive(Serialize)]
struct Told {
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Value>,
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        let context = answer.as_ref().err().map(|no| match &no.needs {
            Some(needs) => json!({ "stopped_by": no.stopped_by.key(), "needs": needs }),
            None => json!({ "stopped_by": no.stopped_by.key() }),
        });
        Self { decision: answer.is_ok(), context }
    }
}

impl Told {
    /// The answer to a question that could not be read, among others that could.
    fn unread(why: &str) -> Self {
        Self { decision: false, context: Some(json!({ "error": { "status": 400, "message": why } })) }
    }
}

/// `POST /access/v1/evaluation`: one question.
///
/// # Errors
/// When the caller may not ask, the question cannot be read, or tokens cannot be verified right now.
pub async fn one(app: App, request: HttpRequest, body: Body) -> Result<HttpResponse, actix_web::Error> {
    let (organization, sent) = begin(&request, body).await?;
    single(&app, &request, organization, &sent).await
}

/// `POST /access/v1/evaluations`: up to [`MOST_QUESTIONS`] questions, answered in their order. Without any, it is asked
/// as [`one`] is (section 7.1).
///
/// # Errors
/// As [`one`]. A question that cannot be read gets the answer no.
pub async fn several(app: App, request: HttpRequest, body: Body) -> Result<HttpResponse, actix_web::Error> {
    let (organization, sent) = begin(&request, body).await?;
    let entries = sent.evaluations.as_deref().unwrap_or_default();
    if entries.is_empty() {
        return single(&app, &request, organization, &sent).await;
    }
    if entries.len() > MOST_QUESTIONS {
        return Err(OAuthError::Request(format!("evaluations has {MOST_QUESTIONS} entries at most.")).into());
    }
    let (mut told, mut places, mut questions) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        match Sent::entry(entry).and_then(|entry| entry.or(&sent).asked()) {
            Err(why) => told.push(Told::unread(&why)),
            Ok(asked) => {
                places.push(told.len());
                told.push(Told::unread(""));
                questions.push(question(&request, organization, asked).await?);
            }
        }
    }
    let answers = evaluations::evaluate(&app, organization, questions).await.map_err(WebError::from)?;
    for (place, answer) in places.into_iter().zip(answers) {
        if let Some(unanswered) = told.get_mut(place) {
            *unanswered = answer.into();
        }
    }
    cut(sent.semantic(), &mut told);
    Ok(HttpResponse::Ok().json(json!({ "evaluations": told })))
}

/// `GET /.well-known/authzen-configuration` (section 9).
pub async fn metadata(url: Data<PublicUrl>) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", url.0);
    HttpResponse::Ok().json(json!({
        "policy_decision_point": url.0,
        "access_evaluation_endpoint": at(path::EVALUATION),
        "access_evaluations_endpoint": at(path::EVALUATIONS),
        "search_subject_endpoint": at(path::SUBJECT_SEARCH),
        "search_resource_endpoint": at(path::RESOURCE_SEARCH),
        "search_action_endpoint": at(path::ACTION_SEARCH),
    }))
}

/// Returns the organization that the caller may ask about, and what was sent.
async fn begin(request: &HttpRequest, body: Body) -> Result<(OrganizationId, Sent), actix_web::Error> {
    let organization = asker(request, &Default::default()).await?;
    let Json(Object(sent)) = body.map_err(OAuthError::of_body)?;
    Ok((organization, sent))
}

async fn single(
    app: &App,
    request: &HttpRequest,
    organization: OrganizationId,
    sent: &Sent,
) -> Result<HttpResponse, actix_web::Error> {
    let asked = sent.asked().map_err(OAuthError::Request)?;
    let question = question(request, organization, asked).await?;
    let mut answers = evaluations::evaluate(app, organization, vec![question]).await.map_err(WebError::from)?;
    Ok(HttpResponse::Ok().json(answers.pop().map(Told::from)))
}

async fn question(request: &HttpRequest, organization: OrganizationId, asked: Asked) -> Result<Question, OAuthError> {
    let Asked { subject, action, resource } = asked;
    Ok(Question { whom: whom(request, organization, subject).await?, action, item: resource })
}

/// Finds out for whom a program asks. An API key is verified, which counts as a use of its token.
///
/// # Errors
/// When tokens cannot be verified right now.
async fn whom(request: &HttpRequest, organization: OrganizationId, subject: Entity) -> Result<Whom, OAuthError> {
    if subject.kind != API_KEY {
        return Ok(Whom::Named(subject));
    }
    let demand = Demand { organization: Some(organization), ..Demand::default() };
    match bearer::verify(request, &subject.id, demand).await {
        Ok(accepted) => Ok(Whom::Holder(Some(accepted.into()))),
        Err(unavailable @ Denied::Unavailable(_)) => Err(unavailable.into()),
        Err(_) => Ok(Whom::Holder(None)),
    }
}

/// Leaves out what comes after the answer that decides (section 7.1.2.1).
fn cut(semantic: Semantic, told: &mut Vec<Told>) {
    let last = match semantic {
        Semantic::ExecuteAll => None,
        Semantic::DenyOnFirstDeny => told.iter().position(|told| !told.decision),
        Semantic::PermitOnFirstPermit => told.iter().position(|told| told.decision),
    };
    if let Some(last) = last {
        told.truncate(last + 1);
    }
}
