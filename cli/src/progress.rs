//! Training as it is shown: a bar on a terminal, a plain line now and then elsewhere. All of it goes to
//! standard error.

use std::fmt::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use rekindle_train::{
    Event, Metrics, Notice, Observer, Progress, Signal, Started, bytes, describe_in_order, duration,
};

/// Plain lines come no closer together.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// Every process takes some memory; only what is more than that is worth a word.
const MUCH_MEMORY: u64 = 64 << 20;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// A bar that is drawn over and over.
    Bar,
    /// A line now and then.
    Lines,
    /// Not at all.
    Quiet,
}

/// Shows a training to people.
pub fn observer(display: Display) -> Observer {
    let bar: Arc<OnceLock<ProgressBar>> = Arc::default();
    let view = Mutex::new(View { display, bar: Arc::clone(&bar), ..View::default() });
    Arc::new(move |event| match event {
        // It is told by a thread of its own, which may have to wait for a terminal: training does not wait for it.
        Event::Signal { signal, saves } => tell_above(bar.get(), answer(*signal, *saves)),
        event => view.lock().unwrap_or_else(PoisonError::into_inner).show(event),
    })
}

/// Tells a line, above the bar if there is one.
fn tell_above(bar: Option<&ProgressBar>, line: &str) {
    match bar {
        Some(bar) => bar.println(line),
        None => tell!("{line}"),
    }
}

/// What is shown of one training.
#[derive(Debug)]
struct View {
    display: Display,
    bar: Arc<OnceLock<ProgressBar>>,
    begun: Instant,
    first_step: u64,
    last_line: Option<Instant>,
    metrics: Metrics,
    order: Vec<String>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            display: Display::Quiet,
            bar: Arc::default(),
            begun: Instant::now(),
            first_step: 0,
            last_line: None,
            metrics: Metrics::new(),
            order: Vec::new(),
        }
    }
}

impl View {
    fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Started(started) => self.start(started),
            Event::Work { what, percent } if self.display != Display::Quiet => {
                self.tell(&format!("{what}: {percent} %"));
            }
            Event::Notice(notice) => self.tell(&sentence(notice)),
            Event::Step { progress, metrics } => self.step(*progress, metrics),
            Event::Evaluated { metrics, .. } => self.evaluated(metrics),
            Event::Ended { progress } => self.finish(*progress),
            _ => {}
        }
    }

    fn tell(&self, line: &str) {
        tell_above(self.bar.get(), line);
    }

    fn start(&mut self, started: &Started) {
        tell_start(started);
        // A terminal that cannot move its cursor gets lines.
        let bar =
            (self.display == Display::Bar).then(|| bar(started.progress)).filter(|bar| !bar.is_hidden());
        match bar {
            Some(bar) => drop(self.bar.set(bar)),
            None if self.display == Display::Bar => self.display = Display::Lines,
            None => {}
        }
        self.begun = Instant::now();
        self.first_step = started.progress.step;
        self.order.clone_from(&started.order);
    }

    fn step(&mut self, progress: Progress, metrics: &Metrics) {
        if self.display == Display::Quiet {
            return;
        }
        if let Some(bar) = self.bar.get() {
            // The bar itself limits how often it is drawn. Where training may end earlier, its end moves.
            if let Some(total) = progress.total {
                bar.set_length(total);
            }
            bar.set_position(progress.step);
            if bar.position() % 16 == 0 || self.metrics.is_empty() {
                self.metrics.extend(metrics.iter().map(|(name, value)| (name.clone(), *value)));
                bar.set_message(describe_in_order(&self.metrics, &self.order));
            }
        } else if self.last_line.is_none_or(|last| last.elapsed() >= LINE_INTERVAL) {
            self.metrics.extend(metrics.iter().map(|(name, value)| (name.clone(), *value)));
            self.last_line = Some(Instant::now());
            tell!("{}", self.line(progress));
        }
    }

    fn evaluated(&mut self, metrics: &Metrics) {
        self.metrics.extend(metrics.iter().map(|(name, value)| (name.clone(), *value)));
        if let Some(bar) = self.bar.get() {
            bar.set_message(describe_in_order(&self.metrics, &self.order));
        }
    }

    fn finish(&self, progress: Progress) {
        if let Some(bar) = self.bar.get() {
            // There is no time to its end where it goes no further.
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {elapsed}  {wide_msg}")
                && progress.total.is_some()
            {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_position(progress.step);
            // Leaves the bar where it is; `finish` would fill it.
            bar.abandon();
        } else if self.display == Display::Lines {
            tell!("{}", self.line(progress));
        }
    }

    fn line(&self, progress: Progress) -> String {
        let seconds = self.begun.elapsed().as_secs_f64();
        let done = progress.step.saturating_sub(self.first_step);
        let rate = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        let mut line = match progress.total {
            Some(total) => format!("step {}/{total}", progress.step),
            None => format!("step {}", progress.step),
        };
        if done > 0 {
            line += &format!("  {rate:.1} steps/s");
            if let Some(rest) =
                progress.total.map(|total| total.saturating_sub(progress.step)).filter(|rest| *rest > 0)
            {
                line += &format!("  ETA {}", duration(rest as f64 / rate));
            }
        }
        let metrics = describe_in_order(&self.metrics, &self.order);
        if metrics.is_empty() { line } else { format!("{line}  {metrics}") }
    }
}

fn sentence(notice: &Notice) -> String {
    if notice.is_warning() { format!("warning: {notice}") } else { notice.to_string() }
}

/// What is said at once to whoever asks training to stop.
pub fn answer(signal: Signal, saves: bool) -> &'static str {
    match (signal, saves) {
        (Signal::Interrupt, true) => "saving; press again to leave without saving",
        (Signal::Interrupt, false) => "stopping; press again to leave without saving",
        (_, true) => "saving",
        (_, false) => "stopping",
    }
}

fn tell_start(started: &Started) {
    let memory = started.memory_bytes.filter(|&bytes| bytes >= MUCH_MEMORY);
    let memory =
        memory.map_or(String::new(), |count| format!(", with at most about {} of memory", bytes(count)));
    match (&started.run, started.resumed_from) {
        (Some(run), Some(step)) => tell!("resuming {run} from step {step}{memory}"),
        (Some(run), None) => tell!("training in {run}{memory}"),
        (None, _) => {}
    }
}

fn bar(progress: Progress) -> ProgressBar {
    let template = match progress.total {
        Some(_) => "{bar:24} {pos}/{len}  {rate}  ETA {eta}  {wide_msg}",
        None => "{spinner} step {pos}  {rate}  {elapsed}  {wide_msg}",
    };
    let bar = ProgressBar::with_draw_target(progress.total, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            // Text that cannot be written is text that nobody sees.
            let _ = write!(out, "{:.1} steps/s", state.per_sec());
        };
        bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
    }
    bar.set_position(progress.step);
    bar.reset_eta();
    bar
}
