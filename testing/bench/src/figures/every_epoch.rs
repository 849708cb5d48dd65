//! What it costs to save at every epoch, or every tenth, when an epoch takes microseconds.

use std::time::Duration;

use rekindle::{Policy, Retention, RunOptions, Saving, WhenBusy};
use rekindle_cascor::{Cascor, Dataset, State, Trainer, presets};
use rekindle_compute::KernelPath;
use rekindle_train::{ConfigOf, ConfigText};

use crate::Settings;
use crate::measure::{Contender, seconds, time_of};
use crate::place::Place;
use crate::table::{Table, times};

/// Hidden units of the larger network, and epochs that it is trained for.
const UNITS: usize = 200;
const EPOCHS: u64 = 400;

/// A training from a state on, for so many epochs or to its end.
struct Subject {
    name: &'static str,
    config: ConfigOf<Cascor>,
    state: State,
    epochs: u64,
}

/// When and how it is saved.
#[derive(Clone, Copy)]
struct Saves {
    every: u64,
    saving: Saving,
}

/// Prints the figure.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let about = format!(
        "Cascade-correlation on the two spirals, and a network of {UNITS} hidden units for {EPOCHS} epochs: \
         training that saves its whole state against training that saves nothing, on one thread. `background` never \
         waits: a save that comes due while one is being written is left out. Aim: less than 1.1 x at every tenth \
         epoch in the background."
    );
    let columns = ["place", "training", "without", "saves", "time", "with / without", "saved"];
    let mut table = Table::begin("Saving at every epoch", &about, columns);
    for place in settings.places() {
        for subject in [spirals()?, large()?] {
            for every in [1, 10] {
                row(
                    settings,
                    &place,
                    &subject,
                    "blocking",
                    Saves { every, saving: Saving::Blocking },
                    &mut table,
                )?;
                let saving = Saving::Background(WhenBusy::Skip);
                row(settings, &place, &subject, "background", Saves { every, saving }, &mut table)?;
            }
        }
    }
    Ok(())
}

fn row(
    settings: &Settings,
    place: &Place,
    subject: &Subject,
    how: &str,
    saves: Saves,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut saved = 0;
    let without: Contender<'_> = Box::new(|| train(subject, |_, _| Ok(())));
    let with: Contender<'_> = Box::new(|| {
        let scratch = place.scratch()?;
        let policy = Policy {
            every_steps: Some(saves.every),
            retention: Retention { keep_last: Some(3), ..Retention::default() },
            ..Policy::default()
        };
        let mut run =
            RunOptions::new().policy(policy).saving(saves.saving).create(scratch.path().join("run"))?;
        let first = subject.state.step;
        run.checkpoint_now(first, &subject.state)?;
        let elapsed = train(subject, |step, state| {
            run.checkpoint(step, state)?;
            Ok(())
        })?;
        saved = run.durable_step().map_or(0, |step| step - first);
        Ok(elapsed)
    });
    let [without, with] = settings.turns().take([without, with])?;
    let ratio = with.ratio_to(&without);
    let every = format!("every {} {how}", saves.every);
    let reached = format!("to step {saved}");
    table.row([
        &place.name,
        &subject.name,
        &seconds(without.median()),
        &every,
        &seconds(with.median()),
        &times(ratio),
        &reached,
    ]);
    Ok(())
}

/// How long training takes, with `after` called after each step.
fn train(
    subject: &Subject,
    mut after: impl FnMut(u64, &State) -> anyhow::Result<()>,
) -> anyhow::Result<Duration> {
    let Subject { config, state, epochs, .. } = subject;
    let mut state = state.clone();
    let mut trainer = attach(config, &state)?;
    let last = state.step + epochs;
    time_of(|| {
        while !trainer.is_finished(&state) && state.step < last {
            trainer.step(&mut state);
            after(state.step, &state)?;
        }
        Ok(())
    })
}

fn attach(config: &ConfigOf<Cascor>, state: &State) -> anyhow::Result<Trainer> {
    Ok(Trainer::attach(&config.model, &config.training, config.seed, state, 1, KernelPath::best())?)
}

fn config(settings: &[&str]) -> anyhow::Result<ConfigOf<Cascor>> {
    let text = ConfigText { origin: "preset".to_owned(), yaml: presets::SPIRALS.to_owned() };
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    Ok(text.config(&settings)?)
}

fn spirals() -> anyhow::Result<Subject> {
    let config = config(&[])?;
    let preparation = Dataset::load(&config.training.data, config.model.output, config.seed)?.preparation;
    let state = State::new(&config.model, &config.training, preparation, config.seed)?;
    Ok(Subject { name: "spirals", config, state, epochs: u64::MAX / 2 })
}

/// Grown in a hurry, with a threshold that is never reached; then trained as usual.
fn large() -> anyhow::Result<Subject> {
    const NEVER: &str = "training.method.fahlman.threshold=1.0e-9";
    let hurry = config(&[
        NEVER,
        "model.max_hidden=10000",
        "training.method.fahlman.output.epochs=2",
        "training.method.fahlman.candidates.epochs=2",
    ])?;
    let Subject { mut state, .. } = spirals()?;
    let mut trainer = attach(&hurry, &state)?;
    while state.network.hidden.len() < UNITS {
        trainer.step(&mut state);
    }
    let config = config(&[NEVER, "model.max_hidden=10000"])?;
    Ok(Subject { name: "200 units", config, state, epochs: EPOCHS })
}
