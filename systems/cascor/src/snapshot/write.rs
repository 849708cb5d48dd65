//! Writing a snapshot, as the original does since the end of October 2025.
//!
//! All that its loader asks for is there: the required groups, the attributes with their types (text
//! as fixed-length ASCII, whole numbers as 64-bit), arrays that are compressed with gzip at level 4,
//! and checksums that hold. Left out, as the loader does without:
//!
//! | object | why |
//! |---|---|
//! | `random/python_state`, `numpy_state`, `torch_state`, `cuda_states` | there are no such generators here; the original seeds its own |
//! | `params/output_layer/optimizer` | the original begins every training of that layer with a new one |
//! | `mp` | it would hold the secret key of worker processes |
//! | `meta/@python_version`, `@torch_version`, `@h5py_version` | none of them wrote the file |
//!
//! One type differs: `@requires_grad` is an 8-bit 0 where h5py makes an enumeration of FALSE and
//! TRUE. Python's `bool` of either is the same. One object is added: `config/checksums`, which
//! vouches for the configuration as the others do for weights.

use std::path::Path;

use hdf5_pure::{AttrValue, DatasetBuilder, FileBuilder, GroupBuilder};
use rekindle_formats::files;
use serde_json::{Map, Value, json};

use super::error::{Fault, Problem, SnapshotError};
use super::limits::{
    MAX_ARRAY_BYTES, MAX_ATTRIBUTE_TEXT, MAX_FILE_BYTES, MAX_HIDDEN, MAX_HISTORY, MAX_LISTED, MAX_TEXT_BYTES,
    MAX_WIDTH, is_attribute_text,
};
use super::model::{HiddenUnit, History, Snapshot};
use super::read::is_secret;
use super::{FORMAT, FORMAT_VERSION, activation, checksum};

/// Version of the serialiser of the original whose files these are like.
const SERIALIZER_VERSION: &str = "2.0.0";

/// Version of the original whose files these are like.
const JUNIPER_VERSION: &str = "0.3.2";

/// The compression that the original uses.
const GZIP_LEVEL: u32 = 4;

/// Chunks of arrays hold so many values at most, or one row.
const CHUNK_VALUES: u64 = 1 << 18;

/// Parameters of the original's random numbers, which matter to no part of this crate, are taken from
/// the configuration if it has them, and are these if not.
const RANDOM_MAX_VALUE: u64 = 4_294_967_295;
const SEQUENCE_MAX_VALUE: u64 = 10;
const RANDOM_VALUE_SCALE: f64 = 0.1;

/// Writes a snapshot to the file at `path`, which appears as a whole or not at all.
///
/// The configuration is written as it is, but for secrets, which are left out, and for sizes,
/// settings and activation, which are made to agree with the rest of the snapshot: the original
/// takes them from there.
///
/// # Errors
/// [`SnapshotError::Inconsistent`] when the snapshot contradicts itself, has numbers that are not
/// finite, or is too large to be read again, and [`SnapshotError::Write`] when the system does not
/// take the file.
pub fn write(snapshot: &Snapshot, path: &Path) -> Result<(), SnapshotError> {
    let inconsistent =
        |Fault { object, problem }| SnapshotError::Inconsistent { path: path.to_owned(), object, problem };
    let bytes = encode(snapshot).map_err(inconsistent)?;
    files::write(path, &bytes).map_err(|source| SnapshotError::Write { path: path.to_owned(), source })
}

fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, Fault> {
    check(snapshot)?;
    let mut file = FileBuilder::new();
    file.set_attr("format", text(FORMAT));
    file.set_attr("format_version", text(&FORMAT_VERSION.to_string()));
    file.set_attr("serializer_version", text(SERIALIZER_VERSION));
    file.set_attr("juniper_version", text(JUNIPER_VERSION));
    if let Some(created) = &snapshot.identity.created {
        file.set_attr("created", text(created));
    }
    meta(&mut file, snapshot)?;
    config(&mut file, snapshot)?;
    architecture(&mut file, snapshot)?;
    parameters(&mut file, snapshot);
    if !snapshot.hidden.is_empty() {
        hidden_units(&mut file, &snapshot.hidden);
    }
    random(&mut file, snapshot)?;
    if snapshot.history != History::default() {
        history(&mut file, &snapshot.history, &snapshot.hidden);
    }
    let bytes = file.finish().map_err(|error| Fault::at("/", Problem::Damaged(error.to_string())))?;
    match bytes.len() as u64 {
        found if found > MAX_FILE_BYTES => {
            Err(Fault::at("/", Problem::TooLarge { what: "bytes", found, limit: MAX_FILE_BYTES }))
        }
        _ => Ok(bytes),
    }
}

fn meta(file: &mut FileBuilder, snapshot: &Snapshot) -> Result<(), Fault> {
    let identity = &snapshot.identity;
    let mut group = file.create_group("meta");
    if let Some(uuid) = &identity.uuid {
        group.set_attr("uuid", text(uuid));
    }
    if let Some(created) = &identity.created {
        group.set_attr("creation_timestamp", text(created));
    }
    for (name, value) in [
        ("snapshot_counter", identity.snapshot_counter),
        ("current_epoch", identity.current_epoch),
        ("patience_counter", identity.patience_counter),
    ] {
        group.set_attr(name, whole("meta", name, value)?);
    }
    group.set_attr("best_value_loss", AttrValue::F64(identity.best_value_loss));
    file.add_group(group.finish());
    Ok(())
}

fn config(file: &mut FileBuilder, snapshot: &Snapshot) -> Result<(), Fault> {
    let mut group = file.create_group("config");
    group.set_attr("activation_function_name", text(&activation::spelled(&snapshot.activation)));
    for (name, value) in counts(snapshot) {
        group.set_attr(name, whole("config", name, value)?);
    }
    for (name, value) in measures(snapshot) {
        group.set_attr(name, AttrValue::F64(value));
    }
    let json = format!("{:#}", Value::Object(configuration(snapshot)));
    if json.len() > MAX_TEXT_BYTES {
        let (found, limit) = (json.len() as u64, MAX_TEXT_BYTES as u64);
        return Err(Fault::at("config/config_json", Problem::TooLarge { what: "bytes", found, limit }));
    }
    scalar_text(&mut group, "config_json", &json);
    scalar_text(
        &mut group,
        "checksums",
        &json!({ "config_json": checksum::of(json.as_bytes()) }).to_string(),
    );
    file.add_group(group.finish());
    Ok(())
}

fn counts(snapshot: &Snapshot) -> [(&'static str, u64); 6] {
    let settings = &snapshot.settings;
    [
        ("input_size", snapshot.inputs as u64),
        ("output_size", snapshot.outputs as u64),
        ("max_hidden_units", settings.max_hidden_units),
        ("candidate_pool_size", settings.candidate_pool_size),
        ("patience", settings.patience),
        ("random_seed", settings.random_seed),
    ]
}

fn measures(snapshot: &Snapshot) -> [(&'static str, f64); 3] {
    let settings = &snapshot.settings;
    [
        ("learning_rate", settings.learning_rate),
        ("candidate_learning_rate", settings.candidate_learning_rate),
        ("correlation_threshold", settings.correlation_threshold),
    ]
}

/// The configuration without secrets. Where it says otherwise than the snapshot, the snapshot holds.
fn configuration(snapshot: &Snapshot) -> Map<String, Value> {
    let mut config = snapshot.config.clone();
    config.retain(|name, _| !is_secret(name));
    for (name, value) in counts(snapshot) {
        if config.get(name).and_then(Value::as_u64) != Some(value) {
            config.insert(name.to_owned(), value.into());
        }
    }
    for (name, value) in measures(snapshot) {
        if config.get(name).and_then(Value::as_f64) != Some(value) {
            config.insert(name.to_owned(), value.into());
        }
    }
    let spelled = activation::spelled(&snapshot.activation);
    let stated = config.get("activation_function_name").and_then(Value::as_str);
    if stated.is_none_or(|stated| activation::spelled(stated) != spelled) {
        config.insert("activation_function_name".to_owned(), spelled.into());
    }
    config
}

fn architecture(file: &mut FileBuilder, snapshot: &Snapshot) -> Result<(), Fault> {
    let (inputs, outputs) = (snapshot.inputs as u64, snapshot.outputs as u64);
    let mut group = file.create_group("arch");
    for (name, value) in [
        ("input_size", inputs),
        ("output_size", outputs),
        ("num_hidden_units", snapshot.hidden.len() as u64),
        ("max_hidden_units", snapshot.settings.max_hidden_units),
    ] {
        group.set_attr(name, whole("arch", name, value)?);
    }
    group.set_attr("activation_function_name", text(&activation::spelled(&snapshot.activation)));
    let mut connectivity = group.create_group("connectivity");
    connectivity.set_attr("input_to_output_connections", AttrValue::I64((inputs * outputs) as i64));
    for (index, unit) in snapshot.hidden.iter().enumerate() {
        let mut connections = connectivity.create_group(&format!("hidden_unit_{index}"));
        connections.set_attr("input_connections", AttrValue::I64(unit.weights.len() as i64));
        connections.set_attr("activation_function", text("unknown"));
        connectivity.add_group(connections.finish());
    }
    group.add_group(connectivity.finish());
    file.add_group(group.finish());
    Ok(())
}

fn parameters(file: &mut FileBuilder, snapshot: &Snapshot) {
    let mut group = file.create_group("params");
    let mut layer = group.create_group("output_layer");
    let (weights, bias) = (&snapshot.output.weights, &snapshot.output.bias);
    let outputs = snapshot.outputs as u64;
    let rows = (snapshot.inputs + snapshot.hidden.len()) as u64;
    let digests = json!({
        "output_weights": tensor(&mut layer, "weights", weights, &[rows, outputs]),
        "output_bias": tensor(&mut layer, "bias", bias, &[outputs]),
    });
    scalar_text(&mut layer, "checksums", &digests.to_string());
    group.add_group(layer.finish());
    file.add_group(group.finish());
}

fn hidden_units(file: &mut FileBuilder, units: &[HiddenUnit]) {
    let mut group = file.create_group("hidden_units");
    group.set_attr("num_units", AttrValue::I64(units.len() as i64));
    for (index, unit) in units.iter().enumerate() {
        let mut folder = group.create_group(&format!("unit_{index}"));
        let digests = json!({
            "weights": tensor(&mut folder, "weights", &unit.weights, &[unit.weights.len() as u64]),
            "bias": tensor(&mut folder, "bias", &[unit.bias], &[1]),
        });
        scalar_text(&mut folder, "checksums", &digests.to_string());
        folder.set_attr("correlation", AttrValue::F64(unit.correlation));
        folder.set_attr("activation_function_name", text(&activation::spelled(&unit.activation)));
        group.add_group(folder.finish());
    }
    file.add_group(group.finish());
}

fn random(file: &mut FileBuilder, snapshot: &Snapshot) -> Result<(), Fault> {
    let count =
        |name: &str, otherwise| snapshot.config.get(name).and_then(Value::as_u64).unwrap_or(otherwise);
    let scale = snapshot.config.get("random_value_scale").and_then(Value::as_f64);
    let mut group = file.create_group("random");
    for (name, value) in [
        ("seed", snapshot.settings.random_seed),
        ("max_value", count("random_max_value", RANDOM_MAX_VALUE)),
        ("sequence_max_value", count("sequence_max_value", SEQUENCE_MAX_VALUE)),
    ] {
        group.set_attr(name, whole("random", name, value)?);
    }
    group.set_attr("value_scale", AttrValue::F64(scale.unwrap_or(RANDOM_VALUE_SCALE)));
    file.add_group(group.finish());
    Ok(())
}

/// Of the units that were added, weights are those that the network has.
fn history(file: &mut FileBuilder, history: &History, hidden: &[HiddenUnit]) {
    let mut group = file.create_group("history");
    for (name, values) in series(history) {
        if values.is_empty() {
            continue;
        }
        let dataset = group.create_dataset(name).with_f64_data(values);
        numpy_array(dataset, values.len(), "float64");
    }
    if !history.units_added.is_empty() {
        let mut units = group.create_group("hidden_units_added");
        for (index, &correlation) in history.units_added.iter().enumerate() {
            let mut unit = units.create_group(&format!("unit_{index}"));
            unit.set_attr("correlation", AttrValue::F64(correlation));
            if let Some(HiddenUnit { weights, bias, .. }) = hidden.get(index) {
                numpy_array(unit.create_dataset("weights").with_f32_data(weights), weights.len(), "float32");
                numpy_array(unit.create_dataset("bias").with_f32_data(&[*bias]), 1, "float32");
            }
            units.add_group(unit.finish());
        }
        group.add_group(units.finish());
    }
    file.add_group(group.finish());
}

fn series(history: &History) -> [(&'static str, &[f64]); 4] {
    [
        ("train_loss", &history.train_loss),
        ("value_loss", &history.value_loss),
        ("train_accuracy", &history.train_accuracy),
        ("value_accuracy", &history.value_accuracy),
    ]
}

/// Adds an array as the original adds a tensor, and returns its checksum.
fn tensor(group: &mut GroupBuilder, name: &str, values: &[f32], shape: &[u64]) -> String {
    let dataset = group.create_dataset(name).with_f32_data(values);
    compressed(dataset, shape)
        .set_attr("tensor_type", text("torch.Tensor"))
        .set_attr("dtype", text("torch.float32"))
        .set_attr("device", text("cpu"))
        .set_attr("requires_grad", AttrValue::I8(0));
    checksum::of(&checksum::bytes_of(values))
}

/// Completes an array of one dimension as the original adds one of NumPy.
fn numpy_array(dataset: &mut DatasetBuilder, length: usize, dtype: &str) {
    compressed(dataset, &[length as u64])
        .set_attr("array_type", text("numpy.ndarray"))
        .set_attr("dtype", text(dtype));
}

fn compressed<'a>(dataset: &'a mut DatasetBuilder, shape: &[u64]) -> &'a mut DatasetBuilder {
    let row: u64 = shape[1..].iter().product();
    let mut chunk = shape.to_vec();
    chunk[0] = shape[0].min((CHUNK_VALUES / row).max(1));
    let extents = shape.iter().map(|&extent| extent as i64).collect();
    dataset
        .with_shape(shape)
        .with_chunks(&chunk)
        .with_deflate(GZIP_LEVEL)
        .set_attr("shape", AttrValue::I64Array(extents))
}

fn scalar_text(group: &mut GroupBuilder, name: &str, value: &str) {
    group.create_dataset(name).with_vlen_strings(&[value]).with_shape(&[]);
}

fn text(value: &str) -> AttrValue {
    AttrValue::AsciiString(value.to_owned())
}

/// A whole number as the original stores it, which has a sign.
fn whole(group: &str, name: &str, value: u64) -> Result<AttrValue, Fault> {
    let range = |_| Fault::at(format!("{group}/@{name}"), Problem::Range(value.to_string()));
    i64::try_from(value).map(AttrValue::I64).map_err(range)
}

/// Whatever [`super::read`] would refuse is refused here, so that no snapshot is written that cannot
/// be read again.
fn check(snapshot: &Snapshot) -> Result<(), Fault> {
    check_limits(snapshot)?;
    check_shapes(snapshot)?;
    check_numbers(snapshot)?;
    check_texts(snapshot)
}

fn check_limits(snapshot: &Snapshot) -> Result<(), Fault> {
    for (object, what, found, limit) in [
        ("arch/@input_size", "inputs", snapshot.inputs, MAX_WIDTH),
        ("arch/@output_size", "outputs", snapshot.outputs, MAX_WIDTH),
        ("arch/@num_hidden_units", "hidden units", snapshot.hidden.len(), MAX_HIDDEN),
        ("history/hidden_units_added", "units", snapshot.history.units_added.len(), MAX_LISTED),
    ] {
        if found > limit {
            let (found, limit) = (found as u64, limit as u64);
            return Err(Fault::at(object, Problem::TooLarge { what, found, limit }));
        }
    }
    for (object, size) in [("arch/@input_size", snapshot.inputs), ("arch/@output_size", snapshot.outputs)] {
        if size == 0 {
            return Err(Fault::at(object, Problem::Range("0".to_owned())));
        }
    }
    check_bytes(snapshot)
}

fn check_bytes(snapshot: &Snapshot) -> Result<(), Fault> {
    let mut bytes = 4 * (snapshot.output.weights.len() + snapshot.output.bias.len()) as u64;
    let unit_bytes = |unit: &HiddenUnit| 4 * (unit.weights.len() as u64 + 1);
    bytes += snapshot.hidden.iter().map(unit_bytes).sum::<u64>();
    // The history repeats them.
    bytes += snapshot.hidden.iter().take(snapshot.history.units_added.len()).map(unit_bytes).sum::<u64>();
    for (name, values) in series(&snapshot.history) {
        let found = values.len() as u64;
        if found > MAX_HISTORY {
            let problem = Problem::TooLarge { what: "values", found, limit: MAX_HISTORY };
            return Err(Fault::at(format!("history/{name}"), problem));
        }
        bytes += 8 * found;
    }
    // Texts count towards the limit with the 16 bytes that refer to them: checksums and configuration.
    bytes += 16 * (snapshot.hidden.len() as u64 + 3);
    if bytes > MAX_ARRAY_BYTES {
        let problem = Problem::TooLarge { what: "bytes of arrays", found: bytes, limit: MAX_ARRAY_BYTES };
        return Err(Fault::at("/", problem));
    }
    Ok(())
}

fn check_shapes(snapshot: &Snapshot) -> Result<(), Fault> {
    let rows = snapshot.inputs + snapshot.hidden.len();
    let same = |object: String, expected: usize, found: usize| match expected == found {
        true => Ok(()),
        false => {
            let problem = Problem::Shape { expected: vec![expected as u64], found: vec![found as u64] };
            Err(Fault::at(object, problem))
        }
    };
    let output = &snapshot.output;
    same("params/output_layer/weights".to_owned(), rows * snapshot.outputs, output.weights.len())?;
    same("params/output_layer/bias".to_owned(), snapshot.outputs, output.bias.len())?;
    for (index, unit) in snapshot.hidden.iter().enumerate() {
        same(format!("hidden_units/unit_{index}/weights"), snapshot.inputs + index, unit.weights.len())?;
    }
    Ok(())
}

fn check_numbers(snapshot: &Snapshot) -> Result<(), Fault> {
    let output = &snapshot.output;
    finite("params/output_layer/weights", output.weights.iter().map(|&value| f64::from(value)))?;
    finite("params/output_layer/bias", output.bias.iter().map(|&value| f64::from(value)))?;
    for (index, unit) in snapshot.hidden.iter().enumerate() {
        let object = format!("hidden_units/unit_{index}");
        finite(&format!("{object}/weights"), unit.weights.iter().map(|&value| f64::from(value)))?;
        finite(&format!("{object}/bias"), [f64::from(unit.bias)])?;
        finite(&format!("{object}/@correlation"), [unit.correlation])?;
    }
    for (name, values) in series(&snapshot.history) {
        finite(&format!("history/{name}"), values.iter().copied())?;
    }
    finite("history/hidden_units_added", snapshot.history.units_added.iter().copied())?;
    for (name, value) in measures(snapshot) {
        finite(&format!("config/@{name}"), [value])?;
    }
    let best = snapshot.identity.best_value_loss;
    if best.is_nan() || best == f64::NEG_INFINITY {
        return Err(Fault::at("meta/@best_value_loss", Problem::Range(best.to_string())));
    }
    Ok(())
}

fn finite(object: &str, values: impl IntoIterator<Item = f64>) -> Result<(), Fault> {
    match values.into_iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, value)) => Err(Fault::at(object, Problem::NotFinite { index, value })),
        None => Ok(()),
    }
}

fn check_texts(snapshot: &Snapshot) -> Result<(), Fault> {
    let identity = &snapshot.identity;
    let mut texts = vec![("arch/@activation_function_name".to_owned(), Some(&snapshot.activation))];
    texts.push(("meta/@uuid".to_owned(), identity.uuid.as_ref()));
    texts.push(("@created".to_owned(), identity.created.as_ref()));
    for (index, unit) in snapshot.hidden.iter().enumerate() {
        let object = format!("hidden_units/unit_{index}/@activation_function_name");
        texts.push((object, Some(&unit.activation)));
    }
    match texts.into_iter().find(|(_, text)| text.is_some_and(|text| !is_attribute_text(text))) {
        Some((object, _)) => Err(Fault::at(object, Problem::Text { limit: MAX_ATTRIBUTE_TEXT })),
        None => Ok(()),
    }
}
