//! The kinds of items, as far as items and access to them need to know.

/// The key of a kind, which names it within its organization: `[a-z][a-z0-9_]{1,31}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKind(String);

impl ItemKind {
    /// The kinds that each organization has. Only their items are shared across organizations.
    pub const BUILT_IN: [&str; 3] = ["templates", "inspections", "assets"];

    /// Reads a key.
    pub fn parse(key: &str) -> Option<Self> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let starts_well = key.starts_with(|first: char| first.is_ascii_lowercase());
        (starts_well && (2..=32).contains(&key.len()) && key.bytes().all(is_inner)).then(|| Self(key.to_owned()))
    }

    /// Returns the key.
    pub fn key(&self) -> &str {
        &self.0
    }

    /// Returns whether its items are templates.
    pub fn is_templates(&self) -> bool {
        self.key() == "templates"
    }

    /// Returns whether its items are inspections.
    pub fn is_inspections(&self) -> bool {
        self.key() == "inspections"
    }

    /// Returns whether its items are assets.
    pub fn is_assets(&self) -> bool {
        self.key() == "assets"
    }

    /// Returns whether each organization has it.
    pub fn is_built_in(&self) -> bool {
        Self::BUILT_IN.contains(&self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::ItemKind;

    #[test]
    fn a_kind_has_a_plain_key() {
        for key in ["templates", "in", "vaccination_sessions_2", &"a".repeat(32)] {
            assert_eq!(ItemKind::parse(key).as_ref().map(ItemKind::key), Some(key));
        }
        for key in ["", "a", "2nd", "_a", "Invoices", "a-b", "é2", &"a".repeat(33)] {
            assert_eq!(ItemKind::parse(key), None, "{key}");
        }
        let is_built_in = |key| ItemKind::parse(key).is_some_and(|kind| kind.is_built_in());
        assert!(is_built_in("assets") && !is_built_in("invoices"));
    }
}
