//! Random WiSARD classifiers: few glyphs, short and long tuples, rows divided in every way.

use rekindle_compute::rng::Stream;

use super::draws::{between, one_in, one_of};

/// A config of a classifier that is trained in less than a second.
pub fn config(draws: &mut Stream) -> String {
    let kind = one_of(draws, &["linear", "gaussian", "quantile"]);
    // Short tuples have a counter for each address, long ones for those that occur.
    let tuple_bits = if one_in(draws, 2) { between(draws, 1, 12) } else { between(draws, 13, 64) };
    let noise = one_of(draws, &["0.0", "0.15", "1.0"]);
    let parts = match draws.below(4) {
        // As before there was anything to report on.
        0 => format!("    validation: 0.{}\n", draws.below(4)),
        1 => "    select: 0.0\n    test: 0.0\n".to_owned(),
        2 => String::new(),
        _ => format!("    select: 0.{}\n    test: 0.{}\n", draws.below(4), draws.below(4)),
    };
    let rows_per_step = match draws.below(3) {
        0 => format!("  rows_per_step: {}\n", 1 + draws.below(9)),
        1 => format!("  rows_per_step: {}\n", 1 + draws.below(200)),
        _ => String::new(),
    };
    format!(
        "system: wisard\n\
         seed: {seed}\n\
         model:\n  encoding: {{kind: {kind}, bits: {bits}}}\n  tuple_bits: {tuple_bits}\n  orders: {orders}\n\
         training:\n  data:\n    source: glyphs\n    rows: {rows}\n    noise: {noise}\n{parts}{rows_per_step}\
         evaluate: {{every: {every}}}\n\
         checkpoint: {{every_steps: {saved}, background: {background}}}\n",
        seed = draws.below(1 << 40),
        bits = 2 + draws.below(8),
        orders = 1 + draws.below(4),
        rows = 100 + draws.below(300),
        every = draws.below(4),
        saved = 1 + draws.below(5),
        background = one_in(draws, 2),
    )
}
