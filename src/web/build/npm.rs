//! Fetches the front-end packages once, so that `cargo run` remains the only command.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Set this variable to any value to keep the build from using npm; what is already in `node_modules` is still used.
pub const OFFLINE: &str = "JETON_BUILD_OFFLINE";

const MODULES: &str = "node_modules";
const PACKAGES: [&str; 3] = ["basecoat-css", "htmx.org", "lucide-static"];

/// Runs `npm ci` if a package is missing or is not the version in `package-lock.json`. Jeton also works without the
/// packages, so a failure is only a warning.
pub fn install_if_needed() {
    if PACKAGES.iter().all(|name| is_installed(name)) {
        return;
    }
    let outcome = if env::var_os(OFFLINE).is_some() { Err(format!("{OFFLINE} is set")) } else { install() };
    if let Err(reason) = outcome {
        println!(
            "cargo:warning=npm could not install the front-end packages ({reason}): pages will work without htmx, icons and \
             basecoat where those are missing; touch src/web/build/main.rs to try again"
        );
    }
}

/// The folder of an installed package.
pub fn package(name: &str) -> Option<PathBuf> {
    Some(Path::new(MODULES).join(name)).filter(|folder| folder.join("package.json").is_file())
}

/// Returns a file of an installed package. Cargo is not told to watch it: a file that npm installed during this run
/// would be newer than the run, and the next build would start over. The version of the package is watched, in
/// `package-lock.json`.
pub fn file(package_name: &str, path: &str) -> Option<PathBuf> {
    Some(package(package_name)?.join(path)).filter(|file| file.is_file())
}

fn is_installed(name: &str) -> bool {
    let wanted = version(Path::new("package-lock.json"), name);
    package(name).is_some() && wanted == version(&Path::new(MODULES).join(".package-lock.json"), name)
}

/// Returns the version of a package in a lock file of npm.
fn version(lock: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(lock).ok()?;
    let (_, entry) = text.split_once(&format!("\"{MODULES}/{name}\": {{"))?;
    let (_, version) = entry.split_once("\"version\": \"")?;
    Some(version.split('"').next()?.to_owned())
}

fn install() -> Result<(), String> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    // No retries: without a network, npm would otherwise take a minute to give up.
    let output = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--omit=dev", "--fetch-retries=0"])
        .output()
        .map_err(|error| format!("npm does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let line = message.lines().find(|line| line.contains("npm error")).unwrap_or("no message");
    Err(format!("npm ci failed: {line}"))
}
