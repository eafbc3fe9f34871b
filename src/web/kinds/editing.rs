//! Creating and changing kinds. Own actions are rows; buttons that add and remove one send the form, save nothing and
//! show it again. Whom a change takes something from is shown before it is saved.

use super::{
    Editor, Of,
    actions::{self, ActionRow},
    not_built_in,
};
use crate::{
    App,
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::page,
    routes::path,
    shell::{Nav, Shell},
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    AppError,
    authority::Caller,
    kinds::{CHANGES, Effects, KindForm, READS, TypedAction},
    problem::{Field, Problem},
};
use askama::Template;
use domain::{
    access::Level,
    kind::{MOST_ACTIONS, StoredKind},
};
use serde::Deserialize;

/// What was typed into the form. The lists have a value for each own action.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TypedKind {
    singular: String,
    plural: String,
    key: String,
    version: String,
    affected: String,
    password: Option<String>,
    #[serde(rename = "name[]")]
    names: Vec<String>,
    #[serde(rename = "action[]")]
    actions: Vec<String>,
    #[serde(rename = "nature[]")]
    natures: Vec<String>,
    /// The button that was pressed, if it saves nothing: `add`, `remove.2`, or `back` from the preview.
    step: String,
}

impl TypedKind {
    fn form(&self) -> KindForm {
        let value = |list: &[String], index: usize| list.get(index).cloned().unwrap_or_default();
        let action = |index| TypedAction {
            name: value(&self.names, index),
            key: value(&self.actions, index),
            nature: value(&self.natures, index),
        };
        let count = [&self.names, &self.actions, &self.natures].map(Vec::len).into_iter().max();
        KindForm {
            singular: self.singular.clone(),
            plural: self.plural.clone(),
            key: self.key.clone(),
            actions: (0..count.unwrap_or_default()).map(action).collect(),
            version: self.version.clone(),
            affected: Some(self.affected.clone()),
            password: self.password.clone(),
        }
    }

    /// Returns the form after a press of a button that saves nothing, and the action that gets the focus; none if the
    /// form should be saved.
    fn only_arranged(&self) -> Option<(KindForm, usize)> {
        let mut form = self.form();
        let (what, number) = self.step.split_once('.').unwrap_or((&self.step, ""));
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let focus = match (what, index.filter(|index| *index < form.actions.len())) {
            ("", _) => return None,
            ("add", _) if form.actions.len() < MOST_ACTIONS => {
                form.actions.push(TypedAction { nature: CHANGES.into(), ..TypedAction::default() });
                form.actions.len()
            }
            ("remove", Some(index)) => {
                form.actions.remove(index);
                index.max(1)
            }
            _ => 0,
        };
        Some((form, focus))
    }
}

/// The form.
#[derive(Template)]
#[template(path = "kinds/form.html")]
struct FormPage {
    shell: Shell,
    /// The kind that is changed; none for a new one.
    changes: Option<StoredKind>,
    action: String,
    cancel: String,
    form: KindForm,
    /// The actions that every kind has.
    common: Vec<ActionRow>,
    errors: Errors,
    /// The number of the action that is wrong; 0 for none.
    wrong: usize,
    /// The number of the action that gets the focus; 0 for none.
    focus: usize,
    limit: usize,
    /// The names and actions as they are now, if somebody else has changed them.
    now: Option<(String, String)>,
}

impl FormPage {
    fn new(at: &Editor, form: KindForm) -> Self {
        let shell = at.shell(Nav::Kinds);
        Self {
            changes: None,
            action: path::kinds(at.slug()),
            cancel: path::kinds(at.slug()),
            common: actions::common(shell.t, if form.key.is_empty() { "…" } else { &form.key }),
            form,
            errors: Errors::default(),
            wrong: 0,
            focus: 0,
            limit: MOST_ACTIONS,
            now: None,
            shell,
        }
    }

    fn changing(at: &Editor, stored: &StoredKind, form: KindForm) -> Self {
        let key = stored.kind.key.as_str();
        Self {
            changes: Some(stored.clone()),
            action: path::kind_part(at.slug(), key, "edit"),
            cancel: path::kind(at.slug(), key),
            ..Self::new(at, KindForm { key: key.to_owned(), ..form })
        }
    }

    fn refused(self, refused: &Refused) -> Result<HttpResponse, WebError> {
        let wrong = match refused.problems.at(Field::Actions) {
            Some(Problem::Action(number, _)) => number,
            _ => 0,
        };
        let errors = Errors::named(self.shell.t, &self.shell.kinds, &refused.problems);
        let focus = if errors.starts_at("actions") { wrong } else { 0 };
        refused.page(&Self { errors, wrong, focus, ..self })
    }

    /// Returns whether the kind has an own action with this key already, which then stays.
    fn has(&self, key: &str) -> bool {
        let kind = self.changes.as_ref().map(|stored| &stored.kind);
        kind.is_some_and(|kind| kind.actions.iter().any(|action| action.key.as_str() == key))
    }

    fn level(&self, action: &TypedAction) -> &'static str {
        self.shell.t.level(if action.nature == READS { Level::View } else { Level::Edit })
    }

    fn is_full(&self) -> bool {
        self.form.actions.len() >= self.limit
    }
}

/// What a change does to others.
#[derive(Template)]
#[template(path = "kinds/preview.html")]
struct PreviewPage {
    shell: Shell,
    name: String,
    form: KindForm,
    effects: Effects,
    save: String,
    edit: String,
    asks_password: bool,
    errors: Errors,
}

/// `GET /orgs/{slug}/kinds/new`
///
/// # Errors
/// When the template fails.
pub async fn new(at: Editor) -> Result<HttpResponse, WebError> {
    page(&FormPage::new(&at, KindForm::default()))
}

/// `POST /orgs/{slug}/kinds`
pub async fn create(app: App, at: Editor, Form(typed): Form<TypedKind>) -> Result<HttpResponse, WebError> {
    if let Some((form, focus)) = typed.only_arranged() {
        return page(&FormPage { focus, ..FormPage::new(&at, form) });
    }
    match app::kinds::create(&app, &Caller::from(&at.who), typed.form(), at.source.clone()).await {
        Ok(stored) => Ok(notice::see(&path::kind(at.slug(), stored.kind.key.as_str()), &Notice::Created)),
        Err(error) => FormPage::new(&at, typed.form()).refused(&Refused::new(error)?),
    }
}

/// `GET /orgs/{slug}/kinds/{key}/edit`
///
/// # Errors
/// Not found if the organization has no such kind, or it is built in.
pub async fn edit(app: App, at: Editor, of: Path<Of>) -> Result<HttpResponse, WebError> {
    let stored = own(&app, &at, &of.key).await?;
    let form = KindForm::of(&stored.kind, stored.version);
    page(&FormPage::changing(&at, &stored, form))
}

/// `POST /orgs/{slug}/kinds/{key}/edit`: the preview, or what was pressed in the form. A change that takes nothing from
/// anybody is saved.
///
/// # Errors
/// As [`edit`].
pub async fn review(
    app: App,
    at: Editor,
    of: Path<Of>,
    Form(typed): Form<TypedKind>,
) -> Result<HttpResponse, WebError> {
    let stored = own(&app, &at, &of.key).await?;
    if let Some((form, focus)) = typed.only_arranged() {
        return page(&FormPage { focus, ..FormPage::changing(&at, &stored, form) });
    }
    match app::kinds::preview(&app, &Caller::from(&at.who), &of.key, typed.form()).await {
        Ok((_, effects)) if effects.is_empty() => save(&app, &at, &stored, typed).await,
        Ok((_, effects)) => page(&preview_page(&app, &at, &stored, typed.form(), effects, Errors::default())),
        Err(error) => again(&at, &stored, &typed, error),
    }
}

/// `POST /orgs/{slug}/kinds/{key}`: saves what was previewed.
///
/// # Errors
/// As [`edit`].
pub async fn change(
    app: App,
    at: Editor,
    of: Path<Of>,
    Form(typed): Form<TypedKind>,
) -> Result<HttpResponse, WebError> {
    let stored = own(&app, &at, &of.key).await?;
    save(&app, &at, &stored, typed).await
}

async fn own(app: &App, at: &Editor, key: &str) -> Result<StoredKind, WebError> {
    not_built_in(key)?;
    Ok(app::kinds::find(app, at.who.grant().organization(), key).await?)
}

async fn save(app: &App, at: &Editor, stored: &StoredKind, typed: TypedKind) -> Result<HttpResponse, WebError> {
    let key = stored.kind.key.as_str();
    let error = match app::kinds::change(app, &Caller::from(&at.who), key, typed.form(), at.source.clone()).await {
        Ok(_) => return Ok(notice::see(&path::kind(at.slug(), key), &Notice::Saved)),
        Err(error) => error,
    };
    let is_for_preview = match &error {
        AppError::Invalid(problems) => {
            problems.at(Field::Password).is_some() || problems.at(Field::Form) == Some(Problem::AffectedMeanwhile)
        }
        AppError::TooManyAttempts(_) | AppError::Busy(_) => true,
        _ => false,
    };
    if is_for_preview
        && let Ok((_, effects)) = app::kinds::preview(app, &Caller::from(&at.who), key, typed.form()).await
    {
        let refused = Refused::new(error)?;
        let errors = Errors::named(at.t(), at.kinds(), &refused.problems);
        return refused.page(&preview_page(app, at, stored, typed.form(), effects, errors));
    }
    again(at, stored, &typed, error)
}

/// The form with what was typed and what is wrong with it.
fn again(at: &Editor, stored: &StoredKind, typed: &TypedKind, error: AppError) -> Result<HttpResponse, WebError> {
    let refused = Refused::new(error)?;
    let is_stale = refused.problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
    let kind = &stored.kind;
    let now = is_stale.then(|| {
        let names = at.t().kinds_names(&kind.singular, &kind.plural);
        (names, actions::of_kind(at.t(), kind).into_iter().map(|row| row.name).collect::<Vec<_>>().join(", "))
    });
    // A user who has seen the current version may overwrite it.
    let version = if is_stale { stored.version.to_string() } else { typed.version.clone() };
    let form = KindForm { version, ..typed.form() };
    FormPage { now, ..FormPage::changing(at, stored, form) }.refused(&refused)
}

fn preview_page(
    app: &App,
    at: &Editor,
    stored: &StoredKind,
    form: KindForm,
    effects: Effects,
    errors: Errors,
) -> PreviewPage {
    let key = stored.kind.key.as_str();
    PreviewPage {
        shell: at.shell(Nav::Kinds),
        name: stored.kind.plural.clone(),
        save: path::kind(at.slug(), key),
        edit: path::kind_part(at.slug(), key, "edit"),
        asks_password: !effects.now_read.is_empty() && !app::sessions::recently_authenticated(app, at.who.actor()),
        form,
        effects,
        errors,
    }
}
