//! A whole system in a few lines, and a command line around it.
//!
//! It walks at random: `cargo run -p rekindle-train --example toy -- train walk --run /tmp/walk`.
//! With `TOY_FORGETS=1` it keeps a part of its state where no checkpoint sees it: the proof of
//! exact resume finds that out.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use rekindle::storage::FileStorage;
use rekindle_train::{
    Conclusion, ConfigOf, Event, Family, Metrics, Onto, Options, Preset, Progress, Registry, Resources,
    Start, System, SystemError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Model {
    walkers: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Training {
    steps: u64,
    /// The step at which the walk becomes infinite, if it is to.
    #[serde(default)]
    diverge_at: Option<u64>,
    /// From this step on the walk cannot be measured.
    #[serde(default)]
    unmeasurable_from: Option<u64>,
    /// From this step on what is measured is no number.
    #[serde(default)]
    nan_from: Option<u64>,
    /// There is nothing to end with.
    #[serde(default)]
    inconclusive: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    step: u64,
    places: Vec<f64>,
    noise: u64,
}

struct Walk {
    training: Training,
    forgets: bool,
    /// What a checkpoint does not see.
    hidden: u64,
}

impl System for Walk {
    const NAME: &'static str = "walk";
    type Model = Model;
    type Training = Training;
    type State = State;

    fn changeable() -> &'static [&'static str] {
        &["training.steps", "training.inconclusive", "training.unmeasurable_from", "training.nan_from"]
    }

    fn measures(_: &ConfigOf<Self>) -> Vec<String> {
        ["spread", "distance"].map(str::to_owned).to_vec()
    }

    fn averaged() -> &'static [&'static str] {
        &["distance"]
    }

    fn build(config: &ConfigOf<Self>) -> Result<State, SystemError> {
        Ok(State { step: 0, places: vec![0.0; config.model.walkers], noise: config.seed })
    }

    fn attach(config: &ConfigOf<Self>, state: &State, _: &Resources) -> Result<Self, SystemError> {
        if state.places.len() != config.model.walkers {
            return Err(SystemError::new(format!("{} walkers in the state", state.places.len())));
        }
        let forgets = std::env::var_os("TOY_FORGETS").is_some();
        Ok(Self { training: config.training.clone(), forgets, hidden: 0 })
    }

    fn progress(&self, state: &State) -> Progress {
        let total = self.training.steps;
        Progress { step: state.step, total: Some(total), finished: state.step >= total }
    }

    fn step(&mut self, state: &mut State) -> Result<Metrics, SystemError> {
        for place in &mut state.places {
            state.noise = state.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *place += (state.noise >> 40) as f64 / (1 << 24) as f64 - 0.5;
        }
        self.hidden += 1;
        if self.forgets && self.hidden.is_multiple_of(7) {
            state.places[1] += 1.0;
        }
        state.step += 1;
        if self.training.diverge_at == Some(state.step) {
            state.places[0] = f64::INFINITY;
        }
        Ok(Metrics::from([("distance".to_owned(), state.places[0].abs())]))
    }

    fn evaluate(&mut self, state: &State) -> Result<Metrics, SystemError> {
        let is_past = |step: Option<u64>| step.is_some_and(|step| state.step >= step);
        if is_past(self.training.unmeasurable_from) {
            return Err(SystemError::new("the walk is out of sight"));
        }
        if is_past(self.training.nan_from) {
            return Ok(Metrics::from([("spread".to_owned(), f64::NAN)]));
        }
        Ok(Metrics::from([("spread".to_owned(), state.places.iter().map(|place| place * place).sum())]))
    }

    fn conclude(&mut self, state: &State) -> Result<Conclusion, SystemError> {
        if self.training.inconclusive {
            return Err(SystemError::new("there is nothing to conclude"));
        }
        Ok(Conclusion { text: format!("{:?}", state.places), ..Conclusion::default() })
    }
}

impl Family for Walk {
    const SUMMARY: &'static str = "random walks";

    fn presets() -> &'static [Preset] {
        &[Preset {
            name: "walk",
            summary: "three walkers, forty steps",
            yaml: "system: walk\nmodel: {walkers: 3}\ntraining: {steps: 40}\nevaluate: {every: 10}\n",
        }]
    }
}

/// The few options that the proof of exact resume uses.
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (verb, subject) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let (mut run, mut settings) = (None, Vec::new());
    let observer = |event: &Event<'_>| match event {
        Event::Started(started) => println!("{}", serde_json::to_string(started).expect("plain data")),
        Event::Notice(notice) => eprintln!("{notice}"),
        _ => {}
    };
    let mut options = Options { observer: Arc::new(observer), ..Options::default() };
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        match option.as_str() {
            "--run" => run = Some(PathBuf::from(value())),
            "--set" => settings.push(value()),
            "--stop-at" => options.stop_at = value().parse().ok(),
            "--kill-at" => options.kill_at = value().parse().ok(),
            "--trace" => options.trace = Some(PathBuf::from(value())),
            _ => {}
        }
    }
    let registry = Registry::new().with::<Walk>();
    let system = registry.system("walk", "toy").expect("it was added above");
    let start = if verb == "train" {
        registry.config_text(&subject).map(|text| Start::New { text, settings, run, from: None })
    } else {
        let access = Arc::new(FileStorage::new(&subject)).into();
        Ok(Start::Resume { run: PathBuf::from(subject), access, step: None, settings, onto: Onto::Same })
    };
    match start.map_err(Into::into).and_then(|start| system.train(start, &options)) {
        Ok(report) => println!("{}", serde_json::to_string(&report).expect("plain data")),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
