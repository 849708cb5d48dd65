//! Types with a catch: each works, or is refused at the first save that shows it, with the entry and the
//! remedy named.

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use rekindle::storage::MemoryStorage;
use rekindle::{CaptureError, Policy, Resumed, Run, RunOptions, Saving, WhenBusy};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

fn run_in(memory: &MemoryStorage) -> Run {
    let options = RunOptions::new().policy(Policy { every_steps: Some(1), ..Policy::default() });
    match options.clone().open_in(Arc::new(memory.clone())) {
        Ok(run) => run,
        Err(_) => options.create_in(Arc::new(memory.clone())).unwrap(),
    }
}

fn run() -> Run {
    run_in(&MemoryStorage::new())
}

fn first_save<T: Serialize + DeserializeOwned>(state: &T) -> Result<(), CaptureError> {
    run().save(1, state).map(drop)
}

fn message<T: Serialize + DeserializeOwned>(state: &T) -> String {
    first_save(state).unwrap_err().to_string()
}

/// A map that keeps the order of insertion, as `IndexMap` does.
#[derive(Default, Clone, PartialEq, Debug)]
struct InOrder(Vec<(String, u32)>);

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = InOrder;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn in_order(keys: &[&str]) -> InOrder {
    InOrder(keys.iter().zip(0..).map(|(key, value)| ((*key).to_owned(), value)).collect())
}

#[derive(Serialize, Deserialize)]
struct With<T> {
    #[serde(bound(deserialize = "T: Deserialize<'de>"))]
    entry: T,
    /// Larger than what is compared byte by byte.
    #[serde(with = "rekindle::array")]
    weights: Vec<f32>,
}

fn small<T>(entry: T) -> With<T> {
    With { entry, weights: vec![1.0; 10] }
}

fn large<T>(entry: T) -> With<T> {
    With { entry, weights: vec![1.0; 9 << 20] }
}

#[test]
fn a_map_that_keeps_an_order_is_refused_whatever_the_size_of_the_state() {
    for state in [small(in_order(&["b", "a"])), large(in_order(&["b", "a"]))] {
        let message = message(&state);
        assert!(message.contains("`entry`") && message.contains("list of pairs"), "{message}");
    }
    first_save(&small(in_order(&["a", "b"]))).unwrap();
}

#[test]
fn a_map_without_an_order_is_saved() {
    for round in 0..50 {
        let map: HashMap<String, u32> = (0..2).map(|i| (format!("{round}-{i}"), i)).collect();
        first_save(&small(map)).unwrap();
    }
    let many: HashMap<u64, u32> = (0..1000).map(|i| (i * 7919, 1)).collect();
    first_save(&large(many)).unwrap();
}

#[test]
fn a_sequence_without_an_order_is_refused_by_name() {
    let words: HashSet<String> = (0..100).map(|i| i.to_string()).collect();
    let numbers: HashSet<u32> = (0..100).collect();
    let heap: BinaryHeap<u32> = [5, 1, 8, 3, 9, 2, 7, 4, 6, 0].into();
    let scrambled: BinaryHeap<u32> = {
        let mut heap = heap.clone();
        heap.pop();
        heap.push(1);
        heap
    };
    for message in [message(&small(words)), message(&small(numbers))] {
        assert!(message.contains("`entry`") && message.contains("BTreeSet"), "{message}");
    }
    // A heap comes back as it was, or is refused by name: never as another one.
    if let Err(error) = first_save(&small(scrambled)) {
        assert!(matches!(error, CaptureError::SequenceDoesNotComeBack { .. }), "{error}");
    }
}

#[test]
fn what_was_empty_at_first_is_looked_at_when_it_is_filled() {
    for saving in [Saving::Blocking, Saving::Background(WhenBusy::Wait)] {
        let mut run = run();
        run.set_saving(saving);
        let mut state = small(HashSet::<String>::new());
        run.checkpoint_now(1, &state).unwrap();
        state.entry.extend((0..100).map(|i| i.to_string()));
        let refused = run.checkpoint_now(2, &state).and_then(|_| run.wait());
        assert!(matches!(refused, Err(CaptureError::SequenceDoesNotComeBack { .. })), "{refused:?}");
        assert_eq!(run.store().steps(), [1], "the checkpoint was withdrawn");
    }
}

#[test]
fn an_option_that_serde_leaves_out_fits_in_both_directions() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Default)]
    struct State {
        step: u64,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        best: Option<f32>,
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        losses: Vec<f32>,
    }
    let absent = State::default();
    let present = State { step: 3, best: Some(0.5), losses: vec![1.0, 2.0] };
    for (saved, fresh) in [(&present, &absent), (&absent, &present), (&present, &present)] {
        let memory = MemoryStorage::new();
        let mut run = run_in(&memory);
        run.resume(&mut absent.clone()).unwrap();
        run.save(3, saved).unwrap();
        drop(run);
        let mut state = fresh.clone();
        let resumed: Resumed = run_in(&memory).resume(&mut state).unwrap();
        assert_eq!((resumed.step, &state), (Some(3), saved));
    }
}

#[test]
fn a_field_that_is_really_missing_still_does_not_fit() {
    #[derive(Serialize, Deserialize)]
    struct Old {
        lr: f32,
    }
    #[derive(Serialize, Deserialize)]
    struct New {
        #[serde(default)]
        learning_rate: f32,
    }
    let memory = MemoryStorage::new();
    run_in(&memory).save(1, &Old { lr: 0.5 }).unwrap();
    let refused = run_in(&memory).resume(&mut New { learning_rate: 0.1 }).unwrap_err().to_string();
    assert!(refused.contains("learning_rate") && refused.contains("lr"), "{refused}");
}

#[test]
fn a_sequence_that_grows_is_refused_at_the_save_at_which_it_has_grown() {
    #[derive(Serialize, Deserialize)]
    struct State {
        losses: Vec<f32>,
        #[serde(with = "rekindle::growing")]
        marked: Vec<f32>,
    }
    let mut state = State { losses: vec![0.0; 3], marked: vec![0.0; 3] };
    let mut run = run();
    run.resume(&mut state).unwrap();
    state.losses.push(1.0);
    state.marked.push(1.0);
    let refused = run.save(1, &state).unwrap_err().to_string();
    assert!(refused.contains("`losses`") && refused.contains("rekindle::growing"), "{refused}");
    assert!(!refused.contains("`marked`"), "{refused}");
    assert!(run.store().steps().is_empty());
    state.losses.pop();
    run.save(1, &state).unwrap();
}

#[test]
fn a_type_that_loses_something_is_found_in_a_state_of_any_size() {
    /// Comes back as something else every time.
    #[derive(Clone, Copy, PartialEq)]
    struct Lossy(f64);
    impl Serialize for Lossy {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_f64(self.0 * 0.5)
        }
    }
    impl<'de> Deserialize<'de> for Lossy {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            f64::deserialize(deserializer).map(Lossy)
        }
    }
    for refused in [first_save(&small(Lossy(3.0))), first_save(&large(Lossy(3.0)))] {
        assert!(matches!(refused, Err(CaptureError::DoesNotComeBack { .. })), "{refused:?}");
    }
    first_save(&large(BTreeMap::from([(1u8, "one".to_owned())]))).unwrap();
}

#[test]
fn a_panic_while_saving_in_the_background_is_told_and_keeps_the_lease() {
    #[derive(Deserialize, Default)]
    struct Panics {
        armed: bool,
    }
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            // The form of the state is taken by the caller; only the writer has a name of its own.
            let in_background = std::thread::current().name().is_none();
            assert!(!(self.armed && in_background), "this state cannot be saved");
            serde::Serialize::serialize(&BTreeMap::from([("armed", self.armed)]), serializer)
        }
    }
    for when in [WhenBusy::Wait, WhenBusy::Skip] {
        let memory = MemoryStorage::new();
        let mut run = run_in(&memory);
        run.set_saving(Saving::Background(when));
        run.checkpoint_now(1, &Panics::default()).unwrap();
        run.checkpoint_shared(2, &Arc::new(Panics { armed: true })).unwrap();
        let told = run.wait().unwrap_err();
        assert!(told.to_string().contains("this state cannot be saved"), "{told}");
        assert!(RunOptions::new().open_in(Arc::new(memory)).is_err(), "the lease is still held");
        assert!(run.save(3, &Panics::default()).is_err());
        assert_eq!(run.store().steps(), [1]);
    }
}

fn losses(value: f64) -> BTreeMap<String, f64> {
    [("loss".to_owned(), value)].into()
}

#[test]
fn the_last_save_is_tried_after_one_that_failed_and_its_rows_are_kept() {
    let memory = MemoryStorage::new();
    let mut run = run_in(&memory);
    run.set_saving(Saving::Background(WhenBusy::Wait));
    let good = vec![1.0f32; 3];
    run.log(1, &losses(3.0));
    run.checkpoint_now(1, &good).unwrap();
    run.log(2, &losses(2.0));
    run.checkpoint_now(2, &vec![1.0f32; 4]).unwrap();
    run.log(3, &losses(1.0));
    run.finish(&good).unwrap();
    let store = rekindle::Store::open(Arc::new(memory)).unwrap();
    let (rows, damage) = store.history(store.checkpoint(2).unwrap().record());
    let steps: Vec<u64> = rows.iter().filter_map(|row| row["step"].as_u64()).collect();
    assert_eq!((steps, damage), (vec![1, 2, 3], None));
}

#[test]
fn a_busy_writer_is_waited_for_when_the_state_is_the_best() {
    #[derive(Deserialize)]
    struct Slow;
    impl Serialize for Slow {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if std::thread::current().name().is_none() {
                std::thread::sleep(std::time::Duration::from_millis(300));
            }
            serializer.serialize_unit_struct("Slow")
        }
    }
    let mut run = run();
    let best = rekindle::Best { metric: "loss".to_owned(), goal: rekindle::Goal::Min };
    run.set_policy(Policy { best: Some(best), ..run.policy().clone() });
    run.set_saving(Saving::Background(WhenBusy::Skip));
    run.set_metrics(1, &losses(5.0));
    run.checkpoint_now(1, &Slow).unwrap();
    run.checkpoint_shared(2, &Arc::new(Slow)).unwrap();
    run.set_metrics(3, &losses(6.0));
    assert_eq!(run.checkpoint_now(3, &Slow).unwrap(), rekindle::Outcome::SkippedBusy);
    run.set_metrics(4, &losses(4.0));
    assert_eq!(run.checkpoint_now(4, &Slow).unwrap(), rekindle::Outcome::InBackground);
    run.wait().unwrap();
    assert_eq!(run.store().steps(), [1, 2, 4]);
}
