//! What a program sends when it asks for decisions (sections 5 to 8). Fields that mean nothing here are ignored, but
//! those of the standard must have the types that it gives them.

use app::entities::Entity;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};

/// A JSON object: serde alone would read a list as one.
#[derive(Clone, Debug, Default)]
pub struct Object<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        serde_json::from_value(Value::Object(fields)).map(Self).map_err(D::Error::custom)
    }
}

/// A body, or an entry of `evaluations`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    #[serde(deserialize_with = "given")]
    subject: Option<Object<SentEntity>>,
    #[serde(deserialize_with = "given")]
    action: Option<Object<SentAction>>,
    #[serde(deserialize_with = "given")]
    resource: Option<Object<SentEntity>>,
    #[serde(rename = "context", deserialize_with = "given")]
    _context: Option<Map<String, Value>>,
    /// Questions that have their defaults beside them.
    #[serde(deserialize_with = "given")]
    pub evaluations: Option<Vec<Value>>,
    #[serde(deserialize_with = "given")]
    options: Option<Object<SentOptions>>,
    #[serde(deserialize_with = "given")]
    page: Option<Object<SentPage>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SentEntity {
    #[serde(rename = "type", deserialize_with = "given")]
    kind: Option<String>,
    #[serde(deserialize_with = "given")]
    id: Option<String>,
    #[serde(rename = "properties", deserialize_with = "given")]
    _properties: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SentAction {
    #[serde(deserialize_with = "given")]
    name: Option<String>,
    #[serde(rename = "properties", deserialize_with = "given")]
    _properties: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SentOptions {
    #[serde(deserialize_with = "given")]
    evaluations_semantic: Option<Semantic>,
}

/// When to stop among several questions (section 7.1.2.1).
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Semantic {
    /// After the last.
    #[default]
    ExecuteAll,
    /// After the first no.
    DenyOnFirstDeny,
    /// After the first yes.
    PermitOnFirstPermit,
}

/// Which part of a search is wanted (section 8.2.1).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SentPage {
    #[serde(deserialize_with = "given")]
    token: Option<String>,
    #[serde(deserialize_with = "given")]
    limit: Option<Value>,
}

/// Reads a field that was sent: `null` has none of the types of the standard.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A question, complete.
pub struct Asked {
    /// The subject.
    pub subject: Entity,
    /// The name of the action.
    pub action: String,
    /// The item.
    pub resource: Entity,
}

impl Sent {
    /// Reads an entry of `evaluations`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn entry(entry: &Value) -> Result<Self, String> {
        Object::<Self>::deserialize(entry).map(|Object(sent)| sent).map_err(|error| error.to_string())
    }

    /// Returns this with what it lacks taken from `defaults`.
    pub fn or(mut self, defaults: &Self) -> Self {
        self.subject = entity_or(self.subject, defaults.subject.as_ref());
        self.resource = entity_or(self.resource, defaults.resource.as_ref());
        let named = self.action.as_ref().is_some_and(|Object(action)| action.name.is_some());
        if !named {
            self.action = defaults.action.clone();
        }
        self
    }

    /// Returns the question.
    ///
    /// # Errors
    /// Which field is missing.
    pub fn asked(&self) -> Result<Asked, String> {
        Ok(Asked { subject: self.subject()?, action: self.action()?, resource: self.resource()? })
    }

    /// Returns whether there is a subject at all.
    pub fn has_subject(&self) -> bool {
        self.subject.is_some()
    }

    /// Returns the subject.
    ///
    /// # Errors
    /// Which field is missing.
    pub fn subject(&self) -> Result<Entity, String> {
        entity("subject", self.subject.as_ref())
    }

    /// Returns the item.
    ///
    /// # Errors
    /// Which field is missing.
    pub fn resource(&self) -> Result<Entity, String> {
        entity("resource", self.resource.as_ref())
    }

    /// Returns the type of the subjects that are searched.
    ///
    /// # Errors
    /// Which field is missing.
    pub fn subject_type(&self) -> Result<String, String> {
        kind("subject", self.subject.as_ref())
    }

    /// Returns the kind of the items that are searched.
    ///
    /// # Errors
    /// Which field is missing.
    pub fn resource_type(&self) -> Result<String, String> {
        kind("resource", self.resource.as_ref())
    }

    /// Returns the name of the action.
    ///
    /// # Errors
    /// That it is missing.
    pub fn action(&self) -> Result<String, String> {
        let action = self.action.as_ref().ok_or("action is missing.")?;
        action.0.name.clone().ok_or_else(|| "action.name is missing.".to_owned())
    }

    /// Returns when to stop.
    pub fn semantic(&self) -> Semantic {
        let options = self.options.as_ref();
        options.and_then(|Object(options)| options.evaluations_semantic).unwrap_or_default()
    }

    /// Returns the token of the part that is wanted; none for the first.
    pub fn page_token(&self) -> Option<&str> {
        self.page.as_ref().and_then(|Object(page)| page.token.as_deref()).filter(|token| !token.is_empty())
    }

    /// Returns how many results are wanted: 1 to `most`, and `most` if that is not said.
    ///
    /// # Errors
    /// That it is no such number.
    pub fn page_limit(&self, most: usize) -> Result<usize, String> {
        let Some(limit) = self.page.as_ref().and_then(|Object(page)| page.limit.as_ref()) else { return Ok(most) };
        let wanted = limit.as_u64().filter(|limit| *limit > 0).ok_or("page.limit must be a number from 1 on.")?;
        Ok(usize::try_from(wanted).unwrap_or(most).min(most))
    }
}

/// Whole objects replace the default, but what makes them complete may come from it.
fn entity_or(own: Option<Object<SentEntity>>, default: Option<&Object<SentEntity>>) -> Option<Object<SentEntity>> {
    let Some(Object(own)) = own else { return default.cloned() };
    let Object(default) = default.cloned().unwrap_or_default();
    Some(Object(SentEntity { kind: own.kind.or(default.kind), id: own.id.or(default.id), ..own }))
}

fn kind(field: &str, sent: Option<&Object<SentEntity>>) -> Result<String, String> {
    let sent = sent.ok_or_else(|| format!("{field} is missing."))?;
    sent.0.kind.clone().ok_or_else(|| format!("{field}.type is missing."))
}

fn entity(field: &str, sent: Option<&Object<SentEntity>>) -> Result<Entity, String> {
    let kind = kind(field, sent)?;
    let id = sent.and_then(|Object(sent)| sent.id.clone());
    Ok(Entity { kind, id: id.ok_or_else(|| format!("{field}.id is missing."))? })
}
