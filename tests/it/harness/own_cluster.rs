//! A Postgres cluster for a single test, to stop it and to turn it into a standby.

use super::{
    guardian::Guardian,
    postgres::{free_port, programs},
};
use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

/// `$1` is the folder of the programs. What a test starts there is stopped with it.
const START: &str = r#"
[ "$(id -u)" = 0 ] && chown postgres "$folder"
stop="kill -s QUIT \$(head -n 1 $folder/data/postmaster.pid)"
"#;

/// As root, Postgres refuses to run.
const AS_POSTGRES: &str = r#"
as=
[ "$(id -u)" = 0 ] && as="setpriv --reuid=postgres --regid=postgres --init-groups"
cd "$1"
"#;

/// The running cluster.
pub struct OwnCluster {
    port: u16,
    programs: PathBuf,
    guardian: Guardian,
}

impl OwnCluster {
    /// Starts a new cluster.
    pub fn start() -> OwnCluster {
        let programs = programs().expect("Postgres is installed");
        let guardian = Guardian::start(START, &[]).expect("a folder");
        let cluster = OwnCluster { port: free_port().expect("a free port"), programs, guardian };
        cluster.run(r#"$as "$2/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N --no-instructions"#);
        cluster.begin();
        cluster
    }

    /// Returns the URL of its only database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Restarts it as a standby, which waits for the commits of another server.
    pub fn restart_as_standby(&self) {
        self.run(r#"$as "$2/pg_ctl" -D data -m fast -w stop && $as touch data/standby.signal"#);
        self.begin();
    }

    /// Makes it the primary.
    pub fn promote(&self) {
        self.run(r#"$as "$2/pg_ctl" -D data -w promote"#);
    }

    /// Sends a signal to all its processes: `STOP` pauses them until `CONT`, `KILL` ends them.
    pub fn signal(&self, signal: &str) {
        let status = fs::read_to_string(self.guardian.folder().join("data/postmaster.pid")).expect("it runs");
        let main: u32 = status.lines().next().and_then(|pid| pid.trim().parse().ok()).expect("its number");
        let all: Vec<u32> = std::iter::once(main).chain(children(main)).collect();
        let sent = Command::new("kill").args(["-s", signal]).args(all.iter().map(u32::to_string)).status();
        assert!(sent.expect("kill").success());
        let lives = |pid: &u32| fields(*pid).is_some_and(|(state, _)| state != "Z");
        while signal == "KILL" && all.iter().any(lives) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it after it was killed.
    pub fn start_again(&self) {
        self.begin();
    }

    fn begin(&self) {
        self.run(
            r#"$as "$2/pg_ctl" -D data -w -l server.log \
            -o "-p $3 -k $1 -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB" start"#,
        );
    }

    fn run(&self, commands: &str) {
        let script = format!("{AS_POSTGRES}({commands}) >>\"$1/commands.log\" 2>&1");
        let port = self.port.to_string();
        let arguments: [&OsStr; 3] = [self.guardian.folder().as_ref(), self.programs.as_ref(), port.as_ref()];
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "cluster"]).args(arguments).stdin(Stdio::null());
        let said = || std::fs::read_to_string(self.guardian.folder().join("commands.log")).unwrap_or_default();
        assert!(shell.status().expect("a shell").success(), "{}", said());
    }
}

/// Returns the processes that this one has started, as the kernel lists them.
fn children(of: u32) -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(move |pid| fields(*pid).is_some_and(|(_, parent)| parent == of))
}

/// Returns the state and the parent of a process: they come after its name, which may contain anything.
fn fields(pid: u32) -> Option<(String, u32)> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = status.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
