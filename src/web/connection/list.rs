//! The connections of one thread.

use super::{Client, Connection, Refusals, Shares, client::Waits, shares};
use crate::{node::Node, source::TrustedProxies};
use actix_web::{rt::net::TcpStream, web::Data};
use app::background;
use socket2::{SockRef, Socket};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};
use tokio::time::MissedTickBehavior;

/// How often a thread looks at its connections.
const LOOK: Duration = Duration::from_secs(1);
/// How many looks a connection is young: it is not closed for another one of the same client.
const YOUNG: u32 = 2;
/// Bytes of an answer that the system takes before it has sent them. Without a bound it would be megabytes for a client that
/// reads none, and whether a client reads would show too seldom.
const UNSENT: u32 = 64 * 1024;

/// The connections of one thread.
pub struct Connections {
    pub(super) refusals: Refusals,
    clients: RefCell<HashMap<u64, Rc<Client>>>,
    next_id: Cell<u64>,
    now: Cell<u32>,
    shares: Shares,
    proxies: Data<TrustedProxies>,
    pub(super) node: Data<Node>,
}

impl Connections {
    /// None so far. The calling thread looks at them from now on, and closes the idle ones when the node ends.
    pub fn watch(shares: Shares, refusals: Refusals, proxies: Data<TrustedProxies>, node: Data<Node>) -> Rc<Self> {
        let connections = Rc::new(Self {
            refusals,
            clients: RefCell::default(),
            next_id: Cell::default(),
            now: Cell::default(),
            shares,
            proxies,
            node: node.clone(),
        });
        let watched = Rc::downgrade(&connections);
        // It ends with the connections.
        drop(background::spawn("connections", async move || {
            let mut looks = tokio::time::interval(LOOK);
            // A thread that was held gives nobody less time.
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                let is_look = tokio::select! {
                    _ = looks.tick() => true,
                    () = node.ending() => false,
                };
                match watched.upgrade() {
                    None => return,
                    Some(connections) if is_look => connections.look(),
                    Some(connections) => connections.end_idle(),
                }
            }
        }));
        connections
    }

    fn look(&self) {
        let now = self.now.get() + 1;
        self.now.set(now);
        for client in self.clients.borrow().values().filter(|client| client.is_late(now)) {
            client.give_up();
        }
    }

    /// How often it has looked.
    pub(super) fn now(&self) -> u32 {
        self.now.get()
    }

    /// Ends those that wait for nothing but their next request.
    fn end_idle(&self) {
        for client in self.clients.borrow().values() {
            if matches!(client.waits(), Some((Waits::Idle, _))) {
                client.give_up();
            }
        }
    }

    /// Takes a new connection, if its client has a share left, or one of those that wait can be closed for it.
    ///
    /// # Errors
    /// When there is no room. The client has been told.
    pub fn admit(self: &Rc<Self>, stream: TcpStream, peer: Option<SocketAddr>) -> io::Result<Connection> {
        let share = peer.filter(|peer| !self.proxies.include(peer.ip())).map(|peer| shares::network(peer.ip()));
        let socket = SockRef::from(&stream);
        if !self.has_room_for(share) {
            self.node.connections.refused.count();
            let _best_effort = tell(&socket, &self.refusals.too_many());
            return Err(io::Error::other("too many connections"));
        }
        // It is served without them, too.
        let _no_delay = socket.set_tcp_nodelay(true);
        #[cfg(target_os = "linux")]
        let _unsent = socket.set_tcp_notsent_lowat(UNSENT);
        let (id, client) = (self.next_id.get(), Rc::new(Client::new(share, self.now())));
        self.next_id.set(id.wrapping_add(1));
        self.clients.borrow_mut().insert(id, Rc::clone(&client));
        self.node.connections.opened.count();
        Ok(Connection { stream, client, connections: Rc::clone(self), id })
    }

    pub(super) fn forget(&self, id: u64) {
        self.clients.borrow_mut().remove(&id);
        self.node.connections.closed.count();
    }

    fn has_room_for(&self, share: Option<IpAddr>) -> bool {
        let clients = self.clients.borrow();
        // Those that are given up already make room.
        let open: Vec<&Client> = clients.values().map(Rc::as_ref).filter(|client| !client.is_over()).collect();
        let of = |share| open.iter().copied().filter(move |client| client.share == Some(share));
        let own = share.map_or(0, |share| of(share).count());
        if own >= self.shares.one_client {
            let waited = |client: &&Client| client.waits().is_some_and(|(_, since)| self.now() - since >= YOUNG);
            return share.is_some_and(|share| close_one(of(share).filter(waited)));
        }
        if open.len() < self.shares.all {
            return true;
        }
        // Whoever has most gives one up, also if it is young: else a client that opens new ones all the time would keep them.
        let mut counts = HashMap::<IpAddr, usize>::new();
        open.iter().filter_map(|client| client.share).for_each(|share| *counts.entry(share).or_default() += 1);
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.is_some_and(|(share, count)| count > own + 1 && close_one(of(share)))
    }
}

/// The last words to a connection that is closed at once. What has come is read first: a system that closes over unread bytes
/// takes back what it has sent. Not by way of tokio, which has not heard of this connection yet.
fn tell(socket: &Socket, words: &[u8]) -> io::Result<()> {
    let mut socket = socket;
    match socket.read(&mut [0; 8 * 1024]) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
        _ => {}
    }
    socket.write_all(words)
}

/// Closes the one that waits, of those that are the first to go the one that has waited longest.
fn close_one<'a>(clients: impl Iterator<Item = &'a Client>) -> bool {
    let first = clients.filter_map(|client| Some((client.waits()?, client))).min_by_key(|(waits, _)| *waits);
    first.map(|(_, client)| client.give_up()).is_some()
}
