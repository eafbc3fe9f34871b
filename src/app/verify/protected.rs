//! Requests to protected APIs, as their proxies describe them.
//!
//! A client can send headers that another kind of proxy would set, and its own proxy passes them on. So Jeton believes
//! no single header: it combines each given path with each given method, and the request must meet the demands of all
//! combinations. A forged header can add demands, never remove one.

use super::{
    Accepted, At, Backend, Verifier,
    denied::{Denied, Unavailable},
    lookups,
};
use crate::clock::Moment;
use domain::{
    access::{Demand, check_level},
    activity::Source,
    protected_api::{Closed, Demanded, ItemDemand, ProtectedApi, RequestPath},
    token::{is_public_id, kind_of_key},
};
use std::sync::Arc;
use storage::access::LevelAsked;

/// What a proxy, and perhaps its client, says about a request.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its methods: one, unless a header is forged.
    pub methods: &'a [&'a str],
    /// Its paths: one, unless a header is forged.
    pub paths: &'a [RequestPath],
    /// What is demanded in addition to the rules of the API.
    pub besides: &'a Demand,
}

impl Told<'_> {
    /// Returns what all combinations together demand.
    fn demand_of(&self, api: &ProtectedApi) -> Result<Demanded, Closed> {
        let mut demanded = Demanded::from(self.besides.clone());
        for path in self.paths {
            for method in self.methods {
                demanded = demanded.and(api.demand(method, path)?)?;
            }
        }
        demanded.demand.organization = Some(api.organization);
        Ok(demanded)
    }
}

/// Why a request to a protected API is refused.
#[derive(Debug, thiserror::Error)]
pub enum NotLetIn {
    /// There is no such API.
    #[error("no such API")]
    NoApi,
    /// No token gives access to this request.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The token is not accepted.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Verifier {
    /// Decides about a request with `key` that has just arrived for the protected API with this public id.
    ///
    /// # Errors
    /// [`NotLetIn`] says why it is refused.
    pub async fn verify_for(
        &self,
        key: &str,
        public_id: &str,
        told: Told<'_>,
        arrived: Moment,
        source: impl Fn() -> Source,
    ) -> Result<Accepted, NotLetIn> {
        kind_of_key(key).map_err(|_| Denied::Malformed)?;
        let at = At { epoch: self.epoch(arrived).await.map_err(Denied::from)?, arrived };
        let api = self.api(public_id, at.epoch).await.map_err(Denied::from)?.ok_or(NotLetIn::NoApi)?;
        let Demanded { demand, item } = told.demand_of(&api)?;
        let decided = match (self.verify_at(at, key, &demand, source).await, item) {
            (Ok(accepted), Some(item)) => self.check_item(accepted, &item).await,
            (decided, _) => decided,
        };
        self.counted.count(&decided);
        Ok(decided?)
    }

    /// Returns whether a CORS preflight, which has no key, may pass to the protected API with this public id: the API
    /// must allow preflights, and its rules must cover each request that the preflight asks about.
    ///
    /// # Errors
    /// [`NotLetIn`] says why it may not, never because of the missing key.
    pub async fn lets_preflight(&self, public_id: &str, asked: Told<'_>) -> Result<bool, NotLetIn> {
        let epoch = self.epoch(Moment::now()).await.map_err(Denied::from)?;
        let api = self.api(public_id, epoch).await.map_err(Denied::from)?.ok_or(NotLetIn::NoApi)?;
        if api.lets_preflights {
            asked.demand_of(&api)?;
        }
        Ok(api.lets_preflights)
    }

    /// Decides about the item that the path of a request names: the last check (`domain::access`). Nothing about items is
    /// cached, so what was taken away is gone for the next request, on every node.
    async fn check_item(&self, accepted: Accepted, item: &ItemDemand) -> Result<Accepted, Denied> {
        let subject = &accepted.identity().subject;
        let reached = match item.id() {
            Some(external_id) => {
                let (subject, organization, kind) = (subject.id, subject.organization.id, item.kind.clone());
                self.shared.items.level(LevelAsked { subject, organization, kind, external_id }).await?
            }
            None => None,
        };
        check_level(reached, item.level(&subject.held.known)).map_err(Denied::Refused)?;
        Ok(accepted)
    }

    /// Returns a protected API as of this epoch: from the cache, or read once and cached until something changes.
    async fn api(&self, public_id: &str, epoch: i64) -> Result<Option<Arc<ProtectedApi>>, Unavailable> {
        if !is_public_id(public_id) {
            return Ok(None);
        }
        if let Some(known) = self.shared.reader.cache.api(public_id) {
            return Ok(known);
        }
        let found = match &self.backend {
            Backend::Sqlite(local) => local.with_connection(|connection| lookups::api(connection, public_id))?,
            Backend::Postgres(batchers) => batchers.lookups.api(public_id).await?,
        };
        self.shared.reader.cache.keep_api(public_id, &found, epoch);
        Ok(found)
    }
}
