//! From numbers to places on an axis, and the ticks along it.

/// Numbers with more digits before the point than this are told as a multiple of a power of ten.
const WHOLE_DIGITS: i32 = 6;
/// As are those that begin behind more zeros than this.
const ZEROS: i32 = 3;
/// Of more powers of ten than this only those with a label have a tick.
const MANY_POWERS: usize = 40;

/// A range of numbers, evenly or by their logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    is_logarithmic: bool,
}

/// A place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The number.
    pub at: f64,
    /// What is written beside it; nothing beside a small one.
    pub label: Option<String>,
}

/// The ticks of an axis, all in one notation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ticks {
    /// From low to high.
    pub ticks: Vec<Tick>,
    /// What the labels are to be multiplied with, as `×10⁻⁴`; empty for 1.
    pub factor: String,
}

impl Default for Scale {
    /// From 0 to 1.
    fn default() -> Self {
        Self { low: 0.0, high: 1.0, is_logarithmic: false }
    }
}

impl Scale {
    /// An even scale over all finite `values`, with so large a share of them as a margin at both ends.
    pub fn linear(values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let Some([low, high]) = range(values) else { return Self::default() };
        let margin = if low < high { (high - low) * margin } else { (low.abs() * 0.1).max(0.5) };
        let [low, high] = [low - margin, high + margin].map(|end| end.clamp(-1e300, 1e300));
        Self { low, high, is_logarithmic: false }
    }

    /// A scale by the logarithms of all finite positive `values`; an even one where there are none.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let logarithms = values.into_iter().filter(|&value| value > 0.0 && value.is_finite());
        // The ends of the number line are no picture.
        let logarithms = logarithms.map(|value| value.log10().clamp(-270.0, 270.0));
        match range(logarithms) {
            None => Self::default(),
            Some([low, high]) => {
                let margin = if low < high { (high - low) * margin } else { 0.3 };
                Self {
                    low: 10f64.powf((low - margin).max(-300.0)),
                    high: 10f64.powf((high + margin).min(300.0)),
                    is_logarithmic: true,
                }
            }
        }
    }

    /// An even scale from `low` to `high`.
    pub fn between(low: f64, high: f64) -> Self {
        Self { low, high, is_logarithmic: false }
    }

    /// Where a number is, from 0 at the low end to 1 at the high end; nothing of a number that has no place.
    pub fn share(&self, value: f64) -> Option<f64> {
        let share = if self.is_logarithmic {
            let low = self.low.log10();
            (value.log10() - low) / (self.high.log10() - low)
        } else {
            // Halves, so that the difference of the ends is a number.
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        };
        share.is_finite().then_some(share)
    }

    /// About as many ticks with labels as `most`, and not many more; between `whole` numbers none.
    pub fn ticks(&self, most: usize, whole: bool) -> Ticks {
        let even = || even_ticks(self.low, self.high, most, whole);
        if !self.is_logarithmic {
            return even();
        }
        let ticks = decades(self.low, self.high, most);
        if ticks.ticks.iter().filter(|tick| tick.label.is_some()).count() >= 2 { ticks } else { even() }
    }
}

fn range(values: impl IntoIterator<Item = f64>) -> Option<[f64; 2]> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |range, value| match range {
        None => Some([value, value]),
        Some([low, high]) => Some([value.min(low), value.max(high)]),
    })
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten.
fn even_ticks(low: f64, high: f64, most: usize, whole: bool) -> Ticks {
    let rough = (high / most.max(1) as f64 - low / most.max(1) as f64).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|&step| step >= rough * 0.999);
    let step = step.unwrap_or(rough);
    let step = if whole { step.max(1.0) } else { step };
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let values: Vec<f64> =
        (0..).map(|index| first + f64::from(index)).take_while(|&at| at <= last).take(200).collect();
    let values: Vec<f64> = values.into_iter().map(|multiple| multiple * step).collect();
    let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let exponent = if largest > 0.0 { largest.log10().floor() as i32 } else { 0 };
    let power = if !(-ZEROS..WHOLE_DIGITS).contains(&exponent) { exponent } else { 0 };
    // What a step of floating point numbers is off by is not shown.
    let digits = (f64::from(power) - step.log10() - 1e-9).ceil().clamp(0.0, 15.0) as usize;
    let label = |value: f64| plain(value / 10f64.powi(power), digits);
    let ticks = values.iter().map(|&at| Tick { at, label: Some(label(at)) }).collect();
    let factor = if power == 0 { String::new() } else { format!("×10{}", raised(power)) };
    Ticks { ticks, factor }
}

/// Ticks at powers of ten; at 2 and 5 times such where there are few powers.
fn decades(low: f64, high: f64, most: usize) -> Ticks {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let is_seen = |at: f64| at >= low * (1.0 - 1e-9) && at <= high * (1.0 + 1e-9);
    let powers: Vec<i32> = (first..=last).filter(|&power| is_seen(10f64.powi(power))).collect();
    let stride = powers.len().div_ceil(most.max(1)).max(1) as i32;
    let with_parts = powers.len() <= 2;
    let is_labelled = |power: i32, times: i32| {
        if times == 1 { power % stride == 0 } else { with_parts && [2, 5].contains(&times) }
    };
    // All labels in the same way, whether or not one alone could be plain.
    let is_plain = first >= -ZEROS - 1 && last < WHOLE_DIGITS;
    let label = |power: i32, times: i32| match is_plain {
        true => plain(f64::from(times) * 10f64.powi(power), usize::try_from(-power).unwrap_or(0)),
        false if with_parts => format!("{times}·10{}", raised(power)),
        false => format!("10{}", raised(power)),
    };
    let mut ticks = Vec::new();
    for power in first..=last {
        // Small ticks say no more where powers are close.
        for times in if stride == 1 { 1..10 } else { 1..2 } {
            if powers.len() > MANY_POWERS && power % stride != 0 {
                continue;
            }
            let at = f64::from(times) * 10f64.powi(power);
            if is_seen(at) {
                ticks.push(Tick { at, label: is_labelled(power, times).then(|| label(power, times)) });
            }
        }
    }
    Ticks { ticks, factor: String::new() }
}

/// A number with so many digits behind the point, and commas between thousands.
fn plain(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.bytes().all(|byte| byte == b'0' || byte == b'.');
    let sign = if value < 0.0 && !is_zero { "\u{2212}" } else { "" };
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    // Four digits are read without.
    let comma = |index: usize| whole.len() > 4 && index > 0 && (whole.len() - index).is_multiple_of(3);
    let grouped = whole.chars().enumerate();
    let grouped: String =
        grouped.flat_map(|(index, digit)| comma(index).then_some(',').into_iter().chain([digit])).collect();
    format!("{sign}{grouped}{rest}")
}

fn raised(power: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raise = |character: char| match character.to_digit(10) {
        Some(digit) => DIGITS[digit as usize],
        None => '⁻',
    };
    power.to_string().chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, most: usize) -> Vec<String> {
        scale.ticks(most, false).ticks.into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_in_one_notation() {
        assert_eq!(labels(Scale::between(0.0, 4600.0), 6), ["0", "1000", "2000", "3000", "4000"]);
        assert_eq!(labels(Scale::between(0.0, 25_000.0), 3), ["0", "10,000", "20,000"]);
        assert_eq!(labels(Scale::between(-0.1, 0.3), 4), ["\u{2212}0.1", "0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(
            labels(Scale::between(2.3, 2.3004), 4),
            ["2.3000", "2.3001", "2.3002", "2.3003", "2.3004"]
        );
        let small = Scale::between(0.0, 3e-4).ticks(3, false);
        assert_eq!((small.factor.as_str(), small.ticks[3].label.as_deref()), ("×10⁻⁴", Some("3")));
        let large = Scale::between(0.0, 2.5e7).ticks(5, false);
        assert_eq!((large.factor.as_str(), large.ticks[1].label.as_deref()), ("×10⁷", Some("0.5")));
    }

    #[test]
    fn there_are_no_ticks_between_whole_numbers() {
        let ticks = Scale::between(0.0, 2.0).ticks(8, true).ticks;
        assert_eq!(ticks.iter().map(|tick| tick.at).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn logarithms_have_ticks_at_powers_of_ten() {
        let wide = Scale::logarithmic([1e-6, 1.0], 0.0);
        assert_eq!(labels(wide, 4), ["10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"]);
        assert_eq!(labels(wide, 8).len(), 7);
        assert_eq!(labels(Scale::logarithmic([0.004, 3.0], 0.0), 8), ["0.01", "0.1", "1"]);
        let narrow = Scale::logarithmic([0.15, 6.0], 0.0);
        assert_eq!(labels(narrow, 8), ["0.2", "0.5", "1", "2", "5"]);
        assert_eq!(
            labels(Scale::logarithmic([3.1, 3.6], 0.0), 5),
            ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6"]
        );
        assert_eq!(wide.share(1e-3), Some(0.5));
        assert_eq!((wide.share(0.0), wide.share(-1.0)), (None, None));
    }

    #[test]
    fn hostile_numbers_have_a_scale() {
        for values in
            [vec![], vec![f64::NAN], vec![f64::MAX, f64::MIN], vec![5e-324, 1e308], vec![7.0], vec![0.0]]
        {
            for scale in [Scale::linear(values.clone(), 0.05), Scale::logarithmic(values.clone(), 0.05)] {
                assert!(scale.low < scale.high, "{values:?}: {scale:?}");
                assert!(scale.ticks(6, false).ticks.len() < 400 && scale.ticks(6, true).ticks.len() < 400);
                assert!(scale.share(scale.high).is_some_and(|share| (share - 1.0).abs() < 1e-6));
            }
        }
    }
}
