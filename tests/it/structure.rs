//! Checks the structure that `CONTRIBUTING.md` describes, as far as the compiler does not.

use domain::leak;
use regex::Regex;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
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

/// Returns the sources of a room with their paths, except those that only prepare its build.
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

/// Returns what looks like an address of Jeton's own, and like the path or query of any that is put together.
fn addresses(text: &str) -> Vec<String> {
    let first = |path: &'static str| path.split('/').nth(1).filter(|part| !part.is_empty());
    let parts: BTreeSet<_> = web::routes::served().into_iter().filter_map(|(_, path)| first(path)).collect();
    assert!(parts.contains("account") && parts.contains("orgs"), "{parts:?}");
    let parts = parts.into_iter().map(regex::escape).collect::<Vec<_>>().join("|");
    let pattern = format!(r#"["']/(?:{parts}|verify)\b|(?:href|action)="/|\}}[/?][a-z{{]"#);
    Regex::new(&pattern).unwrap().find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

/// Then `web/routes` alone decides what an address looks like.
#[test]
fn no_template_and_no_handler_writes_an_address() {
    assert_eq!(addresses(r#"href="/" '/orgs/x' "{here}/edit" "{page}?saved" "{{ here }}/x" "/etc/x""#).len(), 5);
    let program = |source: &str| {
        let program = source.split("#[cfg(test)]").next().unwrap();
        program.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    for (path, source) in room("web").into_iter().filter(|(path, _)| !path.contains("/web/routes")) {
        assert_eq!(addresses(&program(&source)), [""; 0], "{path}");
    }
    let templates = tracked(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"));
    assert!(templates.len() > 50, "{}", templates.len());
    for file in templates {
        assert_eq!(addresses(&fs::read_to_string(&file).unwrap()), [""; 0], "{}", file.display());
    }
}

/// A thread that is started elsewhere would end with its first panic, and nobody would notice.
#[test]
fn only_one_place_starts_background_work() {
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

/// A scanner that knows the published expression finds nothing here, nor in a copy of this repository: whatever looks
/// like a key in tests is created while they run, and documents show only the beginning of one.
#[test]
fn no_file_contains_anything_like_a_key() {
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

/// Returns the ids of `docs/requirements.md` that a file cites, such as V16. In Rust only comments cite: `IpAddr::V4`
/// is not a requirement.
fn cited(file: &Path, text: &str) -> Vec<String> {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:^|\s)//[/!]?(\s.*)$").unwrap());
    static ID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:^|[^\w%&:@=+-])([TVSCALGRIXP][0-9]{1,2})\b").unwrap());
    let is_rust = file.extension().is_some_and(|extension| extension == "rs");
    let told = |line| {
        if is_rust {
            COMMENT.captures(line).and_then(|found| found.get(1)).map_or("", |told| told.as_str())
        } else {
            line
        }
    };
    text.lines().flat_map(|line| ID.captures_iter(told(line)).map(|found| found[1].to_owned())).collect()
}

/// Returns the ids of the rows of `docs/requirements.md`, and the tests that they name.
fn requirements(root: &Path) -> (BTreeSet<String>, Vec<String>) {
    let text = fs::read_to_string(root.join("docs/requirements.md")).unwrap();
    let row = Regex::new(r"(?m)^\| ([A-Z][0-9]+) \| [^|]+ \| ([^|]+) \|$").unwrap();
    let test = Regex::new(r"`((?:\w+::)+\w+)`").unwrap();
    let (mut ids, mut tests) = (BTreeSet::new(), Vec::new());
    for [id, named] in row.captures_iter(&text).map(|row| row.extract().1) {
        assert!(ids.insert(id.to_owned()), "{id} has two rows");
        assert!(test.is_match(named), "{id} names no test");
        tests.extend(test.captures_iter(named).map(|test| test[1].to_owned()));
    }
    (ids, tests)
}

/// Returns whether a test is where its name says: in a module of a room, or of these tests.
fn exists(root: &Path, name: &str) -> bool {
    let (module, function) = name.rsplit_once("::").unwrap();
    let room = module.split("::").next().unwrap();
    let folder = root.join(if ROOMS.contains(&room) { "src" } else { "tests/it" });
    let path = folder.join(module.replace("::", "/"));
    [path.with_extension("rs"), path.join("mod.rs"), path.join("lib.rs")]
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .any(|source| source.contains(&format!("fn {function}(")))
}

#[test]
fn every_requirement_that_is_cited_is_described_with_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (described, tests) = requirements(root);
    assert!(described.len() > 50 && tests.len() > described.len(), "{described:?}");
    for name in tests {
        assert!(exists(root, &name), "docs/requirements.md names {name}, which is no test");
    }
    let mut citations = 0;
    for file in ["src", "tests", "docs", "bench", "migrations"].iter().flat_map(|folder| tracked(&root.join(folder))) {
        // Pictures are no texts.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for id in cited(&file, &text) {
            citations += 1;
            assert!(described.contains(&id), "{} cites {id}, which docs/requirements.md lacks", file.display());
        }
    }
    assert!(citations > 100, "{citations}");
}

/// Returns all files except those that the build and the tests create, as `.gitignore` names them.
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
