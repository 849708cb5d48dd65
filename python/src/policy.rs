//! `rekindle.Policy`, a dataclass, as the engine's policy.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use rekindle::{Best, Goal, Policy, Retention};

/// The policy that a `rekindle.Policy` stands for; the default one for `None`.
///
/// # Errors
/// When a value is out of its range.
pub fn policy(object: Option<&Bound<'_, PyAny>>) -> PyResult<Policy> {
    let Some(object) = object else { return Ok(Policy::default()) };
    if !object.is_instance(&object.py().import("rekindle")?.getattr("Policy")?)? {
        return Err(PyTypeError::new_err(format!(
            "policy is {}, but must be a rekindle.Policy",
            object.repr()?
        )));
    }
    let count = |name: &str| -> PyResult<Option<u64>> {
        let value: Option<i64> = object.getattr(name)?.extract()?;
        match value {
            Some(value) if value < 1 => {
                Err(PyValueError::new_err(format!("{name} is {value}, but must be at least 1")))
            }
            value => Ok(value.map(|value| value as u64)),
        }
    };
    let seconds: Option<f64> = object.getattr("every_seconds")?.extract()?;
    let every = seconds.map(|seconds| {
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| PyValueError::new_err(format!("every_seconds is {seconds}, but must be a time")))
    });
    let best: Option<String> = object.getattr("best")?.extract()?;
    Ok(Policy {
        every_steps: count("every_steps")?,
        every: every.transpose()?,
        retention: Retention {
            keep_last: count("keep_last")?,
            keep_every: count("keep_every")?,
            keep_best: Vec::new(),
        },
        best: best.map(|text| best_of(&text)).transpose()?,
        ..Policy::default()
    })
}

/// `METRIC`, of which less is better, or `METRIC:max`.
fn best_of(text: &str) -> PyResult<Best> {
    let (metric, goal) = match text.rsplit_once(':') {
        None => (text, Goal::Min),
        Some((metric, "min")) => (metric, Goal::Min),
        Some((metric, "max")) => (metric, Goal::Max),
        Some(_) => {
            let message = format!("best is `{text}`, but must be METRIC, METRIC:min or METRIC:max");
            return Err(PyValueError::new_err(message));
        }
    };
    Ok(Best { metric: metric.to_owned(), goal })
}
