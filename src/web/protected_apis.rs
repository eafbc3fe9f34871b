//! Protected APIs of an organization, under *Integrations*: the list, and the page of each with the configuration of
//! proxies.

mod configurations;
mod deletion;
mod editing;

pub use deletion::{confirm_deletion, delete};
pub use domain::protected_api::ITEM;
pub use editing::{change, create, edit, new};

use super::{
    App, PublicUrl,
    errors::WebError,
    holder::Holding,
    notice::{Message, Notice},
    page::page,
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
};
use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use configurations::Configuration;
use domain::{
    kind::{self, Kind},
    permission::ManageIntegrations,
    protected_api::{ListedApi, Methods, Needs, Rule, level_of},
};
use serde::Deserialize;

/// A member who manages the integrations of an organization.
type Admin = Holding<ManageIntegrations>;

/// The protected API that an address names.
#[derive(Debug, Deserialize)]
pub struct Of {
    id: String,
}

/// The list.
#[derive(Template)]
#[template(path = "protected_apis/list.html")]
struct ListPage {
    shell: Shell,
    slug: String,
    message: Option<Message>,
    new: String,
    apis: Vec<ListedApi>,
}

/// The page of an API.
#[derive(Template)]
#[template(path = "protected_apis/show.html")]
struct ShowPage {
    shell: Shell,
    list: String,
    edit: String,
    deletion: String,
    message: Option<Message>,
    name: String,
    address: String,
    rules: Vec<RuleWords>,
    lets_preflights: bool,
    configurations: Vec<Configuration>,
}

/// A rule in words.
struct RuleWords {
    methods: &'static str,
    path: String,
    needs: &'static str,
    permission: Option<String>,
    /// What it takes on the item that the path names.
    item: Option<String>,
}

impl Texts {
    /// Returns the name of the methods that a rule applies to.
    pub fn methods(self, methods: Methods) -> &'static str {
        match methods {
            Methods::Any => self.protected_apis_methods_any(),
            Methods::Reads => self.protected_apis_methods_reads(),
            Methods::Writes => self.protected_apis_methods_writes(),
            Methods::One(method) => method,
        }
    }

    /// Returns the name of the scope that a rule demands.
    pub fn needs(self, needs: Needs) -> &'static str {
        match needs {
            Needs::Read => self.protected_apis_needs_read(),
            Needs::ReadWrite => self.protected_apis_needs_read_write(),
            Needs::ByMethod => self.protected_apis_needs_by_method(),
        }
    }
}

impl RuleWords {
    fn new(t: Texts, kinds: &[Kind], rule: &Rule) -> Self {
        Self {
            methods: t.methods(rule.methods),
            path: rule.path.to_string(),
            needs: t.needs(rule.needs),
            permission: rule.permission.as_ref().map(|permission| t.any_permission(kinds, permission)),
            item: rule.item.as_ref().map(|kind| {
                let known = kind::permissions(kinds);
                let level = rule.permission.as_ref().and_then(|permission| level_of(permission, kind, &known));
                let kind = t.item_kind(kinds, kind);
                match level {
                    Some(level) => t.protected_apis_item_level(kind, t.level(level)),
                    None => t.protected_apis_item_by_method(kind),
                }
            }),
        }
    }
}

/// `GET /orgs/{slug}/integrations/apis`
pub async fn list(app: App, at: Admin, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let shell = at.shell(Nav::Integrations);
    page(&ListPage {
        apis: app::protected_apis::list(&app, &at.who).await?,
        slug: at.slug().to_owned(),
        message: (notice == Some(Notice::Deleted)).then(|| Message::done(shell.t.protected_apis_deleted_notice())),
        new: path::new_protected_api(at.slug()),
        shell,
    })
}

/// `GET /orgs/{slug}/integrations/apis/{id}`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn show(
    app: App,
    url: Data<PublicUrl>,
    at: Admin,
    of: Path<Of>,
    notice: Option<Notice>,
) -> Result<HttpResponse, WebError> {
    let stored = app::protected_apis::find(&app, &at.who, &of.id).await?;
    let (shell, slug) = (at.shell(Nav::Integrations), at.slug());
    let t = shell.t;
    page(&ShowPage {
        list: path::protected_apis(slug),
        edit: path::protected_api_part(slug, &of.id, "edit"),
        deletion: path::protected_api_part(slug, &of.id, "deletion"),
        message: match notice {
            Some(Notice::Created) => Some(Message::done(t.protected_apis_created_notice())),
            Some(Notice::Saved) => Some(Message::done(t.protected_apis_saved_notice())),
            _ => None,
        },
        rules: stored.api.rules.iter().map(|rule| RuleWords::new(t, at.kinds(), rule)).collect(),
        lets_preflights: stored.api.lets_preflights,
        configurations: Configuration::all(t, &url, &stored.api.address, &stored.public_id),
        address: stored.api.address.as_str().to_owned(),
        name: stored.name,
        shell,
    })
}
