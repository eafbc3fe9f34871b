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

/// How often a thread checks its connections.
const LOOK: Duration = Duration::from_secs(1);
/// For how many checks a connection counts as young: a young connection is not closed to make room for another one of
/// the same client.
const YOUNG: u32 = 2;
/// How many bytes of an answer the operating system buffers before it has sent them. Without a limit it would buffer
/// megabytes for a client that reads nothing, and the progress of a client would be seen too rarely.
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
    /// Creates an empty list. The calling thread checks its connections from now on, and closes the idle ones when the
    /// node ends.
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
        // The task ends when the list is dropped.
        drop(background::spawn("connections", async move || {
            let mut looks = tokio::time::interval(LOOK);
            // After a delay of the thread, no client gets less time.
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

    /// Returns the number of checks so far, which is the time of this thread.
    pub(super) fn now(&self) -> u32 {
        self.now.get()
    }

    /// Closes the connections that only wait for their next request.
    fn end_idle(&self) {
        for client in self.clients.borrow().values() {
            if matches!(client.waits(), Some((Waits::Idle, _))) {
                client.give_up();
            }
        }
    }

    /// Accepts a new connection if its client is below its limit, or if a waiting connection can be closed for it.
    ///
    /// # Errors
    /// When there is no room. The client has been answered.
    pub fn admit(self: &Rc<Self>, stream: TcpStream, peer: Option<SocketAddr>) -> io::Result<Connection> {
        let share = peer.filter(|peer| !self.proxies.include(peer.ip())).map(|peer| shares::network(peer.ip()));
        let socket = SockRef::from(&stream);
        if !self.has_room_for(share) {
            self.node.connections.refused.count();
            let _best_effort = tell(&socket, &self.refusals.too_many());
            return Err(io::Error::other("too many connections"));
        }
        // Failures here do not matter: the connection works without these options.
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
        // Connections that are already being closed do not count.
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
        // The client with the most connections loses one, even a young one: otherwise a client that opens new
        // connections all the time would keep them.
        let mut counts = HashMap::<IpAddr, usize>::new();
        open.iter().filter_map(|client| client.share).for_each(|share| *counts.entry(share).or_default() += 1);
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.is_some_and(|(share, count)| count > own + 1 && close_one(of(share)))
    }
}

/// Sends the last answer to a connection that is closed immediately. It reads what has arrived first: an operating
/// system that closes a socket with unread bytes discards what it has sent. It does not use tokio, which has not
/// registered this connection yet.
fn tell(socket: &Socket, words: &[u8]) -> io::Result<()> {
    let mut socket = socket;
    match socket.read(&mut [0; 8 * 1024]) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
        _ => {}
    }
    socket.write_all(words)
}

/// Closes one waiting connection: of those in the first state of [`Waits`], the one that has waited longest.
fn close_one<'a>(clients: impl Iterator<Item = &'a Client>) -> bool {
    let first = clients.filter_map(|client| Some((client.waits()?, client))).min_by_key(|(waits, _)| *waits);
    first.map(|(_, client)| client.give_up()).is_some()
}
