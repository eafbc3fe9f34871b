//! The page of a group or site with its people: searched, added by a list, removed. Both have the same page, about
//! which [`Place`] says what differs.

mod changing;

pub use changing::{add, confirm_emptying, empty, remove};

use super::{
    App,
    errors::WebError,
    form::Form,
    holder::Holding,
    notice::{Message, Notice},
    page::{is_for, page},
    search::{self, Search, Step},
    shell::{Nav, Shell, initials},
    texts::Texts,
    words::{Calendar, Moment},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::{
    authority::Caller,
    members::{self, Gathers, Members, WrongEntry},
};
use askama::Template;
use domain::{
    membership::{Person, Standing},
    organization::MembershipId,
    paging::PageFrom,
    time::Timestamp,
    user::shown_email,
};
use serde::Deserialize;
use std::future::Future;

/// The maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 100;

/// What the pages of groups and of sites do not share.
pub trait Place: Gathers {
    /// Their entry of the navigation.
    const NAV: Nav;

    /// The address of the page that the field `id` names, with a search and a page of its people.
    fn with(slug: &str, fields: &[(&str, &str)]) -> String;

    /// The address of an action on it.
    fn part(slug: &str, id: &str, part: &str) -> String;

    /// Returns what its page says about it besides its people.
    ///
    /// # Errors
    /// Not found if it does not exist or belongs to another organization.
    fn head(app: &App, at: &Holding<Self>, id: &str) -> impl Future<Output = Result<Head, WebError>>;

    /// Puts a notice of its page into words, unless it is about people.
    fn message(t: Texts, notice: &Notice) -> Option<Message>;

    /// The question whether to take everybody out, and what that does to so many people.
    fn emptying(t: Texts, name: &str, count: i64) -> (String, String);
}

/// A link: address and words.
pub type Link = (String, String);

/// What the page of a group or site says about it besides its people.
pub struct Head {
    /// The list of all.
    pub list: Link,
    /// The sites that a site is in, the outermost first.
    pub above: Vec<Link>,
    /// Its name.
    pub name: String,
    /// How many people are in it.
    pub count: i64,
    /// The same in words.
    pub lead: String,
    /// Renaming it.
    pub rename: Link,
    /// Moving it, if it can be moved.
    pub relocate: Option<Link>,
    /// Deleting it.
    pub deletion: Link,
    /// The sites in it, if it is a site.
    pub inside: Option<Inside>,
    /// The button that adds people.
    pub add: &'static str,
    /// What happens to people who are taken out.
    pub leave_hint: &'static str,
}

/// The sites in a site.
pub struct Inside {
    /// Each with its people.
    pub sites: Vec<(Link, String)>,
    /// Creating another one.
    pub new: Link,
}

/// The query: a search, and the person after or before whom a page starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    after: Option<i64>,
    before: Option<i64>,
}

impl Asked {
    fn search<'a, A: Place>(&'a self, id: &'a str) -> Search<'a, 2> {
        Search { fields: [("id", id), ("q", &self.q)], page: A::with, part: "#members" }
    }

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
#[template(path = "members/page.html")]
struct MembersPage {
    shell: Shell,
    message: Option<Message>,
    head: Head,
    words: String,
    search: String,
    people: PeoplePart,
    add: String,
    listed: String,
    errors: super::words::Errors,
    /// What is wrong with a list: how much in one sentence, and each entry in a line.
    wrong: Option<(String, Vec<String>)>,
}

/// The people, whom a search changes.
#[derive(Template)]
#[template(path = "members/_people.html")]
struct PeoplePart {
    shell: Shell,
    rows: Vec<Row>,
    is_search: bool,
    leave_hint: &'static str,
    emptying: Option<String>,
    previous: Option<String>,
    next: Option<String>,
}

/// A person as the page shows them.
struct Row {
    name: String,
    initials: String,
    email: String,
    is_active: bool,
    since: Moment,
    removal: String,
}

/// `GET /orgs/{slug}/{groups,sites}/{id}`: the whole page, or to htmx the people alone.
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn show<A: Place>(
    app: App,
    at: Holding<A>,
    address: Path<(String, String)>,
    asked: Query<Asked>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let id = &address.1;
    if let Some(elsewhere) = asked.search::<A>(id).for_key(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let whole = members_page(&app, &at, id, &asked).await?;
    if is_for(&request, "#members") {
        return page(&whole.people);
    }
    let t = whole.shell.t;
    let message = notice.and_then(|notice| match notice {
        Notice::PeopleAdded(0) | Notice::PeopleRemoved(0) => Some(Message::done(t.members_unchanged())),
        Notice::PeopleAdded(count) => Some(Message::done(t.members_added(count))),
        Notice::PeopleRemoved(count) => Some(Message::done(t.members_removed(count))),
        Notice::UnknownKey => Some(Message::failed(t.search_key_of_nobody())),
        notice => A::message(t, &notice),
    });
    page(&MembersPage { message, ..whole })
}

/// `POST …/members/search`
///
/// # Errors
/// As [`show`].
pub async fn search<A: Place>(
    app: App,
    at: Holding<A>,
    address: Path<(String, String)>,
    Form(asked): Form<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    // Whatever is searched for, it must be in something that exists.
    A::head(&app, &at, &address.1).await?;
    if let Some(elsewhere) = asked.search::<A>(&address.1).leads(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let there = asked.search::<A>(&address.1).address(at.slug());
    Ok(search::part_at(show(app, at, address, Query(asked), None, request).await?, &Step::Replace, &there))
}

async fn members_page<A: Place>(app: &App, at: &Holding<A>, id: &str, asked: &Asked) -> Result<MembersPage, WebError> {
    let head = A::head(app, at, id).await?;
    let words: String = asked.q.chars().take(LONGEST_SEARCH).collect();
    let caller = Caller::from(&at.who);
    let found = members::page(app, &caller, id, words.clone(), asked.place(), members::PAGE).await?;
    let (slug, shell) = (at.slug(), at.shell(A::NAV));
    Ok(MembersPage {
        message: None,
        search: A::part(slug, id, "members/search"),
        people: people_part::<A>(app, at, (id, &head), &words, found),
        add: A::part(slug, id, "members"),
        listed: String::new(),
        errors: super::words::Errors::default(),
        wrong: None,
        words,
        head,
        shell,
    })
}

fn people_part<A: Place>(
    app: &App,
    at: &Holding<A>,
    (id, head): (&str, &Head),
    words: &str,
    found: Members,
) -> PeoplePart {
    let calendar = Calendar::new(at.t(), &at.who.actor().user().time_zone, app.clock().now());
    let turned = |name: &'static str, person: MembershipId| {
        A::with(at.slug(), &[("id", id), ("q", words), (name, &*person.0.to_string())])
    };
    let members = A::part(at.slug(), id, "members");
    PeoplePart {
        shell: at.shell(A::NAV),
        rows: found.people.iter().map(|listed| row(at.t(), calendar, listed, &members)).collect(),
        is_search: !words.trim().is_empty(),
        leave_hint: head.leave_hint,
        emptying: (head.count > 0).then(|| A::part(at.slug(), id, "emptying")),
        previous: found.previous.map(|first| turned("before", first)),
        next: found.next.map(|last| turned("after", last)),
    }
}

fn row(t: Texts, calendar: Calendar, (person, since): &(Person, Timestamp), members: &str) -> Row {
    let day = calendar.date(*since);
    Row {
        initials: initials(&person.name),
        name: person.name.clone(),
        email: shown_email(&person.email),
        is_active: person.standing == Standing::Active,
        since: Moment { words: t.members_since(&day.words), ..day },
        removal: super::routes::path::member_removal(members, person.membership.0),
    }
}

/// The maximum number of wrong entries that a page names.
const MOST_WRONG: usize = 20;
/// The maximum length of a wrong entry on a page, in characters.
const LONGEST_WRONG: usize = 80;

/// Says what is wrong with a list: how much, and each entry with its line.
fn wrong_entries(t: Texts, wrong: &[WrongEntry]) -> (String, Vec<String>) {
    let line = |WrongEntry { place, typed, why }: &WrongEntry| {
        let typed: String = typed.chars().take(LONGEST_WRONG).collect();
        match why {
            members::Why::Nobody => t.members_line_nobody(place, typed),
            members::Why::Several => t.members_line_several(place, typed),
            members::Why::Malformed(_) => t.members_line_malformed(place, typed),
        }
    };
    let mut lines: Vec<String> = wrong.iter().take(MOST_WRONG).map(line).collect();
    let left = wrong.len().saturating_sub(MOST_WRONG);
    lines.extend((left > 0).then(|| t.members_more(left)));
    (t.members_wrong(wrong.len()), lines)
}
