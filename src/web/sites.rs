//! Sites: all of them as a tree, and what is done with a site as a whole. The page of each is in [`super::members`].

mod editing;

pub use editing::{choose_place, confirm_deletion, create, delete, edit_name, new, relocate, rename};

use super::{
    App,
    errors::WebError,
    form::Form,
    holder::Holding,
    members::{Head, Inside, Place},
    notice::{Message, Notice},
    page::{is_for, page},
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell},
    texts::Texts,
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::authority::Caller;
use askama::Template;
use domain::{
    permission::ManageSites,
    site::{CountedSite, People, SiteId},
    text,
};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

type Manager = Holding<ManageSites>;

/// The number of levels that are open at first.
const OPEN_LEVELS: usize = 2;

/// The query: a search.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
}

impl Asked {
    fn search(&self) -> Search<'_, 1> {
        Search { fields: [("q", &*self.q)], page: path::sites_with, part: "#sites" }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "sites/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    new: String,
    words: String,
    search: String,
    part: TreePart,
}

/// The tree, which a search changes.
#[derive(Template)]
#[template(path = "sites/_tree.html")]
struct TreePart {
    t: Texts,
    title: String,
    rows: Vec<Row>,
    is_search: bool,
}

/// A site in the tree. The rows are in the order of the page; each says what begins and ends with it.
struct Row {
    href: String,
    name: String,
    people: People,
    /// Whether the search found it by its own name.
    is_found: bool,
    /// Whether there are sites in it, and then whether they are shown.
    opens: Option<bool>,
    /// How many sites end after it, besides those that it is in.
    closes: usize,
}

/// `GET /orgs/{slug}/sites`: the whole page, or to htmx the tree alone.
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
    let all = app::sites::all(&app, &Caller::from(&at.who)).await?;
    let part = tree_part(&at, &all, &asked.q);
    if is_for(&request, "#sites") {
        return page(&part);
    }
    let shell = at.shell(Nav::Sites);
    let message = match notice {
        Some(Notice::Deleted) => Some(Message::done(shell.t.sites_deleted_notice())),
        Some(Notice::UnknownKey) => Some(Message::failed(shell.t.search_key_of_nobody())),
        _ => None,
    };
    let (new, search) = (path::new_site(at.slug(), ""), path::sites_search(at.slug()));
    page(&ListPage { shell, message, new, words: asked.into_inner().q, search, part })
}

/// `POST /orgs/{slug}/sites/search`
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

fn tree_part(at: &Manager, all: &[CountedSite], typed: &str) -> TreePart {
    let (t, words) = (at.t(), text::words(typed));
    let is_search = !words.is_empty();
    let found: HashSet<SiteId> =
        all.iter().filter(|one| text::has_words(&one.site.name, &words)).map(|one| one.site.id).collect();
    let inside = inside(all, &on_the_way(all, &found));
    let mut tree = Tree { slug: at.slug(), inside, found, is_search, rows: Vec::new() };
    tree.add(None, 1);
    let rows = tree.rows;
    let title = match (is_search, rows.iter().filter(|row| row.is_found).count()) {
        (true, found) => t.sites_found(found),
        (false, count) => t.sites_count(count),
    };
    TreePart { t, title, rows, is_search }
}

/// Returns the sites in each that are shown, by name.
fn inside<'a>(all: &'a [CountedSite], shown: &HashSet<SiteId>) -> HashMap<Option<SiteId>, Vec<&'a CountedSite>> {
    let mut inside: HashMap<Option<SiteId>, Vec<&CountedSite>> = HashMap::new();
    for one in all.iter().filter(|one| shown.contains(&one.site.id)) {
        inside.entry(one.site.parent).or_default().push(one);
    }
    inside
}

/// Returns these sites and all that they are in.
fn on_the_way(all: &[CountedSite], found: &HashSet<SiteId>) -> HashSet<SiteId> {
    let parents: HashMap<SiteId, Option<SiteId>> = all.iter().map(|one| (one.site.id, one.site.parent)).collect();
    let mut shown = HashSet::new();
    for id in found {
        let mut next = Some(*id);
        while let Some(id) = next.filter(|id| shown.insert(*id)) {
            next = parents.get(&id).copied().flatten();
        }
    }
    shown
}

struct Tree<'a> {
    slug: &'a str,
    inside: HashMap<Option<SiteId>, Vec<&'a CountedSite>>,
    found: HashSet<SiteId>,
    is_search: bool,
    rows: Vec<Row>,
}

impl Tree<'_> {
    /// Adds the sites in `parent`, each with those in it.
    fn add(&mut self, parent: Option<SiteId>, level: usize) {
        let Some(sites) = self.inside.remove(&parent) else { return };
        for CountedSite { site, people } in sites {
            let opens = self.inside.contains_key(&Some(site.id)).then_some(self.is_search || level < OPEN_LEVELS);
            self.rows.push(Row {
                href: path::site(self.slug, &site.public_id),
                name: site.name.clone(),
                people: *people,
                is_found: self.found.contains(&site.id),
                opens,
                closes: 0,
            });
            self.add(Some(site.id), level + 1);
            if opens.is_some()
                && let Some(last) = self.rows.last_mut()
            {
                last.closes += 1;
            }
        }
    }
}

/// “2 here, 9 in all”
fn people_in_words(t: Texts, people: People) -> String {
    t.sites_people(people.here, people.in_all)
}

impl Place for ManageSites {
    const NAV: Nav = Nav::Sites;

    fn with(slug: &str, fields: &[(&str, &str)]) -> String {
        path::site_with(slug, fields)
    }

    fn part(slug: &str, id: &str, part: &str) -> String {
        path::site_part(slug, id, part)
    }

    async fn head(app: &App, at: &Manager, id: &str) -> Result<Head, WebError> {
        let facts = app::sites::find(app, &Caller::from(&at.who), id).await?;
        let (t, slug, CountedSite { site, people }) = (at.t(), at.slug(), facts.counted);
        let link = |id: &str, name: &str| (path::site(slug, id), name.to_owned());
        let inside = facts.inside.iter();
        Ok(Head {
            list: (path::sites(slug), t.sites_title().to_owned()),
            above: facts.above.iter().map(|site| link(&site.public_id, &site.name)).collect(),
            name: site.name,
            count: people.here,
            lead: people_in_words(t, people),
            rename: (path::site_part(slug, id, "name"), t.sites_rename().to_owned()),
            relocate: Some((path::site_part(slug, id, "place"), t.sites_relocate().to_owned())),
            deletion: (path::site_part(slug, id, "deletion"), t.sites_delete().to_owned()),
            inside: Some(Inside {
                sites: inside
                    .map(|one| (link(&one.site.public_id, &one.site.name), people_in_words(t, one.people)))
                    .collect(),
                new: (path::new_site(slug, id), t.sites_new_below().to_owned()),
            }),
            add: t.sites_add(),
            leave_hint: t.sites_leave_hint(),
        })
    }

    fn message(t: Texts, notice: &Notice) -> Option<Message> {
        match notice {
            Notice::Created => Some(Message::done(t.sites_created_notice())),
            Notice::Saved => Some(Message::done(t.sites_saved_notice())),
            Notice::Moved => Some(Message::done(t.sites_moved_notice())),
            _ => None,
        }
    }

    fn emptying(t: Texts, name: &str, count: i64) -> (String, String) {
        (t.sites_empty_heading(name), t.sites_empty_effect(count))
    }
}
