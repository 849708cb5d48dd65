//! The layout of `docs/format.md`, byte by byte: a run that is written by hand opens, and what the
//! engine writes is what was written by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use rekindle_store::storage::MemoryStorage;
use rekindle_store::{
    About, Array, ArrayType, DType, Depth, EntryPath, Hash, Node, Scalar, Store, Tree, Writer,
};

fn sealed(body: &str) -> Vec<u8> {
    format!("{body},\n  \"blake3\": \"{}\"\n}}\n", Hash::of(body.as_bytes())).into_bytes()
}

/// `{step: u64 = 7, weights: f32[256] = ..., small: u8[2] = [5, 6], none: null}`
fn state() -> Tree {
    let array = |dtype, len, data| Node::Array(Array::new(dtype, vec![len], data).unwrap());
    Node::Struct(vec![
        ("step".to_owned(), Node::Scalar(Scalar::U64(7))),
        ("weights".to_owned(), array(DType::F32, 256, weights())),
        ("small".to_owned(), array(DType::U8, 2, vec![5, 6])),
        ("none".to_owned(), Node::Null),
    ])
}

/// Bytes that no codec makes smaller.
fn weights() -> Vec<u8> {
    (0..32u8).flat_map(|i| Hash::of(&[i]).0).collect()
}

fn node_by_hand() -> Vec<u8> {
    let mut node = vec![0x05, 4];
    node.extend(b"\x04step\x19\x07\0\0\0\0\0\0\0");
    node.extend(b"\x07weights\x03\x0b\x01\x80\x02");
    node.extend(Hash::of(&weights()).0);
    node.extend(b"\x05small\x02\x05\x01\x02\x05\x06");
    node.extend(b"\x04none\x00");
    node
}

fn state_hash_by_hand() -> Hash {
    let nested = |code: u8, content: &[u8]| {
        let hash = Hash::of(&[&[code], content].concat());
        [&[code], &hash.0[..]].concat()
    };
    let name = |name: &str| [&(name.len() as u64).to_le_bytes(), name.as_bytes()].concat();
    let array = |dtype: u8, len: u64, data: &[u8]| {
        nested(2, &[&[dtype], &1u64.to_le_bytes()[..], &len.to_le_bytes(), &Hash::of(data).0].concat())
    };
    let fields = [
        [name("none"), vec![0x00]].concat(),
        [name("small"), array(5, 2, &[5, 6])].concat(),
        [name("step"), b"\x19\x07\0\0\0\0\0\0\0".to_vec()].concat(),
        [name("weights"), array(11, 256, &weights())].concat(),
    ];
    let root = nested(4, &fields.concat());
    Hash::of(&[b"rekindle state 1", root.as_slice()].concat())
}

fn pack_by_hand() -> (String, Vec<u8>) {
    let (weights, node) = (weights(), node_by_hand());
    let mut index = Vec::new();
    for chunk in [&weights, &node] {
        index.extend(Hash::of(chunk).0);
        index.extend((chunk.len() as u32).to_le_bytes());
        index.extend((chunk.len() as u32).to_le_bytes());
        index.push(0);
    }
    let id = Hash::of(&index);
    let length = (index.len() as u64).to_le_bytes();
    let bytes = [b"RKPACK\0\x01".as_slice(), &weights, &node, &index, &length, &id.0].concat();
    (format!("packs/{id}.pack"), bytes)
}

fn record_by_hand() -> Vec<u8> {
    let (state, root) = (state_hash_by_hand(), Hash::of(&node_by_hand()));
    sealed(&format!(
        r#"{{
  "format": 1, "run": "0123456789abcdef", "step": 7, "previous": null, "created": 1795216200,
  "state_hash": "{state}", "root": "{root}", "payload_bytes": 1026, "new_bytes": 0, "history": null,
  "system": "", "schema": null, "metrics": {{}}, "config": null, "environment": {{}}, "changes": []"#
    ))
}

fn run_by_hand() -> BTreeMap<String, Vec<u8>> {
    let identity = r#"{
  "format": 1, "run": "0123456789abcdef", "system": "", "created": 1795216200, "lineage": null"#;
    BTreeMap::from([
        ("rekindle.json".to_owned(), sealed(identity)),
        ("commits/000000000007.json".to_owned(), record_by_hand()),
        pack_by_hand(),
    ])
}

#[test]
fn a_run_written_by_hand_opens() {
    let store = Store::open(Arc::new(MemoryStorage::from_objects(run_by_hand()))).unwrap();
    assert!(store.verify(Depth::Full).unwrap().damage.is_empty());
    assert_eq!(store.checkpoint(7).unwrap().load(&EntryPath::root()).unwrap(), state());
}

#[test]
fn what_the_engine_writes_is_what_was_written_by_hand() {
    let memory = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(memory.clone()), "", None, "story").unwrap();
    let mut save = store.save().unwrap();
    let stored = state()
        .try_map_arrays(&mut |path, array: &Array| {
            let ArrayType { dtype, shape } = array.kind().clone();
            save.array(path, ArrayType { dtype, shape }, array.data())
        })
        .unwrap();
    let saved = save.commit(7, &stored, About::default(), &[]).unwrap();
    assert_eq!(saved.record.state_hash, state_hash_by_hand());
    assert_eq!(saved.record.root, Hash::of(&node_by_hand()));
    let objects = memory.to_objects();
    let pack = objects.iter().find(|(name, _)| name.starts_with("packs/")).unwrap();
    // The node may be compressed; the array is not.
    assert_eq!(pack.1[..8 + 1024], pack_by_hand().1[..8 + 1024]);
}
