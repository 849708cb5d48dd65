//! What is saved can be loaded: arrays of all types and texts, twice, so that differences between the
//! checkpoints are stored too.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rekindle::records::About;
use rekindle::storage::MemoryStorage;
use rekindle::tree::{Array, DType, Scalar};
use rekindle::upkeep::Depth;
use rekindle::{Compression, EntryPath, Node, Store, Tree, Writer};
use rekindle_fuzz::{take_u8, take_u16};

const DTYPES: [DType; 12] = [
    DType::I8,
    DType::I16,
    DType::I32,
    DType::I64,
    DType::U8,
    DType::U16,
    DType::U32,
    DType::U64,
    DType::F16,
    DType::BF16,
    DType::F32,
    DType::F64,
];

/// An array of `len` elements that repeats `pattern`, and a few other nodes.
fn state(dtype: DType, len: usize, pattern: &[u8]) -> Tree {
    let bytes = pattern.iter().chain(&[0]).copied().cycle().take(len * dtype.size()).collect();
    let array = Array::new(dtype, vec![len as u64], bytes).expect("the length fits");
    let text = Node::Scalar(Scalar::Str(String::from_utf8_lossy(pattern).into_owned()));
    let optional = pattern.iter().map(|&byte| match byte % 3 {
        0 => Node::Null,
        1 => Node::Some(Box::new(Node::Null)),
        _ => Node::Scalar(Scalar::U8(byte)),
    });
    let field = |name: &str, node| (name.to_owned(), node);
    Node::Struct(vec![
        field("array", Node::Array(array)),
        field("text", text),
        field("list", Node::List(optional.collect())),
    ])
}

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let dtype = DTYPES[usize::from(take_u8(&mut input)) % DTYPES.len()];
    let len = take_u16(&mut input);
    let cut = take_u16(&mut input).min(input.len());
    let (first, second) = input.split_at(cut);
    let states = [(1, state(dtype, len, first)), (2, state(dtype, len, second))];
    let memory = Arc::new(MemoryStorage::new());
    let mut store = Writer::create(memory.clone(), "", None, "fuzz").expect("memory can be written");
    store.set_compression(Compression::Small);
    for (step, tree) in &states {
        let mut save = store.save().expect("memory can be written");
        let arrays =
            &mut |path: &EntryPath, array: &Array| save.array(path, array.kind().clone(), array.data());
        let stored = tree.try_map_arrays(arrays).expect("memory can be written");
        save.commit(*step, &stored, About::default(), &[]).expect("memory can be written");
    }
    drop(store);
    let store = Store::open(memory).expect("it was written here");
    let report = store.verify(Depth::Full).expect("memory can be listed");
    assert!(report.damage.is_empty() && report.valid == [1, 2], "{report:?}");
    for (step, tree) in &states {
        let loaded = store.checkpoint(*step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
        assert!(loaded.expect("it is valid") == *tree);
    }
});
