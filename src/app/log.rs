//! The log on standard error: lines for the operator, on which nothing else depends.
//!
//! A separate thread writes them. The reader may be gone, or read nothing for hours, such as a stopped terminal or a
//! hung supervisor. Lines are then lost and counted, and no request waits. tracing-appender does the same, but does not
//! log how many lines were lost, and writes to standard output when it ends.
//!
//! Clients cannot fill the log either: each place in the code writes only a few lines a minute. Once a minute, the log
//! says how many more were left out. Levels below `info` are for debugging and have no such limit.

use super::{background, metrics::Counter};
use std::{
    backtrace::{Backtrace, BacktraceStatus},
    collections::HashMap,
    io::{self, IsTerminal, Write},
    panic::PanicHookInfo,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};
use tracing::{Event, Level, Metadata, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    EnvFilter, Layer,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// The maximum number of lines that wait for the reader.
const MOST: usize = 4096;
/// The maximum number of lines a minute from one place in the code.
const A_MINUTE: u32 = 20;
/// How long the end of the program waits for the reader.
const LAST: Duration = Duration::from_secs(1);

static LOG: OnceLock<Log> = OnceLock::new();

/// The log of the process.
struct Log {
    lines: SyncSender<Vec<u8>>,
    /// Lines that are not yet written.
    waiting: AtomicUsize,
    lost: Counter,
    left_out: Counter,
    places: Places,
}

/// Starts the log of this process with the lines that pass `filter`. Panics are logged as well.
pub fn start(filter: EnvFilter) {
    let (lines, queue) = sync_channel(MOST);
    let log = LOG.get_or_init(|| Log {
        lines,
        waiting: 0.into(),
        lost: Counter::new(),
        left_out: Counter::new(),
        places: Places::default(),
    });
    // Without its thread there is no log, but everything else works.
    let _is_written = background::thread("log", move || write(log, &queue));
    let format = tracing_subscriber::fmt::layer()
        .with_writer(|| Line)
        .with_ansi(io::stderr().is_terminal())
        .log_internal_errors(false);
    tracing_subscriber::registry().with(filter).with(Bounded).with(format).init();
    std::panic::set_hook(Box::new(log_panic));
}

/// Waits up to a second until all lines are written, before the process ends.
pub fn finish() {
    let begun = Instant::now();
    while LOG.get().is_some_and(|log| log.waiting.load(SeqCst) > 0) && begun.elapsed() < LAST {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Returns how many lines were lost because their reader was too slow or gone, and how many were left out because
/// there were too many from the same place.
pub fn missing() -> (u64, u64) {
    LOG.get().map_or((0, 0), |log| (log.lost.get(), log.left_out.get()))
}

/// Logs how many lines were left out since the last call. Maintenance calls this once a minute.
pub fn report_left_out() {
    for (place, left_out) in LOG.get().map(|log| log.places.take_left_out()).unwrap_or_default() {
        let (target, line) = (place.target(), place.line());
        tracing::warn!(of = target, line, left_out, "more lines from this place were left out");
    }
}

fn write(log: &Log, queue: &Receiver<Vec<u8>>) {
    let mut told = 0;
    for line in queue {
        let written = io::stderr().write_all(&line);
        log.waiting.fetch_sub(1, SeqCst);
        if written.is_err() {
            log.lost.count();
            continue;
        }
        let lost = log.lost.get();
        if lost > told && log.waiting.load(SeqCst) < MOST / 2 {
            tracing::warn!(lost = lost - told, "lines of this log were lost because its reader was too slow");
            told = lost;
        }
    }
}

/// A line on its way to the writing thread.
struct Line;

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(log) = LOG.get() {
            log.waiting.fetch_add(1, SeqCst);
            if log.lines.try_send(line.to_vec()).is_err() {
                log.waiting.fetch_sub(1, SeqCst);
                log.lost.count();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Limits the lines from one place to [`A_MINUTE`].
struct Bounded;

impl<S: Subscriber> Layer<S> for Bounded {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let kind = event.metadata();
        let is_let_through =
            *kind.level() > Level::INFO || LOG.get().is_none_or(|log| log.places.let_through(kind, Instant::now()));
        if !is_let_through && let Some(log) = LOG.get() {
            log.left_out.count();
        }
        is_let_through
    }
}

type Kind = &'static Metadata<'static>;

/// The places in the code that have logged something.
#[derive(Default)]
struct Places(Mutex<HashMap<Identifier, Place>>);

struct Place {
    kind: Kind,
    begun: Instant,
    lines: u32,
    left_out: u64,
}

impl Places {
    fn let_through(&self, kind: Kind, now: Instant) -> bool {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(kind.callsite()).or_insert(Place { kind, begun: now, lines: 0, left_out: 0 });
        if now.duration_since(place.begun) >= Duration::from_secs(60) {
            (place.begun, place.lines) = (now, 0);
        }
        place.lines = place.lines.saturating_add(1);
        let is_let_through = place.lines <= A_MINUTE;
        place.left_out += u64::from(!is_let_through);
        is_let_through
    }

    fn take_left_out(&self) -> Vec<(Kind, u64)> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = places.values_mut().map(|place| (place.kind, std::mem::take(&mut place.left_out)));
        taken.filter(|(_, left_out)| *left_out > 0).collect()
    }
}

/// Logs a panic. The standard library's own message would block while the reader reads nothing.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let words =
        payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let thread = thread::current();
    let name = thread.name().unwrap_or_default();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(thread = name, place, "panicked: {}", words.unwrap_or_default());
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!("{backtrace}");
    }
    // A panic of the main thread ends the process.
    if name == "main" {
        finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the metadata of one place.
    fn kind() -> Kind {
        tracing::error_span!("a place").metadata().unwrap()
    }

    #[test]
    fn lines_of_one_place_are_limited_and_those_left_out_are_counted() {
        let (places, begun) = (Places::default(), Instant::now());
        let subscriber = tracing_subscriber::registry();
        tracing::subscriber::with_default(subscriber, || {
            let (one, other) = (kind(), tracing::error_span!("another").metadata().unwrap());
            let let_through = |kind, count, after| {
                (0..count).filter(|_| places.let_through(kind, begun + Duration::from_secs(after))).count()
            };
            assert_eq!((let_through(one, 100, 0), let_through(other, 3, 0)), (20, 3));
            assert_eq!(let_through(one, 5, 59), 0);
            let left_out: Vec<u64> = places.take_left_out().into_iter().map(|(_, count)| count).collect();
            assert_eq!(left_out, [85]);
            assert_eq!(let_through(one, 100, 60), 20, "the next minute");
            assert_eq!(places.take_left_out().len(), 1);
            assert_eq!(places.take_left_out().len(), 0, "once");
        });
    }
}
