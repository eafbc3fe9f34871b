//! Items in requests.

use crate::api::fields::{WantedField, typed};
use app::items::{ItemChange, ItemForm, Sent};
use domain::field::JsonAnswers;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// An item to be created.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ItemWanted)]
pub struct Wanted {
    #[schema(required = true, min_length = 1, max_length = 200)]
    name: String,
    #[schema(max_length = 2000)]
    description: String,
    site: Option<String>,
    external_id: Option<String>,
    /// The id of the template of an inspection.
    template: String,
    #[schema(max_items = 200)]
    questions: Vec<WantedField>,
    #[schema(value_type = Option<Object>)]
    answers: Option<JsonAnswers>,
    /// Whether an inspection is finished at once.
    finished: bool,
}

fn sent(answers: Option<JsonAnswers>) -> Sent {
    answers.map_or(Sent::Nothing, Sent::Json)
}

impl From<Wanted> for ItemForm {
    fn from(wanted: Wanted) -> Self {
        Self {
            name: wanted.name,
            description: wanted.description,
            site: wanted.site.unwrap_or_default(),
            external_id: wanted.external_id.unwrap_or_default(),
            template: wanted.template,
            questions: typed(wanted.questions),
            answers: sent(wanted.answers),
            is_finished: wanted.finished,
            nonce: String::new(),
        }
    }
}

/// A change of an item: what is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ItemChange)]
pub struct Changed {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// `null` for none.
    #[serde(deserialize_with = "given")]
    site: Option<String>,
    #[serde(deserialize_with = "given")]
    external_id: Option<String>,
    #[schema(max_items = 200)]
    questions: Option<Vec<WantedField>>,
    /// `null` for an answer takes it away.
    #[schema(value_type = Option<Object>)]
    answers: Option<JsonAnswers>,
    finished: Option<bool>,
    archived: Option<bool>,
}

/// Reads `null` as an empty text, which stands for none.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

impl Changed {
    /// Returns the change of an item of which this version was read.
    pub fn change(self, version: Option<i64>) -> ItemChange {
        ItemChange {
            version,
            name: self.name,
            description: self.description,
            site: self.site,
            external_id: self.external_id,
            questions: self.questions.map(typed),
            answers: sent(self.answers),
            is_finished: self.finished,
            is_archived: self.archived,
        }
    }
}

/// An item that is created if there is none with its external id, and changed otherwise: then what is left out stays as
/// it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ItemPut)]
pub struct Put {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    #[serde(deserialize_with = "given")]
    site: Option<String>,
    /// Only for a new inspection.
    template: String,
    #[schema(max_items = 200)]
    questions: Option<Vec<WantedField>>,
    #[schema(value_type = Option<Object>)]
    answers: Option<JsonAnswers>,
    finished: Option<bool>,
}

impl Put {
    /// Returns the new item, and the change of one that there is, of which this version was read.
    pub fn either(self, version: Option<i64>) -> (ItemForm, ItemChange) {
        let form = ItemForm {
            name: self.name.clone().unwrap_or_default(),
            description: self.description.clone().unwrap_or_default(),
            site: self.site.clone().unwrap_or_default(),
            external_id: String::new(),
            template: self.template,
            questions: typed(self.questions.clone().unwrap_or_default()),
            answers: sent(self.answers.clone()),
            is_finished: self.finished.unwrap_or_default(),
            nonce: String::new(),
        };
        let change = ItemChange {
            version,
            name: self.name,
            description: self.description,
            site: self.site,
            external_id: None,
            questions: self.questions.map(typed),
            answers: sent(self.answers),
            is_finished: self.finished,
            is_archived: None,
        };
        (form, change)
    }
}
