//! Short texts that people type: labels, names and reasons; and how texts are compared and searched everywhere.

mod characters;

use super::leak;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

pub use characters::{hidden, is_blank, is_visible};

/// The maximum length of a label or name in characters (Unicode scalar values).
pub const LONGEST: usize = 100;

/// The maximum length of a reason in characters.
pub const LONGEST_REASON: usize = 200;

/// The maximum length of an external id in characters.
pub const LONGEST_EXTERNAL_ID: usize = 255;

/// The maximum number of words of a search.
const WORDS: usize = 8;
const LONGEST_SEARCH: usize = 400;

/// Why a text is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing visible was entered.
    #[error("empty")]
    Empty,
    /// It has more than [`LONGEST`] characters, or, for a reason, [`LONGEST_REASON`], or, for an external id,
    /// [`LONGEST_EXTERNAL_ID`].
    #[error("too long")]
    TooLong,
    /// It has a control character (such as a line break or NUL), or another one without a defined appearance (G4).
    #[error("has a control character")]
    Control,
    /// It has an invisible character that changes how the text is read: one that changes the direction of the text
    /// around it, or that makes two names differ that look the same (G4).
    #[error("has the invisible character U+{:04X}", u32::from(*.0))]
    Hidden(char),
    /// It has an API key or most of one, which must not be stored where people read it.
    #[error("has an API key in it")]
    Key,
}

/// Reads a one-line text of 1 to [`LONGEST`] characters. The result does not depend on the keyboard: it is composed
/// (NFC), with all white space as single spaces, and none at the ends (RFC 8266, section 2.1).
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn line(typed: &str) -> Result<String, TextError> {
    line_of(typed, LONGEST)
}

/// Reads the reason for an action: a line of 1 to [`LONGEST_REASON`] characters.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn reason(typed: &str) -> Result<String, TextError> {
    line_of(typed, LONGEST_REASON)
}

/// Reads the id by which other programs know somebody: a line of at most [`LONGEST_EXTERNAL_ID`] characters; `None` if
/// nothing was entered.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn external_id(typed: &str) -> Result<Option<String>, TextError> {
    match line_of(typed, LONGEST_EXTERNAL_ID) {
        Err(TextError::Empty) if typed.trim_matches(is_blank).is_empty() => Ok(None),
        read => read.map(Some),
    }
}

/// Reads a line like [`line()`], but of 1 to `longest` characters.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn line_of(typed: &str, longest: usize) -> Result<String, TextError> {
    let text: String = typed.trim_matches(is_blank).nfc().collect();
    check(&text)?;
    limited(with_single_spaces(&text), longest)
}

/// Reads a text of several lines with 1 to `longest` characters, line ends among them. Each line has the form of
/// [`line()`], tabs are spaces, and there are no empty lines at the ends.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn paragraphs(typed: &str, longest: usize) -> Result<String, TextError> {
    let is_line_end = |c| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let text: String = typed.replace("\r\n", "\n").replace('\t', " ").nfc().collect();
    let lines = text.split(is_line_end).map(with_single_spaces).collect::<Vec<_>>();
    check(&lines.join(" "))?;
    limited(lines.join("\n").trim_matches('\n').to_owned(), longest)
}

/// Checks a text of 1 to `longest` characters that other programs compare byte by byte, so that it stays as it came:
/// it only has nothing in it that a line of text may not have.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn exact(given: &str, longest: usize) -> Result<String, TextError> {
    check(given)?;
    limited(given.to_owned(), longest)
}

/// Checks the characters of a line.
fn check(text: &str) -> Result<(), TextError> {
    if text.contains(characters::is_control) {
        return Err(TextError::Control);
    }
    if !text.contains(is_visible) {
        return Err(TextError::Empty);
    }
    hidden(text).map_or(Ok(()), |hidden| Err(TextError::Hidden(hidden)))
}

fn limited(text: String, longest: usize) -> Result<String, TextError> {
    if text.chars().count() > longest {
        Err(TextError::TooLong)
    } else if leak::holds_key(&text) {
        Err(TextError::Key)
    } else {
        Ok(text)
    }
}

fn with_single_spaces(text: &str) -> String {
    text.split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Converts to lower case, including letters without an upper case (`ß` as `ss`), and independently of the letters
/// around (`ς` as `σ`).
fn caseless(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    text.flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Returns a name for comparison, which is the same for two names that differ only in case (RFC 8266, section 2.3).
pub fn fold(text: &str) -> String {
    let folded: String = caseless(text.nfkc()).filter(|c| !characters::is_ignorable(*c)).nfkc().collect();
    with_single_spaces(&folded)
}

/// Letters that have no accent in Unicode, but match others in searches; and signs with many forms.
const VARIANTS: [(&str, &str); 10] = [
    ("ø", "o"),
    ("đð", "d"),
    ("ł", "l"),
    ("ħ", "h"),
    ("ŧ", "t"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("þ", "th"),
    ("’‘ʼ", "'"),
    ("‐‒–—", "-"),
];

/// Returns a text in the form in which lists sort and search it: lower case without accents, so that `traore` finds
/// Traoré, composed or not. Both stored texts and searches are converted to it.
///
/// A control character becomes U+FFFD, as NUL does in HTML: no stored text has one, so a search with it finds nothing,
/// and none reaches a database.
pub fn searchable(text: &str) -> String {
    let kept = |c: &char| !characters::is_accent(*c) && !characters::is_ignorable(*c);
    let mut plain = String::new();
    for c in caseless(text.nfkd()).filter(kept) {
        match VARIANTS.iter().find(|(letters, _)| letters.contains(c)) {
            Some((_, letters)) => plain.push_str(letters),
            None if is_blank(c) => plain.push(' '),
            None if characters::is_control(c) => plain.push('\u{fffd}'),
            None => plain.push(c),
        }
    }
    with_single_spaces(&plain)
}

/// Returns the words of a search in their searchable form. A match has all of them.
pub fn words(typed: &str) -> Vec<String> {
    let read: String = typed.chars().take(LONGEST_SEARCH).collect();
    searchable(&read).split(' ').filter(|word| !word.is_empty()).take(WORDS).map(str::to_owned).collect()
}

/// Returns whether a text has all of these words in it.
pub fn has_words(text: &str, words: &[String]) -> bool {
    let text = searchable(text);
    words.iter().all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_one_to_a_hundred_characters_is_accepted_in_any_script() {
        assert_eq!(line(" Power BI, Büro 3 "), Ok("Power BI, Büro 3".into()));
        assert_eq!(line(&"é".repeat(100)), Ok("é".repeat(100)));
        assert_eq!(line(&"e\u{301}".repeat(100)), Ok("é".repeat(100)), "counted as it is stored");
        assert_eq!(line("<b>\"=1+1'"), Ok("<b>\"=1+1'".into()));
    }

    #[test]
    fn empty_overlong_and_control_texts_have_errors_of_their_own() {
        assert_eq!(line("  \u{a0} "), Err(TextError::Empty));
        assert_eq!(line(&"é".repeat(101)), Err(TextError::TooLong));
        assert_eq!((reason(&"é".repeat(200)).is_ok(), reason(&"é".repeat(201))), (true, Err(TextError::TooLong)));
        for control in ["a\u{0}b", "\u{0}", "a\nb", "a\u{85}b", "a\u{2028}b", "a\u{e000}", "a\u{fffd}", "a\u{ffff}"] {
            assert_eq!(line(control), Err(TextError::Control), "{control:?}");
        }
    }

    #[test]
    fn a_text_of_invisible_characters_is_empty() {
        for c in
            "\u{200b}\u{ad}\u{2060}\u{feff}\u{3164}\u{2800}\u{115f}\u{ffa0}\u{17b4}\u{180e}\u{200d}\u{fe0f}\u{e0041}\
                  \u{202e}\u{2069}\u{34f}\u{61c}\u{1d159}\u{3000}\u{301}"
                .chars()
        {
            for text in [c.to_string(), format!(" {c}{c} "), format!("\u{a0}{c}\u{2003}")] {
                assert_eq!(line(&text), Err(TextError::Empty), "{text:?}");
            }
        }
    }

    #[test]
    fn a_misleading_character_is_refused_and_named() {
        for c in "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}\u{200b}\
                  \u{200c}\u{200d}\u{2060}\u{2063}\u{feff}\u{ad}\u{34f}\u{3164}\u{fe0f}\u{fe00}\u{e0100}\u{e0041}\u{e007f}\
                  \u{180b}\u{206a}\u{fff9}\u{1d173}"
            .chars()
        {
            for text in [format!("Power{c}BI"), format!("{c}Power BI"), format!("Power BI{c}"), format!("1{c}2")] {
                assert_eq!(line(&text), Err(TextError::Hidden(c)), "{text:?}");
            }
        }
        assert_eq!(TextError::Hidden('\u{ad}').to_string(), "has the invisible character U+00AD");
    }

    #[test]
    fn joiners_and_selectors_stay_where_they_are_visible() {
        for text in [
            "👩‍👩‍👧 family",
            "❤️‍🔥 prod",
            "👩🏽‍🚀",
            "🏳️‍🌈",
            "✈️ 1️⃣ ☎︎",
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿 Edinburgh",
            "می‌خواهم",
            "سوء‌استفاده",
            "क्‍ष",
            "শ্রী র‍্যাব",
            "ශ්‍රී ලංකා",
            "葛󠄀城",
            "ភាសា\u{200b}ខ្មែរ",
            "ᠰᠠᠢ᠍ᠨ",
            "١٢\u{600}٣",
        ] {
            assert_eq!(line(text), Ok(text.nfc().collect()), "{text}");
        }
        let flag = "🏴\u{e0067}\u{e0062}\u{e0078}\u{e007f}";
        assert_eq!(line(flag), Err(TextError::Hidden('\u{e0067}')), "there is no such flag");
    }

    #[test]
    fn white_space_is_collapsed_and_trimmed() {
        for typed in ["Power\u{a0}BI", " Power  BI ", "\u{3000}Power\u{2003}\u{2009}BI\u{2800}", "Power\u{202f}BI\t"] {
            assert_eq!(line(typed), Ok("Power BI".into()), "{typed:?}");
        }
    }

    #[test]
    fn a_long_text_keeps_its_lines_and_nothing_that_nobody_sees() {
        assert_eq!(paragraphs(" a\tb \r\n\r\n c\u{2028}d\n\n ", 100), Ok("a b\n\nc\nd".into()));
        assert_eq!(paragraphs(&"é\n".repeat(50), 99).map(|text| text.chars().count()), Ok(99));
        assert_eq!(paragraphs(&"é\n".repeat(50), 98), Err(TextError::TooLong));
        for (text, wrong) in [
            ("", TextError::Empty),
            (" \n\u{200b}\n", TextError::Empty),
            ("a\n\u{0}", TextError::Control),
            ("a\n\u{202e}b", TextError::Hidden('\u{202e}')),
            ("a\n\u{200b}\nb", TextError::Hidden('\u{200b}')),
        ] {
            assert_eq!(paragraphs(text, 100), Err(wrong), "{text:?}");
        }
        let key = format!("see\njtn_p_{}", "0".repeat(38));
        assert_eq!(paragraphs(&key, 100), Err(TextError::Key));
    }

    #[test]
    fn an_exact_text_stays_as_it_came() {
        for id in ["INV-0042", "  two  spaces ", "Zoe\u{308}", "a/b?c#d%20", "№ 7"] {
            assert_eq!(exact(id, 255), Ok(id.into()));
        }
        assert_eq!((exact("", 255), exact("a\u{0}", 255)), (Err(TextError::Empty), Err(TextError::Control)));
        assert_eq!(
            (exact(&"é".repeat(255), 255).is_ok(), exact(&"é".repeat(256), 255)),
            (true, Err(TextError::TooLong))
        );
    }

    #[test]
    fn texts_are_stored_in_one_form() {
        assert_eq!(line("Zoe\u{308} Andre\u{301}"), Ok("Zoë André".into()));
        assert_eq!(line("\u{212b}ngstro\u{308}m"), Ok("Ångström".into()));
    }

    #[test]
    fn a_text_must_not_contain_an_api_key() {
        let body = "0".repeat(38);
        for key in [format!("jtn_p_{body}"), format!("CI: \"jtn_s_{body}\""), format!("Jtn_m_{}", &body[..30])] {
            assert_eq!((line(&key), reason(&key)), (Err(TextError::Key), Err(TextError::Key)), "{key}");
        }
        assert!(line("jtn_p_…").is_ok() && line("where jtn_p_1234 was").is_ok());
    }

    #[test]
    fn names_that_look_the_same_are_the_same() {
        for (one, other) in [
            ("Équipe", "équipe"),
            ("Équipe", "E\u{301}QUIPE"),
            ("Straße", "STRASSE"),
            ("ΣΑΣ", "σας"),
            ("Power BI", "Ｐｏｗｅｒ\u{3000}ＢＩ"),
            ("می‌خواهم", "میخواهم"),
            ("Power BI", "power  bi "),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("Équipe"), fold("Equipe"));
    }

    #[test]
    fn a_search_finds_names_without_their_accents() {
        assert_eq!(searchable(" Léa TRAORÉ-Œuvray "), "lea traore-oeuvray");
        assert_eq!(searchable("Jose\u{301} \u{130}nan ıl"), "jose inan il");
        assert_eq!(searchable("Ελένη ΠΌΣΟΣ"), "ελενη ποσοσ");
        assert_eq!(searchable("Đỗ Łódź Straße Ａ１ ﬁn"), "do lodz strasse a1 fin");
        assert_eq!(searchable("Йод Ёлка"), searchable("ИОД ЕЛКА"));
        assert_eq!(searchable("हिन्दी").chars().count(), 6, "vowel signs are not accents");
        assert_eq!(searchable("l’été\u{a0}– soft\u{ad}ware"), "l'ete - software");
        assert_eq!(searchable("a\u{0}b\n"), "a\u{fffd}b", "no NUL is passed on");
    }

    #[test]
    fn words_are_found_in_any_order() {
        assert_eq!(words("  Traoré  LÉA "), ["traore", "lea"]);
        assert!(has_words("Léa Traoré", &words("traoré le")) && !has_words("Léa Traoré", &words("lea x")));
        assert!(words(" \u{200b}").is_empty() && has_words("", &words(" ")));
        assert!(!has_words("Léa", &words("\u{0}")));
    }
}
