//! The page of an item: the reader's own level and why, what it is, and its answers or questions.

use super::{
    Here, One,
    access::{self, AccessPart},
    foreign,
};
use crate::{
    App,
    errors::WebError,
    fields,
    holder::AtWork,
    notice::{Message, Notice},
    page::page,
    routes::path,
    shell::Shell,
    texts::Texts,
    words::{Calendar, Moment},
};
use actix_web::{HttpResponse, web::Path};
use app::{AppError, items::Found};
use askama::Template;
use domain::{
    field::{Answer, Asks},
    item::ItemKind,
    kind::CommonAction,
};

/// The page of an item.
#[derive(Template)]
#[template(path = "items/show.html")]
struct ShowPage {
    shell: Shell,
    message: Option<Message>,
    list: String,
    plural: String,
    name: String,
    description: Vec<String>,
    is_archived: bool,
    /// Where it is changed, or a draft conducted.
    edit: Option<String>,
    /// Where an inspection of this template starts.
    inspect: Option<String>,
    /// Where this finished inspection is made a draft again.
    reopen: Option<String>,
    /// Where it is archived or taken out of the archive, if they may.
    archive: Option<String>,
    deletion: Option<String>,
    /// Where it is given to another owner.
    give: Option<String>,
    facts: Facts,
    access: AccessPart,
    content: Content,
}

/// What one must know of an item before anything else.
struct Facts {
    site: Option<String>,
    owner: Option<String>,
    /// The organization that shares it, if it is another one.
    from: Option<String>,
    template: Option<String>,
    /// Whether an inspection is finished.
    is_finished: Option<bool>,
    modified: Moment,
    created: Moment,
    id: String,
    external_id: Option<String>,
}

/// What an item holds.
enum Content {
    /// The questions of a template.
    Questions(Vec<fields::Line>),
    /// The answers of other items.
    Answers(Vec<Answered>),
}

/// A field with its answer, or a heading.
pub(super) struct Answered {
    pub(super) label: String,
    is_heading: bool,
    /// What was answered; none if nothing was.
    pub(super) lines: Vec<String>,
    /// The page of the item that was answered.
    href: Option<String>,
    /// Whether it could not be read as an answer.
    is_unread: bool,
}

/// `GET /orgs/{slug}/items/{kind}/{id}`
///
/// # Errors
/// Not found if they reach no such item.
pub async fn show(app: App, at: AtWork, one: Path<One>, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
    let (t, item, calendar) = (here.t(), &found.item, here.calendar(&app));
    let id = item.public_id.as_str();
    let content = if here.kind.is_templates() {
        Content::Questions(fields::lines(t, &found.form))
    } else {
        Content::Answers(answers(&app, &here, calendar, &found).await?)
    };
    let is_finished = item.finished_at.is_some();
    let offered = |action, part| here.may(action, found.level).then(|| here.part(id, part));
    page(&ShowPage {
        shell: here.shell(),
        message: notice.and_then(|notice| message(t, &notice)),
        list: here.list(),
        plural: here.plural(),
        name: item.name.clone(),
        description: found.contents.description.lines().map(str::to_owned).collect(),
        is_archived: item.archived_at.is_some(),
        edit: offered(CommonAction::Edit, "edit").filter(|_| !is_finished),
        inspect: here.inspect(item),
        reopen: offered(CommonAction::Edit, "reopening").filter(|_| is_finished),
        archive: offered(CommonAction::Edit, "archive"),
        deletion: offered(CommonAction::Delete, "deletion"),
        give: offered(CommonAction::Share, "owner"),
        facts: facts(&here, calendar, &found),
        access: access::part(&app, &here, calendar, &found, explanation(&here, id)).await?,
        content,
    })
}

fn explanation(here: &Here, id: &str) -> String {
    let view = format!("{}.{}", here.kind.key(), CommonAction::View.key());
    path::explanation_with(here.at.slug(), &[("action", &view), ("item", id)])
}

fn message(t: Texts, notice: &Notice) -> Option<Message> {
    Some(Message::done(match notice {
        Notice::Created => t.items_created_notice(),
        Notice::Saved => t.items_saved_notice(),
        Notice::Given => t.items_given_notice(),
        Notice::Finished => t.items_finished_notice(),
        Notice::Shared => t.sharing_shared_notice(),
        Notice::ShareEnded => t.sharing_ended_notice(),
        Notice::Archived => t.items_archived_notice(),
        Notice::Unarchived => t.items_unarchived_notice(),
        _ => return None,
    }))
}

fn facts(here: &Here, calendar: Calendar, found: &Found) -> Facts {
    let (item, names) = (&found.item, &found.names);
    Facts {
        site: names.site(item).map(|site| site.name.clone()),
        owner: names.owner(item).map(|owner| owner.name.clone()),
        from: foreign(here, names, item),
        template: names.template(item).map(|template| template.name.clone()),
        is_finished: here.kind.is_inspections().then(|| !item.is_draft()),
        modified: calendar.brief(item.modified_at),
        created: calendar.brief(item.created_at),
        id: item.public_id.clone(),
        external_id: item.external_id.as_ref().map(ToString::to_string),
    }
}

/// Returns what gives the reader their level: everything that gives the highest one.
pub fn why(t: Texts, found: &Found) -> Vec<String> {
    let name = |way: &domain::access::Way| found.recipients.get(&way.recipient).map_or("", |known| &known.name);
    let ways = found.reach.ways().iter().filter(|way| way.level == found.level);
    let mut why: Vec<String> = ways.map(|way| t.way(way, name(way))).collect();
    why.dedup();
    why
}

pub(super) async fn answers(
    app: &App,
    here: &Here,
    calendar: Calendar,
    found: &Found,
) -> Result<Vec<Answered>, WebError> {
    let mut rows = Vec::new();
    for field in found.form.fields() {
        let answer = found.contents.answers.get(&field.key);
        let (lines, href) = match (answer, &field.asks) {
            (Some(Answer::Item(id)), Asks::Item(kind)) => named(app, here, kind, id).await?,
            (answer, _) => (answer.map(|answer| in_words(here.t(), calendar, answer)).unwrap_or_default(), None),
        };
        rows.push(Answered {
            label: field.label.clone(),
            is_heading: field.asks == Asks::Heading,
            lines,
            href,
            is_unread: matches!(answer, Some(Answer::Unread(_))),
        });
    }
    Ok(rows)
}

/// Returns the name and the page of an item that an answer refers to; its id, if the reader does not reach it.
async fn named(app: &App, here: &Here, kind: &ItemKind, id: &str) -> Result<(Vec<String>, Option<String>), WebError> {
    match app::items::find(app, &here.by, kind.key(), id.into()).await {
        Ok(found) => Ok((vec![found.item.name], Some(path::item(here.at.slug(), kind.key(), id)))),
        Err(AppError::NotFound | AppError::Refused(_)) => Ok((vec![id.to_owned()], None)),
        Err(error) => Err(error.into()),
    }
}

fn in_words(t: Texts, calendar: Calendar, answer: &Answer) -> Vec<String> {
    match answer {
        Answer::Text(text) => text.lines().map(str::to_owned).collect(),
        Answer::Choice(text) | Answer::Item(text) | Answer::Unread(text) => vec![text.clone()],
        Answer::Number(number) => vec![t.decimal(number)],
        Answer::Date(date) => vec![calendar.on_date(date.day())],
        Answer::YesNo(is_yes) => vec![if *is_yes { t.fields_yes() } else { t.fields_no() }.to_owned()],
        Answer::Choices(choices) => choices.clone(),
    }
}
