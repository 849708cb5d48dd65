//! `show-config --explain` and `--schema`: the keys of a config, for people and for editors.

use std::fmt::Write;

use rekindle_train::{AnySystem, ConfigKey, config_keys};
use serde_json::Value;

use crate::output;

/// Prints the JSON Schema of a system's configs, which editors complete and check YAML with.
pub fn schema(system: &dyn AnySystem) -> anyhow::Result<u8> {
    output::print(&serde_json::to_string_pretty(&system.schema())?)?;
    Ok(0)
}

/// Prints each key with its meaning and its value in the config at hand.
pub fn explain(system: &dyn AnySystem, config: &Value, json: bool) -> anyhow::Result<u8> {
    let keys = config_keys(&system.schema());
    if json {
        let keys: Vec<Value> = keys.iter().map(|key| in_json(key, config)).collect();
        output::print_json(&serde_json::json!({"keys": keys}))?;
        return Ok(0);
    }
    let text: String = keys.iter().map(|key| in_words(key, config)).collect();
    output::print(text.trim_end())?;
    Ok(0)
}

fn value_of<'a>(config: &'a Value, path: &str) -> Option<&'a Value> {
    config.pointer(&format!("/{}", path.replace('.', "/")))
}

fn in_json(key: &ConfigKey, config: &Value) -> Value {
    serde_json::json!({
        "path": key.path,
        "kind": key.kind,
        "required": key.default.is_none(),
        "default": key.default,
        "value": value_of(config, &key.path),
        "meaning": key.meaning,
        "values": key.values.iter().map(|(name, meaning)| serde_json::json!({"value": name, "meaning": meaning})).collect::<Vec<_>>(),
    })
}

fn in_words(key: &ConfigKey, config: &Value) -> String {
    let value = value_of(config, &key.path).map_or(String::new(), |value| format!(" = {value}"));
    let default =
        key.default.as_ref().map_or_else(|| "required".to_owned(), |default| format!("default {default}"));
    let mut text = format!("{}{value}\n    {} ({default})\n", output::bold(&key.path), key.kind);
    for line in wrapped(&key.meaning, 96) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "    {line}");
    }
    for (name, meaning) in &key.values {
        let _ = writeln!(text, "{}", format!("      {name}  {meaning}").trim_end());
    }
    text + "\n"
}

/// Words in lines of so many characters at most.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
