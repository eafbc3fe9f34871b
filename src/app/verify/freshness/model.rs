//! A model of the protocol, checked in every state that it can reach.
//!
//! Each step of the model has the name of the function that does it: [`Freshness`](super::Freshness) has `begin_read`,
//! `renew`, `lasts` and `forget`, [`storage::epoch`] has `reading`, [`crate::verify::cache::Cache`] has `bring_to`,
//! [`storage::Db`] has `change_keys` and [`crate::verify::Shared`] has `wait_until_seen`. Between any two steps, time may
//! pass, messages may be late or lost, other nodes may go on, and the database may fail over to a standby that lacks the
//! last commits.
//!
//! Time passes in ticks. Clocks of different speed are clocks that now and then miss a tick. All ages have an upper bound
//! from which on they make no difference, so there are finitely many states although time never ends.

use stateright::{Checker, Model, Property};

/// The freshness bound, in ticks.
const BOUND: u8 = 2;
/// How many ticks one clock may miss within a bound.
const DRIFT: u8 = 1;

/// A set of changes, one bit each.
type Changes = u8;

/// What is modelled, and what is left out on purpose to see that it is needed.
#[derive(Clone)]
struct Protocol {
    nodes: usize,
    changes: usize,
    /// How many reads a node may have under way at the same time.
    reads: usize,
    /// The freshness bound.
    bound: u8,
    /// How long a change is waited for.
    wait: u8,
    /// Whether the first change is one of the first node itself, which forgets instead of waiting, as on SQLite.
    forgets: bool,
    /// Whether the database may fail over to a standby.
    fails_over: bool,
    weakness: Option<Weakness>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weakness {
    /// Changes wait by a clock that somebody may set ahead.
    WaitsByTheWrongClock,
    /// A read counts from its end.
    CountsFromTheEnd,
    /// The cache is brought forward after the read was counted.
    BringsForwardLate,
    /// A node compares epochs only by their numbers.
    ComparesNumbers,
    /// A read that began before a change of its own process counts after it.
    RenewsAfterForgetting,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// The changes that the database has committed, in the order of their epochs.
    history: Vec<u8>,
    /// How many of them the standby has.
    replicated: usize,
    has_failed_over: bool,
    changes: Vec<Change>,
    nodes: Vec<Node>,
    /// Whether a request was decided without a change that somebody had been told of before it started.
    is_wrong: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Change {
    Planned,
    /// Committed this many ticks ago.
    Committed(u8),
    Answered,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    /// The epoch for which the cache is valid.
    epoch: usize,
    /// Its mark: the change that it stands for.
    mark: Option<u8>,
    /// The changes that decisions from the cache take into account.
    seen: Changes,
    /// The age of the read that answers from memory rely on.
    fresh: Option<Age>,
    reads: Vec<Option<Read>>,
    request: Option<Request>,
    /// Whether the node has forgotten its own change.
    has_forgotten: bool,
}

/// An age by the clock of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Age {
    ticks: u8,
    /// The ticks that the clock has missed.
    missed: u8,
}

const NEW: Age = Age { ticks: 0, missed: 0 };

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Read {
    begun: Age,
    /// Whether the request that waits arrived before the read began.
    serves: bool,
    /// Whether the node had forgotten its own change when the read began.
    had_forgotten: bool,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// The question is on its way.
    Asked,
    /// The answer is on its way, with what the database had committed.
    Answered(Vec<u8>),
    /// The cache is as new as the answer, which was not yet counted; or the other way around.
    HalfDone(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Request {
    /// The changes that somebody had been told of before it started.
    needs: Changes,
    stage: Asking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asking {
    Arrived,
    Waits,
    MayDecide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// A tick; the clock of one node may miss it.
    Tick(Option<usize>),
    BeginRead(usize, usize),
    Reading(usize, usize),
    Lost(usize, usize),
    BringTo(usize, usize),
    Renew(usize, usize),
    Arrives(usize),
    Lasts(usize),
    Decide(usize),
    ChangeKeys(usize),
    Forget(usize),
    WaitUntilSeen(usize),
    Replicate,
    FailOver,
}

impl Protocol {
    /// What Jeton does on Postgres, with two changes that overlap.
    fn postgres() -> Self {
        let wait = BOUND + DRIFT;
        Self { nodes: 1, changes: 2, reads: 1, bound: BOUND, wait, forgets: false, fails_over: false, weakness: None }
    }

    /// Two nodes, of which one may stand still while the other goes on.
    fn nodes() -> Self {
        Self { nodes: 2, changes: 1, ..Self::postgres() }
    }

    /// A Postgres with a standby.
    fn standby() -> Self {
        Self { fails_over: true, ..Self::postgres() }
    }

    /// What Jeton does on SQLite: two threads of one server, and a command beside it.
    fn sqlite() -> Self {
        Self { reads: 2, forgets: true, ..Self::postgres() }
    }

    fn has(&self, weakness: Weakness) -> bool {
        self.weakness == Some(weakness)
    }

    /// Whether a read counts before the cache is brought forward.
    fn counts_first(&self) -> bool {
        self.has(Weakness::BringsForwardLate)
    }

    fn bring_to(&self, node: &mut Node, history: &[u8]) -> bool {
        let has_lost = node.epoch > 0 && history.get(node.epoch - 1).copied() != node.mark;
        if history.len() < node.epoch || has_lost && !self.has(Weakness::ComparesNumbers) {
            return false;
        }
        let new = history.iter().skip(node.epoch).fold(0, |all, change| all | 1 << change);
        (node.epoch, node.mark, node.seen) = (history.len(), history.last().copied(), node.seen | new);
        true
    }

    fn renew(&self, node: &mut Node, read: &Read) {
        if read.had_forgotten != node.has_forgotten && !self.has(Weakness::RenewsAfterForgetting) {
            return;
        }
        let begun = if self.has(Weakness::CountsFromTheEnd) { NEW } else { read.begun };
        let is_newer = |before: Age| begun.ticks < before.ticks;
        if begun.ticks < self.bound && node.fresh.is_none_or(is_newer) {
            node.fresh = Some(begun);
        }
    }
}

impl State {
    /// The changes that somebody was told of and that the database has not lost.
    fn told(&self) -> Changes {
        let is_told = |change: &&u8| self.changes[usize::from(**change)] == Change::Answered;
        self.history.iter().filter(is_told).fold(0, |all, change| all | 1 << change)
    }
}

impl Node {
    fn ages(&mut self) -> impl Iterator<Item = &mut Age> {
        self.fresh.iter_mut().chain(self.reads.iter_mut().flatten().map(|read| &mut read.begun))
    }

    fn tick(&mut self, misses: bool, bound: u8) {
        for age in self.ages() {
            match misses {
                true => age.missed += 1,
                false => age.ticks = (age.ticks + 1).min(bound),
            }
        }
        self.fresh = self.fresh.filter(|age| age.ticks < bound);
        // An age without effect need not remember how it came about.
        self.ages().filter(|age| age.ticks >= bound).for_each(|age| age.missed = 0);
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let node = Node {
            epoch: 0,
            mark: None,
            seen: 0,
            fresh: None,
            reads: vec![None; self.reads],
            request: None,
            has_forgotten: false,
        };
        vec![State {
            history: Vec::new(),
            replicated: 0,
            has_failed_over: false,
            changes: vec![Change::Planned; self.changes],
            nodes: vec![node; self.nodes],
            is_wrong: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        steps.push(Step::Tick(None));
        for (number, node) in state.nodes.iter().enumerate() {
            let mut aged = node.clone();
            let mut ages = aged.ages().peekable();
            if ages.peek().is_some() && ages.all(|age| age.missed < DRIFT) {
                steps.push(Step::Tick(Some(number)));
            }
            for (slot, read) in node.reads.iter().enumerate() {
                match read.as_ref().map(|read| &read.stage) {
                    None => steps.push(Step::BeginRead(number, slot)),
                    Some(Stage::Asked) => steps.extend([Step::Reading(number, slot), Step::Lost(number, slot)]),
                    Some(Stage::Answered(..)) if self.counts_first() => steps.push(Step::Renew(number, slot)),
                    Some(Stage::Answered(..)) => steps.extend([Step::BringTo(number, slot), Step::Lost(number, slot)]),
                    Some(Stage::HalfDone(..)) if self.counts_first() => steps.push(Step::BringTo(number, slot)),
                    Some(Stage::HalfDone(..)) => steps.push(Step::Renew(number, slot)),
                }
            }
            match node.request.map(|request| request.stage) {
                None => steps.push(Step::Arrives(number)),
                Some(Asking::Arrived) => steps.push(Step::Lasts(number)),
                Some(Asking::Waits) => {}
                Some(Asking::MayDecide) => steps.push(Step::Decide(number)),
            }
        }
        for (number, change) in state.changes.iter().enumerate() {
            let is_own = self.forgets && number == 0;
            match change {
                Change::Planned => steps.push(Step::ChangeKeys(number)),
                Change::Committed(_) if is_own && !state.nodes[0].has_forgotten => steps.push(Step::Forget(0)),
                Change::Committed(ticks) => {
                    if is_own || *ticks >= self.wait || self.has(Weakness::WaitsByTheWrongClock) {
                        steps.push(Step::WaitUntilSeen(number));
                    }
                }
                Change::Answered => {}
            }
        }
        if self.fails_over && !state.has_failed_over {
            if state.replicated < state.history.len() {
                steps.push(Step::Replicate);
            }
            steps.push(Step::FailOver);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Tick(misses) => {
                for (number, node) in state.nodes.iter_mut().enumerate() {
                    node.tick(misses == Some(number), self.bound);
                }
                for change in &mut state.changes {
                    if let Change::Committed(ticks) = change {
                        *ticks = (*ticks + 1).min(self.wait);
                    }
                }
            }
            Step::BeginRead(node, slot) => {
                let node = &mut state.nodes[node];
                let serves = node.request.is_some_and(|request| request.stage == Asking::Waits);
                let had_forgotten = node.has_forgotten;
                node.reads[slot] = Some(Read { begun: NEW, serves, had_forgotten, stage: Stage::Asked });
            }
            Step::Reading(node, slot) => {
                let answer = Stage::Answered(state.history.clone());
                state.nodes[node].reads[slot].as_mut()?.stage = answer;
            }
            Step::Lost(node, slot) => state.nodes[node].reads[slot] = None,
            Step::BringTo(node, slot) => {
                let node = &mut state.nodes[node];
                let mut read = node.reads[slot].take()?;
                let (Stage::Answered(history) | Stage::HalfDone(history)) = read.stage else { return None };
                let is_good = self.bring_to(node, &history);
                if let Some(request) = node.request.as_mut().filter(|_| is_good && read.serves) {
                    request.stage = Asking::MayDecide;
                }
                if is_good && !self.counts_first() {
                    read.stage = Stage::HalfDone(history);
                    node.reads[slot] = Some(read);
                }
            }
            Step::Renew(node, slot) => {
                let node = &mut state.nodes[node];
                let mut read = node.reads[slot].take()?;
                self.renew(node, &read);
                if let Stage::Answered(history) = read.stage {
                    read.stage = Stage::HalfDone(history);
                    node.reads[slot] = Some(read);
                }
            }
            Step::Arrives(node) => {
                let needs = state.told();
                state.nodes[node].request = Some(Request { needs, stage: Asking::Arrived });
            }
            Step::Lasts(node) => {
                let node = &mut state.nodes[node];
                let lasts = node.fresh.is_some();
                node.request.as_mut()?.stage = if lasts { Asking::MayDecide } else { Asking::Waits };
            }
            Step::Decide(node) => {
                let survives = state.history.iter().fold(0, |all, change| all | 1 << change);
                let node = &mut state.nodes[node];
                let Request { needs, .. } = node.request.take()?;
                // A read that began for this request serves no other.
                node.reads.iter_mut().flatten().for_each(|read| read.serves = false);
                state.is_wrong |= needs & survives & !node.seen != 0;
            }
            Step::ChangeKeys(change) => {
                state.history.push(change.try_into().ok()?);
                state.changes[change] = Change::Committed(0);
            }
            Step::Forget(node) => {
                let node = &mut state.nodes[node];
                (node.fresh, node.has_forgotten) = (None, true);
            }
            Step::WaitUntilSeen(change) => state.changes[change] = Change::Answered,
            Step::Replicate => state.replicated += 1,
            Step::FailOver => {
                state.history.truncate(state.replicated);
                state.has_failed_over = true;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "no request is decided without a change that was answered before it",
                |_, state: &State| !state.is_wrong,
            ),
            Property::sometimes("a request needs a change and may be decided", |_, state: &State| {
                let is_one = |one: Request| one.needs != 0 && one.stage == Asking::MayDecide;
                state.nodes.iter().any(|node| node.request.is_some_and(is_one))
            }),
            Property::sometimes("all changes are answered", |_, state: &State| {
                state.changes.iter().all(|change| *change == Change::Answered)
            }),
        ]
    }
}

/// Checks all states that can be reached. Returns whether the promise holds in all of them.
fn holds(protocol: Protocol) -> bool {
    let checked = protocol.checker().threads(2).spawn_bfs().join();
    let is_broken = checked.discovery("no request is decided without a change that was answered before it").is_some();
    if !is_broken {
        checked.assert_properties();
    }
    !is_broken
}

fn weak(weakness: Weakness) -> Option<Weakness> {
    Some(weakness)
}

#[test]
fn no_request_is_decided_without_a_change_that_was_answered_before() {
    assert!(holds(Protocol::postgres()));
    assert!(holds(Protocol::nodes()));
    assert!(holds(Protocol::sqlite()));
    assert!(holds(Protocol { bound: 0, wait: 0, ..Protocol::postgres() }), "with a bound of zero, nothing waits");
}

#[test]
fn a_failover_that_loses_commits_hides_no_later_change() {
    assert!(holds(Protocol::standby()));
    assert!(!holds(Protocol { weakness: weak(Weakness::ComparesNumbers), ..Protocol::standby() }));
}

#[test]
fn each_part_of_the_protocol_is_needed() {
    assert!(!holds(Protocol { wait: 0, ..Protocol::postgres() }), "no wait");
    assert!(!holds(Protocol { wait: BOUND, ..Protocol::postgres() }), "no margin for clocks of different speed");
    for weakness in [Weakness::WaitsByTheWrongClock, Weakness::CountsFromTheEnd, Weakness::BringsForwardLate] {
        assert!(!holds(Protocol { weakness: weak(weakness), ..Protocol::postgres() }));
    }
    assert!(!holds(Protocol { weakness: weak(Weakness::RenewsAfterForgetting), ..Protocol::sqlite() }));
}
