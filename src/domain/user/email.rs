//! E-mail addresses: one person has one account, however a keyboard or browser encodes their address.
//!
//! The domain is stored, compared and mailed in ASCII (UTS #46), which browsers send for a typed umlaut, and shown in
//! its own letters. Only its mail server interprets the local part: one that is not ASCII is stored as typed (NFC), and
//! mailed with SMTPUTF8 (RFC 6531), which servers with such addresses support.

use crate::{
    leak,
    text::{self, TextError},
};
use icu_properties::{CodePointMapData, props::Script};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// The maximum length of an address in bytes (RFC 5321, section 4.5.3.1.3), and of its local part.
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

/// An e-mail address, with which a user signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

/// Why an e-mail address is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EmailError {
    /// Nothing was entered.
    #[error("empty")]
    Empty,
    /// It is not of the form `name@host`.
    #[error("not an e-mail address")]
    Malformed,
    /// It has something that no text may have.
    #[error(transparent)]
    Text(TextError),
}

impl Email {
    /// Reads a new address of a user, which must be valid for mail (RFC 5321, section 4.1.2, without quotes; RFC 6531).
    /// Only mail can show whether it exists.
    ///
    /// # Errors
    /// [`EmailError`] if it does not look like an address.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        let email = Self::known(typed)?;
        let (local, domain) = parts(&email.0).ok_or(EmailError::Malformed)?;
        if let Some(hidden) = text::hidden(local) {
            return Err(EmailError::Text(TextError::Hidden(hidden)));
        }
        if leak::holds_key(typed) {
            return Err(EmailError::Text(TextError::Key));
        }
        let is_local = local.len() <= LONGEST_LOCAL && local.split('.').all(is_atom);
        let is_address = is_local && ascii(domain).is_some() && email.0.len() <= LONGEST;
        if is_address { Ok(email) } else { Err(EmailError::Malformed) }
    }

    /// Reads an address that somebody may already have, even one that [`Email::parse`] no longer accepts.
    ///
    /// # Errors
    /// [`EmailError`] if it does not have one `@` with something before and after it, or has what no address was ever
    /// allowed to have.
    pub fn known(typed: &str) -> Result<Self, EmailError> {
        let typed = typed.trim_matches(text::is_blank);
        if typed.is_empty() {
            return Err(EmailError::Empty);
        }
        let (local, domain) = parts(typed).ok_or(EmailError::Malformed)?;
        let odd = |c: char| text::is_blank(c) || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"' | '@');
        let is_odd = local.contains(odd) || domain.contains(odd) || domain.split('.').any(str::is_empty);
        if local.is_empty() || is_odd || typed.len() > LONGEST {
            return Err(EmailError::Malformed);
        }
        let local: String = local.nfc().collect();
        let domain = ascii(domain).unwrap_or_else(|| domain.nfc().collect());
        Ok(Self(format!("{local}@{domain}")))
    }

    /// Returns the address as it is stored and mailed: the local part as typed, the domain in ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address folded for comparison: two users cannot have addresses that differ only in case.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Returns a stored address folded for comparison.
pub fn folded(address: &str) -> String {
    Email::known(address).map_or_else(|_| address.to_lowercase(), |email| email.folded())
}

/// Returns a stored address as people read it: the domain in its own letters, unless it could be mistaken for another
/// one.
pub fn shown(address: &str) -> String {
    let Some((local, domain)) = parts(address) else { return address.to_owned() };
    let (domain, read) = Uts46::new().to_user_interface(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::Allow,
        |label, top, is_bidi| !is_bidi && is_unmistakable(label, top),
    );
    if read.is_ok() { format!("{local}@{domain}") } else { address.to_owned() }
}

fn parts(address: &str) -> Option<(&str, &str)> {
    address.rsplit_once('@')
}

/// Returns the ASCII form of a domain, if it is valid.
fn ascii(domain: &str) -> Option<String> {
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Verify);
    Some(ascii.ok()?.into_owned())
}

/// Returns whether it is a valid piece between the dots of a local part (RFC 5322, section 3.2.3, and RFC 6531, section
/// 3.3).
fn is_atom(piece: &str) -> bool {
    let is_atext = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    !piece.is_empty() && piece.chars().all(is_atext)
}

/// Returns whether a label is unlikely to be mistaken for another one. Readers expect Latin letters with accents;
/// letters of other scripts must not be mixed with Latin ones, and those that look like them need a top-level domain in
/// their own script.
fn is_unmistakable(label: &[char], top: &[char]) -> bool {
    let scripts = |label: &[char]| -> Vec<Script> {
        let of = label.iter().map(|c| CodePointMapData::<Script>::new().get(*c));
        let mut scripts: Vec<Script> = of.filter(|one| !matches!(*one, Script::Common | Script::Inherited)).collect();
        scripts.dedup();
        scripts
    };
    let is_japanese = |one: &Script| matches!(*one, Script::Han | Script::Hiragana | Script::Katakana);
    match scripts(label).as_slice() {
        [] => false,
        [Script::Latin] => label.iter().all(|c| c.is_ascii() || has_accent(*c)),
        [Script::Devanagari | Script::Hangul | Script::Thai] => true,
        [one] if scripts(top) == [*one] => true,
        several => several.iter().all(is_japanese),
    }
}

/// Returns whether it is an ASCII letter with accents, or another well-known letter.
fn has_accent(c: char) -> bool {
    matches!(c, 'ß' | 'æ' | 'œ' | 'ø' | 'đ' | 'ł' | 'þ' | 'ð')
        || c.nfd().next().is_some_and(|base| base.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_one_at_sign_between_two_parts() {
        assert_eq!(Email::parse(" Awa@Example.org ").map(|e| e.folded()), Ok("awa@example.org".into()));
        for wrong in ["awa", "awa@", "@example.org", "a b@example.org", "a@b@c", "a@.org", "a\n@example.org", "a@b..c"]
        {
            assert_eq!(Email::parse(wrong), Err(EmailError::Malformed), "{wrong:?}");
            assert_eq!(Email::known(wrong), Err(EmailError::Malformed), "{wrong:?}");
        }
        assert_eq!(Email::parse(" \u{a0}"), Err(EmailError::Empty));
    }

    #[test]
    fn an_address_that_mail_cannot_reach_is_refused_but_recognized() {
        let long = format!("{}@example.org", "a".repeat(65));
        for wrong in [
            "mailto:max@example.org",
            "a..b@example.org",
            ".a@example.org",
            "a.@example.org",
            "a(b)@example.org",
            "a@my_host",
            "a@exa mple.org",
            "a@-.org\u{202e}",
            "a@xn--a",
            &long,
        ] {
            assert_eq!(Email::parse(wrong).err(), Some(EmailError::Malformed), "{wrong:?}");
        }
        assert_eq!(folded("Mailto:Max@Example.org"), "mailto:max@example.org");
        assert_eq!(folded("a@My_Host"), "a@my_host");
    }

    #[test]
    fn every_accepted_address_can_be_mailed() {
        for typed in
            ["o'neil+x@example.org", "é@exämple.org", "ann@localhost", "用户@例え.テスト", "a@127.0.0.1", "a/b@x-y.org"]
        {
            let email = Email::parse(typed).expect(typed);
            assert!(email.as_str().parse::<lettre::Address>().is_ok(), "{typed}");
            assert!(email.as_str().rsplit('@').next().is_some_and(str::is_ascii), "{typed}");
        }
    }

    #[test]
    fn a_domain_is_the_same_however_it_is_typed() {
        for typed in [
            "Claire@exämple.org",
            "claire@EXÄMPLE.ORG",
            "claire@exa\u{308}mple.org",
            "claire@xn--exmple-cua.org",
            "claire@XN--EXMPLE-CUA.org",
            "claire@exämple。org",
            "claire@exä\u{ad}mple.org",
        ] {
            assert_eq!(Email::parse(typed).map(|e| e.folded()), Ok("claire@xn--exmple-cua.org".into()), "{typed:?}");
        }
        assert_eq!(
            Email::parse("Claire@Exämple.org").map(|e| e.as_str().to_owned()),
            Ok("Claire@xn--exmple-cua.org".into())
        );
        assert_eq!(Email::parse("e\u{301}@x.org").map(|e| e.folded()), Email::parse("É@x.org").map(|e| e.folded()));
        assert_ne!(Email::parse("straße@x.org").map(|e| e.folded()), Email::parse("strasse@x.org").map(|e| e.folded()));
        assert_ne!(folded("a@straße.de"), folded("a@strasse.de"), "two domains since IDNA 2008");
    }

    #[test]
    fn a_domain_is_shown_in_unicode_unless_that_could_mislead() {
        for safe in
            ["claire@exämple.org", "ann@łódź.pl", "ann@東京.jp", "ann@さくら東京.jp", "ann@почта.рф", "ann@한국.kr"]
        {
            let kept = Email::parse(safe).expect("an address");
            assert!(kept.as_str().is_ascii() && shown(kept.as_str()) == safe, "{safe}: {}", shown(kept.as_str()));
        }
        // аррӏе in only Cyrillic letters, a Cyrillic letter among Latin ones, Greek, a letter that is not an i, a
        // right-to-left script.
        for odd in ["ann@аррӏе.com", "ann@exаmple.org", "ann@ορος.com", "ann@mıx.org", "ann@ɑpple.com", "ann@עברית.com"]
        {
            let kept = Email::parse(odd).expect("an address");
            assert_eq!(shown(kept.as_str()), kept.as_str());
        }
        for plain in ["Ann@example.org", "no address", "a@my_host", "a@xn--a"] {
            assert_eq!(shown(plain), plain);
        }
    }

    #[test]
    fn characters_refused_in_texts_are_refused_in_addresses() {
        let hidden = |c| Err(EmailError::Text(TextError::Hidden(c)));
        for c in ['\u{202e}', '\u{200b}', '\u{ad}', '\u{2066}', '\u{e0041}'] {
            assert_eq!(Email::parse(&format!("an{c}n@example.org")), hidden(c));
        }
        let key = format!("jtn_p_{}@example.org", "0".repeat(38));
        assert_eq!(Email::parse(&key), Err(EmailError::Text(TextError::Key)));
        assert_eq!(Email::parse("a\u{0}b@example.org"), Err(EmailError::Malformed));
    }
}
