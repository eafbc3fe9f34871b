//! What is wrong with a long form, above it: it takes the focus, and each message leads to its field.

use super::{texts::Texts, words::Errors};

/// The messages of a form that was refused.
pub struct Summary {
    /// What happened to the form as a whole.
    pub title: String,
    /// The id of each wrong field, and what is wrong with it.
    pub links: Vec<(String, String)>,
}

impl Summary {
    /// Creates the summary of `errors`, of which `more` are about fields that have no name of their own. None if
    /// nothing is wrong.
    pub fn new(t: Texts, errors: &Errors, more: Vec<(String, String)>) -> Option<Self> {
        let is_whole = |name: &str| matches!(name, "form" | "questions" | "answers");
        let named = errors.iter().filter(|(name, _)| !is_whole(name));
        let mut links: Vec<(String, String)> =
            named.map(|(name, words)| (name.to_owned(), t.forms_at(field_label(t, name), words))).collect();
        links.extend(more);
        let title = match errors.at("form") {
            Some(words) => words.to_owned(),
            None if links.is_empty() => return None,
            None => t.forms_not_saved(links.len()),
        };
        Some(Self { title, links })
    }
}

/// The label of a field that forms with a summary have.
fn field_label(t: Texts, name: &str) -> &'static str {
    match name {
        "description" => t.items_description(),
        "site" => t.items_site(),
        "external_id" => t.common_external_id(),
        "template" => t.items_template(),
        _ => t.common_name(),
    }
}
