//! A snapshot becomes a run.

use std::collections::BTreeMap;
use std::path::Path;

use rekindle::records::{About, Row};
use rekindle::{CaptureError, to_tree};
use rekindle_formats::{Document, FormatError};
use rekindle_train::{Checkpoints, Evaluate, RunConfig};
use serde_json::Value;

use super::{CONFIG, COUNTER, CREATED, SavedState, UUID, activations, refused, settings};
use crate::activation::{Activation, OutputActivation};
use crate::config::{Data, Method, Model, Source, Training};
use crate::data::{Input, Preparation, Target};
use crate::network::{self, Network};
use crate::schema::{SYSTEM, versions};
use crate::snapshot::{self, HiddenUnit, History, Identity, OutputLayer, ReadSnapshot, Snapshot};
use crate::state::{JuniperState, State, TrainerState};

pub(super) fn read(path: &Path) -> Result<Document, FormatError> {
    let ReadSnapshot { snapshot, mut warnings } =
        snapshot::read(path).map_err(|error| refused(path, error))?;
    let malformed = |reason: String| FormatError::malformed(path, reason);
    let hidden = activation_of(&snapshot, &mut warnings).map_err(malformed)?;
    let state = state_of(&snapshot, hidden).map_err(malformed)?;
    let step = state.state.step;
    let config = config_of(&state);
    let tree = to_tree(&state).map_err(|error: CaptureError| malformed(error.to_string()))?;
    let about = About {
        system: SYSTEM.to_owned(),
        schema: Some(versions().schema().clone()),
        config: serde_json::to_value(&config).unwrap_or_default(),
        environment: notes_of(&snapshot),
        ..About::default()
    };
    Ok(Document { tree, step, about, history: rows_of(&snapshot.history), warnings })
}

/// The activation of units that the network may still grow.
fn activation_of(snapshot: &Snapshot, warnings: &mut Vec<String>) -> Result<Activation, String> {
    if snapshot.activation == activations::SOFTMAX && snapshot.hidden.is_empty() {
        warnings.push(
            "Its hidden units would be softmax, of which the original cannot compute one alone; it has none yet, and \
             new ones are tanh units here."
                .to_owned(),
        );
        return Ok(Activation::Tanh);
    }
    activations::named(&snapshot.activation)
}

fn state_of(snapshot: &Snapshot, hidden: Activation) -> Result<SavedState, String> {
    let network = network_of(snapshot)?;
    let Snapshot { settings, identity, .. } = snapshot;
    let trainer = JuniperState {
        best_loss: identity.best_value_loss.is_finite().then_some(identity.best_value_loss),
        growths_without_gain: u32::try_from(identity.patience_counter).unwrap_or(u32::MAX),
        // The optimiser of the output layer begins anew with every phase.
        ..JuniperState::new()
    };
    let max_hidden = u32::try_from(settings.max_hidden_units).unwrap_or(u32::MAX).min(10_000);
    Ok(SavedState {
        seed: settings.random_seed,
        model: Model { hidden, output: OutputActivation::Linear, max_hidden },
        training: Training {
            data: Data { source: Source::Spirals, one_hot: true, validation: 0.2, ..Data::default() },
            method: Method::Juniper(settings::method_of(snapshot)),
        },
        state: State {
            step: identity.current_epoch,
            epochs: identity.current_epoch,
            preparation: unknown_examples(snapshot.inputs, snapshot.outputs),
            network,
            growth: Vec::new(),
            trainer: TrainerState::Juniper(trainer),
            ending: None,
        },
    })
}

/// The bias is unit 0 here.
fn network_of(snapshot: &Snapshot) -> Result<Network, String> {
    let unit = |unit: &HiddenUnit| {
        Ok(network::HiddenUnit {
            activation: activations::named(&unit.activation)?,
            score: unit.correlation as f32,
            weights: [unit.bias].into_iter().chain(unit.weights.iter().copied()).collect(),
        })
    };
    let hidden: Result<Vec<_>, String> = snapshot.hidden.iter().map(unit).collect();
    let OutputLayer { weights, bias } = &snapshot.output;
    Ok(Network {
        inputs: snapshot.inputs as u32,
        outputs: snapshot.outputs as u32,
        hidden: hidden?,
        output_weights: bias.iter().chain(weights).copied().collect(),
    })
}

/// What a snapshot says of its inputs and classes: how many there are.
pub(super) fn unknown_examples(inputs: usize, outputs: usize) -> Preparation {
    let names = |count: usize, letter: char| (0..count).map(move |index| format!("{letter}{index}"));
    let input_names: Vec<String> = match inputs {
        2 => vec!["x".to_owned(), "y".to_owned()],
        count => names(count, 'x').collect(),
    };
    Preparation {
        identity: String::new(),
        examples: 0,
        select_examples: 0,
        test_examples: 0,
        fillings: None,
        inputs: input_names.into_iter().map(|name| Input { name, offset: 0.0, factor: 1.0 }).collect(),
        target: Target::Classes {
            name: "class".to_owned(),
            // A single output tells two classes apart.
            classes: (0..outputs.max(2)).map(|class| class.to_string()).collect(),
            one_hot: outputs > 1,
            levels: OutputActivation::Linear.targets(),
        },
    }
}

fn config_of(state: &SavedState) -> RunConfig<Model, Training> {
    RunConfig {
        system: SYSTEM.to_owned(),
        seed: state.seed,
        model: state.model.clone(),
        training: state.training.clone(),
        evaluate: Evaluate::default(),
        checkpoint: Checkpoints::default(),
        best: None,
    }
}

fn notes_of(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let Identity { uuid, created, snapshot_counter, .. } = &snapshot.identity;
    let config = Value::Object(snapshot.config.clone()).to_string();
    let mut notes =
        BTreeMap::from([(COUNTER.to_owned(), snapshot_counter.to_string()), (CONFIG.to_owned(), config)]);
    notes.extend(uuid.iter().map(|uuid| (UUID.to_owned(), uuid.clone())));
    notes.extend(created.iter().map(|created| (CREATED.to_owned(), created.clone())));
    notes
}

/// The original's lists as rows; it does not say at which epochs they were measured.
fn rows_of(history: &History) -> Vec<Row> {
    let columns = [
        ("train_loss", &history.train_loss),
        ("validation_loss", &history.value_loss),
        ("accuracy", &history.train_accuracy),
        ("validation_accuracy", &history.value_accuracy),
        ("correlation", &history.units_added),
    ];
    let rows = columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let row = |index: usize| {
        let cells = columns.iter().filter_map(|(name, values)| Some((*name, *values.get(index)?)));
        let mut row = Row::from_iter([("step".to_owned(), Value::from(index))]);
        row.extend(cells.map(|(name, value)| (name.to_owned(), value.into())));
        row
    };
    (0..rows).map(row).collect()
}
