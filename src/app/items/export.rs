//! Everything that a list has, page by page, for whoever takes it as one table.
//!
//! What the requester may do, and what they reach, is decided again for each page, from what the database says then. So
//! an export ends early if they lose it, and has nothing that they do not reach any more.

use super::{
    Items, ListQuery, form_of_kind, kind_in,
    reading::{asked, exported, page_in},
};
use crate::{Jeton, Result, requester::Requester};
use domain::{
    field::Form,
    item::{Contents, ItemKind, Place},
    paging::PageFrom,
};
use storage::access::Direction;

/// The number of items of a page.
const PAGE: usize = 100;

/// An export that has begun.
#[derive(Clone, Debug)]
pub struct Export {
    by: Requester,
    /// The kind.
    pub kind: ItemKind,
    /// The form of the kind in the requester's organization, if its items have none of their own.
    pub form: Form,
    query: ListQuery,
    next: PageFrom<Place>,
    is_over: bool,
}

/// A page of an export.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The page.
    pub page: Items,
    /// What each item holds, in the same order.
    pub contents: Vec<Contents>,
}

/// Begins an export of all items of a list, the one that was changed first first: an item that changes meanwhile comes
/// again, and none is left out.
///
/// # Errors
/// As those of [`super::list`].
pub async fn export(jeton: &Jeton, by: &Requester, kind: &str, query: ListQuery) -> Result<Export> {
    let (kind, asking) = (kind.to_owned(), by.clone());
    jeton
        .read_for(by, move |connection, standing| {
            asked(connection, standing, &kind, &query)?;
            let kind = kind_in(standing, &kind)?;
            let form = form_of_kind(connection, standing.facts.organization, &kind)?;
            Ok(Export { by: asking, kind, form, query, next: PageFrom::Start, is_over: false })
        })
        .await
}

impl Export {
    /// Returns the next page; `None` after the last one.
    ///
    /// # Errors
    /// As those of [`export`], once the requester may not do this any more.
    pub async fn more(&mut self, jeton: &Jeton) -> Result<Option<Exported>> {
        if self.is_over {
            return Ok(None);
        }
        let (Self { by, kind, query, next, .. }, now) = (self.clone(), jeton.clock.now());
        let found = jeton
            .read(move |connection| {
                let standing = by.again(connection, now)?;
                let (reachable, filter) = asked(connection, &standing, kind.key(), &query)?;
                let page = page_in(connection, &reachable, &filter, Direction::Ascending, next, PAGE)?;
                exported(connection, page)
            })
            .await?;
        match found.page.next {
            Some(place) => self.next = PageFrom::After(place),
            None => self.is_over = true,
        }
        Ok(Some(found))
    }
}
