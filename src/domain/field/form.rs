//! Forms: lists of fields, as they are stored.

use super::{Asks, Field, FieldKey, FieldType};
use crate::item::ItemKind;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeSet;
use thiserror::Error;

/// The fields of a kind, or the questions of a template, in order. It changes by [`super::TypedForm::read`] alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub(super) fields: Vec<Field>,
    /// The keys of fields that had answers when they were removed. No new field gets them: it would be taken for the
    /// old one in exports, and find its answers.
    pub(super) retired: BTreeSet<FieldKey>,
}

/// The text is not what [`Form::to_json`] writes.
#[derive(Debug, Error)]
#[error("the stored form cannot be read: {0}")]
pub struct BadForm(String);

/// How a field is stored and shown to programs.
#[derive(Serialize, Deserialize)]
struct WrittenField {
    key: String,
    label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    help: String,
    required: bool,
    r#type: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WrittenForm {
    fields: Vec<WrittenField>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retired: Vec<String>,
}

impl Form {
    /// Returns the fields in order, headings among them. Each is an object in JSON, with `key`, `label`, `required`,
    /// `type`, and `help`, `choices` and `kind` where there are any.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Iterates over the fields that take an answer.
    pub fn questions(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.asks != Asks::Heading)
    }

    /// Returns the field with this key.
    pub fn field(&self, key: &FieldKey) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == *key)
    }

    /// Writes it as JSON, the form in which it is stored.
    pub fn to_json(&self) -> String {
        let retired = self.retired.iter().map(ToString::to_string).collect();
        let written = WrittenForm { fields: self.fields.iter().map(WrittenField::from).collect(), retired };
        // Structs of texts like these are always written.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// Reads what [`Form::to_json`] wrote.
    ///
    /// # Errors
    /// That it is something else.
    pub fn from_json(stored: &str) -> Result<Self, BadForm> {
        let written: WrittenForm = serde_json::from_str(stored).map_err(|error| BadForm(error.to_string()))?;
        let bad = |what: &str| BadForm(what.to_owned());
        let mut form = Self::default();
        for field in written.fields {
            let key = field.key.clone();
            form.fields.push(field.read().ok_or_else(|| bad(&key))?);
        }
        for key in written.retired {
            form.retired.insert(FieldKey::parse(&key).ok_or_else(|| bad(&key))?);
        }
        Ok(form)
    }
}

impl WrittenField {
    fn read(self) -> Option<Field> {
        let kind = self.kind.as_deref().and_then(ItemKind::parse);
        Some(Field {
            key: FieldKey::parse(&self.key)?,
            label: self.label,
            help: self.help,
            is_required: self.required,
            asks: Asks::new(FieldType::from_key(&self.r#type)?, self.choices, kind)?,
        })
    }
}

impl From<&Field> for WrittenField {
    fn from(field: &Field) -> Self {
        Self {
            key: field.key.to_string(),
            label: field.label.clone(),
            help: field.help.clone(),
            required: field.is_required,
            r#type: field.asks.field_type().key().to_owned(),
            choices: field.asks.choices().to_vec(),
            kind: field.asks.item_kind().map(|kind| kind.key().to_owned()),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenField::from(self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of each type. Databases hold this text, so that it must be read for ever.
    const STORED: &str = r#"{"fields":[{"key":"fridge","label":"Fridge","required":false,"type":"heading"},{"key":"which","label":"Which?","required":true,"type":"item","kind":"assets"},{"key":"is_on","label":"Is it on?","help":"Look at the lamp.","required":true,"type":"yes_no"},{"key":"now","label":"Now","required":true,"type":"number"},{"key":"monitors","label":"Monitors","required":true,"type":"one_of","choices":["Good","Bad"]},{"key":"found","label":"Found","required":false,"type":"several_of","choices":["Ice"]},{"key":"next","label":"Next","required":false,"type":"date"},{"key":"who","label":"Who","required":false,"type":"text"},{"key":"more","label":"More","required":false,"type":"long_text"}],"retired":["power"]}"#;

    #[test]
    fn a_stored_form_is_read_back() {
        let form = Form::from_json(STORED).unwrap();
        assert_eq!(form.to_json(), STORED);
        assert_eq!(form.questions().count(), 8);
        assert_eq!(Form::from_json(&Form::default().to_json()).unwrap(), Form::default());
        let types: BTreeSet<_> = form.fields().iter().map(|field| field.asks.field_type().key()).collect();
        assert_eq!(types, FieldType::ALL.map(FieldType::key).into());
    }

    #[test]
    fn what_is_no_form_is_not_read_as_half_of_one() {
        for broken in [
            "",
            "[]",
            "{}",
            r#"{"fields":[{"key":"a","label":"A","required":true,"type":"colour"}]}"#,
            r#"{"fields":[{"key":"A","label":"A","required":true,"type":"text"}]}"#,
            r#"{"fields":[{"key":"a","label":"A","required":true,"type":"item"}]}"#,
            r#"{"fields":[],"retired":["A"]}"#,
        ] {
            assert!(Form::from_json(broken).is_err(), "{broken}");
        }
    }
}
