//! Fetches the front-end packages once, so that `cargo run` stays the only command.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Set this variable to anything to keep the build away from npm; what is already in `node_modules` is used all the same.
pub const OFFLINE: &str = "JETON_BUILD_OFFLINE";

const MODULES: &str = "node_modules";
const PACKAGES: [&str; 3] = ["basecoat-css", "htmx.org", "lucide-static"];

/// Runs `npm ci` when a package is missing. Jeton also works without them, so a failure is a warning and no more.
pub fn install_if_missing() {
    if PACKAGES.iter().all(|name| package(name).is_some()) {
        return;
    }
    let outcome = if env::var_os(OFFLINE).is_some() { Err(format!("{OFFLINE} is set")) } else { install() };
    if let Err(reason) = outcome {
        println!(
            "cargo:warning=front-end packages are missing ({reason}): pages will work without htmx, icons and basecoat"
        );
    }
}

/// The folder of an installed package.
pub fn package(name: &str) -> Option<PathBuf> {
    Some(Path::new(MODULES).join(name)).filter(|folder| folder.join("package.json").is_file())
}

/// A file of an installed package, watched for changes. Only files that exist may be watched: cargo takes a missing one
/// for changed and would build the crate anew each time.
pub fn file(package_name: &str, path: &str) -> Option<PathBuf> {
    let file = package(package_name)?.join(path);
    fs::metadata(&file).ok()?;
    println!("cargo:rerun-if-changed={}", file.display());
    Some(file)
}

fn install() -> Result<(), String> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    // No retries: npm without a network takes a minute to give up otherwise.
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
