//! Forms as browsers send them.

use super::{App, body, errors::WebError, page::page_with, session::SignedIn};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{StatusCode, header::RETRY_AFTER},
    web::Bytes,
};
use app::{
    AppError,
    problem::{Field, Problem, Problems},
};
use askama::Template;
use serde::{Deserialize, de::DeserializeOwned};
use std::{future::Future, pin::Pin};

/// The maximum length of a form, in bytes (R8).
pub const LARGEST: usize = 16 * 1024;
/// The same for a signed-in user: enough to choose all permissions of an organization with as many kinds and actions as
/// there can be.
pub const LARGEST_OF_USER: usize = 80 * 1024;

/// A form of a signed-in user: it contains the token of their session (C1). A field that is a `Vec` takes all values
/// that the form has under its name, such as those of checkboxes; any other field that is repeated is refused.
#[derive(Debug)]
pub struct Form<T>(pub T);

/// A form of a verb, with fields that only its page knows, such as the button that was pressed.
#[derive(Debug)]
pub struct FormWith<T, U>(pub T, pub U);

/// A form that is sent before anybody is signed in, where the origin check is the only possible one, or by a program.
#[derive(Debug)]
pub struct OpenForm<T>(pub T);

/// A form that was refused. It is shown again with what was typed and what is wrong.
#[derive(Debug)]
pub struct Refused {
    /// What is wrong.
    pub problems: Problems,
    status: StatusCode,
    retry_after: Option<u64>,
}

impl Refused {
    /// Converts a verb's error into problems of the form that was sent.
    ///
    /// # Errors
    /// The error itself, if it is not about the form.
    pub fn new(error: AppError) -> Result<Self, WebError> {
        let later = |status, seconds| Self {
            problems: Problems::one(Field::Form, Problem::TryLater(seconds)),
            status,
            retry_after: Some(seconds),
        };
        match error {
            AppError::Invalid(problems) => {
                Ok(Self { problems, status: StatusCode::UNPROCESSABLE_ENTITY, retry_after: None })
            }
            AppError::TooManyAttempts(seconds) => Ok(later(StatusCode::TOO_MANY_REQUESTS, seconds)),
            AppError::Busy(seconds) => Ok(later(StatusCode::SERVICE_UNAVAILABLE, seconds)),
            other => Err(other.into()),
        }
    }

    /// Returns the page with the form.
    ///
    /// # Errors
    /// When the template fails.
    pub fn page(&self, template: &impl Template) -> Result<HttpResponse, WebError> {
        let mut response = page_with(self.status, template)?;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        Ok(response)
    }
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, WebError>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = with_token(request, payload);
        Box::pin(async move { Ok(Self(parse(&body.await?)?)) })
    }
}

impl<T: DeserializeOwned + 'static, U: DeserializeOwned + 'static> FromRequest for FormWith<T, U> {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = with_token(request, payload);
        Box::pin(async move {
            let body = body.await?;
            Ok(Self(parse(&body)?, parse(&body)?))
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for OpenForm<T> {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = body::read(request, payload, body::FORM, LARGEST);
        Box::pin(async move { Ok(Self(parse(&body.await?)?)) })
    }
}

/// Reads the body of a form that has the token of its sender's session.
fn with_token(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Bytes, WebError>> + use<> {
    let (request, body) = (request.clone(), body::read(request, payload, body::FORM, LARGEST_OF_USER));
    async move {
        let body = body.await?;
        let token: Token = parse(&body)?;
        let who = SignedIn::known(&request).ok_or(WebError::SignedOut)?;
        let jeton = request.app_data::<App>().ok_or(WebError::StaleForm)?;
        let is_known = app::forms::is_token(jeton, &who.actor, &token.csrf);
        if is_known { Ok(body) } else { Err(WebError::StaleForm) }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, WebError> {
    serde_html_form::from_bytes(body).map_err(|error| WebError::BrokenForm(error.to_string()))
}
