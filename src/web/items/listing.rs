//! The list of items of a kind, with its search, filters and pages.

use super::{Here, Of, foreign};
use crate::{
    App,
    choice::{Choice, site_choices},
    errors::WebError,
    form::Form,
    holder::AtWork,
    notice::{Message, Notice},
    page::{is_for, page, see},
    routes::path,
    search::{self, Step},
    shell::Shell,
    tables::{Head, SORT},
    texts::Texts,
    words::{Calendar, InShort, Moment},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::{
    AppError,
    items::{Direction, Items, ListQuery, Names, Summary},
};
use askama::Template;
use domain::{
    access::Level,
    item::{Item, ItemId, Place},
    leak,
    paging::PageFrom,
    time::{DAY, Timestamp},
    token,
};
use serde::Deserialize;
use std::collections::HashMap;

/// The number of items on a page.
const PAGE: usize = 25;
/// The maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 100;
/// The part of the page that a search changes.
const PART: &str = "#items";
/// Within how many days an item was modified.
const MODIFIED: [i64; 4] = [7, 30, 90, 365];
/// The order in which the item that was modified first comes first.
const OLDEST: &str = "oldest";

/// The query: a search, its filters, and where a page starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    site: String,
    owner: String,
    modified: String,
    archived: String,
    sort: String,
    after: String,
    before: String,
}

impl Asked {
    const fn fields(&self) -> [(&'static str, &String); 6] {
        [
            ("q", &self.q),
            ("site", &self.site),
            ("owner", &self.owner),
            ("modified", &self.modified),
            ("archived", &self.archived),
            (SORT, &self.sort),
        ]
    }

    fn direction(&self) -> Direction {
        if self.sort == OLDEST { Direction::Ascending } else { Direction::Descending }
    }

    fn address(&self, here: &Here, place: (&str, &str)) -> String {
        let fields = self.fields().map(|(name, value)| (name, value.as_str()));
        path::items_with(here.at.slug(), here.kind.key(), &[&fields[..], &[place]].concat())
    }

    fn is_filtered(&self) -> bool {
        self.fields().iter().any(|(name, value)| *name != SORT && !value.trim().is_empty())
    }

    /// Returns whether somebody looks for a key by mistake.
    pub(super) fn holds_key(&self) -> bool {
        self.fields().iter().any(|(_, typed)| leak::holds_key(typed))
    }

    /// Returns whether there may be a site with the id that is asked for.
    pub(super) fn site_may_exist(&self) -> bool {
        self.site.is_empty() || token::is_public_id(&self.site)
    }

    pub(super) fn query(&self, now: Timestamp) -> ListQuery {
        let days = MODIFIED.into_iter().find(|days| days.to_string() == self.modified);
        ListQuery {
            words: self.q.chars().take(LONGEST_SEARCH).collect(),
            site: self.site.clone(),
            owner: self.owner.clone(),
            archived: match self.archived.as_str() {
                "all" => None,
                "only" => Some(true),
                _ => Some(false),
            },
            modified_since: days.map(|days| now.plus(-days * DAY)),
            ..ListQuery::default()
        }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "items/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    title: String,
    lead: &'static str,
    /// Where a new item is made, and what it is called.
    make: Option<(String, String)>,
    search: String,
    words: String,
    sites: Vec<Choice>,
    owners: Vec<Choice>,
    modified: Vec<Choice>,
    archived: Vec<Choice>,
    part: ItemsPart,
}

/// The items, which a search changes.
#[derive(Template)]
#[template(path = "items/_items.html")]
struct ItemsPart {
    t: Texts,
    title: String,
    is_filtered: bool,
    unfiltered: String,
    make: Option<(String, String)>,
    /// Whether there is something to do with each.
    has_actions: bool,
    rows: Vec<Row>,
    search: String,
    /// The head that turns the order round, and what replaces it where no heads are visible.
    modified: Head,
    orders: Vec<Choice>,
    /// Whether the page says who reaches some of the items.
    sees_others: bool,
    previous: Option<String>,
    next: Option<String>,
    /// Where everything that the list has is downloaded.
    download: String,
}

/// An item as the list shows it.
struct Row {
    href: String,
    name: String,
    is_archived: bool,
    is_draft: bool,
    /// The organization that shares it, if it is another one.
    from: Option<String>,
    site: Option<String>,
    owner: Option<String>,
    modified: Moment,
    level: &'static str,
    /// Who reaches it, for those who may know.
    reach: Option<InShort>,
    /// Where an inspection of a template starts.
    inspect: Option<String>,
}

/// `GET /orgs/{slug}/items/{kind}`: the whole page, or to htmx the part that a search changes.
///
/// # Errors
/// Not found for a kind, site or owner that is not there.
pub async fn list(
    app: App,
    at: AtWork,
    of: Path<Of>,
    asked: Query<Asked>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &of.kind)?;
    if asked.holds_key() {
        return Ok(search::lead(&request, &Notice::UnknownKey.at(&here.list())));
    }
    if !asked.site_may_exist() {
        return Err(AppError::NotFound.into());
    }
    let from = page_from(&asked.before, &asked.after);
    let query = asked.query(app.clock().now());
    let found = app::items::list(&app, &here.by, &of.kind, query, asked.direction(), from, PAGE).await?;
    let reached = app::items::summaries(&app, &here.by, &found.items).await?;
    let part = items_part(&app, &here, &asked, &found, &reached);
    if is_for(&request, PART) {
        return page(&part);
    }
    let t = here.t();
    let sites = app::items::sites(&app, &here.by).await?;
    let message = match notice {
        Some(Notice::Deleted) => Some(Message::done(t.items_deleted_notice())),
        Some(Notice::ShareEnded) => Some(Message::done(t.sharing_ended_notice())),
        Some(Notice::Given) => Some(Message::done(t.items_given_notice())),
        Some(Notice::UnknownKey) => Some(Message::failed(t.search_key_of_nobody())),
        _ => None,
    };
    page(&ListPage {
        shell: here.shell(),
        message,
        title: here.plural(),
        lead: t.items_lead(&here.kind),
        make: here.make(),
        search: path::items_search(here.at.slug(), here.kind.key()),
        words: asked.q.clone(),
        sites: site_choices(&sites, &asked.site, t.items_any_site()),
        owners: choices(
            &asked.owner,
            [("", t.items_any_owner()), ("me", t.items_owner_you()), ("nobody", t.items_owner_nobody())],
        ),
        modified: modified_choices(t, &asked.modified),
        archived: choices(
            &asked.archived,
            [("", t.items_archived_hidden()), ("all", t.items_archived_all()), ("only", t.items_archived_only())],
        ),
        part,
    })
}

/// `POST /orgs/{slug}/items/{kind}/search`
///
/// # Errors
/// As [`list`].
pub async fn search(
    app: App,
    at: AtWork,
    of: Path<Of>,
    Form(asked): Form<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at.clone(), &of.kind)?;
    if asked.holds_key() {
        return Ok(search::lead(&request, &Notice::UnknownKey.at(&here.list())));
    }
    let address = asked.address(&here, ("", ""));
    if !is_for(&request, PART) {
        return Ok(see(&address));
    }
    Ok(search::part_at(list(app, at, of, Query(asked), None, request).await?, &Step::Replace, &address))
}

fn items_part(app: &App, here: &Here, asked: &Asked, found: &Items, reached: &HashMap<ItemId, Summary>) -> ItemsPart {
    let calendar = here.calendar(app);
    let row = |(item, level): &(Item, Level)| Row {
        reach: reached.get(&item.id).map(|summary| here.t().in_short(summary)),
        ..row(here, calendar, &found.names, item, *level)
    };
    let rows: Vec<Row> = found.items.iter().map(row).collect();
    let turned = |name: &'static str, place: &Place| asked.address(here, (name, &typed_place(place)));
    ItemsPart {
        t: here.t(),
        title: here.plural(),
        is_filtered: asked.is_filtered(),
        unfiltered: here.list(),
        make: here.make(),
        has_actions: rows.iter().any(|row| row.inspect.is_some()),
        rows,
        search: path::items_search(here.at.slug(), here.kind.key()),
        modified: modified_head(here, asked),
        orders: choices(&asked.sort, [("", here.t().items_newest_first()), (OLDEST, here.t().items_oldest_first())]),
        sees_others: !reached.is_empty(),
        previous: found.previous.as_ref().map(|place| turned("before", place)),
        next: found.next.as_ref().map(|place| turned("after", place)),
        download: path::items_csv(
            here.at.slug(),
            here.kind.key(),
            &asked.fields().map(|(name, value)| (name, value.as_str())),
        ),
    }
}

fn row(here: &Here, calendar: Calendar, names: &Names, item: &Item, level: Level) -> Row {
    Row {
        href: here.item(&item.public_id),
        name: item.name.clone(),
        is_archived: item.archived_at.is_some(),
        is_draft: item.is_draft(),
        from: foreign(here, names, item),
        site: names.site(item).map(|site| site.name.clone()),
        owner: names.owner(item).map(|owner| owner.name.clone()),
        modified: calendar.brief(item.modified_at),
        level: here.t().level(level),
        reach: None,
        inspect: here.inspect(item),
    }
}

fn modified_head(here: &Here, asked: &Asked) -> Head {
    let (t, is_oldest) = (here.t(), asked.sort == OLDEST);
    let next = Asked { sort: if is_oldest { String::new() } else { OLDEST.to_owned() }, ..asked.clone() };
    Head {
        key: "modified",
        words: t.items_modified(),
        href: next.address(here, ("", "")),
        hint: if is_oldest { t.items_newest_first() } else { t.items_oldest_first() },
        direction: Some(if is_oldest { "ascending" } else { "descending" }),
    }
}

fn modified_choices(t: Texts, chosen: &str) -> Vec<Choice> {
    let any = Choice::of("", t.items_any_time(), chosen);
    let within = MODIFIED.map(|days| Choice::of(&days.to_string(), t.items_last_days(days), chosen));
    std::iter::once(any).chain(within).collect()
}

fn choices<const N: usize>(chosen: &str, all: [(&str, &str); N]) -> Vec<Choice> {
    all.map(|(value, words)| Choice::of(value, words, chosen)).into()
}

/// Parses the position where the requested page begins. An invalid one is ignored.
fn page_from(before: &str, after: &str) -> PageFrom<Place> {
    match (place(before), place(after)) {
        (Some(place), _) => PageFrom::Before(place),
        (None, Some(place)) => PageFrom::After(place),
        (None, None) => PageFrom::Start,
    }
}

/// `SECONDS.ROW`
fn typed_place(Place { modified_at, id: ItemId(id) }: &Place) -> String {
    format!("{}.{id}", modified_at.seconds())
}

fn place(typed: &str) -> Option<Place> {
    let (seconds, id) = typed.split_once('.')?;
    Some(Place { modified_at: Timestamp::from_seconds(seconds.parse().ok()?), id: ItemId(id.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let there = Place { modified_at: Timestamp::from_seconds(-5), id: ItemId(51) };
        assert_eq!(place(&typed_place(&there)), Some(there));
        for odd in ["", "x", "5", "1.", ".1", "1.2.3", "99999999999999999999.1"] {
            assert_eq!(place(odd), None, "{odd:?}");
        }
    }
}
