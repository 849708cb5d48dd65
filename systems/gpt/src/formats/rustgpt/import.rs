//! The records of a file into a network and its optimiser.
//!
//! Here queries, keys and values are one map, and the output has a row for each token: there they
//! are three maps, and the output has a column for each token. The moments of the optimiser are
//! turned in the same way.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::error::ModelFileError;
use super::super::{Imported, ImportedVocabulary};
use super::record::{
    Adam, Array, EMBEDDINGS, FEED_FORWARD, Field, LAYER_NORM, LAYERS, Model, OUTPUT_PROJECTION, RATES,
    Record, SELF_ATTENTION, location,
};
use crate::model::network::{
    Activation, Attention, FeedForward, Layer, Linear, Network, Norm, NormForm, Output,
};
use crate::train::optimizer::{Moments, Optimizer};

/// The content of a file.
pub(super) fn into_network(
    path: &Path,
    model: Model,
    mut warnings: Vec<String>,
) -> Result<Imported, ModelFileError> {
    let Model { words, mut layers } = model;
    let mut optimizer = ImportedOptimizer::default();
    let network = network(path, &mut layers, &mut optimizer)?;
    network.check().map_err(|error| ModelFileError::network(path, error))?;
    if words.len() != network.vocabulary() {
        let expected = format!("the network has rows for {}", network.vocabulary());
        return Err(ModelFileError::malformed(
            path,
            "vocab.words",
            format!("{} words", words.len()),
            expected,
        ));
    }
    let optimizer = optimizer.into_optimizer(&network, &mut warnings);
    let vocabulary = Some(ImportedVocabulary::Words { words, lower_case: false, unknown: None });
    Ok(Imported { network, vocabulary, optimizer, warnings })
}

fn network(
    path: &Path,
    records: &mut [Record],
    optimizer: &mut ImportedOptimizer,
) -> Result<Network, ModelFileError> {
    let expected =
        "it must begin with Embeddings and end with OutputProjection, and have neither between them";
    let names: Vec<&str> = records.iter().map(|record| LAYERS[record.kind].name).collect();
    let found = format!("a list of {}", names.join(", "));
    let refused = || ModelFileError::malformed(path, "network", found, expected);
    let last = records.len().saturating_sub(1);
    let [embeddings, between @ .., output] = records else { return Err(refused()) };
    if (embeddings.kind, output.kind) != (EMBEDDINGS, OUTPUT_PROJECTION) {
        return Err(refused());
    }
    let mut parts = Parts { path, index: 0, record: embeddings };
    let token_embedding = parts.array("token_embeddings")?;
    let position_embedding = parts.array("positional_embeddings")?;
    let width = token_embedding.columns;
    optimizer.insert("token_embedding", parts.moments("token_optimizer", &token_embedding)?);
    optimizer.insert("position_embedding", parts.moments("positional_optimizer", &position_embedding)?);
    let mut layers = Vec::new();
    for (index, record) in between.iter_mut().enumerate() {
        let name = format!("layers/{index}");
        let mut parts = Parts { path, index: index + 1, record };
        layers.push(match parts.record.kind {
            SELF_ATTENTION => parts.attention(&name, width, optimizer)?,
            LAYER_NORM => parts.norm(&name, optimizer)?,
            FEED_FORWARD => parts.feed_forward(&name, optimizer)?,
            _ => return Err(refused()),
        });
    }
    Ok(Network {
        token_embedding: token_embedding.into_matrix(),
        position_embedding: position_embedding.into_matrix(),
        layers,
        output: Some(Parts { path, index: last, record: output }.output(optimizer)?),
        structure: None,
    })
}

/// A layer of the file whose fields are taken out.
struct Parts<'a> {
    path: &'a Path,
    index: usize,
    record: &'a mut Record,
}

impl Parts<'_> {
    fn take(&mut self, name: &str) -> Field {
        let names = LAYERS[self.record.kind].fields;
        let index = names.iter().position(|&(known, _)| known == name);
        index.map_or(Field::Empty, |index| std::mem::replace(&mut self.record.fields[index], Field::Empty))
    }

    fn location(&self, name: &str) -> String {
        format!("{}.{name}", location(self.index, self.record.kind))
    }

    fn absent(&self, name: &str) -> ModelFileError {
        ModelFileError::missing(self.path, self.location(name), "every layer of its kind has it")
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
                self.location(name),
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
                    self.location(&format!("{name}.{moment}")),
                    found,
                    expected,
                ));
            }
        }
        Ok(*adam)
    }

    fn attention(
        &mut self,
        name: &str,
        width: u64,
        optimizer: &mut ImportedOptimizer,
    ) -> Result<Layer, ModelFileError> {
        let maps = ["w_q", "w_k", "w_v"];
        let weights = [self.array(maps[0])?, self.array(maps[1])?, self.array(maps[2])?];
        for (map, array) in maps.iter().zip(&weights) {
            if (array.rows, array.columns) != (width, width) {
                let found = format!("{} x {}", array.rows, array.columns);
                let expected = format!("{width} x {width} is needed");
                return Err(ModelFileError::malformed(self.path, self.location(map), found, expected));
            }
        }
        let mut adam = |index: usize| self.moments(&format!("optimizer_{}", maps[index]), &weights[index]);
        let adams = [adam(0)?, adam(1)?, adam(2)?];
        optimizer.insert_qkv(&format!("{name}/attention/joined/weight"), adams);
        Ok(Layer::Attention(Attention {
            norm: None,
            heads: 1,
            qkv: Linear { weight: Array::concat_columns(weights.each_ref()).into_matrix(), bias: Vec::new() },
            output: None,
            relation_bias: Vec::new(),
        }))
    }

    fn norm(&mut self, name: &str, optimizer: &mut ImportedOptimizer) -> Result<Layer, ModelFileError> {
        let Field::Float(epsilon) = self.take("epsilon") else { return Err(self.absent("epsilon")) };
        let (gain, bias) = (self.row("gamma")?, self.row("beta")?);
        optimizer.insert(&format!("{name}/norm/gain"), self.moments("optimizer_gamma", &gain)?);
        optimizer.insert(&format!("{name}/norm/bias"), self.moments("optimizer_beta", &bias)?);
        Ok(Layer::Norm(Norm { form: NormForm::Deviation, epsilon, gain: gain.numbers, bias: bias.numbers }))
    }

    fn feed_forward(
        &mut self,
        name: &str,
        optimizer: &mut ImportedOptimizer,
    ) -> Result<Layer, ModelFileError> {
        let mut linear = |weight: &str, bias: &str, part: &str| {
            let name = format!("{name}/feed_forward/{part}");
            let (weights, biases) = (self.array(weight)?, self.row(bias)?);
            optimizer
                .insert(&format!("{name}/weight"), self.moments(&format!("optimizer_{weight}"), &weights)?);
            optimizer.insert(&format!("{name}/bias"), self.moments(&format!("optimizer_{bias}"), &biases)?);
            Ok::<_, ModelFileError>(Linear { weight: weights.into_matrix(), bias: biases.numbers })
        };
        let (up, down) = (linear("w1", "b1", "up")?, linear("w2", "b2", "down")?);
        Ok(Layer::FeedForward(FeedForward { norm: None, activation: Activation::Relu, up, down }))
    }

    fn output(mut self, optimizer: &mut ImportedOptimizer) -> Result<Output, ModelFileError> {
        let (weight, bias) = (self.array("w_out")?, self.row("b_out")?);
        let Adam { m, v, timestep, beta1, beta2, epsilon } = self.moments("optimizer", &weight)?;
        let adam = Adam { m: m.transposed(), v: v.transposed(), timestep, beta1, beta2, epsilon };
        optimizer.insert("output/weight", adam);
        // The biases of the output learn without moments there.
        let moments = Moments { first: vec![0.0; bias.numbers.len()], second: vec![0.0; bias.numbers.len()] };
        optimizer.moments.insert("output/bias".to_owned(), moments);
        Ok(Output { weight: weight.transposed().into_matrix(), bias: bias.numbers })
    }
}

/// The moments of the optimisers of a file, one for each array.
#[derive(Default)]
struct ImportedOptimizer {
    moments: BTreeMap<String, Moments>,
    /// How often each array was updated.
    updates: BTreeMap<String, u64>,
    has_other_rates: bool,
}

impl ImportedOptimizer {
    fn insert(&mut self, name: &str, adam: Adam) {
        self.has_other_rates |= adam.rates() != RATES;
        self.updates.insert(name.to_owned(), adam.timestep);
        self.moments.insert(name.to_owned(), Moments { first: adam.m.numbers, second: adam.v.numbers });
    }

    fn insert_qkv(&mut self, name: &str, adams: [Adam; 3]) {
        for (part, adam) in adams.iter().enumerate() {
            self.has_other_rates |= adam.rates() != RATES;
            self.updates.insert(format!("{name}/{part}"), adam.timestep);
        }
        let m = Array::concat_columns(adams.each_ref().map(|adam| &adam.m));
        let v = Array::concat_columns(adams.each_ref().map(|adam| &adam.v));
        self.moments.insert(name.to_owned(), Moments { first: m.numbers, second: v.numbers });
    }

    /// As one optimiser, which updates all arrays together.
    fn into_optimizer(self, network: &Network, warnings: &mut Vec<String>) -> Option<Optimizer> {
        let mut counts: Vec<u64> = self.updates.into_values().collect();
        counts.sort_unstable();
        counts.dedup();
        let [updates] = counts[..] else {
            warnings.push(format!(
                "the optimiser has updated its arrays {counts:?} times, here all are together: it begins anew"
            ));
            return None;
        };
        if self.has_other_rates {
            warnings.push("the optimiser of the file does not have the rates 0.9, 0.999 and 1e-8: set its own in the config".to_owned());
        }
        warnings.push("the biases of the output have no moments in the file: theirs begin anew".to_owned());
        let token_updates = vec![updates; network.vocabulary()];
        Some(Optimizer { updates, token_updates, moments: self.moments })
    }
}
