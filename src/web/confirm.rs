//! Confirmations before something is done: a page of its own or, for htmx, a dialog.
//!
//! A handler describes the question as a [`Confirm`], whose frame is the same everywhere. What only one question asks
//! for, such as a reason, is a template of its own, which [`Confirm::with`] adds.

use super::{errors::WebError, form::Refused, page::page, shell::Shell, words::Errors};
use actix_web::HttpResponse;
use askama::Template;

/// A confirmation: what would happen, and a button that does it.
pub struct Confirm<F = NoFields> {
    /// The title of the page.
    pub title: String,
    /// The question, as a heading.
    pub heading: String,
    /// Why it was not done, or cannot be.
    pub refusal: Option<String>,
    /// What would happen, one paragraph each.
    pub text: Vec<String>,
    /// Fields that only this question has.
    pub fields: F,
    /// Whether the password is required.
    pub asks_password: bool,
    /// What was wrong with the form.
    pub errors: Errors,
    /// The address that the form is sent to.
    pub action: String,
    /// What the user can do.
    pub offer: Offer,
    /// The link that leaves everything as it is.
    pub cancel: String,
}

/// What a confirmation lets the user do, with the text of the button or link.
pub enum Offer {
    /// Do it.
    Do(&'static str),
    /// Do it, although that ends something.
    End(&'static str),
    /// Only go back.
    Back(&'static str),
}

/// No fields of its own.
#[derive(Template)]
#[template(source = "", ext = "html")]
pub struct NoFields;

#[derive(Template)]
#[template(path = "confirm/page.html")]
struct ConfirmPage<F: Template> {
    shell: Shell,
    confirm: Confirm<F>,
}

#[derive(Template)]
#[template(path = "confirm/_dialog.html")]
struct ConfirmDialog<F: Template> {
    shell: Shell,
    confirm: Confirm<F>,
}

impl Default for Confirm {
    fn default() -> Self {
        Self {
            title: String::new(),
            heading: String::new(),
            refusal: None,
            text: Vec::new(),
            fields: NoFields,
            asks_password: false,
            errors: Errors::default(),
            action: String::new(),
            offer: Offer::Do(""),
            cancel: String::new(),
        }
    }
}

impl<F> Confirm<F> {
    /// Adds fields.
    pub fn with<G>(self, fields: G) -> Confirm<G> {
        let Self { title, heading, refusal, text, fields: _, asks_password, errors, action, offer, cancel } = self;
        Confirm { title, heading, refusal, text, fields, asks_password, errors, action, offer, cancel }
    }

    /// Leaves only the heading, the reason why it cannot be done, and a link back with this text.
    pub fn impossible(self, why: Option<String>, back: &'static str) -> Confirm {
        Confirm {
            refusal: why,
            text: Vec::new(),
            asks_password: false,
            offer: Offer::Back(back),
            ..self.with(NoFields)
        }
    }
}

impl<F: Template> Confirm<F> {
    const fn is_possible(&self) -> bool {
        !matches!(self.offer, Offer::Back(_))
    }

    /// Asks on a page, or in a dialog if htmx does.
    ///
    /// # Errors
    /// When the template fails.
    pub fn ask(self, shell: Shell, is_dialog: bool) -> Result<HttpResponse, WebError> {
        if is_dialog {
            page(&ConfirmDialog { shell, confirm: self })
        } else {
            page(&ConfirmPage { shell, confirm: self })
        }
    }

    /// Asks again, with what was wrong.
    ///
    /// # Errors
    /// When the template fails.
    pub fn ask_again(self, shell: Shell, refused: &Refused) -> Result<HttpResponse, WebError> {
        let errors = Errors::named(shell.t, &shell.kinds, &refused.problems);
        self.ask_again_with(shell, refused, errors)
    }

    /// Asks again, with what was wrong in the words of this question.
    ///
    /// # Errors
    /// When the template fails.
    pub fn ask_again_with(self, shell: Shell, refused: &Refused, errors: Errors) -> Result<HttpResponse, WebError> {
        let refusal = errors.at("form").map(str::to_owned).or(self.refusal);
        refused.page(&ConfirmPage { shell, confirm: Self { refusal, errors, ..self } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(source = "<i>{{ self.0 }}</i>", ext = "html")]
    struct Field(String);

    #[test]
    fn names_are_escaped_once_wherever_they_are() {
        let name = "“<b>” & co".to_owned();
        let confirm = Confirm {
            heading: name.clone(),
            text: vec![name.clone()],
            cancel: "/x?y=1&z".into(),
            offer: Offer::End("Delete"),
            ..Confirm::default()
        };
        let dialog = ConfirmDialog { shell: Shell::default(), confirm: confirm.with(Field(name)) }.render().unwrap();
        for part in ["<h2 id=\"dialog-title\">NAME</h2>", "<p>NAME</p>", "<i>NAME</i>", "href=\"/x?y=1&#38;z\""] {
            let part = part.replace("NAME", "“&#60;b&#62;” &#38; co");
            assert!(dialog.contains(&part), "{part} is not in {dialog}");
        }
    }

    #[test]
    fn what_is_impossible_offers_only_the_way_back() {
        let confirm = Confirm { text: vec!["Effects".into()], asks_password: true, ..Confirm::default() };
        let confirm = confirm.impossible(Some("Reason".into()), "Back");
        let page = ConfirmDialog { shell: Shell::default(), confirm }.render().unwrap();
        assert!(page.contains("Reason") && page.contains(">Back</a>"), "{page}");
        for absent in ["Effects", "<form", "<input", "<button"] {
            assert!(!page.contains(absent), "{absent} is in {page}");
        }
    }
}
