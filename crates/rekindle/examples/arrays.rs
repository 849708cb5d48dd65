//! Arrays with shapes, and arrays that grow: `cargo run -p rekindle --example arrays`.

use rekindle::{ArrayData, Matrix};
use serde::{Deserialize, Serialize};

/// A container of one's own: numbers in planes, rows and columns.
#[derive(Clone, Default)]
struct Cube {
    shape: [u64; 3],
    elements: Vec<f32>,
}

impl ArrayData for Cube {
    type Element = f32;

    fn shape(&self) -> Vec<u64> {
        self.shape.to_vec()
    }

    fn elements(&self) -> std::borrow::Cow<'_, [f32]> {
        (&self.elements).into()
    }

    fn from_elements(shape: &[u64], elements: Vec<f32>) -> Result<Self, String> {
        let shape = shape.try_into().map_err(|_| "a cube has three dimensions".to_owned())?;
        Ok(Self { shape, elements })
    }
}

#[derive(Serialize, Deserialize)]
struct State {
    #[serde(with = "rekindle::array")]
    weights: Matrix<f32>,
    #[serde(with = "rekindle::array")]
    kernels: Cube,
    /// Words may be added: the first extent may differ when it comes back.
    #[serde(with = "rekindle::growing")]
    counts: Vec<u32>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("run");
    let weights = Matrix::from_vec(3, vec![0.25; 6]).ok_or("six elements make two rows of three")?;
    let mut state =
        State { weights, kernels: Cube { shape: [2, 2, 2], elements: vec![1.0; 8] }, counts: vec![4, 2] };
    let mut run = rekindle::Run::open_or_create(&path)?;
    run.save(1, &state)?;
    state.counts.push(1);
    run.save(2, &state)?;
    drop(run);

    let mut back = State { weights: Matrix::zeros(2, 3), kernels: state.kernels.clone(), counts: Vec::new() };
    rekindle::Run::open_or_create(&path)?.resume(&mut back)?;
    assert_eq!((back.weights.rows(), back.weights.columns(), back.counts.len()), (2, 3, 3));
    let tree = rekindle::Store::open(std::sync::Arc::new(rekindle::storage::FileStorage::new(&path)))?
        .checkpoint(2)?
        .tree()?;
    for (name, entry) in tree.children() {
        if let rekindle::Node::Array(array) = entry {
            println!("{name}: {}", array.kind());
        }
    }
    Ok(())
}
