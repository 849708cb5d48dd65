//! Timing contenders in turns.

use std::time::{Duration, Instant};

/// One contender of a comparison: does its work once and says how long that took. What it does
/// outside the time that it reports, such as deleting what it wrote, does not count.
pub type Contender<'a> = Box<dyn FnMut() -> anyhow::Result<Duration> + 'a>;

/// The times of one contender, one for each round: seconds.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

/// How contenders take turns.
#[derive(Debug, Clone, Copy)]
pub struct Turns {
    /// Rounds.
    pub rounds: usize,
    /// Whether each contender works twice in every turn, of which the second time counts. It then
    /// finds the memory that itself gave back: a virtual machine's memory that has lain idle is
    /// slow when it is first used again, and otherwise whoever comes after a long turn pays.
    pub warm: bool,
}

impl Turns {
    /// Lets the contenders work in turns. Every other round runs backwards, so that none always
    /// comes after the same one.
    pub fn take<const N: usize>(self, mut contenders: [Contender<'_>; N]) -> anyhow::Result<[Times; N]> {
        let mut times: [Times; N] = std::array::from_fn(|_| Times::default());
        for number in 0..self.rounds {
            let elapsed = self.round(number, &mut contenders)?;
            times.iter_mut().zip(elapsed).for_each(|(times, elapsed)| times.0.push(elapsed.as_secs_f64()));
        }
        Ok(times)
    }

    fn round<const N: usize>(
        self,
        number: usize,
        contenders: &mut [Contender<'_>; N],
    ) -> anyhow::Result<[Duration; N]> {
        let mut elapsed = [Duration::ZERO; N];
        for turn in 0..N {
            let chosen = if number.is_multiple_of(2) { turn } else { N - 1 - turn };
            if self.warm {
                contenders[chosen]()?;
            }
            elapsed[chosen] = contenders[chosen]()?;
        }
        Ok(elapsed)
    }
}

/// How long `work` takes, and what it gives.
pub fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let begun = Instant::now();
    let value = work()?;
    Ok((begun.elapsed(), value))
}

/// How long `work` takes; what it gives is dropped after the clock has stopped.
pub fn time_of<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    timed(work).map(|(elapsed, _)| elapsed)
}

impl Times {
    /// The median: seconds.
    pub fn median(&self) -> f64 {
        median(&self.0)
    }

    /// The median over the rounds of these times divided by those of `other`.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let ratios: Vec<f64> = self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect();
        median(&ratios)
    }

    /// The median, and the smallest and largest in brackets.
    pub fn text(&self) -> String {
        let smallest = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = self.0.iter().copied().fold(0.0, f64::max);
        format!("{} ({} to {})", seconds(self.median()), seconds(smallest), seconds(largest))
    }
}

/// The middle of the values; the mean of the two in the middle when their number is even.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// A time for people.
pub fn seconds(value: f64) -> String {
    match value {
        value if value < 1e-3 => format!("{:.0} us", value * 1e6),
        value if value < 0.1 => format!("{:.2} ms", value * 1e3),
        value => format!("{value:.3} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let ours = Times(vec![1.0, 20.0, 3.0]);
        let theirs = Times(vec![1.0, 10.0, 1.0]);
        assert_eq!(ours.ratio_to(&theirs), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn every_contender_has_its_turn_in_every_round() {
        let contender =
            |milliseconds| -> Contender<'_> { Box::new(move || Ok(Duration::from_millis(milliseconds))) };
        let [first, second] = Turns { rounds: 3, warm: true }.take([contender(1), contender(2)]).unwrap();
        assert_eq!((first.0.len(), second.0.len()), (3, 3));
        assert_eq!(first.ratio_to(&second), 0.5);
    }
}
