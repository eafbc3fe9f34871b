//! What every page carries round its content: language, theme, who is signed in, and where they are.

use super::texts::Texts;
use crate::domain::user::{Language, Theme};

/// The frame of a page; templates reach it as `shell`, and its texts as `shell.t`.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The texts in the reader's language.
    pub t: Texts,
    /// The reader's choice of colours.
    pub theme: Theme,
    /// Who is signed in, if anybody.
    pub user: Option<ShellUser>,
    /// The entry of the navigation that this page belongs to.
    pub nav: Nav,
    /// Whether this server shows demonstration data.
    pub demo: bool,
    /// The form token of this session; empty where there is no session.
    pub csrf: String,
    /// The query of this address without its language, ready to be followed by `lang=`.
    pub query: String,
}

impl Shell {
    /// The frame for somebody who is not signed in, or of whom that is not known.
    pub fn outside(t: Texts, theme: Theme, demo: bool) -> Self {
        Self { t, theme, user: None, nav: Nav::None, demo, csrf: String::new(), query: String::new() }
    }

    /// Whether to say in the language menu that this language is the current one.
    pub fn speaks(&self, language: &Language) -> bool {
        self.t.0 == *language
    }
}

/// The signed-in user, as the top bar names them.
#[derive(Clone, Debug)]
pub struct ShellUser {
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// The organization that the user is working in.
    pub organization: String,
}

impl ShellUser {
    /// The first letters of the first and of the last word of the name: "AD" for Awa Diallo, "A" for Awa.
    pub fn initials(&self) -> String {
        let mut letters = self.name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
        let first = letters.next();
        first.into_iter().chain(letters.next_back()).flat_map(char::to_uppercase).collect()
    }
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nav {
    /// A page outside the navigation.
    #[default]
    None,
    /// Account settings: name, e-mail, language, time zone, theme.
    Profile,
    /// Account settings: the password.
    Security,
    /// Account settings: where the user is signed in.
    Sessions,
    /// Account settings: personal API tokens.
    Tokens,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_the_first_and_the_last_word() {
        let initials = |name: &str| {
            ShellUser { name: name.to_owned(), email: String::new(), organization: String::new() }.initials()
        };
        assert_eq!(initials("Awa Diallo"), "AD");
        assert_eq!(initials("  élodie  de la “Tour”"), "ÉT");
        assert_eq!(initials("Awa"), "A");
        assert_eq!(initials("—"), "");
    }
}
