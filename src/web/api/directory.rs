//! `/feed/users`, `/feed/groups`, `/feed/group_users`, `/feed/sites`, `/feed/site_members`: what exporters take besides
//! items, for tokens that may manage it.

use super::resources::{ApiError, cursor};
use crate::{App, routes::path};
use actix_web::HttpResponse;
use app::{
    authority::Caller,
    directory::{self, Asked, Listed, Page, Place},
    verify::Accepted,
};
use domain::{keyed, text::is_blank};
use serde_json::{Value, json};

keyed! {
    /// Such a feed. The key is its name.
    pub enum Directory {
        /// Users.
        Users = "users",
        /// Groups.
        Groups = "groups",
        /// The members of groups.
        GroupUsers = "group_users",
        /// Sites.
        Sites = "sites",
        /// The people of sites.
        SiteMembers = "site_members",
    }
}

/// What is asked for besides.
pub struct Wanted {
    /// Where the page begins.
    pub after: Place,
    /// The number of rows on it.
    pub limit: usize,
    /// Whether only sites are shown in which there are no others.
    pub only_leaves: bool,
}

/// Answers with a page of a feed.
///
/// # Errors
/// Without the permission to manage what it shows.
pub async fn feed(app: &App, accepted: Accepted, of: Directory, wanted: Wanted) -> Result<HttpResponse, ApiError> {
    let Wanted { after, limit, only_leaves } = wanted;
    let organization = accepted.identity().subject.organization.public_id.clone();
    let page = match of {
        Directory::Users => {
            let by = Caller::with_token(accepted)?;
            directory::page(app, Asked::Users(&by), after, limit).await
        }
        Directory::Groups | Directory::GroupUsers => {
            let by = Caller::with_token(accepted)?;
            let asked = if of == Directory::Groups { Asked::Groups(&by) } else { Asked::GroupUsers(&by) };
            directory::page(app, asked, after, limit).await
        }
        Directory::Sites | Directory::SiteMembers => {
            let by = Caller::with_token(accepted)?;
            let asked = if of == Directory::Sites { Asked::Sites(&by, only_leaves) } else { Asked::SiteMembers(&by) };
            directory::page(app, asked, after, limit).await
        }
    };
    let Page { listed, next, remaining } = page?;
    let next = next.map(|place| {
        let leaves = if only_leaves { "&show_only_leaf_nodes=true" } else { "" };
        path::feed_page(of.key(), &format!("limit={limit}&cursor={}{leaves}", cursor(typed_place(place))))
    });
    let data: Vec<Value> = listed.iter().map(|one| row(of, one, &organization)).collect();
    let metadata = json!({ "next_page": next, "remaining_records": remaining });
    Ok(HttpResponse::Ok().json(json!({ "metadata": metadata, "data": data })))
}

/// Returns a row with the names that exporters know.
fn row(of: Directory, one: &Listed, organization: &str) -> Value {
    let user = format!("membership:{}", one.membership);
    match of {
        Directory::Users => {
            let (first, last) = one.name.split_once(is_blank).unwrap_or((&one.name, ""));
            json!({
                "id": user,
                "organisation_id": organization,
                "email": one.more,
                "firstname": first,
                "lastname": last,
                "active": one.is_active(),
                "created_at": one.created_at().rfc3339(),
            })
        }
        Directory::Groups => json!({ "id": one.id, "name": one.name, "organisation_id": organization }),
        Directory::GroupUsers => json!({ "user_id": user, "group_id": one.id, "organisation_id": organization }),
        Directory::Sites => json!({
            "id": one.id,
            "name": one.name,
            "organisation_id": organization,
            "parent_id": one.more,
            "deleted": false,
        }),
        Directory::SiteMembers => json!({ "site_id": one.id, "member_id": user }),
    }
}

fn typed_place(Place(row, person): Place) -> String {
    format!("{row}.{person}")
}

/// Reads what `typed_place` wrote.
pub fn place(typed: &str) -> Option<Place> {
    let (row, person) = typed.split_once('.')?;
    Some(Place(row.parse().ok()?, person.parse().ok()?))
}
