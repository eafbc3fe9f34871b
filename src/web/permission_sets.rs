//! Permission sets of an organization: the list, and the page of each.

mod deletion;
mod editing;

pub use deletion::{confirm_deletion, delete};
pub use editing::{change, create, edit, new, review};

use super::{
    App,
    errors::WebError,
    holder::Holding,
    notice::{Message, Notice},
    page::page,
    permissions::PermissionFields,
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
};
use actix_web::{HttpResponse, web::Path};
use app::permission_sets::SetInUse;
use askama::Template;
use domain::{
    organization::PermissionSetId,
    permission::{BuiltInPermission, ManagePermissionSets},
    permission_set::{SetMember, SetName},
};
use serde::Deserialize;

type Editor = Holding<ManagePermissionSets>;

/// The permission set that an address names.
#[derive(Debug, Deserialize)]
pub struct Of {
    id: i64,
}

impl Of {
    const fn id(&self) -> PermissionSetId {
        PermissionSetId(self.id)
    }
}

/// The list.
#[derive(Template)]
#[template(path = "permission_sets/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    new: String,
    built_in: Vec<Row>,
    own: Vec<Row>,
}

/// A set as the list shows it.
struct Row {
    href: String,
    name: String,
    facts: Vec<String>,
}

/// The page of a set.
#[derive(Template)]
#[template(path = "permission_sets/show.html")]
struct ShowPage {
    shell: Shell,
    message: Option<Message>,
    list: String,
    name: String,
    is_own: bool,
    edit: String,
    copy: String,
    /// The page to delete it; only if nobody has it.
    deletion: Option<String>,
    permissions: PermissionFields,
    uses: Vec<String>,
    members: Vec<SetMember>,
    /// “and 12 more”
    more: Option<String>,
    /// The list of all of them, if the reader may see it and there are any.
    people: Option<String>,
}

/// `GET /orgs/{slug}/permission-sets`
pub async fn list(app: App, at: Editor, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let sets = app::permission_sets::list(&app, &at.who).await?;
    let shell = at.shell(Nav::PermissionSets);
    let t = shell.t;
    let rows = |own: bool| sets.iter().filter(|set| set.is_own() == own).map(|set| row(t, at.slug(), set)).collect();
    page(&ListPage {
        message: (notice == Some(Notice::Deleted)).then(|| Message::done(t.permission_sets_deleted_notice())),
        new: path::new_permission_set(at.slug()),
        built_in: rows(false),
        own: rows(true),
        shell,
    })
}

fn row(t: Texts, slug: &str, set: &SetInUse) -> Row {
    let stored = &set.stored.set;
    let mut facts = vec![t.permission_sets_permissions(stored.permissions.count())];
    facts.extend(uses(t, set));
    Row { href: path::permission_set(slug, stored.id), name: t.set_name(&stored.name).to_owned(), facts }
}

/// “3 users”, “1 deactivated user”
fn uses(t: Texts, set: &SetInUse) -> Vec<String> {
    let mut words = vec![if set.is_unused() {
        t.permission_sets_unused().to_owned()
    } else {
        t.permission_sets_users(set.uses.active)
    }];
    if set.uses.deactivated > 0 {
        words.push(t.permission_sets_deactivated(set.uses.deactivated));
    }
    if set.uses.invited > 0 {
        words.push(t.permission_sets_invited(set.uses.invited));
    }
    words
}

/// `GET /orgs/{slug}/permission-sets/{id}`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn show(app: App, at: Editor, of: Path<Of>, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let set = app::permission_sets::find(&app, &at.who, of.id()).await?;
    let (shell, slug, id) = (at.shell(Nav::PermissionSets), at.slug(), of.id());
    let t = shell.t;
    let message = match notice {
        Some(Notice::Created) => Some(Message::done(t.permission_sets_created_notice())),
        Some(Notice::Saved) => Some(Message::done(t.permission_sets_saved_notice())),
        _ => None,
    };
    let stored = &set.stored.set;
    page(&ShowPage {
        message,
        list: path::permission_sets(slug),
        name: t.set_name(&stored.name).to_owned(),
        is_own: matches!(stored.name, SetName::Own(_)),
        edit: path::permission_set_edit(slug, id),
        copy: path::permission_set_copy(slug, id),
        deletion: (set.is_own() && set.is_unused()).then(|| path::permission_set_deletion(slug, id)),
        permissions: PermissionFields::new(t, at.kinds(), &stored.permissions, &stored.permissions),
        uses: uses(t, &set),
        more: more(t, set.count(), set.members.len()),
        people: (!set.is_unused() && at.who.grant().held().contains(BuiltInPermission::PlatformUsers))
            .then(|| path::users_with_set(slug, id)),
        members: set.members,
        shell,
    })
}

/// “and 12 more”, if not all are shown.
fn more(t: Texts, count: i64, shown: usize) -> Option<String> {
    let left = usize::try_from(count).unwrap_or(0).saturating_sub(shown);
    (left > 0).then(|| t.permission_sets_more(left))
}
