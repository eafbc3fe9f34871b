//! The form for a protected API. Its rules are rows; buttons that add, remove and move one send the form, save nothing
//! and show it again.

use super::{Admin, Of};
use crate::{
    App,
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::page,
    permissions::{GroupFields, PermissionBox, PermissionFields},
    routes::path,
    shell::{Nav, Shell},
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    problem::{Field, Problem},
    protected_apis::{ApiForm, TypedRule},
};
use askama::Template;
use domain::{
    item::ItemKind,
    permission::Permissions,
    protected_api::{MOST_RULES, Methods, Needs, StoredApi},
};
use serde::Deserialize;

/// What was typed into the form. The lists have a value for each rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TypedApi {
    name: String,
    address: String,
    version: String,
    preflights: Option<String>,
    #[serde(rename = "methods[]")]
    methods: Vec<String>,
    #[serde(rename = "path[]")]
    path: Vec<String>,
    #[serde(rename = "needs[]")]
    needs: Vec<String>,
    #[serde(rename = "permission[]")]
    permission: Vec<String>,
    #[serde(rename = "item[]")]
    item: Vec<String>,
    /// The button that was pressed, if it saves nothing: `add`, `remove.2`, `up.2`.
    step: String,
}

impl TypedApi {
    fn form(&self) -> ApiForm {
        let value = |list: &[String], index: usize| list.get(index).cloned().unwrap_or_default();
        let rule = |index| TypedRule {
            methods: value(&self.methods, index),
            path: value(&self.path, index),
            needs: value(&self.needs, index),
            permission: value(&self.permission, index),
            item: value(&self.item, index),
        };
        let lists = [&self.methods, &self.path, &self.needs, &self.permission, &self.item];
        let count = lists.map(Vec::len).into_iter().max();
        ApiForm {
            name: self.name.clone(),
            address: self.address.clone(),
            rules: (0..count.unwrap_or_default()).map(rule).collect(),
            lets_preflights: self.preflights.is_some(),
            version: self.version.clone(),
        }
    }

    /// Returns the form after a press of a button that saves nothing, and the rule that gets the focus; none if the
    /// form should be saved.
    fn only_arranged(&self) -> Option<(ApiForm, usize)> {
        let mut form = self.form();
        let (what, number) = self.step.split_once('.').unwrap_or((&self.step, ""));
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let index = index.filter(|index| *index < form.rules.len());
        let focus = match (what, index) {
            ("add", _) if form.rules.len() < MOST_RULES => {
                form.rules.push(TypedRule { path: String::new(), ..TypedRule::first() });
                form.rules.len()
            }
            ("remove", Some(index)) => {
                form.rules.remove(index);
                index.max(1)
            }
            ("up", Some(index)) if index > 0 => {
                form.rules.swap(index - 1, index);
                index
            }
            ("", _) => return None,
            _ => 0,
        };
        Some((form, focus))
    }
}

/// The form.
#[derive(Template)]
#[template(path = "protected_apis/form.html")]
struct FormPage {
    shell: Shell,
    /// The name of the API that is changed; none for a new one.
    changes: Option<String>,
    action: String,
    cancel: String,
    form: ApiForm,
    methods: Vec<(&'static str, &'static str)>,
    needs: Vec<(&'static str, &'static str)>,
    /// By group.
    permissions: Vec<(String, Vec<(String, String)>)>,
    kinds: Vec<(String, String)>,
    errors: Errors,
    /// The number of the rule that is wrong; 0 for none.
    wrong: usize,
    /// The number of the rule that gets the focus; 0 for none.
    focus: usize,
    is_full: bool,
    /// The current version, if somebody else has changed it.
    now: Option<(String, String, Vec<super::RuleWords>, bool)>,
}

impl FormPage {
    /// Returns whether a rule asks for a permission that went with its kind. It lets nobody through until another one
    /// is chosen.
    fn is_gone(&self, key: &str) -> bool {
        !key.is_empty() && !self.permissions.iter().flat_map(|(_, choices)| choices).any(|(known, _)| known == key)
    }

    /// Returns whether a rule is about items of a kind that is gone.
    fn is_gone_kind(&self, key: &str) -> bool {
        !key.is_empty() && !self.kinds.iter().any(|(known, _)| known == key)
    }

    fn new(at: &Admin, form: ApiForm) -> Self {
        let shell = at.shell(Nav::Integrations);
        let t = shell.t;
        Self {
            changes: None,
            action: path::protected_apis(at.slug()),
            cancel: path::protected_apis(at.slug()),
            methods: Methods::ALL.map(|methods| (methods.key(), t.methods(methods))).into(),
            needs: Needs::ALL.map(|needs| (needs.key(), t.needs(needs))).into(),
            permissions: permissions(at),
            kinds: kinds(at),
            errors: Errors::default(),
            wrong: 0,
            focus: 0,
            is_full: form.rules.len() >= MOST_RULES,
            now: None,
            form,
            shell,
        }
    }

    fn changing(at: &Admin, stored: &StoredApi, form: ApiForm) -> Self {
        Self {
            changes: Some(stored.name.clone()),
            action: path::protected_api_part(at.slug(), &stored.public_id, "edit"),
            cancel: path::protected_api(at.slug(), &stored.public_id),
            ..Self::new(at, form)
        }
    }

    fn refused(self, refused: &Refused) -> Result<HttpResponse, WebError> {
        let wrong = match refused.problems.at(Field::Rules) {
            Some(Problem::Rule(number, _)) => number,
            _ => 0,
        };
        let errors = Errors::new(self.shell.t, &refused.problems);
        let focus = if errors.starts_at("rules") { wrong } else { 0 };
        refused.page(&Self { errors, wrong, focus, ..self })
    }
}

/// Returns all permissions of the organization by group: key and name.
fn permissions(at: &Admin) -> Vec<(String, Vec<(String, String)>)> {
    let (t, all) = (at.t(), Permissions::everything(at.who.grant().known()));
    let groups = PermissionFields::new(t, at.kinds(), &all, &all).groups.into_iter();
    let of = |group: GroupFields| {
        let named = |permission: PermissionBox| {
            let name = t.permissions_in_full(&group.name, &permission.name);
            (permission.key, name)
        };
        (group.name.clone(), group.boxes.into_iter().map(named).collect())
    };
    groups.map(of).collect()
}

/// Returns all kinds of the organization: key and name.
fn kinds(at: &Admin) -> Vec<(String, String)> {
    let own = at.kinds().iter().map(|kind| kind.key.as_str());
    let all = ItemKind::BUILT_IN.into_iter().chain(own).filter_map(ItemKind::parse);
    all.map(|kind| (kind.key().to_owned(), at.t().item_kind(at.kinds(), &kind))).collect()
}

/// `GET /orgs/{slug}/integrations/apis/new`
///
/// # Errors
/// When the template fails.
pub async fn new(at: Admin) -> Result<HttpResponse, WebError> {
    page(&FormPage::new(&at, ApiForm { rules: vec![TypedRule::first()], ..ApiForm::default() }))
}

/// `POST /orgs/{slug}/integrations/apis`
pub async fn create(app: App, at: Admin, Form(typed): Form<TypedApi>) -> Result<HttpResponse, WebError> {
    if let Some((form, focus)) = typed.only_arranged() {
        return page(&FormPage { focus, ..FormPage::new(&at, form) });
    }
    match app::protected_apis::create(&app, &at.who, typed.form(), at.source.clone()).await {
        Ok(id) => Ok(notice::see(&path::protected_api(at.slug(), &id), &Notice::Created)),
        Err(error) => FormPage::new(&at, typed.form()).refused(&Refused::new(error)?),
    }
}

/// `GET /orgs/{slug}/integrations/apis/{id}/edit`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit(app: App, at: Admin, of: Path<Of>) -> Result<HttpResponse, WebError> {
    let stored = app::protected_apis::find(&app, &at.who, &of.id).await?;
    let form = ApiForm {
        name: stored.name.clone(),
        address: stored.api.address.as_str().to_owned(),
        rules: stored.api.rules.iter().map(TypedRule::of).collect(),
        lets_preflights: stored.api.lets_preflights,
        version: stored.version.to_string(),
    };
    page(&FormPage::changing(&at, &stored, form))
}

/// `POST /orgs/{slug}/integrations/apis/{id}/edit`
///
/// # Errors
/// As [`edit`].
pub async fn change(app: App, at: Admin, of: Path<Of>, Form(typed): Form<TypedApi>) -> Result<HttpResponse, WebError> {
    let stored = app::protected_apis::find(&app, &at.who, &of.id).await?;
    if let Some((form, focus)) = typed.only_arranged() {
        return page(&FormPage { focus, ..FormPage::changing(&at, &stored, form) });
    }
    let error = match app::protected_apis::change(&app, &at.who, &of.id, typed.form(), at.source.clone()).await {
        Ok(()) => return Ok(notice::see(&path::protected_api(at.slug(), &of.id), &Notice::Saved)),
        Err(error) => Refused::new(error)?,
    };
    let t = at.t();
    let is_stale = error.problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
    let now = is_stale.then(|| {
        let rules = stored.api.rules.iter().map(|rule| super::RuleWords::new(t, at.kinds(), rule)).collect();
        (stored.name.clone(), stored.api.address.as_str().to_owned(), rules, stored.api.lets_preflights)
    });
    // A user who has seen the current version may overwrite it.
    let version = if is_stale { stored.version.to_string() } else { typed.version.clone() };
    let form = ApiForm { version, ..typed.form() };
    FormPage { now, ..FormPage::changing(&at, &stored, form) }.refused(&error)
}
