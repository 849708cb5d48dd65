//! The stories that are crashed and made to fail: a table of what a run goes through.
//!
//! A row is a name, what is there before, and the work itself. Whoever adds an operation to the
//! engine adds a row to [`WORKLOADS`]; crash images and failing calls then cover it. The places
//! for garbage collection, compaction of packs, encryption and repair are at the end of the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use rekindle::storage::sim::SimDisk;
use rekindle::storage::{FileStorage, MemoryStorage, Storage};
use rekindle::{Node, Policy, Retention, Run, RunOptions, Store, Tree, Versions, to_tree};
use serde::{Deserialize, Serialize};

use crate::sample::{Failure, other_state, save, state};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// What the report calls it.
    pub name: &'static str,
    /// Brings a run to where the work begins; none of it is crashed.
    pub prepare: fn(&mut Story) -> Result<(), Failure>,
    /// The work.
    pub act: fn(&mut Story) -> Result<(), Failure>,
}

/// All of them.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "first save",
        prepare: |_| Ok(()),
        act: |story| {
            story.create()?;
            story.save(1)
        },
    },
    Workload { name: "n-th save", prepare: |story| story.run_of(3), act: |story| story.save(3) },
    Workload {
        name: "save and prune",
        prepare: |story| story.run_of(3),
        act: |story| {
            story.save(3)?;
            story.prune(1, 0)
        },
    },
    Workload {
        name: "save and prune with grace",
        prepare: |story| story.run_of(5),
        act: |story| {
            story.prune(1, 3600)?;
            story.save(8)
        },
    },
    Workload {
        name: "save what was condemned",
        prepare: |story| {
            story.run_of(4)?;
            story.prune(1, 3600)?;
            story.reopen()
        },
        act: |story| {
            story.save(4)?;
            story.save(5)?;
            story.prune(1, 0)
        },
    },
    Workload {
        name: "tag set, moved, deleted",
        prepare: |story| story.run_of(2),
        act: |story| {
            story.tag("good", Some(0))?;
            story.tag("good", Some(1))?;
            story.tag("good", None)
        },
    },
    Workload {
        name: "discard later ones and save others",
        prepare: |story| story.run_of(4),
        act: |story| {
            story.discard_after(1)?;
            story.save_as(2, other_state(2))
        },
    },
    Workload {
        name: "import",
        prepare: |story| story.create(),
        act: |story| {
            let mut from = Store::create(Arc::new(MemoryStorage::new()), "", None, "source")?;
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
            let mut run = options.create_in(story.storage())?;
            story.created();
            for step in [1, 2] {
                let state = Old { step, lr: 0.5, weights: vec![step as f32; 300] };
                story.save_in_run(&mut run, step, &state)?;
            }
            Ok(())
        },
        act: |story| {
            let versions = Versions::new("net", 2).migration(1, renamed);
            let mut run = RunOptions::new().versions(versions).policy(keep_all()).open_in(story.storage())?;
            let mut state = New { step: 0, learning_rate: 0.0, weights: vec![0.0; 300] };
            let resumed = run.resume(&mut state)?;
            if resumed.step != Some(2) {
                return Err(format!("resumed at {:?}, not at step 2", resumed.step).into());
            }
            state.step = 3;
            let saved = story.save_in_run(&mut run, 3, &state);
            story.writer = Some(Writer::Run(Box::new(run)));
            saved
        },
    },
    Workload {
        name: "a training that keeps the last two",
        prepare: |_| Ok(()),
        act: |story| {
            story.create()?;
            for step in 0..8 {
                story.save(step)?;
                story.prune(2, 0)?;
            }
            Ok(())
        },
    },
    // Garbage collection: `prepare` leaves packs that nothing needs, `act` collects them.
    // Compaction: `prepare` leaves packs of which little is needed, `act` writes them anew.
    // Encryption: `prepare` makes a plain run, `act` brings it under a key.
    // Repair: `prepare` damages a pack, `act` repairs the run.
];

fn keep_all() -> Policy {
    Policy { retention: Retention::default(), ..Policy::default() }
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
    pub writer: Option<Writer>,
    events: Vec<Event>,
}

/// How the run is written.
#[derive(Debug)]
pub enum Writer {
    /// By the engine.
    Store(Box<Store>),
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
}

/// Where the run lies on the disk.
const ROOT: &str = "run";

/// The run on a simulated disk.
pub fn storage_on(disk: &SimDisk) -> Arc<dyn Storage> {
    Arc::new(FileStorage::on(disk.clone(), ROOT))
}

impl Story {
    /// What is there when the work of a row begins.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn prepared(workload: &Workload) -> Result<Self, Failure> {
        let mut story = Self::default();
        (workload.prepare)(&mut story)?;
        Ok(story)
    }

    /// The story as it stands, on a disk of its own, without a writer.
    pub fn copied(&self) -> Self {
        self.ended_after(self.disk.operations())
    }

    /// The story whose process died after so many operations: what it wrote is in the system's
    /// memory, and a new process goes on.
    pub fn ended_after(&self, operations: usize) -> Self {
        let disk = SimDisk::continued(&self.disk.log()[..operations]);
        let events = self.events.iter().filter(|event| event.counts_at(operations)).cloned().collect();
        Self { disk, writer: None, events }
    }

    /// What must be true when so many operations were done.
    pub fn expected_at(&self, operations: usize) -> Expected {
        let mut expected = Expected::default();
        for event in self.events.iter().filter(|event| event.counts_at(operations)) {
            expected.take(&event.what);
        }
        expected
    }

    /// What must be true now.
    pub fn expected(&self) -> Expected {
        self.expected_at(self.disk.operations())
    }

    /// The run on the story's disk.
    pub fn storage(&self) -> Arc<dyn Storage> {
        storage_on(&self.disk)
    }

    /// The engine under the writer that is open.
    pub fn store(&mut self) -> Option<&mut Store> {
        self.writer.as_mut().map(|writer| match writer {
            Writer::Store(store) => &mut **store,
            Writer::Run(run) => run.store_mut(),
        })
    }

    fn open_store(&mut self) -> Result<&mut Store, Failure> {
        self.store().ok_or_else(|| "the story has no writer".into())
    }

    fn tell(&mut self, what: What) {
        let at = self.disk.operations();
        self.events.push(Event { at, what });
    }

    fn created(&mut self) {
        self.tell(What::Created);
    }

    fn create(&mut self) -> Result<(), Failure> {
        let store = Store::create(self.storage(), "", None, "story")?;
        self.writer = Some(Writer::Store(Box::new(store)));
        self.created();
        Ok(())
    }

    /// A run with the checkpoints of so many steps from 0 on.
    fn run_of(&mut self, steps: u64) -> Result<(), Failure> {
        self.create()?;
        (0..steps).try_for_each(|step| self.save(step))
    }

    /// Opens the run anew for writing, as a new process does.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn reopen(&mut self) -> Result<(), Failure> {
        self.writer = None;
        let store = Store::open_for_writing(self.storage(), "story")?;
        self.writer = Some(Writer::Store(Box::new(store)));
        Ok(())
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

    fn save_in_run<T: Serialize + for<'a> Deserialize<'a>>(
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

    fn prune(&mut self, keep_last: u64, grace: u64) -> Result<(), Failure> {
        let retention = Retention { keep_last: Some(keep_last), ..Retention::default() };
        let steps: Vec<u64> = self.expected().must.into_keys().collect();
        let kept = steps.len().saturating_sub(keep_last as usize);
        steps[..kept].iter().for_each(|&step| self.tell(What::Dropping(step)));
        self.open_store()?.prune(&retention, None, grace)?;
        Ok(())
    }

    fn discard_after(&mut self, step: u64) -> Result<(), Failure> {
        let later: Vec<u64> = self.open_store()?.steps().into_iter().filter(|&later| later > step).collect();
        later.iter().for_each(|&step| self.tell(What::Dropping(step)));
        self.open_store()?.discard_after(step)?;
        Ok(())
    }

    fn tag(&mut self, name: &str, step: Option<u64>) -> Result<(), Failure> {
        self.tell(What::Tagging(name.to_owned(), step));
        let store = self.open_store()?;
        match step {
            Some(step) => store.set_tag(name, step, true)?,
            None => store.delete_tag(name)?,
        }
        self.tell(What::Tagged(name.to_owned()));
        Ok(())
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
        (self.created, must, may, self.tags.clone())
    }

    fn take(&mut self, what: &What) {
        match what {
            What::Created => self.created = true,
            What::Saving(step, tree) => self.may.entry(*step).or_default().push(Arc::clone(tree)),
            What::Saved(step) => {
                let tree = self.may[step].last().expect("a save begins before it ends");
                self.must.insert(*step, Arc::clone(tree));
            }
            What::Dropping(step) => {
                self.must.remove(step);
            }
            What::Tagging(name, step) => {
                let before = || vec![None];
                self.tags.entry(name.clone()).or_insert_with(before).push(*step);
            }
            What::Tagged(name) => {
                let values = self.tags.get_mut(name).expect("a tag is set before it is told");
                values.drain(..values.len() - 1);
            }
        }
    }
}
