//! ONNX, which runtimes for neural networks read.
//!
//! A circuit becomes a model from `bool[settings, inputs]` to `bool[settings, outputs]`: level by level, columns are
//! gathered, inverted where need be, and joined by `And` and `Xor`. The file is a protobuf message; the few fields
//! that are needed are written here by their numbers in `onnx.proto`.

use crate::circuit::{Circuit, expect};
use crate::error::CircuitError;
use crate::xag::{Literal, Node, Xag};

/// The version of the format and of the operators: of ONNX 1.10, which all runtimes of recent years read.
const IR_VERSION: u64 = 8;
const OPERATORS: u64 = 13;

/// Element types of tensors.
const INT64: u64 = 7;
const BOOL: u64 = 9;

/// Writes a circuit.
///
/// # Errors
/// The circuit has no inputs, from which the number of settings could be told.
pub fn write(circuit: &Circuit) -> Result<Vec<u8>, CircuitError> {
    expect("inputs", circuit.inputs(), circuit.inputs().max(1))?;
    let mut graph = Graph::default();
    let computed = graph.compute(&Xag::of(circuit).pruned());
    let mut body = graph.nodes;
    body.text(2, "circuit");
    body.0.extend(graph.initializers.0);
    body.message(11, &value_info("inputs", circuit.inputs()));
    body.message(12, &value_info(&computed, circuit.outputs().len()));
    let mut model = Message::default();
    model.number(1, IR_VERSION);
    model.text(2, "rekindle");
    model.message(7, &body);
    let mut operators = Message::default();
    operators.text(1, "");
    operators.number(2, OPERATORS);
    model.message(8, &operators);
    Ok(model.0)
}

/// A protobuf message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 128 {
            self.0.push(number as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}

/// The description of an input or output: settings times columns of bits.
fn value_info(name: &str, columns: usize) -> Message {
    let (mut settings, mut count, mut shape) = (Message::default(), Message::default(), Message::default());
    settings.text(2, "settings");
    count.number(1, columns as u64);
    shape.message(1, &settings);
    shape.message(1, &count);
    let (mut tensor, mut kind, mut info) = (Message::default(), Message::default(), Message::default());
    tensor.number(1, BOOL);
    tensor.message(2, &shape);
    kind.message(1, &tensor);
    info.text(1, name);
    info.message(2, &kind);
    info
}

#[derive(Default)]
struct Graph {
    nodes: Message,
    initializers: Message,
    names: usize,
}

impl Graph {
    /// Writes the nodes; gives the name of the outputs.
    fn compute(&mut self, graph: &Xag) -> String {
        // A column that is false comes first, as variable 0 does.
        let first = self.gather("inputs", &[0]);
        let none = self.node("Xor", &[&first, &first], None);
        let mut known = self.node("Concat", &[&none, "inputs"], Some(1));
        let mut columns: Vec<u64> = (0..graph.first_node() as u64).collect();
        columns.resize(graph.variables(), 0);
        let mut count = graph.first_node() as u64;
        for level in levels(graph) {
            for is_xor in [false, true] {
                let is_such =
                    |variable: &&u32| matches!(graph.node(**variable), Some(Node::Xor(..))) == is_xor;
                let variables: Vec<u32> = level.iter().filter(is_such).copied().collect();
                if variables.is_empty() {
                    continue;
                }
                let reads = variables.iter().filter_map(|&variable| graph.node(variable)).map(Node::reads);
                let (a, b): (Vec<Literal>, Vec<Literal>) = reads.map(|[a, b]| (a, b)).unzip();
                let (a, b) = (self.literals(&known, &a, &columns), self.literals(&known, &b, &columns));
                let value = self.node(if is_xor { "Xor" } else { "And" }, &[&a, &b], None);
                known = self.node("Concat", &[&known, &value], Some(1));
                for variable in variables {
                    columns[variable as usize] = count;
                    count += 1;
                }
            }
        }
        self.literals(&known, &graph.outputs, &columns)
    }

    fn literals(&mut self, known: &str, literals: &[Literal], columns: &[u64]) -> String {
        let places: Vec<u64> = literals.iter().map(|literal| columns[literal.variable() as usize]).collect();
        let gathered = self.gather(known, &places);
        let flips: Vec<u8> = literals.iter().map(|literal| u8::from(literal.is_inverted())).collect();
        let flips = self.tensor(BOOL, flips.len(), &flips);
        self.node("Xor", &[&gathered, &flips], None)
    }

    fn gather(&mut self, from: &str, places: &[u64]) -> String {
        let bytes: Vec<u8> = places.iter().flat_map(|place| place.to_le_bytes()).collect();
        let places = self.tensor(INT64, places.len(), &bytes);
        self.node("Gather", &[from, &places], Some(1))
    }

    fn tensor(&mut self, kind: u64, count: usize, bytes: &[u8]) -> String {
        let name = self.name();
        let mut tensor = Message::default();
        tensor.number(1, count as u64);
        tensor.number(2, kind);
        tensor.text(8, &name);
        tensor.bytes(9, bytes);
        self.initializers.message(5, &tensor);
        name
    }

    fn node(&mut self, operator: &str, inputs: &[&str], axis: Option<u64>) -> String {
        let name = self.name();
        let mut node = Message::default();
        inputs.iter().for_each(|input| node.text(1, input));
        node.text(2, &name);
        node.text(4, operator);
        if let Some(axis) = axis {
            let mut attribute = Message::default();
            attribute.text(1, "axis");
            attribute.number(3, axis);
            // An integer.
            attribute.number(20, 2);
            node.message(5, &attribute);
        }
        self.nodes.message(1, &node);
        name
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("t{}", self.names)
    }
}

/// The variables of the nodes by their distance from the inputs.
fn levels(graph: &Xag) -> Vec<Vec<u32>> {
    let mut depths = vec![0_usize; graph.variables()];
    let mut levels: Vec<Vec<u32>> = Vec::new();
    for (index, node) in graph.nodes().iter().enumerate() {
        let variable = graph.first_node() + index;
        let deepest = node.reads().map(|read| depths[read.variable() as usize]);
        let depth = deepest[0].max(deepest[1]);
        depths[variable] = depth + 1;
        if levels.len() == depth {
            levels.push(Vec::new());
        }
        levels[depth].push(variable as u32);
    }
    levels
}
