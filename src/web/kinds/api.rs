//! `/api/v1/kinds`: the kinds of the organization of the token that asks. Every token may read them; changing them takes
//! *Platform management: Kinds* and a token that may write.

use crate::{App, bearer, body::Json, errors::WebError, finish, routes::path, source, texts::Texts, words::Errors};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ETAG, IF_MATCH, LOCATION},
    },
    web::Path,
};
use app::{
    AppError,
    kinds::{Author, CHANGES, KindForm, READS, TypedAction},
    problem::{Field, Problem, Problems},
    verify::Accepted,
};
use domain::{
    access::Demand,
    access::Level,
    kind::{CommonAction, Kind, StoredKind},
    permission::PermissionGroup,
    user::Language,
};
use serde::{Deserialize, Serialize};

/// A kind in an answer.
#[derive(Serialize)]
struct Told<'a> {
    key: &'a str,
    built_in: bool,
    /// The name of one item; only an own kind has names of its organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    singular: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plural: Option<&'a str>,
    actions: Vec<ToldAction<'a>>,
}

/// An action in an answer.
#[derive(Serialize)]
struct ToldAction<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    permission: String,
    reads: bool,
    level: &'static str,
}

#[derive(Serialize)]
struct All<'a> {
    kinds: Vec<Told<'a>>,
}

/// A kind in a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[serde(default)]
    key: String,
    singular: String,
    plural: String,
    /// The own actions, in order.
    #[serde(default)]
    actions: Vec<WantedAction>,
}

/// An own action in a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedAction {
    key: String,
    name: String,
    reads: bool,
}

impl<'a> Told<'a> {
    fn own(kind: &'a Kind) -> Self {
        let permission = |action: &str| format!("{}.{action}", kind.key.as_str());
        let common = CommonAction::ALL.into_iter().map(|action| ToldAction {
            key: action.key(),
            name: None,
            permission: permission(action.key()),
            reads: action.reads(),
            level: action.level().key(),
        });
        let own = kind.actions.iter().map(|action| ToldAction {
            key: action.key.as_str(),
            name: Some(&action.name),
            permission: permission(action.key.as_str()),
            reads: action.reads,
            level: action.level().key(),
        });
        Self {
            key: kind.key.as_str(),
            built_in: false,
            singular: Some(&kind.singular),
            plural: Some(&kind.plural),
            actions: common.chain(own).collect(),
        }
    }

    fn built_in(group: PermissionGroup) -> Self {
        let actions = group.permissions().filter_map(|permission| {
            let (level, key) = (permission.level()?, permission.key());
            Some(ToldAction {
                key: key.split_once('.').map_or(key, |(_, action)| action),
                name: None,
                permission: key.to_owned(),
                reads: level == Level::View,
                level: level.key(),
            })
        });
        Self { key: group.key(), built_in: true, singular: None, plural: None, actions: actions.collect() }
    }
}

impl Wanted {
    fn form(self, version: String) -> KindForm {
        let action = |WantedAction { key, name, reads }| TypedAction {
            name,
            key,
            nature: if reads { READS } else { CHANGES }.to_owned(),
        };
        let Self { key, singular, plural, actions } = self;
        let actions = actions.into_iter().map(action).collect();
        // A program asks without a preview.
        KindForm { singular, plural, key, actions, version, affected: None, password: None }
    }
}

/// `GET /api/v1/kinds`
///
/// # Errors
/// When the database fails.
pub async fn list(app: App, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let accepted = match reader(&request).await {
        Ok(accepted) => accepted,
        Err(refused) => return Ok(refused),
    };
    let own = app::kinds::list(&app, accepted.identity().subject.organization.id).await?;
    let built_in = PermissionGroup::KINDS.into_iter().map(Told::built_in);
    let kinds = built_in.chain(own.iter().map(|stored| Told::own(&stored.kind))).collect();
    Ok(HttpResponse::Ok().json(All { kinds }))
}

/// `GET /api/v1/kinds/{key}`
///
/// # Errors
/// Not found if the organization has no such kind.
pub async fn show(app: App, request: HttpRequest, key: Path<String>) -> Result<HttpResponse, WebError> {
    let accepted = match reader(&request).await {
        Ok(accepted) => accepted,
        Err(refused) => return Ok(refused),
    };
    if let Some(group) = PermissionGroup::KINDS.into_iter().find(|group| group.key() == *key) {
        return Ok(HttpResponse::Ok().json(Told::built_in(group)));
    }
    let stored = app::kinds::find(&app, accepted.identity().subject.organization.id, &key).await?;
    Ok(told(HttpResponse::Ok(), &stored))
}

/// `POST /api/v1/kinds`
///
/// # Errors
/// An invalid body; when the database fails.
pub async fn create(
    app: App,
    request: HttpRequest,
    wanted: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    let by = match author(&request).await {
        Ok(by) => by,
        Err(refused) => return Ok(refused),
    };
    let form = wanted?.0.form(String::new());
    match app::kinds::create(&app, &by, form, source::of(&request)).await {
        Ok(stored) => {
            let mut answer = HttpResponse::Created();
            answer.insert_header((LOCATION, path::api_kind(stored.kind.key.as_str())));
            Ok(told(answer, &stored))
        }
        Err(error) => refused(&request, error),
    }
}

/// `PUT /api/v1/kinds/{key}`: takes the version that was read in `If-Match`.
///
/// # Errors
/// Not found if the organization has no such kind, or it is built in; an invalid body.
pub async fn change(
    app: App,
    request: HttpRequest,
    key: Path<String>,
    wanted: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    let by = match author(&request).await {
        Ok(by) => by,
        Err(refused) => return Ok(refused),
    };
    let version = match version(&request) {
        Ok(version) => version,
        Err(refused) => return Ok(refused),
    };
    match app::kinds::change(&app, &by, &key, wanted?.0.form(version), source::of(&request)).await {
        Ok(stored) => Ok(told(HttpResponse::Ok(), &stored)),
        Err(error) => refused(&request, error),
    }
}

/// `DELETE /api/v1/kinds/{key}`
///
/// # Errors
/// Not found if the organization has no such kind, or it is built in.
pub async fn delete(app: App, request: HttpRequest, key: Path<String>) -> Result<HttpResponse, WebError> {
    let by = match author(&request).await {
        Ok(by) => by,
        Err(refused) => return Ok(refused),
    };
    match app::kinds::delete(&app, &by, &key, None, source::of(&request)).await {
        Ok(_) => Ok(HttpResponse::NoContent().finish()),
        Err(error) => refused(&request, error),
    }
}

async fn reader(request: &HttpRequest) -> Result<Accepted, HttpResponse> {
    bearer::authenticate(request, Demand::default()).await.map_err(|error| bearer::problem(&error, request))
}

async fn author(request: &HttpRequest) -> Result<Author, HttpResponse> {
    let accepted = bearer::authenticate(request, Author::demand()).await;
    accepted.map(Author::Program).map_err(|error| bearer::problem(&error, request))
}

/// Returns the kind with its version.
fn told(mut answer: actix_web::HttpResponseBuilder, stored: &StoredKind) -> HttpResponse {
    answer.insert_header((ETAG, format!("\"{}\"", stored.version)));
    answer.json(Told::own(&stored.kind))
}

/// Returns the version of `If-Match`, which a change must have: so nobody overwrites what they have not read.
fn version(request: &HttpRequest) -> Result<String, HttpResponse> {
    let sent = request.headers().get(IF_MATCH).and_then(|value| value.to_str().ok());
    let version = sent.and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    version.map(str::to_owned).ok_or_else(|| {
        let detail = "Send the ETag that you have read in If-Match, such as \"3\".";
        let id = source::of(request).request_id;
        finish::problem(StatusCode::PRECONDITION_REQUIRED, "Version missing", detail, &id)
    })
}

/// Returns what is wrong as problem+json that names the field.
fn refused(request: &HttpRequest, error: AppError) -> Result<HttpResponse, WebError> {
    let AppError::Invalid(problems) = error else { return Err(error.into()) };
    let id = source::of(request).request_id;
    if problems.at(Field::Form) == Some(Problem::ChangedMeanwhile) {
        let detail = "The kind has changed since you read it. Read it again.";
        return Ok(finish::problem(StatusCode::PRECONDITION_FAILED, "Changed meanwhile", detail, &id));
    }
    Ok(finish::invalid(&in_english(&problems), &id))
}

/// Returns the fields that are wrong, and why: for developers, whose API is in English.
fn in_english(problems: &Problems) -> Vec<(&'static str, String)> {
    Errors::new(Texts(Language::En), problems).all()
}
