//! The ids by which callers know their own records.

use crate::text::{self, TextError};
use std::fmt::{Display, Formatter, Result as Formatted};

pub use crate::text::LONGEST_EXTERNAL_ID;

/// The id that something has in the system where it comes from, unique in its organization and kind. It stays exactly
/// as it came: `a` and `A` are two, and so are a composed and a decomposed `é`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(String);

impl ExternalId {
    /// Reads an id of 1 to [`LONGEST_EXTERNAL_ID`] characters.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(given: &str) -> Result<Self, TextError> {
        text::exact(given, LONGEST_EXTERNAL_ID).map(Self)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for ExternalId {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_is_any_exact_text_without_control_characters() {
        for id in ["7", "INV/2026?0042#a", "Zoe\u{308}", "...", &"é".repeat(255)] {
            assert_eq!(ExternalId::parse(id).map(|id| id.to_string()), Ok(id.to_owned()));
        }
        for (id, wrong) in [
            ("", TextError::Empty),
            ("a\n", TextError::Control),
            ("\u{0}", TextError::Control),
            (&"é".repeat(256), TextError::TooLong),
        ] {
            assert_eq!(ExternalId::parse(id), Err(wrong), "{id:?}");
        }
    }
}
