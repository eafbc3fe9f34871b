//! Levels of access.

keyed! {
    /// How much access to an item somebody has; each level includes those before it.
    #[derive(PartialOrd, Ord)]
    pub enum Level {
        /// To see it, and for actions that only read.
        View = "view",
        /// To change it.
        Edit = "edit",
        /// To share and delete it.
        Manage = "manage",
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn each_level_includes_those_before_it() {
        assert!(Level::ALL.is_sorted());
        assert_eq!(Level::ALL.map(Level::key), ["view", "edit", "manage"]);
        assert!(Level::ALL.into_iter().all(|level| Level::from_key(level.key()) == Some(level)));
    }
}
