//! `jeton` as a process, which a test starts and controls as an operator does.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// A `jeton` process that is ended with the test.
pub struct Process {
    /// The process itself.
    pub child: Child,
    lines: BufReader<ChildStdout>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns a command with a data folder, and without the environment of the tests. `JETON_BINARY` in that environment
/// names another build, as `bench/faults` does.
pub fn command(arguments: &[&str], data: &Path) -> Command {
    let built = || env!("CARGO_BIN_EXE_jeton").into();
    let mut command = Command::new(std::env::var_os("JETON_BINARY").unwrap_or_else(built));
    command
        .args(arguments)
        .env_clear()
        .env("TMPDIR", data)
        .env("JETON_DATA_DIR", data)
        .env("JETON_LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the same command, run by a shell that first does something else, such as setting a limit.
pub fn after(first: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first} && exec \"$@\""), "sh"]).arg(command.get_program()).args(command.get_args());
    shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

impl Process {
    /// Starts it.
    pub fn start(mut command: Command) -> Process {
        let mut child = command.spawn().expect("jeton starts");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Process { child, lines }
    }

    /// Returns its next line on standard output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        if self.lines.read_line(&mut line).expect("a line") == 0 {
            let mut said = String::new();
            self.child.stderr.take().map(|mut log| log.read_to_string(&mut said));
            panic!("it has ended: {said}");
        }
        line.trim_end().to_owned()
    }

    /// Returns the address of a new server, and the code of its set-up link.
    pub fn first_lines(&mut self) -> (String, String) {
        let url = self.line().split_whitespace().last().expect("an address").to_owned();
        (0..2).for_each(|_| drop(self.line()));
        (url, self.line().trim().rsplit('=').next().expect("a code").to_owned())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("our own process");
    }

    /// Sends SIGTERM and returns the rest of its standard error.
    pub fn terminate(&mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        let mut rest = String::new();
        self.child.stderr.take().expect("its log").read_to_string(&mut rest).expect("text");
        assert!(self.child.wait().expect("its end").success(), "{rest}");
        rest
    }
}

/// Runs a command that fails, and returns its error message.
pub fn fails(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("jeton starts");
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

/// Runs a command that prints JSON.
pub fn prints(command: &mut Command) -> Value {
    let Output { status, stdout, stderr } = command.output().expect("jeton starts");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).expect("JSON")
}

/// Returns a client that follows no redirects.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// Returns the status of the answer to a request with this key.
pub async fn status(url: &str, key: &str) -> u16 {
    client().get(format!("{url}/api/v1/me")).bearer_auth(key).send().await.unwrap().status().as_u16()
}
