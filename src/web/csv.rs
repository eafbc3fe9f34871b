//! Tables as text that the reader's spreadsheet opens (RFC 4180), for every export: each cell stays as it is, and
//! opening the file runs nothing (G4).

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderName};
use domain::{time::Timestamp, user::Language};

/// The media type of such a file.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8";
/// The bytes that a file begins with, so that Excel reads it as UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The characters that start a formula, also in full width as Japanese keyboards type them.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫'];
/// The maximum number of digits that every spreadsheet keeps.
const DIGITS: usize = 15;

/// A cell of a table.
pub enum Cell<'a> {
    /// A text or an id: it stays as it is.
    Text(&'a str),
    /// What Jeton itself has written, such as an id, a time or a number in the reader's language: nothing is put before
    /// it, so that a program reads it unchanged, or a spreadsheet reads what it means. It cannot be a formula.
    Plain(&'a str),
    /// A number to calculate with.
    Number(i64),
    /// A moment in UTC, in the form that spreadsheets of all languages read as a date with a time.
    Moment(Timestamp),
}

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub struct Csv {
    separator: char,
    has_mark: bool,
}

impl Csv {
    /// Creates the format for a reader of this language: where the comma is the decimal sign, spreadsheets separate
    /// cells with semicolons.
    pub const fn of(language: Language) -> Self {
        let separator = match language {
            Language::En => ',',
            Language::Fr => ';',
        };
        Self { separator, has_mark: true }
    }

    /// Creates the format for programs, which take a byte order mark for a part of the first column's name.
    pub const fn for_programs() -> Self {
        Self { separator: ',', has_mark: false }
    }

    /// Returns the beginning of a file with these columns.
    pub fn beginning(self, columns: &[&str]) -> String {
        let columns: Vec<Cell<'_>> = columns.iter().map(|name| Cell::Text(name)).collect();
        let mark = if self.has_mark { BYTE_ORDER_MARK.to_string() } else { String::new() };
        format!("{mark}{}", self.line(&columns))
    }

    /// Returns a line of these cells.
    pub fn line(self, cells: &[Cell<'_>]) -> String {
        let mut line = String::new();
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                line.push(self.separator);
            }
            match cell {
                Cell::Text(text) => line.push_str(&format!("\"{}\"", inert(text).replace('"', "\"\""))),
                Cell::Plain(text) => line.push_str(&format!("\"{}\"", text.replace('"', "\"\""))),
                Cell::Number(number) => line.push_str(&number.to_string()),
                Cell::Moment(at) => line.push_str(&at.utc().format("%Y-%m-%d %H:%M:%S").to_string()),
            }
        }
        line.push_str("\r\n");
        line
    }
}

/// Returns the header that makes a browser save an answer as a file of this name, which consists of slugs, dates and
/// fixed words.
pub fn attachment(name: &str) -> (HeaderName, String) {
    (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
}

/// Returns the same JSON without any character in its texts that could begin a formula: they are escaped, so it says the
/// same to whoever reads it as JSON.
pub fn inert_json(json: &str) -> String {
    let (mut inert, mut is_text, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for c in json.chars() {
        if is_text && !is_escaped && FORMULA.contains(&c) {
            inert.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            inert.push(c);
        }
        is_text ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
    }
    inert
}

/// Returns a text that no spreadsheet interprets: an apostrophe precedes anything that would become a number or a date,
/// and every place where a formula could start. That is at the beginning, and after each character that some
/// spreadsheet uses to separate cells: if it is read with the separator of another language, a text is split there,
/// even inside quotes.
fn inert(text: &str) -> String {
    let mut inert = String::from(if would_change(text) { "'" } else { "" });
    let mut is_start = true;
    for (at, c) in text.char_indices() {
        if is_start && begins_formula(&text[at..]) {
            inert.push('\'');
        }
        inert.push(c);
        is_start = matches!(c, ',' | ';' | '|' | '\t' | '\r' | '\n');
    }
    inert
}

/// Spreadsheets ignore white space, and quotes that do not end a cell.
fn begins_formula(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '"').starts_with(FORMULA)
}

/// Returns whether a text would become a date (`1-2`, `2026-11`), a time, a number in scientific notation (`12e34`), or
/// a number without some of its digits (`007`).
fn would_change(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.', ',', ':', ' ', 'e', 'E']).collect();
    let are_digits = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let is_kept = parts.len() == 1 && text.len() <= DIGITS && (text == "0" || !text.starts_with('0'));
    are_digits && parts.len() <= 3 && !is_kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        Csv::of(Language::En).line(&[Cell::Text(text)])
    }

    #[test]
    fn a_table_has_the_separator_of_the_users_language() {
        let cells =
            [Cell::Text("a"), Cell::Number(-5), Cell::Moment(Timestamp::from_seconds(0)), Cell::Text("b,\"c\";d")];
        let line = |language| Csv::of(language).line(&cells);
        assert_eq!(line(Language::En), "\"a\",-5,1970-01-01 00:00:00,\"b,\"\"c\"\";d\"\r\n");
        assert_eq!(line(Language::Fr), "\"a\";-5;1970-01-01 00:00:00;\"b,\"\"c\"\";d\"\r\n");
        assert_eq!(Csv::of(Language::Fr).beginning(&["a", "b"]), "\u{feff}\"a\";\"b\"\r\n");
    }

    #[test]
    fn programs_get_no_mark_and_what_is_plain() {
        let csv = Csv::for_programs();
        assert_eq!(csv.beginning(&["id", "name"]), "\"id\",\"name\"\r\n");
        assert_eq!(
            csv.line(&[Cell::Plain("0123456789"), Cell::Text("0123456789")]),
            "\"0123456789\",\"'0123456789\"\r\n"
        );
    }

    #[test]
    fn no_text_in_json_begins_a_formula() {
        let json = r#"{"a":["-1","=2","@x","say \"=\" + ＝","\\"],"b":-1.5e+3,"=c":"x"}"#;
        let inert = inert_json(json);
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(read(&inert), read(json));
        assert_eq!(inert.matches(FORMULA).collect::<String>(), "-+", "those of the number: {inert}");
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(1)", " =1", "\u{a0}=1", "\"=1+1\"", "＝1", "＋1", "－1", "＠A1", "﹦1"]
        {
            let quoted = formula.replace('"', "\"\"");
            assert_eq!(text(formula), format!("\"'{quoted}\"\r\n"));
            for separator in [",", ";", "|", "\t", "\n", "\r\n", ";,", ";\t"] {
                let cell = text(&format!("x{separator}{formula};y"));
                assert!(cell.contains(&format!("'{quoted}")), "{cell:?}");
            }
        }
        assert_eq!(text("\t=1"), "\"'\t'=1\"\r\n");
        for plain in ["a-b", "a = b", "x@y.org", "1, 2; 3", "R&D", ""] {
            assert_eq!(text(plain), format!("\"{plain}\"\r\n"));
        }
    }

    #[test]
    fn numbers_and_dates_are_kept_as_they_are() {
        for changed in ["2026-11", "1-2", "3/4/26", "12:30", "007", "1.5", "1,5", "1234567890123456", "123e4567", "1 2"]
        {
            assert_eq!(text(changed), format!("\"'{changed}\"\r\n"));
        }
        for kept in ["45", "0", "192.0.2.1", "2001:db8::1", "2026-11-26T20:57:14Z", "7f3e", "e5", "123456789012345"] {
            assert_eq!(text(kept), format!("\"{kept}\"\r\n"));
        }
    }
}
