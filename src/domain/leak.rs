//! Leaked API keys, and keys entered where they do not belong: how to recognize them, and where they were found.

use super::token::{KEY_LENGTH, kind_of_key};
use std::ops::Range;
use url::{Url, form_urlencoded};

/// A regular expression that finds every key, of any kind, in any text. It has no anchors, as keys also appear right
/// after other letters. A match that Jeton did not create does not end with its checksum of six characters. `jtn_m_` is
/// reserved for tokens of built-in integrations, so that scanners need not be changed for them.
pub const PATTERN: &str = "jtn_[psm]_[0-9A-Za-z]{38}";
/// What every key begins with.
const BEGINNING: &str = "jtn_";
/// The maximum length of a place in characters.
const LONGEST: usize = 300;
/// The number of characters after the prefix: 32 secret ones, and a checksum of 6, which can be computed.
const BODY: usize = 38;
/// With this many of them, the rest is easy enough to guess that it protects nothing.
const MOST: usize = 20;

/// Returns where [`PATTERN`] matches, or would match if the end were not missing and the first letter were not a
/// capital one.
fn findings(text: &str) -> Vec<Range<usize>> {
    let found = text.match_indices(&BEGINNING[1..]).filter_map(|(at, rest)| {
        let start = at.checked_sub(1).filter(|start| matches!(text.as_bytes().get(*start), Some(b'j' | b'J')))?;
        let behind = text.get(at + rest.len()..)?;
        let body = ["p_", "s_", "m_"].into_iter().find_map(|kind| behind.strip_prefix(kind))?;
        let length = body.bytes().take(BODY).take_while(u8::is_ascii_alphanumeric).count();
        (length >= MOST).then_some(start..text.len() - body.len() + length)
    });
    found.collect()
}

/// Returns whether a text has an API key in it, or so much of one that the rest could be guessed.
pub fn holds_key(text: &str) -> bool {
    !findings(text).is_empty()
}

/// Replaces each API key in a text from a stranger with `jtn_…`.
pub fn without_keys(text: &str) -> String {
    let mut clean = text.to_owned();
    for range in findings(text).into_iter().rev() {
        clean.replace_range(range, "jtn_…");
    }
    clean
}

/// The escaped forms of the underscore of a key, in Markdown, JSON and HTML.
const UNDERSCORES: [&str; 7] = ["\\_", "\\u005f", "\\u005F", "&#95;", "&#x5f;", "&#x5F;", "&lowbar;"];

/// Returns all API keys in a text, each once, whatever is around them: a quote, the end of a line, or the encoding of
/// an address or page must not prevent a revocation. Only keys with a valid checksum are returned.
pub fn keys_in(text: &str) -> Vec<String> {
    let plain = UNDERSCORES.iter().fold(text.to_owned(), |text, written| text.replace(written, "_"));
    // Twice, for an address inside another one.
    let once = percent_decoded(&plain);
    let twice = percent_decoded(&once);
    let mut keys: Vec<String> = [plain, once, twice].iter().flat_map(|text| plain_keys(text)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn plain_keys(text: &str) -> impl Iterator<Item = String> {
    let candidates = text.match_indices(BEGINNING).filter_map(|(at, _)| text.get(at..at + KEY_LENGTH));
    candidates.filter(|key| kind_of_key(key).is_ok()).map(str::to_owned)
}

fn percent_decoded(text: &str) -> String {
    let pairs = form_urlencoded::parse(text.as_bytes());
    pairs.fold(String::new(), |decoded, (name, value)| decoded + &name + " " + &value + " ")
}

/// Returns where a key was found, as the activity log and pages may show it: the address of a web page, without user,
/// query and fragment, which often have keys in them. Returns `None` if it is not such an address, or still has a key
/// in it.
pub fn place(told: &str) -> Option<String> {
    let mut url = Url::parse(told.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_query(None);
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    if names_a_key(url.path()) {
        url.set_path("");
    }
    let (text, is_cut) = (url.as_str(), url.as_str().chars().nth(LONGEST).is_some());
    let text: String = text.chars().take(LONGEST).chain(is_cut.then_some('…')).collect();
    (!names_a_key(&text)).then_some(text)
}

/// Returns whether a part of an address has anything like an API key in it, also if it is encoded.
pub fn names_a_key(part: &str) -> bool {
    [part, &percent_decoded(part)].into_iter().any(|text| text.to_ascii_lowercase().contains(BEGINNING))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{ApiKey, TokenKind};
    use regex::Regex;

    #[test]
    fn the_published_expression_finds_exactly_the_keys() {
        let pattern = Regex::new(PATTERN).unwrap();
        let found = |text: &str| pattern.find(text).map(|found| found.as_str().to_owned());
        for round in 0..10_000 {
            let kind = [TokenKind::Personal, TokenKind::Service][round % 2];
            let key = ApiKey::mint(kind, |buffer| getrandom::fill(buffer).unwrap());
            let key = key.reveal();
            for (before, after) in [("", ""), ("Bearer ", "\n"), ("key=", "&x=1"), ("\"", "\","), ("TOKEN_", " ")] {
                assert_eq!(found(&format!("{before}{key}{after}")).as_deref(), Some(key));
            }
            assert_eq!(found(&key[..key.len() - 1]), None);
            assert_eq!(found(&key[1..]), None);
            assert_eq!(found(&key.replacen("jtn_", "jtn-", 1)), None);
        }
    }

    #[test]
    fn keys_are_found_whatever_surrounds_them() {
        let mint = |kind| ApiKey::mint(kind, |buffer| getrandom::fill(buffer).unwrap()).reveal().to_owned();
        let (key, other) = (mint(TokenKind::Personal), mint(TokenKind::Service));
        let escaped = |underscore: &str| key.replace('_', underscore);
        for text in [
            key.clone(),
            format!(" {key}\r\n"),
            format!("\u{feff}{key}\u{a0}"),
            format!("Bearer {key}"),
            format!("Authorization: Bearer {key}."),
            format!("“{key}”, '{key}'"),
            format!("<code class=\"k\">{key}</code>"),
            format!("https://example.org/?key={key}&x=1#{key}"),
            format!("xyz{key}xyz"),
            format!("jtn_p_{key}"),
            format!("jtn_{key}"),
            format!("é{key}é"),
            escaped("%5F"),
            escaped("%255f"),
            format!("https://example.org/?next=%2F%3Fkey%3D{}%26x", escaped("%5f")),
            escaped("\\_"),
            escaped("&#95;"),
            format!("{{\"key\":\"{}\"}}", escaped("\\u005f")),
            key.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        ] {
            assert_eq!(keys_in(&text), std::slice::from_ref(&key), "{text}");
        }
        let both = keys_in(&format!("A={key}\nB={other}\nA={key}"));
        assert!(both.len() == 2 && both.contains(&key) && both.contains(&other), "{both:?}");
        for nothing in ["", "jtn_", &key[..43], &key[1..], &key.replace('_', "-"), &key.to_uppercase(), "jtn_é_"] {
            assert!(keys_in(nothing).is_empty(), "{nothing}");
        }
        let mistyped = format!("{}{}", &key[..10], key[10..].chars().rev().collect::<String>());
        assert!(keys_in(&mistyped).is_empty());
    }

    #[test]
    fn keys_are_recognized_in_texts_and_removed() {
        let mint = |kind| ApiKey::mint(kind, |buffer| getrandom::fill(buffer).unwrap());
        let (one, other) = (mint(TokenKind::Personal), mint(TokenKind::Service));
        let (one, other) = (one.reveal(), other.reveal());
        for text in [
            one.to_owned(),
            format!("Bearer {one}\r\n"),
            format!("é\"{one}\",jtn_{other}x"),
            format!("TOKEN_{other}{one}"),
            format!("x=jtn_p_jtn_p_&jtn_é{one}"),
            format!("jtn_s_short {other}"),
        ] {
            assert!(holds_key(&text));
            let clean = without_keys(&text);
            assert!(!holds_key(&clean) && !clean.contains(&one[8..30]) && !clean.contains(&other[8..30]), "{clean}");
        }
        for most in [&one[..38], &one[..26], &one.replacen("jtn", "Jtn", 1)] {
            assert_eq!((holds_key(most), without_keys(most).as_str()), (true, "jtn_…"), "{most}");
        }
        for none in ["", "jtn_", "jtn_p_", "jtn_p_…", &one[..25], &one[1..], "jtn_x_0000000000000000000000"] {
            assert_eq!((holds_key(none), without_keys(none).as_str()), (false, none));
        }
    }

    #[test]
    fn a_place_is_an_address_without_secrets() {
        let key = ApiKey::mint(TokenKind::Personal, |buffer| buffer.fill(0));
        let key = key.reveal();
        let page = "https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt";
        assert_eq!(place(page).as_deref(), Some(page));
        let bare = Some("https://example.org/a".to_owned());
        for told in [
            "https://example.org/a?key=x".to_owned(),
            format!(" https://example.org/a#{key}"),
            format!("https://ann:{key}@example.org/a?{key}"),
        ] {
            assert_eq!(place(&told), bare, "{told}");
        }
        let root = Some("https://example.org/".to_owned());
        for path in [key.to_owned(), key.replace("jtn_", "%6Atn%5F"), key.replace("jtn", "JTN"), format!("a/x{key}y/b")]
        {
            assert_eq!(place(&format!("https://example.org/{path}")), root, "{path}");
        }
        assert_eq!(place("https://example.org/a\r\nb\u{202e}c").as_deref(), Some("https://example.org/ab%E2%80%AEc"));
        for nothing in
            ["", "a.txt", "javascript:alert(1)", "file:///etc/passwd", &format!("https://{key}.example.org/")]
        {
            assert_eq!(place(nothing), None, "{nothing}");
        }
        let long = place(&format!("https://example.org/{}", "a".repeat(5_000))).unwrap();
        assert!(long.ends_with("a…") && long.chars().count() == LONGEST + 1);
    }
}
