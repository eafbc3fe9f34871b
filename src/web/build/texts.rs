//! Turns `locales/{en,fr}.toml` into one method for each text, so that a missing key, argument or translation fails the
//! build.
//!
//! English decides: its keys, and the order in which its arguments first appear, determine the signatures. French must
//! have the same keys with the same arguments, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use toml::{Table, Value};

use crate::{Outcome, read_text};

/// The argument that selects the form of a plural.
const COUNT: &str = "count";

/// A text of one language.
enum Text {
    Plain(String),
    /// `{ one = "…", other = "…" }`.
    Plural {
        one: String,
        other: String,
    },
}

impl Text {
    fn forms(&self) -> Vec<&str> {
        match self {
            Text::Plain(text) => vec![text],
            Text::Plural { one, other } => vec![one, other],
        }
    }
}

type Texts = BTreeMap<String, Text>;

/// Returns Rust source: `impl Texts { … }` with one method for each key.
pub fn generate(locales: &Path) -> Outcome<String> {
    let english = load(&locales.join("en.toml"))?;
    let french = load(&locales.join("fr.toml"))?;
    same_keys(&english, &french)?;

    let mut source = String::from("impl Texts {\n");
    for (key, text) in &english {
        write_method(&mut source, key, text, &french[key])?;
    }
    source.push_str("}\n");
    Ok(source)
}

fn load(path: &Path) -> Outcome<Texts> {
    let mut texts = Texts::new();
    let table: Table = read_text(path)?.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    flatten("", &table, &mut texts).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(texts)
}

/// `[tokens] title = "…"` becomes the key `tokens_title`.
fn flatten(prefix: &str, table: &Table, texts: &mut Texts) -> Outcome<()> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}_{name}") };
        if !is_identifier(name) {
            return Err(format!("{key}: a key has small letters, digits and “_” only").into());
        }
        let text = match value {
            Value::String(text) => Text::Plain(text.clone()),
            Value::Table(forms) if is_plural(forms) => plural(&key, forms)?,
            Value::Table(inner) => {
                flatten(&key, inner, texts)?;
                continue;
            }
            _ => return Err(format!("{key}: a text is a string, or a table with “one” and “other”").into()),
        };
        if texts.insert(key.clone(), text).is_some() {
            return Err(format!("{key}: two keys lead to this name").into());
        }
    }
    Ok(())
}

fn is_plural(forms: &Table) -> bool {
    forms.contains_key("one") || forms.contains_key("other")
}

fn plural(key: &str, forms: &Table) -> Outcome<Text> {
    match (forms.get("one"), forms.get("other"), forms.len()) {
        (Some(Value::String(one)), Some(Value::String(other)), 2) => {
            Ok(Text::Plural { one: one.clone(), other: other.clone() })
        }
        _ => Err(format!("{key}: a plural has exactly “one” and “other”").into()),
    }
}

fn same_keys(english: &Texts, french: &Texts) -> Outcome<()> {
    let missing = |from: &Texts, other: &Texts| -> Vec<String> {
        from.keys().filter(|key| !other.contains_key(*key)).cloned().collect()
    };
    let (no_french, no_english) = (missing(english, french), missing(french, english));
    if no_french.is_empty() && no_english.is_empty() {
        return Ok(());
    }
    Err(format!("locales: not in fr.toml: [{}]; not in en.toml: [{}]", no_french.join(", "), no_english.join(", "))
        .into())
}

fn write_method(source: &mut String, key: &str, english: &Text, french: &Text) -> Outcome<()> {
    let arguments = arguments(key, english)?;
    let in_french: BTreeSet<String> = self::arguments(key, french)?.into_iter().collect();
    if in_french != arguments.iter().cloned().collect() {
        return Err(format!("{key}: English has the arguments {arguments:?}, French has {in_french:?}").into());
    }

    writeln!(source, "    /// `{:?}`", english.forms().last().copied().unwrap_or_default())?;
    match (english, french) {
        (Text::Plain(english), Text::Plain(french)) if arguments.is_empty() => {
            writeln!(source, "    pub fn {key}(self) -> &'static str {{")?;
            writeln!(source, "        match self.0 {{ Language::En => {english:?}, Language::Fr => {french:?} }}")?;
        }
        (Text::Plain(english), Text::Plain(french)) => {
            writeln!(source, "    pub fn {key}(self{}) -> String {{", parameters(&arguments))?;
            writeln!(source, "        match self.0 {{")?;
            writeln!(source, "            Language::En => format!({english:?}),")?;
            writeln!(source, "            Language::Fr => format!({french:?}),")?;
            writeln!(source, "        }}")?;
        }
        (Text::Plural { one: en_one, other: en_other }, Text::Plural { one: fr_one, other: fr_other }) => {
            writeln!(source, "    pub fn {key}(self, {COUNT}: impl Count{}) -> String {{", parameters(&arguments))?;
            writeln!(source, "        let {COUNT} = {COUNT}.into_i64();")?;
            writeln!(source, "        match (self.0, self.is_one({COUNT}), self.number({COUNT})) {{")?;
            for (language, one, form) in
                [("En", true, en_one), ("En", false, en_other), ("Fr", true, fr_one), ("Fr", false, fr_other)]
            {
                let printed = if form.contains("{count}") { COUNT } else { "_" };
                let text =
                    if form.contains('{') { format!("format!({form:?})") } else { format!("{form:?}.to_owned()") };
                writeln!(source, "            (Language::{language}, {one}, {printed}) => {text},")?;
            }
            writeln!(source, "        }}")?;
        }
        _ => return Err(format!("{key}: a plural in one language only").into()),
    }
    writeln!(source, "    }}")?;
    Ok(())
}

fn parameters(names: &[String]) -> String {
    names.iter().map(|name| format!(", {name}: impl Display")).collect()
}

/// Returns the arguments of a text in order of appearance. A form of a plural may leave out `{count}` ("one token").
fn arguments(key: &str, text: &Text) -> Outcome<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for form in text.forms() {
        for name in placeholders(key, form)? {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    if let Text::Plural { one, other } = text {
        let without_count = |form: &str| -> Outcome<BTreeSet<String>> {
            Ok(placeholders(key, form)?.into_iter().filter(|name| name != COUNT).collect())
        };
        if without_count(one)? != without_count(other)? {
            return Err(format!("{key}: “one” and “other” have different arguments").into());
        }
        found.retain(|name| name != COUNT);
    }
    Ok(found)
}

fn placeholders(key: &str, text: &str) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['{', '}']) {
        let name = rest[start..].strip_prefix('{').and_then(|inner| inner.split_once('}')).map(|(name, _)| name);
        match name {
            Some(name) if is_identifier(name) => names.push(name.to_owned()),
            _ => return Err(format!("{key}: “{{” and “}}” stand round the name of an argument only: {text:?}").into()),
        }
        rest = &rest[start + names.last().map_or(0, String::len) + 2..];
    }
    Ok(names)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
