//! A run as a training loop in Python uses it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyFunction};
use rekindle::records::Schema;
use rekindle::tree::ArrayBytes;
use rekindle::{CaptureError, Compression, Node, Outcome, ResumeError, RunOptions, Saving, WhenBusy, Which};

use crate::capture::{Captured, capture};
use crate::errors::{exception, raise};
use crate::fit::{Form, differences};
use crate::parts::{parsed, spliced};
use crate::policy::policy;
use crate::reading::{self, SCHEMA, entry_path, library_of, load_from};
use crate::restore::{Filled, Restore, fill};

/// A training run in a directory, opened for writing: its checkpoints are there as a whole or not at all.
///
/// path: the directory; made when it is not there.
/// policy: when `checkpoint` saves and what is kept; `Policy()` by default.
/// background: save in a thread. The arrays are copied before `checkpoint` returns, and what a save failed with is
///     raised by the next call. "skip" leaves a checkpoint out while the one before is still being written; True
///     waits for it.
/// compression: "fast", or "small" to spend more time on smaller checkpoints.
/// config: anything JSON can hold, shown by `rekindle inspect`; no part of the state.
///
/// One process writes a run at a time. As a context manager it is closed at the end of the block.
///
/// Raises RunLocked when another process writes the run, RekindleError when the directory holds anything else.
#[pyclass(frozen, module = "rekindle")]
pub struct Run {
    run: Mutex<Option<rekindle::Run>>,
    path: PathBuf,
    /// The process that opened it. Those that it forks have no right to write.
    process: u32,
    position: Mutex<Option<u64>>,
}

#[pymethods]
impl Run {
    #[new]
    #[pyo3(signature = (path, *, policy = None, background = None, compression = "fast", config = None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        policy: Option<&Bound<'_, PyAny>>,
        background: Option<&Bound<'_, PyAny>>,
        compression: &str,
        config: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let policy = self::policy(policy)?;
        let compression = match compression {
            "fast" => Compression::Fast,
            "small" => Compression::Small,
            other => {
                return Err(PyValueError::new_err(format!(
                    "compression is `{other}`, but must be fast or small"
                )));
            }
        };
        let mut config = config.map(json_of).transpose()?.unwrap_or_else(|| serde_json::json!({}));
        if let (Some(best), Some(config)) = (&policy.best, config.as_object_mut()) {
            config.insert("best".to_owned(), serde_json::to_value(best).unwrap_or_default());
        }
        let options = RunOptions::new().policy(policy).saving(saving(background)?).compression(compression);
        let environment: BTreeMap<String, String> =
            py.import("rekindle._environment")?.call_method0("environment")?.extract()?;
        // Where it is while its program is proven.
        let path = std::env::var_os(rekindle::proving::RUN).map_or(path, Into::into);
        let mut run = py.detach(|| options.open_or_create(&path)).map_err(|error| raise(&error))?;
        py.import("rekindle._fork")?.call_method1("remember", (&path,))?;
        run.about_mut().config = config;
        run.about_mut().environment = environment;
        Ok(Self { run: Mutex::new(Some(run)), path, process: std::process::id(), position: Mutex::new(None) })
    }

    /// The state of the newest valid checkpoint, or `state` itself on a run without checkpoints.
    ///
    /// What was saved must have the form of `state`: the same keys, types, dtypes and shapes; an empty dict or list
    /// and None stand for anything. Without `state` it comes back as it is, and None when there is none. Damaged
    /// checkpoints are passed over and moved to `damaged/`. Tensors come back on the devices of those in `state`.
    ///
    /// Raises DoesNotFit with all differences, Damaged when no checkpoint is whole; nothing is changed then.
    #[pyo3(signature = (state = None))]
    fn resume(&self, py: Python<'_>, state: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let form = state.map(form_of).transpose()?;
        let (loaded, resumed) = py.detach(|| {
            self.with(|run| {
                run.resume_tree(
                    |tree| form.as_ref().map_or_else(Vec::new, |form| differences(form, tree)),
                    |checkpoint, tree| {
                        let root = rekindle::EntryPath::root();
                        let filled =
                            fill(checkpoint, tree, &root, tree).map_err(rekindle::ReadError::from)?;
                        Ok((tree.clone(), filled, library_of(checkpoint.record()).to_owned()))
                    },
                )
                .map_err(|error| raise_resume(&error))
            })
        })?;
        *lock(&self.position) = resumed.step;
        let Some((tree, filled, library)) = loaded else {
            return Ok(state.map_or_else(|| py.None(), |state| state.clone().unbind()));
        };
        restored(py, &tree, &filled, &library, state)
    }

    /// Saves `state` if the policy says so, always on the first call of a new run; True when it did.
    ///
    /// step: counts up; a run holds one checkpoint for each.
    /// state: any nest of dict, list, tuple, str, int, float, bool, None, bytes, NumPy arrays, torch tensors and JAX
    ///     arrays; or a function without arguments that gives it, called only when it is to be saved.
    /// metrics: numbers by name, a row of the history; they decide which checkpoint is the best.
    ///
    /// Durable when it returns, unless saves are in the background. No other thread may write into the arrays
    /// meanwhile.
    ///
    /// Raises StateError for what cannot be saved, StepTaken when that step or a later one is there with another
    /// state, RekindleError when writing failed; the checkpoints before are intact.
    #[pyo3(signature = (step, state, metrics = None))]
    fn checkpoint(
        &self,
        py: Python<'_>,
        step: u64,
        state: &Bound<'_, PyAny>,
        metrics: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        let metrics = metrics.map(numbers).transpose()?;
        let wanted = py.detach(|| {
            self.with(|run| {
                if let Some(metrics) = &metrics {
                    run.log(step, metrics);
                }
                Ok(run.wants_state(step))
            })
        })?;
        *lock(&self.position) = Some(step);
        if !wanted {
            return py.detach(|| self.with(|run| outcome(run.pass(step))));
        }
        self.put(py, state, |run, tree| outcome(run.checkpoint_tree(step, tree)))
    }

    /// Saves `state` now, whatever the policy says; gives what is known of the checkpoint, as `checkpoints` does.
    /// Durable when it returns.
    ///
    /// Raises as `checkpoint`.
    #[pyo3(signature = (step, state, metrics = None))]
    fn save<'py>(
        &self,
        py: Python<'py>,
        step: u64,
        state: &Bound<'py, PyAny>,
        metrics: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let metrics = metrics.map(numbers).transpose()?;
        *lock(&self.position) = Some(step);
        let saved = self.put(py, state, |run, tree| {
            if let Some(metrics) = &metrics {
                run.log(step, metrics);
            }
            run.save_tree(step, tree).map_err(|error| raise(&error))
        })?;
        reading::described(py, &saved.record)
    }

    /// Saves a state whose arrays other processes have stored: `parts` is what their `Part.finish` gave, and a dict
    /// `{"$part": [part, array]}` in `state` stands for an array of them. For `rekindle.dcp`.
    #[pyo3(signature = (step, parts, state, metrics = None))]
    fn _save_parts<'py>(
        &self,
        py: Python<'py>,
        step: u64,
        parts: Vec<String>,
        state: &Bound<'py, PyAny>,
        metrics: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let metrics = metrics.map(numbers).transpose()?;
        let parts = parsed(&parts)?;
        *lock(&self.position) = Some(step);
        let saved = self.put(py, state, |run, tree| {
            if let Some(metrics) = &metrics {
                run.log(step, metrics);
            }
            // The arrays of parts are those of PyTorch.
            run.about_mut().schema = Some(Schema { name: format!("{SCHEMA}torch"), version: 1 });
            let saved = run.save_parts(step, &parts, |save, arrays| spliced(tree, arrays, save));
            saved.map_err(|error| raise(&error))
        })?;
        reading::described(py, &saved.record)
    }

    /// Adds a row of metrics to the history, which the next checkpoint seals.
    fn log(&self, py: Python<'_>, step: u64, metrics: &Bound<'_, PyDict>) -> PyResult<()> {
        let metrics = numbers(metrics)?;
        py.detach(|| {
            self.with(|run| {
                run.log(step, &metrics);
                Ok(())
            })
        })
    }

    /// Loads a checkpoint of this run, or a part of it; `which` is what stands behind the @ of an address:
    /// "latest", "latest~2", "1200", "best" or a tag. See `rekindle.load`.
    #[pyo3(signature = (which = "latest", only = None))]
    fn load(&self, py: Python<'_>, which: &str, only: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let only = only.map(entry_path).transpose()?;
        let which = Which::parse(which);
        self.with_interpreter(py, |run| {
            let store = run.store();
            let step = reading::resolve(&which, store).map_err(|error| raise(&error))?;
            load_from(py, store, step, only.as_ref())
        })
    }

    /// Saves the state of the last step, unless it is saved, and closes the run.
    ///
    /// Raises as `checkpoint`.
    fn finish(&self, py: Python<'_>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = called(state)?;
        let captured = capture(&state)?;
        let tree = &captured.tree;
        py.detach(|| {
            let mut held = self.held()?;
            let mut run = held.take().ok_or_else(closed)?;
            run.about_mut().schema = Some(schema(&captured));
            run.finish_tree(tree).map_err(|error| raise(&error))
        })
    }

    /// Waits until the checkpoint on its way is written.
    ///
    /// Raises what it failed with.
    fn wait(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.with(|run| run.wait().map_err(|error| raise(&error))))
    }

    /// Waits as `wait` does, and gives up the right to write. Saves nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let run = self.held()?.take();
            run.map_or(Ok(()), |mut run| run.wait().map_err(|error| raise(&error)))
        })
    }

    /// Names a checkpoint, the newest one unless `step` is given; a tagged checkpoint is never pruned. `force` moves a
    /// tag that there is.
    ///
    /// Raises NotThere, RekindleError for a name that is none or is taken.
    #[pyo3(signature = (name, step = None, force = false))]
    fn tag(&self, py: Python<'_>, name: &str, step: Option<u64>, force: bool) -> PyResult<()> {
        py.detach(|| {
            self.with(|run| {
                let writer = run.writer();
                let newest = writer.records().next_back().map(|record| record.step);
                let step = step.or(newest).ok_or_else(|| {
                    exception(
                        "NotThere",
                        "the run has no checkpoint yet that could be tagged",
                        Some("save one first"),
                    )
                })?;
                writer.set_tag(name, step, force).map_err(|error| raise(&error))
            })
        })
    }

    /// Deletes a tag.
    ///
    /// Raises NotThere.
    fn untag(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        py.detach(|| self.with(|run| run.writer().delete_tag(name).map_err(|error| raise(&error))))
    }

    /// The tags of the run: names and their steps.
    fn tags(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.with_interpreter(py, |run| reading::tags_of(py, run.store()))
    }

    /// The step that was resumed, or that `checkpoint` or `save` was last called with; None before.
    #[getter]
    fn step(&self) -> Option<u64> {
        *lock(&self.position)
    }

    /// The newest step whose checkpoint is durable: what a crash now would leave. Does not wait.
    #[getter]
    fn durable_step(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        py.detach(|| self.with(|run| Ok(run.durable_step())))
    }

    /// The directory.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        format!("rekindle.Run({:?})", self.path)
    }
}

impl Run {
    fn require_own(&self) -> PyResult<()> {
        if self.process != std::process::id() {
            return Err(exception(
                "RekindleError",
                "this process was forked from the one that opened the run, and has no right to write it",
                Some("read it with `rekindle.load`, or write it in the process that opened it"),
            ));
        }
        Ok(())
    }

    /// The run, for this process. Called without the interpreter lock.
    fn held(&self) -> PyResult<MutexGuard<'_, Option<rekindle::Run>>> {
        self.require_own()?;
        Ok(lock(&self.run))
    }

    fn with<R>(&self, work: impl FnOnce(&mut rekindle::Run) -> PyResult<R>) -> PyResult<R> {
        self.held()?.as_mut().ok_or_else(closed).and_then(work)
    }

    /// As [`with`](Self::with), for work that needs the interpreter: others that have the run may need it, too.
    fn with_interpreter<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut rekindle::Run) -> PyResult<R>,
    ) -> PyResult<R> {
        self.require_own()?;
        let mut held = self.run.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        held.as_mut().ok_or_else(closed).and_then(work)
    }

    /// Captures a state and does `work` with its tree, without the interpreter lock.
    fn put<R: Send>(
        &self,
        py: Python<'_>,
        state: &Bound<'_, PyAny>,
        work: impl FnOnce(&mut rekindle::Run, &Node<crate::memory::Memory>) -> PyResult<R> + Send,
    ) -> PyResult<R> {
        let state = called(state)?;
        let captured = capture(&state)?;
        let (tree, schema) = (&captured.tree, schema(&captured));
        py.detach(|| {
            self.with(|run| {
                run.about_mut().schema = Some(schema);
                work(run, tree)
            })
        })
    }
}

impl Drop for Run {
    /// A forked process must not touch what its parent writes, not even to let go of it.
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(lock(&self.run).take());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> PyErr {
    exception("RekindleError", "the run is closed", Some("open it again with `Run(path)`"))
}

fn outcome(outcome: Result<Outcome, CaptureError>) -> PyResult<bool> {
    let outcome = outcome.map_err(|error| raise(&error))?;
    Ok(matches!(outcome, Outcome::Saved(_) | Outcome::InBackground))
}

fn schema(captured: &Captured) -> Schema {
    Schema { name: format!("{SCHEMA}{}", captured.library), version: 1 }
}

/// What a function gives; anything else as it is.
fn called<'py>(state: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let is_function = state.is_instance_of::<PyFunction>() || state.hasattr("__func__")?;
    if is_function { state.call0() } else { Ok(state.clone()) }
}

fn form_of(state: &Bound<'_, PyAny>) -> PyResult<Form> {
    let captured = capture(state)?;
    captured.tree.try_map_arrays(&mut |_, array| Ok(array.kind().clone()))
}

fn restored(
    py: Python<'_>,
    tree: &rekindle::tree::StoredTree,
    filled: &Filled,
    library: &str,
    like: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let value = Restore::new(py, tree, filled, library)?.value(tree, &rekindle::EntryPath::root())?;
    match like {
        Some(like) => Ok(py.import("rekindle._arrays")?.call_method1("place", (like, value))?.unbind()),
        None => Ok(value.unbind()),
    }
}

/// A state that does not fit has its differences as a list.
fn raise_resume(error: &ResumeError) -> PyErr {
    let raised = raise(error);
    if let ResumeError::DoesNotFit { mismatches, .. } = error {
        let differences: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
        let noted = Python::attach(|py| raised.value(py).setattr("differences", differences));
        return noted.err().unwrap_or(raised);
    }
    raised
}

fn saving(background: Option<&Bound<'_, PyAny>>) -> PyResult<Saving> {
    let Some(background) = background else { return Ok(Saving::Blocking) };
    if let Ok(background) = background.extract::<bool>() {
        return Ok(if background { Saving::Background(WhenBusy::Wait) } else { Saving::Blocking });
    }
    match background.extract::<String>().as_deref() {
        Ok("wait") => Ok(Saving::Background(WhenBusy::Wait)),
        Ok("skip") => Ok(Saving::Background(WhenBusy::Skip)),
        _ => Err(PyValueError::new_err("background must be True, False, \"wait\" or \"skip\"")),
    }
}

fn numbers(metrics: &Bound<'_, PyDict>) -> PyResult<BTreeMap<String, f64>> {
    let number = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let value = value.call_method0("__float__").and_then(|value| value.extract());
        let name: String = name.extract()?;
        let value =
            value.map_err(|_| PyValueError::new_err(format!("the metric `{name}` is not a number")))?;
        Ok((name, value))
    };
    metrics.iter().map(number).collect()
}

fn json_of(config: &Bound<'_, PyAny>) -> PyResult<serde_json::Value> {
    let text: String = config.py().import("json")?.call_method1("dumps", (config,))?.extract()?;
    serde_json::from_str(&text).map_err(|error| PyValueError::new_err(format!("config: {error}")))
}
