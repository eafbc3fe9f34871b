//! Sites: created, renamed, moved and deleted by whoever has *Platform management: Sites*, on pages or with a token.
//! Who is assigned to them is changed by [`super::members`].
//!
//! Nothing about sites is cached, so no change of them steps the epoch: the next request already reads it.

use super::{
    AppError, Jeton, Result,
    authority::Caller,
    items::forget_site,
    problem::{Field, Problem, Problems},
    random,
    tokens::known_form,
};
use domain::{
    activity::{Action, Detail, Source},
    organization::OrganizationId,
    paging::{ByName, PageFrom},
    permission::ManageSites,
    site::{CountedSite, MOST_SITES, Misplaced, Site, SiteId, level_in},
    text, token,
};
use serde::Deserialize;
use storage::{
    AnyConnection, activity,
    sites::{self, NewSite},
};

type Manager = Caller<ManageSites>;

/// The form for a site, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SiteForm {
    /// The name.
    pub name: String,
    /// The public id of the site that it is in; empty for none.
    pub parent: String,
    /// For a change: the version that was shown.
    pub version: String,
}

/// A change of a site; `None` leaves something as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new name.
    pub name: Option<String>,
    /// The public id of the site that it should be in; empty for none.
    pub parent: Option<String>,
    /// The version that was shown.
    pub version: Option<i64>,
}

/// A site with its surroundings.
#[derive(Clone, Debug)]
pub struct SiteFacts {
    /// The site.
    pub counted: CountedSite,
    /// The sites that it is in, the outermost first.
    pub above: Vec<Site>,
    /// The sites directly in it, by name.
    pub inside: Vec<CountedSite>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Sites {
    /// The sites, by name.
    pub sites: Vec<CountedSite>,
    /// The public ids of the sites that they are in.
    pub parents: Vec<(SiteId, String)>,
    /// The place where the page ends, if there is another one.
    pub next: Option<ByName>,
}

/// Lists all sites of the organization by name, whatever they are in.
pub async fn all(jeton: &Jeton, at: &Manager) -> Result<Vec<CountedSite>> {
    let organization = at.organization();
    jeton.read(move |connection| Ok(sites::all(connection, organization)?)).await
}

/// Returns a page of at most `size` sites with all of these words in their name, whatever they are in.
pub async fn list(jeton: &Jeton, at: &Manager, words: String, from: PageFrom<ByName>, size: usize) -> Result<Sites> {
    let organization = at.organization();
    jeton
        .read(move |connection| {
            let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
            let mut sites = sites::list(connection, organization, &words, &from, limit)?;
            let (_, has_next) = from.arrange(&mut sites, size);
            let place = |listed: &CountedSite| ByName::of(&listed.site.name, listed.site.id.0);
            let next = sites.last().filter(|_| has_next).map(place);
            let parents: Vec<SiteId> = sites.iter().filter_map(|one| one.site.parent).collect();
            let parents = sites::public_ids(connection, &parents)?;
            Ok(Sites { sites, parents, next })
        })
        .await
}

/// Returns a site of the organization.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn find(jeton: &Jeton, at: &Manager, id: &str) -> Result<SiteFacts> {
    let (organization, id) = (at.organization(), known_form(id)?);
    jeton
        .read(move |connection| {
            let counted = find_in(connection, organization, &id)?;
            let above = sites::above(connection, counted.site.id)?;
            let inside = sites::inside(connection, counted.site.id)?;
            Ok(SiteFacts { counted, above, inside })
        })
        .await
}

/// Creates a site and returns its public id.
///
/// # Errors
/// [`AppError::NotFound`] if the site that it should be in does not exist or belongs to another organization;
/// [`AppError::Invalid`] with what is wrong with the name or the place, or that there are already [`MOST_SITES`].
pub async fn create(jeton: &Jeton, at: &Manager, name: &str, parent: &str, source: Source) -> Result<String> {
    let (name, parent) = (read_name(name)?, parent_form(parent)?);
    let (at, now, id) = (at.clone(), jeton.clock.now(), token::public_id(random::fill));
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let organization = at.organization();
            if sites::count_all(connection, organization)? >= MOST_SITES {
                return Err(Problems::one(Field::Form, Problem::TooManySites).into());
            }
            let parent = parent_in(connection, organization, parent.as_deref())?;
            let level = level_in(parent.as_ref(), 0).map_err(misplaced)?;
            must_be_free(connection, organization, parent.as_ref(), &name, None)?;
            let new = NewSite { public_id: &id, name: &name, parent: parent.as_ref().map(|parent| parent.id), level };
            sites::insert(connection, organization, new, now)?;
            let detail = parent.map(|parent| Detail::words(&parent.name));
            let entry = at.entry(Action::SiteCreated, now, &source);
            activity::insert(connection, &activity::Entry { target_name: Some(&name), detail, ..entry })?;
            Ok(id.clone())
        })
        .await
}

/// Renames a site, or moves it with all below it, or both.
///
/// # Errors
/// As [`create`]; [`AppError::Invalid`] also with somebody else's change in the meantime
/// ([`Problem::ChangedMeanwhile`]).
pub async fn change(jeton: &Jeton, at: &Manager, id: &str, change: Change, source: Source) -> Result<()> {
    let id = known_form(id)?;
    let name = change.name.as_deref().map(read_name).transpose()?;
    let parent = change.parent.as_deref().map(parent_form).transpose()?;
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let organization = at.organization();
            let before = find_in(connection, organization, &id)?.site;
            if change.version.is_some_and(|shown| shown != before.version) {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            let was_in = match before.parent {
                Some(_) => sites::above(connection, before.id)?.pop(),
                None => None,
            };
            let goes_to = match &parent {
                Some(wanted) => parent_in(connection, organization, wanted.as_deref())?,
                None => was_in,
            };
            let name = name.as_deref().unwrap_or(&before.name);
            let moves = goes_to.as_ref().map(|site| site.id) != before.parent;
            if name == before.name && !moves {
                return Ok(());
            }
            must_be_free(connection, organization, goes_to.as_ref(), name, Some(&before))?;
            if name != before.name {
                sites::rename(connection, before.id, name)?;
                let detail = Some(Detail::words(&before.name));
                let entry = at.entry(Action::SiteRenamed, now, &source);
                activity::insert(connection, &activity::Entry { target_name: Some(name), detail, ..entry })?;
            }
            if moves {
                move_in(connection, &before, goes_to.as_ref())?;
                let detail = goes_to.as_ref().map(|site| Detail::words(&site.name));
                let entry = at.entry(Action::SiteMoved, now, &source);
                activity::insert(connection, &activity::Entry { target_name: Some(name), detail, ..entry })?;
            }
            Ok(())
        })
        .await
}

/// Moves a site with all below it, if it may be there.
fn move_in(connection: &mut AnyConnection, site: &Site, parent: Option<&Site>) -> Result<()> {
    if let Some(parent) = parent
        && sites::is_in(connection, parent.id, site.id)?
    {
        return Err(misplaced(Misplaced::BelowItself));
    }
    let level = level_in(parent, sites::levels_below(connection, site)?).map_err(misplaced)?;
    Ok(sites::relocate(connection, site, parent.map(|parent| parent.id), level)?)
}

/// Deletes a site with no other one in it. Who was assigned to it loses at once what it gave them.
///
/// # Errors
/// As [`change`]; [`Problem::HasSites`].
pub async fn delete(jeton: &Jeton, at: &Manager, id: &str, version: Option<i64>, source: Source) -> Result<()> {
    let (at, now, id) = (at.clone(), jeton.clock.now(), known_form(id)?);
    jeton
        .end(move |connection| {
            at.begin(connection, now)?;
            let CountedSite { site, people } = find_in(connection, at.organization(), &id)?;
            if version.is_some_and(|shown| shown != site.version) {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            if sites::levels_below(connection, &site)? > 0 {
                return Err(Problems::one(Field::Form, Problem::HasSites).into());
            }
            forget_site(connection, site.id, now)?;
            sites::delete(connection, site.id)?;
            let entry = at.entry(Action::SiteDeleted, now, &source);
            let entry = activity::Entry { target_name: Some(&site.name), count: people.here, ..entry };
            Ok(activity::insert(connection, &entry)?)
        })
        .await
}

pub(super) fn find_in(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<CountedSite> {
    sites::find(connection, organization, id)?.ok_or(AppError::NotFound)
}

fn parent_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    parent: Option<&str>,
) -> Result<Option<Site>> {
    parent.map(|id| Ok(find_in(connection, organization, id)?.site)).transpose()
}

fn read_name(typed: &str) -> Result<String> {
    text::line(typed).map_err(|error| Problems::one(Field::SiteName, error.into()).into())
}

fn parent_form(typed: &str) -> Result<Option<String>> {
    if typed.is_empty() { Ok(None) } else { known_form(typed).map(Some) }
}

fn misplaced(why: Misplaced) -> AppError {
    let problem = match why {
        Misplaced::BelowItself => Problem::BelowItself,
        Misplaced::TooDeep => Problem::TooDeep,
    };
    Problems::one(Field::Parent, problem).into()
}

/// Checks that no other site in this place has this name, ignoring case.
fn must_be_free(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    parent: Option<&Site>,
    name: &str,
    own: Option<&Site>,
) -> Result<()> {
    let (parent, own) = (parent.map(|parent| parent.id), own.map(|own| own.id));
    match sites::is_taken(connection, organization, parent, name, own)? {
        true => Err(Problems::one(Field::SiteName, Problem::NameTaken).into()),
        false => Ok(()),
    }
}
