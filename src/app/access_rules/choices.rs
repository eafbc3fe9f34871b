//! What the form of an access rule lets somebody choose from.

use super::Manager;
use crate::{Jeton, Result};
use domain::{
    access::Recipient,
    item::{Item, ItemKind},
    paging::PageFrom,
    site::Site,
};
use storage::{audience, groups, items, sites};

/// The maximum number of names that are proposed, and of templates to choose from.
const MOST: i64 = 200;

/// What there is to choose from.
#[derive(Clone, Debug)]
pub struct Choices {
    /// All sites by name.
    pub sites: Vec<Site>,
    /// The templates that were changed last.
    pub templates: Vec<Item>,
    /// The names of groups, as proposals.
    pub groups: Vec<String>,
    /// The names of service users, as proposals.
    pub service_users: Vec<String>,
}

/// Returns what there is to choose from.
///
/// # Errors
/// When the database fails.
pub async fn choices(jeton: &Jeton, at: &Manager) -> Result<Choices> {
    let organization = at.organization();
    jeton
        .read(move |connection| {
            let groups = groups::list(connection, organization, "", &PageFrom::Start, MOST)?;
            let everyone = [Recipient::Organization(organization)];
            let service_users = audience::service_users(connection, organization, &everyone, MOST)?;
            let templates = match ItemKind::parse("templates") {
                Some(kind) => items::newest(connection, organization, &kind, MOST)?,
                None => Vec::new(),
            };
            Ok(Choices {
                sites: sites::all(connection, organization)?.into_iter().map(|one| one.site).collect(),
                templates,
                groups: groups.into_iter().map(|one| one.group.name).collect(),
                service_users: service_users.into_iter().map(|one| one.name).collect(),
            })
        })
        .await
}
