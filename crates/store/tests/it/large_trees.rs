//! A state of very many values that take next to no space, as equal parts are stored once: it loads
//! all the same, since its record tells a reader how large it is.

use std::sync::Arc;

use crate::common::save;
use rekindle_store::storage::MemoryStorage;
use rekindle_store::{EntryPath, Node, Scalar, Store, Tree, Writer};

#[test]
fn a_million_equal_values_come_back() {
    let values = || Node::List(vec![Node::Null; 1_200_000]);
    let text = Tree::Scalar(Scalar::Str(" ".repeat(64 << 20)));
    let state = Node::Struct(vec![("values".to_owned(), values()), ("text".to_owned(), text)]);
    let memory = MemoryStorage::new();
    let mut store = Writer::create(Arc::new(memory.clone()), "", None, "story").unwrap();
    save(&mut store, 1, &state).unwrap();
    let stored: usize = memory.to_objects().values().map(Vec::len).sum();
    assert!(stored < 100_000, "{stored} bytes");
    let store = Store::open(Arc::new(memory)).unwrap();
    assert!(store.checkpoint(1).unwrap().load(&EntryPath::root()).unwrap() == state);
}
