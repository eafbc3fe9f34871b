//! Items: what requests return and act on, each of one kind.

mod external_id;
mod kind;

pub use external_id::{ExternalId, LONGEST_EXTERNAL_ID};
pub use kind::ItemKind;

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

/// One thing of a kind.
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
    /// More about it; empty if there is nothing to say.
    pub description: String,
    /// Who owns it; nobody, once its owner was deleted.
    pub owner: Option<SubjectId>,
    /// The site that it is at.
    pub site: Option<SiteId>,
    /// What an inspection is of, and whether it is done; `None` for other kinds.
    pub inspection: Option<Inspection>,
    /// The answers to the fields of its kind; for an inspection, to its own [`Inspection::form`].
    pub answers: Answers,
    /// Since when it is archived: still there, but not in lists unless they ask for it.
    pub archived_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed, its answers included. Shares and access rules do not change it.
    pub modified_at: Timestamp,
    /// Its version, incremented by each change.
    pub version: i64,
}

/// What only inspections have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The template that it was started from; `None` once that was deleted.
    pub template: Option<ItemId>,
    /// The questions of the template when the inspection was started, which it keeps.
    pub form: Form,
    /// When it was finished; `None` for a draft.
    pub finished_at: Option<Timestamp>,
}

impl Item {
    /// Returns the template of an inspection.
    pub fn template(&self) -> Option<ItemId> {
        self.inspection.as_ref().and_then(|inspection| inspection.template)
    }

    /// Returns whether it is an inspection that is not finished.
    pub fn is_draft(&self) -> bool {
        self.inspection.as_ref().is_some_and(|inspection| inspection.finished_at.is_none())
    }
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
