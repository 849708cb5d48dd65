//! Random configs of language models: tiny trainings with all optional parts on and off.

use rekindle_compute::rng::Stream;

use super::draws::{one_in, one_of};

/// A config of a training of a second at most, as YAML. It learns generated text, so that no files are
/// needed.
pub fn config(draws: &mut Stream) -> String {
    let mut lines = vec!["system: gpt".to_owned(), format!("seed: {}", draws.below(1000))];
    lines.push(format!("model: {}", model(draws)));
    lines.push("training:".to_owned());
    let adapts = draws.below(2) == 0;
    lines.push(format!("  tokenizer: {}", tokenizer(draws, adapts)));
    lines.push(format!("  precision: {}", one_of(draws, &["f32", "f32", "bf16", "f16"])));
    lines.push(format!("  parts: {}", 1 + draws.below(4)));
    lines.push(format!("  pretraining: {}", phase(draws)));
    if draws.below(3) > 0 {
        lines.push(format!("  tuning: {}", phase(draws)));
    }
    if draws.below(2) == 0 {
        let clip = one_of(draws, &["0", "0.1", "1"]);
        let decay = one_of(draws, &["0", "0.1"]);
        lines.push(format!("  optimizer: {{clip: {clip}, weight_decay: {decay}}}"));
    }
    if adapts {
        lines.push(format!("  adapt: {}", adapt(draws)));
    }
    lines.push(format!("evaluate: {{every: {}}}", draws.below(4) * 3));
    lines.push("checkpoint: {every_steps: 1, keep_last: 3}".to_owned());
    if draws.below(2) == 0 {
        lines.push("best: {metric: bits_per_byte, goal: min}".to_owned());
    }
    lines.join("\n") + "\n"
}

fn model(draws: &mut Stream) -> String {
    let layers = 1 + draws.below(2);
    let width = 4 * (1 + draws.below(4));
    // Long enough for an answer behind some of the questions, and too short for others.
    let context = 40 + draws.below(24);
    let dropout = one_of(draws, &["0", "0.1", "0.5"]);
    let shape = format!("layers: {layers}, width: {width}, context: {context}, dropout: {dropout}");
    if draws.below(5) == 0 {
        return format!("{{block: rustgpt, heads: 1, {shape}}}");
    }
    let (tied, biases) = (one_in(draws, 2), one_in(draws, 2));
    let heads = one_of(draws, &["1", "2", "4"]);
    format!("{{heads: {heads}, tied: {tied}, attention_biases: {biases}, {shape}}}")
}

/// Only byte pairs grow.
fn tokenizer(draws: &mut Stream, adapts: bool) -> String {
    let kind = if adapts { "byte_pairs" } else { one_of(draws, &["byte_pairs", "bytes", "words"]) };
    format!("{{kind: {kind}, vocabulary: {}}}", 260 + draws.below(60))
}

fn phase(draws: &mut Stream) -> String {
    let has_examples = draws.below(3) > 0;
    let source = if has_examples { "dialogues" } else { "facts" };
    let early = draws.below(3) == 0;
    let evaluation = if early { "0.2" } else { one_of(draws, &["0.0", "0.1"]) };
    let test = one_of(draws, &["0.0", "0.1"]);
    let order = one_of(draws, &["shuffled", "given"]);
    let count = 10 + draws.below(30);
    let data = format!(
        "{{source: {source}, count: {count}, evaluation: {evaluation}, test: {test}, order: {order}}}"
    );
    let batch = 1 + draws.below(6);
    let length = match has_examples && draws.below(2) == 0 {
        true => format!("epochs: {}", 1 + draws.below(3)),
        false => format!("steps: {}", 1 + draws.below(20)),
    };
    let mut parts = vec![format!("data: {data}"), length, format!("batch: {batch}")];
    parts.push(format!("accumulate: {}", 1 + draws.below(3)));
    parts.push(format!("learning_rate: {}", one_of(draws, &["0.003", "0.03"])));
    if draws.below(2) == 0 {
        parts.push(format!("final_learning_rate: {}", one_of(draws, &["0.0", "0.003"])));
    }
    if draws.below(2) == 0 {
        parts.push(format!("warmup: {}", draws.below(6)));
    }
    if early {
        let (every, patience) = (1 + draws.below(4), 1 + draws.below(2));
        parts.push(format!(
            "early_stopping: {{every: {every}, patience: {patience}, min_improvement: {}}}",
            one_of(draws, &["0.0", "0.05"])
        ));
    }
    format!("{{{}}}", parts.join(", "))
}

fn adapt(draws: &mut Stream) -> String {
    let rows = one_of(draws, &["random", "mean", "parts", "distilled"]);
    let prune =
        one_of(draws, &["", ", pruning: lru, prune_share: 0.05", ", pruning: frequency, max_idle: 900"]);
    format!(
        "{{every: {}, rows: {rows}, policy: {{limit: {}, least_count: 2, most_at_once: {}{prune}}}}}",
        50 + draws.below(400),
        330 + draws.below(60),
        1 + draws.below(30),
    )
}
