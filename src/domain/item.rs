//! Items: what requests return and act on, each of one kind.

mod external_id;
mod kind;

pub use external_id::{ExternalId, LONGEST_EXTERNAL_ID};
pub use kind::ItemKind;

use super::text::{self, TextError};

/// The maximum length of an item's name in characters.
pub const LONGEST_NAME: usize = 200;
/// The maximum length of an item's description in characters.
pub const LONGEST_DESCRIPTION: usize = 2_000;

/// The row id of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub i64);

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
