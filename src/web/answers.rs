//! Answering a form: the fields of an item's kind, the questions of an inspection.
//!
//! Each answer is a field `answer-KEY`. How they look is in `templates/parts/_answers.html`.

use super::{App, errors::WebError, fields::Pairs, texts::Texts};
use app::{
    AppError,
    items::{Direction, ListQuery},
    requester::Requester,
};
use domain::{
    field::{Answer, AnswerProblem, Answers, Asks, Date, Field, Form, TypedAnswers},
    item::ItemKind,
    paging::PageFrom,
};
use std::collections::HashMap;

/// What the names of all answers begin with.
const ANSWER: &str = "answer-";
/// What the name of a search for an item begins with.
const FIND: &str = "find-";
/// How many items of a kind are offered at once; there may be others by their name.
const OFFERED: usize = 100;

/// Reads the answers as they were typed.
pub fn typed(pairs: &[(String, String)]) -> TypedAnswers {
    let answer = |(name, value): &(String, String)| Some((name.strip_prefix(ANSWER)?.to_owned(), value.clone()));
    pairs.iter().filter_map(answer).collect()
}

/// Returns answers as somebody would type them in this language.
pub fn as_typed(t: Texts, answers: &Answers) -> TypedAnswers {
    let values = |answer: &Answer| match answer {
        Answer::Number(number) => vec![t.decimal(number)],
        answer => answer.typed(),
    };
    let pairs = answers.iter().flat_map(|(key, answer)| {
        let key = key.to_string();
        values(answer).into_iter().map(move |value| (key.clone(), value))
    });
    pairs.collect()
}

/// The questions with their answers.
pub struct AnswersPart {
    /// The questions under each heading; those before the first are under none.
    pub sections: Vec<Section>,
    /// How many questions have an answer.
    pub answered: usize,
    /// How many there are.
    pub all: usize,
}

/// The questions under a heading.
pub struct Section {
    /// The id of the heading.
    pub id: String,
    /// The heading and what is said below it.
    pub heading: Option<(String, String)>,
    /// The questions.
    pub questions: Vec<Question>,
}

/// A question.
pub struct Question {
    /// The name and id of its input.
    pub name: String,
    /// The question itself.
    pub label: String,
    /// What helps to answer it; may be empty.
    pub help: String,
    /// Whether an answer is needed.
    pub is_required: bool,
    /// What is wrong with the answer.
    pub error: Option<String>,
    /// How it is answered.
    pub input: Input,
}

/// How a question is answered.
pub enum Input {
    /// On one line.
    Line(String),
    /// On several lines.
    Lines(String),
    /// By a number.
    Number(String),
    /// By a day.
    Day(String),
    /// By one of these, or several; short ones stand beside each other.
    Choices {
        /// The choices.
        all: Vec<Choice>,
        /// Whether several may be chosen.
        is_several: bool,
        /// Whether they are short.
        is_short: bool,
    },
    /// By an item from a list.
    Item {
        /// The items.
        all: Vec<Choice>,
        /// What is searched for, if there are more than the list has.
        search: Option<String>,
    },
}

/// A choice.
#[derive(Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub words: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// What the form offers and was filled with.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    /// The form.
    pub form: &'a Form,
    /// What was typed.
    pub typed: &'a TypedAnswers,
    /// The answers that are stored: they may have choices that are no longer offered.
    pub before: &'a Answers,
    /// What is wrong.
    pub problems: &'a [AnswerProblem],
    /// The items to choose from.
    pub items: &'a Offered,
}

/// The items to choose from for each field that asks for one, by its key.
pub type Offered = HashMap<String, (Vec<(String, String)>, Option<String>)>;

impl AnswersPart {
    /// Creates the part.
    pub fn new(t: Texts, filling: Filling<'_>) -> Self {
        let mut sections = vec![Section { id: "answers".into(), heading: None, questions: Vec::new() }];
        for field in filling.form.fields() {
            if field.asks == Asks::Heading {
                let heading = Some((field.label.clone(), field.help.clone()));
                sections.push(Section { id: format!("section-{}", field.key), heading, questions: Vec::new() });
            } else if let Some(section) = sections.last_mut() {
                section.questions.push(filling.question(t, field));
            }
        }
        sections.retain(|section| section.heading.is_some() || !section.questions.is_empty());
        let is_answered = |field: &&Field| filling.typed.get(&field.key).iter().any(|typed| !typed.trim().is_empty());
        Self {
            sections,
            answered: filling.form.questions().filter(is_answered).count(),
            all: filling.form.questions().count(),
        }
    }

    /// The id of each wrong answer, and what is wrong with it.
    pub fn links(&self, t: Texts) -> Vec<(String, String)> {
        let all = self.sections.iter().flat_map(|section| &section.questions);
        all.filter_map(|one| Some((one.name.clone(), t.forms_at(&one.label, one.error.as_ref()?)))).collect()
    }
}

impl Filling<'_> {
    fn question(self, t: Texts, field: &Field) -> Question {
        let values = self.typed.get(&field.key);
        let wrong = self.problems.iter().find(|problem| problem.field == field.key.as_str());
        Question {
            name: format!("{ANSWER}{}", field.key),
            label: field.label.clone(),
            help: field.help.clone(),
            is_required: field.is_required,
            error: wrong.map(|problem| t.answer_problem(&field.asks, &problem.why)),
            input: self.input(t, field, values),
        }
    }

    fn input(self, t: Texts, field: &Field, values: &[String]) -> Input {
        let first = values.first().cloned().unwrap_or_default();
        let choice = |(value, words): (&str, &str)| Choice {
            value: value.to_owned(),
            words: words.to_owned(),
            is_chosen: values.iter().any(|typed| typed == value) || (value.is_empty() && first.is_empty()),
        };
        // A press on a button cannot be taken back otherwise.
        let none = (!field.is_required).then_some(("", t.answers_none()));
        match &field.asks {
            Asks::LongText => Input::Lines(first),
            Asks::Number => Input::Number(first),
            // What is no day would be lost in an input for days.
            Asks::Date if first.is_empty() || Date::parse(&first).is_some() => Input::Day(first),
            Asks::Text | Asks::Date | Asks::Heading => Input::Line(first),
            Asks::YesNo => {
                let all = [("yes", t.fields_yes()), ("no", t.fields_no())].into_iter().chain(none);
                Input::Choices { all: all.map(choice).collect(), is_several: false, is_short: true }
            }
            Asks::OneOf(offered) => {
                let all = self.known(field, offered).into_iter().map(|words| (words, words)).chain(none);
                Input::Choices { all: all.map(choice).collect(), is_several: false, is_short: false }
            }
            Asks::SeveralOf(offered) => {
                let all = self.known(field, offered).into_iter().map(|words| (words, words));
                Input::Choices { all: all.map(choice).collect(), is_several: true, is_short: false }
            }
            Asks::Item(_) => {
                let (items, search) = self.items.get(field.key.as_str()).cloned().unwrap_or_default();
                let all = items.iter().map(|(id, name)| (id.as_str(), name.as_str()));
                let first = std::iter::once(("", t.answers_choose_item()));
                Input::Item { all: first.chain(all).map(choice).collect(), search }
            }
        }
    }

    /// Returns the choices that are offered, and those that were chosen while they were.
    fn known<'a>(&'a self, field: &Field, offered: &'a [String]) -> Vec<&'a str> {
        let chosen: &[String] = match self.before.get(&field.key) {
            Some(Answer::Choice(choice)) => std::slice::from_ref(choice),
            Some(Answer::Choices(choices)) => choices,
            _ => &[],
        };
        let gone = chosen.iter().filter(|choice| !offered.contains(choice));
        offered.iter().chain(gone).map(String::as_str).collect()
    }
}

/// Reads the items to choose from: those that were changed last, or that have the words of a search in their names,
/// and the one that is chosen.
///
/// # Errors
/// When the database fails.
pub async fn offered(
    app: &App,
    by: &Requester,
    form: &Form,
    typed: &TypedAnswers,
    pairs: &Pairs,
) -> Result<Offered, WebError> {
    let mut offered = Offered::new();
    for field in form.questions() {
        let Asks::Item(kind) = &field.asks else { continue };
        let name = format!("{FIND}{ANSWER}{}", field.key);
        let words = pairs.iter().find(|(field, _)| *field == name).map_or("", |(_, words)| words.as_str());
        let (mut items, has_more) = named(app, by, kind, words).await?;
        let chosen = typed.get(&field.key).first().filter(|id| !id.is_empty());
        if let Some(id) = chosen.filter(|id| items.iter().all(|(other, _)| other != *id)) {
            items.insert(0, (id.clone(), name_of(app, by, kind, id).await?));
        }
        let search = (has_more || !words.trim().is_empty()).then(|| words.to_owned());
        offered.insert(field.key.to_string(), (items, search));
    }
    Ok(offered)
}

type Found = (Vec<(String, String)>, bool);

async fn named(app: &App, by: &Requester, kind: &ItemKind, words: &str) -> Result<Found, WebError> {
    let query = ListQuery { words: words.chars().take(100).collect(), archived: Some(false), ..ListQuery::default() };
    let listed = app::items::list(app, by, kind.key(), query, Direction::Descending, PageFrom::Start, OFFERED).await;
    match listed {
        Ok(listed) => {
            let items = listed.items.into_iter().map(|(item, _)| (item.public_id, item.name));
            Ok((items.collect(), listed.next.is_some()))
        }
        // Whoever may not view such items has none to choose from.
        Err(AppError::NotFound | AppError::Refused(_)) => Ok((Vec::new(), false)),
        Err(error) => Err(error.into()),
    }
}

/// Returns the name of an item, or its id for whoever does not reach it.
async fn name_of(app: &App, by: &Requester, kind: &ItemKind, id: &str) -> Result<String, WebError> {
    match app::items::find(app, by, kind.key(), id.into()).await {
        Ok(found) => Ok(found.item.name),
        Err(AppError::NotFound | AppError::Refused(_)) => Ok(id.to_owned()),
        Err(error) => Err(error.into()),
    }
}
