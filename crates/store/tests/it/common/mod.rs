//! A small state and how the stories save it.

#![allow(dead_code, reason = "each story uses a part")]

pub mod faulty;

use rekindle_store::{
    About, Array, ArrayType, DType, Node, Row, SaveError, Saved, Scalar, StoredTree, Tree, Writer,
};

/// A state of a few entries that differs from step to step: two arrays in chunks, one of which
/// never changes, small ones within the index, scalars and a map.
pub fn state(step: u64) -> Tree {
    let floats = |count: u64, seed: u64| {
        let bytes = (0..count).flat_map(|i| ((i * 7 + seed) as f32).sin().to_le_bytes()).collect();
        Node::Array(Array::new(DType::F32, vec![count], bytes).unwrap())
    };
    let field = |name: &str, node| (name.to_owned(), node);
    Node::Struct(vec![
        field("step", Node::Scalar(Scalar::U64(step))),
        field("weights", floats(600, step)),
        field("constant", floats(700, 0)),
        field("bias", floats(5, step)),
        field("note", Node::Scalar(Scalar::Str("text ".repeat(300)))),
        field("names", Node::Map(vec![(Scalar::U8(1), Node::Null), (Scalar::U8(2), Node::List(vec![]))])),
    ])
}

/// Saves `tree` at `step`.
pub fn save(store: &mut Writer, step: u64, tree: &Tree) -> Result<Saved, SaveError> {
    let mut save = store.save()?;
    let stored: StoredTree = tree.try_map_arrays(&mut |path, array: &Array| {
        let ArrayType { dtype, shape } = array.kind().clone();
        save.array(path, ArrayType { dtype, shape }, array.data())
    })?;
    let row: Row = serde_json::from_value(serde_json::json!({"step": step, "loss": 1.0 / (step + 1) as f64}))
        .expect("a row is an object");
    let about = About { metrics: [("loss".to_owned(), 1.0 / (step + 1) as f64)].into(), ..About::default() };
    save.commit(step, &stored, about, &[row])
}
