//! Fields in requests: the questions of a template, the fields of a kind.

use domain::field::{TypedField, TypedForm};
use serde::Deserialize;

/// A field, in the form that answers have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WantedField {
    /// Of a field that there is; a new one gets a key from its label.
    key: String,
    label: String,
    help: String,
    required: bool,
    r#type: String,
    choices: Vec<String>,
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
