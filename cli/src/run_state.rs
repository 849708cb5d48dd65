//! What is known of a run as a whole: how far it is, and whether anybody writes it.

use rekindle::Store;
use rekindle::records::CommitRecord;
use rekindle::storage::{Holder, StorageError};
use rekindle_train::{Registry, describe_in_order};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has no checkpoint yet, and nobody writes it.
    Empty,
    /// A process writes it.
    Writing,
    /// It can go on.
    Stopped,
    /// Its training has ended.
    Finished,
}

impl Standing {
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Writing => "writing",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
        }
    }
}

/// A run as its newest record and the lock of its writer tell it.
#[derive(Debug)]
pub struct RunState<'a> {
    pub newest: Option<&'a CommitRecord>,
    pub holder: Option<Holder>,
    /// The step at which training ends, if that is known.
    pub total_steps: Option<u64>,
    /// How fast the last training was.
    pub steps_per_second: Option<f64>,
}

impl<'a> RunState<'a> {
    pub fn of(store: &'a Store) -> Result<Self, StorageError> {
        let newest = store.records().next_back();
        let environment = |name: &str| newest?.about.environment.get(name);
        Ok(Self {
            newest,
            holder: store.storage().holder()?,
            total_steps: environment("total_steps").and_then(|text| text.parse().ok()),
            steps_per_second: environment("steps_per_second").and_then(|text| text.parse().ok()),
        })
    }

    pub fn standing(&self) -> Standing {
        match (self.newest, self.total_steps) {
            (Some(newest), Some(total)) if newest.step >= total => Standing::Finished,
            _ if self.holder.is_some() => Standing::Writing,
            (Some(_), _) => Standing::Stopped,
            (None, _) => Standing::Empty,
        }
    }

    /// Seconds to the end of a training that goes on.
    pub fn eta_seconds(&self) -> Option<f64> {
        let rate = self.steps_per_second.filter(|rate| *rate > 0.0)?;
        let rest = self.total_steps?.saturating_sub(self.newest?.step);
        (self.standing() == Standing::Writing).then_some(rest as f64 / rate)
    }
}

/// The metrics of a checkpoint in a line, in the order that its system declares.
pub fn metrics_line(registry: &Registry, record: &CommitRecord) -> String {
    let about = &record.about;
    let system = registry.systems().find(|system| system.name() == about.system);
    let order = system.map_or_else(Vec::new, |system| system.measures(&about.config));
    describe_in_order(&about.metrics, &order)
}
