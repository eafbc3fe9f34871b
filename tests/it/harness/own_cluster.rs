//! A Postgres cluster that one test has to itself, to stop it and to turn it into a standby.

use super::{
    guardian::Guardian,
    postgres::{free_port, programs},
};
use std::{
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
};

/// `$1` is the folder of the programs. What a test starts there ends with it.
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

/// The cluster, which runs.
pub struct OwnCluster {
    port: u16,
    programs: PathBuf,
    guardian: Guardian,
}

impl OwnCluster {
    /// A new one.
    pub fn start() -> OwnCluster {
        let programs = programs().expect("Postgres is installed");
        let guardian = Guardian::start(START, &[]).expect("a folder");
        let cluster = OwnCluster { port: free_port().expect("a free port"), programs, guardian };
        cluster.run(r#"$as "$2/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N --no-instructions"#);
        cluster.begin();
        cluster
    }

    /// Where its only database is.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Starts it anew as a server that waits for what another one commits.
    pub fn restart_as_standby(&self) {
        self.run(r#"$as "$2/pg_ctl" -D data -m fast -w stop && $as touch data/standby.signal"#);
        self.begin();
    }

    /// Makes it the one that others follow.
    pub fn promote(&self) {
        self.run(r#"$as "$2/pg_ctl" -D data -w promote"#);
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
