//! The lasting names of fields.

use crate::text;
use std::fmt::{Display, Formatter, Result as Formatted};

/// The maximum length of a key in bytes: room for a number behind what is made from a label.
const LONGEST: usize = 64;
const LONGEST_FROM_LABEL: usize = 48;

/// The columns that exports have beside the answers. No field takes their names, so that a table needs no second one.
const COLUMNS: [&str; 25] = [
    "archived",
    "archived_at",
    "completed",
    "completed_at",
    "created_at",
    "data",
    "description",
    "external_id",
    "finished_at",
    "id",
    "kind",
    "metadata",
    "modified_at",
    "name",
    "organisation_id",
    "organization_id",
    "owner_external_id",
    "owner_id",
    "owner_name",
    "site_id",
    "site_name",
    "state",
    "template_id",
    "template_name",
    "version",
];

/// The name by which programs know a field, unique in its form: `[a-z][a-z0-9_]{0,63}`, so that it is an identifier
/// everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldKey(String);

impl FieldKey {
    /// Reads a key.
    pub fn parse(key: &str) -> Option<Self> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let starts_well = key.starts_with(|first: char| first.is_ascii_lowercase());
        (starts_well && key.len() <= LONGEST && key.bytes().all(is_inner)).then(|| Self(key.to_owned()))
    }

    /// Makes the key of a new field from its label: `Pump type?` becomes `pump_type`; `2nd floor`, which begins with a
    /// digit, `field_2nd_floor`; `Name`, which exports have already, `field_name`; a label without any Latin letter or
    /// digit `field`. One that `is_taken` gets a number.
    pub fn for_label(label: &str, is_taken: impl Fn(&Self) -> bool) -> Self {
        let plain = plain(label);
        let is_name = plain.starts_with(|first: char| first.is_ascii_lowercase()) && !COLUMNS.contains(&plain.as_str());
        let key = match (plain.as_str(), is_name) {
            ("", _) => "field".to_owned(),
            (_, true) => plain,
            (_, false) => format!("field_{plain}"),
        };
        let numbered = (2_u64..).map(|number| Self(format!("{key}_{number}")));
        std::iter::once(Self(key.clone())).chain(numbered).find(|key| !is_taken(key)).unwrap_or(Self(key))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the Latin letters and digits of a label without accents, with an underscore between words.
fn plain(label: &str) -> String {
    let mut plain = String::new();
    for c in text::searchable(label).chars() {
        match c {
            'a'..='z' | '0'..='9' if plain.len() < LONGEST_FROM_LABEL => plain.push(c),
            'a'..='z' | '0'..='9' => break,
            _ if !plain.is_empty() && !plain.ends_with('_') => plain.push('_'),
            _ => {}
        }
    }
    plain.trim_end_matches('_').to_owned()
}

impl Display for FieldKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for FieldKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_an_identifier_whatever_the_label() {
        let free = |label: &str| FieldKey::for_label(label, |_| false).to_string();
        for (label, key) in [
            ("Pump type", "pump_type"),
            ("2nd-floor", "field_2nd_floor"),
            ("año", "ano"),
            ("select", "select"),
            ("  Quelle est la température ? ", "quelle_est_la_temperature"),
            ("Ελένη", "field"),
            ("Name", "field_name"),
            ("!!", "field"),
        ] {
            assert_eq!(free(label), key);
        }
        for label in ["é".repeat(128), "a ".repeat(100), "…".into(), "日本 1".into()] {
            assert!(FieldKey::parse(&free(&label)).is_some(), "{label}");
        }
    }

    #[test]
    fn a_key_that_is_taken_gets_a_number() {
        let taken = ["date", "date_2"];
        let key = FieldKey::for_label("Date", |key| taken.contains(&key.as_str()));
        assert_eq!(key.as_str(), "date_3");
    }

    #[test]
    fn only_identifiers_are_keys() {
        assert!(FieldKey::parse("q").is_some() && FieldKey::parse(&"q".repeat(64)).is_some());
        for key in ["", "2", "_a", "A", "a-b", "a b", "é", &"q".repeat(65)] {
            assert_eq!(FieldKey::parse(key), None, "{key}");
        }
    }
}
