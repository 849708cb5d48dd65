//! Sampling: how a token is chosen by its logit.

use rekindle_compute::{KernelPath, kernel, math, rng};

use crate::error::GptError;
use crate::model::sampling::Sampling;
use crate::streams;

/// Chooses tokens.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    logits: Vec<f32>,
    /// In proportion to the probabilities.
    weights: Vec<f32>,
    candidates: Vec<Candidate>,
    /// The tokens that are penalised: one place for each token.
    in_history: Vec<bool>,
}

/// A token that may be chosen.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    token: u32,
    logit: f32,
    /// In proportion to its probability.
    weight: f64,
}

impl Sampler {
    /// Chooses as `sampling` says.
    ///
    /// # Errors
    /// A value is out of its range.
    pub fn new(sampling: Sampling) -> Result<Self, GptError> {
        sampling.validate()?;
        Ok(Self {
            sampling,
            logits: Vec::new(),
            weights: Vec::new(),
            candidates: Vec::new(),
            in_history: Vec::new(),
        })
    }

    /// How it chooses.
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// Chooses the token for a position, counted from 0, by the logit of each token that may be
    /// there and by the tokens before it. A logit of negative infinity rules a token out.
    ///
    /// # Errors
    /// There are no logits, one is not a number or positive infinity, or all are negative infinity.
    pub fn sample(&mut self, logits: &[f32], history: &[u32], position: u64) -> Result<u32, GptError> {
        check(logits)?;
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        self.penalise(history);
        let Some(best) = highest(&self.logits) else {
            return Err(GptError::Logits("all are negative infinity: no token may follow".to_owned()));
        };
        if self.sampling.temperature == 0.0 {
            return Ok(best.token);
        }
        self.find_candidates(best);
        self.keep_most_probable();
        Ok(self.draw(position))
    }

    /// Changes the logits of tokens that were there before.
    fn penalise(&mut self, history: &[u32]) {
        let penalty = self.sampling.repetition_penalty;
        if penalty == 1.0 {
            return;
        }
        let window = match self.sampling.repetition_window {
            0 => history,
            window => &history[history.len().saturating_sub(window as usize)..],
        };
        self.in_history.clear();
        self.in_history.resize(self.logits.len(), false);
        for &token in window {
            let token = token as usize;
            // The history may hold tokens that have no logit.
            let Some(in_history) = self.in_history.get_mut(token) else { continue };
            if !std::mem::replace(in_history, true) {
                let logit = self.logits[token];
                // A finite logit stays finite, so that no token is ruled out or becomes the only one.
                self.logits[token] = if logit > 0.0 {
                    (logit / penalty).min(f32::MAX)
                } else if logit == f32::NEG_INFINITY {
                    logit
                } else {
                    (logit * penalty).max(f32::MIN)
                };
            }
        }
    }

    /// The tokens that `top_k` leaves, in the order of their numbers, with weights.
    fn find_candidates(&mut self, best: Candidate) {
        self.weights.resize(self.logits.len(), 0.0);
        weigh(KernelPath::best(), &mut self.weights, &self.logits, best.logit, self.sampling.temperature);
        let candidates = &mut self.candidates;
        candidates.clear();
        for (token, (&logit, &weight)) in self.logits.iter().zip(&self.weights).enumerate() {
            candidates.push(Candidate { token: token as u32, logit, weight: f64::from(weight) });
        }
        let top_k = self.sampling.top_k as usize;
        if (1..candidates.len()).contains(&top_k) {
            candidates.select_nth_unstable_by(top_k - 1, by_rank);
            candidates.truncate(top_k);
            candidates.sort_unstable_by_key(|candidate| candidate.token);
        }
    }

    /// Leaves out what `top_p` and `min_p` do not allow.
    fn keep_most_probable(&mut self) {
        let Sampling { top_p, min_p, .. } = self.sampling;
        let candidates = &mut self.candidates;
        if top_p < 1.0 {
            let total: f64 = candidates.iter().map(|candidate| candidate.weight).sum();
            // All those below have together less than what may be missing: most need not be sorted.
            // The half is for rounding.
            let bound = 0.5 * total * (1.0 - f64::from(top_p)) / candidates.len() as f64;
            candidates.retain(|candidate| candidate.weight >= bound);
            candidates.sort_unstable_by(by_rank);
            let mut sum = 0.0;
            let enough = candidates.iter().position(|candidate| {
                sum += candidate.weight;
                sum >= f64::from(top_p) * total
            });
            candidates.truncate(enough.map_or(candidates.len(), |last| last + 1));
        }
        // The weight of the best is 1.
        candidates.retain(|candidate| candidate.weight >= f64::from(min_p));
    }

    /// Draws one of the candidates.
    fn draw(&self, position: u64) -> u32 {
        let total: f64 = self.candidates.iter().map(|candidate| candidate.weight).sum();
        let drawn = rng::stream(self.sampling.seed, streams::SAMPLING, position).uniform_f64() * total;
        let mut sum = 0.0;
        let mut chosen = 0;
        for candidate in self.candidates.iter().filter(|candidate| candidate.weight > 0.0) {
            chosen = candidate.token;
            sum += candidate.weight;
            if drawn < sum {
                break;
            }
        }
        chosen
    }
}

kernel! {
    /// Sets weights in proportion to the probabilities: 1 for the logit `best`, the highest one.
    fn weigh(weights: &mut [f32], logits: &[f32], best: f32, temperature: f32) {
        for (weight, logit) in weights.iter_mut().zip(logits) {
            *weight = math::exp((logit - best) / temperature);
        }
    }
}

/// Higher logits first, of equal ones the lowest token: no two tokens are equal.
fn by_rank(left: &Candidate, right: &Candidate) -> std::cmp::Ordering {
    right.logit.total_cmp(&left.logit).then(left.token.cmp(&right.token))
}

/// The highest logit, of equal ones that of the lowest token; none if all are negative infinity.
fn highest(logits: &[f32]) -> Option<Candidate> {
    let mut best: Option<Candidate> = None;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > best.map_or(f32::NEG_INFINITY, |best| best.logit) {
            best = Some(Candidate { token: token as u32, logit, weight: 1.0 });
        }
    }
    best
}

fn check(logits: &[f32]) -> Result<(), GptError> {
    if logits.is_empty() {
        return Err(GptError::Logits("there are none".to_owned()));
    }
    match logits.iter().position(|&logit| logit.is_nan() || logit == f32::INFINITY) {
        Some(token) => Err(GptError::Logits(format!("that of token {token} is {}", logits[token]))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sampler(sampling: Sampling) -> Sampler {
        Sampler::new(sampling).unwrap()
    }

    /// How often each of 4 tokens is drawn in 10,000 draws.
    fn counts(sampling: Sampling, logits: &[f32; 4], history: &[u32]) -> [u32; 4] {
        let mut sampler = sampler(sampling);
        let mut counts = [0; 4];
        for position in 0..10_000 {
            counts[sampler.sample(logits, history, position).unwrap() as usize] += 1;
        }
        counts
    }

    fn close(counts: [u32; 4], expected: [u32; 4]) {
        for (count, expected) in counts.iter().zip(expected) {
            assert!(count.abs_diff(expected) <= if expected == 0 { 0 } else { 200 }, "{counts:?}");
        }
    }

    /// Logits whose probabilities are 10, 40, 20 and 30 percent.
    fn logits() -> [f32; 4] {
        [0.1_f32, 0.4, 0.2, 0.3].map(f32::ln)
    }

    #[test]
    fn greedy_takes_the_highest_and_of_equal_ones_the_lowest() {
        let mut greedy = sampler(Sampling::greedy());
        assert_eq!(greedy.sample(&[1.0, 3.0, -2.0, 3.0], &[], 0).unwrap(), 1);
        assert_eq!(greedy.sample(&[f32::NEG_INFINITY, f32::MIN], &[], 0).unwrap(), 1);
    }

    #[test]
    fn tokens_are_drawn_by_their_probability() {
        close(counts(Sampling::default(), &logits(), &[]), [1000, 4000, 2000, 3000]);
        // Temperature 1/2 squares: 1, 16, 4, 9 of 30.
        let cool = Sampling { temperature: 0.5, ..Sampling::default() };
        close(counts(cool, &logits(), &[]), [333, 5333, 1333, 3000]);
    }

    #[test]
    fn top_k_leaves_the_k_highest() {
        let two = Sampling { top_k: 2, ..Sampling::default() };
        close(counts(two, &logits(), &[]), [0, 5714, 0, 4286]);
        // Of equal ones the lowest tokens stay.
        let two = Sampling { top_k: 2, ..Sampling::default() };
        close(counts(two, &[1.0; 4], &[]), [5000, 5000, 0, 0]);
    }

    #[test]
    fn top_p_leaves_the_fewest_that_reach_it() {
        for (top_p, expected) in [
            (0.0, [0, 10_000, 0, 0]),
            (0.39, [0, 10_000, 0, 0]),
            (0.45, [0, 5714, 0, 4286]),
            (0.75, [0, 4444, 2222, 3333]),
            (0.95, [1000, 4000, 2000, 3000]),
        ] {
            close(counts(Sampling { top_p, ..Sampling::default() }, &logits(), &[]), expected);
        }
        // Of the three that top-k leaves, 40 of 90 percent are less than a half.
        let both = Sampling { top_k: 3, top_p: 0.5, ..Sampling::default() };
        close(counts(both, &logits(), &[]), [0, 5714, 0, 4286]);
    }

    #[test]
    fn min_p_leaves_what_has_a_share_of_the_highest() {
        let share = |min_p| Sampling { min_p, ..Sampling::default() };
        close(counts(share(0.45), &logits(), &[]), [0, 4444, 2222, 3333]);
        close(counts(share(1.0), &logits(), &[]), [0, 10_000, 0, 0]);
        // It sees the probabilities after the temperature: 1/16, 1, 4/16 and 9/16.
        let cool = Sampling { temperature: 0.5, min_p: 0.3, ..Sampling::default() };
        close(counts(cool, &logits(), &[]), [0, 6400, 0, 3600]);
    }

    #[test]
    fn the_penalty_divides_positive_and_multiplies_negative_logits_once() {
        let penalised = |history: &[u32], window| {
            let sampling =
                Sampling { repetition_penalty: 2.0, repetition_window: window, ..Sampling::greedy() };
            let mut sampler = sampler(sampling);
            sampler.sample(&[4.0, 3.0, -1.0, 1.9], history, 0).unwrap();
            sampler.logits.clone()
        };
        assert_eq!(penalised(&[0, 2, 0, 0, 2, 999], 0), [2.0, 3.0, -2.0, 1.9]);
        assert_eq!(penalised(&[0, 1, 2], 2), [4.0, 1.5, -2.0, 1.9]);
        assert_eq!(penalised(&[0, 1], 5), [2.0, 1.5, -1.0, 1.9]);
    }

    #[test]
    fn a_draw_depends_on_seed_and_position_only() {
        let mut first = sampler(Sampling { seed: 7, ..Sampling::default() });
        let drawn: Vec<u32> = (0..50).map(|at| first.sample(&logits(), &[], at).unwrap()).collect();
        let mut again = sampler(Sampling { seed: 7, ..Sampling::default() });
        let backwards: Vec<u32> = (0..50).rev().map(|at| again.sample(&logits(), &[], at).unwrap()).collect();
        assert!(drawn.iter().eq(backwards.iter().rev()));
        let mut other = sampler(Sampling { seed: 8, ..Sampling::default() });
        let others: Vec<u32> = (0..50).map(|at| other.sample(&logits(), &[], at).unwrap()).collect();
        assert_ne!(drawn, others);
    }

    #[test]
    fn logits_that_cannot_be_used_are_refused() {
        let mut sampler = sampler(Sampling::default());
        for (logits, expected) in [
            (&[][..], "there are none"),
            (&[0.0, f32::NAN], "token 1 is NaN"),
            (&[f32::INFINITY, 0.0], "token 0 is inf"),
            (&[f32::NEG_INFINITY; 2], "no token may follow"),
        ] {
            let error = sampler.sample(logits, &[], 0).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn settings_out_of_range_and_unknown_ones_are_refused() {
        for (settings, expected) in [
            (r#"{"temperature": -1.0}"#, "`sampling.temperature` is -1"),
            (r#"{"top_p": 1.5}"#, "`sampling.top_p` is 1.5"),
            (r#"{"min_p": -0.5}"#, "`sampling.min_p` is -0.5"),
            (r#"{"repetition_penalty": 0.0}"#, "`sampling.repetition_penalty` is 0"),
        ] {
            let sampling: Sampling = serde_json::from_str(settings).unwrap();
            let error = Sampler::new(sampling).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let nan = Sampling { temperature: f32::NAN, ..Sampling::default() };
        assert!(nan.validate().is_err());
        assert!(serde_json::from_str::<Sampling>(r#"{"topk": 3}"#).is_err());
        assert_eq!(serde_json::from_str::<Sampling>("{}").unwrap(), Sampling::default());
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_allowed(
            logits in prop::collection::vec(-20.0_f32..20.0, 1..60),
            temperature in prop_oneof![Just(0.0_f32), 0.001_f32..50.0],
            top_k in 0..70_u32,
            top_p in 0.0_f32..=1.0,
            min_p in 0.0_f32..=1.0,
            seed: u64,
        ) {
            let sampling = Sampling { temperature, top_k, top_p, min_p, seed, ..Sampling::default() };
            let token = sampler(sampling).sample(&logits, &[], seed).unwrap() as usize;
            let logit = logits[token];
            let better = logits.iter().enumerate()
                .filter(|&(other, &s)| s > logit || (s == logit && other < token));
            if temperature == 0.0 {
                prop_assert_eq!(better.count(), 0);
            } else {
                let best = logits.iter().copied().fold(f32::MIN, f32::max);
                let weight = |s: f32| ((f64::from(s) - f64::from(best)) / f64::from(temperature)).exp();
                prop_assert!(top_k == 0 || better.clone().count() < top_k as usize);
                prop_assert!(weight(logit) >= f64::from(min_p) * 0.9999);
                // What is better has not reached the probability that is asked for.
                let share: f64 = better.map(|(_, &s)| weight(s)).sum::<f64>()
                    / logits.iter().map(|&s| weight(s)).sum::<f64>();
                prop_assert!(share <= f64::from(top_p) + 1e-4);
            }
        }
    }
}
