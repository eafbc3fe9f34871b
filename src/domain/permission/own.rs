//! Permissions that an organization adds with its own kinds.
//!
//! A key means something in one organization only. There, the organization's row lists all of them
//! ([`OwnPermissions`]): a key that is not in the list grants nothing, wherever it is stored.

use crate::kind::{ActionKey, KindKey};
use std::{cmp::Ordering, sync::Arc};

/// After a key in the list of an organization: the permission is of use with read-only access.
const READS: &str = ":r";

/// A permission of an organization's own kind, such as `invoices.approve`. Copies share its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPermission {
    key: Arc<str>,
    reads: bool,
}

impl OwnPermission {
    /// Returns the permission that an action of a kind becomes.
    pub fn new(kind: &KindKey, action: &str, reads: bool) -> Self {
        Self { key: format!("{}.{action}", kind.as_str()).into(), reads }
    }

    /// Returns what a key names, whether or not an organization has it: enough to ask for it or to show it. `None` if
    /// no kind can ever have it.
    pub fn named(key: &str) -> Option<Self> {
        let (kind, action) = key.split_once('.')?;
        let is_key = KindKey::parse(kind).is_ok() && ActionKey::has_form(action);
        is_key.then(|| Self { key: key.into(), reads: false })
    }

    /// Returns its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the key of its kind, and that of the action.
    pub fn parts(&self) -> (&str, &str) {
        self.key.split_once('.').unwrap_or((&self.key, ""))
    }

    /// Returns whether it is of use with read-only access.
    pub const fn reads(&self) -> bool {
        self.reads
    }
}

/// Permissions that an organization has added: all of them, or those that somebody holds. None takes no memory, and
/// copies share theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnPermissions(
    /// By key; never empty.
    Option<Arc<[OwnPermission]>>,
);

impl OwnPermissions {
    /// Reads what [`OwnPermissions::to_text`] wrote.
    pub fn parse(text: &str) -> Self {
        let read = |word: &str| match word.strip_suffix(READS) {
            Some(key) => OwnPermission::named(key).map(|permission| OwnPermission { reads: true, ..permission }),
            None => OwnPermission::named(word),
        };
        text.split_ascii_whitespace().filter_map(read).collect()
    }

    /// Returns the keys and whether each reads, as the organization's row keeps them.
    pub fn to_text(&self) -> String {
        let word =
            |permission: &OwnPermission| format!("{}{}", permission.key, if permission.reads { READS } else { "" });
        self.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// Iterates over them by key.
    pub fn iter(&self) -> std::slice::Iter<'_, OwnPermission> {
        self.0.as_deref().unwrap_or_default().iter()
    }

    /// Returns whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the one with this key.
    pub fn get(&self, key: &str) -> Option<&OwnPermission> {
        let all = self.0.as_deref()?;
        all.binary_search_by(|permission| (*permission.key).cmp(key)).ok().and_then(|at| all.get(at))
    }

    /// Returns these and `others`.
    pub fn with(&self, others: &Self) -> Self {
        match (&self.0, &others.0) {
            (_, None) => self.clone(),
            (None, _) => others.clone(),
            _ => self.iter().chain(others.iter()).cloned().collect(),
        }
    }

    /// Returns those for which `is_kept` holds.
    pub fn filter(&self, is_kept: impl Fn(&OwnPermission) -> bool) -> Self {
        if self.iter().all(&is_kept) { self.clone() } else { self.iter().filter(|one| is_kept(one)).cloned().collect() }
    }

    /// Returns those that are not among `others`.
    pub fn without(&self, others: &Self) -> Self {
        self.filter(|permission| others.get(permission.key()).is_none())
    }
}

impl FromIterator<OwnPermission> for OwnPermissions {
    fn from_iter<I: IntoIterator<Item = OwnPermission>>(permissions: I) -> Self {
        let mut all: Vec<OwnPermission> = permissions.into_iter().collect();
        let by_key = |one: &OwnPermission, other: &OwnPermission| -> Ordering { one.key.cmp(&other.key) };
        all.sort_by(by_key);
        all.dedup_by(|one, other| by_key(one, other).is_eq());
        Self(if all.is_empty() { None } else { Some(all.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_an_organization_is_read_as_it_was_written() {
        let text = "invoices.approve invoices.download:r visits.view:r";
        let all = OwnPermissions::parse(text);
        assert_eq!(all.to_text(), text);
        assert_eq!(OwnPermissions::parse("visits.view:r invoices.download:r invoices.approve visits.view:r"), all);
        assert_eq!(all.get("visits.view").map(OwnPermission::reads), Some(true));
        assert_eq!(all.get("invoices.approve").map(OwnPermission::reads), Some(false));
        assert_eq!(all.get("invoices.pay"), None);
        assert_eq!(OwnPermissions::parse("").to_text(), "");
        assert!(OwnPermissions::parse("").is_empty());
    }

    #[test]
    fn what_no_kind_can_have_is_no_permission() {
        for key in [
            "platform.everything",
            "templates.approve",
            "inspections.view",
            "new.view",
            "invoices",
            "invoices.",
            ".view",
            "Invoices.view",
            "invoices.view.more",
            "invoices.a",
            "1nvoices.view",
            "invoices.view:r",
            "factures.payées",
        ] {
            assert_eq!(OwnPermission::named(key), None, "{key}");
            assert!(OwnPermissions::parse(&key.replace(":r", ":r:r")).is_empty(), "{key}");
        }
        assert_eq!(
            OwnPermission::named("invoices.approve").as_ref().map(OwnPermission::parts),
            Some(("invoices", "approve"))
        );
    }

    #[test]
    fn sums_and_differences_go_by_key() {
        let of = OwnPermissions::parse;
        let (some, others) = (of("invoices.approve invoices.view:r"), of("invoices.view visits.view:r"));
        assert_eq!(some.with(&others).to_text(), "invoices.approve invoices.view:r visits.view:r");
        assert_eq!(some.without(&others).to_text(), "invoices.approve");
        assert_eq!(some.without(&some), OwnPermissions::default());
        assert_eq!(some.with(&OwnPermissions::default()), some);
        assert_eq!(OwnPermissions::default().with(&some), some);
    }
}
