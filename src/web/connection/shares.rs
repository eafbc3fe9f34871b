//! How many connections a client and all clients together may have, so that files are left for everything else.

use std::net::{IpAddr, Ipv6Addr};

/// Most connections of both listeners. Each takes about 20 KB while nothing goes on.
const MOST: usize = 10_000;
/// Most connections of one client.
const MOST_OF_ONE: usize = 1_000;
/// Files for the databases, the log, mail and whatever is opened for a moment.
const FOR_THE_REST: usize = 64;
/// Files of a thread that serves, beside its connections.
const FOR_A_THREAD: usize = 6;
/// Connections of a thread that it has not looked at yet, or that are just being closed.
const PASSING: usize = 4;
/// Where there are hardly any files: enough for a browser.
const LEAST: usize = 8;

/// How many connections one thread takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// From all clients together.
    pub all: usize,
    /// From one that is no trusted proxy.
    pub one_client: usize,
}

impl Shares {
    /// For each thread of a listener that has `workers` of them, in a process that may open so many `files`. With a second
    /// listener, the main one has three quarters of them.
    pub fn of(files: usize, workers: usize, listener: Listener) -> Self {
        let threads = if listener == Listener::Only { workers } else { 2 * workers };
        let left = files.saturating_sub(FOR_THE_REST + (FOR_A_THREAD + PASSING) * threads).min(MOST);
        let of_listener = match listener {
            Listener::Only => left,
            Listener::Main => left / 4 * 3,
            Listener::Second => left / 4,
        };
        let all = (of_listener / workers).max(LEAST);
        let one_client = (all / 4).max(LEAST).min(MOST_OF_ONE.div_ceil(workers));
        Self { all, one_client }
    }

    /// How many connections a thread may have open at any moment: with so many, no more are accepted.
    pub fn at_once(self) -> usize {
        self.all + PASSING
    }
}

/// Which one of the listeners of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// There is no other.
    Only,
    /// For everybody, beside the second one.
    Main,
    /// For programs (`--verify-listen`).
    Second,
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one household has to itself.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_everything_else() {
        for files in [0, 256, 1_024, 65_536, usize::MAX] {
            for workers in [1, 2, 16] {
                let main = Shares::of(files, workers, Listener::Main);
                let second = Shares::of(files, workers, Listener::Second);
                let taken = workers * (main.at_once() + second.at_once());
                assert!(taken <= MOST + 2 * workers * (LEAST + PASSING));
                assert!(files < 512 || taken + FOR_THE_REST <= files, "{files} {workers}: {taken}");
                assert!(main.one_client <= main.all && main.one_client * workers <= MOST_OF_ONE + workers * LEAST);
            }
        }
        assert_eq!(Shares::of(256, 2, Listener::Only), Shares { all: 86, one_client: 21 });
    }

    #[test]
    fn a_network_is_one_client() {
        let of = |address: &str| network(address.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
