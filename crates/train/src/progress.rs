//! Showing progress: a bar on a terminal, a plain line now and then elsewhere. All of it goes to
//! standard error.

/// Tells people something on standard error. Nobody may be listening, as after `2>&1 | head`: that
/// is no reason to stop.
#[macro_export]
macro_rules! tell {
    ($($text:tt)*) => {{
        let _ = ::std::io::Write::write_fmt(&mut ::std::io::stderr(), ::core::format_args!("{}\n", ::core::format_args!($($text)*)));
    }};
}

use std::fmt::Write;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::system::{Metrics, Progress};

/// Plain lines come no closer together.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

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

/// Tells people something while progress is shown, above the bar if there is one. Any thread may.
#[derive(Debug, Clone, Default)]
pub struct Voice(Arc<OnceLock<ProgressBar>>);

impl Voice {
    /// Tells a line.
    pub fn tell(&self, line: &str) {
        match self.0.get() {
            Some(bar) => bar.println(line),
            None => crate::tell!("{line}"),
        }
    }
}

/// Shows the progress of one training.
#[derive(Debug)]
pub struct ProgressView {
    display: Display,
    bar: Option<ProgressBar>,
    begun: Instant,
    first_step: u64,
    last_line: Option<Instant>,
    metrics: Metrics,
    order: Vec<String>,
}

impl ProgressView {
    /// Begins at `progress`; metrics are shown in the order of their names in `order`, others behind
    /// them. From now on `voice` speaks above the bar.
    pub fn new(display: Display, progress: Progress, voice: &Voice, order: Vec<String>) -> Self {
        // A terminal that cannot move its cursor gets lines.
        let bar = (display == Display::Bar).then(|| bar(progress)).filter(|bar| !bar.is_hidden());
        let display = if bar.is_none() && display == Display::Bar { Display::Lines } else { display };
        if let Some(bar) = &bar {
            voice.0.get_or_init(|| bar.clone());
        }
        Self {
            display,
            bar,
            begun: Instant::now(),
            first_step: progress.step,
            last_line: None,
            metrics: Metrics::new(),
            order,
        }
    }

    /// A step is done.
    pub fn step(&mut self, progress: Progress, metrics: &Metrics) {
        if self.display == Display::Quiet {
            return;
        }
        if let Some(bar) = &self.bar {
            // The bar itself limits how often it is drawn.
            bar.set_position(progress.step);
            if bar.position() % 16 == 0 || self.metrics.is_empty() {
                self.metrics.extend(metrics.iter().map(|(name, value)| (name.clone(), *value)));
                bar.set_message(describe_in_order(&self.metrics, &self.order));
            }
        } else if self.last_line.is_none_or(|last| last.elapsed() >= LINE_INTERVAL) {
            self.metrics.extend(metrics.iter().map(|(name, value)| (name.clone(), *value)));
            self.last_line = Some(Instant::now());
            crate::tell!("{}", self.line(progress));
        }
    }

    /// The state has been measured.
    pub fn evaluated(&mut self, metrics: &Metrics) {
        self.metrics.extend(metrics.iter().map(|(name, value)| (name.clone(), *value)));
        if let Some(bar) = &self.bar {
            bar.set_message(describe_in_order(&self.metrics, &self.order));
        }
    }

    /// Training has ended, for now or for good.
    pub fn finish(&self, progress: Progress) {
        if let Some(bar) = &self.bar {
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
            crate::tell!("{}", self.line(progress));
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

/// `name value` pairs, short.
pub fn describe(metrics: &Metrics) -> String {
    describe_in_order(metrics, &[])
}

/// The same, in the order of the names in `order`; others stand behind them.
pub fn describe_in_order(metrics: &Metrics, order: &[String]) -> String {
    let first = order.iter().filter_map(|name| metrics.get_key_value(name));
    let others = metrics.iter().filter(|(name, _)| !order.contains(name));
    let pairs = first.chain(others).map(|(name, value)| format!("{name} {}", number(*value)));
    pairs.collect::<Vec<_>>().join("  ")
}

/// A number for people: whole numbers as they are, others to four significant digits.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e12 {
        return format!("{value}");
    }
    match value.abs() {
        1e-3..1e6 => {
            let digits = 3 - (value.abs().log10().floor() as i32);
            format!("{value:.*}", digits.max(0) as usize)
        }
        _ => format!("{value:.3e}"),
    }
}

/// Seconds for people: `8 s`, `3 m 20 s`, `2 h 5 m`.
pub fn duration(seconds: f64) -> String {
    let whole = if seconds.is_finite() { seconds.max(0.0).round() as u64 } else { return "?".to_owned() };
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} m {} s", whole / 60, whole % 60),
        _ => format!("{} h {} m", whole / 3600, whole / 60 % 60),
    }
}

/// Bytes for people: `512 B`, `1.5 KiB`, `2.0 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut value, mut unit) = (count as f64 / 1024.0, 0);
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            (u64::MAX, "16384.0 PiB"),
        ];
        for (count, text) in cases {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn numbers_are_short() {
        let cases =
            [(3.0, "3"), (0.123456, "0.1235"), (12.3456, "12.35"), (1.5e-7, "1.500e-7"), (4567.89, "4568")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(duration(7510.0), "2 h 5 m");
    }
}
