//! A model of very many small arrays: 50,000 of about 10 KB. It takes little more than its
//! payload, and a save after one in a hundred has changed writes little more than those.

use std::sync::Arc;

use rekindle_store::storage::MemoryStorage;
use rekindle_store::{About, ArrayType, DType, EntryPath, Node, Store, StoredTree, Writer};

const ARRAYS: u64 = 50_000;

/// Bytes that no codec makes smaller: 9 to 11 KB.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = 1125 + seed % 251;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..words).flat_map(next).collect()
}

/// Saves all arrays; those whose number is a multiple of 100 have the content of `version`.
fn save(store: &mut Writer, step: u64, version: u64) -> (u64, u64) {
    let mut save = store.save().unwrap();
    let mut layers: Vec<(String, StoredTree)> = Vec::new();
    for number in 0..ARRAYS {
        let bytes = noise(if number % 100 == 0 { number + version * ARRAYS } else { number });
        let kind = ArrayType { dtype: DType::U8, shape: vec![bytes.len() as u64] };
        let name = format!("layer_{number}.weights");
        let path = EntryPath::root().child(&name);
        layers.push((name, Node::Array(save.array(&path, kind, &bytes).unwrap())));
    }
    let record = save.commit(step, &Node::Struct(layers), About::default(), &[]).unwrap().record;
    (record.payload_bytes, record.new_bytes)
}

#[test]
fn overhead_and_increment() {
    let memory = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(memory.clone()), "", None, "story").unwrap();
    let (payload, first) = save(&mut store, 1, 0);
    let (_, second) = save(&mut store, 2, 1);
    let overhead = first as f64 / payload as f64 - 1.0;
    let increment = second as f64 / payload as f64;
    println!(
        "payload {payload} bytes, overhead {:.2} %, second save {:.2} %",
        100.0 * overhead,
        100.0 * increment
    );
    assert!(overhead <= 0.02, "overhead {overhead}");
    assert!(increment <= 0.03, "second save {increment}");

    let store = Store::open(Arc::new(memory)).unwrap();
    let path = EntryPath::root().child("layer_49900.weights");
    let Node::Array(array) = store.checkpoint(2).unwrap().load(&path).unwrap() else { panic!() };
    assert_eq!(array.data(), noise(49_900 + ARRAYS));
}
