//! Creating and changing permission sets. The effects of a change are shown before it is saved, unless it affects
//! nobody.

use super::{Editor, Of, more};
use crate::{
    App,
    errors::WebError,
    form::{Form, FormWith, Refused},
    notice::{self, Notice},
    page::page,
    permissions::{PermissionFields, chosen, picked},
    routes::path,
    shell::{Nav, Shell},
    words::Errors,
};
use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use app::{
    AppError,
    permission_sets::{Preview, SetForm, SetInUse},
    problem::{Field, Problem},
};
use askama::Template;
use domain::permission::Permissions;
use serde::Deserialize;

/// What was pressed in the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pressed {
    /// The button of a group of permissions.
    pick: String,
    /// `back` from the preview.
    step: String,
}

impl Pressed {
    /// Returns what is chosen after a press of a button that saves nothing; none if the form should be saved.
    fn only_picked(&self, typed: &SetForm, at: &Editor, open: &Permissions) -> Option<Permissions> {
        let known = at.who.grant().known();
        let chosen = chosen(&typed.permissions, known);
        picked(&self.pick, known, &chosen, open).or_else(|| (self.step == "back").then_some(chosen))
    }
}

/// The form.
#[derive(Template)]
#[template(path = "permission_sets/form.html")]
struct FormPage {
    shell: Shell,
    /// The name of the set that is changed; none for a new one.
    changes: Option<String>,
    action: String,
    cancel: String,
    typed_name: String,
    version: String,
    permissions: PermissionFields,
    errors: Errors,
    /// The current name and permissions, if somebody else has changed them.
    now: Option<(String, String)>,
}

/// The effects of a change.
#[derive(Template)]
#[template(path = "permission_sets/preview.html")]
struct PreviewPage {
    shell: Shell,
    before: String,
    typed: SetForm,
    is_renamed: bool,
    added: Vec<String>,
    taken: Vec<String>,
    /// How many have the set.
    count: i64,
    members: Vec<String>,
    more: Option<String>,
    tokens: Vec<Loss>,
    losing: i64,
    more_tokens: Option<String>,
    save: String,
    edit: String,
    affected: String,
    asks_password: bool,
    errors: Errors,
}

/// A token that loses something.
struct Loss {
    id: String,
    label: String,
    owner: String,
    lost: String,
}

/// The set to copy.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Copied {
    copy: Option<i64>,
}

/// `GET /orgs/{slug}/permission-sets/new`: an empty form, or one filled in from another set.
///
/// # Errors
/// Not found if the organization does not have the set to copy.
pub async fn new(app: App, at: Editor, copied: Query<Copied>) -> Result<HttpResponse, WebError> {
    let Some(id) = copied.copy else {
        return page(&new_form(&at, String::new(), Permissions::default(), Errors::default()));
    };
    let original = app::permission_sets::find(&app, &at.who, Of { id }.id()).await?.stored.set;
    let t = at.t();
    page(&new_form(&at, t.permission_sets_copy_of(t.set_name(&original.name)), original.permissions, Errors::default()))
}

/// `POST /orgs/{slug}/permission-sets`
pub async fn create(
    app: App,
    at: Editor,
    FormWith(typed, pressed): FormWith<SetForm, Pressed>,
) -> Result<HttpResponse, WebError> {
    if let Some(picked) = pressed.only_picked(&typed, &at, at.who.grant().held()) {
        return page(&new_form(&at, typed.name, picked, Errors::default()));
    }
    match app::permission_sets::create(&app, &at.who, typed.clone(), at.source.clone()).await {
        Ok(id) => Ok(notice::see(&path::permission_set(at.slug(), id), &Notice::Created)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::named(at.t(), at.kinds(), &refused.problems);
            refused.page(&new_form(&at, typed.name, chosen(&typed.permissions, at.who.grant().known()), errors))
        }
    }
}

fn new_form(at: &Editor, name: String, chosen: Permissions, errors: Errors) -> FormPage {
    let shell = at.shell(Nav::PermissionSets);
    FormPage {
        changes: None,
        action: path::permission_sets(at.slug()),
        cancel: path::permission_sets(at.slug()),
        typed_name: name,
        version: String::new(),
        permissions: PermissionFields::new(shell.t, at.kinds(), &chosen, at.who.grant().held()),
        errors,
        now: None,
        shell,
    }
}

/// `GET /orgs/{slug}/permission-sets/{id}/edit`
///
/// # Errors
/// Not found if it does not exist, belongs to another organization, or is built in.
pub async fn edit(app: App, at: Editor, of: Path<Of>) -> Result<HttpResponse, WebError> {
    let set = own(&app, &at, &of).await?;
    let permissions = set.stored.set.permissions.clone();
    let name = set.stored.set.name.as_str().to_owned();
    page(&edit_form(&at, &set, name, permissions, Errors::default()))
}

/// `POST /orgs/{slug}/permission-sets/{id}/edit`: the preview, or what was pressed in the form.
///
/// # Errors
/// As [`edit`].
pub async fn review(
    app: App,
    at: Editor,
    of: Path<Of>,
    FormWith(typed, pressed): FormWith<SetForm, Pressed>,
) -> Result<HttpResponse, WebError> {
    let set = own(&app, &at, &of).await?;
    if let Some(picked) = pressed.only_picked(&typed, &at, &open_to(&at, &set)) {
        let form = edit_form(&at, &set, typed.name, picked, Errors::default());
        return page(&FormPage { version: typed.version, ..form });
    }
    match app::permission_sets::preview(&app, &at.who, of.id(), typed.clone()).await {
        Ok(preview) if preview.affects_nobody() => save(&app, &at, &set, typed).await,
        Ok(preview) => page(&preview_page(&app, &at, preview, typed, Errors::default())),
        Err(error) => again(&at, &set, typed, error),
    }
}

/// `POST /orgs/{slug}/permission-sets/{id}`: saves what was previewed.
///
/// # Errors
/// As [`edit`].
pub async fn change(app: App, at: Editor, of: Path<Of>, Form(typed): Form<SetForm>) -> Result<HttpResponse, WebError> {
    let set = own(&app, &at, &of).await?;
    save(&app, &at, &set, typed).await
}

async fn own(app: &App, at: &Editor, of: &Of) -> Result<SetInUse, WebError> {
    let set = app::permission_sets::find(app, &at.who, of.id()).await?;
    if set.is_own() { Ok(set) } else { Err(AppError::NotFound.into()) }
}

async fn save(app: &App, at: &Editor, set: &SetInUse, typed: SetForm) -> Result<HttpResponse, WebError> {
    let id = set.stored.set.id;
    let error = match app::permission_sets::change(app, &at.who, id, typed.clone(), at.source.clone()).await {
        Ok(()) => return Ok(notice::see(&path::permission_set(at.slug(), id), &Notice::Saved)),
        Err(error) => error,
    };
    // The password is required when the change is confirmed, where the people it affects are shown.
    let is_for_preview = match &error {
        AppError::Invalid(problems) => {
            problems.at(Field::Password).is_some() || problems.at(Field::Form) == Some(Problem::AffectedMeanwhile)
        }
        AppError::TooManyAttempts(_) | AppError::Busy(_) => true,
        _ => false,
    };
    match app::permission_sets::preview(app, &at.who, id, typed.clone()).await {
        Ok(preview) if is_for_preview => {
            let refused = Refused::new(error)?;
            let errors = Errors::named(at.t(), at.kinds(), &refused.problems);
            refused.page(&preview_page(app, at, preview, typed, errors))
        }
        _ => again(at, set, typed, error),
    }
}

/// The form with what was typed and what is wrong with it.
fn again(at: &Editor, set: &SetInUse, typed: SetForm, error: AppError) -> Result<HttpResponse, WebError> {
    let refused = Refused::new(error)?;
    let t = at.t();
    let errors = Errors::named(t, at.kinds(), &refused.problems);
    let is_stale = refused.problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
    let now = &set.stored.set;
    let now = is_stale.then(|| (now.name.as_str().to_owned(), t.permission_names(at.kinds(), &now.permissions)));
    let form = edit_form(at, set, typed.name, chosen(&typed.permissions, at.who.grant().known()), errors);
    refused.page(&FormPage { now, ..form })
}

/// Returns what can be chosen: what the editor holds, and what the set has.
fn open_to(at: &Editor, set: &SetInUse) -> Permissions {
    at.who.grant().held().with(&set.stored.set.permissions)
}

fn edit_form(at: &Editor, set: &SetInUse, name: String, chosen: Permissions, errors: Errors) -> FormPage {
    let (shell, stored) = (at.shell(Nav::PermissionSets), &set.stored);
    FormPage {
        changes: Some(stored.set.name.as_str().to_owned()),
        action: path::permission_set_edit(at.slug(), stored.set.id),
        cancel: path::permission_set(at.slug(), stored.set.id),
        typed_name: name,
        version: stored.version.to_string(),
        permissions: PermissionFields::new(shell.t, at.kinds(), &chosen, &open_to(at, set)),
        errors,
        now: None,
        shell,
    }
}

fn preview_page(app: &App, at: &Editor, preview: Preview, typed: SetForm, errors: Errors) -> PreviewPage {
    let shell = at.shell(Nav::PermissionSets);
    let t = shell.t;
    let names = |some: Permissions| some.iter().map(|permission| t.any_permission(at.kinds(), &permission)).collect();
    let id = preview.before.stored.set.id;
    let (count, before) = (preview.before.count(), preview.before.stored.set.name.as_str().to_owned());
    PreviewPage {
        is_renamed: before != preview.name,
        added: names(preview.added()),
        taken: names(preview.taken()),
        count,
        more: more(t, count, preview.before.members.len()),
        more_tokens: more(t, preview.losing, preview.tokens.len()),
        losing: preview.losing,
        asks_password: !preview.added().is_empty() && !app::sessions::recently_authenticated(app, at.who.actor()),
        members: preview.before.members.into_iter().map(|member| member.name).collect(),
        tokens: preview
            .tokens
            .into_iter()
            .map(|(token, lost)| Loss {
                id: token.public_id,
                label: token.label,
                owner: token.owner,
                lost: t.permission_names(at.kinds(), &lost),
            })
            .collect(),
        save: path::permission_set(at.slug(), id),
        edit: path::permission_set_edit(at.slug(), id),
        affected: preview.affected,
        before,
        typed,
        errors,
        shell,
    }
}
