//! Front-end files under names that contain a hash of their content, each with its gzip version beside it.
//!
//! A changed file gets a new address, so browsers may cache each file forever.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use crate::{Outcome, files, npm, read, styles};

/// Files that come with npm packages: constant, package, path within it, name under which it is served.
const FROM_PACKAGES: [(&str, &str, &str, &str); 2] = [
    ("BASECOAT", "basecoat-css", "dist/basecoat.cdn.min.css", "basecoat.css"),
    ("HTMX", "htmx.org", "dist/htmx.min.js", "htmx.js"),
];

/// Fills `folder` and returns Rust source: a constant with the URL of each file, and the table `FILES` of what may be
/// served.
///
/// Jeton's own files are `&str` constants; those from packages are `Option<&str>`, `None` if the package is missing.
pub fn generate(own: &Path, folder: &Path) -> Outcome<String> {
    fs::create_dir_all(folder)?;
    let mut source = String::new();
    let mut kept = BTreeSet::new();
    let mut rows = String::new();

    for path in files(own)? {
        let name = file_name(&path)?;
        let hashed = store(&content(&path)?, &name, folder, &mut kept)?;
        writeln!(source, "/// The URL of `static/{name}`.")?;
        writeln!(source, "pub const {}: &str = {:?};", constant(&name), url(&hashed))?;
        writeln!(rows, "    ({hashed:?}, {:?}),", content_type(&name)?)?;
    }
    for (constant, package, path, name) in FROM_PACKAGES {
        let found = npm::file(package, path).map(|file| store(&served(read(&file)?), name, folder, &mut kept));
        let found = found.transpose()?;
        writeln!(source, "/// The URL of {name} from the npm package {package}, if that was there at build time.")?;
        writeln!(source, "pub const {constant}: Option<&str> = {:?};", found.as_deref().map(url))?;
        if let Some(hashed) = found {
            writeln!(rows, "    ({hashed:?}, {:?}),", content_type(name)?)?;
        }
    }
    remove_others(folder, &kept)?;
    write!(
        source,
        "/// Name and content type of each file that is served.\nconst FILES: &[(&str, &str)] = &[\n{rows}];\n"
    )?;
    Ok(source)
}

fn content(path: &Path) -> Outcome<Vec<u8>> {
    if path.extension().is_some_and(|extension| extension == "css") {
        return Ok(styles::join(path)?.into_bytes());
    }
    read(path)
}

/// Returns a file of a package without the pictures that a style sheet has within itself: the content security policy
/// lets no page load them, and a browser that tries reports it.
fn served(content: Vec<u8>) -> Vec<u8> {
    const BEGINS: &str = "url(\"data:";
    let Ok(mut rest) = std::str::from_utf8(&content) else { return content };
    let mut kept = String::with_capacity(rest.len());
    while let Some((before, picture)) = rest.split_once(BEGINS) {
        // Quotes within the picture are escaped.
        let Some(end) = picture.match_indices("\")").find(|(at, _)| !picture[..*at].ends_with('\\')) else { break };
        kept.push_str(before);
        kept.push_str("none");
        rest = &picture[end.0 + 2..];
    }
    kept.push_str(rest);
    kept.into_bytes()
}

/// Writes one file and its gzip version, and returns its hashed name. The name identifies the content, so an existing
/// file is correct.
fn store(content: &[u8], name: &str, folder: &Path, kept: &mut BTreeSet<String>) -> Outcome<String> {
    let hashed = hashed_name(name, content)?;
    let zipped = format!("{hashed}.gz");
    if !folder.join(&zipped).exists() {
        fs::write(folder.join(&hashed), content)?;
        fs::write(folder.join(&zipped), gzip(content)?)?;
    }
    kept.extend([hashed.clone(), zipped]);
    Ok(hashed)
}

/// `app.css` → `app-0123456789ab.css`.
fn hashed_name(name: &str, content: &[u8]) -> Outcome<String> {
    let (stem, extension) = name.rsplit_once('.').ok_or_else(|| format!("static/{name}: a file needs an extension"))?;
    let digest = Sha256::digest(content);
    Ok(format!("{stem}-{}.{extension}", hex::encode(&digest[..6])))
}

fn gzip(content: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

fn remove_others(folder: &Path, kept: &BTreeSet<String>) -> Outcome<()> {
    for path in files(folder)? {
        if !kept.contains(&file_name(&path)?) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> Outcome<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(name.ok_or_else(|| format!("{}: the name is not UTF-8", path.display()))?.to_owned())
}

fn url(hashed: &str) -> String {
    format!("/static/{hashed}")
}

/// `app.css` → `APP_CSS`.
fn constant(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn content_type(name: &str) -> Outcome<&'static str> {
    match name.rsplit('.').next() {
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        _ => {
            Err(format!("static/{name}: src/web/build/assets.rs does not know the content type of this extension")
                .into())
        }
    }
}
