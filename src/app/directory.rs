//! The people, groups and sites of an organization, as exports read them: whoever manages them may take all.

use super::{Jeton, Result, authority::Caller};
use domain::permission::{ManageGroups, ManageSites, ManageUsers};
use storage::directory::{self, Directory};
pub use storage::directory::{Listed, Place};

/// What is asked for, by whoever may see it.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    /// Users, active or deactivated.
    Users(&'a Caller<ManageUsers>),
    /// Groups.
    Groups(&'a Caller<ManageGroups>),
    /// The members of all groups.
    GroupUsers(&'a Caller<ManageGroups>),
    /// Sites: all of them, or only those in which there are no others.
    Sites(&'a Caller<ManageSites>, bool),
    /// The people of all sites.
    SiteMembers(&'a Caller<ManageSites>),
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// What it lists.
    pub listed: Vec<Listed>,
    /// Where it ends, if there is another one.
    pub next: Option<Place>,
    /// How many come after it.
    pub remaining: i64,
}

/// Returns the page of at most `size` after a place.
pub async fn page(jeton: &Jeton, asked: Asked<'_>, after: Place, size: usize) -> Result<Page> {
    let (organization, of) = match asked {
        Asked::Users(by) => (by.organization(), Directory::Users),
        Asked::Groups(by) => (by.organization(), Directory::Groups),
        Asked::GroupUsers(by) => (by.organization(), Directory::GroupUsers),
        Asked::Sites(by, leaves) => (by.organization(), Directory::Sites { leaves }),
        Asked::SiteMembers(by) => (by.organization(), Directory::SiteMembers),
    };
    jeton
        .read(move |connection| {
            let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
            let mut listed = directory::page(connection, organization, of, after, limit)?;
            let has_next = listed.len() > size;
            listed.truncate(size);
            let next = listed.last().filter(|_| has_next).map(Listed::place);
            let remaining = match next {
                Some(place) => directory::count(connection, organization, of, place)?,
                None => 0,
            };
            Ok(Page { listed, next, remaining })
        })
        .await
}
