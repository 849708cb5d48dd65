//! Which checkpoints to keep: a pure function from what there is to what goes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What is to be kept beside what always is: the newest valid checkpoint, the best and the tagged
/// ones. Without any rule everything is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Keep the newest checkpoints: how many.
    pub keep_last: Option<u64>,
    /// Keep checkpoints whose step is a multiple of this.
    pub keep_every: Option<u64>,
    /// Keep the best checkpoint by these metrics.
    pub keep_best: Vec<Best>,
}

/// A metric and whether more or less of it is better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// Name of the metric.
    pub metric: String,
    /// The better direction.
    #[serde(default)]
    pub goal: Goal,
}

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Less is better, as of a loss.
    #[default]
    Min,
    /// More is better, as of an accuracy.
    Max,
}

impl Best {
    /// The best of `values`, by step: the earliest among equals. Steps without the metric and
    /// values that are not numbers do not count.
    pub fn choose<'a>(
        &self,
        steps: impl IntoIterator<Item = (u64, &'a BTreeMap<String, f64>)>,
    ) -> Option<u64> {
        let mut best: Option<(f64, u64)> = None;
        for (step, metrics) in steps {
            let Some(&value) = metrics.get(&self.metric).filter(|value| !value.is_nan()) else {
                continue;
            };
            let better = |than: f64| match self.goal {
                Goal::Min => value < than,
                Goal::Max => value > than,
            };
            if best.is_none_or(|(than, _)| better(than)) {
                best = Some((value, step));
            }
        }
        best.map(|(_, step)| step)
    }
}

/// A checkpoint as the plan sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its step.
    pub step: u64,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
    /// False when it is known to be damaged.
    pub valid: bool,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Why a checkpoint is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It is the newest valid one.
    LatestValid,
    /// It is the best by this metric.
    Best(String),
    /// It has this tag.
    Tag(String),
    /// It is one of the newest.
    KeepLast,
    /// Its step is a multiple of `keep_every`.
    KeepEvery,
    /// It is damaged: what is left of it may still be wanted.
    Damaged,
    /// There is no rule by which to delete anything.
    NoRule,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LatestValid => f.write_str("latest valid"),
            Self::Best(metric) => write!(f, "best {metric}"),
            Self::Tag(name) => write!(f, "tag {name}"),
            Self::KeepLast => f.write_str("keep-last"),
            Self::KeepEvery => f.write_str("keep-every"),
            Self::Damaged => f.write_str("damaged"),
            Self::NoRule => f.write_str("no rule"),
        }
    }
}

/// What a prune keeps, with the reasons, and what it deletes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// Steps that stay.
    pub keep: BTreeMap<u64, Vec<Reason>>,
    /// Steps that go.
    pub delete: BTreeSet<u64>,
}

impl Retention {
    /// Decides about `candidates`, in any order. `best` is the run's own notion of its best
    /// checkpoint, which is always kept.
    pub fn plan(&self, candidates: &[Candidate], best: Option<&Best>) -> Plan {
        let mut keep: BTreeMap<u64, Vec<Reason>> = BTreeMap::new();
        let mut add = |step: u64, reason: Reason| {
            let reasons = keep.entry(step).or_default();
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        };
        let mut valid: Vec<&Candidate> = candidates.iter().filter(|c| c.valid).collect();
        valid.sort_by_key(|candidate| candidate.step);
        if let Some(latest) = valid.last() {
            add(latest.step, Reason::LatestValid);
        }
        for best in best.into_iter().chain(&self.keep_best) {
            let values = valid.iter().map(|candidate| (candidate.step, &candidate.metrics));
            if let Some(step) = best.choose(values) {
                add(step, Reason::Best(best.metric.clone()));
            }
        }
        for candidate in candidates {
            for tag in &candidate.tags {
                add(candidate.step, Reason::Tag(tag.clone()));
            }
            if !candidate.valid {
                add(candidate.step, Reason::Damaged);
            }
        }
        for candidate in valid.iter().rev().take(self.keep_last.unwrap_or(0) as usize) {
            add(candidate.step, Reason::KeepLast);
        }
        for candidate in &valid {
            if self.keep_every.is_some_and(|every| every > 0 && candidate.step % every == 0) {
                add(candidate.step, Reason::KeepEvery);
            }
            if *self == Self::default() {
                add(candidate.step, Reason::NoRule);
            }
        }
        let steps = candidates.iter().map(|candidate| candidate.step);
        let delete = steps.filter(|step| !keep.contains_key(step)).collect();
        Plan { keep, delete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(step: u64, loss: f64) -> Candidate {
        Candidate {
            step,
            metrics: BTreeMap::from([("loss".to_owned(), loss)]),
            valid: true,
            tags: Vec::new(),
        }
    }

    #[test]
    fn each_rule_keeps_its_checkpoints() {
        let candidates: Vec<_> = (0..10).map(|i| candidate(i * 10, (i as f64 - 4.2).abs())).collect();
        let retention = Retention {
            keep_last: Some(2),
            keep_every: Some(50),
            keep_best: vec![Best { metric: "loss".to_owned(), goal: Goal::Min }],
        };
        let plan = retention.plan(&candidates, None);
        assert_eq!(plan.keep.keys().copied().collect::<Vec<_>>(), [0, 40, 50, 80, 90]);
    }

    #[test]
    fn without_a_rule_everything_stays() {
        let plan = Retention::default().plan(&[candidate(1, 0.0), candidate(2, 0.0)], None);
        assert!(plan.delete.is_empty());
    }

    #[test]
    fn a_metric_that_is_not_a_number_is_never_best() {
        let best = Best { metric: "loss".to_owned(), goal: Goal::Max };
        let metrics = [candidate(1, f64::NAN), candidate(2, -1.0)];
        assert_eq!(best.choose(metrics.iter().map(|c| (c.step, &c.metrics))), Some(2));
    }

    proptest! {
        #[test]
        fn the_latest_valid_the_best_and_the_tagged_are_never_deleted(
            checkpoints in proptest::collection::vec((0.0..1.0, any::<bool>(), any::<bool>()), 1..12),
            keep_last in proptest::option::of(0u64..4),
            keep_every in proptest::option::of(0u64..40),
        ) {
            let candidates: Vec<Candidate> = checkpoints.iter().enumerate().map(|(i, &(loss, valid, tagged))| Candidate {
                valid,
                tags: if tagged { vec!["t".to_owned()] } else { Vec::new() },
                ..candidate(i as u64 * 10, loss)
            }).collect();
            let best = Best { metric: "loss".to_owned(), goal: Goal::Min };
            let retention = Retention { keep_last, keep_every, keep_best: Vec::new() };
            let plan = retention.plan(&candidates, Some(&best));
            let valid = candidates.iter().filter(|c| c.valid);
            if let Some(latest) = valid.clone().map(|c| c.step).max() {
                prop_assert!(plan.keep.contains_key(&latest));
            }
            if let Some(best) = best.choose(valid.map(|c| (c.step, &c.metrics))) {
                prop_assert!(plan.keep.contains_key(&best));
            }
            prop_assert!(candidates.iter().all(|c| c.tags.is_empty() || plan.keep.contains_key(&c.step)));
            prop_assert_eq!(plan.keep.len() + plan.delete.len(), candidates.len());
        }
    }
}
