//! Who reaches an item, person by person: each once, with the highest level, everything that gives it, and what their
//! permissions leave of it. Also for holders of *Users* who do not reach the item themselves.

use super::{Here, One};
use crate::{
    App,
    errors::WebError,
    form::Form,
    holder::AtWork,
    notice::{Message, Notice},
    page::{is_for, page, see},
    routes::path,
    search::{self, Step},
    shell::Shell,
    texts::Texts,
    words::recipient_icon,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::items::{ByPerson, Reacher};
use askama::Template;
use domain::{access::Way, leak, organization::MembershipId, paging::PageFrom};
use serde::Deserialize;

/// The part that a search changes.
const PART: &str = "#people";
/// The maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 100;

/// The query: a search, and the person after or before whom a page starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    after: Option<i64>,
    before: Option<i64>,
}

impl Asked {
    fn place(&self) -> PageFrom<MembershipId> {
        match (self.before, self.after) {
            (Some(id), _) => PageFrom::Before(MembershipId(id)),
            (None, Some(id)) => PageFrom::After(MembershipId(id)),
            (None, None) => PageFrom::Start,
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "items/people.html")]
struct PeoplePage {
    shell: Shell,
    message: Option<Message>,
    /// The page of the item, if the reader reaches it; otherwise the list.
    back: (String, String),
    name: String,
    search: String,
    words: String,
    part: PeoplePart,
}

/// The people, whom a search changes.
#[derive(Template)]
#[template(path = "items/_people.html")]
struct PeoplePart {
    t: Texts,
    is_search: bool,
    rows: Vec<Row>,
    service_users: Vec<Row>,
    outside: Vec<Outside>,
    previous: Option<String>,
    next: Option<String>,
}

/// A person or service user.
struct Row {
    name: String,
    is_reader: bool,
    level: &'static str,
    because: String,
    may: String,
    lacks: Option<String>,
}

/// Somebody of another organization.
struct Outside {
    icon: &'static str,
    name: String,
    organization: String,
    level: &'static str,
}

/// `GET /orgs/{slug}/items/{kind}/{id}/people`: the whole page, or to htmx the part that a search changes.
///
/// # Errors
/// Not found if they reach no such item and do not manage users; 403 if they may not see who reaches it.
pub async fn list(
    app: App,
    at: AtWork,
    one: Path<One>,
    asked: Query<Asked>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    if leak::holds_key(&asked.q) {
        return Ok(search::lead(&request, &Notice::UnknownKey.at(&here.part(&one.id, "people"))));
    }
    let words: String = asked.q.chars().take(LONGEST_SEARCH).collect();
    let found = app::items::by_person(&app, &here.by, &one.kind, one.key(), words, asked.place()).await?;
    let part = people_part(&here, &asked, &found);
    if is_for(&request, PART) {
        return page(&part);
    }
    let reaches = app::items::find(&app, &here.by, &one.kind, one.key()).await.is_ok();
    let back = if reaches { (here.item(&one.id), found.item.name.clone()) } else { (here.list(), here.plural()) };
    page(&PeoplePage {
        shell: here.shell(),
        message: (notice == Some(Notice::UnknownKey)).then(|| Message::failed(here.t().search_key_of_nobody())),
        back,
        name: found.item.name.clone(),
        search: here.part(&one.id, "people/search"),
        words: asked.q.clone(),
        part,
    })
}

/// `POST /orgs/{slug}/items/{kind}/{id}/people/search`
///
/// # Errors
/// As [`list`].
pub async fn search(
    app: App,
    at: AtWork,
    one: Path<One>,
    Form(asked): Form<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at.clone(), &one.kind)?;
    let people = here.part(&one.id, "people");
    if leak::holds_key(&asked.q) {
        return Ok(search::lead(&request, &Notice::UnknownKey.at(&people)));
    }
    // Whatever is searched for, it must be about something that is there.
    let there = path::with_query(&people, &[("q", &asked.q)]);
    let answer = list(app, at, one, Query(asked), None, request.clone()).await?;
    Ok(if is_for(&request, PART) { search::part_at(answer, &Step::Replace, &there) } else { see(&there) })
}

fn people_part(here: &Here, asked: &Asked, found: &ByPerson) -> PeoplePart {
    let t = here.t();
    let people = here.part(&found.item.public_id, "people");
    let turned = |name: &'static str, person: MembershipId| {
        path::with_query(&people, &[("q", &asked.q), (name, &person.0.to_string())])
    };
    let outside = found.outside.iter().map(|(known, level)| Outside {
        icon: recipient_icon(known.recipient, true),
        name: t.recipient_title(known.recipient, &known.name),
        organization: known.organization_name.clone(),
        level: t.level(*level),
    });
    PeoplePart {
        t,
        is_search: !asked.q.trim().is_empty(),
        rows: found.people.iter().map(|one| row(here, found, one)).collect(),
        service_users: found.service_users.iter().map(|one| row(here, found, one)).collect(),
        outside: outside.collect(),
        previous: found.previous.map(|first| turned("before", first)),
        next: found.next.map(|last| turned("after", last)),
    }
}

fn row(here: &Here, found: &ByPerson, one: &Reacher) -> Row {
    let t = here.t();
    let actions = |actions: &[domain::kind::CommonAction]| {
        actions.iter().map(|action| t.item_action(&here.kind, *action)).collect::<Vec<_>>().join(", ")
    };
    let set = one.set.as_ref().map_or_else(|| t.sharing_its_permissions().to_owned(), |set| t.set_name(set).to_owned());
    let lacks = (!one.lacks.is_empty()).then(|| t.sharing_lacks(set, actions(&one.lacks)));
    Row {
        name: one.name.clone(),
        is_reader: one.is_requester,
        level: one.reach.level().map_or("", |level| t.level(level)),
        because: because(t, found, one.reach.ways()),
        may: if one.may.is_empty() { t.sharing_may_nothing().to_owned() } else { actions(&one.may) },
        lacks,
    }
}

/// Says everything that gives somebody access, the highest level first.
fn because(t: Texts, found: &ByPerson, ways: &[Way]) -> String {
    let mut said: Vec<String> = Vec::new();
    let highest = ways.first().map(|way| way.level);
    for way in ways {
        let name = found.names.get(&way.recipient).map_or("", |known| known.name.as_str());
        let words = t.their_way(way, name);
        let words = if Some(way.level) == highest { words } else { t.sharing_also(words, t.level_verb(way.level)) };
        if !said.contains(&words) {
            said.push(words);
        }
    }
    let (first, others) =
        said.split_first().map_or((String::new(), &[][..]), |(first, others)| (first.clone(), others));
    others.iter().fold(first, |said, next| t.sharing_then(said, next))
}
