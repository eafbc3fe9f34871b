//! People who sign in: their e-mail address, password and settings.

use super::text::{self, TextError};
use thiserror::Error;

/// The row id of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// A language that Jeton speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Language {
    /// Every language, in the order of menus.
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];

    /// The BCP 47 tag, which is also the name of the file in `locales/`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// The language with this tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The language that an `Accept-Language` header likes best, English if it likes none of ours (RFC 9110 §12.5.4).
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
            if let Some(language) = Self::from_tag(&primary)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// How a user wants the pages to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the device says.
    #[default]
    System,
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

impl Theme {
    /// Every theme, in the order of menus.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in forms, pages and the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.key() == key)
    }
}

/// An e-mail address, which is what a user signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address: something before and after one `@`, no white space or control characters, 254 bytes at most
    /// (RFC 5321 §4.5.3.1.3). Whether mail arrives there is for mail to find out.
    ///
    /// # Errors
    /// [`EmailError`] when it does not look like an address.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        let address = typed.trim();
        if address.is_empty() {
            return Err(EmailError::Empty);
        }
        let (local, host) = address.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"' | '@');
        let host_is_odd = host.starts_with('.') || host.ends_with('.') || host.contains("..");
        if local.is_empty()
            || host.is_empty()
            || host_is_odd
            || address.len() > 254
            || local.contains(odd)
            || host.contains(odd)
        {
            return Err(EmailError::Malformed);
        }
        Ok(Self(address.to_owned()))
    }

    /// The address as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address folded for comparison: two users cannot have addresses that differ only in case.
    pub fn folded(&self) -> String {
        text::fold(&self.0)
    }
}

/// Why an e-mail address cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EmailError {
    /// Nothing was entered.
    #[error("empty")]
    Empty,
    /// It is not of the form `name@host`.
    #[error("not an e-mail address")]
    Malformed,
}

/// Fewest characters of a password that is the only factor (NIST SP 800-63B-4 §3.1.1.2, S5).
pub const SHORTEST_PASSWORD: usize = 15;
/// Most bytes of a password; longer ones are refused before they are hashed (S5).
pub const LONGEST_PASSWORD: usize = 1024;

/// A password in plain text, on its way to be hashed or checked. It is never stored, logged or shown.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes a password that somebody signs in with. It is compared byte for byte, white space included.
    ///
    /// # Errors
    /// [`PasswordError::TooLong`] above [`LONGEST_PASSWORD`] bytes.
    pub fn given(typed: String) -> Result<Self, PasswordError> {
        if typed.len() > LONGEST_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(typed))
    }

    /// Takes a password that somebody chooses: [`SHORTEST_PASSWORD`] characters or more, any of them, no rules of
    /// composition, but nothing that everybody would guess first and not one of the `own` words (name, e-mail address).
    ///
    /// # Errors
    /// [`PasswordError`] says what is wrong with it.
    pub fn chosen(typed: String, own: &[&str]) -> Result<Self, PasswordError> {
        if typed.is_empty() {
            return Err(PasswordError::Empty);
        }
        let password = Self::given(typed)?;
        if password.0.chars().count() < SHORTEST_PASSWORD {
            return Err(PasswordError::TooShort);
        }
        if password.is_easily_guessed(own) {
            return Err(PasswordError::Guessable);
        }
        Ok(password)
    }

    /// The bytes to hash.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Passwords of the allowed length that guessing begins with: few different characters, runs along the keyboard or
    /// alphabet, one common word repeated, or the user's own name or address.
    fn is_easily_guessed(&self, own: &[&str]) -> bool {
        const RUNS: [&str; 4] = [
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
            "01234567890123456789012345678901234567890",
            "qwertyuiopasdfghjklzxcvbnm",
            "azertyuiopqsdfghjklmwxcvbn",
        ];
        const WORDS: [&str; 8] =
            ["password", "motdepasse", "jeton", "welcome", "bienvenue", "changeme", "admin", "letmein"];
        let folded = text::fold(&self.0);
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

/// Why a password cannot be taken.
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
    /// One of those that are guessed first.
    #[error("easily guessed")]
    Guessable,
}

/// A person's name, 1 to 100 characters.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn name(typed: &str) -> Result<String, TextError> {
    text::line(typed)
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
    fn addresses_need_one_at_sign_with_something_on_both_sides() {
        assert_eq!(Email::parse(" Awa@Example.org ").map(|e| e.folded()), Ok("awa@example.org".into()));
        for wrong in ["awa", "awa@", "@example.org", "a b@example.org", "a@b@c", "a@.org", "a\n@example.org", "a@b..c"]
        {
            assert_eq!(Email::parse(wrong), Err(EmailError::Malformed), "{wrong:?}");
        }
    }

    #[test]
    fn passwords_are_long_rather_than_complicated() {
        let chosen = |typed: &str| Password::chosen(typed.into(), &["Awa Diallo Keita Sow", "awa@example.org"]).err();
        assert_eq!(chosen("a plain sentence of words"), None);
        assert_eq!(chosen(&"mot à mot ".repeat(20)), None);
        assert_eq!(chosen("fourteen chars"), Some(PasswordError::TooShort));
        assert_eq!(chosen(&"x".repeat(1025)), Some(PasswordError::TooLong));
        for guessed in
            ["aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "123456789012345", "passwordpassword1", "awa diallo keita sow"]
        {
            assert_eq!(chosen(guessed), Some(PasswordError::Guessable), "{guessed}");
        }
    }

    #[test]
    fn a_password_never_shows_itself() {
        let password = Password::given("correct horse battery".into());
        assert!(!format!("{password:?}").contains("horse"));
    }
}
