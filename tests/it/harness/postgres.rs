//! One throw-away Postgres cluster for the test process, from Debian's `postgresql` package, started on first use.
//!
//! It listens on a free loopback port and on a socket in its own folder, trusts every local connection, and runs
//! **without fsync**. That is fine for tests that end with it, but useless for tests of what survives a crash of the
//! machine. (Killing the *server under test* is different: what it committed is in the cluster, which keeps running.)

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use super::guardian::Guardian;

/// `$1` is the folder of the programs, `$2` the port. Postgres refuses to run as root: `setpriv` replaces itself with
/// the program (unlike `runuser`), so that `$!` is Postgres itself. SIGQUIT stops it immediately, with all its
/// children.
const START: &str = r#"
as=
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    as="setpriv --reuid=postgres --regid=postgres --init-groups"
fi
cd "$folder"
$as "$1/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync --no-instructions </dev/null >"$folder/log" 2>&1 || echo FATAL >>"$folder/log"
$as "$1/postgres" -D "$folder/data" -p "$2" -k "$folder" -c listen_addresses=127.0.0.1 \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \
    -c max_connections=300 -c shared_buffers=32MB -c autovacuum=off -c jit=off -c track_commit_timestamp=on \
    </dev/null >>"$folder/log" 2>&1 &
stop="kill -s QUIT $!; wait $!"
"#;

/// How long the first start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Cluster {
    port: u16,
    _guardian: Guardian,
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    fn start() -> Result<Cluster, String> {
        let programs = programs().ok_or("Postgres is not installed; ./test installs it")?;
        let mut failure = String::new();
        // Another process may take the port between our check and Postgres's start: try others.
        for _ in 0..5 {
            let port = free_port()?;
            let guardian = Guardian::start(START, &[programs.as_os_str(), OsStr::new(&port.to_string())])?;
            let cluster = Cluster { port, _guardian: guardian };
            match cluster.wait() {
                Ok(()) => return Ok(cluster),
                Err(error) => failure = format!("{error}\n{}", cluster._guardian.log()),
            }
        }
        Err(format!("Postgres does not start: {failure}"))
    }

    fn wait(&self) -> Result<(), String> {
        let started = Instant::now();
        // Postgres itself writes this once it accepts connections, so this is our server and not another one on the
        // port.
        let status = self._guardian.folder().join("data/postmaster.pid");
        loop {
            let ready = std::fs::read_to_string(&status)
                .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"));
            if ready {
                return Ok(());
            }
            if self._guardian.log().contains("FATAL") {
                return Err("it stopped at once".to_owned());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("it was not ready after {PATIENCE:?}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Returns the URL of a new, empty database in the cluster. It need not be dropped.
pub fn fresh_database() -> String {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let cluster = match CLUSTER.get_or_init(Cluster::start) {
        Ok(cluster) => cluster,
        Err(error) => panic!("{error}"),
    };
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::establish(&cluster.url("postgres")).expect("a connection to the cluster");
    // template0 never has connections; copying its files is faster than logging them.
    connection
        .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy"))
        .expect("a new database");
    cluster.url(&name)
}

/// Returns the folder with `initdb` and `postgres`: from `PATH`, or Debian's newest version.
pub(super) fn programs() -> Option<PathBuf> {
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    on_path
        .chain(versions.into_iter().rev().map(|(_, folder)| folder))
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

pub(super) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}
