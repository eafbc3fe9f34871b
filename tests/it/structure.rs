//! The structure that `CONTRIBUTING.md` describes holds.

use std::{fs, path::Path};

/// Rooms, lowest first: a file may name the rooms before its own, and its own.
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

fn room(room: &str) -> Vec<(String, String)> {
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room))
}

#[test]
fn no_room_names_a_room_above_it() {
    for (index, name) in ROOMS.iter().enumerate() {
        let files = room(name);
        assert!(!files.is_empty());
        for (path, source) in files {
            for above in ROOMS[index + 1..].iter().chain(&["cli", "config"]) {
                for form in [format!("crate::{above}::"), format!("crate::{{{above}"), format!("    {above}::{{")] {
                    assert!(!source.contains(&form), "{path} names {above}");
                }
            }
        }
    }
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
