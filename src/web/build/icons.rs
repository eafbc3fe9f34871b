//! One constant for each icon, only for icons that templates name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::{Outcome, npm, read_text};

/// How templates name an icon: `{{ crate::icons::SHIELD_CHECK }}` is lucide's `shield-check`.
const CALL: &str = "icons::";

/// Reads the templates and returns Rust source. Without the icon package every icon is empty.
///
/// # Errors
/// When the package has no such icon; the error names it.
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
                clean(&read_text(&file)?)?
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

/// Converts the shapes of the file to one path in an element of its own: decoration only, sized and coloured by CSS. A
/// page has dozens of icons, and one path is a third of the size of lucide's shapes.
fn clean(svg: &str) -> Outcome<String> {
    let body = svg.split_once("<svg").and_then(|(_, rest)| rest.split_once('>')).map_or("", |(_, rest)| rest);
    let shapes = body.split_once("</svg>").map_or(body, |(shapes, _)| shapes).split('<').skip(1);
    let path = shapes.map(outline).collect::<Outcome<String>>()?;
    Ok(format!(
        "<svg class=\"icon\" aria-hidden=\"true\" viewBox=\"0 0 24 24\" width=\"24\" height=\"24\" fill=\"none\" \
         stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\"><path d=\"{path}\"/></svg>"
    ))
}

/// Converts a shape, such as `circle cx="12" cy="12" r="3" />`, to path commands. Each path starts at its own position,
/// wherever the previous one has ended.
fn outline(shape: &str) -> Outcome<String> {
    let text = |name: &str| shape.split_once(&format!(" {name}=\""))?.1.split('"').next();
    let number = |name: &str| text(name).and_then(|text| text.parse::<f64>().ok()).ok_or(format!("<{shape}: {name}?"));
    Ok(match shape.split_whitespace().next() {
        Some("path") => {
            let way = text("d").ok_or(format!("<{shape}: d?"))?;
            if way.starts_with('m') { format!("M0 0{way}") } else { way.to_owned() }
        }
        Some("circle") => {
            let (x, y, r) = (number("cx")?, number("cy")?, number("r")?);
            format!("M{} {y}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0z", x - r, d = 2.0 * r)
        }
        Some("rect") => {
            let r = number("rx").unwrap_or(0.0);
            let (across, down) = (number("width")? - 2.0 * r, number("height")? - 2.0 * r);
            let corner = |x: &str, y: &str| format!("a{r} {r} 0 0 1 {x}{r} {y}{r}");
            let (x, y) = (number("x")? + r, number("y")?);
            let (first, second, third, fourth) = (corner("", ""), corner("-", ""), corner("-", "-"), corner("", "-"));
            format!("M{x} {y}h{across}{first}v{down}{second}h-{across}{third}v-{down}{fourth}z")
        }
        // After a move, further points are lines.
        Some("polyline") => format!("M{}", text("points").ok_or(format!("<{shape}: points?"))?),
        Some("line") => format!("M{} {}L{} {}", number("x1")?, number("y1")?, number("x2")?, number("y2")?),
        _ => return Err(format!("src/web/build/icons.rs does not know this shape of lucide's: <{shape}").into()),
    })
}
