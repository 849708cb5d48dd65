//! Between the records of a file, and a network with its optimiser.
//!
//! Here queries, keys and values are one map, and the output has a row for each token: there they
//! are three maps, and the output has a column for each token. The moments of the optimiser are
//! turned in the same way.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::super::bytes::transposed;
use super::super::error::ModelFileError;
use super::super::{Imported, ImportedVocabulary};
use super::record::{
    Adam, Array, EMBEDDINGS, FEED_FORWARD, Field, LAYER_NORM, LAYERS, Model, OUTPUT_PROJECTION, Record,
    SELF_ATTENTION, place,
};
use crate::network::{
    Activation, Attention, FeedForward, Layer, Linear, Network, Norm, NormForm, Output, matrix,
};
use crate::optimizer::{Moments, Optimizer};

/// For messages.
pub(super) const FORMAT: &str = "a RustGPT file";
/// Decay of both moments, and what keeps the divisor from zero.
const RATES: [f32; 3] = [0.9, 0.999, 1e-8];
/// The most tokens that RustGPT sees, whatever its file says.
const CONTEXT: usize = 80;

/// The content of a file.
pub(super) fn into_network(
    path: &Path,
    model: Model,
    mut notes: Vec<String>,
) -> Result<Imported, ModelFileError> {
    let mut memory = Memory::default();
    let Model { words, mut layers } = model;
    let kinds = [layers.first(), layers.last()].map(|layer| layer.map(|layer| layer.kind));
    if kinds != [Some(EMBEDDINGS), Some(OUTPUT_PROJECTION)] {
        let names = kinds.map(|kind| kind.map_or("nothing", |kind| LAYERS[kind].name));
        let found = format!(
            "a list of {} layers that begins with {} and ends with {}",
            layers.len(),
            names[0],
            names[1]
        );
        return Err(ModelFileError::malformed(
            path,
            "network",
            found,
            "it begins with Embeddings and ends with OutputProjection",
        ));
    }
    let count = layers.len();
    let last = layers.split_off(count - 1);
    let mut layers = layers.into_iter().enumerate().map(|(index, record)| Parts { path, index, record });
    let Some(mut embeddings) = layers.next() else { unreachable!("two layers at least are there") };
    let token_embedding = embeddings.array("token_embeddings")?;
    let position_embedding = embeddings.array("positional_embeddings")?;
    let width = token_embedding.columns;
    memory.keep("token_embedding", embeddings.moments("token_optimizer", &token_embedding)?);
    memory.keep("position_embedding", embeddings.moments("positional_optimizer", &position_embedding)?);
    let mut network_layers = Vec::new();
    for (index, mut parts) in layers.enumerate() {
        let name = format!("layers/{index}");
        network_layers.push(match parts.record.kind {
            SELF_ATTENTION => parts.attention(&name, width, &mut memory)?,
            LAYER_NORM => parts.norm(&name, &mut memory)?,
            FEED_FORWARD => parts.feed_forward(&name, &mut memory)?,
            kind => {
                let found = format!("a layer of kind {}", LAYERS[kind].name);
                let expected = "it can only be the first or the last one";
                return Err(ModelFileError::malformed(
                    path,
                    format!("network[{}]", index + 1),
                    found,
                    expected,
                ));
            }
        });
    }
    let output =
        last.into_iter().map(|record| Parts { path, index: count - 1, record }.output(&mut memory)).next();
    let network = Network {
        token_embedding: into_matrix(token_embedding),
        position_embedding: into_matrix(position_embedding),
        layers: network_layers,
        output: output.transpose()?,
    };
    network.check().map_err(|error| ModelFileError::network(path, error))?;
    if words.len() != network.vocabulary() {
        let (found, expected) =
            (format!("{} words", words.len()), format!("the network has rows for {}", network.vocabulary()));
        return Err(ModelFileError::malformed(path, "vocab.words", found, expected));
    }
    let optimizer = memory.into_optimizer(&network, &mut notes);
    let vocabulary = Some(ImportedVocabulary::Words { words, lower_case: false, unknown: None });
    Ok(Imported { network, vocabulary, optimizer, notes })
}

/// A layer of the file whose fields are taken out.
struct Parts<'a> {
    path: &'a Path,
    index: usize,
    record: Record,
}

impl Parts<'_> {
    fn take(&mut self, name: &str) -> Field {
        let names = LAYERS[self.record.kind].fields;
        let index = names.iter().position(|&(known, _)| known == name);
        index
            .map_or(Field::Nothing, |index| std::mem::replace(&mut self.record.fields[index], Field::Nothing))
    }

    fn place(&self, name: &str) -> String {
        format!("{}.{name}", place(self.index, self.record.kind))
    }

    fn absent(&self, name: &str) -> ModelFileError {
        ModelFileError::missing(self.path, self.place(name), "every layer of its kind has it")
    }

    fn array(&mut self, name: &str) -> Result<Array, ModelFileError> {
        match self.take(name) {
            Field::Array(array) => Ok(array),
            _ => Err(self.absent(name)),
        }
    }

    /// A matrix of one row.
    fn row(&mut self, name: &str) -> Result<Array, ModelFileError> {
        let array = self.array(name)?;
        match array.rows {
            1 => Ok(array),
            rows => Err(ModelFileError::malformed(
                self.path,
                self.place(name),
                format!("{rows} rows"),
                "it has one",
            )),
        }
    }

    /// The optimiser of a matrix.
    fn moments(&mut self, name: &str, of: &Array) -> Result<Adam, ModelFileError> {
        let Field::Adam(adam) = self.take(name) else { return Err(self.absent(name)) };
        for (moment, array) in [("m", &adam.m), ("v", &adam.v)] {
            if (array.rows, array.columns) != (of.rows, of.columns) {
                let found = format!("{} x {}", array.rows, array.columns);
                let expected = format!("what it belongs to is {} x {}", of.rows, of.columns);
                return Err(ModelFileError::malformed(
                    self.path,
                    self.place(&format!("{name}.{moment}")),
                    found,
                    expected,
                ));
            }
        }
        Ok(*adam)
    }

    fn attention(&mut self, name: &str, width: u64, memory: &mut Memory) -> Result<Layer, ModelFileError> {
        let maps = ["w_q", "w_k", "w_v"];
        let weights = [self.array(maps[0])?, self.array(maps[1])?, self.array(maps[2])?];
        for (map, array) in maps.iter().zip(&weights) {
            if (array.rows, array.columns) != (width, width) {
                let found = format!("{} x {}", array.rows, array.columns);
                let expected = format!("{width} x {width} is needed");
                return Err(ModelFileError::malformed(self.path, self.place(map), found, expected));
            }
        }
        let mut adam = |index: usize| self.moments(&format!("optimizer_{}", maps[index]), &weights[index]);
        let adams = [adam(0)?, adam(1)?, adam(2)?];
        memory.keep_joined(&format!("{name}/attention/joined/weight"), adams);
        Ok(Layer::Attention(Attention {
            norm: None,
            heads: 1,
            joined: Linear { weight: into_matrix(joined(&weights.each_ref())), bias: Vec::new() },
            output: None,
        }))
    }

    fn norm(&mut self, name: &str, memory: &mut Memory) -> Result<Layer, ModelFileError> {
        let Field::Real(epsilon) = self.take("epsilon") else { return Err(self.absent("epsilon")) };
        let (gain, bias) = (self.row("gamma")?, self.row("beta")?);
        memory.keep(&format!("{name}/norm/gain"), self.moments("optimizer_gamma", &gain)?);
        memory.keep(&format!("{name}/norm/bias"), self.moments("optimizer_beta", &bias)?);
        Ok(Layer::Norm(Norm { form: NormForm::Deviation, epsilon, gain: gain.numbers, bias: bias.numbers }))
    }

    fn feed_forward(&mut self, name: &str, memory: &mut Memory) -> Result<Layer, ModelFileError> {
        let mut linear = |weight: &str, bias: &str, part: &str| {
            let name = format!("{name}/feed_forward/{part}");
            let (weights, biases) = (self.array(weight)?, self.row(bias)?);
            memory.keep(&format!("{name}/weight"), self.moments(&format!("optimizer_{weight}"), &weights)?);
            memory.keep(&format!("{name}/bias"), self.moments(&format!("optimizer_{bias}"), &biases)?);
            Ok::<_, ModelFileError>(Linear { weight: into_matrix(weights), bias: biases.numbers })
        };
        let (up, down) = (linear("w1", "b1", "up")?, linear("w2", "b2", "down")?);
        Ok(Layer::FeedForward(FeedForward { norm: None, activation: Activation::Relu, up, down }))
    }

    fn output(mut self, memory: &mut Memory) -> Result<Output, ModelFileError> {
        let (weight, bias) = (self.array("w_out")?, self.row("b_out")?);
        let Adam { m, v, timestep, beta1, beta2, epsilon } = self.moments("optimizer", &weight)?;
        let adam = Adam { m: turned(&m), v: turned(&v), timestep, beta1, beta2, epsilon };
        memory.keep("output/weight", adam);
        // The biases of the output learn without moments there.
        let moments = Moments { first: vec![0.0; bias.numbers.len()], second: vec![0.0; bias.numbers.len()] };
        memory.moments.insert("output/bias".to_owned(), moments);
        Ok(Output { weight: into_matrix(turned(&weight)), bias: bias.numbers })
    }
}

/// What the optimisers of a file remember.
#[derive(Default)]
struct Memory {
    moments: BTreeMap<String, Moments>,
    /// How often each array was updated.
    updates: BTreeMap<String, u64>,
    has_other_rates: bool,
}

impl Memory {
    fn keep(&mut self, name: &str, adam: Adam) {
        self.has_other_rates |= adam.rates() != RATES;
        self.updates.insert(name.to_owned(), adam.timestep);
        self.moments.insert(name.to_owned(), Moments { first: adam.m.numbers, second: adam.v.numbers });
    }

    fn keep_joined(&mut self, name: &str, adams: [Adam; 3]) {
        for (part, adam) in adams.iter().enumerate() {
            self.has_other_rates |= adam.rates() != RATES;
            self.updates.insert(format!("{name}/{part}"), adam.timestep);
        }
        let m = joined(&adams.each_ref().map(|adam| &adam.m));
        let v = joined(&adams.each_ref().map(|adam| &adam.v));
        self.moments.insert(name.to_owned(), Moments { first: m.numbers, second: v.numbers });
    }

    /// As one optimiser, which updates all arrays together.
    fn into_optimizer(self, network: &Network, notes: &mut Vec<String>) -> Option<Optimizer> {
        let mut counts: Vec<u64> = self.updates.into_values().collect();
        counts.sort_unstable();
        counts.dedup();
        let [updates] = counts[..] else {
            notes.push(format!(
                "the optimiser has updated its arrays {counts:?} times, here all are together: it begins anew"
            ));
            return None;
        };
        if self.has_other_rates {
            notes.push("the optimiser of the file does not have the rates 0.9, 0.999 and 1e-8: set its own in the config".to_owned());
        }
        notes.push("the biases of the output have no moments in the file: theirs begin anew".to_owned());
        let token_updates = vec![updates; network.vocabulary()];
        Some(Optimizer { updates, token_updates, moments: self.moments })
    }
}

/// The rows of several matrices one behind the other.
fn joined(parts: &[&Array; 3]) -> Array {
    let rows = parts[0].rows;
    let row = |part: &Array, row: u64| {
        let columns = part.columns as usize;
        part.numbers[row as usize * columns..][..columns].to_vec()
    };
    let numbers = (0..rows).flat_map(|index| parts.iter().flat_map(move |part| row(part, index))).collect();
    Array { rows, columns: parts.iter().map(|part| part.columns).sum(), numbers }
}

fn turned(array: &Array) -> Array {
    let numbers = transposed(&array.numbers, array.columns as usize);
    Array { rows: array.columns, columns: array.rows, numbers }
}

fn into_matrix(array: Array) -> rekindle::Matrix<f32> {
    matrix(array.rows as usize, array.columns as usize, array.numbers)
}

/// The content of a file that holds a network, and notes about what is lost.
pub(super) fn of_network(
    network: &Network,
    words: &[String],
    optimizer: Option<&Optimizer>,
) -> Result<(Model, Vec<String>), ModelFileError> {
    let refused = |entry: String, reason: &str| Err(ModelFileError::inexpressible(FORMAT, entry, reason));
    network.check()?;
    let vocabulary = network.vocabulary();
    if words.len() != vocabulary {
        let reason = format!("are {}, but the network has rows for {vocabulary}", words.len());
        return refused("the words".to_owned(), &reason);
    }
    let mut seen = HashMap::new();
    if let Some((token, word)) =
        words.iter().enumerate().find(|&(token, word)| seen.insert(word, token).is_some())
    {
        return refused(format!("token {token}"), &format!("is the word `{word}`, as one before it is"));
    }
    let Some(output) = &network.output else {
        return refused("`output`".to_owned(), "must have rows of its own, not those of the tokens");
    };
    let mut notes = Vec::new();
    let arrays = Arrays::new(network, optimizer, &mut notes)?;
    let width = network.width();
    let mut layers = vec![Record {
        kind: EMBEDDINGS,
        fields: vec![
            arrays.array("token_embedding", vocabulary, width),
            arrays.array("position_embedding", network.context(), width),
            Field::Nothing,
            arrays.adam("token_embedding", vocabulary, width),
            arrays.adam("position_embedding", network.context(), width),
        ],
    }];
    for (index, layer) in network.layers.iter().enumerate() {
        let name = format!("layers/{index}");
        layers.push(match layer {
            Layer::Attention(layer) => {
                let name = format!("{name}/attention");
                if layer.norm.is_some() {
                    return refused(
                        format!("`{name}/norm`"),
                        "must not be there: norms are layers of their own",
                    );
                }
                if layer.heads != 1 {
                    return refused(
                        format!("`{name}/heads`"),
                        &format!("is {}, but attention has one head", layer.heads),
                    );
                }
                if layer.output.is_some() || layer.joined.bias.iter().any(|&bias| bias != 0.0) {
                    return refused(format!("`{name}`"), "must have neither biases nor an output map");
                }
                attention(&arrays, &format!("{name}/joined/weight"), width)
            }
            Layer::Norm(norm) => {
                if norm.form != NormForm::Deviation {
                    return refused(
                        format!("`{name}/norm/form`"),
                        "must be that of RustGPT, with epsilon beside the root",
                    );
                }
                Record {
                    kind: LAYER_NORM,
                    fields: vec![
                        Field::Real(norm.epsilon),
                        arrays.array(&format!("{name}/norm/gain"), 1, width),
                        arrays.array(&format!("{name}/norm/bias"), 1, width),
                        Field::Nothing,
                        Field::Nothing,
                        Field::Nothing,
                        arrays.adam(&format!("{name}/norm/gain"), 1, width),
                        arrays.adam(&format!("{name}/norm/bias"), 1, width),
                    ],
                }
            }
            Layer::FeedForward(layer) => {
                let name = format!("{name}/feed_forward");
                if layer.norm.is_some() {
                    return refused(
                        format!("`{name}/norm`"),
                        "must not be there: norms are layers of their own",
                    );
                }
                if layer.activation != Activation::Relu {
                    return refused(format!("`{name}/activation`"), "must be ReLU");
                }
                feed_forward(&arrays, &name, width, layer.up.outputs())
            }
        });
    }
    layers.push(Record {
        kind: OUTPUT_PROJECTION,
        fields: vec![
            turned_field(arrays.array("output/weight", vocabulary, width)),
            match output.bias.is_empty() {
                true => Field::Array(zeros(1, vocabulary)),
                false => arrays.array("output/bias", 1, vocabulary),
            },
            turned_field(arrays.adam("output/weight", vocabulary, width)),
            Field::Nothing,
        ],
    });
    if network.context() != CONTEXT {
        notes.push(format!(
            "RustGPT takes every model for one of {CONTEXT} positions; this one has {}: longer texts make it stop with an error",
            network.context()
        ));
    }
    Ok((Model { words: words.to_vec(), layers }, notes))
}

fn attention(arrays: &Arrays<'_>, name: &str, width: usize) -> Record {
    let part = |index: usize, field: Field| match field {
        Field::Array(array) => Field::Array(part(&array, index)),
        Field::Adam(adam) => {
            let (m, v) = (part(&adam.m, index), part(&adam.v, index));
            Field::Adam(Box::new(Adam { m, v, ..*adam }))
        }
        other => other,
    };
    let mut fields = vec![Field::Whole(width as u64)];
    fields.extend((0..3).map(|index| part(index, arrays.array(name, width, 3 * width))));
    fields.push(Field::Nothing);
    fields.extend((0..3).map(|index| part(index, arrays.adam(name, width, 3 * width))));
    Record { kind: SELF_ATTENTION, fields }
}

fn feed_forward(arrays: &Arrays<'_>, name: &str, width: usize, inner: usize) -> Record {
    let names = [
        (format!("{name}/up/weight"), width, inner),
        (format!("{name}/up/bias"), 1, inner),
        (format!("{name}/down/weight"), inner, width),
        (format!("{name}/down/bias"), 1, width),
    ];
    let mut fields: Vec<Field> =
        names.iter().map(|(name, rows, columns)| arrays.array(name, *rows, *columns)).collect();
    fields.extend([Field::Nothing, Field::Nothing, Field::Nothing]);
    fields.extend(names.iter().map(|(name, rows, columns)| arrays.adam(name, *rows, *columns)));
    Record { kind: FEED_FORWARD, fields }
}

/// The columns of one of three maps that are joined.
fn part(array: &Array, index: usize) -> Array {
    let columns = array.columns as usize / 3;
    let rows = array.numbers.chunks_exact(3 * columns);
    let numbers = rows.flat_map(|row| row[index * columns..][..columns].iter().copied()).collect();
    Array { rows: array.rows, columns: columns as u64, numbers }
}

fn turned_field(field: Field) -> Field {
    match field {
        Field::Array(array) => Field::Array(turned(&array)),
        Field::Adam(adam) => {
            let (m, v) = (turned(&adam.m), turned(&adam.v));
            Field::Adam(Box::new(Adam { m, v, ..*adam }))
        }
        other => other,
    }
}

fn zeros(rows: usize, columns: usize) -> Array {
    filled(rows, columns, vec![0.0; rows * columns])
}

fn filled(rows: usize, columns: usize, numbers: Vec<f32>) -> Array {
    Array { rows: rows as u64, columns: columns as u64, numbers }
}

/// The arrays of a network and their moments, by name.
struct Arrays<'a> {
    arrays: HashMap<String, &'a [f32]>,
    optimizer: Option<&'a Optimizer>,
}

impl<'a> Arrays<'a> {
    fn new(
        network: &'a Network,
        optimizer: Option<&'a Optimizer>,
        notes: &mut Vec<String>,
    ) -> Result<Self, ModelFileError> {
        let arrays = network.arrays().into_iter().map(|(name, _, array)| (name, array)).collect();
        let Some(memory) = optimizer else { return Ok(Self { arrays, optimizer }) };
        let refused = |reason: String| Err(ModelFileError::inexpressible(FORMAT, "the optimiser", reason));
        if let Some(flaw) = memory.flaw(network) {
            return refused(format!("is not of this network: {flaw}"));
        }
        if let Some(token) = memory.token_updates.iter().position(|&updates| updates != memory.updates) {
            let (found, all) = (memory.token_updates[token], memory.updates);
            return refused(format!(
                "has updated token {token} {found} times and other arrays {all} times, but RustGPT counts them \
                 together; write the file without the optimiser"
            ));
        }
        if memory
            .moments
            .values()
            .any(|moments| moments.first.iter().chain(&moments.second).any(|moment| !moment.is_finite()))
        {
            return refused("has moments that are not finite; write the file without it".to_owned());
        }
        if memory
            .moments
            .get("output/bias")
            .is_some_and(|moments| moments.second.iter().any(|&moment| moment != 0.0))
        {
            notes.push("the moments of the output's biases are left out: RustGPT has none".to_owned());
        }
        Ok(Self { arrays, optimizer })
    }

    /// An array; zeros where the network does without.
    fn array(&self, name: &str, rows: usize, columns: usize) -> Field {
        let numbers = self.arrays.get(name).map_or_else(|| vec![0.0; rows * columns], |array| array.to_vec());
        Field::Array(filled(rows, columns, numbers))
    }

    /// The moments of an array; zeros where there are none.
    fn adam(&self, name: &str, rows: usize, columns: usize) -> Field {
        let [beta1, beta2, epsilon] = RATES;
        let moments = self.optimizer.and_then(|optimizer| optimizer.moments.get(name));
        let moment = |of: fn(&Moments) -> &Vec<f32>| match moments {
            Some(moments) => filled(rows, columns, of(moments).clone()),
            None => zeros(rows, columns),
        };
        let (m, v) = (moment(|moments| &moments.first), moment(|moments| &moments.second));
        let timestep = self.optimizer.map_or(0, |optimizer| optimizer.updates);
        Field::Adam(Box::new(Adam { beta1, beta2, epsilon, timestep, m, v }))
    }
}
