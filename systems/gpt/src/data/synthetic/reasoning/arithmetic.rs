//! Sums, differences and products in brackets.

use super::{Drawn, Random, Split};

/// Values beyond are not asked for.
const MOST: i64 = 999;

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let (depth, operands, most) = match split {
        Split::InDistribution => (random.between(1, 3), 2, 9),
        Split::Deeper => (random.between(4, 5), 2, 9),
        Split::Longer => (random.between(1, 3), 6, 9),
        Split::Shifted => (random.between(1, 3), 2, 99),
    };
    let mut text = String::new();
    let value = expression(random, depth, operands, most, &mut text)?;
    let question = "What is the value?".to_owned();
    Some(Drawn { depth, statement: text, question, answer: value.to_string() })
}

/// Writes an expression of just so many levels of brackets, and gives its value if that is not too large.
fn expression(
    random: &mut Random,
    depth: usize,
    operands: usize,
    most: usize,
    text: &mut String,
) -> Option<i64> {
    if depth == 0 {
        let number = random.below(most + 1);
        *text += &number.to_string();
        return Some(number as i64);
    }
    // One operation within a bracket, so that none goes before another.
    let sign = *random.pick(&['+', '-', '*']);
    let count = if sign == '*' { 2 } else { random.between(operands - operands / 3, operands) };
    let deep = random.below(count);
    text.push('(');
    let mut value = None;
    for place in 0..count {
        if place > 0 {
            *text += &format!(" {sign} ");
        }
        let inner =
            if place == deep { depth - 1 } else { random.below(depth).min(usize::from(random.chance(30))) };
        let operand = expression(random, inner, operands, most, text)?;
        let joined = match (value, sign) {
            (None, _) => operand,
            (Some(value), '+') => value + operand,
            (Some(value), '-') => value - operand,
            (Some(value), _) => value * operand,
        };
        value = Some(joined).filter(|value| value.abs() <= MOST);
        value?;
    }
    text.push(')');
    value
}
