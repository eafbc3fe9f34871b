//! What the form of an item lets somebody choose from, and what it has to know.

use super::{form_of_kind, kind_in};
use crate::{Jeton, Result, requester::Requester};
use domain::{field::Form, item::Item, kind::CommonAction, site::Site};
use storage::{items::is_used, sites::all};

/// Returns all sites of the requester's organization by name: an item can be at any of them.
pub async fn sites(jeton: &Jeton, by: &Requester) -> Result<Vec<Site>> {
    let organization = by.organization();
    jeton.read(move |connection| Ok(all(connection, organization)?.into_iter().map(|one| one.site).collect())).await
}

/// Returns whether there are answers to the questions of a template, so that their types stay.
pub async fn is_answered(jeton: &Jeton, template: &Item) -> Result<bool> {
    let id = template.id;
    jeton.read(move |connection| Ok(is_used(connection, id)?)).await
}

/// Returns the fields of a new item of a kind.
///
/// # Errors
/// [`crate::AppError::NotFound`] for a kind that is not there; [`crate::AppError::Refused`] without the permission to
/// make such items.
pub async fn blank(jeton: &Jeton, by: &Requester, kind: &str) -> Result<Form> {
    let kind = kind.to_owned();
    jeton
        .read_for(by, move |connection, standing| {
            let kind = kind_in(standing, &kind)?;
            standing.check(&kind, CommonAction::Edit)?;
            form_of_kind(connection, standing.facts.organization, &kind)
        })
        .await
}
