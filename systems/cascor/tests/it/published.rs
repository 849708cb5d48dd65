//! The published results of cascade-correlation, over many seeds (Fahlman and Lebiere, 1990: on the
//! two spirals 100 of 100 trials solved, 1700 epochs and 15.2 hidden units in the mean, 12 to 19 of
//! them; on the parity of eight bits 4 to 5 hidden units).

use std::time::Instant;

use rekindle_cascor::{Ending, State, presets};

fn mean(values: impl ExactSizeIterator<Item = u64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<u64>() as f64 / count
}

fn hidden_units(states: &[State]) -> impl ExactSizeIterator<Item = u64> {
    states.iter().map(|state| state.network.hidden.len() as u64)
}

#[test]
fn a_hundred_trials_on_the_two_spirals() {
    let config = crate::common::spirals();
    let begun = Instant::now();
    let states: Vec<State> = (0..100).map(|seed| crate::common::train(&config, seed)).collect();
    let milliseconds = begun.elapsed().as_secs_f64() * 1e3 / 100.0;
    let units = mean(hidden_units(&states));
    let epochs = mean(states.iter().map(|state| state.epochs));
    let (fewest, most) = (hidden_units(&states).min().unwrap(), hidden_units(&states).max().unwrap());
    println!(
        "{units:.2} hidden units ({fewest} to {most}), {epochs:.0} epochs, {milliseconds:.2} ms a trial"
    );
    assert!(states.iter().all(|state| state.ending == Some(Ending::Solved)));
    assert!((14.0..=16.5).contains(&units), "{units}");
    assert!(fewest >= 11 && most <= 20, "{fewest} to {most}");
    assert!((1500.0..=1900.0).contains(&epochs), "{epochs}");
}

#[test]
fn twenty_trials_on_the_parity_of_eight_bits() {
    let config = crate::common::config(presets::PARITY_8, &[]);
    let states: Vec<State> = (0..20).map(|seed| crate::common::train(&config, seed)).collect();
    let units = mean(hidden_units(&states));
    let epochs = mean(states.iter().map(|state| state.epochs));
    println!("{units:.2} hidden units, {epochs:.0} epochs");
    assert!(states.iter().all(|state| state.ending == Some(Ending::Solved)));
    assert!((4.0..=6.0).contains(&units), "{units}");
}

#[test]
fn the_juniper_variant_learns_the_noisy_spirals() {
    let settings =
        ["training.data.points=200", "training.method.juniper.output_epochs=400", "model.max_hidden=30"];
    let state = crate::common::train(&crate::common::config(presets::SPIRALS_JUNIPER, &settings), 42);
    let last = state.growth.last().unwrap();
    println!("{:?} with {} hidden units: {last:?}", state.ending, state.network.hidden.len());
    assert!(last.select_accuracy.unwrap() > 0.9);
    assert!(last.accuracy > 0.9);
}
