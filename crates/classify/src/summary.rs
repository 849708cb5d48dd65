//! A classifier in words.

use rekindle_data::ConfusionMatrix;

use crate::preparation::Preparation;

/// Classes that are named at most.
const LINES: usize = 32;

/// What is read of an example.
pub fn inputs(preparation: &Preparation) -> String {
    let kind = match preparation.width {
        0 => format!("{} inputs", preparation.inputs.len()),
        width => format!("pictures of {width} by {} pixels", preparation.height),
    };
    let (bits, used) = (preparation.thermometers.bits, preparation.used.len());
    format!("{kind}, {bits} bits each; {used} bits of {} are read", preparation.thermometers.encoded_bits())
}

/// The classes by name.
pub fn classes(preparation: &Preparation) -> String {
    let classes = &preparation.classes;
    let named = classes.iter().take(LINES).cloned().collect::<Vec<_>>().join(", ");
    let more = if classes.len() > LINES { ", ..." } else { "" };
    format!("{} classes of `{}`: {named}{more}", classes.len(), preparation.target)
}

/// What a trained classifier is and how it does, where its examples were kept back for that.
pub fn conclusion(
    described: &str,
    preparation: &Preparation,
    select: Option<&ConfusionMatrix>,
    test: Option<&ConfusionMatrix>,
) -> String {
    let mut text = format!("{described}\n");
    if let Some(shown) = test.or(select) {
        let part = if test.is_some() { "test" } else { "select" };
        text.push_str(&format!("\n{}", shown.in_words(&preparation.classes, &format!("{part} examples"))));
    }
    for (part, confusion) in [("test", test), ("select", select)] {
        if let Some(confusion) = confusion {
            text.push_str(&format!("\n{}", accuracy(confusion, part)));
        }
    }
    text
}

/// How many examples of a part are right.
fn accuracy(confusion: &ConfusionMatrix, part: &str) -> String {
    let (right, rows) = (confusion.right(), confusion.all());
    format!("{part}: {right} of {rows} examples are right, {:.2} %", 100.0 * confusion.accuracy())
}
