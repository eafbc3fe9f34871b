//! The list of access rules for a page: searched, filtered and counted.

use super::{CountedRule, ListedRule, Manager, counted, list};
use crate::{Jeton, Result};
use domain::{
    access::{Level, RecipientKind},
    item::ItemKind,
    text::{has_words, words},
};

/// The number of rules on a page.
const PAGE: usize = 25;

/// Which rules, as asked for. What is left out matches everything.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Words that must all be in the names of the recipient, the site and the template.
    pub words: String,
    /// The kind.
    pub kind: Option<ItemKind>,
    /// The level.
    pub level: Option<Level>,
    /// What sort of recipient.
    pub recipient: Option<RecipientKind>,
    /// Whether the recipient belongs to another organization.
    pub is_outside: Option<bool>,
    /// The number of the page, from 1.
    pub page: usize,
}

/// A page of rules.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The rules, by kind, the oldest first.
    pub rules: Vec<CountedRule>,
    /// How many there are on all pages.
    pub total: usize,
    /// The number of the page before it.
    pub previous: Option<usize>,
    /// The number of the page after it.
    pub next: Option<usize>,
}

/// Returns a page of rules. There are few enough to look at each; only those of the page are counted.
///
/// # Errors
/// When the database fails.
pub async fn page(jeton: &Jeton, at: &Manager, asked: Asked) -> Result<Rules> {
    let all = list(jeton, at, asked.kind.as_ref().map(ItemKind::key)).await?;
    let found: Vec<ListedRule> = all.into_iter().filter(|rule| fits(rule, &asked)).collect();
    let (total, pages) = (found.len(), found.len().div_ceil(PAGE).max(1));
    let page = asked.page.clamp(1, pages);
    let rules = found.into_iter().skip((page - 1) * PAGE).take(PAGE).collect();
    Ok(Rules {
        rules: counted(jeton, rules).await?,
        total,
        previous: (page > 1).then(|| page - 1),
        next: (page < pages).then(|| page + 1),
    })
}

fn fits(ListedRule { stored, recipient, site, template, .. }: &ListedRule, asked: &Asked) -> bool {
    let rule = &stored.rule;
    let names = [
        &*recipient.name,
        recipient.email.as_deref().unwrap_or_default(),
        site.as_ref().map_or("", |(_, name)| name),
        template.as_ref().map_or("", |template| &template.name),
    ];
    asked.level.is_none_or(|level| level == rule.level)
        && asked.recipient.is_none_or(|kind| kind == rule.recipient.kind())
        && asked.is_outside.is_none_or(|is_outside| is_outside == stored.outside.is_some())
        && has_words(&names.join(" "), &words(&asked.words))
}
