//! Items: what requests return and act on, each of one kind.

mod external_id;
mod kind;
mod permission;

pub use external_id::{ExternalId, LONGEST_EXTERNAL_ID};
pub use kind::ItemKind;
pub use permission::ItemAction;

use super::{
    access::{SiteId, SubjectId},
    field::{Answers, Form},
    organization::OrganizationId,
    text::{self, TextError},
    time::Timestamp,
};

/// The maximum length of an item's name in characters.
pub const LONGEST_NAME: usize = 200;
/// The maximum length of an item's description in characters.
pub const LONGEST_DESCRIPTION: usize = 2_000;

/// The row id of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub i64);

/// One thing of a kind, without what is too long for lists ([`Contents`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The row.
    pub id: ItemId,
    /// Its public id.
    pub public_id: String,
    /// The organization that it belongs to.
    pub organization: OrganizationId,
    /// Its kind.
    pub kind: ItemKind,
    /// The id by which the caller who made it knows it.
    pub external_id: Option<ExternalId>,
    /// Its name.
    pub name: String,
    /// Who owns it; nobody, once its owner was deleted.
    pub owner: Option<SubjectId>,
    /// The site that it is at.
    pub site: Option<SiteId>,
    /// The template that an inspection was started from; `None` once that was deleted, and for other kinds.
    pub template: Option<ItemId>,
    /// Since when it is archived: still there, but not in lists unless they ask for it.
    pub archived_at: Option<Timestamp>,
    /// When an inspection was finished; `None` for a draft, and for other kinds.
    pub finished_at: Option<Timestamp>,
    /// Its version, incremented by each change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed, its answers included. Shares and access rules do not change it.
    pub modified_at: Timestamp,
}

impl Item {
    /// Returns whether it is an inspection that is not finished.
    pub fn is_draft(&self) -> bool {
        self.kind.is_inspections() && self.finished_at.is_none()
    }

    /// Returns its position in the order of lists and feeds.
    pub const fn place(&self) -> Place {
        Place { modified_at: self.modified_at, id: self.id }
    }
}

/// What an item holds besides what lists show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// More about it; empty if there is nothing to say.
    pub description: String,
    /// The questions of a template, or those that an inspection was started with and keeps. Empty for other kinds,
    /// whose form is that of the kind.
    pub form: Form,
    /// The answers to the fields of its kind; for an inspection, to its own questions.
    pub answers: Answers,
}

/// A position in the order of lists and feeds: many items may have been changed in the same second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the item was last changed.
    pub modified_at: Timestamp,
    /// The row.
    pub id: ItemId,
}

/// Reads the name of an item: a line of 1 to [`LONGEST_NAME`] characters.
///
/// # Errors
/// What is wrong with it.
pub fn name(typed: &str) -> Result<String, TextError> {
    text::line_of(typed, LONGEST_NAME)
}

/// Reads the description of an item: at most [`LONGEST_DESCRIPTION`] characters in several lines, or nothing.
///
/// # Errors
/// What is wrong with it; never [`TextError::Empty`].
pub fn description(typed: &str) -> Result<String, TextError> {
    match text::paragraphs(typed, LONGEST_DESCRIPTION) {
        Err(TextError::Empty) => Ok(String::new()),
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_line_and_descriptions_some_or_none() {
        assert_eq!(name(" Fridge  Mopti-02 "), Ok("Fridge Mopti-02".into()));
        assert_eq!((name(" "), name(&"é".repeat(201))), (Err(TextError::Empty), Err(TextError::TooLong)));
        assert_eq!((description(" \n"), description("a\r\nb")), (Ok(String::new()), Ok("a\nb".into())));
        assert_eq!(description(&"é".repeat(2_001)), Err(TextError::TooLong));
    }
}
