//! What lists and feeds of items are asked for in the address.

use super::super::{
    directory::{self, Wanted},
    resources::{ApiError, limit_of, place_of},
};
use app::items::ListQuery;
use domain::{
    item::{ItemId, Place},
    time::Timestamp,
};
use serde::Deserialize;

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ItemsAsked {
    /// Words that must all be in the name.
    q: String,
    /// The public id of a site: only items there and below.
    site: String,
    /// The public id of a template: only its inspections.
    template: String,
    /// The name of an owner, `me` or `nobody`.
    owner: String,
    /// `true`, `false` or `both`.
    archived: String,
    /// The same: only inspections that are finished.
    completed: String,
    /// Only items that were changed then or later.
    modified_after: String,
    /// Only items that were changed before.
    modified_before: String,
    /// Of sites: only those in which there are no others.
    show_only_leaf_nodes: String,
    /// Where the page begins.
    cursor: String,
    /// The number of items on it.
    limit: String,
}

impl ItemsAsked {
    /// Returns what is asked for. Without `archived`, everything or only what is not archived, as `with_archived` says.
    ///
    /// # Errors
    /// With the part of the query that is wrong.
    pub fn query(&self, with_archived: bool) -> Result<ListQuery, ApiError> {
        let archived = match self.archived.as_str() {
            "" if !with_archived => Some(false),
            typed => choice("archived", typed)?,
        };
        Ok(ListQuery {
            words: self.q.clone(),
            site: self.site.clone(),
            template: self.template.clone(),
            owner: self.owner.clone(),
            archived,
            finished: choice("completed", &self.completed)?,
            modified_since: moment("modified_after", &self.modified_after)?,
            modified_before: moment("modified_before", &self.modified_before)?,
        })
    }

    /// Returns what is asked for with all of its items at once, as [`ItemsAsked::query`].
    ///
    /// # Errors
    /// With the part of the query that is wrong, or that there is one about a page.
    pub fn whole(&self, with_archived: bool) -> Result<ListQuery, ApiError> {
        for (name, typed) in [("limit", &self.limit), ("cursor", &self.cursor)] {
            if !typed.is_empty() {
                return Err(ApiError::of_query(name, "A table has everything: leave this out."));
            }
        }
        self.query(with_archived)
    }

    /// Returns where the page begins; `None` for the first page.
    ///
    /// # Errors
    /// That it is no cursor of such a list.
    pub fn place(&self) -> Result<Option<Place>, ApiError> {
        place_of(&self.cursor, item_place)
    }

    /// Returns what is asked for of a feed of something else than items.
    ///
    /// # Errors
    /// With the part of the query that is wrong.
    pub fn of_directory(&self) -> Result<Wanted, ApiError> {
        let after = place_of(&self.cursor, directory::place)?.unwrap_or_default();
        let only_leaves = choice("show_only_leaf_nodes", &self.show_only_leaf_nodes)?.unwrap_or_default();
        Ok(Wanted { after, limit: self.limit()?, only_leaves })
    }

    /// Returns the number of items on the page.
    ///
    /// # Errors
    /// That it is no number, or too small or large.
    pub fn limit(&self) -> Result<usize, ApiError> {
        limit_of(&self.limit)
    }

    /// Returns the query of the page of a feed that begins at this cursor, in the form of an address.
    pub fn next(&self, cursor: String, limit: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let asked = [
            ("q", &self.q),
            ("site", &self.site),
            ("template", &self.template),
            ("owner", &self.owner),
            ("archived", &self.archived),
            ("completed", &self.completed),
            ("modified_after", &self.modified_after),
            ("modified_before", &self.modified_before),
        ];
        query.extend_pairs(asked.into_iter().filter(|(_, typed)| !typed.is_empty()));
        query.append_pair("limit", &limit.to_string()).append_pair("cursor", &cursor);
        query.finish()
    }
}

fn choice(name: &str, typed: &str) -> Result<Option<bool>, ApiError> {
    match typed {
        "" | "both" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(ApiError::of_query(name, "Use true, false or both.")),
    }
}

/// Reads a time. A `+` that was not encoded has become a space on the way, which stands nowhere else before an offset.
fn moment(name: &str, typed: &str) -> Result<Option<Timestamp>, ApiError> {
    if typed.is_empty() {
        return Ok(None);
    }
    let offset = || Timestamp::from_rfc3339(&typed.rsplit_once(' ').map(|(time, zone)| format!("{time}+{zone}"))?);
    let read = Timestamp::from_rfc3339(typed).or_else(offset);
    let words = "Use a time such as 2026-11-28T09:00:00Z, and %2B for the + of an offset.";
    read.map(Some).ok_or_else(|| ApiError::of_query(name, words))
}

/// `SECONDS.ROW`: where a page of items ends.
pub fn typed_place(Place { modified_at, id }: Place) -> String {
    format!("{}.{}", modified_at.seconds(), id.0)
}

/// Reads what [`typed_place`] wrote.
fn item_place(typed: &str) -> Option<Place> {
    let (at, id) = typed.split_once('.')?;
    Some(Place { modified_at: Timestamp::from_seconds(at.parse().ok()?), id: ItemId(id.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_that_was_not_encoded_is_read_as_one() {
        let at = |typed: &str| moment("modified_after", typed).ok().flatten().map(Timestamp::rfc3339);
        for typed in ["2026-11-28T10:30:00+05:30", "2026-11-28T10:30:00 05:30", "2026-11-28T05:00:00.000Z"] {
            assert_eq!(at(typed).as_deref(), Some("2026-11-28T05:00:00Z"), "{typed}");
        }
        for typed in ["yesterday", "2026-11-28", "2026-11-28 10:30:00", "2026-11-28T10:30:00", " "] {
            assert!(moment("modified_after", typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place { modified_at: Timestamp::from_seconds(-5), id: ItemId(7) };
        assert_eq!(item_place(&typed_place(place)), Some(place));
        assert_eq!((item_place("1"), item_place("1.x"), item_place("1.2.3")), (None, None, None));
    }
}
