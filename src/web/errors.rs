//! The answers to people and programs when something fails.
//!
//! An error only says what happened; [`super::finish`] turns it into a page, an htmx fragment or a problem+json body,
//! depending on the request. Internal details go to the log with the request's id, and the answer contains only the id.

use super::{shell::Shell, texts::Texts};
use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use app::{AppError, verify::denied::Unavailable};
use askama::Template;
use domain::access::Refusal;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// A verb failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// Nobody is signed in.
    #[error("signed out")]
    SignedOut,
    /// The organization has a new slug; the requested page is at this path.
    #[error("moved")]
    Moved {
        /// A local path, with its query.
        to: String,
    },
    /// The set-up link is not the one that this server printed.
    #[error("not the set-up link of this server")]
    WrongSetupLink,
    /// The request comes from a page of another site.
    #[error("request from another site")]
    OtherSite,
    /// The request is for a host that is not this server's.
    #[error("unknown host")]
    WrongHost,
    /// The form belongs to a session that is not this one.
    #[error("the form's token is not that of the session")]
    StaleForm,
    /// The body does not have the form that the route expects.
    #[error("the body could not be read: {0}")]
    BrokenForm(String),
    /// A field of JSON, or of the query, does not have the form that the route expects.
    #[error("{field}: {words}")]
    WrongField {
        /// Its name, such as `operations.0.create.name`.
        field: String,
        /// What is wrong with it.
        words: String,
    },
    /// The body is larger than the route allows.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// A page could not be rendered.
    #[error("a page could not be rendered: {0}")]
    Render(#[from] askama::Error),
    /// Tokens cannot be verified right now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::App(error) => match error {
                AppError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                AppError::NotFound => StatusCode::NOT_FOUND,
                AppError::Forbidden(_) | AppError::Refused(_) => StatusCode::FORBIDDEN,
                AppError::SignedOut => StatusCode::UNAUTHORIZED,
                AppError::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
                AppError::Busy(_) | AppError::Clock(_) => StatusCode::SERVICE_UNAVAILABLE,
                error if error.is_passing() => StatusCode::SERVICE_UNAVAILABLE,
                AppError::Storage(_) | AppError::NotEnded(_) | AppError::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::SignedOut => StatusCode::SEE_OTHER,
            // The redirect keeps the method, so a form is sent there unchanged. It is not permanent: the organization
            // may use its former address again.
            Self::Moved { .. } => StatusCode::TEMPORARY_REDIRECT,
            Self::WrongSetupLink | Self::OtherSite | Self::StaleForm => StatusCode::FORBIDDEN,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::BrokenForm(_) | Self::WrongField { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Render(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl WebError {
    /// Returns the number of seconds after which to try again.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::App(AppError::TooManyAttempts(seconds) | AppError::Busy(seconds)) => Some(*seconds),
            Self::App(AppError::Storage(error)) if error.is_away() => Some(2),
            Self::App(error) if error.is_passing() => Some(10),
            Self::Unavailable(_) => Some(1),
            // Somebody has to fix it first.
            Self::App(AppError::Clock(_)) => Some(30),
            _ => None,
        }
    }
}

impl WebError {
    /// Returns whether the cause is logged once elsewhere, and not again for each request: strangers may send many.
    pub fn is_told_elsewhere(&self) -> bool {
        match self {
            Self::App(error) => error.is_passing() || matches!(error, AppError::Busy(_) | AppError::Clock(_)),
            Self::Unavailable(_) => true,
            _ => false,
        }
    }

    /// Returns the explanation for a program, if it says more than the status.
    pub fn detail(&self) -> Option<&'static str> {
        match self {
            Self::App(AppError::NotEnded(_)) => Some(
                "Nothing was revoked or ended: the database cannot be written to, and the token STILL WORKS. Try again after \
                 the number of seconds in the Retry-After header.",
            ),
            Self::App(AppError::Storage(error)) if error.is_passing() && !error.is_away() => Some(
                "The database cannot be used at the moment, and nothing was saved. Try again after the number of seconds in the \
                 Retry-After header.",
            ),
            Self::App(AppError::Clock(_)) => Some(
                "The clock of this server or of its database is not trusted, so nothing can be decided and nothing was saved.",
            ),
            _ => None,
        }
    }
}

/// The page that says what happened.
#[derive(Template)]
#[template(path = "errors/error.html")]
pub struct ErrorPage {
    /// The frame.
    pub shell: Shell,
    /// What happened, in a few words.
    pub title: String,
    /// What it means and what to do.
    pub text: String,
    /// The request id to search the log for; empty if the log has no details.
    pub request_id: String,
    /// The link to continue with: address and text.
    pub back: Option<(String, String)>,
}

/// The same for a request of htmx, to be inserted into a page.
#[derive(Template)]
#[template(path = "errors/_fragment.html")]
pub struct ErrorFragment {
    /// The texts.
    pub t: Texts,
    /// What happened, in a few words.
    pub title: String,
    /// What it means and what to do.
    pub text: String,
    /// The request id to search the log for.
    pub request_id: String,
}

/// Returns the title and text of an error, by its cause if that is known, otherwise by its status. A request that only
/// `reads` has sent nothing that could be lost.
pub fn words(t: Texts, status: StatusCode, error: Option<&WebError>, reads: bool) -> (String, String) {
    let pair = |title: &str, text: &str| (title.to_owned(), text.to_owned());
    match error {
        Some(WebError::WrongSetupLink) => return pair(t.errors_setup_link_title(), t.errors_setup_link_text()),
        Some(WebError::App(AppError::Forbidden(permission))) => {
            return (
                t.errors_permission_title().into(),
                t.errors_permission_text(t.permission_with_group(*permission)),
            );
        }
        Some(WebError::App(AppError::Refused(Refusal::PermissionMissing(permission)))) => {
            return (t.errors_permission_title().into(), t.errors_permission_text(t.any_permission(&[], permission)));
        }
        Some(WebError::App(AppError::Refused(Refusal::LevelMissing(level)))) => {
            return (t.errors_level_title().into(), t.errors_level_text(t.level(*level)));
        }
        Some(WebError::App(AppError::NotEnded(_))) => {
            return pair(t.errors_not_ended_title(), t.errors_not_ended_text());
        }
        Some(WebError::App(AppError::Storage(error))) if error.is_passing() && !error.is_away() => {
            return if reads {
                pair(t.errors_unreadable_title(), t.errors_unreadable_text())
            } else {
                pair(t.errors_unsaved_title(), t.errors_unsaved_text())
            };
        }
        Some(WebError::App(AppError::Clock(_))) => return pair(t.errors_clock_title(), t.errors_clock_text()),
        Some(WebError::OtherSite) => return pair(t.errors_other_site_title(), t.errors_other_site_text()),
        Some(WebError::StaleForm) => return pair(t.errors_stale_form_title(), t.errors_stale_form_text()),
        _ => {}
    }
    match status.as_u16() {
        400 | 422 => pair(t.errors_broken_title(), t.errors_broken_text()),
        401 | 403 => pair(t.errors_forbidden_title(), t.errors_forbidden_text()),
        404 => pair(t.errors_not_found_title(), t.errors_not_found_text()),
        405 => pair(t.errors_method_title(), t.errors_method_text()),
        408 => pair(t.errors_too_slow_title(), t.errors_too_slow_text()),
        413 => pair(t.errors_too_large_title(), t.errors_too_large_text()),
        421 => pair(t.errors_host_title(), t.errors_host_text()),
        429 => {
            let seconds = error.and_then(WebError::retry_after).unwrap_or(60);
            (t.errors_too_many_title().into(), t.errors_too_many_text(seconds))
        }
        503 => pair(t.errors_busy_title(), t.errors_busy_text()),
        _ => pair(t.errors_internal_title(), t.errors_internal_text()),
    }
}
