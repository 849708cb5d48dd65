//! A process dies while it writes: after any single operation on the disk, and in the middle of
//! any write. Whatever the moment, every checkpoint whose save had returned still loads, the run
//! opens, and a new writer can go on.

use std::sync::Arc;

use crate::common::{save, state};
use rekindle_store::storage::FileStorage;
use rekindle_store::storage::sim::{Operation, SimDisk};
use rekindle_store::{Depth, EntryPath, Retention, Writer, state_hash};

fn storage(disk: &SimDisk) -> Arc<FileStorage<SimDisk>> {
    Arc::new(FileStorage::on(disk.clone(), "run"))
}

/// The disks that a crash after `count` operations can leave: with the last write whole, and cut.
fn images(log: &[Operation], count: usize) -> Vec<SimDisk> {
    let mut images = vec![SimDisk::replay(&log[..count])];
    if let Some((Operation::Write(path, bytes), before)) = log[..count].split_last() {
        let half = Operation::Write(path.clone(), bytes[..bytes.len() / 2].to_vec());
        images.push(SimDisk::replay(&[before, &[half]].concat()));
    }
    images
}

/// Every checkpoint in `committed` loads with its state, and the run can be written again.
fn survives(disk: &SimDisk, committed: &[u64], moment: &str) {
    let Ok(mut store) = Writer::open(storage(disk), "after the crash") else {
        assert!(committed.is_empty(), "{moment}: the run does not open");
        Writer::create(storage(disk), "", None, "after the crash").expect("the place can be used");
        return;
    };
    for &step in committed {
        let loaded = store.checkpoint(step).and_then(|checkpoint| checkpoint.load(&EntryPath::root()));
        let loaded = loaded.unwrap_or_else(|error| panic!("{moment}: step {step}: {error}"));
        assert_eq!(state_hash(&loaded), state_hash(&state(step)), "{moment}");
    }
    let report = store.verify(Depth::Full).unwrap();
    assert!(report.damage.is_empty(), "{moment}: {:?}", report.damage);
    let next = store.steps().last().map_or(0, |step| step + 1);
    save(&mut store, next, &state(next)).unwrap_or_else(|error| panic!("{moment}: {error}"));
}

/// Crashes at every operation of `work`; the steps in `before` are committed when it begins, of
/// which `work` may delete those in `deletes`. Gives the number of crash images.
fn crash_everywhere(before: &[u64], deletes: &[u64], work: impl Fn(&mut Writer)) -> usize {
    let disk = SimDisk::new();
    let mut store = Writer::create(storage(&disk), "", None, "story").unwrap();
    for &step in before {
        save(&mut store, step, &state(step)).unwrap();
    }
    let start = disk.log().len();
    work(&mut store);
    let log = disk.log();
    let kept: Vec<u64> = before.iter().copied().filter(|step| !deletes.contains(step)).collect();
    let mut count = 0;
    for end in start..=log.len() {
        for (variant, image) in images(&log, end).iter().enumerate() {
            survives(image, &kept, &format!("operation {end} of {}, variant {variant}", log.len()));
            count += 1;
        }
    }
    count
}

#[test]
fn first_save() {
    let disk = SimDisk::new();
    let mut store = Writer::create(storage(&disk), "", None, "story").unwrap();
    save(&mut store, 0, &state(0)).unwrap();
    let log = disk.log();
    for end in 0..log.len() {
        for image in images(&log, end) {
            survives(&image, &[], &format!("operation {end} of {}", log.len()));
        }
    }
    survives(&SimDisk::replay(&log), &[0], "after the save");
}

#[test]
fn a_later_save() {
    let count = crash_everywhere(&[0, 1, 2], &[], |store| {
        save(store, 3, &state(3)).unwrap();
    });
    assert!(count > 10, "only {count} crash images");
}

#[test]
fn save_and_prune() {
    let keep_one = Retention { keep_last: Some(1), ..Retention::default() };
    for grace in [0, 3600] {
        let count = crash_everywhere(&[0, 1, 2], &[0, 1, 2], |store| {
            save(store, 3, &state(3)).unwrap();
            let pruned = store.prune(&keep_one, None, grace).unwrap();
            assert_eq!(pruned.plan.delete.len(), 3);
        });
        assert!(count > 15, "only {count} crash images");
    }
}

#[test]
fn save_is_lost_only_while_it_has_not_returned() {
    let disk = SimDisk::new();
    let mut store = Writer::create(storage(&disk), "", None, "story").unwrap();
    for step in 0..5 {
        save(&mut store, step, &state(step)).unwrap();
        let steps: Vec<u64> = (0..=step).collect();
        survives(&SimDisk::replay(&disk.log()), &steps, "after a save that returned");
    }
}

#[test]
fn tagging_and_discarding() {
    crash_everywhere(&[0, 1, 2], &[2], |store| {
        store.set_tag("first", 0, false).unwrap();
        store.set_tag("first", 1, true).unwrap();
        store.delete_tag("first").unwrap();
        store.discard_after(1).unwrap();
    });
}
