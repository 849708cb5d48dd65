//! A file of tensors becomes a run a few MiB at a time, however long its tensors are.

use std::cell::Cell;
use std::sync::Arc;

use rekindle::storage::{FileStorage, Storage};
use rekindle::tree::{Array, DType};
use rekindle::{EntryPath, Node, Writer};
use rekindle_formats::detect;
use rekindle_reliability::allocation::peak_of;

use crate::{alone, holds_in_some_try};

/// Numbers in the tensor: 96 MiB.
const NUMBERS: u64 = 24 << 20;
/// A buffer for the elements, two packs on their way, and what encodes a few chunks.
const LIMIT: usize = 32 << 20;

/// A safetensors file as another program writes it, of one long tensor and a short one.
fn file() -> Vec<u8> {
    let (long, short) = (4 * NUMBERS, 12);
    let header = format!(
        r#"{{"long":{{"dtype":"F32","shape":[{NUMBERS}],"data_offsets":[0,{long}]}},"short":{{"dtype":"F32","shape":[3],"data_offsets":[{long},{}]}}}}"#,
        long + short
    );
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    let mut stream = rekindle_compute::rng::stream(1, 2, 3);
    bytes.extend((0..NUMBERS + 3).flat_map(|_| stream.uniform().to_le_bytes()));
    bytes
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test makes the file")]
fn a_long_tensor_is_never_in_memory_as_a_whole() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let bytes = file();
    std::fs::write(&path, &bytes).unwrap();
    let number = Cell::new(0);
    let import = || {
        number.set(number.get() + 1);
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(dir.path().join(number.get().to_string())));
        let format = detect(rekindle_formats::FORMATS, &path).unwrap();
        let make = &mut |_: &_| Writer::create(Arc::clone(&storage), "", None, "import");
        let peak = peak_of(|| drop(format.import(&path, make).unwrap())).1;
        (storage, peak)
    };
    let (storage, _) = import();
    let store = rekindle::Store::open(storage).unwrap();
    let Node::Array(array) =
        store.checkpoint(0).unwrap().load(&"long".parse::<EntryPath>().unwrap()).unwrap()
    else {
        panic!("a tensor is an array")
    };
    let data = &bytes[bytes.len() - 4 * (NUMBERS as usize + 3)..bytes.len() - 12];
    assert_eq!(array, Array::new(DType::F32, vec![NUMBERS], data.to_vec()).unwrap());
    drop((store, array));
    holds_in_some_try(|| {
        let peak = import().1;
        if peak <= LIMIT { Ok(()) } else { Err(format!("{peak} bytes, at most {LIMIT} are allowed")) }
    });
}
