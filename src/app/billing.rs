//! Billing: the seats of an organization, for those who hold *Platform management: Billing*.

use super::{Jeton, Result, authority::Holder};
use domain::{
    activity::{Action, Detail, Source},
    billing::Month,
    permission::SeeBilling,
};
use storage::{AnyConnection, activity, seats};

/// The number of months shown, including the current one.
pub const MONTHS: usize = 12;

/// What billing counts. Service users and tokens are free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Billing {
    /// The memberships that are active right now.
    pub seats: i64,
    /// Service users, active or not.
    pub service_users: i64,
    /// The memberships that were active at any time in each month (UTC), newest month first: [`MONTHS`] months, or as
    /// many as there are since the first seat.
    pub months: Vec<(Month, i64)>,
}

/// Returns the seats of the organization.
pub async fn overview(jeton: &Jeton, at: &Holder<SeeBilling>) -> Result<Billing> {
    let (at, month) = (at.clone(), Month::of(jeton.clock.now()));
    jeton.read(move |connection| billing(connection, &at, month)).await
}

/// Returns the seats for a file with this name, and logs the export.
///
/// # Errors
/// When the caller is not allowed to any more.
pub async fn export_seats(
    jeton: &Jeton,
    at: &Holder<SeeBilling>,
    what: &'static str,
    source: Source,
) -> Result<Billing> {
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            at.still(connection)?;
            let billing = billing(connection, &at, Month::of(now))?;
            let entry = at.entry(Action::Exported, now, &source);
            activity::insert(connection, &activity::Entry { detail: Some(Detail::words(what)), ..entry })?;
            Ok(billing)
        })
        .await
}

fn billing(connection: &mut AnyConnection, at: &Holder<SeeBilling>, month: Month) -> Result<Billing> {
    let organization = at.grant().organization();
    let mut months = Vec::new();
    for month in std::iter::successors(Some(month), |month| Some(month.before())).take(MONTHS) {
        months.push((month, seats::between(connection, organization, month.start(), month.after().start())?));
    }
    while months.len() > 1 && months.last().is_some_and(|(_, seats)| *seats == 0) {
        months.pop();
    }
    let service_users = seats::service_users(connection, organization)?;
    Ok(Billing { seats: seats::in_use(connection, organization)?, service_users, months })
}
