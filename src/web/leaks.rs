//! The endpoint for reports of publicly exposed keys, in the form of GitHub's secret scanning
//! (<https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partner-program>).
//!
//! Anybody may report keys, and learns nothing about any key. GitHub signs its reports, and learns which findings were
//! real.

use super::{App, PublicUrl, body, errors::WebError, finish, routes::path, source, texts::Texts};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Payload},
};
use app::{leaks::Found, mail::Words};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{access::Identity, leak, user::User};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The maximum length of a report, in bytes: enough for a thousand keys with their addresses.
const LARGEST: usize = 1024 * 1024;
/// The maximum number of keys in an unsigned report. GitHub sends as many as it has.
const MOST: usize = 1000;
const KEY_ID: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";

/// A finding: a key, with any text around it. GitHub also sends `source`, which adds nothing to the address.
#[derive(Deserialize)]
struct Find {
    token: String,
    #[serde(default)]
    r#type: String,
    url: Option<String>,
}

/// What GitHub is told about a finding. The hash identifies the key without repeating it.
#[derive(Serialize)]
struct Label {
    token_hash: String,
    token_type: String,
    label: &'static str,
}

/// `GET /api/v1/leaks`: tells scanners how to recognize a key and how to report one.
pub async fn describe(url: Data<PublicUrl>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "pattern": leak::PATTERN,
        "checksum": "The last 6 characters are the CRC-32 (IEEE) of all before them, in base 62 (0-9A-Za-z), highest digit first.",
        "report_to": format!("{}{}", url.0, path::LEAKS),
        "form": [{ "token": "jtn_p_...", "url": "https://example.org/where/it/was/found" }],
        "most": MOST,
    }))
}

/// `POST /api/v1/leaks`: revokes those of the reported keys that are active.
///
/// # Errors
/// Too many reports; an invalid body; when the database fails.
pub async fn report(
    jeton: App,
    url: Data<PublicUrl>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, WebError> {
    let source = source::of(&request);
    app::leaks::take_report(&jeton, &source)?;
    let body = body::read(&request, &mut payload.into_inner(), body::JSON, LARGEST).await?;
    let signature = signature(&request);
    let is_signed = signature.is_some();
    if let Some((id, signature)) = signature
        && !app::leaks::is_of_github(&jeton, id, signature, body.clone()).await?
    {
        return Ok(not_signed(&source.request_id));
    }
    let finds = read(&body)?;
    let found = |find: &Find| Found { keys: leak::keys_in(&find.token), url: find.url.clone() };
    let found: Vec<Found> = finds.iter().map(found).collect();
    let keys: usize = found.iter().map(|found| found.keys.len()).sum();
    if !is_signed && keys.max(finds.len()) > MOST {
        return Ok(too_many(&source.request_id));
    }
    let compose = move |owner: &User, keys: &[Arc<Identity>]| mail(&url.0, owner, keys);
    let real = app::leaks::revoke(jeton.into_inner(), found, source, compose).await?;
    if !is_signed {
        return Ok(HttpResponse::Ok().finish());
    }
    Ok(HttpResponse::Ok().json(finds.into_iter().zip(real).map(label).collect::<Vec<_>>()))
}

fn read(body: &Bytes) -> Result<Vec<Find>, WebError> {
    serde_json::from_slice(body).map_err(|error| WebError::BrokenForm(error.to_string()))
}

/// Returns the id of the signing key and the signature, if there is either: a report with only one of them does not
/// count as signed.
fn signature(request: &HttpRequest) -> Option<(String, String)> {
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap_or_default().to_owned())
    };
    let (id, signature) = (header(KEY_ID), header(SIGNATURE));
    (id.is_some() || signature.is_some()).then(|| (id.unwrap_or_default(), signature.unwrap_or_default()))
}

/// The answer is the same for every body and every missing key.
fn not_signed(request_id: &str) -> HttpResponse {
    let detail = "The signature was not made with a current GitHub key that this server knows.";
    finish::problem(StatusCode::FORBIDDEN, "Signature not accepted", detail, request_id)
}

fn too_many(request_id: &str) -> HttpResponse {
    let detail = format!("A report has {MOST} keys at most: send the others in another report.");
    finish::problem(StatusCode::PAYLOAD_TOO_LARGE, "Too many keys", &detail, request_id)
}

fn label((find, is_real): (Find, bool)) -> Label {
    Label {
        token_hash: BASE64_STANDARD.encode(Sha256::digest(find.token.as_bytes())),
        token_type: find.r#type,
        label: if is_real { "true_positive" } else { "false_positive" },
    }
}

/// The mail to an owner. It does not repeat where the keys were found: anybody may have written that, and a stranger's
/// link does not belong in a mail from Jeton.
fn mail(site: &str, owner: &User, keys: &[Arc<Identity>]) -> Words {
    let t = Texts(owner.language.unwrap_or_default());
    let line = |key: &Arc<Identity>| {
        let page = match key.subject.user {
            Some(_) => path::TOKENS.to_owned(),
            None => path::service_token(&key.subject.organization.slug, &key.token_public_id),
        };
        t.leaks_mail_line(&key.label, &key.token_public_id, &key.subject.organization.name, format!("{site}{page}"))
    };
    let list: Vec<String> = keys.iter().map(line).collect();
    (t.leaks_mail_subject().to_owned(), t.leaks_mail_text(&owner.name, site, list.join("\n\n")))
}

impl Texts {
    /// “because its key was publicly exposed, at https://…”
    pub fn revoked_by_leak(self, place: Option<&str>) -> String {
        match place {
            Some(place) => self.tokens_revoked_by_leak_at(place),
            None => self.tokens_revoked_by_leak().to_owned(),
        }
    }
}
