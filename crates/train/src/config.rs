//! Configs: YAML, strictly read, with settings on top.

use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::plain_words::in_plain_words;
use rekindle::similar::nearest;
use rekindle::{Best, Compression, Policy, Retention, Saving, Store, WhenBusy};

/// The config of a run: the sections of the loop, and `model:` and `training:` as the system
/// defines them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunConfig<M, T> {
    /// The model family.
    pub system: String,
    /// The seed of all random streams.
    #[serde(default)]
    pub seed: u64,
    /// What is trained.
    pub model: M,
    /// How it is trained.
    pub training: T,
    /// When it is measured.
    #[serde(default)]
    pub evaluate: Evaluate,
    /// When it is saved, and what is kept.
    #[serde(default)]
    pub checkpoint: Checkpoints,
    /// Which checkpoint is the best.
    #[serde(default)]
    #[schemars(schema_with = "optional_best_schema")]
    pub best: Option<Best>,
}

/// When a run is measured. Measuring never changes the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluate {
    /// At every step that is a multiple of this; 0 for only at the end.
    pub every: u64,
}

impl Default for Evaluate {
    fn default() -> Self {
        Self { every: 100 }
    }
}

/// When a run is saved, and what is kept. Beside what is named here, the newest valid checkpoint,
/// the best and the tagged ones are always kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Checkpoints {
    /// At every step that is a multiple of this.
    pub every_steps: Option<u64>,
    /// When so many seconds have passed since the last save.
    pub every_seconds: Option<f64>,
    /// Keep so many of the newest; all when absent.
    pub keep_last: Option<u64>,
    /// Keep those whose step is a multiple of this.
    pub keep_every: Option<u64>,
    /// Keep the best by these metrics.
    #[schemars(schema_with = "bests_schema")]
    pub keep_best: Vec<Best>,
    /// Write checkpoints while training goes on: takes as much memory again as the state.
    pub background: bool,
    /// How much work makes them smaller: `fast` or `small`.
    #[schemars(schema_with = "compression_schema")]
    pub compression: Compression,
}

fn best_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "metric": {"type": "string", "description": "Name of the metric."},
            "goal": {
                "enum": ["min", "max"],
                "default": "min",
                "description": "Which values are better: `min` for less, as of a loss, `max` for more.",
            },
        },
        "required": ["metric"],
        "additionalProperties": false,
    })
}

fn optional_best_schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [best_schema(generator), {"type": "null"}], "default": null})
}

fn bests_schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": best_schema(generator), "default": []})
}

fn compression_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"enum": ["fast", "small"], "default": "fast"})
}

impl Default for Checkpoints {
    /// Every 30 seconds; the newest 3 are kept.
    fn default() -> Self {
        Self {
            every_steps: None,
            every_seconds: Some(30.0),
            keep_last: Some(3),
            keep_every: None,
            keep_best: Vec::new(),
            background: false,
            compression: Compression::Fast,
        }
    }
}

/// Sections of the loop: they may change on resume, and are no part of the state.
const LOOP_SECTIONS: [&str; 3] = ["evaluate", "checkpoint", "best"];

impl<M, T> RunConfig<M, T> {
    /// The sections that the loop reads.
    pub(crate) fn loop_config(&self) -> LoopConfig {
        LoopConfig {
            seed: self.seed,
            evaluate: self.evaluate.clone(),
            checkpoint: self.checkpoint.clone(),
            best: self.best.clone(),
        }
    }
}

/// The sections of a config that the loop reads.
#[derive(Debug, Clone)]
pub(crate) struct LoopConfig {
    pub seed: u64,
    pub evaluate: Evaluate,
    pub checkpoint: Checkpoints,
    pub best: Option<Best>,
}

impl LoopConfig {
    /// When the engine saves and what it keeps.
    pub fn policy(&self) -> Policy {
        let Checkpoints { every_steps, every_seconds, keep_last, keep_every, keep_best, .. } =
            self.checkpoint.clone();
        let seconds = every_seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
        Policy {
            every_steps,
            // Longer than any run; a `Duration` cannot hold everything that a float can.
            every: seconds.map(|seconds| Duration::from_secs_f64(seconds.min(1e9))),
            retention: Retention { keep_last, keep_every, keep_best },
            best: self.best.clone(),
            ..Policy::default()
        }
    }

    /// Where the engine writes.
    pub fn saving(&self) -> Saving {
        if self.checkpoint.background { Saving::Background(WhenBusy::Wait) } else { Saving::Blocking }
    }
}

/// The text of a config and where it is from.
#[derive(Debug, Clone)]
pub struct ConfigText {
    /// For messages: a path, or the name of a preset.
    pub origin: String,
    /// The YAML text.
    pub yaml: String,
}

/// A config cannot be used; nothing was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not what a config must be; the message shows the place.
    #[error("{message}{hint}")]
    Text {
        /// What is wrong, with line and column and the lines around them.
        message: String,
        /// The nearest known word, if one is near.
        hint: String,
    },
    /// A setting cannot be applied.
    #[error("setting {setting}: {message}{hint}")]
    Setting {
        /// The setting as it was written.
        setting: String,
        /// What is wrong.
        message: String,
        /// The nearest known word, if one is near.
        hint: String,
    },
    /// A setting cannot change once the run has begun.
    #[error(
        "{path} cannot change once the run has begun (it can change: {})", changeable.join(", ")
    )]
    NotChangeable {
        /// Path of the setting.
        path: String,
        /// The paths that can change.
        changeable: Vec<String>,
    },
    /// No such system.
    #[error("{origin}: there is no system `{name}`; there are: {}{hint}", known.join(", "))]
    NoSystem {
        /// Where the config is from.
        origin: String,
        /// The name.
        name: String,
        /// The names of all systems.
        known: Vec<String>,
        /// The nearest known word, if one is near.
        hint: String,
    },
    /// No such preset or file.
    #[error("there is no preset `{name}` and no file of that name; presets are: {}{hint}", known.join(", "))]
    NoPreset {
        /// The name.
        name: String,
        /// The names of all presets.
        known: Vec<String>,
        /// The nearest known word, if one is near.
        hint: String,
    },
    /// A run's directory where a config is expected.
    #[error("`{}` is a directory, not a config", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be written as text.
    #[error("the config cannot be written: {0}")]
    Unwritable(String),
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// `; did you mean ...?` for a misspelt word, or nothing.
pub(crate) fn hint(word: &str, known: impl IntoIterator<Item = String>) -> String {
    nearest(word, known).map_or(String::new(), |word| format!("\nhint: did you mean `{word}`?"))
}

/// The hint for serde's message about an unknown field or variant.
fn hint_in(message: &str) -> String {
    let Some((unknown, expected)) = message.split_once(", expected ") else { return String::new() };
    let Some(word) = unknown.split('`').nth(1) else { return String::new() };
    let expected = expected.lines().next().unwrap_or_default();
    let words = expected.trim_start_matches("one of").split(" at line ").next().unwrap_or_default();
    let strip = |word: &str| word.trim_matches(|c: char| c == '`' || c.is_whitespace()).to_owned();
    hint(word, words.split([',']).map(strip))
}

impl ConfigText {
    /// The `system:` of the config.
    ///
    /// # Errors
    /// When the text is not YAML or has no `system:`.
    pub fn system(&self) -> Result<String, ConfigError> {
        #[derive(Deserialize)]
        struct Head {
            system: String,
        }
        self.parse::<Head>().map(|head| head.system)
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        serde_saphyr::from_str(&self.yaml).or_else(|error| {
            let whole = self.with_whole_numbers();
            whole.ok_or_else(|| {
                let message = error.to_string().replace("<input>", &self.origin);
                let message = in_plain_words(message.trim_start_matches("error: ").trim_end());
                ConfigError::Text { message, hint: hint_in(&error.without_snippet().to_string()) }
            })
        })
    }

    /// The config where whole numbers are written as floats are, such as `1e3`.
    fn with_whole_numbers<T: DeserializeOwned>(&self) -> Option<T> {
        let tree: Value = serde_saphyr::from_str(&self.yaml).ok()?;
        serde_json::from_value(whole_numbers(tree)).ok()
    }

    /// The whole config with `settings` (`path=value`) on top.
    ///
    /// # Errors
    /// When the text or a setting has an unknown key or a value of the wrong type.
    pub fn config<M, T>(&self, settings: &[String]) -> Result<RunConfig<M, T>, ConfigError>
    where
        M: Serialize + DeserializeOwned,
        T: Serialize + DeserializeOwned,
    {
        // First as it stands, so that a mistake is shown at its line and column.
        let config: RunConfig<M, T> = self.parse()?;
        if settings.is_empty() {
            return Ok(config);
        }
        let mut tree =
            serde_json::to_value(&config).map_err(|error| ConfigError::Unwritable(error.to_string()))?;
        for setting in settings {
            apply::<M, T>(&mut tree, setting)?;
        }
        check(&tree, &settings.join(" "))
    }
}

fn check<M: DeserializeOwned, T: DeserializeOwned>(
    tree: &Value,
    setting: &str,
) -> Result<RunConfig<M, T>, ConfigError> {
    serde_json::from_value(tree.clone()).map_err(|error| {
        let message = error.to_string();
        let (hint, message) = (hint_in(&message), in_plain_words(&message));
        ConfigError::Setting { setting: setting.to_owned(), message, hint }
    })
}

/// A config as a commit record holds it, with `settings` on top; and the changes in words. Only
/// what the loop or the system allows may change.
///
/// # Errors
/// When a setting is unknown, of the wrong type, or not changeable.
pub fn change_config<M, T>(
    recorded: &Value,
    settings: &[String],
    changeable: &[&str],
) -> Result<(RunConfig<M, T>, Vec<String>), ConfigError>
where
    M: DeserializeOwned,
    T: DeserializeOwned,
{
    let mut tree = recorded.clone();
    let mut changes = Vec::new();
    for setting in settings {
        let path = setting.split('=').next().unwrap_or_default().trim();
        let section = path.split('.').next().unwrap_or_default();
        let before = tree.pointer(&format!("/{}", path.replace('.', "/"))).cloned().unwrap_or(Value::Null);
        apply::<M, T>(&mut tree, setting)?;
        if !LOOP_SECTIONS.contains(&section) && !changeable.iter().any(|known| is_path(known, path)) {
            let sections = LOOP_SECTIONS.iter().map(|section| format!("{section}.*"));
            return Err(ConfigError::NotChangeable {
                path: path.to_owned(),
                changeable: sections.chain(changeable.iter().map(|path| (*path).to_owned())).collect(),
            });
        }
        let after = tree.pointer(&format!("/{}", path.replace('.', "/"))).cloned().unwrap_or(Value::Null);
        if before != after {
            changes.push(format!("{path}: {before} -> {after}"));
        }
    }
    Ok((check(&tree, "")?, changes))
}

/// A config as a commit record holds it, with `settings` on top, whether they may change or not.
///
/// # Errors
/// When a setting is unknown or of the wrong type.
pub(crate) fn with_settings<M, T>(recorded: &Value, settings: &[String]) -> Result<Value, ConfigError>
where
    M: DeserializeOwned,
    T: DeserializeOwned,
{
    let mut tree = recorded.clone();
    settings.iter().try_for_each(|setting| apply::<M, T>(&mut tree, setting))?;
    Ok(tree)
}

/// Whether a path is the one that a pattern names; `*` stands for any item of a list.
fn is_path(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('.'), path.split('.'));
    let is_same =
        |(known, given): (&str, &str)| known == given || known == "*" && given.parse::<usize>().is_ok();
    pattern.clone().count() == path.clone().count() && pattern.zip(path).all(is_same)
}

/// What the newest config of a run calls its best checkpoint.
pub fn recorded_best(store: &Store) -> Option<Best> {
    let config = &store.records().next_back()?.about.config;
    serde_json::from_value(config.get("best")?.clone()).ok()?
}

/// A value whose whole numbers are integers, however they are written: `1e3` is 1000. Where a float is wanted,
/// an integer serves.
fn whole_numbers(value: Value) -> Value {
    /// All integers up to here are floats too.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => {
                Value::from(float as i64)
            }
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, whole_numbers(value))).collect()
        }
        other => other,
    }
}

/// Sets the value at the path of a `path=value`, and checks that it may stand there; the value is YAML.
fn apply<M: DeserializeOwned, T: DeserializeOwned>(
    tree: &mut Value,
    setting: &str,
) -> Result<(), ConfigError> {
    let error =
        |message: String, hint: String| ConfigError::Setting { setting: setting.to_owned(), message, hint };
    let Some((path, text)) = setting.split_once('=') else {
        return Err(error("`path=value` is expected, such as training.epochs=500".to_owned(), String::new()));
    };
    if path.trim() == "system" {
        return Err(error(
            "the system is what the config is for; choose another preset or file".to_owned(),
            String::new(),
        ));
    }
    let value: Value = serde_saphyr::from_str(text)
        .map_err(|_| error(format!("`{text}` is not a YAML value"), String::new()))?;
    // An optional key may be absent. One that is unknown is told by the known one that it is near.
    let mut misspelt = None;
    let mut place = &mut *tree;
    for segment in path.trim().split('.') {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        if let Value::Array(items) = place {
            let count = items.len();
            let item = segment.parse().ok().and_then(|index: usize| items.get_mut(index));
            let missing = || {
                error(
                    format!("there is no item `{segment}`: there are {count}, counted from 0"),
                    String::new(),
                )
            };
            place = item.ok_or_else(missing)?;
            continue;
        }
        let Value::Object(fields) = place else {
            return Err(error(format!("there is nothing below `{segment}`'s parent to set"), String::new()));
        };
        if !fields.is_empty() && !fields.contains_key(segment) {
            let hint = hint(segment, fields.keys().cloned());
            if !hint.is_empty() && misspelt.is_none() {
                misspelt = Some(error(format!("there is no `{segment}`"), hint));
            }
        }
        place = fields.entry(segment).or_insert(Value::Null);
    }
    *place = whole_numbers(value);
    check::<M, T>(tree, setting).map(drop).map_err(|error| match misspelt {
        Some(misspelt) if error.to_string().contains("unknown field") => misspelt,
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Model {
        width: u32,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Training {
        epochs: u64,
        learning_rate: f64,
    }

    const GOOD: &str = "system: toy\nmodel:\n  width: 3\ntraining:\n  epochs: 10\n  learning_rate: 0.1\n";

    fn config(yaml: &str, settings: &[&str]) -> Result<RunConfig<Model, Training>, ConfigError> {
        let text = ConfigText { origin: "my.yaml".to_owned(), yaml: yaml.to_owned() };
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        text.config(&settings)
    }

    fn message(yaml: &str, settings: &[&str]) -> String {
        config(yaml, settings).unwrap_err().to_string()
    }

    #[test]
    fn a_misspelt_key_is_shown_at_its_place_with_the_nearest() {
        let message = message(&GOOD.replace("learning_rate", "learnign_rate"), &[]);
        assert!(message.contains("my.yaml:6:3"), "{message}");
        assert!(message.contains("unknown field `learnign_rate`"), "{message}");
        assert!(message.contains("did you mean `learning_rate`?"), "{message}");
    }

    #[test]
    fn a_wrong_type_is_shown_at_its_place() {
        let message = message(&GOOD.replace("10", "ten"), &[]);
        assert!(message.contains("my.yaml:5:11"), "{message}");
    }

    #[test]
    fn settings_win_over_the_text() {
        let set =
            config(GOOD, &["training.learning_rate=1e-3", "seed=7", "checkpoint.every_steps=5"]).unwrap();
        assert_eq!((set.training.learning_rate, set.seed, set.checkpoint.every_steps), (1e-3, 7, Some(5)));
        let best = config(GOOD, &["best.metric=loss"]).unwrap().best.unwrap();
        assert_eq!(best.metric, "loss");
    }

    #[test]
    fn whole_numbers_can_be_written_as_floats_are() {
        assert_eq!(config(GOOD, &["training.epochs=1e3"]).unwrap().training.epochs, 1000);
        assert_eq!(config(&GOOD.replace("10", "2e2"), &[]).unwrap().training.epochs, 200);
        for (yaml, setting) in
            [(GOOD.replace("10", "2.5"), "seed=1"), (GOOD.to_owned(), "training.epochs=2.5")]
        {
            let message = message(&yaml, &[setting]);
            assert!(message.contains("whole number"), "{message}");
        }
    }

    #[test]
    fn bad_settings_are_named() {
        assert!(message(GOOD, &["training.epoch=5"]).contains("did you mean `epochs`?"));
        assert!(message(GOOD, &["training.epochs=many"]).contains("setting training.epochs=many"));
        assert!(message(GOOD, &["training.nonsense=1"]).contains("unknown field `nonsense`"));
        assert!(message(GOOD, &["training"]).contains("`path=value` is expected"));
        assert!(message(GOOD, &["seed.x=1"]).contains("nothing below"));
    }

    #[test]
    fn a_star_stands_for_an_item_of_a_list() {
        for (path, expected) in [
            ("training.continual.0.steps", true),
            ("training.continual.12.steps", true),
            ("training.continual.last.steps", false),
            ("training.continual.0", false),
            ("training.continual.0.steps.0", false),
        ] {
            assert_eq!(is_path("training.continual.*.steps", path), expected, "{path}");
        }
    }

    #[test]
    fn on_resume_only_what_may_change_changes() {
        let recorded = serde_json::to_value(config(GOOD, &[]).unwrap()).unwrap();
        let change = |setting: &str| {
            change_config::<Model, Training>(&recorded, &[setting.to_owned()], &["training.epochs"])
        };
        let (changed, words) = change("training.epochs=20").unwrap();
        assert_eq!((changed.training.epochs, words), (20, vec!["training.epochs: 10 -> 20".to_owned()]));
        assert_eq!(change("evaluate.every=3").unwrap().0.evaluate.every, 3);
        let refused = change("model.width=4").unwrap_err().to_string();
        assert!(
            refused.contains("model.width cannot change") && refused.contains("training.epochs"),
            "{refused}"
        );
    }
}
