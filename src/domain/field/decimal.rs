//! Numbers as they are typed, exactly.

use crate::text::is_blank;
use std::fmt::{Display, Formatter, Result as Formatted};

/// The maximum number of digits.
const MOST_DIGITS: usize = 30;

/// A decimal number, as text: no binary fraction comes near it, so `0.1` stays `0.1`, and `4.50` keeps its precision.
///
/// The text is a JSON number without an exponent: a minus if it is negative, no zero before other digits, a point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(String);

/// Why a text is not a number that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// It is not a number.
    NotANumber,
    /// It has more than 30 digits.
    TooLong,
}

impl Decimal {
    /// The maximum number of digits before and after the point together.
    pub const MOST_DIGITS: usize = MOST_DIGITS;

    /// Reads what a person typed: with a comma or a point, with or without spaces between groups of three digits. So
    /// `1,234` is a little more than one, and `1,234.5` is not a number, since it could be read in two ways.
    ///
    /// # Errors
    /// Why it is not kept.
    pub fn parse(typed: &str) -> Result<Self, DecimalError> {
        let typed = typed.trim_matches(is_blank).replace('\u{2212}', "-").replace(',', ".");
        let (before, after) = typed.split_once('.').unwrap_or((&typed, ""));
        let mut groups = before.split(is_blank);
        let first = groups.next().unwrap_or_default().trim_start_matches(['-', '+']).len();
        let is_grouped =
            before.split(is_blank).count() == 1 || ((1..=3).contains(&first) && groups.all(|group| group.len() == 3));
        if !is_grouped || typed.ends_with('.') {
            return Err(DecimalError::NotANumber);
        }
        let before: String = before.split(is_blank).collect();
        let before = before.strip_prefix('+').unwrap_or(&before);
        let (sign, whole) = before.strip_prefix('-').map_or(("", before), |whole| ("-", whole));
        if whole.is_empty() && after.is_empty() {
            return Err(DecimalError::NotANumber);
        }
        Self::of(sign, whole, after)
    }

    /// Reads a number of JSON, with or without an exponent.
    ///
    /// # Errors
    /// Why it is not kept.
    pub fn from_json(number: &str) -> Result<Self, DecimalError> {
        let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(DecimalError::NotANumber),
            Some(parts) => parts,
            None => (digits, ""),
        };
        if whole.is_empty() || !(exponent.starts_with(['+', '-']) || is_digits(exponent)) {
            return Err(DecimalError::NotANumber);
        }
        let limit = i32::try_from(MOST_DIGITS).unwrap_or(i32::MAX);
        let exponent: i32 = exponent.parse().map_err(|_| DecimalError::NotANumber)?;
        if !(-limit..=limit).contains(&exponent) {
            return Err(DecimalError::TooLong);
        }
        let (whole, fraction) = shifted(whole, fraction, exponent);
        Self::of(sign, &whole, &fraction)
    }

    fn of(sign: &str, whole: &str, fraction: &str) -> Result<Self, DecimalError> {
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(DecimalError::NotANumber);
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() + fraction.len() > MOST_DIGITS {
            return Err(DecimalError::TooLong);
        }
        let is_zero = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
        let sign = if is_zero { "" } else { sign };
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if fraction.is_empty() { "" } else { "." };
        Ok(Self(format!("{sign}{whole}{point}{fraction}")))
    }

    /// Returns the text, with a point.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Moves the point `by` places to the right.
fn shifted(whole: &str, fraction: &str, by: i32) -> (String, String) {
    let places = by.unsigned_abs() as usize;
    if by >= 0 {
        let fraction = format!("{fraction:0<places$}");
        let (moved, rest) = fraction.split_at_checked(places).unwrap_or((&fraction, ""));
        (format!("{whole}{moved}"), rest.to_owned())
    } else {
        let whole = format!("{whole:0>places$}");
        let (rest, moved) = whole.split_at_checked(whole.len().saturating_sub(places)).unwrap_or(("", &whole));
        (rest.to_owned(), format!("{moved}{fraction}"))
    }
}

impl Display for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_typed_with_a_comma_or_a_point_and_kept_exactly() {
        for (typed, kept) in [
            ("4,5", "4.5"),
            ("4.50", "4.50"),
            (" −0,1 ", "-0.1"),
            ("+007", "7"),
            ("-0,0", "0.0"),
            (",5", "0.5"),
            ("1 234 567,25", "1234567.25"),
            ("1\u{202f}234", "1234"),
            ("0.1000000000000000055511151231", "0.1000000000000000055511151231"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(Decimal::parse(typed).map(|number| number.to_string()), Ok(kept.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_or_could_be_two_is_refused() {
        for typed in [
            "",
            " ",
            "4,5 env.",
            "1,234.5",
            "1.234.567",
            "4.",
            ".",
            "-",
            "--1",
            "- 1",
            "12 34",
            "1234 567",
            "1  234",
            "4²",
            "½",
            "1e3",
            "NaN",
            "inf",
            "0x1f",
            "٣",
            "1_000",
            "4,-5",
            "4, 5",
        ] {
            assert_eq!(Decimal::parse(typed), Err(DecimalError::NotANumber), "{typed}");
        }
        assert_eq!(Decimal::parse(&"9".repeat(31)), Err(DecimalError::TooLong));
    }

    #[test]
    fn numbers_of_json_may_have_an_exponent() {
        for (json, kept) in [
            ("4.50", "4.50"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("1.5E+2", "150"),
            ("1.2345e2", "123.45"),
            ("-12.5e-3", "-0.0125"),
            ("1e-07", "0.0000001"),
            ("0e30", "0"),
        ] {
            assert_eq!(Decimal::from_json(json).map(|number| number.to_string()), Ok(kept.to_owned()), "{json}");
        }
        for wrong in ["", "-", "1.", ".5", "1e", "1e+", "1,5", "0x1", "1e1.5", "1e+-1", "1 "] {
            assert_eq!(Decimal::from_json(wrong), Err(DecimalError::NotANumber), "{wrong}");
        }
        for long in ["1e31", "1e-31", "1e300", "12e29", "1.5e-30"] {
            assert_eq!(Decimal::from_json(long), Err(DecimalError::TooLong), "{long}");
        }
    }
}
