//! Training as scripts see it: an object a line on standard output, each with the name of its event.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rekindle_train::{Event, Metrics, Observer, Progress, Report};
use serde::Serialize;
use serde_json::{Value, json};

use crate::output;
use crate::progress;

/// Steps are told no closer together.
const STEP_INTERVAL: Duration = Duration::from_secs(1);

/// Prints what happens in a training; quietly, what is not its beginning, its end or a notice is left out.
pub fn observer(quiet: bool) -> Observer {
    let last_step = Mutex::new(None);
    std::sync::Arc::new(move |event| {
        // Whoever sends it looks at the terminal.
        if let Event::Signal { signal, saves } = event {
            return tell!("{}", progress::answer(*signal, *saves));
        }
        let is_progress = matches!(event, Event::Work { .. } | Event::Step { .. } | Event::Evaluated { .. });
        if (quiet && is_progress) || (matches!(event, Event::Step { .. }) && !is_due(&last_step)) {
            return;
        }
        if let Some(event) = in_json(event) {
            // A reader that went away does not stop training.
            let _ = output::print_json(&event);
        }
    })
}

/// True when the last step that was told is long enough ago; this one is told then.
fn is_due(last: &Mutex<Option<Instant>>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let is_due = last.is_none_or(|last| last.elapsed() >= STEP_INTERVAL);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

/// Prints what came of a training.
pub fn print_end(report: &Report) -> anyhow::Result<()> {
    output::print_json(&named("ended", report)?)
}

fn named(event: &str, value: &impl Serialize) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(value)?;
    value["event"] = event.into();
    Ok(value)
}

/// An event as an object; none for what the end of training tells.
fn in_json(event: &Event<'_>) -> Option<Value> {
    match event {
        Event::Started(started) => named("started", started).ok(),
        Event::Work { what, percent } => Some(json!({"event": "work", "what": what, "percent": percent})),
        Event::Notice(notice) => {
            Some(json!({"event": "notice", "warning": notice.is_warning(), "text": notice.to_string()}))
        }
        Event::Step { progress, metrics } => Some(measured("step", *progress, metrics)),
        Event::Evaluated { progress, metrics } => Some(measured("evaluated", *progress, metrics)),
        _ => None,
    }
}

fn measured(event: &str, progress: Progress, metrics: &Metrics) -> Value {
    let Progress { step, total, .. } = progress;
    json!({"event": event, "step": step, "total_steps": total, "metrics": metrics})
}
