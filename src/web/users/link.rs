//! The only page that shows a link which gives somebody access.

use crate::{errors::WebError, page::secret_page, shell::Shell};
use actix_web::HttpResponse;
use askama::Template;

/// The page with the link.
#[derive(Template)]
#[template(path = "users/link.html")]
pub struct LinkPage {
    /// The frame.
    pub shell: Shell,
    /// The title.
    pub title: &'static str,
    /// Whose link is ready.
    pub heading: String,
    /// What to do with it, one paragraph each.
    pub lines: Vec<String>,
    /// The complete link.
    pub link: String,
    /// The sentence that it is shown only once.
    pub once: &'static str,
    /// Where to go from here, and its name.
    pub back: String,
    /// The name of that page.
    pub back_name: String,
    /// Where to do the same for somebody else: address and words.
    pub another: Option<(String, &'static str)>,
}

impl LinkPage {
    /// Returns the answer.
    ///
    /// # Errors
    /// When the template fails.
    pub fn show(&self) -> Result<HttpResponse, WebError> {
        secret_page(self)
    }
}
