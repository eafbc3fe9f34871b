//! Groups: the list, and what is done with a group as a whole. The page of each is in [`super::members`].

use super::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::Holding,
    members::{Head, Place},
    notice::{self, Message, Notice},
    page::{IsHtmx, is_for, page},
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell},
    sign_in::Nothing,
    tables::{by_name, typed_by_name},
    texts::Texts,
    words::Errors,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::{
    authority::Caller,
    groups::{GroupForm, Groups, PAGE},
    problem::{Field, Problem},
};
use askama::Template;
use domain::{group::CountedGroup, paging::ByName, permission::ManageGroups};
use serde::Deserialize;

type Manager = Holding<ManageGroups>;

/// The maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 100;

/// The query: a search, and where a page starts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    after: String,
    before: String,
}

impl Asked {
    fn search(&self) -> Search<'_, 1> {
        Search { fields: [("q", &*self.q)], page: path::groups_with, part: "#groups" }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "groups/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    new: String,
    words: String,
    search: String,
    part: GroupsPart,
}

/// The groups, which a search changes.
#[derive(Template)]
#[template(path = "groups/_groups.html")]
struct GroupsPart {
    t: Texts,
    rows: Vec<Row>,
    is_search: bool,
    previous: Option<String>,
    next: Option<String>,
}

/// A group as the list shows it.
struct Row {
    href: String,
    name: String,
    members: String,
}

/// The form for a name.
#[derive(Template)]
#[template(path = "groups/form.html")]
struct FormPage {
    shell: Shell,
    /// The name of the group that is renamed; none for a new one.
    changes: Option<String>,
    action: String,
    cancel: String,
    typed: GroupForm,
    errors: Errors,
    /// The current name, if somebody else has changed it.
    now: Option<String>,
}

/// `GET /orgs/{slug}/groups`: the whole page, or to htmx the part that a search changes.
pub async fn list(
    app: App,
    at: Manager,
    asked: Query<Asked>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = asked.search().for_key(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let words: String = asked.q.chars().take(LONGEST_SEARCH).collect();
    let from = by_name(&asked.before, &asked.after);
    let found = app::groups::list(&app, &Caller::from(&at.who), words.clone(), from, PAGE).await?;
    let part = groups_part(&at, &words, &found);
    if is_for(&request, "#groups") {
        return page(&part);
    }
    let shell = at.shell(Nav::Groups);
    let message = match notice {
        Some(Notice::Deleted) => Some(Message::done(shell.t.groups_deleted_notice())),
        Some(Notice::UnknownKey) => Some(Message::failed(shell.t.search_key_of_nobody())),
        _ => None,
    };
    let (new, search) = (path::new_group(at.slug()), path::groups_search(at.slug()));
    page(&ListPage { shell, message, new, words, search, part })
}

/// `POST /orgs/{slug}/groups/search`
pub async fn search(
    app: App,
    at: Manager,
    Form(asked): Form<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = asked.search().leads(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let address = asked.search().address(at.slug());
    Ok(search::part_at(list(app, at, Query(asked), None, request).await?, &Step::Replace, &address))
}

fn groups_part(at: &Manager, words: &str, found: &Groups) -> GroupsPart {
    let t = at.t();
    let turned = |name: &'static str, place: &ByName| {
        path::groups_with(at.slug(), &[("q", words), (name, &*typed_by_name(place))])
    };
    let row = |CountedGroup { group, members }: &CountedGroup| Row {
        href: path::group(at.slug(), &group.public_id),
        name: group.name.clone(),
        members: count(t, *members),
    };
    GroupsPart {
        t,
        rows: found.groups.iter().map(row).collect(),
        is_search: !words.trim().is_empty(),
        previous: found.previous.as_ref().map(|place| turned("before", place)),
        next: found.next.as_ref().map(|place| turned("after", place)),
    }
}

fn count(t: Texts, members: i64) -> String {
    if members == 0 { t.groups_nobody().to_owned() } else { t.groups_members(members) }
}

impl Place for ManageGroups {
    const NAV: Nav = Nav::Groups;

    fn with(slug: &str, fields: &[(&str, &str)]) -> String {
        path::group_with(slug, fields)
    }

    fn part(slug: &str, id: &str, part: &str) -> String {
        path::group_part(slug, id, part)
    }

    async fn head(app: &App, at: &Manager, id: &str) -> Result<Head, WebError> {
        let CountedGroup { group, members } = app::groups::find(app, &Caller::from(&at.who), id).await?;
        let (t, slug) = (at.t(), at.slug());
        Ok(Head {
            list: (path::groups(slug), t.groups_list().to_owned()),
            above: Vec::new(),
            name: group.name,
            count: members,
            lead: count(t, members),
            rename: (path::group_part(slug, id, "name"), t.groups_rename().to_owned()),
            relocate: None,
            deletion: (path::group_part(slug, id, "deletion"), t.groups_delete().to_owned()),
            inside: None,
            add: t.groups_add(),
            leave_hint: t.groups_leave_hint(),
        })
    }

    fn message(t: Texts, notice: &Notice) -> Option<Message> {
        match notice {
            Notice::Created => Some(Message::done(t.groups_created_notice())),
            Notice::Saved => Some(Message::done(t.groups_saved_notice())),
            _ => None,
        }
    }

    fn emptying(t: Texts, name: &str, count: i64) -> (String, String) {
        (t.groups_empty_heading(name), t.groups_empty_effect(count))
    }
}

/// `GET /orgs/{slug}/groups/new`
pub async fn new(at: Manager) -> Result<HttpResponse, WebError> {
    page(&new_form(&at, GroupForm::default(), Errors::default()))
}

/// `POST /orgs/{slug}/groups`
pub async fn create(app: App, at: Manager, Form(typed): Form<GroupForm>) -> Result<HttpResponse, WebError> {
    match app::groups::create(&app, &Caller::from(&at.who), &typed.name, at.source.clone()).await {
        Ok(id) => Ok(notice::see(&path::group(at.slug(), &id), &Notice::Created)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(at.t(), &refused.problems);
            refused.page(&new_form(&at, typed, errors))
        }
    }
}

fn new_form(at: &Manager, typed: GroupForm, errors: Errors) -> FormPage {
    let (shell, list) = (at.shell(Nav::Groups), path::groups(at.slug()));
    FormPage { changes: None, action: list.clone(), cancel: list, typed, errors, now: None, shell }
}

/// `GET /orgs/{slug}/groups/{id}/name`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit_name(app: App, at: Manager, address: Path<(String, String)>) -> Result<HttpResponse, WebError> {
    let group = app::groups::find(&app, &Caller::from(&at.who), &address.1).await?.group;
    let typed = GroupForm { name: group.name.clone(), version: group.version.to_string() };
    page(&name_form(&at, &address.1, group.name, typed, Errors::default()))
}

/// `POST /orgs/{slug}/groups/{id}/name`
///
/// # Errors
/// As [`edit_name`].
pub async fn rename(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    Form(typed): Form<GroupForm>,
) -> Result<HttpResponse, WebError> {
    let (id, caller) = (&address.1, Caller::from(&at.who));
    // A version that cannot be read is none that there is.
    let version = Some(typed.version.parse().unwrap_or(0));
    match app::groups::rename(&app, &caller, id, &typed.name, version, at.source.clone()).await {
        Ok(()) => Ok(notice::see(&path::group(at.slug(), id), &Notice::Saved)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let group = app::groups::find(&app, &caller, id).await?.group;
            let errors = Errors::new(at.t(), &refused.problems);
            let is_stale = refused.problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
            let now = is_stale.then(|| group.name.clone());
            // The current name is now shown beside what was typed, so the next form may replace it.
            let version = if is_stale { group.version.to_string() } else { typed.version.clone() };
            let form = name_form(&at, id, group.name, GroupForm { version, ..typed }, errors);
            refused.page(&FormPage { now, ..form })
        }
    }
}

fn name_form(at: &Manager, id: &str, name: String, typed: GroupForm, errors: Errors) -> FormPage {
    let (action, cancel) = (path::group_part(at.slug(), id, "name"), path::group(at.slug(), id));
    FormPage { changes: Some(name), action, cancel, typed, errors, now: None, shell: at.shell(Nav::Groups) }
}

/// `GET /orgs/{slug}/groups/{id}/deletion`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_deletion(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let found = app::groups::find(&app, &Caller::from(&at.who), &address.1).await?;
    confirm(&at, &found).ask(at.shell(Nav::Groups), is_dialog)
}

fn confirm(at: &Manager, CountedGroup { group, members }: &CountedGroup) -> Confirm {
    let t = at.t();
    let heading = t.groups_delete_heading(&group.name);
    let effect = match members {
        0 => t.groups_delete_nobody().to_owned(),
        members => t.groups_delete_text(*members),
    };
    Confirm {
        title: heading.clone(),
        heading,
        text: vec![effect, t.groups_delete_for_good().to_owned()],
        action: path::group_part(at.slug(), &group.public_id, "deletion"),
        offer: Offer::End(t.groups_delete()),
        cancel: path::group(at.slug(), &group.public_id),
        ..Confirm::default()
    }
}

/// `POST /orgs/{slug}/groups/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let caller = Caller::from(&at.who);
    match app::groups::delete(&app, &caller, &address.1, None, at.source.clone()).await {
        Ok(()) => Ok(notice::see(&path::groups(at.slug()), &Notice::Deleted)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let found = app::groups::find(&app, &caller, &address.1).await?;
            confirm(&at, &found).ask_again(at.shell(Nav::Groups), &refused)
        }
    }
}
