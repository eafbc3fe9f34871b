//! The structure that `CONTRIBUTING.md` describes holds, as far as the compiler does not see to it.

use domain::leak;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The rooms, lowest first.
const ROOMS: [&str; 4] = ["domain", "storage", "app", "web"];

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// The sources of a room, with their paths; not those that only prepare its build.
pub fn room(room: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    sources(&folder).into_iter().filter(|(path, _)| !path.contains("/web/build/")).collect()
}

#[test]
fn the_domain_does_no_input_and_output() {
    for (path, source) in room("domain") {
        let program = source.split("#[cfg(test)]").next().unwrap();
        for name in ["std::fs", "std::net", "SystemTime", "Utc::now", "getrandom::", "diesel", "actix", "tokio"] {
            assert!(!program.contains(name), "{path} names {name}");
        }
    }
}

#[test]
fn only_the_configuration_reads_the_environment() {
    for name in ROOMS {
        for (path, source) in room(name) {
            for form in ["env::var", "env::vars", "std::env::args"] {
                assert!(!source.contains(form), "{path} reads the environment");
            }
        }
    }
}

/// A thread that is started elsewhere would end with its first panic, and nobody would miss it.
#[test]
fn only_one_place_starts_work_that_goes_on() {
    for name in ROOMS {
        for (path, source) in room(name).into_iter().filter(|(path, _)| !path.ends_with("app/background.rs")) {
            let program = source.split("#[cfg(test)]").next().unwrap();
            for form in ["thread::spawn(", "thread::Builder", "rt::spawn(", "spawn_local("] {
                assert!(!program.contains(form), "{path} starts work of its own");
            }
        }
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

/// A scanner that knows the published expression finds nothing here, nor in a copy of this repository: what looks like
/// a key in tests is made while they run, and documents show the beginning of one alone.
#[test]
fn no_file_has_anything_like_a_key_in_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pattern = regex::bytes::Regex::new(leak::PATTERN).unwrap();
    let files = tracked(root);
    assert!(files.iter().any(|file| file.ends_with("README.md")) && files.len() > 300, "{}", files.len());
    for file in files {
        let found =
            pattern.find(&fs::read(&file).unwrap()).map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned());
        assert_eq!(found, None, "{}", file.display());
    }
}

/// All files but those that the build and the tests bring along, as `.gitignore` names them.
fn tracked(folder: &Path) -> Vec<PathBuf> {
    let ignored: Vec<String> = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".gitignore"))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_ignored = name == ".git" || ignored.iter().any(|line| line.trim_matches('/') == name);
        if path.is_dir() && !is_ignored {
            found.extend(tracked(&path));
        } else if path.is_file() && !is_ignored {
            found.push(path);
        }
    }
    found
}
