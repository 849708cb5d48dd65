//! HardCircuit JSON as a file format of the command line.
//!
//! The file holds a circuit: neither the mixtures that it was made of, nor the optimiser, nor what it is for.
//! What is imported can be described, drawn, checked where its task is found out, exported, and trained on:
//! each gate then begins as the one function that the file has for it.

use std::path::Path;

use rekindle::records::About;
use rekindle::{Checkpoint, EntryPath, from_tree, to_tree};
use rekindle_compute::KernelPath;
use rekindle_formats::{Document, Format, FormatError, Reading, files};
use rekindle_train::{ConfigOf, System, TrainingState};

use crate::config::{Model, Training};
use crate::error::LogicError;
use crate::hard_circuit::HardCircuit;
use crate::recognition::Recognized;
use crate::state::State;
use crate::system::Logic;

/// The format.
pub(crate) const FORMAT: Format = Format {
    name: "HardCircuit JSON",
    endings: &["circuit.json"],
    reading: Some(Reading { matches, read, stream: None }),
    write: Some(write),
};

/// A file is never longer: bytes.
const LIMIT: u64 = 256 << 20;

type SavedState = TrainingState<Model, Training, State>;

/// Tells such files by their first member.
fn matches(head: &[u8]) -> bool {
    let inside = head.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inside.is_some_and(|inside| inside.starts_with(b"\"perception\""))
}

fn read(path: &Path) -> Result<Document, FormatError> {
    let malformed = |error: LogicError| FormatError::malformed(path, with_source(&error));
    let json = files::read(path, LIMIT).map_err(|error| FormatError::read(path, error))?;
    let circuit = HardCircuit::read(json.as_slice()).map_err(malformed)?;
    let model = circuit.model().map_err(malformed)?;
    let state = State::of_circuit(&model, &circuit);
    let recognized = Recognized::of(&circuit, KernelPath::best()).map_err(malformed)?;
    let warnings = vec![
        "Only the circuit is in the file: the mixtures that its gates were trained as, the optimiser and the settings \
         are not."
            .to_owned(),
        recognized.sentence(),
    ];
    let config = recognized.config(model);
    let about = About {
        system: Logic::NAME.to_owned(),
        schema: Some(Logic::versions().schema().clone()),
        config: serde_json::to_value(&config).map_err(|error| FormatError::malformed(path, error))?,
        ..About::default()
    };
    let ConfigOf::<Logic> { model, training, seed, .. } = config;
    let saved = SavedState { seed, model, training, state };
    let tree = to_tree(&saved).map_err(|error| FormatError::malformed(path, error))?;
    Ok(Document { tree, step: 0, about, history: Vec::new(), warnings })
}

/// The error, and what caused it.
fn with_source(error: &LogicError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn write(checkpoint: &Checkpoint<'_>, path: &Path) -> Result<Vec<String>, FormatError> {
    let unsupported = |reason: String| FormatError::Unsupported { path: path.to_owned(), reason };
    if checkpoint.record().about.system != Logic::NAME {
        return Err(unsupported(format!("this format holds circuits of `{}` runs only", Logic::NAME)));
    }
    let tree = checkpoint.load(&EntryPath::root())?;
    let saved: SavedState = from_tree(&tree).map_err(|error| unsupported(error.to_string()))?;
    let circuit = HardCircuit::from_state(&saved.model, &saved.state)
        .map_err(|error| unsupported(error.to_string()))?;
    let mut json = Vec::new();
    circuit.write(&mut json).map_err(|error| unsupported(error.to_string()))?;
    files::write(path, &json).map_err(|error| FormatError::write(path, error))?;
    Ok(vec![
        "Only the circuit is written, of each gate its likeliest function: mixtures, optimiser, task and boundary are \
         left out."
            .to_owned(),
    ])
}
