//! What a snapshot says, as plain data.

use serde_json::{Map, Value};

/// A cascade-correlation network with its settings and its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Which network this is, and how far its training has come.
    pub identity: Identity,
    /// The whole configuration of the original, as it stands in `config/config_json`, but for the
    /// key of its worker processes.
    pub config: Map<String, Value>,
    /// The activation function of new hidden units: lower case, without `()`.
    pub activation: String,
    /// The settings that matter for training on.
    pub settings: Settings,
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// The linear output layer.
    pub output: OutputLayer,
    /// The hidden units, oldest first. Each is fed by the inputs and by all units before it.
    pub hidden: Vec<HiddenUnit>,
    /// What was measured while training.
    pub history: History,
}

/// A snapshot as read, and what of the file it does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadSnapshot {
    /// What was read.
    pub snapshot: Snapshot,
    /// What could not be carried over, a sentence each, in words for a user.
    pub warnings: Vec<String>,
}

/// Which network a snapshot is of, and how far its training has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The identifier of the network.
    pub uuid: Option<String>,
    /// When the snapshot was taken: ISO 8601, in local time without a zone.
    pub created: Option<String>,
    /// How many snapshots of this network were taken before.
    pub snapshot_counter: u64,
    /// Always 0 in files of the original, which never counts it.
    pub current_epoch: u64,
    /// Epochs without improvement.
    pub patience_counter: u64,
    /// The lowest validation loss; infinite when there was none.
    pub best_value_loss: f64,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            uuid: None,
            created: None,
            snapshot_counter: 0,
            current_epoch: 0,
            patience_counter: 0,
            best_value_loss: f64::INFINITY,
        }
    }
}

/// The settings that every generation of snapshots holds.
///
/// The default is that of the original in March 2026.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Of the output layer.
    pub learning_rate: f64,
    /// Of the candidates.
    pub candidate_learning_rate: f64,
    /// The network stops growing at so many hidden units.
    pub max_hidden_units: u64,
    /// So many candidates compete to become the next hidden unit.
    pub candidate_pool_size: u64,
    /// Training stops after so many epochs without improvement.
    pub patience: u64,
    /// A candidate that correlates less than this is not installed.
    pub correlation_threshold: f64,
    /// Seed of the random streams.
    pub random_seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            candidate_learning_rate: 0.01,
            max_hidden_units: 50,
            candidate_pool_size: 50,
            patience: 50,
            correlation_threshold: 0.0005,
            random_seed: 42,
        }
    }
}

/// The linear output layer: `[inputs, hidden] · weights + bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputLayer {
    /// (inputs + hidden units) × outputs, row by row.
    pub weights: Vec<f32>,
    /// One for each output.
    pub bias: Vec<f32>,
}

/// A hidden unit: `activation([inputs, earlier units] · weights + bias)`.
#[derive(Debug, Clone, PartialEq)]
pub struct HiddenUnit {
    /// One for each input, then one for each earlier unit.
    pub weights: Vec<f32>,
    /// Added before the activation.
    pub bias: f32,
    /// Its activation function: lower case, without `()`.
    pub activation: String,
    /// Correlation with the residual error when it was installed.
    pub correlation: f64,
}

/// What was measured while training.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// Loss on the training set.
    pub train_loss: Vec<f64>,
    /// Loss on the validation set.
    pub value_loss: Vec<f64>,
    /// Accuracy on the training set, 0 to 1.
    pub train_accuracy: Vec<f64>,
    /// Accuracy on the validation set, 0 to 1.
    pub value_accuracy: Vec<f64>,
    /// Correlations of the hidden units that were installed, oldest first.
    pub units_added: Vec<f64>,
}
