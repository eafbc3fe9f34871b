//! Confirmations before something is done to somebody: a page of its own or, for htmx, a dialog.

use super::{errors::WebError, form::Refused, page::page, shell::Shell, texts::Texts, words::Errors};
use actix_web::HttpResponse;
use askama::Template;

/// A confirmation: what would happen, and a button that does it.
pub struct Question {
    /// The texts.
    pub t: Texts,
    /// The form token.
    pub csrf: String,
    /// The title.
    pub title: String,
    /// The question, as a heading.
    pub heading: String,
    /// What would happen, one paragraph each.
    pub lines: Vec<String>,
    /// The address that the form is sent to.
    pub action: String,
    /// The text of the button.
    pub submit: &'static str,
    /// Whether the action ends something.
    pub is_destructive: bool,
    /// The link that leaves everything as it is.
    pub cancel: String,
    /// Whether the password is required.
    pub asks_password: bool,
    /// Why the action is impossible; then there is no button.
    pub refusal: Option<String>,
    /// What was wrong with the form.
    pub errors: Errors,
    /// Whether it is shown in a dialog.
    pub is_dialog: bool,
}

#[derive(Template)]
#[template(path = "question/page.html")]
struct QuestionPage {
    shell: Shell,
    question: Question,
}

#[derive(Template)]
#[template(path = "question/_dialog.html")]
struct QuestionDialog {
    question: Question,
}

impl Question {
    /// The question as a page, or as a dialog if htmx asks.
    ///
    /// # Errors
    /// When the template fails.
    pub fn ask(self, shell: Shell, is_dialog: bool) -> Result<HttpResponse, WebError> {
        let question = Self { is_dialog, ..self };
        if is_dialog { page(&QuestionDialog { question }) } else { page(&QuestionPage { shell, question }) }
    }

    /// The question again, with what was wrong.
    ///
    /// # Errors
    /// When the template fails.
    pub fn ask_again(self, shell: Shell, refused: &Refused) -> Result<HttpResponse, WebError> {
        let errors = Errors::new(shell.t, &refused.problems);
        refused.page(&QuestionPage { shell, question: Self { errors, ..self } })
    }
}
