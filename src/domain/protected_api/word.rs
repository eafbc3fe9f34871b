//! A part of a path, as everybody reads it, and as the most generous server might.
//!
//! Servers differ in what they take for the same: upper and lower case, letters that are put together in another way,
//! wide letters, accents, dots and white space at an end, characters that nobody sees. [`Word::reads_as`] is at least
//! as generous as each of them. If both comparisons lead to the same rule, so does every server's own, which lies
//! between them.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};
use unicode_normalization::{UnicodeNormalization, is_nfkc};

/// A part of a path, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    text: String,
    /// The form in which it is compared generously, if that is another.
    loose: Option<String>,
}

impl Word {
    /// A part that everybody cuts out of a path in the same way. Not so one with slashes of either kind, with `;`
    /// (parameters, which some servers cut off), `%` (what is encoded twice may be decoded twice), `?`, `#` or control
    /// characters, nor one that leads elsewhere or is nothing; all of this also for the most generous server.
    pub fn new(text: String) -> Option<Self> {
        let loose = (!is_simple(&text)).then(|| loosely(&text));
        let is_plain = is_plain(&text) && loose.as_deref().is_none_or(is_plain);
        let is_cut_alike = is_plain && !text.contains(ALMOST_SLASHES);
        is_cut_alike.then(|| Self { loose: loose.filter(|loose| *loose != text), text })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is exactly that one.
    pub fn is(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Whether any server might take it for that one.
    pub fn reads_as(&self, other: &Self) -> bool {
        self.loose() == other.loose()
    }

    /// Whether it is written as a rule should write it: nothing of it is lost or changed where servers compare
    /// generously, but for its case and accents.
    pub fn is_canonical(&self) -> bool {
        let is_odd_end = |c: char| c == '.' || c.is_whitespace();
        let ends_oddly = self.text.ends_with(is_odd_end) || self.text.starts_with(char::is_whitespace);
        is_nfkc(&self.text) && !ends_oddly && !self.text.contains(is_invisible)
    }

    fn loose(&self) -> &str {
        self.loose.as_deref().unwrap_or(&self.text)
    }
}

/// What Windows takes for slashes where a program asks in the old way, by “best fit”.
const ALMOST_SLASHES: [char; 3] = ['\u{2044}', '\u{2215}', '\u{2216}'];

/// Whether the text is its own loose form at a glance: most are.
fn is_simple(text: &str) -> bool {
    let is_simple = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b'+';
    text.bytes().all(is_simple) && !text.ends_with('.')
}

fn is_plain(text: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ';' | '%' | '?' | '#');
    !matches!(text, "" | "." | "..") && !text.contains(is_odd)
}

/// Case is folded by way of upper case, where `ß` is `SS` and `ı` is `I`; letters lose what can be taken off them; `+`
/// is a space to programs that decode paths like forms; Windows drops dots and spaces at the end, and others at both.
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
    fn whatever_some_server_takes_for_a_part_reads_as_it() {
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
    fn what_is_cut_in_another_way_by_some_server_is_no_part() {
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
    fn names_of_all_scripts_are_parts() {
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
