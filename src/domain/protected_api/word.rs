//! A part of a path, exactly and as the most lenient server might read it.
//!
//! Servers differ in what they treat as the same: upper and lower case, composed and decomposed letters, full-width
//! letters, accents, dots and white space at an end, invisible characters. [`Word::reads_as`] is at least as lenient as
//! each of them. If both comparisons lead to the same rule, so does that of every server, which is between them.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};
use unicode_normalization::{UnicodeNormalization, is_nfkc};

/// A part of a path, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    text: String,
    /// The form for the lenient comparison, if it differs.
    loose: Option<String>,
}

impl Word {
    /// Creates a part that every server splits from a path in the same way. Returns `None` for one with slashes of
    /// either kind, with `;` (parameters, which some servers cut off), `%` (what is encoded twice may be decoded
    /// twice), `?`, `#` or control characters, and for `.`, `..` and an empty one; all of this also in the lenient
    /// form.
    pub fn new(text: String) -> Option<Self> {
        let loose = (!is_simple(&text)).then(|| loosely(&text));
        let is_plain = is_plain(&text) && loose.as_deref().is_none_or(is_plain);
        let is_cut_alike = is_plain && !text.contains(ALMOST_SLASHES);
        is_cut_alike.then(|| Self { loose: loose.filter(|loose| *loose != text), text })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether it is exactly the other one.
    pub fn is(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Returns whether any server might treat it as the other one.
    pub fn reads_as(&self, other: &Self) -> bool {
        self.loose() == other.loose()
    }

    /// Returns whether it is written as a rule should write it: except for case and accents, the lenient form is the
    /// same.
    pub fn is_canonical(&self) -> bool {
        let is_odd_end = |c: char| c == '.' || c.is_whitespace();
        let ends_oddly = self.text.ends_with(is_odd_end) || self.text.starts_with(char::is_whitespace);
        is_nfkc(&self.text) && !ends_oddly && !self.text.contains(is_invisible)
    }

    fn loose(&self) -> &str {
        self.loose.as_deref().unwrap_or(&self.text)
    }
}

/// What Windows converts to slashes for programs with its old API, by “best fit”.
const ALMOST_SLASHES: [char; 3] = ['\u{2044}', '\u{2215}', '\u{2216}'];

/// Returns quickly whether the text is its own lenient form, as most are.
fn is_simple(text: &str) -> bool {
    let is_simple = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b'+';
    text.bytes().all(is_simple) && !text.ends_with('.')
}

fn is_plain(text: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ';' | '%' | '?' | '#');
    !matches!(text, "" | "." | "..") && !text.contains(is_odd)
}

/// Returns the lenient form. Case is folded through upper case, where `ß` is `SS` and `ı` is `I`; letters lose their
/// accents; `+` is a space for programs that decode paths like forms; Windows drops dots and spaces at the end, other
/// servers at both ends.
fn loosely(text: &str) -> String {
    let upper = text.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    let letters = upper.nfkd().filter(|c| !is_mark(*c) && !is_invisible(*c)).flat_map(char::to_lowercase);
    let spaced: String = letters.map(|c| if c == '+' || c.is_whitespace() { ' ' } else { c }).collect();
    spaced.trim_start_matches(' ').trim_end_matches([' ', '.']).to_owned()
}

fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

fn is_invisible(c: char) -> bool {
    let is_format = || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format;
    c == '\u{2800}' || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) || is_format()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word::new(text.to_owned()).unwrap_or_else(|| panic!("{text:?} is odd"))
    }

    #[test]
    fn every_spelling_of_a_part_is_recognized() {
        for (plain, alike) in [
            // Upper and lower case, either way round.
            ("settings", &["SETTINGS", "\u{17f}ettings", "ſettingſ"][..]),
            ("admin", &["adm\u{131}n", "ADM\u{130}N", "AdMiN"]),
            ("straße", &["STRASSE", "strasse", "STRAẞE", "stra\u{17f}\u{17f}e"]),
            ("kelvin", &["\u{212a}elvin"]),
            ("ὀδυσσεύς", &["ὈΔΥΣΣΕΎΣ", "ὀδυσσεύσ"]),
            // Put together in another way, and without accents.
            ("été", &["e\u{301}te\u{301}", "ÉTÉ", "ete"]),
            ("office", &["o\u{fb03}ce"]),
            ("admin", &["\u{ff41}\u{ff44}\u{ff4d}\u{ff49}\u{ff4e}", "\u{1d41a}dmin", "ⓐdmin", "ᴬdmin"]),
            // Ends that Windows drops, in any width.
            (
                "admin",
                &["admin.", "admin...", "admin ", "admin. .", "admin\u{a0}", "admin\u{3000}", "admin…", " admin"],
            ),
            ("a b", &["a\u{a0}b", "a+b", "a\u{2003}b"]),
            // What nobody sees.
            (
                "admin",
                &["admin\u{200b}", "ad\u{ad}min", "\u{feff}admin", "a\u{200d}dmin", "admin\u{e0041}", "\u{3164}admin"],
            ),
            ("admin", &["ad\u{34f}min", "admin\u{fe0f}", "a\u{202e}dmin", "admin\u{2800}", "adm\u{307}in"]),
        ] {
            for other in alike {
                assert!(word(plain).reads_as(&word(other)), "{plain:?} {other:?}");
                assert!(word(plain) == word(other) || !word(plain).is(&word(other)), "{plain:?} {other:?}");
            }
        }
        for (one, other) in [("admin", "admin2"), ("admin", "admins"), ("a b", "ab"), ("5", "6"), ("été", "ato")] {
            assert!(!word(one).reads_as(&word(other)), "{one} {other}");
        }
    }

    #[test]
    fn a_part_that_servers_split_differently_is_refused() {
        for odd in [
            "",
            ".",
            "..",
            "...",
            " ",
            ". .",
            "..\u{a0}",
            "\u{200b}",
            ".\u{200b}.",
            "\u{2025}",
            "\u{2024}\u{2024}",
            "a/b",
            "a\\b",
            "a;b",
            "a%b",
            "a?b",
            "a#b",
            "a\u{0}",
            "a\u{7f}",
            "a\u{85}",
            "a\u{ff0f}b",
            "a\u{ff3c}b",
            "a\u{fe68}b",
            "a\u{2215}b",
            "a\u{2044}b",
            "a\u{2216}b",
            "\u{2100}",
            "a\u{ff1b}b",
            "a\u{37e}b",
            "a\u{ff05}b",
            "a\u{ff1f}b",
            "a\u{ff03}b",
            "\u{301}",
        ] {
            assert_eq!(Word::new(odd.to_owned()), None, "{odd:?}");
        }
    }

    #[test]
    fn parts_may_be_in_any_script() {
        for text in [
            "orders",
            "~...x",
            ".well-known",
            "v1.2",
            "a b",
            "a:b",
            "Ελένη",
            "報告（2026）",
            "می‌خواهم",
            "👍🏽",
            "👨‍👩‍👧",
            "e\u{301}te\u{301}.pdf",
            "nº5",
            "1½",
        ] {
            assert_eq!(word(text).as_str(), text);
        }
    }

    #[test]
    fn rules_are_written_plainly() {
        for text in ["orders", "Orders", "été", "straße", "a b", ".well-known", "v1.2", "日本"] {
            assert!(word(text).is_canonical(), "{text}");
        }
        for text in [
            "admin.",
            "admin ",
            "admin\u{a0}",
            " admin",
            "e\u{301}te\u{301}",
            "\u{ff41}",
            "admin\u{200b}",
            "o\u{fb03}ce",
            "a\u{a0}b",
        ] {
            assert!(!word(text).is_canonical(), "{text:?}");
        }
    }
}
