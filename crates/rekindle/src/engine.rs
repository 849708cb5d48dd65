//! The writer of a run, here or with the thread that saves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rekindle_store::{Row, Writer};

use crate::background::{Done, SaveThread, Written};
use crate::capture::CaptureError;

type Metrics = BTreeMap<String, f64>;

/// The writer of the run, the thread that may have it, and what is known of the run meanwhile.
#[derive(Debug)]
pub(crate) struct Engine {
    /// Absent while the thread has it.
    writer: Option<Box<Writer>>,
    thread: Option<SaveThread>,
    /// What the last save in the background failed with, until it is told.
    failure: Option<CaptureError>,
    /// Rows of the history that the checkpoint on its way seals.
    rows: Arc<Vec<Row>>,
    /// Rows that a checkpoint was to seal that could not be written.
    unsealed: Vec<Row>,
    /// Buffers for the next captured state, in the order of its arrays.
    spare: VecDeque<Vec<u8>>,
    /// The newest checkpoint when the thread began.
    durable: Option<u64>,
    /// Metrics of the checkpoints then, and of the one that is on its way.
    metrics: BTreeMap<u64, Metrics>,
}

impl Engine {
    pub fn new(writer: Writer) -> Self {
        Self {
            writer: Some(Box::new(writer)),
            thread: None,
            failure: None,
            rows: Arc::default(),
            unsealed: Vec::new(),
            spare: VecDeque::new(),
            durable: None,
            metrics: BTreeMap::new(),
        }
    }

    fn settle(&mut self, done: Done) {
        let Done { run, written: Written { saved, pruned, spare } } = done;
        self.spare = spare.into();
        let rows = std::mem::take(&mut self.rows);
        if saved.is_err() {
            self.unsealed.extend(Arc::unwrap_or_clone(rows));
        }
        self.failure = self.failure.take().or(saved.err()).or(pruned.err());
        self.writer = Some(run);
    }

    /// Takes the rows that no checkpoint has sealed, as it could not be written.
    pub fn take_unsealed(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.unsealed)
    }

    /// The writer, once no checkpoint is being written any more.
    pub fn writer(&mut self) -> &mut Writer {
        if let (None, Some(thread)) = (&self.writer, &mut self.thread) {
            let done = thread.wait();
            self.settle(done);
        }
        self.writer.as_mut().expect("the writer is here, or the thread brings it back")
    }

    /// True while a checkpoint is being written.
    pub fn is_busy(&mut self) -> bool {
        if self.writer.is_none()
            && let Some(done) = self.thread.as_mut().and_then(SaveThread::try_wait)
        {
            self.settle(done);
        }
        self.writer.is_none()
    }

    /// Tells, once, what a save in the background failed with.
    pub fn take_failure(&mut self) -> Result<(), CaptureError> {
        self.is_busy();
        self.failure.take().map_or(Ok(()), Err)
    }

    /// The newest step that is known to be durable.
    pub fn durable(&mut self) -> Option<u64> {
        if !self.is_busy() {
            let newest = self.writer().records().next_back().map(|record| record.step);
            self.durable = newest;
        }
        self.durable
    }

    /// Metrics of the checkpoints by step.
    pub fn metrics(&mut self) -> &BTreeMap<u64, Metrics> {
        if !self.is_busy() {
            let records = self.writer().records().map(|record| (record.step, record.about.metrics.clone()));
            let metrics = records.collect();
            self.metrics = metrics;
        }
        &self.metrics
    }

    /// Buffers to capture a state in.
    pub fn take_spare(&mut self) -> VecDeque<Vec<u8>> {
        std::mem::take(&mut self.spare)
    }

    /// Lets the thread do `work` for the checkpoint of `step`, which seals `rows`.
    pub fn start(
        &mut self,
        step: u64,
        metrics: Metrics,
        rows: Arc<Vec<Row>>,
        work: impl FnOnce(&mut Writer) -> Written + Send + 'static,
    ) {
        self.writer();
        self.durable();
        self.metrics();
        self.metrics.insert(step, metrics);
        self.rows = rows;
        if let Some(writer) = self.writer.take() {
            self.thread.get_or_insert_with(SaveThread::spawn).start(writer, work);
        }
    }
}
