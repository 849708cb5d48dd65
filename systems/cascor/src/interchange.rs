//! Snapshots of the original program as a file format of the command line.
//!
//! A snapshot holds a network and its settings, neither the examples nor the state of an
//! optimiser: what is imported can be asked, drawn, exported, and taken over into a new run
//! (`train CONFIG --from RUN --only state.network`), where training begins with its output layer.

use std::collections::BTreeMap;
use std::path::Path;

use rekindle::records::{About, Row};
use rekindle::{CaptureError, Checkpoint, EntryPath, Hash, from_tree, time, to_tree};
use rekindle_formats::{Document, Format, FormatError, Reading};
use rekindle_train::{Checkpoints, Evaluate, RunConfig, TrainingState};
use serde_json::{Map, Value};

use crate::activation::{Activation, OutputActivation};
use crate::config::{Data, Juniper, Method, Model, Source, Training};
use crate::data::{Input, Preparation, Target};
use crate::network::{self, Network};
use crate::schema::{SYSTEM, versions};
use crate::snapshot::{
    self, HiddenUnit, History, Identity, OutputLayer, ReadSnapshot, Settings, Snapshot, SnapshotError,
};
use crate::state::{JuniperState, State, TrainerState};

/// The format.
pub(crate) const FORMAT: Format = Format {
    name: "Juniper HDF5",
    endings: &[".h5", ".hdf5"],
    reading: Some(Reading { matches: snapshot::matches, read }),
    write: Some(|checkpoint, path| write(checkpoint, path).map(|()| Vec::new())),
};

/// Names of what a snapshot says about itself, among the notes of a commit record.
const UUID: &str = "juniper_uuid";
const CREATED: &str = "juniper_created";
const COUNTER: &str = "juniper_snapshot_counter";
const CONFIG: &str = "juniper_config";

type SavedState = TrainingState<Model, Training, State>;

fn read(path: &Path) -> Result<Document, FormatError> {
    let ReadSnapshot { snapshot, warnings } = snapshot::read(path).map_err(|error| refused(path, error))?;
    let malformed = |reason: String| FormatError::malformed(path, reason);
    let state = state_of(&snapshot).map_err(malformed)?;
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

/// The error of the snapshot as one of the command line's formats.
fn refused(path: &Path, error: SnapshotError) -> FormatError {
    match error {
        SnapshotError::Read { source, .. } => FormatError::read(path, source),
        SnapshotError::Write { source, .. } => FormatError::write(path, source),
        error => FormatError::Refused(error.to_string()),
    }
}

fn state_of(snapshot: &Snapshot) -> Result<SavedState, String> {
    let network = network_of(snapshot)?;
    let Snapshot { settings, identity, .. } = snapshot;
    let number = |name: &str| snapshot.config.get(name).and_then(Value::as_f64);
    let count = |name: &str, default: u32| number(name).map_or(default, |value| (value as u32).max(1));
    let pool = u32::try_from(settings.candidate_pool_size).unwrap_or(u32::MAX).clamp(1, 4096);
    let method = Juniper {
        learning_rate: settings.learning_rate,
        output_epochs: count("output_epochs", 1000),
        pool,
        candidate_learning_rate: settings.candidate_learning_rate,
        candidate_epochs: count("candidate_epochs", 600),
        candidate_patience: 30,
        correlation_threshold: settings.correlation_threshold,
        patience: u32::try_from(settings.patience).unwrap_or(u32::MAX),
        target_accuracy: number("target_accuracy").unwrap_or(0.999).clamp(0.0, 1.0),
    };
    let trainer = JuniperState {
        best_loss: identity.best_value_loss.is_finite().then_some(identity.best_value_loss),
        growths_without_gain: u32::try_from(identity.patience_counter).unwrap_or(u32::MAX),
        // The optimiser of the output layer begins anew with every phase.
        ..JuniperState::new()
    };
    let max_hidden = u32::try_from(settings.max_hidden_units).unwrap_or(u32::MAX).min(10_000);
    Ok(SavedState {
        seed: settings.random_seed,
        model: Model { hidden: Activation::Tanh, output: OutputActivation::Linear, max_hidden },
        training: Training {
            data: Data { source: Source::Spirals, one_hot: true, validation: 0.2, ..Data::default() },
            method: Method::Juniper(method),
        },
        state: State {
            step: identity.current_epoch,
            epochs: identity.current_epoch,
            preparation: unknown_examples(snapshot),
            network,
            growth: Vec::new(),
            trainer: TrainerState::Juniper(trainer),
            ending: None,
        },
    })
}

/// The bias is unit 0 here.
fn network_of(snapshot: &Snapshot) -> Result<Network, String> {
    let activation = |name: &str| match name {
        "tanh" => Ok(Activation::Tanh),
        other => Err(format!("its activation is `{other}`; only networks of tanh units are read")),
    };
    activation(&snapshot.activation)?;
    let unit = |unit: &HiddenUnit| {
        Ok(network::HiddenUnit {
            activation: activation(&unit.activation)?,
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

/// The snapshot does not say what its inputs and classes are.
fn unknown_examples(snapshot: &Snapshot) -> Preparation {
    let names = |count: usize, letter: char| (0..count).map(move |index| format!("{letter}{index}"));
    let inputs: Vec<String> = match snapshot.inputs {
        2 => vec!["x".to_owned(), "y".to_owned()],
        count => names(count, 'x').collect(),
    };
    Preparation {
        identity: String::new(),
        examples: 0,
        select_examples: 0,
        test_examples: 0,
        fillings: None,
        inputs: inputs.into_iter().map(|name| Input { name, offset: 0.0, factor: 1.0 }).collect(),
        target: Target::Classes {
            name: "class".to_owned(),
            // A single output tells two classes apart.
            classes: (0..snapshot.outputs.max(2)).map(|class| class.to_string()).collect(),
            one_hot: snapshot.outputs > 1,
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

fn write(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<(), FormatError> {
    let unsupported = |reason: String| FormatError::Unsupported { path: path.to_owned(), reason };
    let record = checkpoint.record();
    if record.about.system != SYSTEM {
        return Err(unsupported(format!("this format holds `{}` networks only", SYSTEM)));
    }
    let tree = checkpoint.load(&EntryPath::root())?;
    let state: SavedState = from_tree(&tree).map_err(|error| unsupported(error.to_string()))?;
    let note = |name: &str| record.about.environment.get(name);
    let uuid = note(UUID).cloned().unwrap_or_else(|| uuid_of(&record.run));
    let created = note(CREATED).cloned().unwrap_or_else(|| time::format_utc(record.created));
    let identity = Identity {
        uuid: Some(uuid),
        created: Some(created),
        snapshot_counter: note(COUNTER).and_then(|counter| counter.parse().ok()).unwrap_or(0),
        ..Identity::default()
    };
    let config = note(CONFIG).and_then(|config| serde_json::from_str(config).ok());
    let history = history_of(&checkpoint.history().0);
    let snapshot = snapshot_of(&state, identity, config.unwrap_or_default(), history).map_err(unsupported)?;
    snapshot::write(&snapshot, path).map_err(|error| refused(path, error))
}

/// A version-4 UUID that is always the same for a run.
fn uuid_of(run: &str) -> String {
    let hash = Hash::of(run.as_bytes()).to_string();
    format!("{}-{}-4{}-a{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32])
}

fn snapshot_of(
    saved: &SavedState,
    identity: Identity,
    config: Map<String, Value>,
    history: History,
) -> Result<Snapshot, String> {
    let SavedState { model, training, state, seed } = saved;
    let (method, trainer) = juniper_of(model, training, state)?;
    let network = &state.network;
    let outputs = network.outputs as usize;
    let (bias, weights) = network.output_weights.split_at(outputs);
    Ok(Snapshot {
        identity: Identity {
            current_epoch: state.epochs,
            patience_counter: trainer.growths_without_gain.into(),
            best_value_loss: trainer.best_loss.unwrap_or(f64::INFINITY),
            ..identity
        },
        config: with_settings(config, method),
        activation: Activation::Tanh.name().to_owned(),
        settings: Settings {
            learning_rate: method.learning_rate,
            candidate_learning_rate: method.candidate_learning_rate,
            max_hidden_units: model.max_hidden.into(),
            candidate_pool_size: method.pool.into(),
            patience: method.patience.into(),
            correlation_threshold: method.correlation_threshold,
            random_seed: *seed,
        },
        inputs: network.inputs as usize,
        outputs,
        output: OutputLayer { weights: weights.to_vec(), bias: bias.to_vec() },
        hidden: network.hidden.iter().map(hidden_unit).collect(),
        history,
    })
}

/// The settings and the state of the Juniper variant, for networks that a snapshot can hold.
fn juniper_of<'a>(
    model: &Model,
    training: &'a Training,
    state: &'a State,
) -> Result<(&'a Juniper, &'a JuniperState), String> {
    state.network.check().map_err(|error| error.to_string())?;
    let Method::Juniper(method) = &training.method else {
        return Err("it holds networks of the Juniper variant only (training.method: juniper)".to_owned());
    };
    if model.output != OutputActivation::Linear || model.hidden != Activation::Tanh {
        return Err("it holds networks of tanh units and linear outputs only".to_owned());
    }
    if state.preparation.inputs.iter().any(|input| (input.offset, input.factor) != (0.0, 1.0)) {
        return Err("it has no place for scaled inputs; train with training.data.scale=false".to_owned());
    }
    match &state.trainer {
        TrainerState::Juniper(trainer) => Ok((method, trainer)),
        TrainerState::Fahlman(_) => {
            Err("the state was trained by another method than the config says".to_owned())
        }
    }
}

fn with_settings(mut config: Map<String, Value>, method: &Juniper) -> Map<String, Value> {
    for (name, value) in [
        ("output_epochs", Value::from(method.output_epochs)),
        ("candidate_epochs", Value::from(method.candidate_epochs)),
        ("target_accuracy", Value::from(method.target_accuracy)),
    ] {
        config.insert(name.to_owned(), value);
    }
    config
}

fn hidden_unit(unit: &network::HiddenUnit) -> HiddenUnit {
    HiddenUnit {
        weights: unit.weights[1..].to_vec(),
        bias: unit.weights[0],
        activation: Activation::Tanh.name().to_owned(),
        correlation: unit.score.into(),
    }
}

fn history_of(rows: &[Row]) -> History {
    let column = |name: &str| rows.iter().filter_map(|row| row.get(name)?.as_f64()).collect();
    History {
        train_loss: column("train_loss"),
        value_loss: column("validation_loss"),
        train_accuracy: column("accuracy"),
        value_accuracy: column("validation_accuracy"),
        units_added: Vec::new(),
    }
}
