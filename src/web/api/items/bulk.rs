//! `POST /api/v1/items/{kind}/bulk`: several changes in one transaction, each with its own verdict.

use super::{
    once,
    wanted::{Changed, Put, Wanted},
    writer,
};
use crate::{
    App,
    api::resources::{ApiError, answer, verdict},
    body::LargeJson,
    errors::WebError,
    source,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use app::{
    AppError,
    items::{self, Done, ItemKey, MOST_TOGETHER, Operation},
    kept_answers::KeptAnswer,
};
use domain::item::{ExternalId, Item};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Number, Value, json};
use utoipa::ToSchema;

/// Changes to be made together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Operations)]
pub struct Together {
    #[schema(min_items = 1, max_items = 100)]
    operations: Vec<WantedOperation>,
}

/// A change: what is done, and with what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Operation)]
enum WantedOperation {
    Create(Wanted),
    Put(WantedPut),
    Change(WantedChange),
    Delete(WantedDeletion),
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OperationPut)]
struct WantedPut {
    external_id: String,
    /// The version that was read.
    #[serde(default, deserialize_with = "whole")]
    version: Option<i64>,
    item: Put,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OperationChange)]
struct WantedChange {
    id: String,
    /// The version that was read.
    #[serde(default, deserialize_with = "whole")]
    version: Option<i64>,
    item: Changed,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OperationDelete)]
struct WantedDeletion {
    id: String,
    /// The version that was read.
    #[serde(default, deserialize_with = "whole")]
    version: Option<i64>,
}

/// Reads a whole number: in JSON, `3.0` is one, too.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let read = number.as_i64().or_else(|| number.to_string().strip_suffix(".0")?.parse().ok());
    read.map(Some).ok_or_else(|| D::Error::custom("expected a whole number"))
}

impl WantedOperation {
    /// Returns the operation with this index.
    fn read(self, index: usize) -> Result<Operation, ApiError> {
        Ok(match self {
            Self::Create(item) => Operation::Create(item.into()),
            Self::Put(WantedPut { external_id, version, item }) => {
                let id = ExternalId::parse(&external_id).map_err(|error| {
                    let field = format!("operations.{index}.put.external_id");
                    ApiError::Wrong(StatusCode::UNPROCESSABLE_ENTITY, vec![(field, error.to_string())])
                })?;
                let (form, change) = item.either(version);
                Operation::Put(id, form, Box::new(change))
            }
            Self::Change(WantedChange { id, version, item }) => {
                Operation::Change(ItemKey::PublicId(id), Box::new(item.change(version)))
            }
            Self::Delete(WantedDeletion { id, version }) => Operation::Delete(ItemKey::PublicId(id), version),
        })
    }
}

/// `POST /api/v1/items/{kind}/bulk`
pub async fn together(
    app: App,
    request: HttpRequest,
    kind: Path<String>,
    body: Result<LargeJson<Together>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let by = writer(&request).await?;
        let Together { operations } = body?.0;
        if operations.is_empty() || operations.len() > MOST_TOGETHER {
            let words = format!("Send 1 to {MOST_TOGETHER} operations.");
            return Err(ApiError::Wrong(StatusCode::UNPROCESSABLE_ENTITY, vec![("operations".into(), words)]));
        }
        let read = operations.into_iter().enumerate().map(|(index, operation)| operation.read(index));
        let operations = read.collect::<Result<Vec<_>, _>>()?;
        let source = source::of(&request);
        if let Some(once) = once::of(&request)? {
            return once::response(items::together_once(&app, &by, &kind, operations, source, once, told).await?);
        }
        Ok(once::sent(&told(&items::together(&app, &by, &kind, operations, source).await?)?))
    })
    .await
}

/// Returns the answer about all operations.
fn told(done: &[Result<Done, AppError>]) -> Result<KeptAnswer, AppError> {
    let results: Vec<Value> = done.iter().map(result).collect();
    once::answer(StatusCode::OK, &json!({ "results": results }))
}

/// Returns what became of an operation, in the place of the operation.
fn result(done: &Result<Done, AppError>) -> Value {
    let told = |status: u16, item: &Item| json!({ "status": status, "id": item.public_id, "version": item.version });
    match done {
        Ok(Done::Created(item)) => told(201, item),
        Ok(Done::Changed(item)) => told(200, item),
        Ok(Done::Deleted(item)) => json!({ "status": 204, "id": item.public_id }),
        Err(error) => verdict(error),
    }
}
