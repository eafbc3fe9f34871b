//! The network between a node and its database, or a proxy and its node, which a test can cut, delay, or make drop
//! everything.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The state of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Everything arrives, with this delay in each direction.
    Open(Duration),
    /// Connections are closed, and new ones are closed as soon as they are opened.
    Cut,
    /// Connections stay open, new ones are accepted, and nothing arrives any more, not even after the link is open
    /// again, as if a machine in between had forgotten them.
    Hole,
}

/// A port on the loopback that forwards to another one.
pub struct Link {
    port: u16,
    ends: Arc<Ends>,
}

struct Ends {
    to: SocketAddr,
    way: Mutex<Way>,
    /// How often the link dropped everything: connections from before the last time are dead.
    holes: AtomicU64,
    number: AtomicU64,
    /// Both sockets of each connection.
    connections: Mutex<HashMap<u64, [TcpStream; 2]>>,
}

impl Link {
    /// Opens a link to a port of the loopback.
    pub fn to(port: u16) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let ends = Arc::new(Ends {
            to: ([127, 0, 0, 1], port).into(),
            way: Mutex::new(Way::Open(Duration::ZERO)),
            holes: AtomicU64::new(0),
            number: AtomicU64::new(0),
            connections: Mutex::default(),
        });
        let link = Link { port: listener.local_addr().expect("an address").port(), ends: Arc::clone(&ends) };
        std::thread::spawn(move || listener.incoming().flatten().for_each(|client| drop(ends.join(client))));
        link
    }

    /// Returns its address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Opens a link to the database of this URL, and returns it with the URL that leads through it.
    pub fn before(url: &str) -> (Link, String) {
        let (start, rest) = url.split_once("127.0.0.1:").expect("a URL of the loopback");
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let link = Link::to(port.parse().expect("a port"));
        let through = format!("{start}127.0.0.1:{}{}", link.port, &rest[port.len()..]);
        (link, through)
    }

    /// Changes the state of the link.
    pub fn set(&self, way: Way) {
        *self.ends.way.lock().expect("no test fails in there") = way;
        match way {
            Way::Open(_) => {}
            Way::Hole => drop(self.ends.holes.fetch_add(1, Ordering::SeqCst)),
            Way::Cut => {
                for (_, sockets) in self.ends.connections.lock().expect("no test fails in there").drain() {
                    sockets.iter().for_each(|socket| drop(socket.shutdown(Shutdown::Both)));
                }
            }
        }
    }
}

impl Ends {
    fn way(&self) -> Way {
        *self.way.lock().expect("no test fails in there")
    }

    /// Connects a client with the other end, unless the link is cut.
    fn join(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        if self.way() == Way::Cut {
            return Ok(());
        }
        let server = TcpStream::connect(self.to)?;
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        let holes = self.holes.load(Ordering::SeqCst);
        let both = [client.try_clone()?, server.try_clone()?];
        self.connections.lock().expect("no test fails in there").insert(number, both);
        for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            from.set_nodelay(true)?;
            let ends = Arc::clone(self);
            std::thread::spawn(move || {
                // Either end may close at any time.
                drop(ends.pump(&from, &to, holes));
                drop(from.shutdown(Shutdown::Both));
                drop(to.shutdown(Shutdown::Both));
                ends.connections.lock().expect("no test fails in there").remove(&number);
            });
        }
        Ok(())
    }

    /// Forwards data from one end to the other, as long as the number of `holes` is unchanged.
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, holes: u64) -> std::io::Result<()> {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let length = from.read(&mut bytes)?;
            if length == 0 {
                return Ok(());
            }
            match self.way() {
                Way::Cut => return Ok(()),
                Way::Open(delay) if self.holes.load(Ordering::SeqCst) == holes => {
                    // What follows is delayed too: the protocol alternates requests and answers, so each is delayed
                    // only once.
                    std::thread::sleep(delay);
                    to.write_all(&bytes[..length])?;
                }
                Way::Open(_) | Way::Hole => {}
            }
        }
    }
}
