//! All texts of the pages, in the reader's language.
//!
//! The build script writes one method for each key of `locales/{en,fr}.toml`: `[tokens] title` is
//! `texts.tokens_title()`, and `{name}` in a text is an argument. A missing key, argument or translation does not
//! compile. Numbers are grouped and plurals chosen by the rules of the language.

use std::fmt::Display;

use domain::user::Language;

/// The texts of one language. Cheap to copy; pages have it as `shell.t`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts(pub Language);

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

impl Texts {
    /// Formats a whole number with its digits in groups of three: `12,345` or, with narrow no-break spaces, `12 345`.
    pub fn number(self, count: impl Count) -> String {
        let count = count.into_i64();
        let separator = match self.0 {
            Language::En => ',',
            Language::Fr => '\u{202f}',
        };
        let digits = count.unsigned_abs().to_string();
        let mut grouped = String::from(if count < 0 { "-" } else { "" });
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(separator);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// Returns whether this number takes the singular: 1 in English, 0 and 1 in French.
    fn is_one(self, count: i64) -> bool {
        match self.0 {
            Language::En => count == 1,
            Language::Fr => matches!(count, 0 | 1),
        }
    }
}

/// A number that a plural can count, by value or (as templates pass it) by reference.
pub trait Count {
    /// Returns the number; one that does not fit becomes the largest possible.
    fn into_i64(self) -> i64;
}

macro_rules! count {
    ($($number:ty),+) => {$(
        impl Count for $number {
            fn into_i64(self) -> i64 {
                i64::try_from(self).unwrap_or(i64::MAX)
            }
        }
    )+};
}
count!(i32, i64, u32, u64, usize);

impl<T: Count + Copy> Count for &T {
    fn into_i64(self) -> i64 {
        (*self).into_i64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Texts = Texts(Language::En);
    const FRENCH: Texts = Texts(Language::Fr);

    #[test]
    fn digits_are_grouped_by_the_rules_of_the_language() {
        assert_eq!(ENGLISH.number(999), "999");
        assert_eq!(ENGLISH.number(1_000), "1,000");
        assert_eq!(ENGLISH.number(-1_234_567), "-1,234,567");
        assert_eq!(FRENCH.number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(ENGLISH.number(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn zero_is_singular_in_french_and_plural_in_english() {
        assert_eq!([0, 1, 2].map(|count| ENGLISH.is_one(count)), [false, true, false]);
        assert_eq!([0, 1, 2].map(|count| FRENCH.is_one(count)), [true, true, false]);
    }

    /// A plain space before a high punctuation mark in a French text could break the line there.
    #[test]
    fn french_punctuation_follows_a_narrow_no_break_space() {
        let french = include_str!("../../locales/fr.toml");
        for (index, line) in french.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#')) {
            for wrong in [" :", " ;", " !", " ?", " »", "« ", "'", "..."] {
                assert!(!line.contains(wrong), "fr.toml, line {}: {wrong:?} in {line}", index + 1);
            }
        }
    }
}
