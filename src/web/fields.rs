//! The editor of a form: the questions of a template, the fields of a kind.
//!
//! All fields are always in the form, so it works without scripts: each button sends it, and gets it back with what was
//! typed, arranged, and the focus where it was. How it looks is in `templates/parts/_fields.html`.

use super::texts::Texts;
use domain::{
    field::{Asks, Field, FieldPart, FieldProblem, FieldType, Form, MOST_FIELDS, TypedField, TypedForm},
    item::ItemKind,
    kind::Kind,
};
use std::collections::BTreeSet;

/// The names and values of a form whose names are not known before, in their order.
pub type Pairs = Vec<(String, String)>;

/// A field as a page lists it.
pub struct Line {
    /// What people read.
    pub label: String,
    /// What helps to answer it.
    pub help: String,
    /// Its type in words.
    pub asks: &'static str,
    /// Whether it is a heading.
    pub is_heading: bool,
    /// Whether an answer is needed.
    pub is_required: bool,
}

/// Returns the fields of a form as a page lists them.
pub fn lines(t: Texts, form: &Form) -> Vec<Line> {
    let line = |field: &Field| Line {
        label: field.label.clone(),
        help: field.help.clone(),
        asks: t.field_type(field.asks.field_type()),
        is_heading: field.asks == Asks::Heading,
        is_required: field.is_required,
    };
    form.fields().iter().map(line).collect()
}

/// What the fields are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The questions of a template.
    Template,
    /// The fields of a kind.
    Kind,
}

/// A form after a press of a button that saves nothing, and the id of the element that gets the focus.
#[derive(Debug, PartialEq, Eq)]
pub struct Arranged {
    /// The form.
    pub form: TypedForm,
    /// The id.
    pub focus: String,
}

/// Reads the fields as they were typed.
pub fn typed(pairs: &[(String, String)]) -> TypedForm {
    let list = |name: &str| {
        let name = format!("{name}[]");
        pairs.iter().filter(|(field, _)| *field == name).map(|(_, value)| value.clone()).collect::<Vec<String>>()
    };
    let [keys, labels, helps, types, choices, kinds] = ["field", "label", "help", "type", "choices", "of"].map(list);
    let required: BTreeSet<String> = list("required").into_iter().collect();
    let value = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
    let field = |at: usize| TypedField {
        key: value(&keys, at),
        label: value(&labels, at),
        help: value(&helps, at),
        field_type: value(&types, at),
        is_required: required.contains(&(at + 1).to_string()),
        choices: value(&choices, at),
        kind: value(&kinds, at),
    };
    // One too many is refused; no page sends more.
    TypedForm { fields: (0..labels.len().min(MOST_FIELDS + 1)).map(field).collect() }
}

/// Does what a button asks for that saves nothing: `add.text`, `up.3`, `down.3` or `remove.3`. None for others.
pub fn arranged(mut form: TypedForm, step: &str) -> Option<Arranged> {
    let (what, of) = step.split_once('.')?;
    let at = of.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|at| *at < form.fields.len());
    let focus = match (what, at) {
        ("add", _) => FieldType::from_key(of).and_then(|of| form.add(of)).map(|at| id("label", at)),
        ("up", Some(at)) => Some(moved(&form.move_up(at), form.fields.len(), "up")),
        ("down", Some(at)) => Some(moved(&form.move_down(at), form.fields.len(), "down")),
        ("remove", Some(at)) => {
            form.remove(at);
            let last = form.fields.len().checked_sub(1);
            Some(last.map_or_else(|| "add-text".to_owned(), |last| id(head(&form, at.min(last)), at.min(last))))
        }
        ("up" | "down" | "remove", None) => None,
        _ => return None,
    };
    Some(Arranged { form, focus: focus.unwrap_or_default() })
}

fn id(part: &str, at: usize) -> String {
    format!("{part}-{}", at + 1)
}

/// Returns the button that keeps the focus: the one that was pressed, unless it can move the field no further.
fn moved(at: &usize, count: usize, pressed: &str) -> String {
    match pressed {
        "up" if *at == 0 => id("down", *at),
        "down" if at + 1 == count => id("up", *at),
        pressed => id(pressed, *at),
    }
}

/// Returns what one sees of a field that is not open.
fn head(form: &TypedForm, at: usize) -> &'static str {
    if form.fields.get(at).is_some_and(is_heading) { "label" } else { "field" }
}

fn is_heading(field: &TypedField) -> bool {
    field.field_type == FieldType::Heading.key()
}

/// The editor.
pub struct FieldsPart {
    /// What the fields are.
    pub of: Of,
    /// The fields in order.
    pub rows: Vec<FieldRow>,
    /// How many there are.
    pub count: String,
    /// All types, in the order in which they are offered.
    pub types: Vec<Choice>,
    /// The kinds whose items a field may ask for.
    pub kinds: Vec<Choice>,
    /// The id of the element that gets the focus; empty for none.
    pub focus: String,
    /// Whether another field may be added.
    pub has_room: bool,
}

/// A choice of a selection.
pub struct Choice {
    /// What is sent.
    pub key: String,
    /// What is read.
    pub words: String,
}

/// A field in the editor.
pub struct FieldRow {
    /// Its number among all fields, from 1.
    pub number: usize,
    /// Its number among those that take an answer; 0 for a heading.
    pub question: usize,
    /// What was typed.
    pub typed: TypedField,
    /// What it is called in the names of its buttons.
    pub name: String,
    /// Its type in words, with *optional* if no answer is needed.
    pub asks: String,
    /// Whether its type stays, since there are answers to it.
    pub is_locked: bool,
    /// Whether its details are open.
    pub is_open: bool,
    errors: Vec<(FieldPart, String)>,
}

impl FieldRow {
    /// Returns whether it is a heading.
    pub fn is_heading(&self) -> bool {
        is_heading(&self.typed)
    }

    /// Returns what is wrong with a part of it.
    pub fn error(&self, part: &str) -> Option<&str> {
        self.errors.iter().find(|(at, _)| at.key() == part).map(|(_, words)| words.as_str())
    }

    /// Returns whether its type offers choices.
    pub fn has_choices(&self) -> bool {
        FieldType::from_key(&self.typed.field_type).is_some_and(FieldType::has_choices)
    }
}

impl FieldsPart {
    /// Creates the editor of `form`, in which fields with these keys are locked.
    pub fn new(
        t: Texts,
        (of, kinds): (Of, &[Kind]),
        form: &TypedForm,
        locked: &BTreeSet<String>,
        problems: &[FieldProblem],
        focus: String,
    ) -> Self {
        let mut question = 0;
        let mut rows = Vec::new();
        for (at, typed) in form.fields.iter().enumerate() {
            question += usize::from(!is_heading(typed));
            let mine = problems.iter().filter(|problem| problem.at == at);
            let errors: Vec<_> = mine.map(|problem| (problem.part, t.field_problem(&problem.why))).collect();
            rows.push(FieldRow {
                number: at + 1,
                question: if is_heading(typed) { 0 } else { question },
                name: name(t, of, typed, question),
                asks: asks(t, typed),
                is_locked: locked.contains(&typed.key),
                is_open: !errors.is_empty() || typed.label.trim().is_empty(),
                typed: typed.clone(),
                errors,
            });
        }
        let own = kinds.iter().map(|kind| kind.key.as_str());
        let all = ItemKind::BUILT_IN.into_iter().chain(own).filter_map(ItemKind::parse);
        Self {
            of,
            count: count(t, of, question, rows.len() - question),
            types: FieldType::ALL.map(|of| Choice { key: of.key().to_owned(), words: t.field_type(of).into() }).into(),
            kinds: all.map(|kind| Choice { key: kind.key().to_owned(), words: t.item_kind(kinds, &kind) }).collect(),
            focus,
            has_room: form.has_room(),
            rows,
        }
    }

    /// Returns whether the element with this id gets the focus.
    pub fn is_focus(&self, part: &str, number: &usize) -> bool {
        self.focus.strip_prefix(part).and_then(|rest| rest.strip_prefix('-')) == Some(number.to_string().as_str())
    }

    /// The id of each wrong field, and what is wrong with it.
    pub fn links(&self, t: Texts) -> Vec<(String, String)> {
        let of_row = |row: &FieldRow| {
            let link = |(part, words): &(FieldPart, String)| {
                let id = format!("{}-{}", part.key(), row.number);
                (id, t.forms_at(&row.name, words))
            };
            row.errors.iter().map(link).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(of_row).collect()
    }
}

fn name(t: Texts, of: Of, typed: &TypedField, question: usize) -> String {
    match (typed.label.trim(), of) {
        ("", _) if is_heading(typed) => t.fields_heading().to_owned(),
        ("", Of::Template) => t.fields_question_number(question),
        ("", Of::Kind) => t.fields_field_number(question),
        (label, _) => label.to_owned(),
    }
}

fn asks(t: Texts, typed: &TypedField) -> String {
    let words = FieldType::from_key(&typed.field_type).map_or("", |of| t.field_type(of));
    if typed.is_required { words.to_owned() } else { format!("{words} · {}", t.fields_optional()) }
}

fn count(t: Texts, of: Of, questions: usize, headings: usize) -> String {
    let questions = match of {
        Of::Template => t.fields_questions(questions),
        Of::Kind => t.fields_fields(questions),
    };
    if headings == 0 { questions } else { format!("{questions}, {}", t.fields_headings(headings)) }
}

#[cfg(test)]
mod tests;
