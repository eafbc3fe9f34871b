//! Requests to protected APIs, as their proxies tell of them.
//!
//! Clients can send the headers of proxies other than their own, which their own hands on. So whatever is told is true of
//! the request only together: each told path is asked with each told method, and what all of them demand adds up. A
//! forged word can narrow, never widen.

use super::{
    Accepted, Backend, Verifier,
    denied::{Denied, Unavailable},
    lookups,
};
use domain::{
    access::Demand,
    activity::Source,
    protected_api::{Closed, ProtectedApi, RequestPath},
    token::{is_public_id, kind_of_key},
};
use std::sync::Arc;

/// What a proxy, and perhaps its client, tells of a request.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its methods: one, if nobody forges.
    pub methods: &'a [&'a str],
    /// Its paths: one, if nobody forges.
    pub paths: &'a [RequestPath],
    /// What is demanded besides what the API's rules do.
    pub besides: Demand,
}

impl Told<'_> {
    /// What all of it together demands.
    fn demand_of(&self, api: &ProtectedApi) -> Result<Demand, Closed> {
        let mut demand = self.besides;
        for path in self.paths {
            for method in self.methods {
                demand = demand.and(api.demand(method, path)?);
            }
        }
        Ok(Demand { organization: Some(api.organization), ..demand })
    }
}

/// Why a request to a protected API is refused.
#[derive(Debug, thiserror::Error)]
pub enum NotLetIn {
    /// There is no such API.
    #[error("no such API")]
    NoApi,
    /// No token would be enough.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// Its token is not accepted.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Verifier {
    /// Decides about a request to the protected API with this public id that came with `key`.
    ///
    /// # Errors
    /// [`NotLetIn`] says why it is refused.
    pub async fn verify_for(
        &self,
        key: &str,
        public_id: &str,
        told: Told<'_>,
        source: impl Fn() -> Source,
    ) -> Result<Accepted, NotLetIn> {
        let kind = kind_of_key(key).map_err(|_| Denied::Malformed)?;
        let epoch = self.epoch().await.map_err(Denied::from)?;
        let api = self.api(public_id, epoch).await.map_err(Denied::from)?.ok_or(NotLetIn::NoApi)?;
        let demand = told.demand_of(&api)?;
        let decided = self.verify_at(epoch, kind, key, demand, source).await;
        self.counted.count(&decided);
        Ok(decided?)
    }

    /// Whether a browser that asks without a key whether a page of another site may send such requests reaches the
    /// protected API with this public id: if the API lets it, and a rule is about each of them, so that there is
    /// something to ask for.
    ///
    /// # Errors
    /// [`NotLetIn`] says why it does not; none about the key that there is not.
    pub async fn lets_preflight(&self, public_id: &str, asked: Told<'_>) -> Result<bool, NotLetIn> {
        let epoch = self.epoch().await.map_err(Denied::from)?;
        let api = self.api(public_id, epoch).await.map_err(Denied::from)?.ok_or(NotLetIn::NoApi)?;
        if api.lets_preflights {
            asked.demand_of(&api)?;
        }
        Ok(api.lets_preflights)
    }

    /// What is known of an API at this epoch: from memory, or read once and kept until something changes.
    async fn api(&self, public_id: &str, epoch: i64) -> Result<Option<Arc<ProtectedApi>>, Unavailable> {
        if !is_public_id(public_id) {
            return Ok(None);
        }
        if let Some(known) = self.shared.reader.cache.api(public_id) {
            return Ok(known);
        }
        let found = match &self.backend {
            Backend::Sqlite(local) => local.with_connection(|connection| lookups::api(connection, public_id))?,
            Backend::Postgres(lines) => lines.lookups.api(public_id).await?,
        };
        self.shared.reader.cache.keep_api(public_id, &found, epoch);
        Ok(found)
    }
}
