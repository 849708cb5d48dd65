//! Files that only this library can make: of other generations, against the rules of the format, or
//! made to wear out whoever reads them.

use std::time::{Duration, Instant};

use hdf5_pure::{AttrValue, Datatype, FileBuilder, GroupBuilder, make_u8_type};
use serde_json::json;

use super::checksum;
use super::error::{Fault, Problem};
use super::isolation;
use super::model::ReadSnapshot;
use super::read::parse;

/// The parts of a file with two inputs and one output, as it is written unless a test changes them.
struct Draft {
    format: Option<&'static str>,
    version: Option<&'static str>,
    without: &'static str,
    activation: &'static str,
    inputs: i64,
    num_units: i64,
    units: Vec<(String, Vec<f32>)>,
    /// Units that have checksums.
    checked: &'static [usize],
    bias_shape: Vec<u64>,
    output: (Vec<f32>, Vec<u64>),
    config: String,
    more: fn(&mut FileBuilder),
}

impl Draft {
    fn with_units(count: usize) -> Self {
        let weights = |index: usize| vec![index as f32; 2 + index];
        let rows = 2 + count;
        Self {
            format: Some("juniper.cascor"),
            version: Some("2"),
            without: "",
            activation: "Tanh",
            inputs: 2,
            num_units: count as i64,
            units: (0..count).map(|index| (format!("unit_{index}"), weights(index))).collect(),
            checked: &[],
            bias_shape: vec![1],
            output: (vec![0.5; rows], vec![rows as u64, 1]),
            config: "{}".to_owned(),
            more: |_| {},
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut file = FileBuilder::new();
        for (name, value) in [("format", self.format), ("format_version", self.version)] {
            if let Some(value) = value {
                file.set_attr(name, text(value));
            }
        }
        for name in super::REQUIRED_GROUPS {
            if name != self.without {
                let mut group = file.create_group(name);
                self.fill(name, &mut group);
                file.add_group(group.finish());
            }
        }
        if self.num_units > 0 {
            self.add_units(&mut file);
        }
        (self.more)(&mut file);
        file.finish().unwrap()
    }

    fn fill(&self, name: &str, group: &mut GroupBuilder) {
        match name {
            "arch" => {
                group.set_attr("input_size", AttrValue::I64(self.inputs));
                group.set_attr("output_size", AttrValue::I64(1));
                group.set_attr("num_hidden_units", AttrValue::I64(self.units.len() as i64));
                group.set_attr("activation_function_name", text(self.activation));
            }
            "config" => {
                for name in ["max_hidden_units", "candidate_pool_size", "patience"] {
                    group.set_attr(name, AttrValue::I64(5));
                }
                for name in ["learning_rate", "candidate_learning_rate", "correlation_threshold"] {
                    group.set_attr(name, AttrValue::F64(0.5));
                }
                group.create_dataset("config_json").with_vlen_strings(&[&self.config]).with_shape(&[]);
            }
            "params" => {
                let mut layer = group.create_group("output_layer");
                layer.create_dataset("weights").with_f32_data(&self.output.0).with_shape(&self.output.1);
                layer.create_dataset("bias").with_f32_data(&[0.25]);
                group.add_group(layer.finish());
            }
            "random" => group.set_attr("seed", AttrValue::I64(42)),
            _ => {}
        }
    }

    fn add_units(&self, file: &mut FileBuilder) {
        let mut group = file.create_group("hidden_units");
        group.set_attr("num_units", AttrValue::I64(self.num_units));
        for (index, (name, weights)) in self.units.iter().enumerate() {
            let mut unit = group.create_group(name);
            unit.create_dataset("weights").with_f32_data(weights);
            unit.create_dataset("bias").with_f32_data(&[index as f32]).with_shape(&self.bias_shape);
            unit.set_attr("correlation", AttrValue::F64(index as f64));
            if self.checked.contains(&index) {
                let digest = |values: &[f32]| checksum::of(&checksum::bytes_of(values));
                let digests = json!({ "weights": digest(weights), "bias": digest(&[index as f32]) });
                unit.create_dataset("checksums").with_vlen_strings(&[&digests.to_string()]).with_shape(&[]);
            }
            group.add_group(unit.finish());
        }
        file.add_group(group.finish());
    }

    fn read(&self) -> Result<ReadSnapshot, Fault> {
        parse(self.bytes())
    }

    fn refused(&self) -> (String, String) {
        let Fault { object, problem } = self.read().unwrap_err();
        (object, problem.to_string())
    }
}

fn text(value: &str) -> AttrValue {
    AttrValue::AsciiString(value.to_owned())
}

#[test]
fn the_first_versions_are_read() {
    let draft = Draft { format: Some("cascor_hdf5_v1"), version: Some("1.4"), ..Draft::with_units(1) };
    assert_eq!(draft.read().unwrap().snapshot.hidden.len(), 1);
    let draft = Draft { version: None, activation: "Tanh()", ..Draft::with_units(1) };
    let ReadSnapshot { snapshot, warnings } = draft.read().unwrap();
    assert_eq!((snapshot.activation.as_str(), snapshot.hidden[0].activation.as_str()), ("tanh", "tanh"));
    assert_eq!(snapshot.settings.random_seed, 42);
    assert!(warnings[0].contains("no checksums"), "{warnings:?}");
}

#[test]
fn layers_without_checksums_are_named() {
    let draft = Draft { checked: &[0, 2], ..Draft::with_units(4) };
    let warnings = draft.read().unwrap().warnings;
    let named =
        "Weights and bias of params/output_layer, hidden_units/unit_1, hidden_units/unit_3 could not be";
    assert!(warnings.iter().any(|warning| warning.starts_with(named)), "{warnings:?}");
    let draft = Draft { checked: &[0], ..Draft::with_units(8) };
    let warnings = draft.read().unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("unit_4 and 3 more could not")), "{warnings:?}");
}

#[test]
fn weights_of_the_history_that_are_not_the_networks_are_named() {
    let draft = Draft {
        more: |file| {
            let mut history = file.create_group("history");
            let mut units = history.create_group("hidden_units_added");
            for (index, weights) in [vec![0.0f32, 0.0], vec![1.0, 1.0, 7.0], vec![2.0; 4]].iter().enumerate()
            {
                let mut unit = units.create_group(&format!("unit_{index}"));
                unit.set_attr("correlation", AttrValue::F64(index as f64));
                unit.create_dataset("weights").with_f32_data(weights);
                unit.create_dataset("bias").with_f32_data(&[index as f32]).with_shape(&[]);
                units.add_group(unit.finish());
            }
            history.add_group(units.finish());
            file.add_group(history.finish());
        },
        ..Draft::with_units(2)
    };
    let ReadSnapshot { snapshot, warnings } = draft.read().unwrap();
    assert_eq!(snapshot.history.units_added, [0.0, 1.0, 2.0]);
    let named = "Of history/hidden_units_added/unit_1, history/hidden_units_added/unit_2 only";
    assert!(warnings.iter().any(|warning| warning.starts_with(named)), "{warnings:?}");
}

#[test]
fn other_formats_and_newer_versions_are_refused() {
    let format = |format| Draft { format, ..Draft::with_units(0) }.refused();
    assert_eq!(format(None), ("@format".to_owned(), "it is missing".to_owned()));
    assert!(format(Some("keras")).1.contains("`keras`"));
    for version in ["3", "3.0", "0", "two", "-1", ""] {
        let (object, problem) = Draft { version: Some(version), ..Draft::with_units(0) }.refused();
        assert_eq!(object, "@format_version");
        assert!(problem.contains("only versions 1 and 2"), "{problem}");
    }
}

#[test]
fn a_missing_group_is_named() {
    for without in super::REQUIRED_GROUPS {
        let (_, problem) = Draft { without, ..Draft::with_units(0) }.refused();
        assert_eq!(problem, format!("the file holds no network: without `{without}`"));
    }
}

#[test]
fn units_keep_the_order_of_their_numbers() {
    let snapshot = Draft::with_units(12).read().unwrap().snapshot;
    let correlations: Vec<f64> = snapshot.hidden.iter().map(|unit| unit.correlation).collect();
    assert_eq!(correlations, (0..12).map(f64::from).collect::<Vec<_>>());
}

#[test]
fn a_bias_without_dimensions_is_read() {
    let snapshot = Draft { bias_shape: vec![], ..Draft::with_units(2) }.read().unwrap().snapshot;
    assert_eq!(snapshot.hidden[1].bias, 1.0);
}

#[test]
fn the_older_names_of_the_history_are_read() {
    let more = |file: &mut FileBuilder| {
        let mut history = file.create_group("history");
        history.create_dataset("val_loss").with_f64_data(&[0.5, 0.25]);
        history.create_dataset("val_accuracy").with_f64_data(&[1.0]);
        file.add_group(history.finish());
    };
    let history = Draft { more, ..Draft::with_units(0) }.read().unwrap().snapshot.history;
    assert_eq!((history.value_loss, history.value_accuracy), (vec![0.5, 0.25], vec![1.0]));
}

#[test]
fn numbering_has_no_gap_and_no_doubles() {
    for name in ["unit_1", "unit_00", "unit_+0", "unit_", "unit_-1", "notes"] {
        let mut draft = Draft::with_units(1);
        draft.units[0].0 = name.to_owned();
        let (object, problem) = draft.refused();
        assert_eq!(object, "hidden_units");
        assert!(problem.contains(&format!("`{name}`")), "{problem}");
    }
}

#[test]
fn counts_that_contradict_each_other_are_refused() {
    let (object, problem) = Draft { num_units: 3, ..Draft::with_units(2) }.refused();
    assert_eq!(object, "hidden_units/@num_units");
    assert_eq!(problem, "it should be 2, as arch says, and is 3");
    let mut draft = Draft::with_units(2);
    draft.num_units = 0;
    assert_eq!(draft.refused(), ("hidden_units".to_owned(), "it is missing".to_owned()));
}

/// In the original a single weight stands for all of them, and the network computes something else.
#[test]
fn shapes_are_those_of_the_network() {
    let mut draft = Draft::with_units(3);
    draft.units[2].1 = vec![1.0];
    let expected = "its shape should be [4], and is [1]";
    assert_eq!(draft.refused(), ("hidden_units/unit_2/weights".to_owned(), expected.to_owned()));
    let draft = Draft { output: (vec![0.5; 4], vec![1, 4]), ..Draft::with_units(2) };
    let expected = "its shape should be [4, 1], and is [1, 4]";
    assert_eq!(draft.refused(), ("params/output_layer/weights".to_owned(), expected.to_owned()));
    let draft = Draft { bias_shape: vec![1, 1], ..Draft::with_units(1) };
    assert_eq!(draft.refused().0, "hidden_units/unit_0/bias");
}

#[test]
fn numbers_are_finite() {
    let mut draft = Draft::with_units(2);
    draft.units[1].1[2] = f32::NAN;
    let expected = "value 2 is NaN, and every value must be finite";
    assert_eq!(draft.refused(), ("hidden_units/unit_1/weights".to_owned(), expected.to_owned()));
}

#[test]
fn an_array_in_several_chunks_is_read() {
    let more = |file: &mut FileBuilder| {
        let mut history = file.create_group("history");
        history.create_dataset("train_loss").with_f64_data(&[1.0, 2.0, 3.0]).with_chunks(&[2]);
        file.add_group(history.finish());
    };
    let draft = Draft { more, ..Draft::with_units(0) };
    assert_eq!(draft.read().unwrap().snapshot.history.train_loss, [1.0, 2.0, 3.0]);
}

#[test]
fn sizes_are_bounded_before_anything_is_read() {
    for (inputs, expected) in
        [(2_000_000, "at most 1000000"), (-1, "-1 is out of range"), (0, "0 is out of range")]
    {
        let (object, problem) = Draft { inputs, ..Draft::with_units(0) }.refused();
        assert_eq!(object, "arch/@input_size");
        assert!(problem.contains(expected), "{problem}");
    }
    let (object, problem) = Draft { inputs: 1_000_000, ..Draft::with_units(0) }.refused();
    assert_eq!(object, "params/output_layer/weights");
    assert_eq!(problem, "its shape should be [1000000, 1], and is [2, 1]");
}

#[test]
fn a_configuration_that_is_no_json_is_refused() {
    for config in ["", "[]", "{\"a\": NaN}", "{\"a\": 1"] {
        let (object, problem) = Draft { config: config.to_owned(), ..Draft::with_units(0) }.refused();
        assert_eq!(object, "config/config_json", "{problem}");
    }
    let nested = format!("{{\"a\": {}}}", "[".repeat(100_000));
    assert!(Draft { config: nested, ..Draft::with_units(0) }.refused().1.contains("recursion limit"));
    let long = json!({ "a": "b".repeat(5 << 20) }).to_string();
    assert!(Draft { config: long, ..Draft::with_units(0) }.refused().1.contains("damaged"));
}

#[test]
fn what_is_not_known_is_told() {
    let more = |file: &mut FileBuilder| {
        let mut data = file.create_group("data");
        data.create_dataset("x_train").with_f32_data(&[1.0]);
        file.add_group(data.finish());
        let group = file.create_group("provenance");
        file.add_group(group.finish());
    };
    let warnings = Draft { more, ..Draft::with_units(0) }.read().unwrap().warnings.join("\n");
    assert!(warnings.contains("x_train") && warnings.contains("provenance"), "{warnings}");
}

/// As deep as a message of 64 KiB can hold.
#[test]
fn types_that_nest_thousands_of_levels_deep_do_not_end_the_process() {
    let more = |file: &mut FileBuilder| {
        let mut datatype = make_u8_type();
        for _ in 0..8180 {
            let base_type = Box::new(datatype);
            datatype = Datatype::VariableLength { is_string: false, padding: None, charset: None, base_type };
        }
        let mut history = file.create_group("history");
        history.create_dataset("train_loss").with_dtype(datatype).with_shape(&[0]);
        file.add_group(history.finish());
    };
    let read = || Draft { more, ..Draft::with_units(0) }.refused();
    let (object, problem) = isolation::run(read).unwrap().unwrap();
    assert_eq!(object, "history/train_loss");
    assert!(problem.contains("64-bit floating point"), "{problem}");
}

#[test]
fn texts_of_a_file_do_not_reach_the_terminal_as_they_are() {
    let long: &'static str = "x".repeat(300).leak();
    for activation in ["\u{1b}[2J", "Tänh", long] {
        let (object, problem) = Draft { activation, ..Draft::with_units(0) }.refused();
        assert_eq!(object, "arch/@activation_function_name");
        assert!(problem.contains("printable ASCII"), "{problem}");
    }
    let more = |file: &mut FileBuilder| {
        let group = file.create_group("\u{1b}[2J");
        file.add_group(group.finish());
    };
    let warnings = Draft { more, ..Draft::with_units(0) }.read().unwrap().warnings.concat();
    assert!(!warnings.contains('\u{1b}'), "{warnings}");
}

#[test]
fn a_panic_stays_where_it_happens() {
    let silent = || std::panic::resume_unwind(Box::new("without a word from the hook"));
    assert_eq!(isolation::run::<()>(silent).unwrap(), None);
}

/// Forty nodes of which each refers twice to the next are walked 2⁴⁰ times by who does not count.
#[test]
fn nodes_that_refer_to_each_other_without_end_are_given_up() {
    const LEVELS: u64 = 40;
    const HEADER: u64 = 96;
    const HEAP: u64 = 136;
    const TREE: u64 = 184;
    const NODE: u64 = 64;
    let symbols = TREE + (LEVELS + 1) * NODE;
    let end = symbols + 8;
    let none = u64::MAX;
    let mut bytes = super::SIGNATURE.to_vec();
    bytes.extend([0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]);
    put(&mut bytes, &[0, none, end, none]);
    put(&mut bytes, &[0, HEADER, 0, 0, 0]);
    bytes.extend([1, 0, 1, 0, 1, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0x11, 0, 16, 0, 0, 0, 0, 0]);
    put(&mut bytes, &[TREE, HEAP]);
    bytes.extend(*b"HEAP\0\0\0\0");
    put(&mut bytes, &[16, none, HEAP + 32, 0, 0]);
    for level in (0..=LEVELS).rev() {
        bytes.extend(*b"TREE");
        bytes.extend([0, level as u8, 2, 0]);
        let below = TREE + (LEVELS - level + 1) * NODE;
        put(&mut bytes, &[none, none, 0, below, 0, below, 0]);
    }
    bytes.extend(*b"SNOD\x01\0\0\0");
    assert_eq!(bytes.len() as u64, end);
    let begun = Instant::now();
    let Fault { problem, .. } = parse(bytes).unwrap_err();
    assert!(matches!(&problem, Problem::Damaged(why) if why.contains("without end")), "{problem}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

fn put(bytes: &mut Vec<u8>, values: &[u64]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}
