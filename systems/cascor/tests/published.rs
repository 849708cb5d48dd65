//! The published results of cascade-correlation, over many seeds.

use std::time::Instant;

use rekindle_cascor::{
    Activation, Data, Dataset, Ending, Fahlman, Method, Model, OutputActivation, Quickprop, Source, State,
    Trainer, Training,
};
use rekindle_compute::KernelPath;

fn spirals() -> (Model, Training) {
    let model = Model { hidden: Activation::Sigmoid, output: OutputActivation::Sigmoid, max_hidden: 25 };
    let output = Quickprop { epsilon: 1.0, mu: 2.0, decay: 1e-4, patience: 12, change: 0.01, epochs: 100 };
    let candidates = Quickprop { epsilon: 100.0, mu: 2.0, decay: 0.0, patience: 8, change: 0.03, epochs: 100 };
    let method = Fahlman { output, candidates, pool: 8, weight_range: 1.0, threshold: 0.4, prime_offset: 0.1 };
    (model, Training { data: Data::default(), method: Method::Fahlman(method) })
}

fn train(model: &Model, training: &Training, seed: u64) -> State {
    let preparation = Dataset::load(&training.data, model.output, seed).unwrap().preparation;
    let mut state = State::new(model, training, preparation, seed).unwrap();
    let mut trainer = Trainer::attach(model, training, seed, &state, 1, KernelPath::best()).unwrap();
    while state.ending.is_none() {
        trainer.step(&mut state);
    }
    state
}

fn mean(values: &[u64]) -> f64 {
    values.iter().sum::<u64>() as f64 / values.len() as f64
}

#[test]
fn a_hundred_trials_on_the_two_spirals() {
    let (model, training) = spirals();
    let begun = Instant::now();
    let states: Vec<State> = (0..100).map(|seed| train(&model, &training, seed)).collect();
    let milliseconds = begun.elapsed().as_secs_f64() * 10.0;
    let hidden: Vec<u64> = states.iter().map(|state| state.network.hidden.len() as u64).collect();
    let epochs: Vec<u64> = states.iter().map(|state| state.epochs).collect();
    let solved = states.iter().filter(|state| state.ending == Some(Ending::Solved)).count();
    println!(
        "{solved} of 100 solved; hidden units {:.2} ({:?} to {:?}), epochs {:.0}; {milliseconds:.2} ms a trial",
        mean(&hidden),
        hidden.iter().min(),
        hidden.iter().max(),
        mean(&epochs)
    );
    assert_eq!(solved, 100);
}
