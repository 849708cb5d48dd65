//! Whether a model is as sure as it should be.

use super::answers::Probabilities;

/// Answers are sorted by how sure the model is into so many bins of equal width.
const BINS: usize = 10;
/// What a probability of 0 counts as in the log loss, so that one wrong answer is not infinite.
const LEAST: f64 = 1e-15;

/// How well the probabilities of a model agree with what is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Bins that hold rows, by rising confidence.
    pub bins: Vec<CalibrationBin>,
    /// The mean difference between confidence and accuracy over the bins, weighted by their rows (Naeini et al.,
    /// 2015).
    pub expected_error: f64,
    /// The mean of the squared differences between the probabilities and what is known, summed over the classes
    /// (Brier, 1950): from 0 to 2.
    pub brier: f64,
    /// The mean of `-ln` of the probability of the known class: nats.
    pub log_loss: f64,
}

/// The answers of which a model is about equally sure.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationBin {
    /// The least confidence in the bin.
    pub from: f64,
    /// The most.
    pub to: f64,
    /// Rows in it.
    pub rows: u64,
    /// Mean probability of the answers.
    pub confidence: f64,
    /// The share of right answers.
    pub accuracy: f64,
}

impl Calibration {
    /// Compares probabilities with the known class of each row; one that the model does not know is never
    /// probable. Rows whose class is missing are passed over.
    pub(super) fn of(probabilities: &Probabilities, known: &[String]) -> Self {
        let Probabilities { classes, shares } = probabilities;
        let mut sums = [(0_u64, 0.0, 0_u64); BINS];
        let (mut brier, mut log_loss) = (0.0, 0.0);
        for (row, known) in known.iter().enumerate().filter(|(_, known)| !known.is_empty()) {
            let known = classes.iter().position(|class| class == known);
            let share = |class: usize| shares[class][row];
            let best = (0..classes.len()).max_by(|&a, &b| share(a).total_cmp(&share(b)).then(b.cmp(&a)));
            let confidence = best.map_or(0.0, share);
            let bin = &mut sums[((confidence * BINS as f64) as usize).min(BINS - 1)];
            bin.0 += 1;
            bin.1 += confidence;
            bin.2 += u64::from(best.is_some() && best == known);
            let is_known = |class| if Some(class) == known { 1.0 } else { 0.0 };
            let unknown = if known.is_none() { 1.0 } else { 0.0 };
            brier += (0..classes.len()).map(|class| (share(class) - is_known(class)).powi(2)).sum::<f64>()
                + unknown;
            log_loss -= libm::log(known.map_or(0.0, share).max(LEAST));
        }
        let rows = known.iter().filter(|known| !known.is_empty()).count().max(1) as f64;
        let bins =
            sums.iter().enumerate().filter(|(_, bin)| bin.0 > 0).map(|(index, &(rows, sum, right))| {
                let edge = |index: usize| index as f64 / BINS as f64;
                let (confidence, accuracy) = (sum / rows as f64, right as f64 / rows as f64);
                CalibrationBin { from: edge(index), to: edge(index + 1), rows, confidence, accuracy }
            });
        let bins: Vec<CalibrationBin> = bins.collect();
        let error = |bin: &CalibrationBin| bin.rows as f64 * (bin.confidence - bin.accuracy).abs();
        let expected_error = bins.iter().map(error).sum::<f64>() / rows;
        Self { bins, expected_error, brier: brier / rows, log_loss: log_loss / rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_compared_with_how_often_it_is_right() {
        let classes = vec!["a".to_owned(), "b".to_owned()];
        let shares = vec![vec![0.95, 0.95, 0.25, 0.5], vec![0.05, 0.05, 0.75, 0.5]];
        let known: Vec<String> = ["a", "b", "b", "c"].map(str::to_owned).to_vec();
        let found = Calibration::of(&Probabilities { classes, shares }, &known);
        let bins: Vec<(u64, f64)> = found.bins.iter().map(|bin| (bin.rows, bin.accuracy)).collect();
        assert_eq!(bins, [(1, 0.0), (1, 1.0), (2, 0.5)]);
        assert!((found.expected_error - (0.5 + 0.25 + 0.9) / 4.0).abs() < 1e-12, "{found:?}");
        let brier = [2.0 * 0.05_f64.powi(2), 2.0 * 0.95_f64.powi(2), 2.0 * 0.25_f64.powi(2), 1.5];
        assert!((found.brier - brier.iter().sum::<f64>() / 4.0).abs() < 1e-12, "{found:?}");
        let log = [0.95_f64, 0.05, 0.75, LEAST].map(|share| -share.ln());
        assert!((found.log_loss - log.iter().sum::<f64>() / 4.0).abs() < 1e-9, "{found:?}");
    }
}
