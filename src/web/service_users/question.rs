//! Confirmations before something is done to a token: a page of its own or, for htmx, a dialog.

use super::{Admin, adding::Full, rotation::Overlap};
use crate::{
    errors::WebError,
    form::Refused,
    page::{page, see},
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::problem::{Field, Problem};
use askama::Template;
use domain::service_user::ServiceToken;

/// The parts of an address: the organization and the token.
pub(super) type TokenPath = Path<(String, String)>;

/// A confirmation, with its effects.
pub(super) struct Confirm {
    pub(super) t: Texts,
    pub(super) csrf: String,
    pub(super) action: String,
    pub(super) title: &'static str,
    pub(super) heading: String,
    pub(super) text: Vec<String>,
    pub(super) submit: &'static str,
    pub(super) is_destructive: bool,
    pub(super) cancel: String,
    pub(super) is_dialog: bool,
    /// The value that makes this form unique, if it creates a key.
    pub(super) nonce: Option<String>,
    pub(super) asks_password: bool,
    pub(super) errors: Errors,
    /// Whether the action is still possible; otherwise only the way back is offered.
    pub(super) is_possible: bool,
    pub(super) full: Option<Full>,
    /// The choices about an old key beside a new one.
    pub(super) overlap: Option<Overlap>,
}

impl Confirm {
    pub(super) fn new(at: &Admin, token: &ServiceToken, part: &str, is_dialog: bool) -> Self {
        let shell = at.shell(Nav::Integrations);
        Self {
            t: shell.t,
            csrf: shell.csrf,
            action: path::service_token_part(at.slug(), &token.public_id, part),
            title: "",
            heading: String::new(),
            text: Vec::new(),
            submit: shell.t.service_end_confirm(),
            is_destructive: false,
            cancel: path::service_token(at.slug(), &token.public_id),
            is_dialog,
            nonce: None,
            asks_password: false,
            errors: Errors::default(),
            is_possible: true,
            full: None,
            overlap: None,
        }
    }

    /// Returns the question as a page, or as a dialog if htmx asks.
    ///
    /// # Errors
    /// When the template fails.
    pub(super) fn ask(self, at: &Admin) -> Result<HttpResponse, WebError> {
        if self.is_dialog {
            page(&ConfirmDialog { confirm: self })
        } else {
            page(&ConfirmPage { shell: at.shell(Nav::Integrations), confirm: self })
        }
    }

    /// Shows the confirmation again, with the reason why it was refused.
    ///
    /// # Errors
    /// When the template fails.
    pub(super) fn ask_again(self, at: &Admin, refused: &Refused) -> Result<HttpResponse, WebError> {
        let errors = Errors::new(self.t, &refused.problems);
        refused.page(&ConfirmPage { shell: at.shell(Nav::Integrations), confirm: Self { errors, ..self } })
    }

    /// Shows the confirmation of a new key again, with the reason why no key was created.
    ///
    /// # Errors
    /// When the template fails.
    pub(super) fn ask_for_key_again(self, at: &Admin, refused: &Refused) -> Result<HttpResponse, WebError> {
        let at_form = refused.problems.at(Field::Form);
        let mut errors = Errors::new(self.t, &refused.problems);
        if at_form == Some(Problem::SentBefore) {
            errors = errors.reworded("form", self.t.service_end_sent_before());
        }
        if self.full.is_some() {
            // The list of tokens that could be revoked says the same and more.
            errors = Errors::default();
        }
        let confirm = Self {
            is_possible: self.is_possible && matches!(at_form, None | Some(Problem::TryLater(_) | Problem::KeptForm)),
            asks_password: self.asks_password || refused.problems.at(Field::Password).is_some(),
            errors,
            ..self
        };
        refused.page(&ConfirmPage { shell: at.shell(Nav::Integrations), confirm })
    }
}

/// Redirects to the page of the token if there is nothing to confirm.
pub(super) fn to_token(at: &Admin, ids: &TokenPath) -> Result<HttpResponse, WebError> {
    Ok(see(&path::service_token(at.slug(), &ids.1)))
}

/// The question as a page.
#[derive(Template)]
#[template(path = "service_users/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    confirm: Confirm,
}

/// The question as a dialog.
#[derive(Template)]
#[template(path = "service_users/_dialog.html")]
struct ConfirmDialog {
    confirm: Confirm,
}
