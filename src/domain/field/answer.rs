//! One answer to a field, as text of a form and as JSON.

use super::{Asks, Date, Decimal};
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// What somebody answered to a field.
///
/// Its JSON stands in the database and in API answers: a string, a number, `true` or `false`, or a list of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A text of one or several lines.
    Text(String),
    /// A number.
    Number(Decimal),
    /// A day.
    Date(Date),
    /// Yes (`true`) or no.
    YesNo(bool),
    /// The choice, in the words that it had then. The field may no longer offer it.
    Choice(String),
    /// The choices, in the order in which the field offered them. It may no longer offer some.
    Choices(Vec<String>),
    /// The public id of an item. It may be gone, or out of reach of who reads this.
    Item(String),
    /// What was typed into a draft and is no answer to its field, such as `4,5 approx.` where a number is asked for.
    /// It is kept until the draft is finished. In JSON it is `{"unread": "4,5 approx."}`.
    Unread(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unread {
    unread: String,
}

impl Answer {
    /// Returns what a form shows as typed: a text for each value, `yes` or `no`, numbers with a point.
    pub fn typed(&self) -> Vec<String> {
        match self {
            Self::Text(text) | Self::Choice(text) | Self::Item(text) | Self::Unread(text) => vec![text.clone()],
            Self::Number(number) => vec![number.to_string()],
            Self::Date(date) => vec![date.to_string()],
            Self::YesNo(is_yes) => vec![if *is_yes { "yes" } else { "no" }.to_owned()],
            Self::Choices(choices) => choices.clone(),
        }
    }

    /// Reads stored JSON, which was an answer to what the field asked for when it was written. If the field asks for
    /// something else by now, or there is none, the answer is what it looks like. `None` for what no answer is
    /// written as.
    pub(super) fn stored(asks: Option<&Asks>, json: &RawValue) -> Option<Self> {
        let json = json.get();
        match json.as_bytes().first()? {
            b'"' => {
                let text: String = serde_json::from_str(json).ok()?;
                Some(match asks {
                    Some(Asks::Date) => Date::parse(&text).map_or(Self::Text(text), Self::Date),
                    Some(Asks::OneOf(_)) => Self::Choice(text),
                    Some(Asks::Item(_)) => Self::Item(text),
                    _ => Self::Text(text),
                })
            }
            b't' | b'f' => serde_json::from_str(json).ok().map(Self::YesNo),
            b'[' => serde_json::from_str(json).ok().map(Self::Choices),
            b'{' => serde_json::from_str(json).ok().map(|Unread { unread }| Self::Unread(unread)),
            b'n' => None,
            _ => Decimal::from_json(json).ok().map(Self::Number),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) | Self::Choice(text) | Self::Item(text) => serializer.serialize_str(text),
            // As it is: no number of Rust has all its digits.
            Self::Number(number) => {
                RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(serializer)
            }
            Self::Date(date) => serializer.collect_str(date),
            Self::YesNo(is_yes) => serializer.serialize_bool(*is_yes),
            Self::Choices(choices) => choices.serialize(serializer),
            Self::Unread(text) => Unread { unread: text.clone() }.serialize(serializer),
        }
    }
}
