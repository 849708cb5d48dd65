//! The stories that are crashed and made to fail: a table of what a run goes through.
//!
//! A row is a name, what is there before, and the work itself. Whoever adds an operation to the
//! engine adds a row to [`WORKLOADS`]; crash images and failing calls then cover it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rekindle::records::{Row, StoredSignature};
use rekindle::storage::sim::SimDisk;
use rekindle::storage::{Disk, FileStorage, MemoryStorage, Storage};
use rekindle::upkeep::{Unreadable, copy_objects, put_wrapped_key};
use rekindle::{
    Access, DataKey, EntryPath, Node, Policy, Retention, Run, RunOptions, Saving, Store, Tree, Versions,
    WhenBusy, Writer, to_tree,
};
use serde::{Deserialize, Serialize};

use crate::packs;
use crate::sample::{Failure, Training, drifting, noise, other_state, rotating_state, save, state};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// What the report calls it.
    pub name: &'static str,
    /// What is on the disk when the work begins; none of it is crashed.
    pub prepare: fn(&mut Story) -> Result<(), Failure>,
    /// Opens the run as the work needs it.
    pub begin: fn(&mut Story) -> Result<(), Failure>,
    /// The work.
    pub act: fn(&mut Story) -> Result<(), Failure>,
}

/// All of them.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "first save",
        prepare: |_| Ok(()),
        begin: nothing,
        act: |story| {
            story.create()?;
            story.save(1)
        },
    },
    Workload {
        name: "n-th save",
        prepare: |story| story.run_of(3),
        begin: Story::reopen,
        act: |story| story.save(3),
    },
    Workload {
        name: "save and prune",
        prepare: |story| story.run_of(3),
        begin: Story::reopen,
        act: |story| {
            story.save(3)?;
            story.prune(1, 0)
        },
    },
    Workload {
        name: "save and prune with grace",
        prepare: |story| story.run_of(5),
        begin: Story::reopen,
        act: |story| {
            story.prune(1, 3600)?;
            story.save(8)
        },
    },
    Workload {
        name: "save what was condemned",
        prepare: |story| {
            story.run_of(4)?;
            story.prune(1, 3600)
        },
        begin: Story::reopen,
        act: |story| {
            story.save(4)?;
            story.save(5)?;
            story.prune(1, 0)
        },
    },
    Workload {
        name: "tag set, moved, deleted",
        prepare: |story| story.run_of(2),
        begin: Story::reopen,
        act: |story| {
            story.tag("good", Some(0))?;
            story.tag("good", Some(1))?;
            story.tag("good", None)
        },
    },
    Workload {
        name: "discard later ones and save others",
        prepare: |story| story.run_of(4),
        begin: Story::reopen,
        act: |story| {
            story.discard_after(1)?;
            story.save_as(2, other_state(2))
        },
    },
    Workload {
        name: "import",
        prepare: |story| story.create(),
        begin: Story::reopen,
        act: |story| {
            let mut from = Writer::create(Arc::new(MemoryStorage::new()), "", None, "source")?;
            for step in [5, 6] {
                save(&mut from, step, &state(step))?;
                story.copy(&from, step)?;
            }
            Ok(())
        },
    },
    Workload {
        name: "migration",
        prepare: |story| {
            let options = RunOptions::new().versions(Versions::new("net", 1)).policy(keep_all());
            let mut run = options.create_in(story.access())?;
            story.created();
            for step in [1, 2] {
                let state = Old { step, lr: 0.5, weights: vec![step as f32; 300] };
                story.save_in_run(&mut run, step, &state)?;
            }
            Ok(())
        },
        begin: nothing,
        act: |story| {
            let versions = Versions::new("net", 2).migration(1, renamed);
            let mut run = RunOptions::new().versions(versions).policy(keep_all()).open_in(story.access())?;
            let mut state = New { step: 0, learning_rate: 0.0, weights: vec![0.0; 300] };
            let resumed = run.resume(&mut state)?;
            if resumed.step != Some(2) {
                return Err(format!("resumed at {:?}, not at step 2", resumed.step).into());
            }
            state.step = 3;
            let saved = story.save_in_run(&mut run, 3, &state);
            story.writer = Some(Opened::Run(Box::new(run)));
            saved
        },
    },
    Workload {
        name: "a training that keeps the last two",
        prepare: |_| Ok(()),
        begin: nothing,
        act: |story| {
            story.create()?;
            for step in 0..8 {
                story.save(step)?;
                story.prune(2, 0)?;
            }
            Ok(())
        },
    },
    Workload {
        name: "a save that a thread writes",
        prepare: |story| story.run_of(1),
        begin: Story::reopen,
        act: |story| story.save_as(1, large_state()),
    },
    Workload {
        name: "collect packs that nothing needs",
        prepare: |story| {
            story.run_of(2)?;
            story.save_as(2, unshared_state(2))?;
            story.save_as(3, unshared_state(3))?;
            story.discard_after(1)
        },
        begin: Story::reopen,
        act: |story| story.gc(0),
    },
    Workload {
        name: "collect with grace, save, collect",
        prepare: |story| {
            story.run_of(2)?;
            story.save_as(2, unshared_state(2))?;
            story.discard_after(1)
        },
        begin: Story::reopen,
        act: |story| {
            story.gc(3600)?;
            story.save_as(2, unshared_state(2))?;
            story.gc(0)
        },
    },
    Workload {
        name: "rewrite packs of which little is needed",
        prepare: |story| {
            story.run_of(6)?;
            story.prune(1, 3600)?;
            story.save(6)
        },
        begin: Story::reopen,
        act: |story| {
            story.gc(0)?;
            story.save(7)
        },
    },
    Workload {
        name: "encrypt",
        prepare: |story| {
            story.encrypt_with(Some(DataKey::from_bytes([7; 32])));
            Ok(())
        },
        begin: nothing,
        act: |story| {
            let from = plain_run_of(3)?;
            put_wrapped_key(&**story.access().storage(), b"a key that is wrapped")?;
            story.create()?;
            story.copy_run(&Store::open(from)?)?;
            story.save(3)?;
            story.gc(0)?;
            story.save(4)
        },
    },
    Workload {
        name: "repair a chunk",
        prepare: |story| story.run_with_damage(|pack| 8 + pack / 20),
        begin: Story::reopen,
        act: Story::repair,
    },
    Workload {
        name: "repair the index of a pack",
        prepare: |story| story.run_with_damage(|pack| pack - packs::END + 1),
        begin: Story::reopen,
        act: |story| {
            story.repair()?;
            match story.expected().must.len() {
                4 => story.save(4),
                left => Err(format!("of 4 checkpoints that could be saved, {left} were").into()),
            }
        },
    },
    Workload {
        name: "notes and a signature",
        prepare: |story| story.run_of(3),
        begin: Story::reopen,
        act: |story| {
            story.note(None, "of the run")?;
            story.note(Some(2), "the first one")?;
            story.note(Some(2), "another")?;
            story.sign(2)?;
            story.note(None, "")?;
            story.discard_after(1)?;
            story.save_as(2, other_state(2))
        },
    },
    Workload {
        name: "what is measured after the save",
        prepare: |story| story.run_of(2),
        begin: Story::reopen,
        act: |story| {
            story.amend(1)?;
            story.save(2)?;
            story.amend(2)?;
            story.prune(1, 0)
        },
    },
    Workload {
        name: "saving in the background",
        prepare: Story::begin_training,
        begin: Story::open_training,
        act: Story::train,
    },
    Workload {
        name: "a training whose packs are compacted between saves",
        prepare: |story| story.pruned_training(0),
        begin: |story| story.count_prunings(0),
        act: |story| story.train_over_compaction(0),
    },
    Workload {
        name: "the same with grace, then collected",
        prepare: |story| story.pruned_training(3600),
        begin: |story| story.count_prunings(3600),
        act: |story| {
            story.train_over_compaction(3600)?;
            story.gc(0)
        },
    },
    Workload {
        name: "collect after a return to an earlier state",
        prepare: Story::returned,
        begin: Story::reopen,
        act: |story| {
            story.gc(0)?;
            story.save(100)
        },
    },
    Workload {
        name: "copy to another directory",
        prepare: |story| {
            story.past.copied_from = Some(plain_run_of(3)?);
            Ok(())
        },
        begin: nothing,
        act: |story| {
            story.copy_objects()?;
            story.reopen()?;
            story.save(3)
        },
    },
];

fn nothing(_: &mut Story) -> Result<(), Failure> {
    Ok(())
}

/// A state whose pack is so long that a thread writes it.
fn large_state() -> Tree {
    Node::Struct(vec![("large".to_owned(), noise(300_000, 1)), ("small".to_owned(), noise(300, 2))])
}

/// A state of which no chunk is that of another.
fn unshared_state(step: u64) -> Tree {
    Node::List(vec![noise(300, 500 + step), drifting(400, 500 + step, 1)])
}

/// The pruning between saves that compacts packs.
const COMPACTED_AT: u64 = 16;
/// Checkpoints until an array that drifts is stored in full again, and differences follow that.
const RETURNS_AFTER: u64 = 11;

/// Where [`plain_run_of`] puts a tag and a note.
const MARKED: u64 = 1;

/// A run in memory.
fn plain_run_of(steps: u64) -> Result<Arc<dyn Storage>, Failure> {
    let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let mut store = Writer::create(Arc::clone(&memory), "", None, "source")?;
    (0..steps).try_for_each(|step| save(&mut store, step, &state(step)).map(drop))?;
    store.set_tag("good", MARKED, false)?;
    store.set_note(Some(MARKED), "a note")?;
    Ok(memory)
}

/// A policy that keeps every checkpoint.
pub fn keep_all() -> Policy {
    Policy { retention: Retention::default(), ..Policy::default() }
}

/// A policy that keeps the newest checkpoints, and no pack for readers.
pub fn keep_last(count: u64) -> Policy {
    Policy { retention: newest(count), grace_seconds: 0, ..Policy::default() }
}

fn newest(count: u64) -> Retention {
    Retention { keep_last: Some(count), ..Retention::default() }
}

#[derive(Serialize, Deserialize)]
struct Old {
    step: u64,
    lr: f32,
    #[serde(with = "rekindle::array")]
    weights: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
struct New {
    step: u64,
    learning_rate: f32,
    #[serde(with = "rekindle::array")]
    weights: Vec<f32>,
}

fn renamed(tree: Tree) -> Result<Tree, String> {
    let Node::Struct(mut fields) = tree else { return Err("a struct was expected".to_owned()) };
    for field in &mut fields {
        if field.0 == "lr" {
            field.0 = "learning_rate".to_owned();
        }
    }
    Ok(Node::Struct(fields))
}

/// What happens to a run on a simulated disk, and what its caller was told when.
#[derive(Debug, Default)]
pub struct Story {
    /// The disk, which records every operation.
    pub disk: SimDisk,
    /// The writer that the story has open.
    pub writer: Option<Opened>,
    /// What happened, beside what the disk recorded.
    pub past: Past,
}

/// A run to begin stories with.
#[derive(Debug)]
pub struct Prepared {
    /// What is there.
    pub disk: SimDisk,
    /// What happened before.
    pub past: Past,
}

/// What is known of a story beside what is on its disk.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// The key of the run, if it is encrypted.
    key: Option<DataKey>,
    /// The run that this one is a copy of, object by object.
    copied_from: Option<Arc<dyn Storage>>,
    events: Vec<Event>,
}

/// How the run is written.
#[derive(Debug)]
pub enum Opened {
    /// By the engine.
    Writer(Box<Writer>),
    /// As a training loop does.
    Run(Box<Run>),
}

/// Something that was told or begun when `at` operations were done.
#[derive(Debug, Clone)]
struct Event {
    at: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Created,
    Saving(u64, Arc<Tree>),
    Saved(u64),
    Dropping(u64),
    Tagging(String, Option<u64>),
    Tagged(String),
    Noting(Option<u64>, Option<String>),
    Noted(Option<u64>),
    Signing(u64, String),
    Signed(u64),
    Damaged(u64),
    /// With the checkpoints that were set aside.
    Repaired(Vec<u64>),
}

/// What must be true of a run.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The caller was told that the run is made.
    pub created: bool,
    /// Checkpoints that must load: those whose save returned and whose deletion has not begun.
    pub must: BTreeMap<u64, Arc<Tree>>,
    /// What a checkpoint may hold if it is there: whatever a save of its step began with.
    pub may: BTreeMap<u64, Vec<Arc<Tree>>>,
    /// Where each tag may point.
    pub tags: BTreeMap<String, Vec<Option<u64>>>,
    /// What the note on the run, or on a checkpoint, may say.
    pub notes: BTreeMap<Option<u64>, Vec<Option<String>>>,
    /// What the signature of a checkpoint may be.
    pub signatures: BTreeMap<u64, Vec<Option<String>>>,
    /// Checkpoints that were damaged on purpose and are not repaired yet: they may not load.
    pub damaged: BTreeSet<u64>,
    /// The run that this one is a copy of, object by object.
    pub copied_from: Option<Arc<dyn Storage>>,
    key: Option<DataKey>,
}

/// Where the run lies on the disk.
const ROOT: &str = "run";

/// The run on a simulated disk; with a key it is encrypted.
pub fn access_on(disk: &SimDisk, key: Option<&DataKey>) -> Access {
    Access::new(Arc::new(FileStorage::on(disk.clone(), ROOT)), key.cloned())
}

impl Story {
    /// What must be true when so many operations were done.
    pub fn expected_at(&self, operations: usize) -> Expected {
        self.past.expected_at(operations)
    }

    /// What must be true now.
    pub fn expected(&self) -> Expected {
        self.expected_at(self.disk.operations())
    }

    /// The run on the story's disk.
    pub fn access(&self) -> Access {
        access_on(&self.disk, self.past.key.as_ref())
    }

    /// The engine under the writer that is open.
    pub fn store(&mut self) -> Option<&mut Writer> {
        self.writer.as_mut().map(|writer| match writer {
            Opened::Writer(store) => &mut **store,
            Opened::Run(run) => run.writer(),
        })
    }

    fn open_store(&mut self) -> Result<&mut Writer, Failure> {
        self.store().ok_or_else(|| "the story has no writer".into())
    }

    fn tell(&mut self, what: What) {
        let at = self.disk.operations();
        self.past.events.push(Event { at, what });
    }

    /// Tells that the run is made.
    pub fn created(&mut self) {
        self.tell(What::Created);
    }

    /// From now on the run is encrypted, if there is a key.
    pub fn encrypt_with(&mut self, key: Option<DataKey>) {
        self.past.key = key;
    }

    /// The key of the run, if it is encrypted.
    pub fn key(&self) -> Option<&DataKey> {
        self.past.key.as_ref()
    }

    fn create(&mut self) -> Result<(), Failure> {
        let store = Writer::create(self.access(), "", None, "story")?;
        self.writer = Some(Opened::Writer(Box::new(store)));
        self.created();
        Ok(())
    }

    /// A run with the checkpoints of so many steps from 0 on.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run_of(&mut self, steps: u64) -> Result<(), Failure> {
        self.create()?;
        (0..steps).try_for_each(|step| self.save(step))
    }

    /// Opens the run anew for writing, as a new process does.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn reopen(&mut self) -> Result<(), Failure> {
        self.writer = None;
        let store = Writer::open(self.access(), "story")?;
        self.writer = Some(Opened::Writer(Box::new(store)));
        Ok(())
    }

    /// Opens the run anew for writing, and does something with it.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn write(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Failure>) -> Result<(), Failure> {
        self.reopen()?;
        act(self)
    }

    /// Saves the state of a training, whose policy keeps so many checkpoints.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn train_in_run(&mut self, run: &mut Run, step: u64, kept: u64) -> Result<(), Failure> {
        self.drop_but(kept - 1);
        self.save_in_run(run, step, &Training::at(step))
    }

    /// Saves the usual state of `step`.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn save(&mut self, step: u64) -> Result<(), Failure> {
        self.save_as(step, state(step))
    }

    fn save_as(&mut self, step: u64, tree: Tree) -> Result<(), Failure> {
        self.tell(What::Saving(step, Arc::new(tree.clone())));
        save(self.open_store()?, step, &tree)?;
        self.tell(What::Saved(step));
        Ok(())
    }

    /// Saves in a run as a training loop does.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn save_in_run<T: Serialize + for<'a> Deserialize<'a>>(
        &mut self,
        run: &mut Run,
        step: u64,
        state: &T,
    ) -> Result<(), Failure> {
        self.tell(What::Saving(step, Arc::new(to_tree(state)?)));
        run.save(step, state)?;
        self.tell(What::Saved(step));
        Ok(())
    }

    fn copy(&mut self, from: &Store, step: u64) -> Result<(), Failure> {
        self.tell(What::Saving(step, Arc::new(state(step))));
        self.open_store()?.copy_checkpoint(&from.checkpoint(step)?)?;
        self.tell(What::Saved(step));
        Ok(())
    }

    /// Prunes to the newest checkpoints; tagged ones stay.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn prune(&mut self, keep_last: u64, grace: u64) -> Result<(), Failure> {
        self.drop_but(keep_last);
        self.open_store()?.prune(&newest(keep_last), None, grace)?;
        Ok(())
    }

    /// Prunes as a training does after a save; gives the bytes that were written anew.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn prune_between_saves(&mut self, keep_last: u64, grace: u64) -> Result<u64, Failure> {
        self.drop_but(keep_last);
        let pruned = self.open_store()?.prune_between_saves(&newest(keep_last), None, grace)?;
        match pruned.not_rewritten {
            None => Ok(pruned.rewritten_bytes),
            // A training goes on without the space; this story is about the compaction.
            Some(why) => Err(why.into()),
        }
    }

    /// Tells that all checkpoints go but the newest ones and the tagged ones.
    fn drop_but(&mut self, keep_last: u64) {
        let expected = self.expected();
        let tagged: BTreeSet<u64> = expected.tags.values().flatten().filter_map(|step| *step).collect();
        let steps: Vec<u64> = expected.must.into_keys().collect();
        let kept = steps.len().saturating_sub(keep_last as usize);
        let gone = steps[..kept].iter().filter(|step| !tagged.contains(step));
        gone.for_each(|&step| self.tell(What::Dropping(step)));
    }

    /// A training that has pruned after each of its saves.
    fn pruned_training(&mut self, grace: u64) -> Result<(), Failure> {
        self.create()?;
        (0..6).try_for_each(|step| self.save_and_prune(step, grace).map(drop))
    }

    /// Opens the run, and prunes so often that the next but one compacts packs.
    fn count_prunings(&mut self, grace: u64) -> Result<(), Failure> {
        self.reopen()?;
        (2..COMPACTED_AT).try_for_each(|_| self.prune_between_saves(2, grace).map(drop))
    }

    /// Goes on over the compaction.
    fn train_over_compaction(&mut self, grace: u64) -> Result<(), Failure> {
        let mut rewritten = 0;
        for step in 6..9 {
            rewritten += self.save_and_prune(step, grace)?;
        }
        if rewritten > 0 { Ok(()) } else { Err("no pack was compacted".into()) }
    }

    fn save_and_prune(&mut self, step: u64, grace: u64) -> Result<u64, Failure> {
        self.save_as(step, rotating_state(step))?;
        self.prune_between_saves(2, grace)
    }

    /// A run whose newest checkpoint has an array as a much earlier one had it: the pack of that one
    /// is there for another array, and its difference cannot be decoded any more.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn returned(&mut self) -> Result<(), Failure> {
        let large = noise(300_000, 1);
        let state = |moment: u64, large: Option<&Tree>| {
            let field = |name: &str, node| (name.to_owned(), node);
            let mut fields = vec![field("drifting", drifting(300, 1, moment))];
            fields.extend(large.map(|large| field("large", large.clone())));
            Node::Struct(fields)
        };
        self.create()?;
        self.save_as(1, state(1, None))?;
        (2..=RETURNS_AFTER).try_for_each(|step| self.save_as(step, state(step, Some(&large))))?;
        self.prune(1, 0)?;
        self.save_as(RETURNS_AFTER + 1, state(2, Some(&large)))
    }

    /// Deletes the checkpoints after `step`.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn discard_after(&mut self, step: u64) -> Result<(), Failure> {
        let later: Vec<u64> = self.open_store()?.steps().into_iter().filter(|&later| later > step).collect();
        later.iter().for_each(|&step| self.tell(What::Dropping(step)));
        self.open_store()?.discard_after(step)?;
        Ok(())
    }

    /// Sets a tag, or deletes it.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn tag(&mut self, name: &str, step: Option<u64>) -> Result<(), Failure> {
        self.tell(What::Tagging(name.to_owned(), step));
        let store = self.open_store()?;
        match step {
            Some(step) => store.set_tag(name, step, true)?,
            None => store.delete_tag(name)?,
        }
        self.tell(What::Tagged(name.to_owned()));
        Ok(())
    }

    /// Collects garbage.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn gc(&mut self, grace: u64) -> Result<(), Failure> {
        let collected = self.open_store()?.gc(grace)?;
        match collected.kept_because {
            // A read that fails keeps packs, and costs nothing else.
            Some(damage) if !damage.to_string().contains("cannot be read") => Err(damage.to_string().into()),
            _ => Ok(()),
        }
    }

    /// Writes a note on the run or on a checkpoint.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn note(&mut self, step: Option<u64>, text: &str) -> Result<(), Failure> {
        let value = Some(text.to_owned()).filter(|text| !text.is_empty());
        self.tell(What::Noting(step, value));
        self.open_store()?.set_note(step, text)?;
        self.tell(What::Noted(step));
        Ok(())
    }

    /// Adds a metric to the newest checkpoint, and a row to its history.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn amend(&mut self, step: u64) -> Result<(), Failure> {
        let metrics = [("measured".to_owned(), 0.5)].into();
        let row = Row::from_iter([("step".to_owned(), step.into()), ("measured".to_owned(), 0.5.into())]);
        self.open_store()?.amend(step, &metrics, &[row])?;
        Ok(())
    }

    /// Signs a checkpoint.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn sign(&mut self, step: u64) -> Result<(), Failure> {
        let signature = format!("a signature of {step}");
        self.tell(What::Signing(step, signature.clone()));
        let public_key = "a public key".to_owned();
        self.open_store()?.put_signature(step, &StoredSignature { public_key, signature })?;
        self.tell(What::Signed(step));
        Ok(())
    }

    /// Takes over a run, checkpoint by checkpoint.
    fn copy_run(&mut self, from: &Store) -> Result<(), Failure> {
        from.steps().into_iter().for_each(|step| self.tell(What::Saving(step, Arc::new(state(step)))));
        self.tell(What::Tagging("good".to_owned(), Some(MARKED)));
        let copied = self.open_store()?.copy_run(from, |_| {})?;
        copied.steps.into_iter().for_each(|step| self.tell(What::Saved(step)));
        self.tell(What::Tagged("good".to_owned()));
        Ok(())
    }

    /// Takes over a run, object by object.
    fn copy_objects(&mut self) -> Result<(), Failure> {
        let from = self.past.copied_from.clone().ok_or("the story has no run to copy")?;
        let steps = Store::open(Arc::clone(&from))?.steps();
        steps.iter().for_each(|&step| self.tell(What::Saving(step, Arc::new(state(step)))));
        self.tell(What::Tagging("good".to_owned(), Some(MARKED)));
        self.tell(What::Noting(Some(MARKED), Some("a note".to_owned())));
        copy_objects(from, self.access().storage(), |_, _| {})?;
        self.created();
        steps.iter().for_each(|&step| self.tell(What::Saved(step)));
        self.tell(What::Tagged("good".to_owned()));
        self.tell(What::Noted(Some(MARKED)));
        Ok(())
    }

    /// A run of four checkpoints, and a byte of the pack of the third one changed: where, follows
    /// from the length of the pack.
    fn run_with_damage(&mut self, place: fn(usize) -> usize) -> Result<(), Failure> {
        self.run_of(2)?;
        let access = self.access();
        let storage = access.storage();
        let before = storage.list("packs/")?;
        self.save(2)?;
        let pack = storage.list("packs/")?.into_iter().find(|pack| !before.contains(pack));
        let pack = pack.ok_or("the save wrote no pack")?;
        self.save(3)?;
        self.writer = None;
        let mut bytes = storage.read(&pack.name, pack.len)?;
        let position = place(bytes.len());
        bytes[position] ^= 0x10;
        self.overwrite(&Path::new(ROOT).join(&pack.name), &bytes)?;
        let reader = Store::open(self.access())?;
        for step in reader.steps() {
            if reader.checkpoint(step)?.load(&EntryPath::root()).is_err() {
                self.tell(What::Damaged(step));
            }
        }
        Ok(())
    }

    fn overwrite(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        self.disk.remove(path)?;
        let mut file = self.disk.create(path)?;
        file.write(bytes)?;
        Ok(file.sync()?)
    }

    /// Repairs the run.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn repair(&mut self) -> Result<(), Failure> {
        let repaired = self.open_store()?.repair(Unreadable::Refuse)?;
        let set_aside = repaired.set_aside.iter().map(|skipped| skipped.step).collect();
        self.tell(What::Repaired(set_aside));
        Ok(())
    }

    /// The first checkpoint of a training.
    fn begin_training(&mut self) -> Result<(), Failure> {
        let mut run = RunOptions::new().policy(keep_all()).create_in(self.access())?;
        self.created();
        self.save_in_run(&mut run, 0, &Training::at(0))
    }

    /// A training loop that saves in the background.
    fn open_training(&mut self) -> Result<(), Failure> {
        let options = RunOptions::new().policy(keep_all()).saving(Saving::Background(WhenBusy::Wait));
        let run = options.open_in(self.access())?;
        self.writer = Some(Opened::Run(Box::new(run)));
        Ok(())
    }

    /// Four more checkpoints of it.
    fn train(&mut self) -> Result<(), Failure> {
        let Some(Opened::Run(mut run)) = self.writer.take() else {
            return Err("the story trains nothing".into());
        };
        if let Err(error) = self.train_with(&mut run) {
            self.writer = Some(Opened::Run(run));
            return Err(error);
        }
        run.finish(&Training::at(4))?;
        self.tell(What::Saved(4));
        Ok(())
    }

    /// Two checkpoints of which the second waits for the first, a third one, and the beginning of
    /// the last. They count as acknowledged when the run says that they are durable.
    fn train_with(&mut self, run: &mut Run) -> Result<(), Failure> {
        for steps in [&[1, 2][..], &[3]] {
            for &step in steps {
                self.tell(What::Saving(step, Arc::new(to_tree(&Training::at(step))?)));
            }
            let begun =
                steps.iter().try_for_each(|&step| run.checkpoint_now(step, &Training::at(step)).map(drop));
            run.store();
            let durable = run.durable_step();
            let acknowledged = steps.iter().filter(|&&step| durable >= Some(step));
            acknowledged.for_each(|&step| self.tell(What::Saved(step)));
            begun?;
        }
        self.tell(What::Saving(4, Arc::new(to_tree(&Training::at(4))?)));
        Ok(run.checkpoint_now(4, &Training::at(4)).map(drop)?)
    }
}

impl Prepared {
    /// What is on the disk when the work of a row begins.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn of(workload: &Workload) -> Result<Self, Failure> {
        let mut story = Story::default();
        (workload.prepare)(&mut story)?;
        let Story { disk, past, writer } = story;
        drop(writer);
        Ok(Self { disk, past })
    }

    /// The story, on a disk of its own, whose work has not begun.
    pub fn story(&self) -> Story {
        self.past.goes_on_with(self.disk.fork())
    }
}

impl Past {
    /// The story as far as it is on this disk, with a new process.
    pub fn goes_on_with(&self, disk: SimDisk) -> Story {
        let operations = disk.operations();
        let events = self.events.iter().filter(|event| event.counts_at(operations)).cloned().collect();
        let (key, copied_from) = (self.key.clone(), self.copied_from.clone());
        let past = Self { key, copied_from, events };
        Story { disk, writer: None, past }
    }

    /// What must be true when so many operations were done.
    pub fn expected_at(&self, operations: usize) -> Expected {
        let (key, copied_from) = (self.key.clone(), self.copied_from.clone());
        let mut expected = Expected { key, copied_from, ..Expected::default() };
        for event in self.events.iter().filter(|event| event.counts_at(operations)) {
            expected.take(&event.what);
        }
        expected
    }
}

impl Event {
    /// A deletion counts from its first operation on; what was told counts at once.
    fn counts_at(&self, operations: usize) -> bool {
        match self.what {
            What::Dropping(_) => self.at < operations,
            _ => self.at <= operations,
        }
    }
}

impl Expected {
    /// What was promised, in a form that can be compared: within a workload, step and order tell a
    /// state.
    pub fn promise(&self) -> impl std::hash::Hash + use<> {
        let must: Vec<u64> = self.must.keys().copied().collect();
        let may: Vec<(u64, usize)> = self.may.iter().map(|(step, trees)| (*step, trees.len())).collect();
        let beside = (self.notes.clone(), self.signatures.clone(), self.damaged.clone());
        (self.created, must, may, self.tags.clone(), beside)
    }

    /// The run on a disk that may have crashed.
    pub fn access_on(&self, disk: &SimDisk) -> Access {
        access_on(disk, self.key.as_ref())
    }

    fn take(&mut self, what: &What) {
        match what {
            What::Created => self.created = true,
            What::Saving(step, tree) => self.may.entry(*step).or_default().push(Arc::clone(tree)),
            What::Saved(step) => {
                let tree = self.may[step].last().expect("a save begins before it ends");
                self.must.insert(*step, Arc::clone(tree));
                // What was said of an earlier checkpoint of the step is not said of this one.
                self.notes.entry(Some(*step)).and_modify(|notes| drop(notes.drain(..notes.len() - 1)));
                self.signatures.entry(*step).and_modify(|values| drop(values.drain(..values.len() - 1)));
            }
            What::Dropping(step) => {
                self.must.remove(step);
                self.notes.entry(Some(*step)).and_modify(|notes| notes.push(None));
                self.signatures.entry(*step).and_modify(|values| values.push(None));
            }
            What::Tagging(name, step) => begin(&mut self.tags, name, step),
            What::Tagged(name) => end(&mut self.tags, name),
            What::Noting(step, text) => begin(&mut self.notes, step, text),
            What::Noted(step) => end(&mut self.notes, step),
            What::Signing(step, signature) => begin(&mut self.signatures, step, &Some(signature.clone())),
            What::Signed(step) => end(&mut self.signatures, step),
            What::Damaged(step) => {
                self.must.remove(step);
                self.damaged.insert(*step);
            }
            What::Repaired(set_aside) => {
                for step in std::mem::take(&mut self.damaged) {
                    match set_aside.contains(&step) {
                        true => drop(self.may.remove(&step)),
                        false => drop(self.must.insert(step, Arc::clone(&self.may[&step][0]))),
                    }
                }
            }
        }
    }
}

/// From now on it may be as before, or have the new value.
fn begin<K: Ord + Clone, V: Clone>(values: &mut BTreeMap<K, Vec<Option<V>>>, key: &K, value: &Option<V>) {
    values.entry(key.clone()).or_insert_with(|| vec![None]).push(value.clone());
}

/// From now on it has the new value.
fn end<K: Ord, V>(values: &mut BTreeMap<K, Vec<Option<V>>>, key: &K) {
    let values = values.get_mut(key).expect("it is begun before it ends");
    values.drain(..values.len() - 1);
}
