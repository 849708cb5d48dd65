//! Operations on nested lists of digits (after Nangia and Bowman, "ListOps: a diagnostic dataset for latent tree learning",
//! 2018).

use super::{Drawn, Random, Split};

const OPERATIONS: [&str; 4] = ["MAX", "MIN", "MED", "SM"];

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let (depth, most) = match split {
        Split::InDistribution | Split::Shifted => (random.between(1, 3), 4),
        Split::Deeper => (random.between(4, 5), 4),
        Split::Longer => (random.between(1, 3), 10),
    };
    let mut text = String::new();
    let value = list(random, depth, most, split, &mut text);
    Some(Drawn {
        depth,
        statement: text,
        question: "What is the value?".to_owned(),
        answer: value.to_string(),
    })
}

/// Writes a list of just so many levels, and gives its value.
fn list(random: &mut Random, depth: usize, most: usize, split: Split, text: &mut String) -> usize {
    let operation = *random.pick(&OPERATIONS);
    let count = if split == Split::Longer { random.between(most / 2, most) } else { random.between(2, most) };
    // In all but the shifted ones the deep list is anywhere.
    let deep = if split == Split::Shifted { 0 } else { random.below(count) };
    *text += &format!("[{operation}");
    let mut values = Vec::new();
    for place in 0..count {
        text.push(' ');
        let inner =
            if place == deep { depth - 1 } else { random.below(depth).min(usize::from(random.chance(25))) };
        if inner > 0 {
            values.push(list(random, inner, most.min(4), split, text));
        } else {
            let digit = random.below(10);
            *text += &digit.to_string();
            values.push(digit);
        }
    }
    text.push(']');
    value(operation, values)
}

fn value(operation: &str, mut values: Vec<usize>) -> usize {
    values.sort_unstable();
    match operation {
        "MAX" => values.last().copied().unwrap_or_default(),
        "MIN" => values.first().copied().unwrap_or_default(),
        // The lower one of two in the middle.
        "MED" => values[(values.len() - 1) / 2],
        _ => values.iter().sum::<usize>() % 10,
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn operations_give_what_they_should() {
        let of = |operation| value(operation, vec![4, 9, 2, 7]);
        assert_eq!(["MAX", "MIN", "MED", "SM"].map(of), [9, 2, 4, 2]);
    }
}
