//! A network and its optimiser into the records of a file: what `import` does, the other way round.

use std::collections::{HashMap, HashSet};

use super::super::error::ModelFileError;
use super::record::{
    Adam, Array, EMBEDDINGS, FEED_FORWARD, Field, LAYER_NORM, Model, OUTPUT_PROJECTION, RATES, Record,
    SELF_ATTENTION,
};
use crate::model::network::{Activation, Attention, Layer, Network, Norm, NormForm, Output};
use crate::train::optimizer::{Moments, Optimizer};

/// For messages.
const FORMAT: &str = "a RustGPT file";
/// The most tokens that RustGPT sees, whatever its file says.
const CONTEXT: usize = 80;

/// The content of a file that holds a network, and warnings about what is lost.
pub(super) fn of_network(
    network: &Network,
    words: &[String],
    optimizer: Option<&Optimizer>,
) -> Result<(Model, Vec<String>), ModelFileError> {
    network.check()?;
    check_words(words, network.vocabulary())?;
    let Some(output) = &network.output else {
        return refused("`output`", "must have rows of its own, not those of the tokens");
    };
    if network.reads_structure() {
        return refused("`structure`", "tells the network of the tree of a text; there is no place for it");
    }
    let mut warnings = Vec::new();
    if let Some(optimizer) = optimizer {
        warnings.extend(check_optimizer(optimizer, network)?);
    }
    let arrays = Arrays::new(network, optimizer);
    let mut layers = vec![embeddings(&arrays, network)];
    for (index, layer) in network.layers.iter().enumerate() {
        layers.push(layer_record(&arrays, &format!("layers/{index}"), layer, network.width())?);
    }
    layers.push(output_projection(&arrays, network, output));
    warnings.extend(context_warning(network.context()));
    Ok((Model { words: words.to_vec(), layers }, warnings))
}

fn refused<T>(entry: impl Into<String>, reason: impl Into<String>) -> Result<T, ModelFileError> {
    Err(ModelFileError::inexpressible(FORMAT, entry, reason))
}

fn check_words(words: &[String], vocabulary: usize) -> Result<(), ModelFileError> {
    if words.len() != vocabulary {
        let reason = format!("are {}, but the network has rows for {vocabulary}", words.len());
        return refused("the words", reason);
    }
    let mut known = HashSet::new();
    match words.iter().enumerate().find(|(_, word)| !known.insert(*word)) {
        None => Ok(()),
        Some((token, word)) => {
            refused(format!("token {token}"), format!("is the word `{word}`, as one before it is"))
        }
    }
}

/// Checks that RustGPT can go on with what an optimiser remembers; a warning where it cannot with all.
fn check_optimizer(optimizer: &Optimizer, network: &Network) -> Result<Option<String>, ModelFileError> {
    let refused = |reason: String| refused("the optimiser", reason);
    if let Some(mismatch) = optimizer.mismatch(network) {
        return refused(format!("is not of this network: {mismatch}"));
    }
    if let Some(token) = optimizer.token_updates.iter().position(|&updates| updates != optimizer.updates) {
        let (found, all) = (optimizer.token_updates[token], optimizer.updates);
        return refused(format!(
            "has updated token {token} {found} times and other arrays {all} times, but RustGPT counts them \
             together; write the file without the optimiser"
        ));
    }
    let mut moments =
        optimizer.moments.values().flat_map(|moments| moments.first.iter().chain(&moments.second));
    if moments.any(|moment| !moment.is_finite()) {
        return refused("has moments that are not finite; write the file without it".to_owned());
    }
    let of_bias = optimizer.moments.get("output/bias");
    let is_lost = of_bias.is_some_and(|moments| moments.second.iter().any(|&moment| moment != 0.0));
    Ok(is_lost.then(|| "the moments of the output's biases are left out: RustGPT has none".to_owned()))
}

fn context_warning(context: usize) -> Option<String> {
    (context != CONTEXT).then(|| {
        format!(
            "RustGPT takes every model for one of {CONTEXT} positions; this one has {context}: longer texts \
             make it stop with an error"
        )
    })
}

fn embeddings(arrays: &Arrays<'_>, network: &Network) -> Record {
    let (vocabulary, context, width) = (network.vocabulary(), network.context(), network.width());
    Record {
        kind: EMBEDDINGS,
        fields: vec![
            arrays.array("token_embedding", vocabulary, width),
            arrays.array("position_embedding", context, width),
            Field::Empty,
            arrays.adam("token_embedding", vocabulary, width),
            arrays.adam("position_embedding", context, width),
        ],
    }
}

fn output_projection(arrays: &Arrays<'_>, network: &Network, output: &Output) -> Record {
    let (vocabulary, width) = (network.vocabulary(), network.width());
    let bias = match output.bias.is_empty() {
        true => Field::Array(Array::zeros(1, vocabulary)),
        false => arrays.array("output/bias", 1, vocabulary),
    };
    Record {
        kind: OUTPUT_PROJECTION,
        fields: vec![
            arrays.array("output/weight", vocabulary, width).transposed(),
            bias,
            arrays.adam("output/weight", vocabulary, width).transposed(),
            Field::Empty,
        ],
    }
}

fn layer_record(
    arrays: &Arrays<'_>,
    name: &str,
    layer: &Layer,
    width: usize,
) -> Result<Record, ModelFileError> {
    match layer {
        Layer::Attention(layer) => {
            let name = format!("{name}/attention");
            check_attention(&name, layer)?;
            Ok(attention(arrays, &format!("{name}/joined/weight"), width))
        }
        Layer::FeedForward(layer) => {
            let name = format!("{name}/feed_forward");
            check_no_norm(&name, layer.norm.as_ref())?;
            if layer.activation != Activation::Relu {
                return refused(format!("`{name}/activation`"), "must be ReLU");
            }
            Ok(feed_forward(arrays, &name, width, layer.up.outputs()))
        }
        Layer::Norm(norm) => {
            if norm.form != NormForm::Deviation {
                let reason = "must be that of RustGPT, with epsilon beside the root";
                return refused(format!("`{name}/norm/form`"), reason);
            }
            Ok(layer_norm(arrays, &format!("{name}/norm"), norm.epsilon, width))
        }
    }
}

fn check_attention(name: &str, layer: &Attention) -> Result<(), ModelFileError> {
    check_no_norm(name, layer.norm.as_ref())?;
    if layer.heads != 1 {
        let reason = format!("is {}, but attention has one head", layer.heads);
        return refused(format!("`{name}/heads`"), reason);
    }
    if layer.output.is_some() || layer.qkv.bias.iter().any(|&bias| bias != 0.0) {
        return refused(format!("`{name}`"), "must have neither biases nor an output map");
    }
    Ok(())
}

fn check_no_norm(name: &str, norm: Option<&Norm>) -> Result<(), ModelFileError> {
    match norm {
        None => Ok(()),
        Some(_) => refused(format!("`{name}/norm`"), "must not be there: norms are layers of their own"),
    }
}

fn layer_norm(arrays: &Arrays<'_>, name: &str, epsilon: f32, width: usize) -> Record {
    let (gain, bias) = (format!("{name}/gain"), format!("{name}/bias"));
    Record {
        kind: LAYER_NORM,
        fields: vec![
            Field::Float(epsilon),
            arrays.array(&gain, 1, width),
            arrays.array(&bias, 1, width),
            Field::Empty,
            Field::Empty,
            Field::Empty,
            arrays.adam(&gain, 1, width),
            arrays.adam(&bias, 1, width),
        ],
    }
}

fn attention(arrays: &Arrays<'_>, name: &str, width: usize) -> Record {
    let block = |index: usize, field: Field| match field {
        Field::Array(array) => Field::Array(array.column_block(index)),
        Field::Adam(adam) => {
            let (m, v) = (adam.m.column_block(index), adam.v.column_block(index));
            Field::Adam(Box::new(Adam { m, v, ..*adam }))
        }
        other => other,
    };
    let mut fields = vec![Field::Integer(width as u64)];
    fields.extend((0..3).map(|index| block(index, arrays.array(name, width, 3 * width))));
    fields.push(Field::Empty);
    fields.extend((0..3).map(|index| block(index, arrays.adam(name, width, 3 * width))));
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
    fields.extend([Field::Empty, Field::Empty, Field::Empty]);
    fields.extend(names.iter().map(|(name, rows, columns)| arrays.adam(name, *rows, *columns)));
    Record { kind: FEED_FORWARD, fields }
}

/// The arrays of a network and their moments, by name.
struct Arrays<'a> {
    arrays: HashMap<String, &'a [f32]>,
    optimizer: Option<&'a Optimizer>,
}

impl<'a> Arrays<'a> {
    fn new(network: &'a Network, optimizer: Option<&'a Optimizer>) -> Self {
        let arrays = network.arrays().into_iter().map(|(name, _, array)| (name, array)).collect();
        Self { arrays, optimizer }
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
