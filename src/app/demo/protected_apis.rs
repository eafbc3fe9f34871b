//! The demonstration's protected API.

use super::{Person, entry};
use crate::{AppError, Result, random};
use domain::{
    activity::{Action, Source},
    permission::{BuiltInPermission, Permission},
    protected_api::{BaseUrl, Methods, Needs, Pattern, Rule},
    time::{DAY, Timestamp},
    token,
};
use storage::{
    AnyConnection, activity,
    protected_apis::{self, NewApi},
};

const NAME: &str = "Stock API";
const RULES: [(Methods, &str, Needs, Option<BuiltInPermission>); 4] = [
    (Methods::Reads, "/items/**", Needs::Read, Some(BuiltInPermission::AssetsView)),
    (Methods::Writes, "/items/**", Needs::ReadWrite, Some(BuiltInPermission::AssetsEdit)),
    (Methods::One("POST"), "/search", Needs::Read, Some(BuiltInPermission::AssetsView)),
    (Methods::Reads, "/reports/*", Needs::Read, None),
];

/// Adds the API, registered by `by`.
pub fn add(connection: &mut AnyConnection, by: &Person, now: Timestamp) -> Result<()> {
    let at = now.plus(-120 * DAY);
    let broken = |error| AppError::Broken(format!("the demonstration: {error}"));
    let address = BaseUrl::parse("https://stock.croix-bleue.example/v1/").map_err(broken)?;
    let rule = |(methods, path, needs, permission): (Methods, &str, Needs, Option<BuiltInPermission>)| {
        Ok(Rule {
            methods,
            path: Pattern::parse(path).map_err(broken)?,
            needs,
            permission: permission.map(Permission::from),
            item: None,
        })
    };
    let rules: Vec<Rule> = RULES.into_iter().map(rule).collect::<Result<_>>()?;
    let new = NewApi { name: NAME, address: &address, rules: &rules, lets_preflights: false };
    protected_apis::insert(connection, by.organization, &token::public_id(random::fill), &new, at)?;
    let source = Source::default();
    let entry = entry(by, Action::ProtectedApiCreated, at, None, &source);
    Ok(activity::insert(connection, &activity::Entry { target_name: Some(NAME), ..entry })?)
}
