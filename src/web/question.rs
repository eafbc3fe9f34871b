//! Confirmations before something is done to somebody: a page of its own or, for htmx, a dialog.

use super::{errors::WebError, form::Refused, page::page, shell::Shell, texts::Texts, words::Errors};
use actix_web::HttpResponse;
use askama::Template;

/// A question: what would happen, and a button that makes it happen.
pub struct Question {
    /// The texts.
    pub t: Texts,
    /// The form token.
    pub csrf: String,
    /// The title.
    pub title: String,
    /// The question itself.
    pub heading: String,
    /// What would happen, a paragraph each.
    pub lines: Vec<String>,
    /// Where the form goes.
    pub action: String,
    /// The words on the button.
    pub submit: &'static str,
    /// Whether something ends by it.
    pub is_destructive: bool,
    /// Where it leads to leave everything as it is.
    pub cancel: String,
    /// Whether the password is needed.
    pub asks_password: bool,
    /// Why it cannot be done; then there is no button.
    pub refusal: Option<String>,
    /// What was wrong with the form.
    pub errors: Errors,
    /// Whether it stands in a dialog.
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
