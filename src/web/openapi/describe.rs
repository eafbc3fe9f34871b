//! How an operation is described.

use actix_web::http::Method;
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// The media types of answers.
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// An operation: a method at an address.
pub struct Described {
    /// The method.
    pub method: Method,
    /// The address, as in the table of routes.
    pub path: &'static str,
    /// Its operation object.
    pub operation: Value,
    /// The schemas of the types that it reads and writes, by name.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

/// What an operation needs to know of who asks.
#[derive(Clone, Copy)]
pub enum By {
    /// A token.
    Token,
    /// A token, whose key may also be the password of HTTP Basic.
    TokenOrBasic,
    /// A service user, as an OAuth client or with its key.
    Client,
    /// Anybody.
    Anybody,
}

/// A parameter in the query: its name, what it means, and its schema.
pub type InQuery = (&'static str, &'static str, Value);

/// Describes an operation that reads.
pub fn get(path: &'static str, id: &str, summary: &str) -> Described {
    Described::new(Method::GET, path, id, summary)
}

/// Describes an operation with POST.
pub fn post(path: &'static str, id: &str, summary: &str) -> Described {
    Described::new(Method::POST, path, id, summary)
}

/// Describes an operation with PUT.
pub fn put(path: &'static str, id: &str, summary: &str) -> Described {
    Described::new(Method::PUT, path, id, summary)
}

/// Describes an operation with PATCH.
pub fn patch(path: &'static str, id: &str, summary: &str) -> Described {
    Described::new(Method::PATCH, path, id, summary)
}

/// Describes an operation with DELETE.
pub fn delete(path: &'static str, id: &str, summary: &str) -> Described {
    Described::new(Method::DELETE, path, id, summary)
}

/// The reference to the schema of a type.
pub fn schema_of<T: ToSchema>() -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

/// The reference to a schema that is described by hand.
pub fn shape(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

impl Described {
    fn new(method: Method, path: &'static str, id: &str, summary: &str) -> Self {
        let parameters: Vec<Value> = in_path(path).map(path_parameter).collect();
        let mut operation = json!({ "operationId": id, "summary": summary, "responses": {} });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        Self { method, path, operation, schemas: Vec::new() }
    }

    /// Says more about it: sentences, in which `code` is marked.
    pub fn says(mut self, words: &str) -> Self {
        self.operation["description"] = words.into();
        self
    }

    /// Says who may ask. Without it, a token.
    pub fn by(mut self, who: By) -> Self {
        self.operation["security"] = match who {
            By::Token => json!([{ "key": [] }]),
            By::TokenOrBasic => json!([{ "key": [] }, { "keyAsPassword": [] }]),
            By::Client => json!([{ "client": [] }, { "key": [] }]),
            By::Anybody => json!([]),
        };
        self
    }

    /// Adds parameters of the query, each of which may be left out.
    pub fn query(mut self, parameters: Vec<InQuery>) -> Self {
        for (name, words, schema) in parameters {
            self.parameter(json!({ "name": name, "in": "query", "description": words, "schema": schema }));
        }
        self
    }

    /// Takes the version that was read in `If-Match`.
    pub fn if_match(mut self, is_required: bool) -> Self {
        let name = if is_required { "Version" } else { "VersionIfKnown" };
        self.parameter(json!({ "$ref": format!("#/components/parameters/{name}") }));
        let errors: &[u16] = if is_required { &[412, 428] } else { &[412] };
        self.fails(errors)
    }

    /// Takes an `Idempotency-Key`, with which the request is done once.
    pub fn once(mut self) -> Self {
        self.parameter(json!({ "$ref": "#/components/parameters/Once" }));
        self.fails(&[409])
    }

    /// Answers with a table as well, for those who accept one.
    pub fn table(mut self) -> Self {
        let schema = json!({ "schema": { "type": "string" } });
        self.operation["responses"]["200"]["content"]["text/csv"] = schema;
        self
    }

    fn parameter(&mut self, parameter: Value) {
        match self.operation.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(all) => all.push(parameter),
            None => self.operation["parameters"] = json!([parameter]),
        }
    }

    /// Takes JSON of a type.
    pub fn takes<T: ToSchema>(mut self, example: Value) -> Self {
        self.knows::<T>();
        self.body(JSON, schema_of::<T>(), example).fails(&[400, 408, 413, 422])
    }

    /// Takes a form.
    pub fn takes_form(self, schema: Value, example: Value) -> Self {
        self.body(FORM, schema, example)
    }

    /// Takes JSON that is described by hand.
    pub fn takes_shape(self, schema: Value, example: Value) -> Self {
        self.body(JSON, schema, example)
    }

    fn body(mut self, media_type: &str, schema: Value, example: Value) -> Self {
        let content = json!({ media_type: { "schema": schema, "example": example } });
        self.operation["requestBody"] = json!({ "required": true, "content": content });
        self
    }

    /// Answers with JSON of a type.
    pub fn answers<T: ToSchema>(mut self, status: u16, words: &str, example: Value) -> Self {
        self.knows::<T>();
        self.answers_with(status, words, schema_of::<T>(), example)
    }

    /// Answers with JSON of a type to which this field of another type is added.
    pub fn answers_of_two<T: ToSchema, F: ToSchema>(
        mut self,
        status: u16,
        words: &str,
        field: &str,
        example: Value,
    ) -> Self {
        self.knows::<T>();
        self.knows::<F>();
        let more = json!({ "type": "object", "required": [field], "properties": { field: schema_of::<F>() } });
        self.answers_with(status, words, json!({ "allOf": [schema_of::<T>(), more] }), example)
    }

    /// Answers with JSON of this schema.
    pub fn answers_with(self, status: u16, words: &str, schema: Value, example: Value) -> Self {
        let content = json!({ JSON: { "schema": schema, "example": example } });
        self.answer(status, json!({ "description": words, "content": content }))
    }

    /// Answers with a page of a list of this type.
    pub fn lists<T: ToSchema>(mut self, words: &str, example: Value) -> Self {
        self.knows::<T>();
        let schema = json!({
            "type": "object",
            "required": ["data", "next_cursor"],
            "properties": {
                "data": { "type": "array", "items": schema_of::<T>() },
                "next_cursor": {
                    "type": ["string", "null"],
                    "description": "The `cursor` of the next page; `null` on the last one.",
                },
            },
        });
        self.answers_with(200, words, schema, json!({ "data": [example], "next_cursor": null }))
    }

    /// Answers without a body.
    pub fn nothing(self, status: u16, words: &str) -> Self {
        self.answer(status, json!({ "description": words }))
    }

    /// Answers with a text.
    pub fn text(self, status: u16, words: &str, example: &str) -> Self {
        let content = json!({ "text/plain": { "schema": { "type": "string" }, "example": example } });
        self.answer(status, json!({ "description": words, "content": content }))
    }

    /// Adds an answer.
    pub fn answer(mut self, status: u16, answer: Value) -> Self {
        self.operation["responses"][status.to_string()] = answer;
        self
    }

    /// Adds headers to an answer that it has already.
    pub fn with_headers(mut self, status: u16, names: &[&str]) -> Self {
        let header = |name: &&str| (name.to_string(), json!({ "$ref": format!("#/components/headers/{name}") }));
        let headers: Map<String, Value> = names.iter().map(header).collect();
        self.operation["responses"][status.to_string()]["headers"] = headers.into();
        self
    }

    /// Adds errors, each with its problem document.
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.operation["responses"][status.to_string()] = super::errors::reference(*status);
        }
        self
    }

    /// Adds the schema of a type to which the schema of an answer refers.
    pub fn naming<T: ToSchema>(mut self) -> Self {
        self.knows::<T>();
        self
    }

    fn knows<T: ToSchema>(&mut self) {
        self.schemas.push((T::name().into_owned(), <T as PartialSchema>::schema()));
        T::schemas(&mut self.schemas);
    }
}

/// Iterates over the names in braces of an address.
pub fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

fn path_parameter(name: &str) -> Value {
    let public_id = json!({ "type": "string", "pattern": "^[0-9a-z]{10}$", "example": "k7m2q9xd4t" });
    let key = json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]{1,31}$", "example": "assets" });
    let (words, schema) = match name {
        "kind" | "key" => ("The key of a kind.", key),
        "external_id" => (
            "The id by which your own system knows the item.",
            json!({ "type": "string", "minLength": 1, "maxLength": 255, "example": "INV-7" }),
        ),
        "member" => (
            "The id of the member.",
            json!({ "type": "string", "pattern": "^membership:[0-9]{1,18}$", "example": "membership:12" }),
        ),
        "path" => ("The path of the client’s request.", json!({ "type": "string", "example": "v1" })),
        _ => ("The public id.", public_id),
    };
    json!({ "name": name, "in": "path", "required": true, "description": words, "schema": schema })
}
