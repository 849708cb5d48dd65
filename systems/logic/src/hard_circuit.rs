//! A trained automaton as gates, and the JSON it is written as.
//!
//! The JSON is that of Logicars, key for key: it names neither a version nor a boundary, so whoever
//! runs a circuit says what lies beyond the edge.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::cell::MOST_GATES;
use crate::config::{Model, default_pass_logit};
use crate::error::LogicError;
use crate::state::{Layer, State};
use rekindle_gates::gate::{self, GATES};

/// A cellular automaton whose cells are circuits of two-input gates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardCircuit {
    /// What looks at the 3x3 neighbourhood of each channel.
    pub perception: Perception,
    /// What turns the cell and its perception into the cell's next state.
    pub update: Update,
    /// Bits that a cell holds.
    pub channels: usize,
}

/// The kernels of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perception {
    /// Networks that each look at every channel.
    pub kernels: Vec<Kernel>,
    /// Bits that a cell holds.
    pub channels: usize,
}

/// One kernel: a network over the nine bits of a neighbourhood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// The layers, from input to output.
    pub layers: Vec<HardLayer>,
    /// Always 9.
    pub input_size: usize,
}

/// The update network of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The layers, from input to output.
    pub layers: Vec<HardLayer>,
    /// The cell's channels and, for each of them, each output of each kernel.
    pub input_size: usize,
    /// As many as there are channels.
    pub output_size: usize,
}

/// A layer of gates that each read two outputs of the layer before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardLayer {
    /// The gates.
    pub gates: Vec<Gate>,
}

/// One gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its function: a number below 16, see [`gate::NAMES`].
    pub op: u8,
    /// The first input.
    pub wire_a: u32,
    /// The second input.
    pub wire_b: u32,
}

impl HardCircuit {
    /// The circuit in which each gate has its likeliest function, the first of equals; while the circuit is
    /// refined, the one that is the best so far.
    ///
    /// # Errors
    /// The state does not fit the model.
    pub fn from_state(model: &Model, state: &State) -> Result<Self, LogicError> {
        model.validate()?;
        state.validate(model)?;
        Ok(Self::harden(model, state))
    }

    /// As [`HardCircuit::from_state`], of a state that is known to fit.
    pub(crate) fn harden(model: &Model, state: &State) -> Self {
        let kernel = |kernel: usize| {
            let layers = state.perception.layers.iter();
            Kernel { layers: layers.map(|layer| harden_layer(layer, kernel)).collect(), input_size: 9 }
        };
        let update = state.update.layers.iter().map(|layer| harden_layer(layer, 0));
        let mut circuit = Self {
            perception: Perception {
                kernels: (0..model.kernels).map(kernel).collect(),
                channels: model.channels,
            },
            update: Update {
                layers: update.collect(),
                input_size: model.update_inputs(),
                output_size: model.channels,
            },
            channels: model.channels,
        };
        if let Some(refined) = &state.refined {
            circuit.set_functions(refined.best());
        }
        circuit
    }

    /// Gives each gate a function, in the order of [`HardCircuit::gates`].
    pub(crate) fn set_functions(&mut self, functions: &[u8]) {
        for (gate, &function) in self.gates_mut().zip(functions) {
            gate.op = function;
        }
    }

    fn gates_mut(&mut self) -> impl Iterator<Item = &mut Gate> {
        let kernels = self.perception.kernels.iter_mut().flat_map(|kernel| &mut kernel.layers);
        kernels.chain(&mut self.update.layers).flat_map(|layer| &mut layer.gates)
    }

    /// The model that this is a circuit of.
    ///
    /// # Errors
    /// No model has such a circuit: its kernels are wired in several ways, or a layer has too few or too many
    /// gates for its inputs.
    pub(crate) fn model(&self) -> Result<Model, LogicError> {
        let kernels = &self.perception.kernels;
        let sizes = |layers: &[HardLayer]| layers.iter().map(|layer| layer.gates.len()).collect();
        let model = Model {
            channels: self.channels,
            kernels: kernels.len(),
            kernel_gates: kernels.first().map(|kernel| sizes(&kernel.layers)).unwrap_or_default(),
            update_gates: sizes(&self.update.layers),
            pass_logit: default_pass_logit(),
            identity_start: false,
        };
        model.validate()?;
        let wires = |kernel: &Kernel| -> Vec<Vec<(u32, u32)>> {
            let layers = kernel.layers.iter();
            layers.map(|layer| layer.gates.iter().map(|gate| (gate.wire_a, gate.wire_b)).collect()).collect()
        };
        match kernels.iter().position(|kernel| wires(kernel) != wires(&kernels[0])) {
            Some(kernel) => Err(LogicError::OtherWires { kernel }),
            None => Ok(model),
        }
    }

    /// Reads HardCircuit JSON. Nothing in the text is trusted.
    ///
    /// # Errors
    /// The text is not such JSON, or its numbers contradict each other.
    pub fn read(reader: impl Read) -> Result<Self, LogicError> {
        let circuit: Self = serde_json::from_reader(reader)?;
        circuit.validate()?;
        Ok(circuit)
    }

    /// Writes HardCircuit JSON, indented by two spaces.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write(&self, writer: impl Write) -> Result<(), LogicError> {
        Ok(serde_json::to_writer_pretty(writer, self)?)
    }

    /// Checks that every wire leads somewhere and that the sizes agree.
    ///
    /// # Errors
    /// Names the first entry that is wrong.
    pub fn validate(&self) -> Result<(), LogicError> {
        if self.channels == 0 {
            return Err(LogicError::circuit("channels", "is 0"));
        }
        expect("perception.channels", self.perception.channels, self.channels)?;
        let mut outputs = None;
        for (index, kernel) in self.perception.kernels.iter().enumerate() {
            let entry = format!("perception.kernels.{index}");
            expect(&format!("{entry}.input_size"), kernel.input_size, 9)?;
            let found = validate_layers(&entry, &kernel.layers, 9)?;
            expect(&format!("{entry}.layers"), found, *outputs.get_or_insert(found))?;
        }
        self.validate_update(outputs.unwrap_or(0))
    }

    fn validate_update(&self, kernel_outputs: usize) -> Result<(), LogicError> {
        let kernels = self.perception.kernels.len();
        let inputs = kernel_outputs
            .checked_mul(kernels)
            .and_then(|perceived| perceived.checked_add(1)?.checked_mul(self.channels));
        let gates = self.perception.gates().checked_mul(self.channels);
        let gates = gates.and_then(|gates| gates.checked_add(layer_gates(&self.update.layers)));
        let (Some(inputs @ 0..=MOST_GATES), Some(0..=MOST_GATES)) = (inputs, gates) else {
            let problem = format!("{} make more than {MOST_GATES} gates a cell", self.channels);
            return Err(LogicError::circuit("channels", problem));
        };
        expect("update.input_size", self.update.input_size, inputs)?;
        expect("update.output_size", self.update.output_size, self.channels)?;
        let outputs = validate_layers("update", &self.update.layers, inputs)?;
        expect("update.layers", outputs, self.channels)
    }

    /// All gates: of each kernel, then of the update network.
    pub fn gates(&self) -> impl Iterator<Item = &Gate> {
        let kernels = self.perception.kernels.iter().flat_map(|kernel| &kernel.layers);
        kernels.chain(&self.update.layers).flat_map(|layer| &layer.gates)
    }

    /// Gates that do more than pass an input on, whether or not anything depends on them: what
    /// the article on DiffLogic CA counts.
    pub fn active_gates(&self) -> usize {
        self.gates().filter(|gate| gate::is_active(gate.op)).count()
    }
}

impl Perception {
    fn gates(&self) -> usize {
        self.kernels.iter().map(|kernel| layer_gates(&kernel.layers)).sum()
    }
}

fn layer_gates(layers: &[HardLayer]) -> usize {
    layers.iter().map(|layer| layer.gates.len()).sum()
}

/// The likeliest gates of a layer, of the kernel that this is where the layer has several.
fn harden_layer(layer: &Layer, kernel: usize) -> HardLayer {
    let gates = layer.wire_a.len();
    let logits = layer.logits.chunks_exact(GATES).skip(kernel * gates);
    let wires = layer.wire_a.iter().zip(&layer.wire_b);
    let gates =
        wires.zip(logits).map(|((&wire_a, &wire_b), logits)| Gate { op: likeliest(logits), wire_a, wire_b });
    HardLayer { gates: gates.collect() }
}

fn likeliest(logits: &[f32]) -> u8 {
    let mut best = 0;
    for (function, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = function;
        }
    }
    best as u8
}

/// Checks a stack of layers and says how many outputs it has.
fn validate_layers(entry: &str, layers: &[HardLayer], mut inputs: usize) -> Result<usize, LogicError> {
    for (index, layer) in layers.iter().enumerate() {
        for (number, gate) in layer.gates.iter().enumerate() {
            let wrong = |field: &str, problem: String| {
                LogicError::circuit(format!("{entry}.layers.{index}.gates.{number}.{field}"), problem)
            };
            if usize::from(gate.op) >= GATES {
                return Err(wrong("op", format!("is {}, not one of the 16 functions", gate.op)));
            }
            for (field, wire) in [("wire_a", gate.wire_a), ("wire_b", gate.wire_b)] {
                if wire as usize >= inputs {
                    return Err(wrong(field, format!("reads input {wire} of {inputs}")));
                }
            }
        }
        inputs = layer.gates.len();
    }
    Ok(inputs)
}

fn expect(entry: &str, found: usize, expected: usize) -> Result<(), LogicError> {
    if found == expected {
        Ok(())
    } else {
        Err(LogicError::circuit(entry, format!("is {found}, not {expected}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circuit() -> HardCircuit {
        let model = Model {
            channels: 2,
            kernels: 3,
            kernel_gates: vec![8, 4, 2],
            update_gates: vec![9, 5, 3, 2],
            pass_logit: 10.0,
            identity_start: false,
        };
        HardCircuit::from_state(&model, &State::new(&model, 7).unwrap()).unwrap()
    }

    fn json(circuit: &HardCircuit) -> String {
        let mut bytes = Vec::new();
        circuit.write(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_round_trips() {
        let circuit = circuit();
        assert_eq!(HardCircuit::read(json(&circuit).as_bytes()).unwrap(), circuit);
    }

    #[test]
    fn the_keys_stand_in_the_published_order() {
        let text = json(&circuit());
        let place = |key: &str| text.find(key).unwrap_or_else(|| panic!("no {key}"));
        let keys = [
            "\"perception\"",
            "\"kernels\"",
            "\"layers\"",
            "\"gates\"",
            "\"op\"",
            "\"wire_a\"",
            "\"wire_b\"",
            "\"input_size\"",
            "\"update\"",
            "\"output_size\"",
        ];
        assert!(keys.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{text}");
        assert!(text.ends_with("\n  \"channels\": 2\n}"));
    }

    #[test]
    fn the_likeliest_gate_is_the_first_of_equals() {
        assert_eq!(likeliest(&[0.0; 16]), 0);
        let mut logits = [0.0; 16];
        logits[9] = 1.0;
        logits[12] = 1.0;
        assert_eq!(likeliest(&logits), 9);
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        let refused = |spoil: fn(&mut HardCircuit)| {
            let mut circuit = circuit();
            spoil(&mut circuit);
            let error = HardCircuit::read(json(&circuit).as_bytes());
            error.expect_err("the circuit is damaged").to_string()
        };
        let message = refused(|circuit| circuit.update.layers[1].gates[2].wire_a = 9);
        assert!(message.contains("`update.layers.1.gates.2.wire_a` reads input 9 of 9"), "{message}");
        let message = refused(|circuit| circuit.perception.kernels[1].layers[0].gates[0].op = 16);
        assert!(message.contains("`perception.kernels.1.layers.0.gates.0.op` is 16"), "{message}");
        let message = refused(|circuit| circuit.channels = usize::MAX);
        assert!(message.contains("perception.channels"), "{message}");
        let message = refused(|circuit| circuit.update.input_size = 13);
        assert!(message.contains("`update.input_size` is 13, not 14"), "{message}");
    }

    #[test]
    fn hostile_sizes_are_refused_before_anything_is_allocated() {
        let text = r#"{"perception":{"kernels":[],"channels":9007199254740992},
            "update":{"layers":[],"input_size":9007199254740992,"output_size":9007199254740992},
            "channels":9007199254740992}"#;
        assert!(matches!(HardCircuit::read(text.as_bytes()), Err(LogicError::Circuit { .. })));
        for text in ["", "[]", "{\"channels\":-1}", "{\"perception\":{\"kernels\":[[[[[["] {
            assert!(matches!(HardCircuit::read(text.as_bytes()), Err(LogicError::Json(_))));
        }
    }
}
