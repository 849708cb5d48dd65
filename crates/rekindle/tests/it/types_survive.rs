//! Any serde type is training state, and comes back exactly: numbers beyond what JSON can hold,
//! bit patterns of floats, keys that are no strings, nested options, enums, growing arrays. A type
//! that loses something is found at the first checkpoint.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use proptest::prelude::*;
use rekindle::storage::MemoryStorage;
use rekindle::tree::Scalar;
use rekindle::{CaptureError, EntryPath, Matrix, Node, RunOptions, from_tree, hash_of, to_tree};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Saves a value, loads it, and checks that it is the same state.
fn survives<T: Serialize + DeserializeOwned>(value: &T, empty: T) -> T {
    let storage = Arc::new(MemoryStorage::new());
    let mut run = RunOptions::new().create_in(storage.clone()).unwrap();
    run.save(1, value).unwrap();
    drop(run);
    let mut run = RunOptions::new().open_in(storage).unwrap();
    let mut back = empty;
    run.resume(&mut back).unwrap();
    assert_eq!(hash_of(&back).unwrap(), hash_of(value).unwrap());
    back
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Phase {
    Warmup,
    Decay(f32),
    Mixed(u8, String),
    Cosine { from: f64, steps: Vec<u16> },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Everything {
    big: u64,
    huge: u128,
    negative: i128,
    minus_zero: f32,
    infinite: f64,
    flags: Vec<bool>,
    empty: Vec<f64>,
    nested: Vec<Vec<f32>>,
    pair: (u8, String),
    triple: [i16; 3],
    unit: (),
    maybe: Option<Option<u8>>,
    letter: char,
    phases: Vec<Phase>,
    by_number: HashMap<i32, Vec<u8>>,
    by_char: BTreeMap<char, Option<String>>,
    text: String,
}

fn everything() -> Everything {
    Everything {
        big: u64::MAX,
        huge: u128::MAX - 1,
        negative: i128::MIN,
        minus_zero: -0.0,
        infinite: f64::NEG_INFINITY,
        flags: vec![true, false, true],
        empty: Vec::new(),
        nested: vec![vec![1.0], vec![], vec![2.0, 3.0]],
        pair: (7, "x".to_owned()),
        triple: [-1, 0, 1],
        unit: (),
        maybe: Some(None),
        letter: 'é',
        phases: vec![
            Phase::Warmup,
            Phase::Decay(0.5),
            Phase::Mixed(1, "m".to_owned()),
            Phase::Cosine { from: 1.0, steps: vec![1, 2] },
        ],
        by_number: (0..50).map(|i| (i * 7 - 100, vec![i as u8; i as usize])).collect(),
        by_char: [('b', None), ('a', Some("A".to_owned()))].into(),
        text: "long ".repeat(1000),
    }
}

#[test]
fn every_kind_of_field() {
    let value = everything();
    // The sequences of the fresh value differ in length, so that only the file can tell them.
    let back = survives(&value, value.clone());
    assert_eq!(back, value);
    assert!(back.minus_zero.is_sign_negative());
}

#[test]
fn nan_payloads_survive() {
    let payload = f32::from_bits(0x7fc0_1234);
    let back = survives(&(payload, vec![payload, 1.0]), (0.0, vec![0.0, 0.0]));
    assert_eq!((back.0.to_bits(), back.1[0].to_bits()), (0x7fc0_1234, 0x7fc0_1234));
}

#[test]
fn the_state_of_a_generator_survives() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    (0..17).for_each(|_| {
        rng.next_u32();
    });
    let mut back = survives(&rng, ChaCha8Rng::seed_from_u64(0));
    assert_eq!(back.next_u64(), rng.next_u64());
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Arrays {
    #[serde(with = "rekindle::array")]
    weights: Matrix<f32>,
    #[serde(with = "rekindle::growing")]
    embedding: Matrix<f32>,
    #[serde(with = "rekindle::array")]
    half: Vec<half::bf16>,
}

fn arrays(rows: usize) -> Arrays {
    let mut embedding = Matrix::zeros(rows, 3);
    embedding.as_mut_slice().iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
    Arrays { weights: Matrix::zeros(300, 500), embedding, half: vec![half::bf16::from_f32(1.5); 700] }
}

#[test]
fn marked_arrays_keep_their_shape_and_may_grow() {
    let back = survives(&arrays(9), arrays(4));
    assert_eq!(back, arrays(9));
    let tree = to_tree(&arrays(2)).unwrap();
    let Some(Node::Array(array)) = tree.at(&"weights".parse().unwrap()) else { panic!() };
    assert_eq!(array.kind().shape, [300, 500]);
}

#[test]
fn marked_arrays_are_plain_sequences_for_other_formats() {
    #[derive(Serialize, Deserialize)]
    struct Plain {
        #[serde(with = "rekindle::array")]
        values: Vec<i16>,
    }
    let text = serde_json::to_string(&Plain { values: vec![1, -2] }).unwrap();
    assert_eq!(text, r#"{"values":[1,-2]}"#);
    let back: Plain = serde_json::from_str(&text).unwrap();
    assert_eq!(back.values, [1, -2]);
}

#[test]
fn types_are_kept_exactly() {
    let tree = to_tree(&(1u32, vec![1u8], Vec::<f32>::new(), vec![vec![1u8]])).unwrap();
    let Node::List(items) = tree else { panic!() };
    assert_eq!(items[0], Node::Scalar(Scalar::U32(1)));
    assert!(matches!(&items[1], Node::Array(array) if array.kind().to_string() == "u8[1]"));
    assert_eq!(items[2], Node::List(Vec::new()));
    assert!(matches!(&items[3], Node::List(rows) if rows.len() == 1));
}

#[test]
fn the_order_of_a_hash_map_does_not_count() {
    let one: HashMap<u32, u32> = (0..100).map(|i| (i, i)).collect();
    let other: HashMap<u32, u32> = (0..100).rev().map(|i| (i, i)).collect();
    assert_eq!(hash_of(&one).unwrap(), hash_of(&other).unwrap());
}

#[derive(Serialize, Deserialize, Clone)]
#[serde(untagged)]
enum Untagged {
    Small(u8),
    Large(u64),
}

#[derive(Serialize, Deserialize, Clone)]
struct Lossy {
    kept: u8,
    choice: Untagged,
}

#[test]
fn a_type_that_cannot_come_back_is_found_at_the_first_checkpoint() {
    let storage = Arc::new(MemoryStorage::new());
    let mut run = RunOptions::new().create_in(storage).unwrap();
    // 5 as u64 comes back as u8: the first variant that fits.
    let error = run.save(0, &Lossy { kept: 1, choice: Untagged::Large(5) }).unwrap_err();
    let CaptureError::DoesNotComeBack { path } = &error else { panic!("{error}") };
    assert_eq!(path.to_string(), "choice");
    assert!(run.store().steps().is_empty(), "the checkpoint was withdrawn");
}

#[test]
fn what_no_tree_can_hold_is_named() {
    let keys: BTreeMap<&str, HashMap<(u8, u8), u8>> = [("table", [((1, 2), 3)].into())].into();
    let message = to_tree(&keys).unwrap_err().to_string();
    assert!(message.contains("`table`") && message.contains("list of pairs"), "{message}");
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,40}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            proptest::collection::btree_map(".{0,5}", inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_self_describing_value_round_trips(value in json()) {
        let tree = to_tree(&value).unwrap();
        let back: serde_json::Value = from_tree(&tree).unwrap();
        prop_assert_eq!(to_tree(&back).unwrap(), tree);
    }

    #[test]
    fn any_numbers_survive_a_save(numbers in proptest::collection::vec(any::<u32>(), 0..2000), text in ".{0,50}") {
        let value: BTreeMap<String, Vec<f32>> =
            [(text, numbers.iter().map(|bits| f32::from_bits(*bits)).collect())].into();
        let back = survives(&value, BTreeMap::new());
        let bits = |map: &BTreeMap<String, Vec<f32>>| -> Vec<u32> {
            map.values().flatten().map(|x| x.to_bits()).collect()
        };
        prop_assert_eq!(bits(&back), bits(&value));
    }
}

#[test]
fn a_part_can_be_loaded_alone() {
    let storage = Arc::new(MemoryStorage::new());
    let mut run = RunOptions::new().create_in(storage.clone()).unwrap();
    run.save(3, &arrays(5)).unwrap();
    let store = rekindle::Store::open(storage).unwrap();
    let path: EntryPath = "embedding".parse().unwrap();
    let Node::Array(part) = store.checkpoint(3).unwrap().load(&path).unwrap() else { panic!() };
    assert_eq!(part.kind().shape, [5, 3]);
    let missing: EntryPath = "embeding".parse().unwrap();
    let message = store.checkpoint(3).unwrap().load(&missing).unwrap_err().to_string();
    assert!(message.contains("did you mean `embedding`?"), "{message}");
}
