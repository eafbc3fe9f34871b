//! Forms that are sent after the session in which they were opened has ended: nothing is done, and what was typed comes
//! back.
//!
//! If nobody is signed in, the answer is a sign-in page at the form's own address. It contains what was typed, sealed
//! (`app::forms`). After sign-in, the form is shown again, filled in and with an explanation, so that the user can
//! check and send it. If somebody has signed in again already, in another tab, the form comes back immediately, but
//! only to the same user: for anybody else it is refused, as is a form that does not say whom it was opened for.
//!
//! A form comes back through its own handler, which is prevented from writing (`app::forms::only_shown`), so it shows
//! what it was sent, as it does for any error. Forms without typed values redirect to the page that they are on.

use super::{
    App,
    body::{self, FORM, Received},
    errors::WebError,
    form,
    page::{is_htmx, see},
    routes::path,
    session::{self, SignedIn},
    sign_in,
};
use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::Bytes,
};
use app::{
    AppError,
    forms::{Fields, Restored, is_kept, only_shown},
};

/// The maximum length of a sign-in form that carries another form, in bytes: the sealed form, an e-mail address and a
/// password.
const LARGEST: usize = 32 * 1024;
/// The maximum length of a long form, in bytes: a list of 10,000 names and addresses, encoded.
const LARGEST_LONG: usize = 2 * 1024 * 1024;

/// The middleware between [`session::recognize`] and the handlers.
///
/// # Errors
/// Those of the handlers.
pub async fn middleware(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method() != Method::POST {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let sent = receive(&mut request).await;
    let fields: Fields =
        sent.as_ref().map(|body| url::form_urlencoded::parse(body).into_owned().collect()).unwrap_or_default();
    if value(&fields, sign_in::KEPT).is_some() {
        return sign_in_again(request, next, &fields).await;
    }
    if is_of_other_session(request.request(), &fields) {
        return show(request, next, fields).await;
    }
    request.extensions_mut().insert(Received(sent));
    let answer = next.call(request).await?.map_into_boxed_body();
    Ok(if is_signed_out(&answer) { ask_to_sign_in(answer, &fields) } else { answer })
}

/// Reads the body. Only a form that carries another one may be larger than other forms, and those of signed-in users.
async fn receive(request: &mut ServiceRequest) -> Result<Bytes, WebError> {
    let (request, payload) = request.parts_mut();
    if SignedIn::known(request).is_some() {
        // Nobody but members sends thousands of addresses or hundreds of questions.
        let largest = if path::takes_much(request.path()) { LARGEST_LONG } else { form::LARGEST_OF_USER };
        return body::read(request, payload, FORM, largest).await;
    }
    let body = body::read(request, payload, FORM, LARGEST).await?;
    let brings_another = || url::form_urlencoded::parse(&body).any(|(name, _)| name == sign_in::KEPT);
    if body.len() > form::LARGEST && !brings_another() { Err(WebError::TooLarge) } else { Ok(body) }
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

/// Returns whether the signed-in user opened this form in another session.
fn is_of_other_session(request: &HttpRequest, fields: &Fields) -> bool {
    let (Some(jeton), Some(who)) = (request.app_data::<App>(), SignedIn::known(request)) else { return false };
    let is_theirs =
        value(fields, "csrf").is_some_and(|token| app::forms::is_of_other_session(jeton, &who.actor, token));
    is_theirs && path::form_page(request.path()).is_some()
}

fn is_signed_out(answer: &ServiceResponse<BoxBody>) -> bool {
    let error = answer.response().error().and_then(|error| error.as_error::<WebError>());
    matches!(error, Some(WebError::SignedOut | WebError::App(AppError::SignedOut)))
}

/// Returns the sign-in page, with what was typed if there is anything to keep.
fn ask_to_sign_in(answer: ServiceResponse<BoxBody>, fields: &Fields) -> ServiceResponse<BoxBody> {
    let request = answer.request();
    let Some(jeton) = request.app_data::<App>().filter(|_| !is_htmx(request)) else { return answer };
    let token = value(fields, "csrf").unwrap_or_default();
    let kept = path::form_page(request.path()).and_then(|_| app::forms::keep(jeton, token, request.path(), fields));
    match kept.map(|kept| sign_in::ask(request, jeton, kept)) {
        Some(Ok(page)) => answer.into_response(page),
        Some(Err(error)) => answer.error_response(error),
        None => answer,
    }
}

/// Signs in at the address of a kept form, and shows the form.
async fn sign_in_again(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    fields: &Fields,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(jeton) = request.app_data::<App>().cloned() else {
        return Ok(request.error_response(WebError::SignedOut));
    };
    let typed = |name| value(fields, name).unwrap_or_default().to_owned();
    let typed = sign_in::Typed::again(typed("email"), typed("password"), typed(sign_in::KEPT));
    let (who, cookies) = match sign_in::enter(request.request(), &jeton, &typed).await {
        Ok(entered) => entered,
        Err(error) => {
            return Ok(match sign_in::again(request.request(), &jeton, typed, error) {
                Ok(page) => request.into_response(page),
                Err(error) => request.error_response(error),
            });
        }
    };
    let mut answer = match app::forms::restore(&jeton, &who.actor, request.path(), typed.kept()) {
        Restored::Fields(fields) => show(request, next, fields).await?,
        Restored::TooOld => to_form_page(request),
        Restored::NotTheirs => request.into_response(see(path::HOME)),
    };
    for cookie in &cookies {
        answer.response_mut().add_cookie(cookie)?;
    }
    Ok(answer)
}

/// Returns the form as its handler shows it, without doing what it asks for.
async fn show(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    mut fields: Fields,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(who) = SignedIn::known(request.request()) else { return Ok(request.error_response(WebError::SignedOut)) };
    fields.retain(is_kept);
    if fields.is_empty() {
        return Ok(to_form_page(request));
    }
    fields.push(("csrf".to_owned(), who.form_token().to_owned()));
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.extensions_mut().insert(Received(Ok(body.into())));
    session::note_kept_form(request.request());
    let answer = only_shown(next.call(request)).await?.map_into_boxed_body();
    let error = answer.response().error().and_then(|error| error.as_error::<WebError>());
    if matches!(error, Some(WebError::App(AppError::Invalid(_)))) {
        let page = form_page(answer.request().path());
        return Ok(answer.into_response(see(&page)));
    }
    Ok(answer)
}

fn to_form_page(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    let page = form_page(request.path());
    request.into_response(see(&page))
}

fn form_page(action: &str) -> String {
    path::form_page(action).unwrap_or_else(|| path::HOME.to_owned())
}
