//! Limits for the connections of one client and of all clients together, so that enough open files are left for
//! everything else.

use std::net::{IpAddr, Ipv6Addr};

/// The maximum number of connections of both listeners. An idle connection takes about 20 KB.
const MOST: usize = 10_000;
/// The maximum number of connections of one client.
const MOST_OF_ONE: usize = 1_000;
/// Files for the databases, the log, mail and files that are open only briefly.
const FOR_THE_REST: usize = 64;
/// Files of a worker thread, in addition to its connections.
const FOR_A_THREAD: usize = 6;
/// Connections of a thread that it has not checked yet, or that are being closed.
const PASSING: usize = 4;
/// The minimum if the process may open hardly any files: enough for a browser.
const LEAST: usize = 8;

/// How many connections one thread accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// The limit for all clients together.
    pub all: usize,
    /// The limit for one client that is not a trusted proxy.
    pub one_client: usize,
}

impl Shares {
    /// Computes the limits for each thread of a listener with `workers` threads, in a process that may open `files`
    /// files. With a second listener, the main one gets three quarters of them.
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

    /// Returns how many connections a thread may have open at any moment. At this number it accepts no more.
    pub fn at_once(self) -> usize {
        self.all + PASSING
    }
}

/// Which of the process's listeners this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// The only one.
    Only,
    /// The one for everybody, beside the second one.
    Main,
    /// The one for programs (`--verify-listen`).
    Second,
}

/// Returns the network that counts as one client: an IPv4 address, or the /64 of an IPv6 address, which usually belongs
/// to one household.
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
    fn files_are_reserved_for_everything_else() {
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
    fn a_network_counts_as_one_client() {
        let of = |address: &str| network(address.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
