//! Forward-auth: a reverse proxy asks about each request before it hands it on.

use super::bearer;
use crate::{app::verify::Accepted, domain::access::Demand};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
};

const SUBJECT: HeaderName = HeaderName::from_static("jeton-subject");
const ORGANIZATION: HeaderName = HeaderName::from_static("jeton-organization");
const SCOPE: HeaderName = HeaderName::from_static("jeton-scope");
const PERMISSIONS: HeaderName = HeaderName::from_static("jeton-permissions");

/// Headers in which proxies tell the method of the request that they ask about.
static METHOD_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-forwarded-method")];

/// `/verify`: 200 with whom the token speaks for in headers, or 401 or 403 with the reason.
///
/// The request changes something if its own method, or any that a proxy tells, is not one that only reads: a client may
/// forge such a header, and then it can only narrow what it may do.
pub async fn verify(request: HttpRequest) -> HttpResponse {
    let demand = Demand { write: writes(&request), ..Demand::default() };
    match bearer::authenticate(&request, demand).await {
        Ok(accepted) => allowed(&accepted),
        Err(error) => error.head().finish(),
    }
}

fn writes(request: &HttpRequest) -> bool {
    let told = METHOD_HEADERS.iter().flat_map(|name| request.headers().get_all(name));
    let told_to_write = |method: &[u8]| !Method::from_bytes(method).is_ok_and(|method| reads(&method));
    !reads(request.method()) || told.into_iter().any(|value| told_to_write(value.as_bytes()))
}

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn allowed(accepted: &Accepted) -> HttpResponse {
    let identity = accepted.identity();
    HttpResponse::Ok()
        .insert_header((SUBJECT, identity.subject.name.as_str()))
        .insert_header((ORGANIZATION, &*identity.organization_slug))
        .insert_header((SCOPE, HeaderValue::from_static(identity.scope.oauth())))
        .insert_header((PERMISSIONS, &*identity.permission_keys))
        .finish()
}
