//! `presets` and `show-config`.

use std::path::Path;

use rekindle_train::Registry;
use serde_json::json;

use crate::commands::explain;
use crate::commands::train::config_of_run;
use crate::output;

pub fn presets(registry: &Registry, json: bool) -> anyhow::Result<u8> {
    let presets =
        registry.systems().flat_map(|system| system.presets().iter().map(|preset| (system.name(), preset)));
    if json {
        let list: Vec<_> = presets
            .map(|(system, preset)| json!({"name": preset.name, "system": system, "summary": preset.summary}))
            .collect();
        output::print_json(&json!({"presets": list}))?;
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = presets
        .map(|(system, preset)| vec![preset.name.to_owned(), system.to_owned(), preset.summary.to_owned()])
        .collect();
    output::print(&output::table(&["preset", "system", "what it trains"], &rows))?;
    Ok(0)
}

/// What of a config is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Its keys and values.
    Values,
    /// What the keys mean.
    Meanings,
    /// The schema of all such configs.
    Schema,
}

pub fn show_config(
    registry: &Registry,
    name: &str,
    set: &[String],
    shown: Shown,
    json: bool,
) -> anyhow::Result<u8> {
    let path = Path::new(name);
    let text = if path.is_dir() { config_of_run(path)? } else { registry.config_text(name)? };
    let system = registry.system(&text.system()?, &text.origin)?;
    if shown == Shown::Schema {
        return explain::schema(system);
    }
    let config = system.config(&text, set)?;
    if shown == Shown::Meanings {
        return explain::explain(system, &config.json()?, json);
    }
    if json {
        output::print_json_as_it_is(&config.json()?)?;
    } else {
        output::print(config.yaml()?.trim_end())?;
    }
    Ok(0)
}
