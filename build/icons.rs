//! One constant an icon, and only for the icons that templates name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::{Outcome, npm, read_text};

/// How templates name an icon: `{{ crate::web::icons::SHIELD_CHECK }}` is lucide's `shield-check`.
const CALL: &str = "icons::";

/// Reads the templates and returns Rust source. Without the icon package every icon is empty.
///
/// # Errors
/// Names the icon when the package is there and has no such icon.
pub fn generate(templates: &Path) -> Outcome<String> {
    let mut used = BTreeSet::new();
    collect(templates, &mut used)?;

    let mut source = String::new();
    for constant in used {
        let name = constant.to_ascii_lowercase().replace('_', "-");
        let svg = match npm::package("lucide-static") {
            None => String::new(),
            Some(_) => {
                let file = npm::file("lucide-static", &format!("icons/{name}.svg"))
                    .ok_or_else(|| format!("templates use icons::{constant}, but lucide has no icon “{name}”"))?;
                clean(&read_text(&file)?)
            }
        };
        writeln!(source, "/// Lucide's `{name}`.\npub const {constant}: Icon = Icon({svg:?});")?;
    }
    Ok(source)
}

fn collect(folder: &Path, used: &mut BTreeSet<String>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, used)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            let text = read_text(&path)?;
            used.extend(text.split(CALL).skip(1).map(leading_constant).filter(|name| !name.is_empty()));
        }
    }
    Ok(())
}

fn leading_constant(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_').collect()
}

/// Keeps the shapes of the file and puts them into an element of our own: decoration only, sized and coloured by CSS.
fn clean(svg: &str) -> String {
    let body = svg.split_once("<svg").and_then(|(_, rest)| rest.split_once('>')).map_or("", |(_, rest)| rest);
    let shapes = body.split_once("</svg>").map_or(body, |(shapes, _)| shapes);
    let shapes: String = shapes.lines().map(str::trim).collect();
    format!(
        "<svg class=\"icon\" aria-hidden=\"true\" viewBox=\"0 0 24 24\" width=\"24\" height=\"24\" fill=\"none\" \
         stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\">{shapes}</svg>"
    )
}
