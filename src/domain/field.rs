//! Fields: the questions of a template, the fields of a kind, the lines of the form that they make.
//!
//! One thing used three times. A [`Form`] is a list of fields; [`Answers`] are what somebody wrote into one; a
//! [`TypedForm`] is what the editor of a form shows and sends back.

mod answer;
mod answers;
mod date;
mod decimal;
mod form;
mod key;
mod reading;
mod typed;

pub use answer::Answer;
pub use answers::{Answers, BadAnswers};
pub use date::Date;
pub use decimal::Decimal;
pub use form::{BadForm, Form};
pub use key::FieldKey;
pub use reading::{AnswerError, AnswerProblem, JsonAnswers, Strength, TypedAnswers};
pub use typed::{FieldError, FieldPart, FieldProblem, TypedField, TypedForm};

use super::item::ItemKind;

/// The maximum number of fields of a form, headings among them.
pub const MOST_FIELDS: usize = 200;
/// The maximum length of a label in characters.
pub const LONGEST_LABEL: usize = 200;
/// The maximum length of a help text in characters.
pub const LONGEST_HELP: usize = 1_000;
/// The maximum number of choices of a field.
pub const MOST_CHOICES: usize = 100;
/// The maximum length of a choice in characters.
pub const LONGEST_CHOICE: usize = 200;
/// The maximum length of an answer of one line in characters.
pub const LONGEST_TEXT: usize = 1_000;
/// The maximum length of an answer of several lines in characters.
pub const LONGEST_LONG_TEXT: usize = 10_000;

/// One line of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name by which answers, exports and programs know it. It is made from the first label and never changes.
    pub key: FieldKey,
    /// What a person reads: the question, the name of the field, the words of a heading.
    pub label: String,
    /// What helps to answer it; empty if nothing does.
    pub help: String,
    /// Whether an answer is needed.
    pub is_required: bool,
    /// What it asks for.
    pub asks: Asks,
}

/// What a field asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A line of text.
    Text,
    /// A text of several lines.
    LongText,
    /// A number.
    Number,
    /// A day.
    Date,
    /// Yes or no.
    YesNo,
    /// One of these choices.
    OneOf(Vec<String>),
    /// Any of these choices.
    SeveralOf(Vec<String>),
    /// An item of this kind.
    Item(ItemKind),
    /// Nothing: it is a heading over the fields that follow.
    Heading,
}

impl Asks {
    /// Returns the type.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Self::Text => FieldType::Text,
            Self::LongText => FieldType::LongText,
            Self::Number => FieldType::Number,
            Self::Date => FieldType::Date,
            Self::YesNo => FieldType::YesNo,
            Self::OneOf(_) => FieldType::OneOf,
            Self::SeveralOf(_) => FieldType::SeveralOf,
            Self::Item(_) => FieldType::Item,
            Self::Heading => FieldType::Heading,
        }
    }

    /// Returns the choices, which only two types have.
    pub fn choices(&self) -> &[String] {
        match self {
            Self::OneOf(choices) | Self::SeveralOf(choices) => choices,
            _ => &[],
        }
    }

    /// Returns the kind of the items that it asks for.
    pub const fn item_kind(&self) -> Option<&ItemKind> {
        match self {
            Self::Item(kind) => Some(kind),
            _ => None,
        }
    }

    /// Puts a type and what belongs to it together. Choices and a kind that the type has no use for are left out.
    pub fn new(field_type: FieldType, choices: Vec<String>, kind: Option<ItemKind>) -> Option<Self> {
        Some(match field_type {
            FieldType::Text => Self::Text,
            FieldType::LongText => Self::LongText,
            FieldType::Number => Self::Number,
            FieldType::Date => Self::Date,
            FieldType::YesNo => Self::YesNo,
            FieldType::OneOf => Self::OneOf(choices),
            FieldType::SeveralOf => Self::SeveralOf(choices),
            FieldType::Item => Self::Item(kind?),
            FieldType::Heading => Self::Heading,
        })
    }

    /// Returns whether answers to a field that asks for `other` are also answers to this one. Choices do not matter:
    /// an answer keeps a choice that is no longer offered.
    pub fn takes_answers_of(&self, other: &Self) -> bool {
        self.field_type() == other.field_type() && self.item_kind() == other.item_kind()
    }
}

keyed! {
    /// The type of a field. The key stands in stored forms and in API answers.
    pub enum FieldType {
        /// A line of text.
        Text = "text",
        /// A text of several lines.
        LongText = "long_text",
        /// A number.
        Number = "number",
        /// A day.
        Date = "date",
        /// Yes or no.
        YesNo = "yes_no",
        /// One of several choices.
        OneOf = "one_of",
        /// Several of several choices.
        SeveralOf = "several_of",
        /// An item of a kind.
        Item = "item",
        /// A heading, which has no answer.
        Heading = "heading",
    }
}

impl FieldType {
    /// Returns whether fields of this type offer choices.
    pub const fn has_choices(self) -> bool {
        matches!(self, Self::OneOf | Self::SeveralOf)
    }
}
