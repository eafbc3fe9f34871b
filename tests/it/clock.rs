//! Clocks that are wrong for a moment: they end nothing permanently (L7).

use crate::harness::{
    Person, TestApp, TestDb, activity, db_test, folder, org,
    process::{Process, client, command, fails, prints, status},
    wait_for_freshness,
};
use app::{
    Jeton,
    clock::{Clock, Moment},
    verify::denied::Denied,
};
use domain::{
    access::{Demand, Refusal},
    activity::{Action, Source},
    time::DAY,
};
use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    process::Command,
    time::Duration,
};
use storage::{StorageError, activity as log};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// Starts another node on the same database, with its clock set off by so many seconds.
fn node(app: &TestApp, set: i64) -> Jeton {
    let settings = app.settings();
    settings.clock.set(set);
    Jeton::open(settings).unwrap()
}

/// Sets the leading clock off by so many seconds, and waits until every node that is used has noticed: at the next read
/// of the epoch, which also reads the database's clock.
fn set(clock: &Clock, seconds: i64) {
    clock.set(seconds);
    wait_for_freshness();
}

/// Returns whether a node accepts a key; none if it cannot tell.
async fn accepts(node: &Jeton, key: &str) -> Option<bool> {
    match node.verifier().unwrap().verify(key, Demand::default(), Moment::now(), Source::default).await {
        Ok(_) => Some(true),
        Err(Denied::Refused(Refusal::Expired(_))) => Some(false),
        Err(Denied::Unavailable(_)) => None,
        Err(other) => panic!("{other}"),
    }
}

fn actions(app: &TestApp) -> Vec<String> {
    activity(&app.db).into_iter().map(|entry| entry.action).collect()
}

/// Asks until the server is ready, or is not, as a supervisor does.
async fn becomes_ready(url: &str, ready: bool) -> String {
    let mut last = String::new();
    for _ in 0..200 {
        let answer = client().get(format!("{url}/readyz")).send().await.unwrap();
        let is_ready = answer.status() == 200;
        last = answer.text().await.unwrap();
        if is_ready == ready {
            return last;
        }
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{last}");
}

fn confirms(app: &TestApp) {
    let mut confirm = command(&["clock", "confirm", "--json"], app.folder());
    assert!(prints(confirm.env("DATABASE_URL", app.url_of_database()))["now"].is_string());
}

#[db_test]
async fn while_the_clock_has_jumped_nothing_is_decided_or_ended(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let others = ann.copy();
    for seconds in [60 * DAY, -3 * HOUR, 3650 * DAY, -400 * DAY, 6 * MINUTE] {
        set(&app.clock, seconds);
        let refused = app.me(&key).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, "1"), "{seconds}");
        let page = ann.get("/account/tokens").await;
        assert_eq!((page.status, page.header("retry-after")), (503, "30"), "{seconds}");
        assert_eq!(page.header("set-cookie"), "");
        page.shows("The server’s clock is wrong");
        for written in [others.signs_in().await, ann.post("/account/theme", &[("theme", "dark")]).await] {
            assert_eq!(written.status, 503, "{}", written.body);
        }
        let ready = app.send("GET", "/readyz", &[], "").await;
        assert_eq!((ready.status, ready.header("retry-after")), (503, "1"), "{seconds}");
        assert!(ready.body.contains("clock: not trusted"), "{}", ready.body);
        assert!(app.asked_by_program("/metrics").await.body.contains("\njeton_clock_trusted 0\n"));
        assert_eq!(app.send("GET", "/healthz", &[], "").await.status, 200);
        app::maintenance::run(&app.jeton).await;

        set(&app.clock, 0);
        assert_eq!((app.me(&key).await.status, ann.get("/account/tokens").await.status), (200, 200), "{seconds}");
        assert_eq!(app.send("GET", "/readyz", &[], "").await.status, 200);
        assert!(app.asked_by_program("/metrics").await.body.contains("\njeton_clock_trusted 1\n"));
        app::maintenance::run(&app.jeton).await;
        assert_eq!((app.me(&key).await.status, ann.get("/account/tokens").await.status), (200, 200), "{seconds}");
    }
    // What a clock is set right by, and a machine that sleeps.
    set(&app.clock, 20);
    assert_eq!((app.me(&key).await.status, ann.get("/account/tokens").await.status), (200, 200));
    app.clock.advance(8 * HOUR);
    assert_eq!(app.me(&key).await.status, 200);
    assert!(!actions(&app).contains(&"token.expired".to_owned()));
}

#[db_test]
async fn a_clock_that_starts_ahead_ends_nothing_permanently(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let ahead = node(&app, 3650 * DAY);
    assert_eq!(accepts(&ahead, &key).await, Some(false), "nobody could tell");
    for _ in 0..2 {
        app::maintenance::run(&ahead).await;
        assert_eq!((app.me(&key).await.status, ann.get("/account/tokens").await.status), (200, 200));
        ahead.clock().advance(29 * MINUTE);
    }
    set(ahead.clock(), 0);
    assert_eq!(accepts(&ahead, &key).await, None, "which of the two was right?");
    ahead.clock().advance(2 * HOUR);
    app::clock::reconsider(&ahead).await.unwrap();
    assert_eq!(accepts(&ahead, &key).await, Some(true));
}

#[db_test]
async fn if_most_tokens_expire_together_they_end_only_after_a_day(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for number in 0..20 {
        ann.makes_service_token(&format!("Service {number}")).await;
    }
    let expired = || actions(&app).iter().filter(|action| *action == "token.expired").count();
    let ahead = node(&app, 100 * DAY);
    ahead.clock().advance(23 * HOUR);
    app::maintenance::run(&ahead).await;
    assert_eq!(expired(), 0);
    ahead.clock().advance(HOUR);
    app::maintenance::run(&ahead).await;
    assert_eq!(expired(), 20);
}

#[db_test]
async fn a_few_tokens_expire_once_the_clock_was_steady_for_an_hour(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for label in ["one", "two"] {
        ann.makes_token(label).await;
    }
    let later = node(&app, 100 * DAY);
    for (steady, expired) in [(0, 0), (HOUR / 2, 0), (HOUR / 2, 2)] {
        later.clock().advance(steady);
        app::maintenance::run(&later).await;
        assert_eq!(actions(&app).iter().filter(|action| *action == "token.expired").count(), expired);
    }
}

#[db_test]
async fn a_clock_behind_the_log_answers_nothing_until_it_is_corrected(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let behind = node(&app, -400 * DAY);
    app::clock::reconsider(&behind).await.unwrap();
    app::maintenance::run(&behind).await;
    assert_eq!(accepts(&behind, &key).await, None);
    set(behind.clock(), -2 * MINUTE);
    assert_eq!(accepts(&behind, &key).await, Some(true), "by itself");
}

#[db_test]
async fn what_a_wrong_clock_wrote_can_be_overridden(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let (source, future) = (Source::default(), app.clock.now().plus(3650 * DAY));
    let entry = log::Entry::new(None, Action::SessionStarted, future, &source);
    app.db.write::<_, StorageError>(|connection| log::insert(connection, &entry)).unwrap();

    let node = node(&app, 0);
    assert_eq!(accepts(&node, &key).await, None);
    let mut revoke = command(&["token", "revoke", &ann.token_id("Power BI").await], app.folder());
    let said = fails(revoke.env("DATABASE_URL", app.url_of_database()));
    assert!(said.contains(&future.rfc3339()) && said.contains("jeton clock confirm"), "{said}");
    confirms(&app);
    app::clock::reconsider(&node).await.unwrap();
    assert_eq!(accepts(&node, &key).await, Some(true));
    assert_eq!(accepts(&self::node(&app, 0), &key).await, Some(true), "another start");
    ann.get(org!("/activity")).await.shows("confirmed that the server’s clock is right");
}

#[db_test]
async fn the_operator_confirms_that_the_new_time_is_right(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let before = app.clock.now();
    set(&app.clock, 3 * HOUR);
    assert_eq!(app.me(&key).await.status, 503);
    assert!(becomes_ready(&app.url, false).await.contains("clock: not"));
    confirms(&app);
    becomes_ready(&app.url, true).await;
    assert_eq!(app.me(&key).await.status, 200);
    assert!(app.clock.now().since(before) >= 3 * HOUR);
    // Once, not for the next jump.
    set(&app.clock, 9 * HOUR);
    assert_eq!(app.me(&key).await.status, 503);
    app::clock::reconsider(&app.jeton).await.unwrap();
    assert_eq!(app.me(&key).await.status, 503);
}

#[db_test]
async fn a_token_created_while_the_clock_was_behind_works_after_its_correction(db: TestDb) {
    let clock = Clock::system();
    clock.set(-400 * DAY);
    let app = TestApp::start_by(db, clock).await;
    let ann = app.first_user("Ann").await;
    let (used, unused) = (ann.makes_token("used").await, ann.makes_token("unused").await);
    assert_eq!(app.me(&used).await.status, 200);

    set(&app.clock, 0);
    assert_eq!(app.me(&used).await.status, 503);
    app.clock.advance(HOUR);
    app::clock::reconsider(&app.jeton).await.unwrap();
    for _ in 0..3 {
        assert_eq!((app.me(&used).await.status, app.me(&unused).await.status), (200, 200));
        app.clock.advance(HOUR);
        app::maintenance::run(&app.jeton).await;
    }
    assert_eq!(ann.signs_in().await.status, 303);
    ann.get("/account/tokens").await.shows("unused");
    assert!(!actions(&app).contains(&"token.expired".to_owned()));
}

/// Shows a program another time of day, off by the number of seconds in a file, which may change.
const SHIFTED: &str = r#"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long *ahead;

__attribute__((constructor)) static void look(void) {
    int file = open(getenv("CLOCK_AHEAD"), O_RDONLY);
    ahead = mmap(0, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    close(file);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME && ahead) now->tv_sec += *ahead;
    return failed;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"#;

/// A machine whose clock a test sets.
struct Machine<'a> {
    folder: &'a Path,
    ahead: File,
}

impl Machine<'_> {
    fn new(folder: &Path) -> Machine<'_> {
        let source = folder.join("shifted.c");
        fs::write(&source, SHIFTED).unwrap();
        let mut cc = Command::new("cc");
        let built = cc.args(["-shared", "-fPIC", "-o"]).arg(folder.join("shifted.so")).arg(source).status();
        assert!(built.expect("a C compiler").success());
        let ahead = folder.join("ahead");
        let ahead = OpenOptions::new().write(true).create(true).truncate(true).open(ahead).unwrap();
        let machine = Machine { folder, ahead };
        machine.set(0);
        machine
    }

    /// Sets its clock ahead by so many seconds.
    fn set(&self, seconds: i64) {
        self.ahead.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    fn jeton(&self, arguments: &[&str]) -> Command {
        let mut jeton = command(arguments, &self.folder.join("data"));
        jeton.env("LD_PRELOAD", self.folder.join("shifted.so")).env("CLOCK_AHEAD", self.folder.join("ahead"));
        jeton
    }

    fn starts(&self) -> (Process, String) {
        let mut server = Process::start(self.jeton(&[]));
        let url = server.line().split_whitespace().last().unwrap().to_owned();
        (server, url)
    }
}

#[actix_web::test]
async fn the_program_survives_wrong_clocks() {
    let folder = folder();
    let machine = Machine::new(folder.path());
    let mut server = Process::start(machine.jeton(&[]));
    let (url, code) = server.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;

    machine.set(60 * DAY);
    assert_eq!((status(&url, &key).await, ann.get("/account/tokens").await.status), (503, 503));
    assert!(becomes_ready(&url, false).await.contains("clock: not trusted"));
    machine.set(0);
    assert_eq!((status(&url, &key).await, ann.get("/account/tokens").await.status), (200, 200));
    assert!(becomes_ready(&url, true).await.contains("clock: ok"));
    let said = server.terminate();
    assert!(said.contains("the machine's clock jumped from") && said.contains("the clock is right again"), "{said}");

    machine.set(3650 * DAY);
    let (mut server, url) = machine.starts();
    assert_eq!(status(&url, &key).await, 401, "nobody could tell");
    server.terminate();

    machine.set(-400 * DAY);
    let (mut server, url) = machine.starts();
    assert_eq!(status(&url, &key).await, 503);
    let said = fails(&mut machine.jeton(&["token", "revoke", &id]));
    assert!(said.contains("the newest entry of the activity log"), "{said}");
    machine.set(0);
    assert_eq!(status(&url, &key).await, 200, "by itself");
    let said = server.terminate();
    assert!(said.contains("jeton clock confirm") && said.contains("the clock is right again"), "{said}");
    let said = prints(&mut machine.jeton(&["activity", "list", "--json"]));
    assert!(said.as_array().unwrap().iter().all(|entry| entry["action"] != "token.expired"), "{said}");
}
