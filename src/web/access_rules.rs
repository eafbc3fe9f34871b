//! Access rules: the list, each as the sentence that it is. Their form is in `form`, their deletion in `deletion`.

mod deletion;
mod form;

pub use deletion::{confirm_deletion, delete};
pub use form::{change, create, edit, new};

use super::{
    App,
    choice::Choice,
    errors::WebError,
    form::Form,
    holder::Holding,
    notice::{Message, Notice},
    page::{is_for, page},
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell},
    texts::Texts,
    words::{Calendar, Piece, recipient_icon},
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::{
    access_rules::{Asked as Wanted, CountedRule},
    authority::Caller,
};
use askama::Template;
use domain::{
    access::{Level, RecipientKind},
    item::ItemKind,
    permission::ManageUsers,
};
use serde::Deserialize;

type Manager = Holding<ManageUsers>;

/// The maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 100;
/// The part that a search changes.
const PART: &str = "#rules";
/// Whom rules are for, beside the kinds of recipients: those of other organizations.
const OUTSIDE: &str = "outside";

/// The query: a search with its filters, and the number of the page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    kind: String,
    level: String,
    recipient: String,
    page: String,
}

impl Asked {
    fn search(&self) -> Search<'_, 4> {
        let fields = [("q", &*self.q), ("kind", &*self.kind), ("level", &*self.level), ("recipient", &*self.recipient)];
        Search { fields, page: path::access_rules_with, part: PART }
    }

    fn is_filtered(&self) -> bool {
        self.search().fields.iter().any(|(_, value)| !value.trim().is_empty())
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            words: self.q.chars().take(LONGEST_SEARCH).collect(),
            kind: ItemKind::parse(&self.kind),
            level: Level::from_key(&self.level),
            recipient: RecipientKind::from_key(&self.recipient),
            is_outside: (!self.recipient.is_empty()).then(|| self.recipient == OUTSIDE),
            page: self.page.parse().unwrap_or(1),
        }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "access_rules/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    new: String,
    /// What other organizations share with this one, and how many do.
    givers: Option<(String, usize)>,
    search: String,
    words: String,
    kinds: Vec<Choice>,
    levels: Vec<Choice>,
    recipients: Vec<Choice>,
    part: RulesPart,
}

/// The rules, which a search changes.
#[derive(Template)]
#[template(path = "access_rules/_rules.html")]
struct RulesPart {
    t: Texts,
    is_filtered: bool,
    unfiltered: String,
    total: usize,
    rows: Vec<Row>,
    previous: Option<String>,
    next: Option<String>,
}

/// A rule of the list.
struct Row {
    icon: &'static str,
    sentence: Vec<Piece>,
    is_outside: bool,
    facts: Vec<String>,
    edit: (String, String),
    deletion: (String, String),
}

/// `GET /orgs/{slug}/access-rules`: the whole page, or to htmx the part that a search changes.
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
    let caller = Caller::from(&at.who);
    let found = app::access_rules::page(&app, &caller, asked.wanted()).await?;
    let turned = |page: usize| asked.search().with(at.slug(), "page", &page.to_string());
    let calendar = Calendar::new(at.t(), &at.who.actor().user().time_zone, app.clock().now());
    let part = RulesPart {
        t: at.t(),
        is_filtered: asked.is_filtered(),
        unfiltered: path::access_rules(at.slug()),
        total: found.total,
        previous: found.previous.map(turned),
        next: found.next.map(turned),
        rows: found.rules.iter().map(|rule| row(&at, calendar, rule)).collect(),
    };
    if is_for(&request, PART) {
        return page(&part);
    }
    let (shell, t) = (at.shell(Nav::AccessRules), at.t());
    let message = match notice {
        Some(Notice::Created) => Some(Message::done(t.access_rules_created_notice())),
        Some(Notice::Saved) => Some(Message::done(t.access_rules_saved_notice())),
        Some(Notice::Deleted) => Some(Message::done(t.access_rules_deleted_notice())),
        Some(Notice::UnknownKey) => Some(Message::failed(t.search_key_of_nobody())),
        _ => None,
    };
    let givers = app::refused_organizations::givers(&app, &caller).await?.len();
    page(&ListPage {
        message,
        new: path::new_access_rule(at.slug()),
        givers: (givers > 0).then(|| (path::givers(at.slug()), givers)),
        search: path::access_rules_search(at.slug()),
        words: asked.q.clone(),
        kinds: kind_choices(&at, &asked.kind, Some(t.access_rules_all_kinds())),
        levels: level_choices(t, &asked.level),
        recipients: recipient_choices(t, &asked.recipient),
        part,
        shell,
    })
}

/// `POST /orgs/{slug}/access-rules/search`
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

fn row(at: &Manager, calendar: Calendar, CountedRule { rule, items, size }: &CountedRule) -> Row {
    let (t, stored) = (at.t(), &rule.stored);
    let whom = t.recipient(stored.rule.recipient, &rule.recipient.name);
    let mut facts: Vec<String> = size.iter().map(|size| t.size(*size)).collect();
    facts.push(t.covered(*items));
    facts.push(t.access_rules_made_by(&stored.made_by, calendar.day(stored.created_at)));
    Row {
        icon: recipient_icon(stored.rule.recipient, stored.outside.is_some()),
        sentence: t.rule_sentence(at.kinds(), rule),
        is_outside: stored.outside.is_some(),
        facts,
        edit: (path::access_rule(at.slug(), &stored.public_id), t.access_rules_edit_label(&whom)),
        deletion: (path::access_rule_deletion(at.slug(), &stored.public_id), t.access_rules_delete_label(&whom)),
    }
}

/// All kinds of the organization, after the words for any of them if there are such.
fn kind_choices(at: &Manager, chosen: &str, any: Option<&str>) -> Vec<Choice> {
    let own = at.kinds().iter().map(|kind| kind.key.as_str());
    let all = ItemKind::BUILT_IN.into_iter().chain(own).filter_map(ItemKind::parse);
    let choice = |kind: ItemKind| Choice::of(kind.key(), at.t().item_kind(at.kinds(), &kind), chosen);
    any.map(|words| Choice::of("", words, chosen)).into_iter().chain(all.map(choice)).collect()
}

fn level_choices(t: Texts, chosen: &str) -> Vec<Choice> {
    let levels = Level::ALL.map(|level| Choice::of(level.key(), t.level(level), chosen));
    std::iter::once(Choice::of("", t.access_rules_all_levels(), chosen)).chain(levels).collect()
}

fn recipient_choices(t: Texts, chosen: &str) -> Vec<Choice> {
    let named = [
        (RecipientKind::User, t.access_rules_for_users()),
        (RecipientKind::Group, t.access_rules_for_groups()),
        (RecipientKind::Site, t.access_rules_for_sites()),
        (RecipientKind::ServiceUser, t.access_rules_for_service_users()),
        (RecipientKind::Organization, t.access_rules_for_everyone()),
    ];
    let own = named.map(|(kind, words)| Choice::of(kind.key(), words, chosen));
    let outside = Choice::of(OUTSIDE, t.access_rules_for_outside(), chosen);
    std::iter::once(Choice::of("", t.access_rules_for_anybody(), chosen)).chain(own).chain([outside]).collect()
}
