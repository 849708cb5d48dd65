//! The page of the guide about configs is made of what the program says of their keys.

#![allow(clippy::disallowed_methods, reason = "tests look at files directly")]

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::common::World;

const HEAD: &str = "\
# Configs, key by key

Made of the comments in the code by `just config-page`; `rekindle show-config PRESET --explain` prints the same beside the
values of a config. `rekindle show-config PRESET --schema` prints a JSON Schema, with which editors complete and check
YAML: with the YAML extension of an editor, the first line of a config may be
`# yaml-language-server: $schema=life.schema.json`.

Keys with `[]` are those of the items of a list. What is not said to be required has the default.
";

/// A preset of each system; the sections of the loop are the same for all.
const PRESETS: [(&str, &str); 8] = [
    ("logic", "life"),
    ("lgn", "digits"),
    ("cascor", "cascade"),
    ("wnn", "wnn-search"),
    ("wisard", "wisard"),
    ("wisard-exact", "wisard-exact"),
    ("dwn", "dwn"),
    ("gpt", "gpt"),
];

#[test]
fn the_page_about_configs_is_that_of_this_program() {
    let world = World::new();
    let mut page = HEAD.to_owned();
    let is_of_loop = |key: &Value| {
        let path = key["path"].as_str().unwrap();
        !path.starts_with("model") && !path.starts_with("training")
    };
    for (system, preset) in PRESETS {
        let keys = world.json(&format!("show-config {preset} --explain"));
        let (of_loop, of_system): (Vec<&Value>, Vec<&Value>) =
            keys["keys"].as_array().unwrap().iter().partition(|key| is_of_loop(key));
        if system == PRESETS[0].0 {
            section(&mut page, "Every system", &of_loop);
        }
        section(&mut page, &format!("`system: {system}`"), &of_system);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/config.md");
    if std::env::var_os("REKINDLE_WRITE_PAGES").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/guide/config.md is not that of this program; `just config-page` writes it"
    );
}

fn section(page: &mut String, title: &str, keys: &[&Value]) {
    writeln!(page, "\n## {title}\n\n| key | value | default | meaning |\n|---|---|---|---|").unwrap();
    for key in keys {
        let text = |name: &str| key[name].as_str().unwrap().replace('|', "\\|").replace('<', "&lt;");
        let default = match (key["required"].as_bool().unwrap(), &key["default"]) {
            (true, _) => "required".to_owned(),
            (_, Value::Null) => "none".to_owned(),
            (_, default) => format!("`{default}`"),
        };
        let mut meaning = text("meaning");
        for value in key["values"].as_array().unwrap() {
            let of = |name: &str| value[name].as_str().unwrap().replace('|', "\\|");
            let meant =
                Some(of("meaning")).filter(|meant| !meant.is_empty()).map(|meant| format!(": {meant}"));
            write!(meaning, "<br>`{}`{}", of("value"), meant.unwrap_or_default()).unwrap();
        }
        writeln!(page, "| `{}` | {} | {default} | {meaning} |", key["path"].as_str().unwrap(), text("kind"))
            .unwrap();
    }
}
