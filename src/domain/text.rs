//! Short texts that people type: labels and names.

use thiserror::Error;

/// Most characters (Unicode scalar values) in a label or a name.
pub const LONGEST: usize = 100;

/// Most characters in a reason.
pub const LONGEST_REASON: usize = 200;

/// Why a text cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing but white space was entered.
    #[error("empty")]
    Empty,
    /// More characters than fit: [`LONGEST`], or [`LONGEST_REASON`] of a reason.
    #[error("too long")]
    TooLong,
    /// A control character (such as a line break or NUL), or one that turns the direction of the text around it (G4).
    #[error("has a control character")]
    Control,
}

/// Reads a one-line text of 1 to [`LONGEST`] characters; white space around it is dropped.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn line(typed: &str) -> Result<String, TextError> {
    line_of(typed, LONGEST)
}

/// Reads why somebody does something: a line of 1 to [`LONGEST_REASON`] characters.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn reason(typed: &str) -> Result<String, TextError> {
    line_of(typed, LONGEST_REASON)
}

fn line_of(typed: &str, longest: usize) -> Result<String, TextError> {
    let text = typed.trim();
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.chars().count() > longest {
        Err(TextError::TooLong)
    } else if text.chars().any(|c| c.is_control() || is_direction_control(c)) {
        Err(TextError::Control)
    } else {
        Ok(text.to_owned())
    }
}

/// Characters that reorder what stands beside them, with which one label could be made to look like another.
fn is_direction_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// A text folded for comparison: white space around it dropped, lower case in all scripts.
pub fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Letters that lose their accents in [`searchable`], and what they become.
const ACCENTED: [(&str, &str); 19] = [
    ("àáâãäåāăą", "a"),
    ("çćč", "c"),
    ("ďđ", "d"),
    ("èéêëēėęě", "e"),
    ("ğ", "g"),
    ("ìíîïīıį", "i"),
    ("łľ", "l"),
    ("ñńň", "n"),
    ("òóôõöøōő", "o"),
    ("ř", "r"),
    ("śšşș", "s"),
    ("ťțţ", "t"),
    ("ùúûüūůűų", "u"),
    ("ýÿ", "y"),
    ("źžż", "z"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("ß", "ss"),
    ("’ʼ", "'"),
];

/// A text as lists sort and search it: folded, and Latin letters without their accents, so that `traore` finds Traoré.
/// Control characters are left out.
pub fn searchable(text: &str) -> String {
    let mut plain = String::new();
    for c in fold(text).chars() {
        match ACCENTED.iter().find(|(letters, _)| letters.contains(c)) {
            Some((_, letters)) => plain.push_str(letters),
            // Accents that stand as characters of their own behind their letter.
            None if c.is_control() || matches!(c, '\u{300}'..='\u{36f}') => {}
            None => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_one_to_a_hundred_characters_is_taken_whatever_the_script() {
        assert_eq!(line(" Power BI, Büro 3 "), Ok("Power BI, Büro 3".into()));
        assert_eq!(line(&"é".repeat(100)), Ok("é".repeat(100)));
        assert_eq!(line("<b>\"=1+1'"), Ok("<b>\"=1+1'".into()));
    }

    #[test]
    fn empty_overlong_and_control_texts_are_told_apart() {
        assert_eq!(line("  \u{a0} "), Err(TextError::Empty));
        assert_eq!(line(&"é".repeat(101)), Err(TextError::TooLong));
        assert_eq!((reason(&"é".repeat(200)).is_ok(), reason(&"é".repeat(201))), (true, Err(TextError::TooLong)));
        assert_eq!(line("a\u{0}b"), Err(TextError::Control));
        assert_eq!(line("a\nb"), Err(TextError::Control));
        assert_eq!(line("abc\u{202e}def"), Err(TextError::Control));
    }

    #[test]
    fn a_search_finds_names_without_their_accents() {
        assert_eq!(searchable(" Léa TRAORÉ-Œuvray "), "lea traore-oeuvray");
        assert_eq!(searchable("Jose\u{301} \u{130}nan\u{0}"), "jose inan");
        assert_eq!(searchable("Ελένη"), "ελένη");
    }
}
