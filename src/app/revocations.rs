//! Receipts of revocations: when a token was revoked, and since when each node certainly refuses it.
//!
//! A receipt is requested by the public id of its token, which lists and the activity log show, and is about the newest
//! revocation of that token. A service user's token can be revoked again after it was regenerated, and its old key is
//! revoked at the end of a rotation: each is a separate revocation with its own epoch.
//!
//! [`super::nodes`] explains the evidence behind a receipt. All times are by the database's clock: `revoked_at` was
//! read just before the commit, and a node's `since` just after the node had read the epoch, so neither claims more
//! than is known. A node without heartbeats, dead or cut off, reports nothing. If it cannot reach the database, it
//! accepts nothing either once the freshness bound has passed ([`super::verify::freshness`]).

mod signature;

pub use signature::Signer;

use super::{
    AppError, Jeton, Result,
    authority::Holder,
    nodes::{self, SILENCE},
    sessions::Actor,
    tokens::known_form,
    verify::Accepted,
};
use domain::{
    permission::{BuiltInPermission, ManageIntegrations},
    time::{DAY, Timestamp},
};
use serde_json::Value;
use storage::{
    AnyConnection,
    nodes::{self as rows, Node},
    revocations::{self, Refusing, RevokedKey},
};

/// How long receipts are kept, in days: longer than the year that an audit covers.
const KEPT_DAYS: i64 = 400;

/// A receipt, as of the time of its request.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The key that was revoked. Of two keys that were revoked together, the first.
    pub revoked: RevokedKey,
    /// When the receipt was created, in milliseconds.
    pub created_at: i64,
    /// The nodes that are alive, or were alive at the time of the revocation.
    pub nodes: Vec<NodeReceipt>,
}

/// What a node has reported about a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReceipt {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: NodeState,
    /// The first epoch that it read since the revocation, if it has reported one.
    pub epoch: Option<i64>,
    /// When it had read that epoch, in milliseconds; for a node that registered after the revocation, when it
    /// registered.
    pub since: Option<i64>,
    /// When it last accepted the token, if it still knows.
    pub last_accepted_at: Option<Timestamp>,
    /// When its last heartbeat was, in milliseconds, unless it has deregistered.
    pub seen_at: Option<i64>,
}

/// The state of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// It sends heartbeats.
    Alive,
    /// It has sent no heartbeat for longer than [`SILENCE`].
    Silent,
    /// It has deregistered.
    Gone,
}

impl NodeState {
    /// The word for it in the API.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Silent => "silent",
            Self::Gone => "gone",
        }
    }
}

impl Receipt {
    /// The number of nodes that are alive.
    pub fn alive(&self) -> usize {
        self.nodes.iter().filter(|node| node.state == NodeState::Alive).count()
    }

    /// The number of nodes that are alive and have not yet reported that they refuse.
    pub fn waiting(&self) -> usize {
        self.nodes.iter().filter(|node| node.state == NodeState::Alive && node.since.is_none()).count()
    }

    /// Whether every node that is alive has reported that it refuses.
    pub fn is_complete(&self) -> bool {
        self.waiting() == 0
    }

    /// Since when all nodes that have reported refuse, in milliseconds. A node that has stopped since then still
    /// counts, so that a later receipt never says less than an earlier one. Nodes that registered after the revocation
    /// do not count.
    pub fn since(&self) -> i64 {
        let told = self.nodes.iter().filter(|node| node.epoch.is_some());
        told.filter_map(|node| node.since).max().unwrap_or(self.revoked.revoked_at)
    }
}

/// Returns the receipt of a token to a program that may manage the organization's tokens or read its activity log, or
/// that acts for the token's owner.
///
/// # Errors
/// [`AppError::NotFound`] if there is none, or the program may not see it.
pub async fn receipt_for(jeton: &Jeton, asking: &Accepted, public_id: &str) -> Result<Receipt> {
    let identity = asking.identity();
    let (organization, user) = (identity.subject.organization.id, identity.subject.user);
    let sees_all =
        identity.may(BuiltInPermission::PlatformIntegrations) || identity.may(BuiltInPermission::PlatformActivity);
    let receipt = receipt(jeton, public_id, move |revoked| {
        revoked.organization == organization && (sees_all || (user.is_some() && revoked.owner == user))
    });
    receipt.await?.ok_or(AppError::NotFound)
}

/// Returns the receipt of one of the user's personal tokens in their current organization, if it was revoked.
pub async fn receipt_of_own(jeton: &Jeton, actor: &Actor, public_id: &str) -> Result<Option<Receipt>> {
    let organization = actor.membership().ok_or(AppError::NotFound)?.organization;
    let user = Some(actor.user().id);
    receipt(jeton, public_id, move |revoked| revoked.organization == organization && revoked.owner == user).await
}

/// Returns the receipt of any token of the organization, if it was revoked.
pub async fn receipt_in(jeton: &Jeton, at: &Holder<ManageIntegrations>, public_id: &str) -> Result<Option<Receipt>> {
    let organization = at.grant().organization();
    receipt(jeton, public_id, move |revoked| revoked.organization == organization).await
}

async fn receipt(
    jeton: &Jeton,
    public_id: &str,
    is_theirs: impl Fn(&RevokedKey) -> bool + Send + 'static,
) -> Result<Option<Receipt>> {
    let Ok(public_id) = known_form(public_id) else { return Ok(None) };
    let us = jeton.node.id.clone();
    jeton
        .read(move |connection| {
            let keys = revocations::newest(connection, &public_id)?;
            match keys.first() {
                Some(revoked) if is_theirs(revoked) => put_together(connection, &keys, revoked, &us).map(Some),
                _ => Ok(None),
            }
        })
        .await
}

/// Signs a receipt, which the caller has put into text, with the key of this installation.
pub fn sign(jeton: &Jeton, payload: &str) -> String {
    jeton.signer.sign(payload)
}

/// Returns the public key of the signatures as a JSON Web Key Set.
pub fn signing_keys(jeton: &Jeton) -> Value {
    jeton.signer.key_set()
}

/// Deletes receipts, and nodes that never deregistered, after [`KEPT_DAYS`].
pub(super) async fn sweep(jeton: &Jeton) -> Result<()> {
    let (before, us) = (jeton.clock.now().plus(-KEPT_DAYS * DAY).seconds() * 1000, jeton.node.id.clone());
    jeton
        .write(move |connection| {
            revocations::forget(connection, before)?;
            Ok(rows::forget(connection, before, &us)?)
        })
        .await
}

fn put_together(
    connection: &mut AnyConnection,
    keys: &[RevokedKey],
    revoked: &RevokedKey,
    us: &str,
) -> Result<Receipt> {
    let ids: Vec<_> = keys.iter().map(|key| key.key).collect();
    let refusing = revocations::refusing(connection, &ids)?;
    let (listed, now) = (rows::list(connection)?, nodes::now(connection)?);
    Ok(Receipt { nodes: node_receipts(revoked, &refusing, listed, us, now), revoked: revoked.clone(), created_at: now })
}

/// Lists the nodes that have reported the revocation, and those that still have to or had to.
fn node_receipts(
    revoked: &RevokedKey,
    refusing: &[Refusing],
    listed: Vec<Node>,
    us: &str,
    now: i64,
) -> Vec<NodeReceipt> {
    let mut receipts: Vec<NodeReceipt> = Vec::new();
    for told in refusing {
        match receipts.iter_mut().find(|receipt| receipt.id == told.node_id) {
            // A report about another key of the same token.
            Some(receipt) => receipt.last_accepted_at = receipt.last_accepted_at.max(told.last_accepted_at),
            None => receipts.push(NodeReceipt {
                id: told.node_id.clone(),
                name: told.node_name.clone(),
                state: NodeState::Gone,
                epoch: Some(told.epoch),
                since: Some(told.since),
                last_accepted_at: told.last_accepted_at,
                seen_at: None,
            }),
        }
    }
    for node in listed {
        // The node that answers this request is alive.
        let is_alive = node.id == us || now - node.seen_at <= SILENCE;
        let state = if is_alive { NodeState::Alive } else { NodeState::Silent };
        if let Some(receipt) = receipts.iter_mut().find(|receipt| receipt.id == node.id) {
            (receipt.state, receipt.seen_at) = (state, Some(node.seen_at));
            continue;
        }
        let came_later = node.first_epoch >= revoked.epoch;
        let was_there = !came_later && revoked.revoked_at - node.seen_at <= SILENCE;
        if is_alive || was_there {
            receipts.push(NodeReceipt {
                id: node.id,
                name: node.name,
                state,
                epoch: None,
                since: came_later.then_some(node.came_at),
                last_accepted_at: None,
                seen_at: Some(node.seen_at),
            });
        }
    }
    receipts.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    receipts
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{organization::OrganizationId, token::TokenId};

    const REVOKED_AT: i64 = 1_000_000;

    fn receipt(refusing: &[Refusing], listed: Vec<Node>, now: i64) -> Receipt {
        let revoked = RevokedKey {
            key: TokenId(1),
            public_id: "k7m2q9xd4t".into(),
            label: "Power BI".into(),
            organization: OrganizationId(1),
            owner: None,
            is_old_key: false,
            epoch: 7,
            revoked_at: REVOKED_AT,
        };
        Receipt { nodes: node_receipts(&revoked, refusing, listed, "us", now), revoked, created_at: now }
    }

    fn refusing(node: &str, since: i64) -> Refusing {
        let (node_id, node_name) = (node.into(), node.into());
        Refusing { key: TokenId(1), node_id, node_name, epoch: 7, since, last_accepted_at: None }
    }

    fn node(id: &str, first_epoch: i64, seen_at: i64) -> Node {
        Node { id: id.into(), name: id.into(), came_at: 1, first_epoch, seen_at, epoch: first_epoch }
    }

    #[test]
    fn a_receipt_waits_only_for_live_nodes() {
        let now = REVOKED_AT + 2_000;
        let listed = || vec![node("us", 1, now), node("b", 1, now - 900), node("later", 7, now)];
        let waiting = receipt(&[refusing("us", REVOKED_AT + 5)], listed(), now);
        assert_eq!((waiting.alive(), waiting.waiting(), waiting.is_complete()), (3, 1, false));

        let told =
            [refusing("us", REVOKED_AT + 5), refusing("b", REVOKED_AT + 700), refusing("gone", REVOKED_AT + 900)];
        let whole = receipt(&told, listed(), now);
        assert_eq!((whole.alive(), whole.is_complete(), whole.since()), (3, true, REVOKED_AT + 900));
        let of = |id| whole.nodes.iter().find(|node| node.id == id).map(|node| (node.state, node.since));
        assert_eq!(of("later"), Some((NodeState::Alive, Some(1))), "since it registered");
        assert_eq!(of("gone"), Some((NodeState::Gone, Some(REVOKED_AT + 900))));
        let restarted = receipt(&told, vec![node("us", 9, now)], now);
        assert_eq!(restarted.since(), whole.since(), "a later receipt says the same, whichever nodes there are");
    }

    #[test]
    fn a_silent_node_is_named_and_not_waited_for() {
        let listed = || vec![node("us", 1, 0), node("dead", 1, REVOKED_AT - SILENCE)];
        let told = [refusing("us", REVOKED_AT + 5)];
        let receipt_at = |after| receipt(&told, listed(), REVOKED_AT + after);
        assert!(!receipt_at(0).is_complete());
        let silent = receipt_at(1);
        assert!(silent.is_complete());
        let dead = silent.nodes.iter().find(|node| node.id == "dead").unwrap();
        assert_eq!((dead.state, dead.since), (NodeState::Silent, None));

        let long_dead = vec![node("us", 1, 0), node("dead", 1, REVOKED_AT - SILENCE - 1)];
        assert_eq!(receipt(&told, long_dead, REVOKED_AT).nodes.len(), 1, "it had been silent for long");
        let came_and_died = vec![node("us", 1, 0), node("later", 7, REVOKED_AT + 1)];
        assert_eq!(receipt(&told, came_and_died, REVOKED_AT + 60_000).nodes.len(), 1, "it never knew the token");
    }
}
