//! The state of one connection, and how long it may stay in that state.

use super::framing::{Framing, Part};
use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    task::{Context, Waker},
};

// Timeouts, in checks of `Connections`: this many seconds, plus one at most.

/// For the first byte of a connection.
const FIRST_BYTE: u32 = 10;
/// For a head, from its first byte.
const HEAD: u32 = 8;
/// For a body, from the end of its head. Handlers that read a body time out earlier, and answer.
const BODY: u32 = 40;
/// For the next request. This is longer than reverse proxies usually keep idle connections, which is a minute. So the
/// proxy closes first, and never sends a request to an end that is being closed; nobody may retry such a request if it
/// is a POST.
const IDLE: u32 = 75;
/// For a client that reads nothing of an answer, or that reads more slowly than [`SLOWEST`].
const UNTAKEN: u32 = 30;
/// The minimum rate at which a client has to read an answer, in bytes a second, on average.
const SLOWEST: u64 = 500;

/// The state of a connection. The application tells it when a request begins and ends.
pub struct Client {
    /// The client whose limit it counts for; none for a trusted proxy.
    pub share: Option<IpAddr>,
    framing: RefCell<Framing>,
    /// When its current wait began.
    since: Cell<u32>,
    /// Whether the newest request has been answered, at least in part.
    is_answered: Cell<bool>,
    is_over: Cell<bool>,
    /// How many requests have reached the application.
    calls: Cell<u64>,
    is_busy: Cell<bool>,
    untaken: Cell<Option<Untaken>>,
    waker: RefCell<Option<Waker>>,
}

/// An answer that its client reads slowly.
#[derive(Clone, Copy)]
struct Untaken {
    since: u32,
    progress: u32,
    taken: u64,
}

/// What a connection waits for, in the order in which connections are closed to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waits {
    /// For the first byte, or the rest of a head.
    Head,
    /// For the next request.
    Idle,
    /// For the rest of a body.
    Body,
}

impl Client {
    /// Creates the state of a new connection.
    pub fn new(share: Option<IpAddr>, now: u32) -> Self {
        Self {
            share,
            framing: RefCell::default(),
            since: Cell::new(now),
            is_answered: Cell::default(),
            is_over: Cell::default(),
            calls: Cell::default(),
            is_busy: Cell::default(),
            untaken: Cell::default(),
            waker: RefCell::default(),
        }
    }

    /// Records that a request has reached the application.
    pub fn begin(&self) {
        self.calls.set(self.calls.get() + 1);
        self.is_busy.set(true);
    }

    /// Records that the application has answered. `is_whole` means that the whole body was sent.
    pub fn end(&self, is_whole: bool) {
        self.is_busy.set(!is_whole);
    }

    /// Records that these bytes have arrived.
    pub fn arrived(&self, bytes: &mut [u8], now: u32) {
        let mut framing = self.framing.borrow_mut();
        let before = (stage(framing.part()), framing.heads());
        framing.follow(bytes);
        let after = (stage(framing.part()), framing.heads());
        if before.1 != after.1 {
            self.is_answered.set(false);
        }
        if before != after {
            self.since.set(now);
        }
    }

    /// Records that this many bytes of an answer were written.
    pub fn written(&self, bytes: usize, now: u32) {
        if let Some(untaken) = self.untaken.get() {
            self.untaken.set(Some(Untaken { progress: now, taken: untaken.taken + bytes as u64, ..untaken }));
        }
        if self.framing.borrow().part() == Part::Start {
            self.is_answered.set(true);
            self.since.set(now);
        }
    }

    /// Records that no more bytes can be written at the moment, because the client reads none.
    pub fn is_behind(&self, now: u32) {
        if self.untaken.get().is_none() {
            self.untaken.set(Some(Untaken { since: now, progress: now, taken: 0 }));
        }
    }

    /// Records that everything was written.
    pub fn has_caught_up(&self) {
        self.untaken.set(None);
    }

    /// Returns what the connection waits for and since when; none while the application handles a request.
    pub fn waits(&self) -> Option<(Waits, u32)> {
        let framing = self.framing.borrow();
        let waits = match stage(framing.part()) {
            Some(waits) => waits,
            None if framing.heads() == 0 => Waits::Head,
            None if self.is_answered.get() => Waits::Idle,
            None => return None,
        };
        Some((waits, self.since.get()))
    }

    /// Returns whether its timeout has passed.
    pub fn is_late(&self, now: u32) -> bool {
        if let Some(untaken) = self.untaken.get() {
            let waited = now - untaken.since;
            let is_slow = waited >= UNTAKEN && untaken.taken < SLOWEST * u64::from(waited);
            return is_slow || now - untaken.progress >= UNTAKEN;
        }
        let Some((waits, since)) = self.waits() else { return false };
        let most = match waits {
            Waits::Head if self.framing.borrow().part() == Part::Start => FIRST_BYTE,
            Waits::Head => HEAD,
            Waits::Body => BODY,
            Waits::Idle => IDLE,
        };
        now - since >= most
    }

    /// Ends the connection: wakes its task, which then closes it.
    pub fn give_up(&self) {
        self.is_over.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Returns whether the connection is being closed.
    pub fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Sets the task to wake when the connection is closed.
    pub fn wait(&self, context: &Context<'_>) {
        match &mut *self.waker.borrow_mut() {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
    }

    /// Returns whether the client is sending a head and no answer is in progress that another one would disturb.
    pub fn may_be_told(&self) -> bool {
        matches!(self.framing.borrow().part(), Part::RequestLine | Part::Head)
            && !self.is_busy.get()
            && self.untaken.get().is_none()
    }

    /// Returns whether there is a head that did not reach the application: an answer that is written then may come from
    /// actix-http.
    pub fn may_be_refused(&self) -> bool {
        let framing = self.framing.borrow();
        framing.heads() > self.calls.get() || matches!(framing.part(), Part::RequestLine | Part::Head | Part::Lost)
    }

    /// Returns whether the newest head requests an address with this prefix.
    pub fn asks_for(&self, prefix: &str) -> bool {
        self.framing.borrow().asks_for(prefix.as_bytes())
    }
}

/// Returns which part of a request is still incomplete; none between two requests.
fn stage(part: Part) -> Option<Waits> {
    match part {
        Part::Start => None,
        Part::RequestLine | Part::Head => Some(Waits::Head),
        _ => Some(Waits::Body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a client that has sent this text at check 0.
    fn sent(text: &str) -> Client {
        let client = Client::new(None, 0);
        client.arrived(&mut text.as_bytes().to_vec(), 0);
        client
    }

    fn late(client: &Client) -> Option<u32> {
        let begun = client.untaken.get().map_or(client.since.get(), |untaken| untaken.since);
        (begun..1_000).find(|now| client.is_late(*now))
    }

    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const UPLOAD: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn every_state_except_handling_has_a_deadline() {
        assert_eq!(late(&sent("")), Some(FIRST_BYTE));
        assert_eq!(late(&sent("G")), Some(HEAD));
        assert_eq!(late(&sent(UPLOAD)), Some(BODY));
        assert_eq!(late(&sent(&format!("{UPLOAD}5\r\nab"))), Some(BODY));
        assert_eq!(late(&sent("GET / HTTP/1.1\r\nContent-Length: x\r\n")), Some(BODY));
        assert_eq!(late(&sent(REQUEST)), None);
        assert_eq!(late(&sent(&format!("{REQUEST}G"))), Some(HEAD));
        let answered = sent(REQUEST);
        answered.written(100, 3);
        assert_eq!(late(&answered), Some(3 + IDLE));
        answered.arrived(&mut b"G".to_vec(), 40);
        assert_eq!(late(&answered), Some(40 + HEAD));
    }

    #[test]
    fn a_slow_head_gets_no_more_time_than_others() {
        let client = sent("G");
        for now in 1..HEAD {
            client.arrived(&mut b"E".to_vec(), now);
        }
        assert_eq!(late(&client), Some(HEAD));
    }

    #[test]
    fn an_answer_must_be_read_at_a_minimum_rate() {
        let client = sent(REQUEST);
        client.is_behind(5);
        assert_eq!(late(&client), Some(5 + UNTAKEN));
        // A byte from time to time is too little.
        for now in 6..60 {
            client.written(1, now);
        }
        assert!(client.is_late(60));
        let client = sent(REQUEST);
        client.is_behind(0);
        for now in 1..600 {
            client.written(1_000, now);
            assert!(!client.is_late(now), "{now}");
        }
        client.has_caught_up();
        assert_eq!(late(&client), Some(599 + IDLE));
    }

    #[test]
    fn a_timeout_is_answered_only_while_nothing_else_is_pending() {
        assert!(sent("G").may_be_told());
        assert!(!sent("").may_be_told());
        let client = sent(&format!("{REQUEST}G"));
        client.begin();
        assert!(!client.may_be_told());
        client.end(false);
        assert!(!client.may_be_told(), "the answer goes on");
        client.end(true);
        assert!(client.may_be_told());
    }
}
