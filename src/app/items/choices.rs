//! What the form of an item lets somebody choose from.

use crate::{Jeton, Result, requester::Requester};
use domain::site::Site;
use storage::sites::all;

/// Returns all sites of the requester's organization by name: an item can be at any of them.
pub async fn sites(jeton: &Jeton, by: &Requester) -> Result<Vec<Site>> {
    let organization = by.organization();
    jeton.read(move |connection| Ok(all(connection, organization)?.into_iter().map(|one| one.site).collect())).await
}
