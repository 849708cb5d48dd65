//! ReadSnapshot a snapshot.

use std::io::{self, Read as _};
use std::path::Path;

use hdf5_pure::File;
use rekindle_formats::files;
use serde_json::{Map, Value};

use super::error::{Fault, Problem, SnapshotError};
use super::limits::{MAX_FILE_BYTES, MAX_HIDDEN, MAX_WIDTH};
use super::model::{HiddenUnit, History, Identity, OutputLayer, ReadSnapshot, Settings, Snapshot};
use super::objects::{Allowance, Checksums, Folder};
use super::source::BoundedSource;
use super::warnings::Loss;
use super::{
    FORMAT, FORMAT_BEFORE, FORMAT_VERSION, REQUIRED_GROUPS, activation, isolation, matches, warnings,
};

type Found<T> = Result<T, Fault>;

/// Reads the snapshot at `path`, of any generation.
///
/// Of the file's checksums all are enforced, and the shapes of all arrays are.
///
/// # Errors
/// [`SnapshotError::Read`] when the system does not give the file, and [`SnapshotError::Refused`]
/// when it is damaged, contradicts itself, holds no network, or is too large; the problem names the
/// object within the file. Then nothing was imported.
pub fn read(path: &Path) -> Result<ReadSnapshot, SnapshotError> {
    let read_error = |source| SnapshotError::Read { path: path.to_owned(), source };
    let refused =
        |Fault { object, problem }| SnapshotError::Refused { path: path.to_owned(), object, problem };
    let length = files::len(path).map_err(read_error)?;
    if length > MAX_FILE_BYTES {
        let problem = Problem::TooLarge { what: "bytes", found: length, limit: MAX_FILE_BYTES };
        return Err(refused(Fault::at("/", problem)));
    }
    let bytes = content(path).map_err(read_error)?;
    let parsed = isolation::run(move || parse(bytes)).map_err(read_error)?;
    parsed.unwrap_or_else(|| Err(Fault::at("/", Problem::Parser))).map_err(refused)
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    files::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file that is in memory.
pub(super) fn parse(bytes: Vec<u8>) -> Found<ReadSnapshot> {
    if !matches(&bytes) {
        return Err(Fault::at("/", Problem::NotHdf5));
    }
    let length = bytes.len() as u64;
    let damaged = |error: hdf5_pure::Error| Fault::at("/", Problem::Damaged(error.to_string()));
    let file = File::from_source(BoundedSource::new(bytes)).map_err(damaged)?;
    let expected = file.superblock().eof_address;
    if expected > length {
        return Err(Fault::at("/", Problem::CutOff { expected, found: length }));
    }
    let allowance = Allowance::whole();
    let root = Folder::new(file.root(), "", &allowance)?;
    check_kind(&root)?;
    reading(&root)
}

/// Checks that this is a snapshot, of a version that is known, with a network in it.
fn check_kind(root: &Folder<'_>) -> Found<()> {
    if root.is_empty()? {
        return Err(Fault::at("/", Problem::Empty));
    }
    let format_path = root.attribute_path("format");
    match root.text("format")? {
        None => return Err(Fault::at(format_path, Problem::Missing)),
        Some(format) if format != FORMAT && format != FORMAT_BEFORE => {
            return Err(Fault::at(format_path, Problem::Format(format)));
        }
        Some(_) => {}
    }
    check_version(root)?;
    let mut missing = Vec::new();
    for name in REQUIRED_GROUPS {
        if root.folder(name)?.is_none() {
            missing.push(name);
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(Fault::at("/", Problem::MissingGroups(missing))) }
}

/// The first versions tell none: the original takes that for 1.
fn check_version(root: &Folder<'_>) -> Found<()> {
    let version = root.text("format_version")?.unwrap_or_else(|| "1".to_owned());
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    match major {
        Some(1..=FORMAT_VERSION) => Ok(()),
        _ => Err(Fault::at(root.attribute_path("format_version"), Problem::Version(version))),
    }
}

fn reading(root: &Folder<'_>) -> Found<ReadSnapshot> {
    let architecture = root.required_folder("arch")?;
    let sizes = Sizes::read(root, &architecture)?;
    let config_folder = root.required_folder("config")?;
    let configuration = Configuration::read(&config_folder)?;
    let activation = match architecture.text("activation_function_name")? {
        Some(name) => Some(name),
        None => config_folder.text("activation_function_name")?,
    };
    let missing = || Fault::at(architecture.attribute_path("activation_function_name"), Problem::Missing);
    let activation = activation::normalised(&activation.ok_or_else(missing)?);
    let mut unchecked = Vec::new();
    let output = output_layer(root, &sizes, &mut unchecked)?;
    let hidden = hidden_units(root, &sizes, &activation, &mut unchecked)?;
    let (history, unlike) = history(root, &hidden)?;
    let loss = Loss { unchecked, layers: 1 + hidden.len(), secret: configuration.secret, unlike };
    let warnings = warnings::of(root, &loss)?;
    let snapshot = Snapshot {
        identity: identity(root)?,
        settings: configuration.settings(root, &config_folder)?,
        config: configuration.values,
        activation,
        inputs: sizes.inputs,
        outputs: sizes.outputs,
        output,
        hidden,
        history,
    };
    Ok(ReadSnapshot { snapshot, warnings })
}

struct Sizes {
    inputs: usize,
    outputs: usize,
    hidden: usize,
}

impl Sizes {
    /// From `arch`; what other groups say of them must be the same.
    fn read(root: &Folder<'_>, architecture: &Folder<'_>) -> Found<Self> {
        let mut sizes = [0; 3];
        let limits =
            [("input_size", MAX_WIDTH), ("output_size", MAX_WIDTH), ("num_hidden_units", MAX_HIDDEN)];
        for (size, (name, limit)) in sizes.iter_mut().zip(limits) {
            *size = bounded(architecture, name, limit)?;
            for other in ["meta", "config"] {
                check_agrees(&root.required_folder(other)?, name, *size, "arch")?;
            }
        }
        let [inputs, outputs, hidden] = sizes;
        for (name, size) in [("input_size", inputs), ("output_size", outputs)] {
            if size == 0 {
                return Err(Fault::at(architecture.attribute_path(name), Problem::Range("0".to_owned())));
            }
        }
        Ok(Self { inputs, outputs, hidden })
    }
}

fn bounded(folder: &Folder<'_>, name: &str, limit: usize) -> Found<usize> {
    let found = folder.required_count(name)?;
    match usize::try_from(found) {
        Ok(size) if size <= limit => Ok(size),
        _ => {
            let what = if limit == MAX_HIDDEN { "hidden units" } else { "values" };
            let problem = Problem::TooLarge { what, found, limit: limit as u64 };
            Err(Fault::at(folder.attribute_path(name), problem))
        }
    }
}

fn check_agrees(folder: &Folder<'_>, name: &str, expected: usize, with: &'static str) -> Found<()> {
    let expected = expected as u64;
    match folder.count(name)? {
        Some(found) if found != expected => {
            Err(Fault::at(folder.attribute_path(name), Problem::Disagrees { expected, found, with }))
        }
        _ => Ok(()),
    }
}

fn identity(root: &Folder<'_>) -> Found<Identity> {
    let meta = root.required_folder("meta")?;
    let created = match root.text("created")? {
        Some(created) => Some(created),
        None => meta.text("creation_timestamp")?,
    };
    let best_value_loss = meta.number("best_value_loss")?.unwrap_or(f64::INFINITY);
    if best_value_loss.is_nan() || best_value_loss == f64::NEG_INFINITY {
        let problem = Problem::Range(best_value_loss.to_string());
        return Err(Fault::at(meta.attribute_path("best_value_loss"), problem));
    }
    Ok(Identity {
        uuid: meta.text("uuid")?,
        created,
        snapshot_counter: meta.count("snapshot_counter")?.unwrap_or(0),
        current_epoch: meta.count("current_epoch")?.unwrap_or(0),
        patience_counter: meta.count("patience_counter")?.unwrap_or(0),
        best_value_loss,
    })
}

/// The configuration as JSON.
struct Configuration {
    /// Without secrets.
    values: Map<String, Value>,
    /// True when there was a secret in it.
    secret: bool,
    /// True when a checksum vouches for it.
    checked: bool,
}

impl Configuration {
    fn read(folder: &Folder<'_>) -> Found<Self> {
        let Some(array) = folder.array("config_json")? else {
            return Ok(Self { values: Map::new(), secret: false, checked: false });
        };
        let json = array.text()?;
        let checksums = folder.checksums()?;
        if let Some(checksums) = &checksums {
            checksums.check("config_json", array.path(), json.as_bytes())?;
        }
        let parsed: Result<Map<String, Value>, _> = serde_json::from_str(&json);
        let mut values = parsed.map_err(|error| Fault::at(array.path(), Problem::Json(error.to_string())))?;
        let all = values.len();
        values.retain(|name, _| !is_secret(name));
        Ok(Self { secret: values.len() < all, values, checked: checksums.is_some() })
    }

    /// The settings are told twice, as attributes and as JSON. The original changes some while it
    /// runs, and then only the attributes are true. Where a checksum vouches for the JSON, the two
    /// were written as one, and what can be damaged unseen is the attributes.
    fn settings(&self, root: &Folder<'_>, folder: &Folder<'_>) -> Found<Settings> {
        let random_seed = match self.count(folder, "random_seed") {
            Err(Fault { problem: Problem::Missing, .. }) => {
                root.required_folder("random")?.required_count("seed")
            }
            seed => seed,
        };
        Ok(Settings {
            learning_rate: self.number(folder, "learning_rate")?,
            candidate_learning_rate: self.number(folder, "candidate_learning_rate")?,
            max_hidden_units: self.count(folder, "max_hidden_units")?,
            candidate_pool_size: self.count(folder, "candidate_pool_size")?,
            patience: self.count(folder, "patience")?,
            correlation_threshold: self.number(folder, "correlation_threshold")?,
            random_seed: random_seed?,
        })
    }

    fn count(&self, folder: &Folder<'_>, name: &str) -> Found<u64> {
        let stated = self.values.get(name).and_then(Value::as_u64);
        let attribute = if self.checked && stated.is_some() { None } else { folder.count(name)? };
        attribute.or(stated).ok_or_else(|| Fault::at(folder.attribute_path(name), Problem::Missing))
    }

    fn number(&self, folder: &Folder<'_>, name: &str) -> Found<f64> {
        let stated = self.values.get(name).and_then(Value::as_f64);
        let attribute = if self.checked && stated.is_some() { None } else { folder.finite(name)? };
        attribute.or(stated).ok_or_else(|| Fault::at(folder.attribute_path(name), Problem::Missing))
    }
}

/// The key of the worker processes, which lets anyone who reaches them run code there.
pub(super) fn is_secret(name: &str) -> bool {
    name.to_lowercase().contains("authkey")
}

/// The output layer, which is `unchecked` when no checksums vouch for it.
fn output_layer(root: &Folder<'_>, sizes: &Sizes, unchecked: &mut Vec<String>) -> Found<OutputLayer> {
    let folder = root.required_folder("params")?.required_folder("output_layer")?;
    let checksums = folder.checksums()?;
    if checksums.is_none() {
        unchecked.push(folder.path().to_owned());
    }
    let named = |name| checksums.as_ref().map(|checksums| (checksums, name));
    let rows = (sizes.inputs + sizes.hidden) as u64;
    let columns = sizes.outputs as u64;
    Ok(OutputLayer {
        weights: folder.required_array("weights")?.tensor(&[&[rows, columns]], named("output_weights"))?,
        bias: folder.required_array("bias")?.tensor(&[&[columns]], named("output_bias"))?,
    })
}

/// The hidden units, oldest first; those are `unchecked` that no checksums vouch for.
fn hidden_units(
    root: &Folder<'_>,
    sizes: &Sizes,
    activation: &str,
    unchecked: &mut Vec<String>,
) -> Found<Vec<HiddenUnit>> {
    let Some(folder) = root.folder("hidden_units")? else {
        return match sizes.hidden {
            0 => Ok(Vec::new()),
            _ => Err(Fault::at("hidden_units", Problem::Missing)),
        };
    };
    folder.required_count("num_units")?;
    check_agrees(&folder, "num_units", sizes.hidden, "arch")?;
    let folders = numbered(&folder)?;
    if folders.len() != sizes.hidden {
        let (expected, found) = (sizes.hidden as u64, folders.len() as u64);
        return Err(Fault::at(folder.path(), Problem::Disagrees { expected, found, with: "arch" }));
    }
    let mut units = Vec::new();
    for (index, folder) in folders.iter().enumerate() {
        let checksums = folder.checksums()?;
        if checksums.is_none() {
            unchecked.push(folder.path().to_owned());
        }
        units.push(hidden_unit(folder, sizes.inputs + index, checksums.as_ref(), activation)?);
    }
    Ok(units)
}

fn hidden_unit(
    folder: &Folder<'_>,
    fan_in: usize,
    checksums: Option<&Checksums>,
    activation: &str,
) -> Found<HiddenUnit> {
    let named = |name| checksums.map(|checksums| (checksums, name));
    let weights = folder.required_array("weights")?.tensor(&[&[fan_in as u64]], named("weights"))?;
    // Candidates that were never trained have a bias without dimensions.
    let bias = folder.required_array("bias")?.tensor(&[&[1], &[]], named("bias"))?;
    let activation = match folder.text("activation_function_name")? {
        Some(name) => activation::normalised(&name),
        None => activation.to_owned(),
    };
    let correlation = folder.finite("correlation")?.unwrap_or(0.0);
    Ok(HiddenUnit { weights, bias: bias[0], activation, correlation })
}

/// The groups `unit_0`, `unit_1` and so on, in this order, which is not that of their names.
fn numbered<'a>(folder: &Folder<'a>) -> Found<Vec<Folder<'a>>> {
    let mut numbered = Vec::new();
    for (name, unit) in folder.folders()? {
        let number = name.strip_prefix("unit_").and_then(|number| number.parse::<usize>().ok());
        match number {
            // A leading zero or a sign would let two names have one number.
            Some(number) if name == format!("unit_{number}") => numbered.push((number, unit)),
            _ => return Err(Fault::at(folder.path(), Problem::Numbering(name))),
        }
    }
    numbered.sort_by_key(|&(number, _)| number);
    let gap = numbered.iter().enumerate().find(|&(index, &(number, _))| index != number);
    if let Some((_, (number, _))) = gap {
        return Err(Fault::at(folder.path(), Problem::Numbering(format!("unit_{number}"))));
    }
    Ok(numbered.into_iter().map(|(_, unit)| unit).collect())
}

/// The history, and what it says of added units that is not so of the network's.
fn history(root: &Folder<'_>, hidden: &[HiddenUnit]) -> Found<(History, Vec<String>)> {
    let Some(folder) = root.folder("history")? else { return Ok((History::default(), Vec::new())) };
    let series = |name: &str, before: &str| {
        let array = match folder.array(name)? {
            Some(array) => Some(array),
            None => folder.array(before)?,
        };
        array.map_or_else(|| Ok(Vec::new()), |array| array.series())
    };
    let (units_added, unlike) = units_added(&folder, hidden)?;
    let history = History {
        train_loss: series("train_loss", "train_loss")?,
        value_loss: series("value_loss", "val_loss")?,
        train_accuracy: series("train_accuracy", "train_accuracy")?,
        value_accuracy: series("value_accuracy", "val_accuracy")?,
        units_added,
    };
    Ok((history, unlike))
}

/// The correlations of the units that were added, and the paths of those whose weights are not the network's.
fn units_added(history: &Folder<'_>, hidden: &[HiddenUnit]) -> Found<(Vec<f64>, Vec<String>)> {
    let Some(folder) = history.folder("hidden_units_added")? else { return Ok((Vec::new(), Vec::new())) };
    let (mut correlations, mut unlike) = (Vec::new(), Vec::new());
    for (index, unit) in numbered(&folder)?.iter().enumerate() {
        correlations.push(unit.finite("correlation")?.unwrap_or(0.0));
        if !hidden.get(index).is_some_and(|hidden| repeats(unit, hidden)) {
            unlike.push(unit.path().to_owned());
        }
    }
    Ok((correlations, unlike))
}

/// True when a unit of the history has the weights of the hidden unit, or none.
fn repeats(unit: &Folder<'_>, hidden: &HiddenUnit) -> bool {
    let repeats = |name: &str, expected: &[f32]| {
        let shape = [expected.len() as u64];
        match unit.array(name) {
            Ok(None) => true,
            // Candidates that were never trained have a bias without dimensions.
            Ok(Some(array)) => array.tensor(&[&shape, &[]], None).is_ok_and(|found| found == expected),
            Err(_) => false,
        }
    };
    repeats("weights", &hidden.weights) && repeats("bias", &[hidden.bias])
}
