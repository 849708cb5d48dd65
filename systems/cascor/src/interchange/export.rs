//! A checkpoint becomes a snapshot.

use std::path::Path;

use rekindle::records::Row;
use rekindle::{Checkpoint, EntryPath, Hash, from_tree, time};
use rekindle_formats::FormatError;
use serde_json::{Map, Value};

use super::settings;
use super::{CONFIG, COUNTER, CREATED, SavedState, UUID, activations, import, plain, refused};
use crate::activation::OutputActivation;
use crate::data::Input;
use crate::network::{self, Network};
use crate::schema::SYSTEM;
use crate::snapshot::{self, HiddenUnit, History, Identity, OutputLayer, Snapshot};
use crate::state::juniper::{OutputPhase, Phase};
use crate::state::{State, TrainerState};

pub(super) fn write(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<Vec<String>, FormatError> {
    let unsupported = |reason: String| FormatError::Unsupported { path: path.to_owned(), reason };
    let record = checkpoint.record();
    if record.about.system != SYSTEM {
        return Err(unsupported(format!("this format holds `{SYSTEM}` networks only")));
    }
    let tree = checkpoint.load(&EntryPath::root())?;
    let saved: SavedState = from_tree(&tree).map_err(|error| unsupported(error.to_string()))?;
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
    let rows = checkpoint.history().0;
    let (snapshot, warnings) =
        snapshot_of(&saved, identity, config.unwrap_or_default(), &rows).map_err(unsupported)?;
    snapshot::write(&snapshot, path).map_err(|error| refused(path, error))?;
    Ok(warnings)
}

/// A version-4 UUID that is always the same for a run.
fn uuid_of(run: &str) -> String {
    let hash = Hash::of(run.as_bytes()).to_string();
    format!("{}-{}-4{}-a{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32])
}

/// The snapshot of a state, and what is not in it.
fn snapshot_of(
    saved: &SavedState,
    identity: Identity,
    config: Map<String, Value>,
    rows: &[Row],
) -> Result<(Snapshot, Vec<String>), String> {
    let SavedState { model, training, state, seed } = saved;
    state.validate(model, training).map_err(|error| error.to_string())?;
    if model.output != OutputActivation::Linear {
        return Err(
            "its outputs are sigmoids, and those of the original are linear, so that it would answer with \
                    other numbers; train with model.output=linear"
                .to_owned(),
        );
    }
    let network = plain::plain(&state.network, &state.preparation);
    let outputs = network.outputs as usize;
    let (bias, weights) = network.output_weights.split_at(outputs);
    let hidden: Result<Vec<_>, String> = network.hidden.iter().map(hidden_unit).collect();
    let hidden = hidden?;
    let written = settings::written(model, &training.method, *seed, config);
    let snapshot = Snapshot {
        identity: Identity { current_epoch: state.epochs, ..progress(state, identity) },
        config: written.config,
        activation: activations::name_of(model.hidden)?.to_owned(),
        settings: written.settings,
        inputs: network.inputs as usize,
        outputs,
        output: OutputLayer { weights: weights.to_vec(), bias: bias.to_vec() },
        history: history_of(rows, &hidden),
        hidden,
    };
    let mut warnings = written.warnings;
    warnings.extend(left_out(state, &network));
    Ok((snapshot, warnings))
}

/// How far the patience of growing has come.
fn progress(state: &State, identity: Identity) -> Identity {
    match &state.trainer {
        TrainerState::Juniper(trainer) => Identity {
            patience_counter: trainer.growths_without_gain.into(),
            best_value_loss: trainer.best_loss.unwrap_or(f64::INFINITY),
            ..identity
        },
        TrainerState::Fahlman(_) => identity,
    }
}

/// What the original has no place for, a sentence each.
fn left_out(state: &State, network: &Network) -> Vec<String> {
    let mut warnings = vec![
        "States of random generators are left out: there are none here, and the original starts its own from the seed."
            .to_owned(),
    ];
    if network != &state.network {
        warnings.push(
            "Scales of the columns and the constants of symmetric sigmoids went into the weights: the answers are the \
             same within rounding."
                .to_owned(),
        );
    }
    if let TrainerState::Juniper(trainer) = &state.trainer
        && state.ending.is_none()
        && !matches!(trainer.phase, Phase::Output(OutputPhase { epochs: 0, .. }))
    {
        warnings.push(
            "What the present phase of training has come to is left out: the original would begin with the output layer."
                .to_owned(),
        );
    }
    if names_are_lost(state) {
        warnings.push("The names of inputs and classes are left out.".to_owned());
    }
    if !state.growth.is_empty() {
        warnings.push("How the network grew is left out, but for the correlations of its units.".to_owned());
    }
    warnings
}

fn names_are_lost(state: &State) -> bool {
    let Network { inputs, outputs, .. } = state.network;
    let unknown = import::unknown_examples(inputs as usize, outputs as usize);
    let names = |inputs: &[Input]| inputs.iter().map(|input| input.name.clone()).collect::<Vec<_>>();
    names(&state.preparation.inputs) != names(&unknown.inputs) || state.preparation.target != unknown.target
}

fn hidden_unit(unit: &network::HiddenUnit) -> Result<HiddenUnit, String> {
    Ok(HiddenUnit {
        weights: unit.weights[1..].to_vec(),
        bias: unit.weights[0],
        activation: activations::name_of(unit.activation)?.to_owned(),
        correlation: unit.score.into(),
    })
}

fn history_of(rows: &[Row], hidden: &[HiddenUnit]) -> History {
    let column = |names: &[&str]| {
        let value = |row: &Row| names.iter().find_map(|name| row.get(*name)?.as_f64());
        rows.iter().filter_map(value).collect()
    };
    History {
        train_loss: column(&["train_loss"]),
        value_loss: column(&["select_loss", "validation_loss"]),
        train_accuracy: column(&["accuracy"]),
        value_accuracy: column(&["select_accuracy", "validation_accuracy"]),
        units_added: hidden.iter().map(|unit| unit.correlation).collect(),
    }
}
