//! Examples that are generated: the same bits everywhere, which the system's sine and cosine do not promise.

use std::f64::consts::PI;

use rekindle_compute::rng;
use rekindle_data::{ClassColumn, NumberColumn, Origin, TableExamples, TableTarget};

use crate::streams;

/// 97 points of each of two spirals that wind three times around each other (Lang and Witbrock,
/// "Learning to tell two spirals apart", 1988).
pub(super) fn two_spirals() -> TableExamples {
    let mut inputs = vec![Vec::new(); 2];
    let mut class = Vec::new();
    for point in 0..97 {
        let angle = f64::from(point) * PI / 16.0;
        let radius = 6.5 * f64::from(104 - point) / 104.0;
        for (index, sign) in [1.0, -1.0].into_iter().enumerate() {
            inputs[0].push(sign * radius * libm::sin(angle));
            inputs[1].push(sign * radius * libm::cos(angle));
            class.push(index);
        }
    }
    examples("two spirals", inputs, "spiral", 2, class)
}

/// Random points of spirals that wind 780 degrees, each moved by up to `noise`.
pub(super) fn spirals(arms: u32, points: u32, noise: f64, seed: u64) -> TableExamples {
    let count = arms as usize * points as usize;
    let mut inputs = vec![Vec::with_capacity(count), Vec::with_capacity(count)];
    let mut class = Vec::with_capacity(count);
    for arm in 0..arms {
        let mut stream = rng::stream(seed, streams::POINTS, arm.into());
        let turn = 2.0 * PI * f64::from(arm) / f64::from(arms);
        for _ in 0..points {
            let radius = stream.uniform_f64().sqrt() * 780.0 * PI / 180.0;
            let angle = radius + turn;
            inputs[0].push(-libm::cos(angle) * radius + stream.uniform_f64() * noise);
            inputs[1].push(libm::sin(angle) * radius + stream.uniform_f64() * noise);
            class.push(arm as usize);
        }
    }
    examples("spirals", inputs, "spiral", arms as usize, class)
}

/// All strings of so many bits, as -1/2 and 1/2, and whether the number of ones is odd.
pub(super) fn parity(bits: u32) -> TableExamples {
    let strings = 0..1_u32 << bits;
    let bit = |string: u32, index: u32| if string >> index & 1 == 1 { 0.5 } else { -0.5 };
    let inputs = (0..bits).map(|index| strings.clone().map(|string| bit(string, index)).collect()).collect();
    let class = strings.map(|string| (string.count_ones() % 2) as usize).collect();
    examples("parity", inputs, "odd", 2, class)
}

fn examples(
    origin: &'static str,
    inputs: Vec<Vec<f64>>,
    target: &str,
    classes: usize,
    labels: Vec<usize>,
) -> TableExamples {
    let name = |index: usize| match inputs.len() {
        2 => ["x", "y"][index].to_owned(),
        _ => format!("bit{index}"),
    };
    let names: Vec<String> = (0..inputs.len()).map(name).collect();
    let input = |(name, values)| NumberColumn { name, values };
    TableExamples {
        origin: Origin::Named(origin),
        inputs: names.into_iter().zip(inputs).map(input).collect(),
        target: TableTarget::Classes(ClassColumn {
            name: target.to_owned(),
            classes: (0..classes).map(|class| class.to_string()).collect(),
            labels,
        }),
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_spirals_are_the_published_points() {
        let examples = two_spirals();
        assert_eq!(examples.rows(), 194);
        assert_eq!((examples.inputs[0].values[0], examples.inputs[1].values[0]), (0.0, 6.5));
        assert!(
            (examples.inputs[0].values[16] - 6.5 * 96.0 / 104.0).abs() < 1e-12,
            "a quarter turn after 8 points"
        );
    }

    #[test]
    fn the_points_are_the_same_bits_everywhere() {
        let examples = spirals(2, 1000, 0.25, 0);
        let bytes: Vec<u8> = examples
            .inputs
            .iter()
            .flat_map(|input| &input.values)
            .flat_map(|number| number.to_le_bytes())
            .collect();
        let hash = "b6b1d5077b4b17bbd577fcbd084b0342b34983d912b521fb53d06a6cd30ede36";
        assert_eq!(rekindle::Hash::of(&bytes).to_string(), hash);
    }

    #[test]
    fn parity_has_as_many_odd_as_even_strings() {
        let examples = parity(4);
        assert_eq!((examples.rows(), examples.inputs.len()), (16, 4));
        let TableTarget::Classes(column) = examples.target else { panic!("parity is a class") };
        assert_eq!(column.labels.iter().sum::<usize>(), 8);
    }
}
