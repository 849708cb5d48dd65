//! A network and its optimiser into the records of a file: what `import` does, the other way round.

use std::collections::HashMap;

use super::super::error::ModelFileError;
use super::record::{
    Adam, Array, EMBEDDINGS, FEED_FORWARD, Field, LAYER_NORM, Model, OUTPUT_PROJECTION, RATES, Record,
    SELF_ATTENTION,
};
use crate::network::{Activation, Layer, Network, NormForm};
use crate::optimizer::{Moments, Optimizer};

/// For messages.
const FORMAT: &str = "a RustGPT file";
/// The most tokens that RustGPT sees, whatever its file says.
const CONTEXT: usize = 80;

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
            arrays.array("output/weight", vocabulary, width).turned(),
            match output.bias.is_empty() {
                true => Field::Array(Array::zeros(1, vocabulary)),
                false => arrays.array("output/bias", 1, vocabulary),
            },
            arrays.adam("output/weight", vocabulary, width).turned(),
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
        Field::Array(array) => Field::Array(array.part(index)),
        Field::Adam(adam) => {
            let (m, v) = (adam.m.part(index), adam.v.part(index));
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
        Field::Array(Array::new(rows, columns, numbers))
    }

    /// The moments of an array; zeros where there are none.
    fn adam(&self, name: &str, rows: usize, columns: usize) -> Field {
        let [beta1, beta2, epsilon] = RATES;
        let moments = self.optimizer.and_then(|optimizer| optimizer.moments.get(name));
        let moment = |of: fn(&Moments) -> &Vec<f32>| match moments {
            Some(moments) => Array::new(rows, columns, of(moments).clone()),
            None => Array::zeros(rows, columns),
        };
        let (m, v) = (moment(|moments| &moments.first), moment(|moments| &moments.second));
        let timestep = self.optimizer.map_or(0, |optimizer| optimizer.updates);
        Field::Adam(Box::new(Adam { beta1, beta2, epsilon, timestep, m, v }))
    }
}
