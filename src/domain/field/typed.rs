//! The editor of a form: its fields as they are typed, what its buttons do, and how it is saved.

use super::{
    Asks, Field, FieldKey, FieldType, Form, LONGEST_CHOICE, LONGEST_HELP, LONGEST_LABEL, MOST_CHOICES, MOST_FIELDS,
};
use crate::{
    item::ItemKind,
    text::{self, TextError},
};
use std::collections::BTreeSet;
use thiserror::Error;

/// A form while it is edited: all its fields, as the page shows and sends them. The buttons of the page change it in
/// place, whatever is wrong with it; [`TypedForm::read`] makes a form of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedForm {
    /// The fields in order.
    pub fields: Vec<TypedField>,
}

/// A field as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedField {
    /// The key of the field that is edited; empty for a new one.
    pub key: String,
    /// The label.
    pub label: String,
    /// The help text.
    pub help: String,
    /// The key of its [`FieldType`].
    pub field_type: String,
    /// Whether an answer is needed.
    pub is_required: bool,
    /// The choices, one on each line.
    pub choices: String,
    /// The key of the kind whose items it asks for.
    pub kind: String,
}

keyed! {
    /// The part of a field that something is wrong with.
    pub enum FieldPart {
        /// The label.
        Label = "label",
        /// The help text.
        Help = "help",
        /// The type.
        Type = "type",
        /// The choices.
        Choices = "choices",
        /// The kind of items.
        Kind = "kind",
    }
}

/// What is wrong with a field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("field {} ({}): {why}", at + 1, part.key())]
pub struct FieldProblem {
    /// Its index among the typed fields.
    pub at: usize,
    /// The part of it.
    pub part: FieldPart,
    /// What is wrong.
    pub why: FieldError,
}

/// Why a field cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// The text is empty, too long, or has characters that no text has.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The form has more than [`MOST_FIELDS`] fields; this is the first that is too many.
    #[error("a form has at most {MOST_FIELDS} fields")]
    TooManyFields,
    /// It is no type of a field.
    #[error("is not a type")]
    NotAType,
    /// There are answers to the field, of this type, so that it stays (for references, with its kind).
    #[error("has answers of the type {}", .0.key())]
    Answered(FieldType),
    /// The type needs choices, and there are none.
    #[error("has no choices")]
    NoChoices,
    /// There are more than [`MOST_CHOICES`] choices.
    #[error("has more than {MOST_CHOICES} choices")]
    TooManyChoices,
    /// Something is wrong with this choice.
    #[error("the choice \"{0}\" {1}")]
    Choice(String, TextError),
    /// Two choices read the same.
    #[error("the choice \"{0}\" is there twice")]
    SameChoice(String),
    /// The organization has no such kind.
    #[error("is not a kind")]
    NotAKind,
}

impl From<&Form> for TypedForm {
    fn from(form: &Form) -> Self {
        let typed = |field: &Field| TypedField {
            key: field.key.to_string(),
            label: field.label.clone(),
            help: field.help.clone(),
            field_type: field.asks.field_type().key().to_owned(),
            is_required: field.is_required,
            choices: field.asks.choices().join("\n"),
            kind: field.asks.item_kind().map(|kind| kind.key().to_owned()).unwrap_or_default(),
        };
        Self { fields: form.fields().iter().map(typed).collect() }
    }
}

impl TypedForm {
    /// Returns whether there is room for another field.
    pub const fn has_room(&self) -> bool {
        self.fields.len() < MOST_FIELDS
    }

    /// Adds an empty field at the end. New ones are required, except headings. Returns its index; `None` if there is no
    /// room.
    pub fn add(&mut self, field_type: FieldType) -> Option<usize> {
        let is_required = field_type != FieldType::Heading;
        let field = TypedField { field_type: field_type.key().to_owned(), is_required, ..TypedField::default() };
        self.has_room().then(|| self.fields.push(field))?;
        self.fields.len().checked_sub(1)
    }

    /// Moves a field before the one above it. Returns where it is then; nothing moves beyond the ends.
    pub fn move_up(&mut self, at: usize) -> usize {
        at.checked_sub(1).map_or(at, |above| self.exchange(at, above))
    }

    /// Moves a field behind the one below it. Returns where it is then.
    pub fn move_down(&mut self, at: usize) -> usize {
        self.exchange(at, at.saturating_add(1))
    }

    fn exchange(&mut self, at: usize, to: usize) -> usize {
        if at.max(to) >= self.fields.len() {
            return at;
        }
        self.fields.swap(at, to);
        to
    }

    /// Removes a field, and returns it.
    pub fn remove(&mut self, at: usize) -> Option<TypedField> {
        (at < self.fields.len()).then(|| self.fields.remove(at))
    }

    /// Makes a form of what was typed, to replace `before`. A field that was there keeps its key, whatever its label is
    /// now; if it is `answered`, it keeps its type. A new field gets a key that no field has or had answers under.
    ///
    /// # Errors
    /// Everything that is wrong, in order.
    pub fn read(
        &self,
        before: &Form,
        answered: &BTreeSet<FieldKey>,
        is_kind: impl Fn(&ItemKind) -> bool,
    ) -> Result<Form, Vec<FieldProblem>> {
        if self.fields.len() > MOST_FIELDS {
            return Err(vec![FieldProblem { at: MOST_FIELDS, part: FieldPart::Label, why: FieldError::TooManyFields }]);
        }
        let mut problems = Vec::new();
        let mut read = Vec::new();
        let mut kept = BTreeSet::new();
        for (at, typed) in self.fields.iter().enumerate() {
            let old = FieldKey::parse(&typed.key).and_then(|key| before.field(&key));
            let old = old.filter(|old| kept.insert(old.key.clone()));
            let locked = old.filter(|old| answered.contains(&old.key)).map(|old| &old.asks);
            match typed.read(locked, &is_kind) {
                Ok(field) => read.push((old.map(|old| old.key.clone()), field)),
                Err(wrong) => problems.extend(wrong.into_iter().map(|(part, why)| FieldProblem { at, part, why })),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut retired = before.retired.clone();
        retired.extend(before.fields().iter().map(|field| &field.key).filter(|key| answered.contains(key)).cloned());
        retired.retain(|key| !kept.contains(key));
        Ok(with_keys(read, kept, retired))
    }
}

/// A field without its key.
struct Keyless {
    label: String,
    help: String,
    is_required: bool,
    asks: Asks,
}

fn with_keys(
    read: Vec<(Option<FieldKey>, Keyless)>,
    mut taken: BTreeSet<FieldKey>,
    retired: BTreeSet<FieldKey>,
) -> Form {
    let mut fields = Vec::new();
    for (key, Keyless { label, help, is_required, asks }) in read {
        let is_taken = |key: &FieldKey| taken.contains(key) || retired.contains(key);
        let key = key.unwrap_or_else(|| FieldKey::for_label(&label, is_taken));
        taken.insert(key.clone());
        fields.push(Field { key, label, help, is_required, asks });
    }
    Form { fields, retired }
}

type Wrong = (FieldPart, FieldError);

impl TypedField {
    /// Reads all but the key. `locked` is what an answered field asks for.
    fn read(&self, locked: Option<&Asks>, is_kind: impl Fn(&ItemKind) -> bool) -> Result<Keyless, Vec<Wrong>> {
        let label = text::line_of(&self.label, LONGEST_LABEL).map_err(|wrong| (FieldPart::Label, wrong.into()));
        let help = match text::paragraphs(&self.help, LONGEST_HELP) {
            Err(TextError::Empty) => Ok(String::new()),
            read => read.map_err(|wrong| (FieldPart::Help, wrong.into())),
        };
        let asks = self.asks(is_kind).and_then(|asks| match locked {
            Some(old) if !asks.takes_answers_of(old) => Err((FieldPart::Type, FieldError::Answered(old.field_type()))),
            _ => Ok(asks),
        });
        match (label, help, asks) {
            (Ok(label), Ok(help), Ok(asks)) => {
                let is_required = self.is_required && asks != Asks::Heading;
                Ok(Keyless { label, help, is_required, asks })
            }
            (label, help, asks) => Err([label.err(), help.err(), asks.err()].into_iter().flatten().collect()),
        }
    }

    fn asks(&self, is_kind: impl Fn(&ItemKind) -> bool) -> Result<Asks, Wrong> {
        let field_type = FieldType::from_key(&self.field_type).ok_or((FieldPart::Type, FieldError::NotAType))?;
        let choices = if field_type.has_choices() {
            choices(&self.choices).map_err(|wrong| (FieldPart::Choices, wrong))?
        } else {
            Vec::new()
        };
        let kind = ItemKind::parse(&self.kind).filter(is_kind);
        Asks::new(field_type, choices, kind).ok_or((FieldPart::Kind, FieldError::NotAKind))
    }
}

/// Reads choices, one on each line. Empty lines do not count.
fn choices(typed: &str) -> Result<Vec<String>, FieldError> {
    let (mut choices, mut folded) = (Vec::new(), BTreeSet::new());
    for line in typed.lines() {
        let choice = match text::line_of(line, LONGEST_CHOICE) {
            Err(TextError::Empty) => continue,
            read => read.map_err(|wrong| FieldError::Choice(line.trim().to_owned(), wrong))?,
        };
        if choices.len() == MOST_CHOICES {
            return Err(FieldError::TooManyChoices);
        }
        if !folded.insert(text::fold(&choice)) {
            return Err(FieldError::SameChoice(choice));
        }
        choices.push(choice);
    }
    if choices.is_empty() { Err(FieldError::NoChoices) } else { Ok(choices) }
}

#[cfg(test)]
mod tests;
