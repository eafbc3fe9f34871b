//! `/api/v1/access-rules`: the access rules of the token's organization. They take *Platform management: Users*.

use super::resources::{
    ApiError, answer, at, created, limit_of, page, place_of, reader, versioned, wanted_version, writer,
};
use crate::{App, body::Json, errors::WebError, routes::path, source};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::{
    access_rules::{self, ListedRule, Manager, RuleForm},
    recipients::RecipientForm,
};
use domain::permission::ManageUsers;
use serde::{Deserialize, Serialize};

/// A rule in answers.
#[derive(Serialize)]
struct Told {
    id: String,
    level: &'static str,
    kind: String,
    /// Only items at this site and below it.
    site: Option<ToldName>,
    /// Only inspections of this template.
    template: Option<ToldName>,
    recipient: ToldRecipient,
    created_at: String,
    /// The name of whoever made it.
    created_by: String,
    version: i64,
}

#[derive(Serialize)]
struct ToldName {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct ToldRecipient {
    r#type: &'static str,
    id: String,
    name: String,
    /// The name of its organization.
    organization: String,
}

impl From<ListedRule> for Told {
    fn from(ListedRule { stored, recipient, site, template, .. }: ListedRule) -> Self {
        Self {
            id: stored.public_id,
            level: stored.rule.level.key(),
            kind: stored.rule.kind.key().to_owned(),
            site: site.map(|(id, name)| ToldName { id, name }),
            template: template.map(|template| ToldName { id: template.public_id, name: template.name }),
            recipient: ToldRecipient {
                r#type: recipient.recipient.kind().key(),
                id: recipient.id,
                name: recipient.name,
                organization: recipient.organization_name,
            },
            created_at: stored.created_at.rfc3339(),
            created_by: stored.made_by,
            version: stored.version,
        }
    }
}

/// A rule in requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    recipient: WantedRecipient,
    level: String,
    kind: String,
    site: Option<String>,
    template: Option<String>,
}

/// Whom a rule is for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedRecipient {
    r#type: String,
    #[serde(default)]
    id: String,
    /// The slug of another organization.
    #[serde(default)]
    organization: String,
}

impl From<Wanted> for RuleForm {
    fn from(Wanted { recipient, level, kind, site, template }: Wanted) -> Self {
        let WantedRecipient { r#type, id, organization } = recipient;
        Self {
            kind,
            site: site.unwrap_or_default(),
            template: template.unwrap_or_default(),
            recipient: RecipientForm { kind: r#type, id, organization, name: String::new() },
            level,
        }
    }
}

/// The query of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Only rules about items of this kind.
    kind: String,
    cursor: String,
    limit: String,
}

/// `GET /api/v1/access-rules`
pub async fn list(app: App, request: HttpRequest, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = reader::<ManageUsers>(&request).await?;
        let limit = limit_of(&asked.limit)?;
        let after = place_of(&asked.cursor, place)?;
        let kind = Some(asked.kind.as_str()).filter(|kind| !kind.is_empty());
        let all = access_rules::list(&app, &caller, kind).await?;
        let mut found: Vec<ListedRule> =
            all.into_iter().filter(|rule| after.as_ref().is_none_or(|after| place_in(rule) > *after)).collect();
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(place_in).map(|(kind, row)| format!("{kind} {row}"));
        Ok(page(found.into_iter().map(Told::from).collect(), next))
    })
    .await
}

/// The position of a rule in the list: rules are listed by kind, the oldest first.
type Place = (String, i64);

fn place_in(rule: &ListedRule) -> Place {
    (rule.stored.rule.kind.key().to_owned(), rule.stored.rule.id.0)
}

fn place(typed: &str) -> Option<Place> {
    let (kind, row) = typed.split_once(' ')?;
    Some((kind.to_owned(), row.parse().ok()?))
}

/// `POST /api/v1/access-rules`
pub async fn create(
    app: App,
    request: HttpRequest,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageUsers>(&request).await?;
        let form = body?.0.into();
        let id = access_rules::create(&app, &caller, form, source::of(&request)).await?;
        Ok(created(&find(&app, &caller, &id).await?, at(path::API_ACCESS_RULES, &id)))
    })
    .await
}

/// `GET /api/v1/access-rules/{id}`
pub async fn show(app: App, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let rule = find(&app, &reader(&request).await?, &id).await?;
        Ok(versioned(&rule, rule.version))
    })
    .await
}

/// `PUT /api/v1/access-rules/{id}`: the whole rule, as it should be.
pub async fn change(
    app: App,
    request: HttpRequest,
    id: Path<String>,
    body: Result<Json<Wanted>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageUsers>(&request).await?;
        let (form, version) = (body?.0.into(), wanted_version(&request));
        access_rules::change(&app, &caller, &id, form, version, source::of(&request)).await?;
        let rule = find(&app, &caller, &id).await?;
        Ok(versioned(&rule, rule.version))
    })
    .await
}

/// `DELETE /api/v1/access-rules/{id}`
pub async fn delete(app: App, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<ManageUsers>(&request).await?;
        access_rules::delete(&app, &caller, &id, wanted_version(&request), source::of(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

async fn find(app: &App, caller: &Manager, id: &str) -> Result<Told, ApiError> {
    Ok(access_rules::find(app, caller, id).await?.into())
}
