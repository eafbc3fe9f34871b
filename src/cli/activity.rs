//! `jeton activity …`: the log for the operator, and its verification.

use super::{
    Outcome,
    operate::{Common, print},
};
use app::{AppError, activity::Checked};
use clap::Subcommand;
use domain::activity::{Break, Detail, Hash, Logged};
use serde_json::{Value, json};

/// `jeton activity …`
#[derive(Subcommand, Debug)]
pub enum ActivityCommand {
    /// List the newest entries, newest first
    List {
        /// Only those of the organization with this slug
        #[arg(long, value_name = "SLUG")]
        org: Option<String>,
        /// The maximum number of entries
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
        #[command(flatten)]
        common: Common,
    },
    /// Verify that no entry was changed, removed, inserted or moved; exits with 1 if one was
    Verify {
        /// Only the log of the organization with this slug
        #[arg(long, value_name = "SLUG")]
        org: Option<String>,
        /// An entry as noted elsewhere: the log must still contain it, and nothing before it may have changed
        #[arg(long, value_name = "POSITION:HASH", requires = "org", value_parser = noted)]
        head: Option<(i64, Hash)>,
        #[command(flatten)]
        common: Common,
    },
}

/// Parses `POSITION:HASH`.
fn noted(typed: &str) -> Result<(i64, Hash), String> {
    let wrong = || "it must have the form POSITION:HASH, as jeton activity verify prints it".to_owned();
    let (position, digits) = typed.split_once(':').ok_or_else(wrong)?;
    let position = position.parse().ok().filter(|position: &i64| *position > 0).ok_or_else(wrong)?;
    let mut hash = Hash::default();
    hex::decode_to_slice(digits, &mut hash).map_err(|_| wrong())?;
    Ok((position, hash))
}

impl ActivityCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A message for the user of the command line, also if a log was tampered with.
    pub async fn run(self) -> Outcome {
        match self {
            Self::List { org, limit, common } => {
                let (mut records, as_json) = common.read()?;
                let entries = records.activity(org.as_deref(), limit).map_err(|error| named(&org, &error))?;
                let row = |(slug, entry): &(Option<String>, Logged)| {
                    if as_json { json_entry(slug.as_deref(), entry).to_string() } else { words(slug.as_deref(), entry) }
                };
                print(as_json, &entries.iter().map(row).collect::<Vec<_>>(), "The log has no entry yet.")
            }
            Self::Verify { org, head, common } => {
                let (mut records, as_json) = common.read()?;
                let checked = records.verify_activity(org.as_deref(), head).map_err(|error| named(&org, &error))?;
                report(&checked, as_json)
            }
        }
    }
}

fn named(org: &Option<String>, error: &AppError) -> String {
    org.as_ref().map_or_else(|| error.to_string(), |slug| format!("{slug}: {error}"))
}

/// Prints the result. A broken log is an error, so that the command exits with 1.
fn report(checked: &[Checked], as_json: bool) -> Outcome {
    let row = |log: &Checked| if as_json { json_checked(log).to_string() } else { words_checked(log) };
    print(as_json, &checked.iter().map(row).collect::<Vec<_>>(), "The log has no entry yet.")?;
    let broken: Vec<&str> = checked.iter().filter(|log| !log.breaks.is_empty()).map(name).collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("the activity log was tampered with: {}", broken.join(", ")).into())
}

fn name(log: &Checked) -> &str {
    log.slug.as_deref().unwrap_or("(no organization)")
}

fn words_checked(log: &Checked) -> String {
    let breaks = log.breaks.iter().map(|found| format!("\n    {}", words_break(*found))).collect::<String>();
    match &log.head {
        Some((position, hash)) if breaks.is_empty() => {
            format!(
                "{}: {} entries, all as they were written. Head: {position}:{}",
                name(log),
                log.entries,
                hex::encode(hash)
            )
        }
        None if breaks.is_empty() => format!("{}: no entries", name(log)),
        _ => format!("{}: {} entries, TAMPERED WITH:{breaks}", name(log), log.entries),
    }
}

fn words_break(found: Break) -> String {
    match found {
        Break::Changed(at) => format!("entry {at} or the one before it was changed"),
        Break::Missing(from, to) if from == to => format!("entry {from} is missing"),
        Break::Missing(from, to) => format!("entries {from} to {to} are missing"),
        Break::Inserted(at) => format!("entry {at} was added after the end of the log"),
        Break::Unchained(count) => format!("{count} entries are outside the chain"),
        Break::EndChanged(at) => format!("entry {at}, the last one, is not the entry that the log ended with"),
        Break::NoEnd => "the record of the end of the log is missing".into(),
    }
}

fn json_checked(log: &Checked) -> Value {
    let breaks: Vec<Value> = log.breaks.iter().map(|found| json_break(*found)).collect();
    json!({
        "organization": log.slug,
        "entries": log.entries,
        "position": log.head.map(|(position, _)| position),
        "hash": log.head.map(|(_, hash)| hex::encode(hash)),
        "is_whole": log.breaks.is_empty(),
        "breaks": breaks,
    })
}

fn json_break(found: Break) -> Value {
    let (kind, from, to) = match found {
        Break::Changed(at) => ("changed", Some(at), Some(at)),
        Break::Missing(from, to) => ("missing", Some(from), Some(to)),
        Break::Inserted(at) => ("inserted", Some(at), Some(at)),
        Break::Unchained(_) => ("unchained", None, None),
        Break::EndChanged(at) => ("end_changed", Some(at), Some(at)),
        Break::NoEnd => ("no_end", None, None),
    };
    json!({ "kind": kind, "from": from, "to": to, "words": words_break(found) })
}

fn words(slug: Option<&str>, entry: &Logged) -> String {
    let token = entry.token.as_ref().map(|(public_id, label)| format!("{public_id} {label}"));
    let parts = [
        Some(entry.at.rfc3339()),
        slug.map(str::to_owned),
        Some(entry.action.key().to_owned()),
        Some(entry.actor_name.clone()),
        entry.target_name.clone(),
        token,
        entry.detail.as_ref().map(Detail::to_text),
        Some(entry.source.address.clone()),
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

fn json_entry(slug: Option<&str>, entry: &Logged) -> Value {
    json!({
        "organization": slug,
        "position": entry.position,
        "time": entry.at.rfc3339(),
        "action": entry.action.key(),
        "actor": entry.actor_name,
        "target": entry.target_name,
        "token_id": entry.token.as_ref().map(|(public_id, _)| public_id),
        "token": entry.token.as_ref().map(|(_, label)| label),
        "detail": entry.detail.as_ref().map(Detail::to_text),
        "count": entry.count,
        "address": entry.source.address,
        "program": entry.source.program,
        "request_id": entry.source.request_id,
        "hash": hex::encode(entry.hash),
    })
}

#[cfg(test)]
mod tests {
    use super::noted;

    #[test]
    fn a_note_is_a_position_and_a_hash() {
        assert_eq!(noted(&format!("7:{}", "0f".repeat(32))), Ok((7, [0x0f; 32])));
        for wrong in
            ["", "7", "7:", "7:0f", "0:0f", &format!("-1:{}", "0f".repeat(32)), &format!("7:{}é", "0f".repeat(31))]
        {
            assert!(noted(wrong).is_err(), "{wrong}");
        }
    }
}
