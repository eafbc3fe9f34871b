//! People who sign in: their e-mail address, password and settings.

mod email;

pub use email::{Email, EmailError, folded as folded_email, shown as shown_email};

use super::text::{self, TextError};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// The row id of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

keyed! {
    /// A language of the pages. The key is its BCP 47 tag, which is also the name of the file in `locales/`.
    #[derive(Default)]
    pub enum Language {
        /// English.
        #[default]
        En = "en",
        /// French.
        Fr = "fr",
    }
}

impl Language {
    /// Returns the language that an `Accept-Language` header prefers, or English if it accepts none of them (RFC 9110
    /// §12.5.4).
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0.0, Self::default());
        for range in header.split(',') {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
            let weight: f32 = match parts.find_map(|part| part.trim().strip_prefix("q=")) {
                Some(q) => q.trim().parse().unwrap_or(0.0),
                None => 1.0,
            };
            if let Some(language) = Self::from_key(&primary)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

keyed! {
    /// How a user wants the pages to look.
    #[derive(Default)]
    pub enum Theme {
        /// The theme of the device.
        #[default]
        System = "system",
        /// Dark text on a light background.
        Light = "light",
        /// Light text on a dark background.
        Dark = "dark",
    }
}

/// The minimum length in characters of a password that is the only factor (NIST SP 800-63B-4 §3.1.1.2, S5).
pub const SHORTEST_PASSWORD: usize = 15;
/// The maximum length of a password in bytes; longer ones are refused before they are hashed (S5).
pub const LONGEST_PASSWORD: usize = 1024;

/// A password in plain text, to be hashed or checked. It is never stored, logged or shown.
///
/// It is the same on every keyboard: composed (NFC), and with all kinds of spaces as ASCII spaces (OpaqueString, RFC
/// 8265, section 4.2).
#[derive(Clone)]
pub struct Password {
    text: String,
    /// The password as sent, if it differs: older hashes are of this form.
    sent: Option<String>,
}

impl Password {
    /// Takes a password for signing in. White space at its ends is part of it.
    ///
    /// # Errors
    /// [`PasswordError::TooLong`] above [`LONGEST_PASSWORD`] bytes.
    pub fn given(typed: String) -> Result<Self, PasswordError> {
        if typed.len() > LONGEST_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        if typed.is_ascii() {
            return Ok(Self { text: typed, sent: None });
        }
        let spaced = typed.chars().map(|c| if c.is_whitespace() && !c.is_control() { ' ' } else { c });
        let text: String = spaced.nfc().collect();
        Ok(Self { sent: Some(typed).filter(|sent| *sent != text), text })
    }

    /// Takes a new password: at least [`SHORTEST_PASSWORD`] characters of any kind, without rules of composition, but
    /// not easy to guess and not one of the `own` words (name, e-mail address).
    ///
    /// # Errors
    /// [`PasswordError`] says what is wrong with it.
    pub fn chosen(typed: String, own: &[&str]) -> Result<Self, PasswordError> {
        if typed.is_empty() {
            return Err(PasswordError::Empty);
        }
        let password = Self::given(typed)?;
        if password.text.chars().count() < SHORTEST_PASSWORD {
            return Err(PasswordError::TooShort);
        }
        if password.is_easily_guessed(own) {
            return Err(PasswordError::Guessable);
        }
        Ok(password)
    }

    /// Returns the bytes to hash.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Returns the bytes of each form that a stored hash may have. Their number depends on what was typed, and reveals
    /// nothing about any account.
    pub fn forms(&self) -> impl Iterator<Item = &[u8]> {
        [Some(&self.text), self.sent.as_ref()].into_iter().flatten().map(|text| text.as_bytes())
    }

    /// Returns whether it is one of the first passwords that an attacker would guess: few different characters,
    /// sequences of the keyboard or alphabet, one common word repeated, or the user's own name or address.
    fn is_easily_guessed(&self, own: &[&str]) -> bool {
        const RUNS: [&str; 4] = [
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
            "01234567890123456789012345678901234567890",
            "qwertyuiopasdfghjklzxcvbnm",
            "azertyuiopqsdfghjklmwxcvbn",
        ];
        const WORDS: [&str; 8] =
            ["password", "motdepasse", "jeton", "welcome", "bienvenue", "changeme", "admin", "letmein"];
        let folded = text::fold(&self.text);
        let mut different: Vec<char> = folded.chars().collect();
        different.sort_unstable();
        different.dedup();
        let reversed: String = folded.chars().rev().collect();
        let is_run = RUNS.iter().any(|run| run.contains(&folded) || run.contains(&reversed));
        let is_word = WORDS.iter().any(|word| {
            let rest = folded.replace(word, "");
            rest.len() < folded.len() && rest.chars().all(|c| !c.is_alphabetic()) && rest.chars().count() < 6
        });
        different.len() < 5 || is_run || is_word || own.iter().any(|word| folded == text::fold(word))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a password is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Nothing was entered.
    #[error("empty")]
    Empty,
    /// Fewer than [`SHORTEST_PASSWORD`] characters.
    #[error("shorter than {SHORTEST_PASSWORD} characters")]
    TooShort,
    /// More than [`LONGEST_PASSWORD`] bytes.
    #[error("longer than {LONGEST_PASSWORD} bytes")]
    TooLong,
    /// It is easy to guess.
    #[error("easily guessed")]
    Guessable,
}

/// Reads a person's name, 1 to 100 characters.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn name(typed: &str) -> Result<String, TextError> {
    text::line(typed)
}

/// A user as pages need them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address in its stored form ([`Email::as_str`]).
    pub email: String,
    /// Their language; `None` for that of the browser.
    pub language: Option<Language>,
    /// The IANA name of their time zone.
    pub time_zone: String,
    /// Their theme.
    pub theme: Theme,
    /// Sessions of an earlier generation have ended.
    pub session_generation: i64,
    /// Whether they have the role of installation administrator.
    pub is_installation_admin: bool,
    /// Whether the operator has blocked the account.
    pub is_blocked: bool,
    /// Whether single keys do something in lists.
    pub has_shortcuts: bool,
}

/// The settings that a user changes together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: Email,
    /// Their language; `None` for that of the browser.
    pub language: Option<Language>,
    /// The IANA name of their time zone.
    pub time_zone: String,
    /// Their theme.
    pub theme: Theme,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_weights_of_the_header() {
        assert_eq!(Language::from_accept_language("fr-CA,fr;q=0.9,en;q=0.8"), Language::Fr);
        assert_eq!(Language::from_accept_language("de, en;q=0.3, fr;q=0.7"), Language::Fr);
        assert_eq!(Language::from_accept_language("en-GB"), Language::En);
        assert_eq!(Language::from_accept_language("fr;q=0"), Language::En);
        assert_eq!(Language::from_accept_language(",;q=x,\u{0}"), Language::En);
    }

    #[test]
    fn passwords_need_length_rather_than_complexity() {
        let chosen = |typed: &str| Password::chosen(typed.into(), &["Awa Diallo Keita Sow", "awa@example.org"]).err();
        assert_eq!(chosen("a plain sentence of words"), None);
        assert_eq!(chosen(&"mot à mot ".repeat(20)), None);
        assert_eq!(chosen("fourteen chars"), Some(PasswordError::TooShort));
        assert_eq!(chosen(&"x".repeat(1025)), Some(PasswordError::TooLong));
        assert_eq!(chosen(&"e\u{301}a".repeat(7)), Some(PasswordError::TooShort), "counted as it is hashed");
        for guessed in
            ["aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "123456789012345", "passwordpassword1", "awa diallo keita sow"]
        {
            assert_eq!(chosen(guessed), Some(PasswordError::Guessable), "{guessed}");
        }
    }

    #[test]
    fn a_password_is_the_same_on_every_keyboard_and_also_as_sent() {
        let forms = |typed: &str| -> Vec<String> {
            let password = Password::given(typed.into()).unwrap();
            password.forms().map(|form| String::from_utf8(form.to_vec()).unwrap()).collect()
        };
        for plain in ["plain ASCII ", " été à la mer", ""] {
            assert_eq!(forms(plain), [plain]);
        }
        assert_eq!(forms("e\u{301}te\u{301}"), ["été", "e\u{301}te\u{301}"]);
        assert_eq!(forms("mot\u{a0}à\u{202f}mot"), ["mot à mot", "mot\u{a0}à\u{202f}mot"]);
        assert_eq!(forms("ａ\u{200d}b\n"), ["ａ\u{200d}b\n"], "nothing else changes");
        assert_eq!(Password::given("e\u{301}".into()).unwrap().bytes(), "é".as_bytes());
    }

    #[test]
    fn a_password_is_hidden_in_debug_output() {
        let password = Password::given("correct horse battery".into());
        assert!(!format!("{password:?}").contains("horse"));
    }
}
