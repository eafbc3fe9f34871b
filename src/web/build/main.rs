//! Prepares what the binary contains besides code: the texts of both languages, the front-end files and the icons.
//!
//! It generates three files in `$OUT_DIR`: `texts.rs`, `assets.rs` and `icons.rs`, and the folder `assets` beside them.
//! The modules of the same names in this crate include them. Each failure stops the build with a message that names the
//! file and the key.

mod assets;
mod icons;
mod npm;
mod styles;
mod texts;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Any failure of a build step; the message is all that matters.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// The root of the repository, where the input files are, relative to the folder of this crate.
const ROOT: &str = "../..";

fn main() -> Outcome<()> {
    // This must not include anything that this run writes or installs: it would be newer than the run, and the next
    // build would start over (a test of `src/web/assets.rs` checks this).
    for watched in ["src/web/build", "locales", "static", "templates", "package.json", "package-lock.json"] {
        println!("cargo:rerun-if-changed={ROOT}/{watched}");
    }
    println!("cargo:rerun-if-env-changed={}", npm::OFFLINE);
    env::set_current_dir(ROOT)?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    npm::install_if_needed();
    write_if_changed(&out.join("texts.rs"), &texts::generate(Path::new("locales"))?)?;
    write_if_changed(&out.join("icons.rs"), &icons::generate(Path::new("templates"))?)?;
    write_if_changed(&out.join("assets.rs"), &assets::generate(Path::new("static"), &out.join("assets"))?)?;
    Ok(())
}

/// Reads a file, and names it if that fails; `std::io` alone does not.
fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Like [`read`], for UTF-8 text.
fn read_text(path: &Path) -> Outcome<String> {
    String::from_utf8(read(path)?).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Returns the files of a folder in alphabetical order, without those of folders within it.
fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Outcome<Vec<_>>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

fn write_if_changed(path: &Path, content: &str) -> Outcome<()> {
    if fs::read_to_string(path).ok().as_deref() != Some(content) {
        fs::write(path, content)?;
    }
    Ok(())
}
