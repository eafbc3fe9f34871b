//! Items in answers.

use super::table::Fields;
use app::items::{Found, Named, Names};
use domain::{
    access::Level,
    field::{self, Answers},
    item::{Contents, Item},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An item in lists.
#[derive(Serialize, ToSchema)]
#[schema(as = Item)]
pub struct Told {
    id: String,
    kind: String,
    /// The id that it has in the system where it comes from.
    external_id: Option<String>,
    name: String,
    /// `null` if nobody owns it.
    owner: Option<ToldName>,
    site: Option<ToldName>,
    /// The template of an inspection.
    template: Option<ToldName>,
    /// Since when it is archived.
    archived_at: Option<String>,
    /// When an inspection was finished.
    finished_at: Option<String>,
    created_at: String,
    modified_at: String,
    version: i64,
    /// What the token's subject may do with it.
    level: &'static str,
}

/// What an item refers to.
#[derive(Serialize, ToSchema)]
#[schema(as = Named)]
struct ToldName {
    id: String,
    name: String,
}

impl From<&Named> for ToldName {
    fn from(named: &Named) -> Self {
        Self { id: named.id.clone(), name: named.name.clone() }
    }
}

impl Told {
    /// Creates what is told about an item on which the subject has this level.
    pub fn new(item: &Item, level: Level, names: &Names) -> Self {
        Self {
            id: item.public_id.clone(),
            kind: item.kind.key().to_owned(),
            external_id: item.external_id.as_ref().map(ToString::to_string),
            name: item.name.clone(),
            owner: names.owner(item).map(ToldName::from),
            site: names.site(item).map(ToldName::from),
            template: names.template(item).map(ToldName::from),
            archived_at: item.archived_at.map(|at| at.rfc3339()),
            finished_at: item.finished_at.map(|at| at.rfc3339()),
            created_at: item.created_at.rfc3339(),
            modified_at: item.modified_at.rfc3339(),
            version: item.version,
            level: level.key(),
        }
    }
}

/// Returns the columns of an item in a table.
pub fn row(item: &Item, level: Level, contents: &Contents, names: &Names) -> Fields {
    let named = |named: Option<&Named>| match named {
        Some(named) => (json!(named.id), json!(named.name)),
        None => (Value::Null, Value::Null),
    };
    let (owner, site, template) = (named(names.owner(item)), named(names.site(item)), named(names.template(item)));
    let at = |at: Option<Timestamp>| json!(at.map(Timestamp::rfc3339));
    vec![
        ("id", json!(item.public_id)),
        ("external_id", json!(item.external_id.as_ref().map(ToString::to_string))),
        ("name", json!(item.name)),
        ("description", json!(contents.description)),
        ("owner_id", owner.0),
        ("owner", owner.1),
        ("site_id", site.0),
        ("site", site.1),
        ("template_id", template.0),
        ("template", template.1),
        ("archived_at", at(item.archived_at)),
        ("finished_at", at(item.finished_at)),
        ("created_at", at(Some(item.created_at))),
        ("modified_at", at(Some(item.modified_at))),
        ("version", json!(item.version)),
        ("level", json!(level.key())),
    ]
}

/// An item with everything about it.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeItem)]
pub struct ToldWhole {
    #[serde(flatten)]
    item: Told,
    description: String,
    /// The questions of a template or of an inspection, or the fields of its kind.
    #[schema(value_type = Vec<crate::api::fields::WantedField>)]
    questions: Vec<field::Field>,
    /// The answers by the keys of the questions, without those that could not be read.
    #[schema(value_type = Object)]
    answers: Answers,
}

impl From<Found> for ToldWhole {
    fn from(Found { item, names, level, contents, form, .. }: Found) -> Self {
        Self {
            item: Told::new(&item, level, &names),
            questions: form.fields().to_vec(),
            answers: contents.answers.without_unread(),
            description: contents.description,
        }
    }
}

/// What is told to a token that may change an item and not view it.
#[derive(Serialize)]
pub struct Receipt {
    id: String,
    version: i64,
}

impl From<&Item> for Receipt {
    fn from(item: &Item) -> Self {
        Self { id: item.public_id.clone(), version: item.version }
    }
}
