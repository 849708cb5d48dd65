//! What generators draw with.

use rekindle_compute::rng::Stream;

/// One of some values, which are not empty.
pub fn one_of<T: Copy>(draws: &mut Stream, values: &[T]) -> T {
    values[draws.below(values.len() as u64) as usize]
}

/// True in one of `parts` cases.
pub fn one_in(draws: &mut Stream, parts: u64) -> bool {
    draws.below(parts) == 0
}

/// An integer from `least` to `most`.
pub fn between(draws: &mut Stream, least: u64, most: u64) -> u64 {
    least + draws.below(most - least + 1)
}

/// Half of the time what is made, half of the time nothing.
pub fn maybe(draws: &mut Stream, make: impl FnOnce(&mut Stream) -> String) -> String {
    if one_in(draws, 2) { make(draws) } else { String::new() }
}
