//! The answers to the fields of a form.

use super::{Answer, FieldKey, Form};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use thiserror::Error;

/// The answers of an item, by the keys of their fields. A field without an answer is not among them.
///
/// There may be answers to fields that the form no longer has: they are kept, and no new field gets their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<FieldKey, Answer>);

/// The text is not what [`Answers::to_json`] writes.
#[derive(Debug, Error)]
#[error("the stored answers cannot be read: {0}")]
pub struct BadAnswers(serde_json::Error);

impl Answers {
    /// Returns the answer to a field.
    pub fn get(&self, key: &FieldKey) -> Option<&Answer> {
        self.0.get(key)
    }

    /// Iterates over the answers in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&FieldKey, &Answer)> {
        self.0.iter()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many fields of a form have an answer that could be read.
    pub fn count(&self, form: &Form) -> usize {
        let is_answered = |key| self.get(key).is_some_and(|answer| !matches!(answer, Answer::Unread(_)));
        form.questions().filter(|field| is_answered(&field.key)).count()
    }

    /// Returns those that could be read: what programs see of a draft.
    pub fn without_unread(&self) -> Self {
        self.iter()
            .filter(|(_, answer)| !matches!(answer, Answer::Unread(_)))
            .map(|(key, answer)| (key.clone(), answer.clone()))
            .collect()
    }

    /// Returns the keys of the fields whose answers differ from `others`, in order: what two editors disagree about.
    pub fn differences<'a>(&'a self, others: &'a Self) -> impl Iterator<Item = &'a FieldKey> {
        let differs = move |key: &&FieldKey| self.get(key) != others.get(key);
        let only_there = others.0.keys().filter(|key| !self.0.contains_key(*key));
        let mut keys: Vec<_> = self.0.keys().chain(only_there).filter(differs).collect();
        keys.sort();
        keys.into_iter()
    }

    /// Writes them as a JSON object, the form in which they are stored.
    pub fn to_json(&self) -> String {
        // Maps with text as keys and values like these are always written.
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Reads what [`Answers::to_json`] wrote. The form says what a text is an answer to.
    ///
    /// # Errors
    /// That it is not a JSON object.
    pub fn from_json(form: &Form, stored: &str) -> Result<Self, BadAnswers> {
        let stored: BTreeMap<String, Box<RawValue>> = serde_json::from_str(stored).map_err(BadAnswers)?;
        let read = |(key, value): (String, Box<RawValue>)| {
            let key = FieldKey::parse(&key)?;
            let answer = Answer::stored(form.field(&key).map(|field| &field.asks), &value)?;
            Some((key, answer))
        };
        Ok(stored.into_iter().filter_map(read).collect())
    }
}

impl FromIterator<(FieldKey, Answer)> for Answers {
    fn from_iter<I: IntoIterator<Item = (FieldKey, Answer)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}
