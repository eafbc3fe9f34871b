//! Choices of selections.

pub use super::answers::Choice;
use domain::{access::SiteId, site::Site, text::searchable};
use std::collections::HashMap;

impl Choice {
    /// Creates a choice; `chosen` is the value that is chosen.
    pub fn of(value: &str, words: impl Into<String>, chosen: &str) -> Self {
        Self { value: value.to_owned(), words: words.into(), is_chosen: value == chosen }
    }
}

/// Returns the sites, each with those that it is in, and before them the choice of none.
pub fn site_choices(all: &[Site], chosen: &str, none: &str) -> Vec<Choice> {
    let sites: HashMap<SiteId, &Site> = all.iter().map(|site| (site.id, site)).collect();
    let way = |site: &Site| {
        let above = std::iter::successors(Some(site), |site| sites.get(&site.parent?).copied());
        let mut way: Vec<&str> = above.map(|site| site.name.as_str()).collect();
        way.reverse();
        way.join(" › ")
    };
    let mut found: Vec<Choice> = all.iter().map(|site| Choice::of(&site.public_id, way(site), chosen)).collect();
    found.sort_by_cached_key(|choice| searchable(&choice.words));
    found.insert(0, Choice::of("", none, chosen));
    found
}
