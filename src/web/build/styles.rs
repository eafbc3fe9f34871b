//! Joins the style sheets of the components into one file, and leaves out what only people read.

use std::path::Path;

use crate::{Outcome, files, read_text};

/// Returns a style sheet with each line `@import "…";` replaced by the file that it names.
///
/// Fails if the folder of an imported file has a file that is not imported.
pub fn join(sheet: &Path) -> Outcome<String> {
    let folder = sheet.parent().unwrap_or(Path::new(""));
    let mut css = String::new();
    let mut imported = Vec::new();
    for line in without_comments(&read_text(sheet)?)?.lines() {
        match line.strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";")) {
            Some(path) => {
                imported.push(folder.join(path));
                css.push_str(&read_text(&folder.join(path))?);
            }
            None => css.push_str(line),
        }
        css.push('\n');
    }
    for component in imported.iter().filter_map(|path| path.parent()) {
        if let Some(file) = files(component)?.iter().find(|file| !imported.contains(file)) {
            return Err(format!("{}: {} does not import it", file.display(), sheet.display()).into());
        }
    }
    shrink(&css)
}

/// Removes comments and white space that mean nothing. A string must not contain an escaped quote or `/*`.
fn shrink(css: &str) -> Outcome<String> {
    let css = without_comments(css)?;
    Ok(css
        .split('"')
        .enumerate()
        .map(|(index, part)| if index % 2 == 1 { format!("\"{part}\"") } else { squeeze(part) })
        .collect())
}

fn without_comments(css: &str) -> Outcome<String> {
    let mut parts = css.split("/*");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        rest.push_str(part.split_once("*/").ok_or("static: a comment has no end")?.1);
    }
    Ok(rest)
}

/// Keeps one space where a space may mean something: in selectors, and between values.
fn squeeze(css: &str) -> String {
    let mut css = css.split_whitespace().collect::<Vec<_>>().join(" ");
    for (long, short) in
        [(" {", "{"), ("{ ", "{"), ("; ", ";"), (" }", "}"), ("} ", "}"), (", ", ","), (": ", ":"), (";}", "}")]
    {
        css = css.replace(long, short);
    }
    css
}
