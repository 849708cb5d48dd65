//! Random searches of weightless language models: small texts, all phases, every optional part on and off.

use rekindle_compute::rng::Stream;

use super::draws::{maybe, one_of};

/// A config of a search that takes less than a second.
pub fn config(draws: &mut Stream) -> String {
    let bits_per_token = 9;
    let context = 1 + draws.below(4);
    let least_bits = 1 + draws.below(6);
    let default_bits = least_bits + draws.below(bits_per_token * 2);
    let most_bits = (default_bits + draws.below(8)).min(44);
    let least_neurons = 1 + draws.below(2);
    let default_neurons = least_neurons + draws.below(3);
    let frequent_neurons = draws.below(3);
    let most_neurons = default_neurons + frequent_neurons + draws.below(3);
    let scoring = one_of(draws, &["counts", "votes"]);
    let codes = one_of(draws, &["frequency", "token"]);
    let order = one_of(draws, &["recent", "random"]);
    let backoff = maybe(draws, |draws| {
        let (strength, gain) = (1 + draws.below(400), 1 + draws.below(40));
        format!("  backoff: {{strength: {strength}, gain: {gain}, discount: 0.{}}}\n", draws.below(9))
    });
    format!(
        "system: wnn\n\
         seed: {seed}\n\
         model:\n  scoring: {scoring}\n  codes: {codes}\n  order: {order}\n  \
         bits: {{least: {least_bits}, most: {most_bits}}}\n  \
         neurons: {{least: {least_neurons}, most: {most_neurons}}}\n  \
         frequent_neurons: {frequent_neurons}\n{backoff}\
         training:\n  data:\n{data}  search:\n    context_size: {context}\n    \
         default_bits: {default_bits}\n    default_neurons: {default_neurons}\n{search}{rest}\
         evaluate: {{every: {every}}}\n\
         checkpoint: {{every_steps: {saved}, background: {background}}}\n",
        seed = draws.below(1 << 40),
        data = data(draws),
        search = search(draws),
        rest = rest(draws),
        every = draws.below(4),
        saved = 1 + draws.below(5),
        background = draws.below(2) == 0,
    )
}

fn data(draws: &mut Stream) -> String {
    let text = match draws.below(3) {
        0 => format!("    source: zipf\n    vocabulary: {}\n", 2 + draws.below(200)),
        1 => format!("    source: sentences\n    vocabulary: {}\n", 257 + draws.below(60)),
        _ => format!(
            "    source: sentences\n    vocabulary_of: words\n    vocabulary: {}\n",
            2 + draws.below(80)
        ),
    };
    let parts = match draws.below(4) {
        // As before there was anything to report on.
        0 => "    evaluation: 0.1\n".to_owned(),
        1 => format!("    select: 0.0{}\n    test: 0.0\n", 1 + draws.below(9)),
        2 => String::new(),
        _ => format!("    select: 0.{}\n    test: 0.{}\n", 1 + draws.below(3), 1 + draws.below(3)),
    };
    let (learn, measure) = (200 + draws.below(1500), 40 + draws.below(300));
    format!("{text}{parts}    train_tokens: {learn}\n    eval_tokens: {measure}\n")
}

fn search(draws: &mut Stream) -> String {
    // Phases without rounds are passed through.
    let (generations, iterations) = (draws.below(5), draws.below(5));
    let patience = maybe(draws, |draws| format!("    patience: {}\n", 1 + draws.below(2)));
    let percentile = maybe(draws, |draws| format!("    ce_percentile: 0.{}\n", 1 + draws.below(9)));
    let rotation = maybe(draws, |draws| format!("    rotation_seed: {}\n", draws.below(1000)));
    format!(
        "    token_parts: {parts}\n    ga_generations: {generations}\n    population_size: {population}\n    \
         ts_iterations: {iterations}\n    neighbors_per_iter: {neighbours}\n{patience}{percentile}{rotation}",
        parts = 1 + draws.below(4),
        population = 2 + draws.below(6),
        neighbours = 1 + draws.below(40),
    )
}

fn rest(draws: &mut Stream) -> String {
    let genetic = maybe(draws, |draws| {
        format!(
            "  genetic: {{elites: 0.{}, tournament: {}, crossover: 0.{}, mutation: 0.{}, attempts: {}}}\n",
            draws.below(5),
            1 + draws.below(4),
            draws.below(10),
            draws.below(10),
            1 + draws.below(4)
        )
    });
    let tabu = maybe(draws, |draws| {
        format!("  tabu: {{clusters: {}, tenure: {}}}\n", 1 + draws.below(12), draws.below(6))
    });
    // From one that every candidate reaches to one that none does.
    let threshold = maybe(draws, |draws| {
        format!("  threshold: {{start: 0.{}, rise: 0.{}}}\n", draws.below(10), draws.below(10))
    });
    let ends = maybe(draws, |draws| {
        let (every, least) = (1 + draws.below(3), one_of(draws, &["0.0", "0.0005", "0.5"]));
        format!("  check_every: {every}\n  min_improvement: {least}\n")
    });
    let pass = maybe(draws, |draws| {
        format!("  pass: {}\n  base_patience: {}\n", 1 + draws.below(3), 1 + draws.below(2))
    });
    let (finalists, batch) = (1 + draws.below(5), 1 + draws.below(9));
    format!("{genetic}{tabu}{threshold}{ends}{pass}  finalists: {finalists}\n  batch: {batch}\n")
}
