//! Kinds of an organization: the list, and the page of each with its actions and the permissions that they become.

mod actions;
mod deletion;
mod editing;
mod fields;

pub use deletion::{confirm_deletion, delete};
pub use editing::{change, create, edit, new, review};
pub use fields::{edit as edit_fields, save as save_fields};

use super::{
    App,
    errors::WebError,
    fields::{Line, lines},
    holder::Holding,
    notice::{Message, Notice},
    page::page,
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
};
use actions::ActionRow;
use actix_web::{HttpResponse, web::Path};
use app::AppError;
use askama::Template;
use domain::{
    kind::{CommonAction, Kind, MOST_KINDS},
    permission::{ManageKinds, PermissionGroup},
};
use serde::Deserialize;

type Editor = Holding<ManageKinds>;

/// The kind that an address names.
#[derive(Debug, Deserialize)]
pub struct Of {
    key: String,
}

/// The list.
#[derive(Template)]
#[template(path = "kinds/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    new: String,
    built_in: Vec<Row>,
    own: Vec<Row>,
    limit: usize,
}

/// A kind as the list shows it.
struct Row {
    href: String,
    /// The page to delete it, if it is not built in.
    deletion: Option<String>,
    key: String,
    name: String,
    facts: Vec<String>,
}

/// The page of a kind.
#[derive(Template)]
#[template(path = "kinds/show.html")]
struct ShowPage {
    shell: Shell,
    message: Option<Message>,
    list: String,
    key: String,
    name: String,
    /// The name of one item, and the pages to change and to delete an own kind.
    own: Option<(String, String, String)>,
    rows: Vec<ActionRow>,
    /// Its fields and where they are changed, if its items have any.
    fields: Option<(Vec<Line>, String)>,
}

/// `GET /orgs/{slug}/kinds`
pub async fn list(app: App, at: Editor, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let (shell, slug) = (at.shell(Nav::Kinds), at.slug());
    let t = shell.t;
    let kinds = app::kinds::list(&app, at.who.grant().organization()).await?;
    page(&ListPage {
        message: (notice == Some(Notice::Deleted)).then(|| Message::done(t.kinds_deleted_notice())),
        new: path::new_kind(slug),
        built_in: PermissionGroup::KINDS.map(|group| built_in_row(t, slug, group)).into(),
        own: kinds.iter().map(|stored| own_row(t, slug, &stored.kind)).collect(),
        limit: MOST_KINDS,
        shell,
    })
}

fn built_in_row(t: Texts, slug: &str, group: PermissionGroup) -> Row {
    Row {
        href: path::kind(slug, group.key()),
        deletion: None,
        key: group.key().to_owned(),
        name: t.permission_group(group).to_owned(),
        facts: vec![t.kinds_actions(group.permissions().count())],
    }
}

fn own_row(t: Texts, slug: &str, kind: &Kind) -> Row {
    let (key, own) = (kind.key.as_str(), kind.actions.len());
    let all = CommonAction::ALL.len() + own;
    Row {
        href: path::kind(slug, key),
        deletion: Some(path::kind_part(slug, key, "deletion")),
        key: key.to_owned(),
        name: kind.plural.clone(),
        facts: vec![if own == 0 { t.kinds_actions(all) } else { t.kinds_actions_own(all, own) }],
    }
}

/// `GET /orgs/{slug}/kinds/{key}`
///
/// # Errors
/// Not found if the organization has no such kind.
pub async fn show(app: App, at: Editor, of: Path<Of>, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let (shell, slug) = (at.shell(Nav::Kinds), at.slug());
    let t = shell.t;
    let built_in = PermissionGroup::KINDS.into_iter().find(|group| group.key() == of.key);
    let (name, own, rows) = match built_in {
        Some(group) => (t.permission_group(group).to_owned(), None, actions::of_group(t, group)),
        None => {
            let kind = app::kinds::find(&app, at.who.grant().organization(), &of.key).await?.kind;
            let [edit, deletion] = ["edit", "deletion"].map(|part| path::kind_part(slug, &of.key, part));
            (kind.plural.clone(), Some((kind.singular.clone(), edit, deletion)), actions::of_kind(t, &kind))
        }
    };
    let message = match notice {
        Some(Notice::Created) => Some(Message::done(t.kinds_created_notice())),
        Some(Notice::Saved) => Some(Message::done(t.kinds_saved_notice())),
        Some(Notice::FieldsSaved) => Some(Message::done(t.kinds_fields_saved_notice())),
        _ => None,
    };
    let fields = match app::kinds::fields(&app, at.who.grant().organization(), &of.key).await {
        Ok(fields) => Some((lines(t, &fields.form), path::kind_part(slug, &of.key, "fields"))),
        Err(AppError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    page(&ShowPage { message, list: path::kinds(slug), key: of.into_inner().key, name, own, rows, fields, shell })
}

/// Returns the name of a kind.
async fn name_of(app: &App, at: &Editor, key: &str) -> Result<String, WebError> {
    match PermissionGroup::KINDS.into_iter().find(|group| group.key() == key) {
        Some(group) => Ok(at.t().permission_group(group).to_owned()),
        None => Ok(app::kinds::find(app, at.who.grant().organization(), key).await?.kind.plural),
    }
}

/// Returns the page for a kind that cannot be changed: it does not exist.
fn not_built_in(key: &str) -> Result<(), WebError> {
    if PermissionGroup::from_key(key).is_some() { Err(AppError::NotFound.into()) } else { Ok(()) }
}
