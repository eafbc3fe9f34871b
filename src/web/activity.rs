//! The activity log: a page with filters, and the same entries as files.

mod entry;
mod export;
mod sentence;

pub use entry::show;
pub use export::{export_csv, export_jsonl};

use super::{
    App,
    errors::WebError,
    form::{Form, Refused},
    holder::Holding,
    notice::{Message, Notice},
    page::{is_for, page},
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell},
    words::{Calendar, Errors},
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::{
    AppError,
    activity::{LogForm, LogPage},
    problem::{Field, Problems},
};
use askama::Template;
use chrono::NaiveDate;
use domain::{
    activity::{Action, ActionGroup, Key},
    paging::PageFrom,
    permission::ReadActivity,
    time::Timestamp,
};
use entry::Line;
use sentence::Piece;
use serde::Deserialize;

/// The filter, as it was typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sought {
    person: String,
    token: String,
    kind: String,
    from: String,
    to: String,
    before: String,
    after: String,
}

impl Sought {
    /// The fields of the filter, without the position in the log.
    fn fields(&self) -> [(&str, &str); 5] {
        [("person", &self.person), ("token", &self.token), ("kind", &self.kind), ("from", &self.from), ("to", &self.to)]
    }

    fn search(&self) -> Search<'_, 5> {
        Search { fields: self.fields(), page: path::activity_with, part: "#log" }
    }

    /// Returns what a date field can show of this text: browsers complain about anything that is not a date.
    fn day(typed: &str) -> &str {
        if typed.parse::<NaiveDate>().is_ok() { typed } else { "" }
    }

    fn is_empty(&self) -> bool {
        self.fields().iter().all(|(_, value)| value.trim().is_empty())
    }

    /// Parses the filter; days are in the reader's time zone.
    fn form(&self, calendar: Calendar) -> Result<LogForm, AppError> {
        let mut problems = Problems::default();
        let mut day = |field, typed: &str| match typed.trim() {
            "" => None,
            typed => problems.choice(field, typed.parse::<NaiveDate>().ok().filter(is_of_our_time)),
        };
        let since = day(Field::FirstDay, &self.from).map(|day| calendar.start_of(day));
        let until = day(Field::LastDay, &self.to).and_then(|day| day.succ_opt()).map(|day| calendar.start_of(day));
        problems.none()?;
        let (person, token, kind) = (self.person.clone(), self.token.clone(), self.kind.clone());
        Ok(LogForm { person, token, kind, since, until })
    }

    fn place(&self) -> PageFrom<Key> {
        match (key(&self.before), key(&self.after)) {
            (Some(key), _) => PageFrom::After(key),
            (None, Some(key)) => PageFrom::Before(key),
            (None, None) => PageFrom::Start,
        }
    }
}

/// Accepts only years of four digits: no entry has another one, and years of other calendars are not searched for.
fn is_of_our_time(day: &NaiveDate) -> bool {
    use chrono::Datelike;
    (1970..10_000).contains(&day.year())
}

/// Parses a position in the log from an address: `SECONDS.ROW`. Anything else is ignored, like a page that no longer
/// exists.
fn key(typed: &str) -> Option<Key> {
    let (at, id) = typed.split_once('.')?;
    Some(Key { at: Timestamp::from_seconds(at.parse().ok()?), id: id.parse().ok()? })
}

fn address(slug: &str, sought: &Sought, place: Option<(&str, Key)>) -> String {
    let value = place.map(|(_, key)| format!("{}.{}", key.at.seconds(), key.id)).unwrap_or_default();
    let mut fields = sought.fields().to_vec();
    fields.push((place.map_or("before", |(name, _)| name), &value));
    path::activity_with(slug, &fields)
}

/// The page.
#[derive(Template)]
#[template(path = "activity/list.html")]
struct ListPage {
    shell: Shell,
    /// The address that the filter is sent to.
    search: String,
    message: Option<Message>,
    log: Log,
    kinds: Vec<(ActionGroup, Vec<Action>)>,
    proposed: Vec<(String, String)>,
}

/// The entries alone, for htmx.
#[derive(Template)]
#[template(path = "activity/_log.html")]
struct LogPart {
    log: Log,
}

/// The entries that were found, and the links to more.
struct Log {
    shell: Shell,
    here: String,
    sought: Sought,
    errors: Errors,
    days: Vec<Day>,
    newer: Option<String>,
    older: Option<String>,
    exports: [(&'static str, String); 2],
    /// Position and hash of the last entry of the chain.
    head: Option<(String, String)>,
}

/// The entries of a day.
struct Day {
    words: String,
    entries: Vec<Line>,
}

/// `GET /orgs/{slug}/activity`: the page, or to htmx the entries alone.
pub async fn list(
    app: App,
    at: Holding<ReadActivity>,
    Query(sought): Query<Sought>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = sought.search().for_key(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let calendar = calendar(&app, &at);
    let found = match sought.form(calendar) {
        Ok(form) => app::activity::page(&app, &at.who, form, sought.place()).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => answer(&at, calendar, sought, found, None, notice, &request),
        Err(error) => {
            let refused = Refused::new(error)?;
            let nothing = app::activity::empty_page(&app, &at.who).await?;
            answer(&at, calendar, sought, nothing, Some(&refused), notice, &request)
        }
    }
}

/// `POST /orgs/{slug}/activity/search`
pub async fn search(
    app: App,
    at: Holding<ReadActivity>,
    Form(sought): Form<Sought>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = sought.search().leads(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let address = sought.search().address(at.slug());
    Ok(search::part_at(list(app, at, Query(sought), None, request).await?, &Step::Push, &address))
}

fn calendar(app: &App, at: &Holding<ReadActivity>) -> Calendar {
    Calendar::new(at.t(), &at.who.actor().user().time_zone, app.clock().now())
}

fn answer(
    at: &Holding<ReadActivity>,
    calendar: Calendar,
    sought: Sought,
    mut found: LogPage,
    refused: Option<&Refused>,
    notice: Option<Notice>,
    request: &HttpRequest,
) -> Result<HttpResponse, WebError> {
    let proposed = std::mem::take(&mut found.proposed);
    let errors = refused.map(|refused| Errors::new(at.t(), &refused.problems)).unwrap_or_default();
    let log = log(at, calendar, sought, &found, errors);
    if is_for(request, "#log") {
        let part = LogPart { log };
        return refused.map_or_else(|| page(&part), |refused| refused.page(&part));
    }
    let kinds = ActionGroup::ALL.into_iter().map(|group| (group, group.actions().collect())).collect();
    let shell = log.shell.clone();
    let message = (notice == Some(Notice::UnknownKey)).then(|| Message::failed(shell.t.search_unknown_key()));
    let whole = ListPage { search: path::activity_search(at.slug()), shell, message, log, kinds, proposed };
    refused.map_or_else(|| page(&whole), |refused| refused.page(&whole))
}

fn log(at: &Holding<ReadActivity>, calendar: Calendar, sought: Sought, found: &LogPage, errors: Errors) -> Log {
    let (shell, slug) = (at.shell(Nav::Activity), at.slug());
    let mut days: Vec<Day> = Vec::new();
    for logged in &found.entries {
        let words = calendar.day(logged.at);
        if days.last().is_none_or(|day| day.words != words) {
            days.push(Day { words, entries: Vec::new() });
        }
        let entry = Line::of(shell.t, calendar, &at.who, found, logged);
        if let Some(day) = days.last_mut() {
            day.entries.push(entry);
        }
    }
    let first = found.entries.first().filter(|_| found.has_newer).map(|entry| ("after", entry.key()));
    let last = found.entries.last().filter(|_| found.has_older).map(|entry| ("before", entry.key()));
    Log {
        here: path::activity(slug),
        errors,
        days,
        newer: first.map(|place| address(slug, &sought, Some(place))),
        older: last.map(|place| address(slug, &sought, Some(place))),
        exports: ["csv", "jsonl"].map(|ending| (export::name(ending), path::activity_export(slug, ending))),
        head: found.head.map(|(position, hash)| (shell.t.number(position), hex::encode(hash))),
        sought,
        shell,
    }
}
