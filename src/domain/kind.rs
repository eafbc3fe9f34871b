//! Kinds: what sorts of items there are, and what may be done with them.
//!
//! Three are built in: a [`PermissionGroup`] each. An organization adds its own, and each action of one becomes a
//! permission of that organization, `<kind>.<action>`.

use super::{
    access::Level,
    permission::{OwnPermission, OwnPermissions, PermissionGroup},
    text,
};
use thiserror::Error;

/// The maximum number of an organization's own kinds.
pub const MOST_KINDS: usize = 50;
/// The maximum number of own actions of a kind.
pub const MOST_ACTIONS: usize = 12;
/// The maximum number of characters in the key of a kind or of an action.
pub const LONGEST_KEY: usize = 32;

/// Words that stand where the key of a kind could, in addresses of pages, of the API or of feeds.
const RESERVED: [&str; 6] = ["new", "search", "kinds", "users", "groups", "sites"];

/// The key of an organization's own kind: 2 to 32 small letters, digits and `_`, beginning with a letter. It never
/// changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindKey(String);

/// The key of an own action; it has the same form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionKey(String);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It is empty.
    #[error("empty")]
    Empty,
    /// It has another form.
    #[error("not of the form of a key")]
    Malformed,
    /// It has a meaning already.
    #[error("reserved")]
    Reserved,
}

fn checked(text: &str) -> Result<&str, KeyError> {
    let is_key = text.len() >= 2
        && text.len() <= LONGEST_KEY
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    match text {
        "" => Err(KeyError::Empty),
        key if is_key => Ok(key),
        _ => Err(KeyError::Malformed),
    }
}

impl KindKey {
    /// Parses the key of an own kind.
    ///
    /// # Errors
    /// What is wrong with it: it is reserved if a built-in kind or an address has it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let key = checked(text)?;
        if PermissionGroup::from_key(key).is_some() || RESERVED.contains(&key) {
            return Err(KeyError::Reserved);
        }
        Ok(Self(key.to_owned()))
    }

    /// Returns its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ActionKey {
    /// Parses the key of an own action.
    ///
    /// # Errors
    /// What is wrong with it: it is reserved if every kind has such an action.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        match CommonAction::from_key(checked(text)?) {
            Some(_) => Err(KeyError::Reserved),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Returns whether a text has the form of the key of an action, of any kind's.
    pub fn has_form(text: &str) -> bool {
        checked(text).is_ok()
    }

    /// Returns its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

keyed! {
    /// The actions that every own kind has.
    pub enum CommonAction {
        /// See items.
        View = "view",
        /// Create and change items.
        Edit = "edit",
        /// Delete items.
        Delete = "delete",
        /// Share items.
        Share = "share",
    }
}

impl CommonAction {
    /// Returns whether it only reads.
    pub const fn reads(self) -> bool {
        matches!(self, Self::View)
    }

    /// Returns the level on the item that it needs.
    pub const fn level(self) -> Level {
        match self {
            Self::View => Level::View,
            Self::Edit => Level::Edit,
            Self::Delete | Self::Share => Level::Manage,
        }
    }
}

/// An action that an organization has added to one of its kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAction {
    /// Its key.
    pub key: ActionKey,
    /// Its name.
    pub name: String,
    /// Whether it only reads.
    pub reads: bool,
}

impl OwnAction {
    /// Returns the level on the item that it needs.
    pub const fn level(&self) -> Level {
        if self.reads { Level::View } else { Level::Edit }
    }
}

/// A kind of an organization's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its key.
    pub key: KindKey,
    /// The name of one item.
    pub singular: String,
    /// The name of several, by which the kind is called.
    pub plural: String,
    /// Its own actions, in the order of forms, after [`CommonAction::ALL`].
    pub actions: Vec<OwnAction>,
}

impl Kind {
    /// Iterates over the permissions that its actions become, in the order of forms.
    pub fn permissions(&self) -> impl Iterator<Item = OwnPermission> {
        let common = CommonAction::ALL.into_iter().map(|action| (action.key(), action.reads()));
        let own = self.actions.iter().map(|action| (action.key.as_str(), action.reads));
        common.chain(own).map(|(action, reads)| OwnPermission::new(&self.key, action, reads))
    }
}

/// Returns the permissions that these kinds become.
pub fn permissions<'a>(kinds: impl IntoIterator<Item = &'a Kind>) -> OwnPermissions {
    kinds.into_iter().flat_map(Kind::permissions).collect()
}

/// Returns whether a built-in kind has this name in a language of the pages, ignoring case and accents: another kind of
/// the same name would be mistaken for it.
pub fn is_name_of_built_in(name: &str) -> bool {
    matches!(
        text::fold(name).as_str(),
        "templates"
            | "inspections"
            | "assets"
            | "platform management"
            | "modèles"
            | "actifs"
            | "gestion de la plateforme"
    )
}

/// A kind as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKind {
    /// The row.
    pub id: i64,
    /// The kind.
    pub kind: Kind,
    /// Its version, incremented by each change.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_form() {
        let (long, too_long) = ("k".repeat(LONGEST_KEY), "k".repeat(LONGEST_KEY + 1));
        for key in ["invoices", "ab", "a1", "a_", "vaccination_sessions_2", &long] {
            assert!(KindKey::parse(key).is_ok() && ActionKey::parse(key).is_ok(), "{key}");
        }
        for key in
            ["a", "1a", "_a", "Invoices", "in voices", "in-voices", "in.voices", "fâctures", "a\u{301}b", &too_long]
        {
            assert_eq!(KindKey::parse(key), Err(KeyError::Malformed), "{key}");
            assert_eq!(ActionKey::parse(key), Err(KeyError::Malformed), "{key}");
        }
        assert_eq!(KindKey::parse(""), Err(KeyError::Empty));
        for key in ["platform", "templates", "inspections", "assets", "new", "search", "users"] {
            assert_eq!(KindKey::parse(key), Err(KeyError::Reserved), "{key}");
        }
        for key in ["view", "edit", "delete", "share"] {
            assert_eq!(ActionKey::parse(key), Err(KeyError::Reserved), "{key}");
        }
    }

    #[test]
    fn each_action_becomes_a_permission_that_says_whether_it_reads() {
        let action = |key: &str, reads| OwnAction { key: ActionKey::parse(key).unwrap(), name: key.into(), reads };
        let kind = Kind {
            key: KindKey::parse("invoices").unwrap(),
            singular: "Invoice".into(),
            plural: "Invoices".into(),
            actions: vec![action("download", true), action("approve", false)],
        };
        let keys: Vec<String> = kind.permissions().map(|permission| permission.key().to_owned()).collect();
        let all = ["view", "edit", "delete", "share", "download", "approve"];
        assert_eq!(keys, all.map(|action| format!("invoices.{action}")));
        let reading = permissions([&kind]).filter(OwnPermission::reads);
        assert_eq!(reading.to_text(), "invoices.download:r invoices.view:r");
        assert_eq!(kind.actions.iter().map(OwnAction::level).collect::<Vec<_>>(), [Level::View, Level::Edit]);
    }
}
