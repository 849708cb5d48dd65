//! All calls into the engine.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rekindle::records::{About, Saved};
use rekindle::storage::{FileStorage, Storage};
use rekindle::tree::{ArrayRef, ArrayType, StoredTree};
use rekindle::{EntryPath, Node, Run, RunOptions, Store, Tree, Writer};
use rekindle_formats::{FORMATS, detect, for_writing};
use rekindle_logic::Logic;
use rekindle_train::{Options, Registry, Start, System};

use crate::states::{NamedArray, State};

/// What a struct of the tree is made of.
type Fields = Vec<(String, Node<ArrayRef>)>;

/// Makes an empty run in the directory.
pub fn create(path: &Path) -> anyhow::Result<Writer> {
    Ok(Writer::create(Arc::new(FileStorage::new(path)), "", None, "bench")?)
}

/// Makes an empty run that makes everything as small as it can.
pub fn create_small(path: &Path) -> anyhow::Result<Writer> {
    let mut store = create(path)?;
    store.set_compression(rekindle::Compression::Small);
    Ok(store)
}

/// Saves `state` at `step`: hashed, and durable when this returns.
pub fn save(store: &mut Writer, step: u64, state: &State) -> anyhow::Result<Saved> {
    let mut save = store.save()?;
    let mut sections: Vec<(String, Fields)> = Vec::new();
    for array in &state.arrays {
        let kind = ArrayType { dtype: array.dtype, shape: array.shape.clone() };
        let stored = Node::Array(save.array(&path_of(array), kind, &array.bytes)?);
        match sections.last_mut() {
            Some((section, fields)) if section == array.section => fields.push((array.name.clone(), stored)),
            _ => sections.push((array.section.to_owned(), vec![(array.name.clone(), stored)])),
        }
    }
    let sections = sections.into_iter().map(|(section, fields)| (section, Node::Struct(fields)));
    let tree: StoredTree = Node::Struct(sections.collect());
    Ok(save.commit(step, &tree, About::default(), &[])?)
}

/// Where an array stands in the state.
fn path_of(array: &NamedArray) -> EntryPath {
    EntryPath::root().child(array.section).child(&array.name)
}

/// Opens the run in a storage for reading.
pub fn open(storage: Arc<dyn Storage>) -> anyhow::Result<Store> {
    Ok(Store::open(storage)?)
}

/// Opens the run in the directory for reading.
pub fn open_path(path: &Path) -> anyhow::Result<Store> {
    open(Arc::new(FileStorage::new(path)))
}

/// The entry at `path` of the newest checkpoint in memory, verified; the whole state for `None`.
pub fn load(store: &Store, path: Option<&str>) -> anyhow::Result<Tree> {
    let record = store.records().next_back().context("the run has no checkpoint")?;
    let path = path.map_or(Ok(EntryPath::root()), str::parse)?;
    Ok(store.checkpoint(record.step)?.load(&path)?)
}

/// Makes an empty run in the directory, for states that go through serde.
pub fn create_run(path: &Path) -> anyhow::Result<Run> {
    Ok(RunOptions::new().create(path)?)
}

/// Opens the run in the directory for writing.
pub fn open_run(path: &Path) -> anyhow::Result<Run> {
    Ok(RunOptions::new().open(path)?)
}

/// Writes the newest checkpoint of the run into a file, as `rekindle export` does.
pub fn export(run: &Path, file: &Path) -> anyhow::Result<()> {
    let store = open_path(run)?;
    let step = store.records().next_back().context("the run has no checkpoint")?.step;
    for_writing(FORMATS, file)?.write(&store.checkpoint(step)?, file)?;
    Ok(())
}

/// Makes a run from a file, as `rekindle import` does.
pub fn import(file: &Path, run: &Path) -> anyhow::Result<()> {
    let document = detect(FORMATS, file)?.read(file)?;
    let mut made = create_run(run)?;
    made.save_tree(document.step, &document.tree)?;
    Ok(())
}

/// Saves the newest checkpoint of a run in a new run of its own.
pub fn copy_newest(from: &Path, to: &Path) -> anyhow::Result<Saved> {
    let from = open_path(from)?;
    let step = from.records().next_back().context("the run has no checkpoint")?.step;
    Ok(create(to)?.copy_checkpoint(&from.checkpoint(step)?)?)
}

/// Trains a preset of the logic system in the directory, with `path=value` on top.
pub fn train(preset: &str, settings: &[String], run: &Path) -> anyhow::Result<()> {
    let registry = Registry::new().with::<Logic>();
    let text = registry.config_text(preset)?;
    let system = registry.system(Logic::NAME, preset)?;
    let start = Start::New { text, settings: settings.to_vec(), run: Some(run.to_owned()), from: None };
    let options = Options { threads: rayon::current_num_threads(), ..Options::default() };
    system.train(start, &options)?;
    Ok(())
}
