//! The keys of a config with their meanings, out of its JSON Schema.

use serde_json::{Map, Value};

/// A key of a config.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigKey {
    /// Its path, such as `training.learning_rate`.
    pub path: String,
    /// What a value is, in words.
    pub kind: String,
    /// The value where the config does not say one; absent for a key that must be there.
    pub default: Option<Value>,
    /// What it means.
    pub meaning: String,
    /// The values it can have, each with its meaning, where they are named.
    pub values: Vec<(String, String)>,
}

/// The keys of the configs of a schema, by name within each section. Lists and sections that may be absent are
/// keys, and so is what is in them.
pub fn config_keys(schema: &Value) -> Vec<ConfigKey> {
    let mut keys = Vec::new();
    walk(schema, schema, "", &mut keys);
    keys
}

fn walk(root: &Value, section: &Value, path: &str, keys: &mut Vec<ConfigKey>) {
    let Some(Value::Object(fields)) = section.get("properties") else { return };
    let required: Vec<&str> = section
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let kind = resolve(root, field);
        let is_section = kind.get("properties").is_some();
        let meaning = field.get("description").or_else(|| kind.get("description")).and_then(Value::as_str);
        let default = field.get("default").or_else(|| kind.get("default")).cloned();
        if !is_section || is_nullable(field) {
            keys.push(ConfigKey {
                kind: kind_of(root, field),
                default: if required.contains(&name.as_str()) {
                    None
                } else {
                    Some(default.unwrap_or(Value::Null))
                },
                meaning: meaning.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
                values: values_of(kind),
                path: path.clone(),
            });
        }
        if is_section {
            walk(root, kind, &path, keys);
        } else if let Some(items) = kind.get("items") {
            walk(root, resolve(root, items), &format!("{path}[]"), keys);
        }
    }
}

/// What a field is behind references and behind being optional.
fn resolve<'a>(root: &'a Value, field: &'a Value) -> &'a Value {
    if let Some(target) = field.get("$ref").and_then(Value::as_str) {
        let found = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return found.map_or(field, |found| resolve(root, found));
    }
    for choice in ["anyOf", "allOf"] {
        let options = field.get(choice).and_then(Value::as_array).into_iter().flatten();
        if let Some(option) = options.into_iter().find(|option| !is_null(option)) {
            return resolve(root, option);
        }
    }
    field
}

fn is_null(field: &Value) -> bool {
    field.get("type").and_then(Value::as_str) == Some("null")
}

fn is_nullable(field: &Value) -> bool {
    let among = |name: &str| field.get(name).and_then(Value::as_array).into_iter().flatten();
    among("anyOf").any(is_null) || among("type").any(|kind| kind == "null")
}

/// What a value is, in plain words.
fn kind_of(root: &Value, field: &Value) -> String {
    let kind = resolve(root, field);
    let of_items = || kind.get("items").map_or_else(|| "values".to_owned(), |items| kind_of(root, items));
    let words = match type_of(kind) {
        Some("integer") if kind.get("minimum").and_then(Value::as_f64) == Some(0.0) => {
            "whole number from 0".to_owned()
        }
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("string") => "text".to_owned(),
        Some("array") => format!("list of: {}", of_items()),
        Some("object") => "section".to_owned(),
        _ if kind.get("enum").is_some() || kind.get("oneOf").is_some() => {
            "one of the values below".to_owned()
        }
        _ => "value".to_owned(),
    };
    let is_named = !values_of(kind).is_empty();
    let words = if is_named { "one of the values below".to_owned() } else { words };
    if is_nullable(field) { format!("{words}, or null") } else { words }
}

fn type_of(kind: &Value) -> Option<&str> {
    match kind.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// Named values with their meanings.
fn values_of(kind: &Value) -> Vec<(String, String)> {
    let described = kind.get("oneOf").and_then(Value::as_array).into_iter().flatten().flat_map(|option| {
        let meaning = option.get("description").and_then(Value::as_str).unwrap_or_default();
        let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        let one = option.get("const").and_then(Value::as_str).into_iter();
        let several =
            option.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let section = option.get("properties").and_then(Value::as_object).and_then(first_key);
        let names = one.chain(several).chain(section).map(str::to_owned).collect::<Vec<_>>();
        names.into_iter().map(move |name| (name, meaning.clone()))
    });
    let plain = kind.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    described.chain(plain.map(|name| (name.to_owned(), String::new()))).collect()
}

fn first_key(fields: &Map<String, Value>) -> Option<&str> {
    fields.keys().next().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;

    /// A section.
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Section {
        /// How many
        /// there are.
        count: Option<u32>,
        /// What is done.
        #[serde(default)]
        way: Way,
        inner: Vec<Inner>,
    }

    #[derive(Default, JsonSchema, serde::Serialize)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code, reason = "only its schema is looked at")]
    enum Way {
        /// At once.
        #[default]
        AtOnce,
        /// Later.
        Later,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Inner {
        /// A share.
        share: f64,
    }

    #[test]
    fn keys_are_told_with_kind_default_and_meaning() {
        let keys = config_keys(&Value::from(schemars::schema_for!(Section)));
        let found: Vec<(&str, &str, Option<&Value>)> =
            keys.iter().map(|key| (key.path.as_str(), key.kind.as_str(), key.default.as_ref())).collect();
        let at_once = Value::from("at_once");
        assert_eq!(
            found,
            [
                ("count", "whole number from 0, or null", Some(&Value::Null)),
                ("inner", "list of: section", None),
                ("inner[].share", "number", None),
                ("way", "one of the values below", Some(&at_once)),
            ]
        );
        assert_eq!(keys[0].meaning, "How many there are.");
        assert_eq!(keys[3].values[1], ("later".to_owned(), "Later.".to_owned()));
    }
}
