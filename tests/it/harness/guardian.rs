//! Resources of the tests (folders, servers) that are removed however the test process ends, `kill -9` included.
//!
//! `Drop` does not run for statics nor after a kill, so another process does the cleanup: a small shell that holds the
//! reading end of a pipe. The kernel closes the writing end when the test process is gone. The shell then reads the end
//! of the file, stops what it started by its id, and removes its folder.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// The script of the shell. `$1` is the command that it runs after it has created its folder and before it waits; the
/// command may set `stop`.
const SCRIPT: &str = r#"
stop=:
folder=$(mktemp -d "${TMPDIR:-/tmp}/jeton-test-XXXXXX") || exit 1
umask 077
# Only the folder's name leads in: Postgres, as another user, must reach its own folder in here.
chmod 711 "$folder"
echo "$folder"
start=$1; shift
eval "$start"
while read -r _; do :; done
eval "$stop"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$folder" && break
    sleep 0.2
done
"#;

/// A folder, and perhaps a server in it, that are removed soon after the test process ends.
pub struct Guardian {
    folder: PathBuf,
    /// The pipe whose end the shell waits for. Nothing is written to it.
    _lifeline: ChildStdin,
}

impl Guardian {
    /// Creates the folder and runs `start`, a piece of shell, with `$folder` and with `arguments` as `$1`, `$2`… It may
    /// set `$stop`, a piece of shell for the end. It must not wait, and must give what it starts its own standard input
    /// and output.
    pub fn start(start: &str, arguments: &[&OsStr]) -> Result<Guardian, String> {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "guardian", start]).args(arguments);
        // Its own process group: Ctrl-C ends the tests, but this shell must stay alive to clean up after them.
        shell.process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().map_err(|error| format!("sh cannot be started: {error}"))?;
        let lifeline = shell.stdin.take().ok_or("sh has no standard input")?;
        let output = shell.stdout.take().ok_or("sh has no standard output")?;
        let mut folder = String::new();
        BufReader::new(output).read_line(&mut folder).map_err(|error| error.to_string())?;
        match folder.trim_end() {
            "" => Err("no temporary folder can be created".to_owned()),
            folder => Ok(Guardian { folder: folder.into(), _lifeline: lifeline }),
        }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns what a server wrote to the file `log` in the folder.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

/// Returns the folder of this test process for all temporary files. Folders in it are removed by those who created
/// them; what a killed process left there is removed with it.
pub fn scratch() -> &'static Path {
    static SCRATCH: OnceLock<Guardian> = OnceLock::new();
    SCRATCH.get_or_init(|| Guardian::start("", &[]).expect("a scratch folder")).folder()
}
