//! Fields in requests: the questions of a template, the fields of a kind.

use domain::field::{TypedField, TypedForm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A field, in the form that answers have.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Field)]
pub struct WantedField {
    /// Of a field that there is; a new one gets a key from its label.
    key: String,
    #[schema(required = true, max_length = 200)]
    label: String,
    #[schema(max_length = 1000)]
    help: String,
    required: bool,
    /// `text`, `long_text`, `number`, `date`, `yes_no`, `one_of`, `several_of`, `item` or `heading`.
    #[schema(required = true)]
    r#type: String,
    /// Of `one_of` and `several_of`.
    #[schema(max_items = 100)]
    choices: Vec<String>,
    /// Of `item`: the kind of items.
    kind: String,
}

impl From<WantedField> for TypedField {
    fn from(field: WantedField) -> Self {
        let WantedField { key, label, help, required, r#type, choices, kind } = field;
        Self { key, label, help, field_type: r#type, is_required: required, choices: choices.join("\n"), kind }
    }
}

/// Returns the form as it would be typed.
pub fn typed(fields: Vec<WantedField>) -> TypedForm {
    TypedForm { fields: fields.into_iter().map(TypedField::from).collect() }
}
