//! Random exact WiSARD classifiers: few glyphs, addresses and hashes, windows and all inputs.

use rekindle_compute::rng::Stream;

use super::draws::{between, one_in, one_of};

/// A config of a classifier that is trained in less than a second.
pub fn config(draws: &mut Stream) -> String {
    let hashes = between(draws, 1, 4);
    let entry_bits = between(draws, 1, 12);
    // Short tuples have an entry for each address, longer ones share them.
    let tuple_bits = if one_in(draws, 2) { between(draws, 1, 12) } else { between(draws, 13, 32) };
    format!(
        "system: wisard-exact\n\
         seed: {seed}\n\
         model:\n  encoding: {{kind: linear, bits: {bits}}}\n  range: [0, 16]\n  rams: {rams}\n  \
         tuple_bits: {tuple_bits}\n  window: {window}\n  entry_bits: {entry_bits}\n  hashes: {hashes}\n  \
         smoothing: {smoothing}\n\
         training:\n  data:\n    source: glyphs\n    rows: {rows}\n    test_rows: {test_rows}\n  \
         rows_per_step: {rows_per_step}\n\
         evaluate: {{every: {every}}}\n\
         checkpoint: {{every_steps: {saved}, background: {background}}}\n",
        seed = draws.below(1 << 40),
        bits = between(draws, 4, 8),
        rams = between(draws, 1, 40),
        window = one_of(draws, &["0", "3", "8"]),
        smoothing = one_of(draws, &["0.01", "1.0"]),
        rows = 100 + draws.below(300),
        test_rows = draws.below(50),
        rows_per_step = 1 + draws.below(60),
        every = draws.below(4),
        saved = 1 + draws.below(5),
        background = one_in(draws, 2),
    )
}
