//! The form of an item: its name, what it is, and its questions or answers.

use super::{Here, showing};
use crate::{
    App,
    answers::{self, AnswersPart, Filling},
    choice::{Choice, site_choices},
    errors::WebError,
    fields::{self, FieldsPart, Of, Pairs},
    shell::Shell,
    summary::Summary,
    texts::Texts,
    words::Errors,
};
use app::{
    items::{Found, ItemChange, ItemForm, Sent},
    problem::{Field, Problem, Problems},
};
use askama::Template;
use domain::field::{AnswerProblem, Answers, FieldProblem, Form, TypedAnswers, TypedForm};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What was typed, without questions and answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) site: String,
    pub(super) external_id: String,
    pub(super) nonce: String,
    pub(super) version: String,
    /// The button that was pressed, if it is not the one that saves.
    pub(super) step: String,
}

/// Everything that stands in the form.
#[derive(Clone, Debug, Default)]
pub(super) struct Filled {
    pub typed: Typed,
    pub questions: TypedForm,
    pub answers: TypedAnswers,
    /// The id of the element that gets the focus; empty for none.
    pub focus: String,
    /// All fields as they were sent.
    pub pairs: Pairs,
}

impl Filled {
    /// What was sent.
    pub fn sent(typed: Typed, pairs: Pairs) -> Self {
        let (questions, answers) = (fields::typed(&pairs), answers::typed(&pairs));
        Self { typed, questions, answers, focus: String::new(), pairs }
    }

    /// What the form of an item begins with.
    pub fn of(t: Texts, found: &Found) -> Self {
        let item = &found.item;
        let typed = Typed {
            name: item.name.clone(),
            description: found.contents.description.clone(),
            site: found.names.site(item).map(|site| site.id.clone()).unwrap_or_default(),
            external_id: item.external_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            version: item.version.to_string(),
            ..Typed::default()
        };
        let (questions, answers) = ((&found.contents.form).into(), answers::as_typed(t, &found.contents.answers));
        Self { typed, questions, answers, ..Self::default() }
    }

    /// Returns the form after a press of a button that saves nothing; none if it should be saved.
    pub fn arranged(&self) -> Option<Self> {
        if self.typed.step == "find" {
            return Some(self.clone());
        }
        let arranged = fields::arranged(self.questions.clone(), &self.typed.step)?;
        Some(Self { questions: arranged.form, focus: arranged.focus, ..self.clone() })
    }

    /// The item to be created.
    pub fn form(&self) -> ItemForm {
        let typed = self.typed.clone();
        ItemForm {
            name: typed.name,
            description: typed.description,
            site: typed.site,
            external_id: typed.external_id,
            nonce: typed.nonce,
            questions: self.questions.clone(),
            answers: Sent::Typed(self.answers.clone()),
            ..ItemForm::default()
        }
    }

    /// The change of this item. Where it stands in another organization, and by which id that knows it, is not shown
    /// to others.
    pub fn change(&self, here: &Here, found: &Found) -> ItemChange {
        let typed = self.typed.clone();
        let is_own = found.item.organization == here.by.organization();
        ItemChange {
            // What is no version is not the one that was shown.
            version: Some(typed.version.parse().unwrap_or_default()),
            name: Some(typed.name),
            description: Some(typed.description),
            site: is_own.then_some(typed.site),
            external_id: Some(typed.external_id).filter(|_| is_own && has_external_id(here)),
            questions: here.kind.is_templates().then(|| self.questions.clone()),
            answers: Sent::Typed(self.answers.clone()),
            ..ItemChange::default()
        }
    }
}

/// Returns whether the form asks for the id that another system knows the item by.
pub(super) fn has_external_id(here: &Here) -> bool {
    !here.kind.is_templates() && !here.kind.is_inspections()
}

/// A fact of the current version, if somebody else has changed it: its label, and what it is.
pub(super) type Now = (String, Vec<String>);

/// The form.
#[derive(Template)]
#[template(path = "items/form.html")]
pub(super) struct FormPage {
    pub shell: Shell,
    pub title: String,
    pub lead: &'static str,
    /// The page before it, and its name.
    pub back: (String, String),
    pub action: String,
    pub is_new: bool,
    pub typed: Typed,
    /// Where it may be; empty if that is not asked.
    pub sites: Vec<Choice>,
    pub has_external_id: bool,
    pub errors: Errors,
    pub summary: Option<Summary>,
    pub now: Vec<Now>,
    pub content: Content,
}

/// What an item holds.
pub(super) enum Content {
    /// The questions of a template.
    Fields(FieldsPart),
    /// The answers to the fields of its kind.
    Answers(AnswersPart),
}

/// What the form is about.
pub(super) struct About<'a> {
    /// The fields of the kind, or the questions that are answered.
    pub form: &'a Form,
    /// The answers that are stored.
    pub before: &'a Answers,
    /// Whether there are answers to the questions that are edited.
    pub is_answered: bool,
    /// Whether the site may be chosen.
    pub is_own: bool,
}

impl FormPage {
    /// Creates the form, with what is wrong.
    pub async fn new(
        app: &App,
        here: &Here,
        about: About<'_>,
        filled: Filled,
        problems: &Problems,
    ) -> Result<Self, WebError> {
        let t = here.t();
        let content = if here.kind.is_templates() {
            let keys = about.form.fields().iter().map(|field| field.key.to_string());
            let locked: BTreeSet<String> = if about.is_answered { keys.collect() } else { BTreeSet::new() };
            let of = (Of::Template, here.at.kinds());
            let wrong = wrong_fields(problems);
            Content::Fields(FieldsPart::new(t, of, &filled.questions, &locked, &wrong, filled.focus.clone()))
        } else {
            Content::Answers(answers_part(app, here, &about, &filled, problems).await?)
        };
        let errors = Errors::named(t, here.at.kinds(), problems);
        let links = match &content {
            Content::Fields(part) => part.links(t),
            Content::Answers(part) => part.links(t),
        };
        Ok(Self {
            shell: here.shell(),
            title: String::new(),
            lead: "",
            back: (here.list(), here.plural()),
            action: String::new(),
            is_new: false,
            sites: sites(app, here, &filled.typed.site, about.is_own).await?,
            has_external_id: about.is_own && has_external_id(here),
            summary: Summary::new(t, &errors, links),
            errors,
            now: Vec::new(),
            content,
            typed: filled.typed,
        })
    }
}

/// Returns the sites to choose from; none if the organization has none.
pub(super) async fn sites(app: &App, here: &Here, chosen: &str, is_own: bool) -> Result<Vec<Choice>, WebError> {
    let all = if is_own { app::items::sites(app, &here.by).await? } else { Vec::new() };
    Ok(if all.is_empty() { Vec::new() } else { site_choices(&all, chosen, here.t().items_no_site()) })
}

/// Creates the part of a form in which something is answered.
pub(super) async fn answers_part(
    app: &App,
    here: &Here,
    about: &About<'_>,
    filled: &Filled,
    problems: &Problems,
) -> Result<AnswersPart, WebError> {
    let items = answers::offered(app, &here.by, about.form, &filled.answers, &filled.pairs).await?;
    let problems = wrong_answers(problems);
    let filling =
        Filling { form: about.form, typed: &filled.answers, before: about.before, problems: &problems, items: &items };
    Ok(AnswersPart::new(here.t(), filling))
}

fn wrong_fields(problems: &Problems) -> Vec<FieldProblem> {
    match problems.at(Field::Questions) {
        Some(Problem::Questions(wrong)) => wrong,
        _ => Vec::new(),
    }
}

fn wrong_answers(problems: &Problems) -> Vec<AnswerProblem> {
    match problems.at(Field::Answers) {
        Some(Problem::Answers(wrong)) => wrong,
        _ => Vec::new(),
    }
}

/// Returns what the item has now where the form has something else.
pub(super) async fn now(app: &App, here: &Here, found: &Found, filled: &Filled) -> Result<Vec<Now>, WebError> {
    let t = here.t();
    let (current, typed) = (Filled::of(t, found), &filled.typed);
    let none = || vec![t.items_none().to_owned()];
    let lines = |text: &str| if text.is_empty() { none() } else { text.lines().map(str::to_owned).collect() };
    let mut now = Vec::new();
    if current.typed.name != typed.name.trim() {
        now.push((t.common_name().to_owned(), lines(&current.typed.name)));
    }
    if lines(&current.typed.description) != lines(typed.description.trim()) {
        now.push((t.items_description().to_owned(), lines(&current.typed.description)));
    }
    if current.typed.site != typed.site && found.item.organization == here.by.organization() {
        let site = found.names.site(&found.item).map(|site| site.name.clone());
        now.push((t.items_site().to_owned(), lines(&site.unwrap_or_default())));
    }
    if has_external_id(here) && current.typed.external_id != typed.external_id {
        now.push((t.common_external_id().to_owned(), lines(&current.typed.external_id)));
    }
    if here.kind.is_templates() {
        if current.questions != filled.questions {
            let labels = found.form.fields().iter().map(|field| field.label.clone());
            now.push((t.items_questions().to_owned(), labels.collect()));
        }
        return Ok(now);
    }
    let answered = showing::answers(app, here, here.calendar(app), found).await?;
    for (field, answered) in found.form.fields().iter().zip(answered) {
        if current.answers.get(&field.key) != filled.answers.get(&field.key)
            && !(current.answers.get(&field.key).is_empty() && filled.answers.get(&field.key).concat().is_empty())
        {
            let lines = if answered.lines.is_empty() { none() } else { answered.lines };
            now.push((answered.label, lines));
        }
    }
    if found.item.finished_at.is_some() {
        now.push((t.items_state().to_owned(), vec![t.items_finished().to_owned()]));
    }
    Ok(now)
}
