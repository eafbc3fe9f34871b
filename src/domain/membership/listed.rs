//! Lists of people as somebody pastes them: from a mail program, a table or a text, with e-mail addresses or names.

use crate::{
    text::{self, is_blank},
    user::{Email, EmailError},
};

/// The maximum number of people in a list.
pub const MOST_LISTED: usize = 10_000;

/// How somebody is named in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Called {
    /// By an e-mail address, folded for comparison.
    Address(String),
    /// By a name, as searches compare it.
    Name(String),
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// The number of its line, from 1.
    pub line: usize,
    /// What was typed.
    pub typed: String,
    /// Whom it names.
    pub called: Result<Called, EmailError>,
}

/// Reads a list. Line ends, semicolons and commas separate entries, except between quotation marks. An entry is an
/// address, a name, or `Name <address>`. Of a row of a table with addresses in it, only those count.
pub fn read(text: &str) -> Vec<ListEntry> {
    let text = text.replace("\r\n", "\n");
    let mut entries = Vec::new();
    for (line, content) in (1..).zip(text.split(['\n', '\r', '\u{2028}', '\u{2029}'])) {
        for typed in line_entries(content) {
            let typed = typed.trim_matches(is_blank);
            if !typed.is_empty() {
                entries.push(ListEntry { line, typed: typed.to_owned(), called: called(typed) });
            }
        }
    }
    entries
}

fn line_entries(line: &str) -> Vec<&str> {
    let cells: Vec<&str> = line.split('\t').collect();
    let has_addresses = cells.len() > 1 && cells.iter().any(|cell| cell.contains('@'));
    let cells = cells.into_iter().filter(|cell| !has_addresses || cell.contains('@'));
    let groups = cells.flat_map(|cell| split(cell, ';'));
    groups.flat_map(|group| if is_one_mailbox(group) { vec![group] } else { split(group, ',') }).collect()
}

/// Returns whether the commas of a text belong to a name, as in `Diallo, Awa <awa@example.org>`.
fn is_one_mailbox(text: &str) -> bool {
    text.matches('@').count() == 1 && text.trim_end_matches(is_blank).ends_with('>')
}

/// Splits a text at a character that is not between quotation marks.
fn split(text: &str, at: char) -> Vec<&str> {
    let is_quoted = text.matches('"').count().is_multiple_of(2);
    let mut is_inside = false;
    text.split(|c| {
        is_inside ^= is_quoted && c == '"';
        c == at && !is_inside
    })
    .collect()
}

fn called(typed: &str) -> Result<Called, EmailError> {
    if !typed.contains('@') {
        return Ok(Called::Name(text::searchable(typed.trim_matches('"'))));
    }
    let address = match typed.strip_suffix('>').and_then(|begin| begin.rsplit_once('<')) {
        Some((_, address)) => address,
        None => typed,
    };
    let address = address.strip_prefix("mailto:").unwrap_or(address);
    Email::known(address).map(|email| Called::Address(email.folded()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<(usize, String)> {
        let found = read(text).into_iter().map(|entry| match entry.called {
            Ok(Called::Address(address)) => (entry.line, address),
            Ok(Called::Name(name)) => (entry.line, format!("name {name}")),
            Err(_) => (entry.line, format!("wrong {}", entry.typed)),
        });
        found.collect()
    }

    #[test]
    fn lists_are_read_as_mail_programs_tables_and_people_write_them() {
        let expected = |found: &[(usize, &str)]| -> Vec<(usize, String)> {
            found.iter().map(|(line, text)| (*line, (*text).to_owned())).collect()
        };
        for (text, found) in [
            ("a@x.org", &[(1, "a@x.org")][..]),
            (
                "a@x.org, b@x.org;c@x.org\r\nD@X.ORG\n",
                &[(1, "a@x.org"), (1, "b@x.org"), (1, "c@x.org"), (2, "d@x.org")],
            ),
            ("\r\n\r\na@x.org\r\n,;, \r\nb@x.org", &[(3, "a@x.org"), (5, "b@x.org")]),
            ("a@x.org\rb@x.org\u{2028}c@x.org", &[(1, "a@x.org"), (2, "b@x.org"), (3, "c@x.org")]),
            ("Awa Diallo <awa@x.org>, <b@x.org>", &[(1, "awa@x.org"), (1, "b@x.org")]),
            ("\"Diallo, Awa; Dr\" <awa@x.org>, b@x.org", &[(1, "awa@x.org"), (1, "b@x.org")]),
            ("Diallo, Awa <awa@x.org>; Martin, Léa <lea@x.org>", &[(1, "awa@x.org"), (1, "lea@x.org")]),
            ("mailto:a@x.org <mailto:b@x.org>", &[(1, "b@x.org")]),
            ("mailto:a@x.org", &[(1, "a@x.org")]),
            ("Awa\tDiallo\tawa@x.org\t77", &[(1, "awa@x.org")]),
            ("Léa TRAORÉ\nawa", &[(1, "name lea traore"), (2, "name awa")]),
            ("a@x.org b@x.org", &[(1, "wrong a@x.org b@x.org")]),
            ("@x.org\na@", &[(1, "wrong @x.org"), (2, "wrong a@")]),
            ("Bob \"the builder <bob@x.org>, a@x.org", &[(1, "bob@x.org"), (1, "a@x.org")]),
            ("a@exämple.org", &[(1, "a@xn--exmple-cua.org")]),
            (" ,\u{a0};\n\t", &[]),
        ] {
            assert_eq!(addresses(text), expected(found), "{text:?}");
        }
    }
}
