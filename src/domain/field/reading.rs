//! Reading answers: what people type into a form, and what programs send.

use super::{
    Answer, Answers, Asks, Date, Decimal, Field, FieldKey, FieldType, Form, LONGEST_LONG_TEXT, LONGEST_TEXT,
    MOST_CHOICES, decimal::DecimalError,
};
use crate::{
    leak,
    text::{self, TextError},
    token,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use thiserror::Error;

/// The maximum length of what a draft keeps although it is no answer, in characters.
const LONGEST_UNREAD: usize = 2 * LONGEST_LONG_TEXT;

/// How much is asked of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Nothing need be answered, and what a person typed is kept even if it is no answer.
    Draft,
    /// Every required field needs an answer, and all must be readable.
    Finish,
}

/// What a program sends: a JSON value for each field that it names. `null`, an empty text and an empty list take an
/// answer away; a field that it does not name keeps its answer.
pub type JsonAnswers = BTreeMap<String, Box<RawValue>>;

/// What a person typed: the values of each field as its inputs send them. A field that they do not name is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedAnswers(BTreeMap<String, Vec<String>>);

impl TypedAnswers {
    /// Returns what was typed into a field.
    pub fn get(&self, key: &FieldKey) -> &[String] {
        self.0.get(key.as_str()).map_or(&[], Vec::as_slice)
    }
}

impl From<&Answers> for TypedAnswers {
    fn from(answers: &Answers) -> Self {
        Self(answers.iter().map(|(key, answer)| (key.to_string(), answer.typed())).collect())
    }
}

impl FromIterator<(String, String)> for TypedAnswers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut typed = Self::default();
        for (key, value) in pairs {
            typed.0.entry(key).or_default().push(value);
        }
        typed
    }
}

/// What is wrong with the answer to a field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {why}")]
pub struct AnswerProblem {
    /// The key of the field; for [`AnswerError::NoField`], whatever was sent as one.
    pub field: String,
    /// What is wrong.
    pub why: AnswerError,
}

/// Why something is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// The field is required and has no answer.
    #[error("needs an answer")]
    Missing,
    /// The text has too many characters, or some that no text has.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It is not a number.
    #[error("is not a number")]
    NotANumber,
    /// The number has more than [`Decimal::MOST_DIGITS`] digits.
    #[error("has more than {} digits", Decimal::MOST_DIGITS)]
    TooManyDigits,
    /// It is not a day that exists, written as `YYYY-MM-DD`.
    #[error("is not a date that exists, written as YYYY-MM-DD")]
    NotADate,
    /// It is neither `yes` nor `no`.
    #[error("is neither yes nor no")]
    NotYesOrNo,
    /// It is none of the choices.
    #[error("is none of the choices")]
    NotAChoice,
    /// It is not the public id of an item.
    #[error("is not the id of an item")]
    NotAnItem,
    /// It is not of the JSON type that answers to such a field have.
    #[error("is not of the JSON type of a field of type {}", .0.key())]
    WrongType(FieldType),
    /// The form has no such field that takes an answer.
    #[error("is not a field with an answer")]
    NoField,
}

impl From<DecimalError> for AnswerError {
    fn from(error: DecimalError) -> Self {
        match error {
            DecimalError::NotANumber => Self::NotANumber,
            DecimalError::TooLong => Self::TooManyDigits,
        }
    }
}

type Read = Result<Option<Answer>, AnswerError>;

impl Form {
    /// Reads what a person typed, all of it: a field that was not typed into has no answer afterwards. Answers in
    /// `before` to fields that the form no longer has stay, and so do choices in them that it no longer offers.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the form.
    pub fn read(
        &self,
        typed: &TypedAnswers,
        before: &Answers,
        strength: Strength,
    ) -> Result<Answers, Vec<AnswerProblem>> {
        self.collect(before, strength, Vec::new(), |field, answer| {
            let values = typed.get(&field.key);
            match field.read(values, answer) {
                Err(_) if strength == Strength::Draft && field.keeps(values) => {
                    Ok(values.first().cloned().map(Answer::Unread))
                }
                read => read,
            }
        })
    }

    /// Reads what a program sent, and keeps the answers to the fields that it did not name.
    ///
    /// # Errors
    /// Everything that is wrong: what it sent for no field, then the rest in the order of the form.
    pub fn read_json(
        &self,
        sent: &JsonAnswers,
        before: &Answers,
        strength: Strength,
    ) -> Result<Answers, Vec<AnswerProblem>> {
        let is_field = |key: &&String| self.questions().any(|field| field.key.as_str() == key.as_str());
        let no_field = |key: &String| AnswerProblem { field: key.clone(), why: AnswerError::NoField };
        let wrong = sent.keys().filter(|key| !is_field(key)).map(no_field).collect();
        self.collect(before, strength, wrong, |field, answer| match (sent.get(field.key.as_str()), answer) {
            (Some(json), _) => field.read_json(json, answer),
            // Whatever kept it from being an answer says so again.
            (None, Some(Answer::Unread(text))) if strength == Strength::Finish => {
                field.read(std::slice::from_ref(text), None)
            }
            (None, _) => Ok(answer.cloned()),
        })
    }

    fn collect(
        &self,
        before: &Answers,
        strength: Strength,
        mut wrong: Vec<AnswerProblem>,
        read: impl Fn(&Field, Option<&Answer>) -> Read,
    ) -> Result<Answers, Vec<AnswerProblem>> {
        let others = before.iter().filter(|(key, _)| self.field(key).is_none());
        let mut answers: Vec<_> = others.map(|(key, answer)| (key.clone(), answer.clone())).collect();
        for field in self.questions() {
            let answer = match read(field, before.get(&field.key)) {
                Ok(None) if field.is_required && strength == Strength::Finish => Err(AnswerError::Missing),
                answer => answer,
            };
            match answer {
                Ok(answer) => answers.extend(answer.map(|answer| (field.key.clone(), answer))),
                Err(why) => wrong.push(AnswerProblem { field: field.key.to_string(), why }),
            }
        }
        if wrong.is_empty() { Ok(answers.into_iter().collect()) } else { Err(wrong) }
    }
}

impl Field {
    fn read(&self, values: &[String], before: Option<&Answer>) -> Read {
        let typed = values.first().map_or("", String::as_str);
        let is_blank = typed.chars().all(text::is_blank);
        match &self.asks {
            Asks::Text => unless_empty(text::line_of(typed, LONGEST_TEXT)),
            Asks::LongText => unless_empty(text::paragraphs(typed, LONGEST_LONG_TEXT)),
            Asks::SeveralOf(choices) => several(choices, values, before),
            _ if is_blank => Ok(None),
            Asks::Number => Ok(Some(Answer::Number(Decimal::parse(typed)?))),
            Asks::Date => {
                let date = Date::parse(typed.trim_matches(text::is_blank)).ok_or(AnswerError::NotADate)?;
                Ok(Some(Answer::Date(date)))
            }
            Asks::YesNo => match typed {
                "yes" => Ok(Some(Answer::YesNo(true))),
                "no" => Ok(Some(Answer::YesNo(false))),
                _ => Err(AnswerError::NotYesOrNo),
            },
            Asks::OneOf(choices) => Ok(Some(Answer::Choice(choice(choices, typed, before)?))),
            Asks::Item(_) if token::is_public_id(typed) => Ok(Some(Answer::Item(typed.to_owned()))),
            Asks::Item(_) => Err(AnswerError::NotAnItem),
            Asks::Heading => Ok(None),
        }
    }

    fn read_json(&self, json: &RawValue, before: Option<&Answer>) -> Read {
        let json = json.get();
        if json == "null" {
            return Ok(None);
        }
        let wrong = |_| AnswerError::WrongType(self.asks.field_type());
        match &self.asks {
            Asks::YesNo => serde_json::from_str(json).map(|is_yes| Some(Answer::YesNo(is_yes))).map_err(wrong),
            Asks::SeveralOf(_) => self.read(&serde_json::from_str::<Vec<String>>(json).map_err(wrong)?, before),
            Asks::Number if !json.starts_with(['"', '[', '{', 't', 'f']) => {
                Ok(Some(Answer::Number(Decimal::from_json(json)?)))
            }
            Asks::Number => match serde_json::from_str::<String>(json).map_err(wrong)?.as_str() {
                "" => Ok(None),
                number => Ok(Some(Answer::Number(Decimal::from_json(number)?))),
            },
            _ => self.read(&[serde_json::from_str(json).map_err(wrong)?], before),
        }
    }

    /// Returns whether a draft keeps this although it is no answer: something that a person wrote, and nothing that may
    /// not be stored.
    fn keeps(&self, values: &[String]) -> bool {
        let is_written = matches!(self.asks, Asks::Text | Asks::LongText | Asks::Number | Asks::Date);
        let is_harmless =
            |text: &String| text.chars().count() <= LONGEST_UNREAD && !text.contains('\0') && !leak::holds_key(text);
        is_written && values.first().is_some_and(is_harmless)
    }
}

fn unless_empty(read: Result<String, TextError>) -> Read {
    match read {
        Err(TextError::Empty) => Ok(None),
        read => Ok(Some(Answer::Text(read?))),
    }
}

/// Returns the choice that was meant: one that is offered, or else one that was chosen while it was.
fn choice(choices: &[String], typed: &str, before: Option<&Answer>) -> Result<String, AnswerError> {
    let chosen: &[String] = match before {
        Some(Answer::Choice(choice)) => std::slice::from_ref(choice),
        Some(Answer::Choices(choices)) => choices,
        _ => &[],
    };
    let known = || choices.iter().chain(chosen);
    let is_meant = |choice: &&String| text::fold(choice) == text::fold(typed);
    let meant = known().find(|choice| *choice == typed).or_else(|| known().find(is_meant));
    meant.cloned().ok_or(AnswerError::NotAChoice)
}

/// Returns the choices in the order in which they are offered, each once, and then those that no longer are.
fn several(choices: &[String], typed: &[String], before: Option<&Answer>) -> Read {
    if typed.len() > 2 * MOST_CHOICES {
        return Err(AnswerError::NotAChoice);
    }
    let mut chosen = Vec::new();
    for typed in typed.iter().filter(|typed| !typed.chars().all(text::is_blank)) {
        let choice = choice(choices, typed, before)?;
        if !chosen.contains(&choice) {
            chosen.push(choice);
        }
    }
    let place = |choice: &String| choices.iter().position(|offered| offered == choice).unwrap_or(choices.len());
    chosen.sort_by_key(place);
    Ok((!chosen.is_empty()).then_some(Answer::Choices(chosen)))
}

#[cfg(test)]
mod tests;
