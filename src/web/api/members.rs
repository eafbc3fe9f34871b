//! `/api/v1/{groups,sites}/{id}/members`: who is in a group or site.

use super::resources::{ApiError, Asked, answer, page, reader, writer};
use crate::{App, body::Json, errors::WebError, source};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use app::{
    AppError,
    members::{self, Entry, Gathers, Outcome, Whom, Why, WrongEntry},
};
use domain::{
    membership::{Person, Standing, listed::Called},
    organization::MembershipId,
    paging::PageFrom,
    time::Timestamp,
    user::{Email, EmailError},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// The beginning of the id of a member.
const MEMBERSHIP: &str = "membership:";

/// A member in answers.
#[derive(Serialize, ToSchema)]
pub struct Member {
    /// The id of the subject of their tokens.
    id: String,
    name: String,
    email: String,
    external_id: Option<String>,
    is_active: bool,
    /// When they were added.
    since: String,
}

impl From<(Person, Timestamp)> for Member {
    fn from((person, since): (Person, Timestamp)) -> Self {
        Self {
            id: format!("{MEMBERSHIP}{}", person.membership.0),
            name: person.name,
            email: person.email,
            external_id: person.external_id,
            is_active: person.standing == Standing::Active,
            since: since.rfc3339(),
        }
    }
}

/// People in requests.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = People)]
pub struct Listed {
    #[schema(min_items = 1, max_items = 10000)]
    members: Vec<Named>,
}

/// A person in requests, named in one way.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Person)]
pub enum Named {
    /// `membership:12`
    Id(String),
    /// The e-mail address with which they sign in.
    Email(String),
    /// The id that an administrator has given them.
    ExternalId(String),
}

impl Listed {
    fn entries(self) -> Vec<Entry> {
        self.members.into_iter().enumerate().map(|(place, named)| named.entry(place)).collect()
    }
}

impl Named {
    fn entry(self, place: usize) -> Entry {
        let (whom, typed) = match self {
            // No row has the number 0.
            Self::Id(id) => (Ok(Whom::Id(number(&id).unwrap_or(MembershipId(0)))), id),
            Self::Email(email) => {
                let read = Email::known(&email).map(|email| Whom::Called(Called::Address(email.folded())));
                (read, email)
            }
            Self::ExternalId(id) if id.contains('\0') => (Err(EmailError::Malformed), id),
            Self::ExternalId(id) => (Ok(Whom::ExternalId(id.clone())), id),
        };
        Entry { place, typed, whom }
    }
}

fn number(id: &str) -> Option<MembershipId> {
    id.strip_prefix(MEMBERSHIP).unwrap_or(id).parse().ok().map(MembershipId)
}

/// `GET …/members`
pub async fn list<A: Gathers>(
    app: App,
    request: HttpRequest,
    id: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = reader::<A>(&request).await?;
        let from = asked.cursor(number)?.map_or(PageFrom::Start, PageFrom::After);
        let found = members::page(&app, &caller, &id, asked.q.clone(), from, asked.limit()?).await?;
        let next = found.next.map(|member| member.0.to_string());
        Ok(page(found.people.into_iter().map(Member::from).collect(), next))
    })
    .await
}

/// `POST …/members`: adds everybody in a list, or nobody.
pub async fn add<A: Gathers>(
    app: App,
    request: HttpRequest,
    id: Path<String>,
    body: Result<Json<Listed>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<A>(&request).await?;
        let Json(listed) = body?;
        let added = members::add(&app, &caller, &id, listed.entries(), source::of(&request)).await?;
        done("added", added)
    })
    .await
}

/// `POST …/members/removal`: removes everybody in a list, or nobody.
pub async fn remove<A: Gathers>(
    app: App,
    request: HttpRequest,
    id: Path<String>,
    body: Result<Json<Listed>, WebError>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<A>(&request).await?;
        let Json(listed) = body?;
        let removed = members::remove(&app, &caller, &id, listed.entries(), source::of(&request)).await?;
        done("removed", removed)
    })
    .await
}

/// `DELETE …/members/{member}`
pub async fn remove_one<A: Gathers>(
    app: App,
    request: HttpRequest,
    address: Path<(String, String)>,
) -> Result<HttpResponse, WebError> {
    answer(&request, async {
        let caller = writer::<A>(&request).await?;
        let member = number(&address.1).ok_or(AppError::NotFound)?;
        match members::remove_one(&app, &caller, &address.0, member, source::of(&request)).await? {
            (_, true) => Ok(HttpResponse::NoContent().finish()),
            (_, false) => Err(AppError::NotFound.into()),
        }
    })
    .await
}

fn done(name: &str, outcome: Outcome) -> Result<HttpResponse, ApiError> {
    match outcome {
        Outcome::Done { changed, listed } => Ok(HttpResponse::Ok().json(json!({ name: changed, "listed": listed }))),
        Outcome::Refused(wrong) => {
            // Somebody of another organization is answered like somebody who does not exist.
            let is_unknown = wrong.iter().all(|entry| entry.why == Why::Nobody);
            let status = if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::UNPROCESSABLE_ENTITY };
            Err(ApiError::Wrong(status, wrong.iter().map(explained).collect()))
        }
    }
}

fn explained(WrongEntry { place, why, .. }: &WrongEntry) -> (String, String) {
    let words = match why {
        Why::Nobody => "No user of the organization is known by this.",
        Why::Several => "Several users are called like this.",
        Why::Malformed(_) => "This is not an e-mail address.",
    };
    (format!("members[{place}]"), words.to_owned())
}
