//! Small states, and how they are saved.

use std::error::Error;

use serde::{Deserialize, Serialize};

use rekindle::records::{About, Row, Saved};
use rekindle::tree::{Array, ArrayType, DType, Scalar};
use rekindle::{Node, Tree, Writer};

use crate::random::Random;

/// Whatever went wrong, with its text.
pub type Failure = Box<dyn Error>;

/// The state at a step, of about 4 KiB: an array that is the same in all steps, one that comes back
/// every four steps, so that chunks of deleted checkpoints are wanted again, one that moves a
/// little, so that it is stored as differences, and small entries.
pub fn state(step: u64) -> Tree {
    state_with(step, step % 4)
}

/// Another state at the same step, as after a resume from an earlier checkpoint.
pub fn other_state(step: u64) -> Tree {
    state_with(step, 10 + step)
}

fn state_with(step: u64, weights: u64) -> Tree {
    let field = |name: &str, node| (name.to_owned(), node);
    Node::Struct(vec![
        field("step", Node::Scalar(Scalar::U64(step))),
        field("weights", noise(270, weights)),
        field("constant", noise(260, 1000)),
        field("drifting", drifting(300, 1, weights / 10 * 100 + step)),
        field("bias", noise(3, step)),
        field("note", Node::Scalar(Scalar::Str("text".to_owned()))),
        field("names", Node::Map(vec![(Scalar::U8(1), Node::Null), (Scalar::U8(2), Node::List(vec![]))])),
    ])
}

/// A state of six parts that change in turn, so that the pack of every checkpoint soon holds little that
/// is needed, but for a while something.
pub fn rotating_state(step: u64) -> Tree {
    let parts = (0..6).map(|part| noise(260, 100 * part + (step + 6 - part) / 6));
    let moving = [noise(1500, 10_000 + step), drifting(300, 1, step)];
    Node::List(parts.chain(moving).collect())
}

/// `count` floats that no codec makes smaller.
pub fn noise(count: u64, seed: u64) -> Tree {
    let bytes = Random::new(seed, &[count]).bytes(4 * count as usize);
    Node::Array(Array::new(DType::F32, vec![count], bytes).expect("four bytes each"))
}

/// `count` floats that differ a little from those of another `moment`.
pub fn drifting(count: u64, seed: u64, moment: u64) -> Tree {
    let mut random = Random::new(seed, &[count]);
    let mut next = || {
        let weight = (random.next() >> 40) as f32 / (1 << 24) as f32 - 0.5;
        weight + weight * 1e-5 * (random.below(7) * moment) as f32
    };
    let bytes = (0..count).flat_map(|_| next().to_le_bytes()).collect();
    Node::Array(Array::new(DType::F32, vec![count], bytes).expect("four bytes each"))
}

/// The state of a training loop.
#[derive(Debug, Serialize, Deserialize)]
pub struct Training {
    step: u64,
    #[serde(with = "rekindle::array")]
    weights: Vec<f32>,
    /// The same at every step, so that checkpoints share it.
    #[serde(with = "rekindle::array")]
    constant: Vec<f32>,
}

impl Training {
    /// The state at a step: it moves a little from step to step.
    pub fn at(step: u64) -> Self {
        let weight = |i: u16| (f32::from(i * 37 % 101) - 50.5) * (1.0 + 1e-5 * step as f32);
        let constant = (0..300u16).map(|i| f32::from(i * 53 % 97)).collect();
        Self { step, weights: (0..400).map(weight).collect(), constant }
    }
}

/// The metric that is saved with every step.
pub fn loss(step: u64) -> f64 {
    (step % 11 * 7 % 11) as f64
}

/// Saves `tree` at `step`, with a metric and a row of history.
///
/// # Errors
/// Those of the save.
pub fn save(store: &mut Writer, step: u64, tree: &Tree) -> Result<Saved, rekindle::SaveError> {
    let mut save = store.save()?;
    let stored = tree.try_map_arrays(&mut |path, array: &Array| {
        let ArrayType { dtype, shape } = array.kind().clone();
        save.array(path, ArrayType { dtype, shape }, array.data())
    })?;
    let about = About { metrics: [("loss".to_owned(), loss(step))].into(), ..About::default() };
    save.commit(step, &stored, about, &[row(step)])
}

/// The row of history that [`save`] writes.
pub fn row(step: u64) -> Row {
    Row::from_iter([("step".to_owned(), step.into()), ("loss".to_owned(), loss(step).into())])
}
