//! Settings by the names that the original has for them.

use serde_json::{Map, Value};

use crate::config::{Fahlman, Juniper, Method, Model};
use crate::snapshot::{Settings, Snapshot};

const OUTPUT_EPOCHS: &str = "output_epochs";
const CANDIDATE_EPOCHS: &str = "candidate_epochs";
const TARGET_ACCURACY: &str = "candidate_training_target_accuracy";
/// How the first versions of this program called it in their files, which the original cannot load.
const TARGET_ACCURACY_BEFORE: &str = "target_accuracy";

/// The patience of a candidate, which is no setting there.
const CANDIDATE_PATIENCE: u32 = 30;

/// What the original builds its settings of, and what its loader passes over. It fails at any other name.
const TAKEN: [&str; 44] = [
    "activation_function_name",
    "activation_functions_dict",
    "candidate_display_frequency",
    CANDIDATE_EPOCHS,
    "candidate_learning_rate",
    "candidate_pool_size",
    "candidate_training_context_type",
    "candidate_training_queue_address",
    "candidate_training_shutdown_timeout",
    TARGET_ACCURACY,
    "candidate_training_task_queue_timeout",
    "candidate_training_worker_standby_sleepytime",
    "candidates_per_layer",
    "cascade_correlation_network_snapshots_dir",
    "correlation_threshold",
    "display_frequency",
    "epoch_display_frequency",
    "epochs_max",
    "generate_plots",
    "input_size",
    "layer_selection_strategy",
    "learning_rate",
    "log_config",
    "log_date_format",
    "log_file_name",
    "log_file_path",
    "log_format_string",
    "log_level_custom_names_list",
    "log_level_methods_dict",
    "log_level_methods_list",
    "log_level_name",
    "log_level_names_list",
    "log_level_numbers_dict",
    "log_level_numbers_list",
    "logger",
    "max_hidden_units",
    OUTPUT_EPOCHS,
    "output_size",
    "patience",
    "random_max_value",
    "random_seed",
    "random_value_scale",
    "sequence_max_value",
    "status_display_frequency",
];

/// The method that a snapshot was trained by.
pub(super) fn method_of(snapshot: &Snapshot) -> Juniper {
    let Snapshot { settings, config, .. } = snapshot;
    let number = |name: &str| config.get(name).and_then(Value::as_f64);
    let count = |name: &str, default: u32| number(name).map_or(default, |value| (value as u32).max(1));
    let target_accuracy = number(TARGET_ACCURACY).or_else(|| number(TARGET_ACCURACY_BEFORE));
    Juniper {
        learning_rate: settings.learning_rate,
        output_epochs: count(OUTPUT_EPOCHS, 1000),
        pool: u32::try_from(settings.candidate_pool_size).unwrap_or(u32::MAX).clamp(1, 4096),
        candidate_learning_rate: settings.candidate_learning_rate,
        candidate_epochs: count(CANDIDATE_EPOCHS, 600),
        candidate_patience: CANDIDATE_PATIENCE,
        correlation_threshold: settings.correlation_threshold,
        patience: u32::try_from(settings.patience).unwrap_or(u32::MAX),
        target_accuracy: target_accuracy.unwrap_or(0.999).clamp(0.0, 1.0),
    }
}

/// Settings as they are written.
pub(super) struct Written {
    pub settings: Settings,
    /// The same and all others, by name.
    pub config: Map<String, Value>,
    /// What of them is lost, a sentence each.
    pub warnings: Vec<String>,
}

/// The settings of a run for the original, with those of the snapshot that it was imported from, if it was.
pub(super) fn written(model: &Model, method: &Method, seed: u64, imported: Map<String, Value>) -> Written {
    let mut written = Written {
        settings: Settings { max_hidden_units: model.max_hidden.into(), ..Settings::default() },
        config: imported,
        warnings: Vec::new(),
    };
    written.leave_out_unknown();
    match method {
        Method::Juniper(method) => written.take_juniper(method),
        Method::Fahlman(method) => written.take_fahlman(method),
    }
    written.take_seed(seed);
    written.tell_zeros();
    written
}

impl Written {
    fn leave_out_unknown(&mut self) {
        let is_taken = |name: &str| TAKEN.contains(&name) || name == "uuid";
        let names = self.config.keys().filter(|name| !is_taken(name) && *name != TARGET_ACCURACY_BEFORE);
        let unknown: Vec<&str> = names.map(String::as_str).collect();
        if !unknown.is_empty() {
            self.warnings.push(format!(
                "Settings that the original does not load today are left out: {}.",
                unknown.join(", ")
            ));
        }
        self.config.retain(|name, _| is_taken(name));
    }

    fn take_juniper(&mut self, method: &Juniper) {
        let Juniper {
            learning_rate,
            output_epochs,
            pool,
            candidate_learning_rate,
            candidate_epochs,
            candidate_patience,
            correlation_threshold,
            patience,
            target_accuracy,
        } = *method;
        self.settings = Settings {
            learning_rate,
            candidate_learning_rate,
            candidate_pool_size: pool.into(),
            patience: patience.into(),
            correlation_threshold,
            ..self.settings.clone()
        };
        self.set(OUTPUT_EPOCHS, output_epochs);
        self.set(CANDIDATE_EPOCHS, candidate_epochs);
        self.set(TARGET_ACCURACY, target_accuracy);
        if candidate_patience != CANDIDATE_PATIENCE {
            self.warnings.push(format!(
                "The patience of candidates is left out: it is {CANDIDATE_PATIENCE} in the original, not \
                 {candidate_patience}."
            ));
        }
    }

    /// The sizes are the same things there; steps are taken in another way.
    fn take_fahlman(&mut self, method: &Fahlman) {
        self.settings.candidate_pool_size = method.pool.into();
        self.set(OUTPUT_EPOCHS, method.output.epochs);
        self.set(CANDIDATE_EPOCHS, method.candidates.epochs);
        self.warnings.push(
            "The settings and the state of quickprop are left out: the original answers as this network does, and \
             would train it on by its own method. The scores of the units, which are sums of covariances, stand \
             where it has correlations."
                .to_owned(),
        );
    }

    /// The generators of the original take 32 bits.
    fn take_seed(&mut self, seed: u64) {
        self.settings.random_seed = seed & u64::from(u32::MAX);
        if self.settings.random_seed != seed {
            let low = self.settings.random_seed;
            self.warnings.push(format!("The seed {seed} is written as {low}: the original takes 32 bits."));
        }
    }

    /// For a 0 the original takes its default.
    fn tell_zeros(&mut self) {
        let Settings { max_hidden_units, patience, correlation_threshold, random_seed, .. } = self.settings;
        let target = self.config.get(TARGET_ACCURACY).and_then(Value::as_f64);
        let zeros = [
            ("max_hidden_units", max_hidden_units == 0),
            ("patience", patience == 0),
            ("correlation_threshold", correlation_threshold == 0.0),
            ("random_seed", random_seed == 0),
            (TARGET_ACCURACY, target == Some(0.0)),
        ];
        let zeros: Vec<&str> =
            zeros.into_iter().filter(|(_, is_zero)| *is_zero).map(|(name, _)| name).collect();
        if !zeros.is_empty() {
            let names = zeros.join(", ");
            self.warnings
                .push(format!("Where a setting is 0 the original takes its default instead: {names}."));
        }
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.config.insert(name.to_owned(), value.into());
    }
}
