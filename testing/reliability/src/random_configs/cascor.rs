//! Tiny cascades, of both kinds, on made examples and on tables.

use std::fmt::Write;
use std::path::Path;

use rekindle_compute::rng::Stream;
use rekindle_formats::files;

use super::draws::{between, one_in, one_of};

/// What a network is to learn.
enum Learnt {
    Classes,
    Numbers,
}

/// Draws a config, and writes the table that it names into the directory.
pub fn config(draws: &mut Stream, directory: &Path) -> String {
    let (data, learnt) = data(draws, directory);
    let is_juniper = one_in(draws, 2);
    let output = match learnt {
        Learnt::Classes => one_of(draws, &["sigmoid", "linear"]),
        Learnt::Numbers => "linear",
    };
    let mut yaml = format!(
        "system: cascor\nseed: {}\nmodel:\n  hidden: {}\n  output: {output}\n  max_hidden: {}\ntraining:\n{data}  method:\n",
        draws.below(1000),
        one_of(draws, &["sigmoid", "gaussian", "tanh"]),
        draws.below(6)
    );
    yaml += &if is_juniper { juniper(draws) } else { fahlman(draws) };
    yaml += &policy(draws);
    yaml
}

fn data(draws: &mut Stream, directory: &Path) -> (String, Learnt) {
    let mut yaml = "  data:\n".to_owned();
    let mut learnt = Learnt::Classes;
    match draws.below(5) {
        0 => yaml += "    source: two-spirals\n",
        1 => {
            yaml += &format!(
                "    source: spirals\n    arms: {}\n    points: {}\n    noise: {:?}\n",
                between(draws, 2, 4),
                between(draws, 8, 60),
                one_of(draws, &[0.0, 0.25, 3.0])
            );
        }
        2 => yaml += &format!("    source: parity\n    bits: {}\n", between(draws, 3, 6)),
        _ => {
            let (table, of) = table(draws, directory);
            yaml += &table;
            learnt = of;
        }
    }
    if one_in(draws, 2) {
        yaml += &format!("    one_hot: {}\n", one_in(draws, 2));
    }
    yaml += &parts(draws);
    (yaml, learnt)
}

/// What is not learnt: nothing, shares of the contents, or rows as of old.
fn parts(draws: &mut Stream) -> String {
    let share = |name, draws: &mut Stream| format!("    {name}: {:?}\n", one_of(draws, &[0.0, 0.1, 0.3]));
    match draws.below(5) {
        0 => String::new(),
        1 => share("validation", draws),
        2 => share("select", draws),
        3 => share("test", draws),
        _ => share("select", draws) + &share("test", draws),
    }
}

/// Rows of numbers, of which the classes and numbers to be learnt follow, but for some noise.
fn table(draws: &mut Stream, directory: &Path) -> (String, Learnt) {
    let (inputs, rows) = (between(draws, 1, 4) as usize, between(draws, 24, 80));
    let classes = between(draws, 2, 3) as usize;
    let names = ["red", "green", "blue"];
    let mut text: String = (0..inputs).map(|input| format!("x{input},")).collect();
    text += "note,kind,a,b\n";
    for row in 0..rows {
        let values: Vec<f32> = (0..inputs).map(|_| 10.0 * draws.uniform() - 5.0).collect();
        values.iter().for_each(|value| write!(text, "{value},").unwrap_or_default());
        let sum: f32 = values.iter().sum();
        // Every class is there, whatever the draws.
        let class = if one_in(draws, 4) { row } else { (sum.abs() * 0.7) as u64 } as usize % classes;
        let (a, b) = (sum + draws.uniform(), values[0] * sum);
        text += &format!("n{row},{},{a},{b}\n", names[class]);
        // Some rows are there twice.
        if one_in(draws, 8) {
            let line = text.lines().last().unwrap_or_default().to_owned();
            text += &format!("{line}\n");
        }
    }
    let file = directory.join("table.csv");
    let written = files::write(&file, text.as_bytes());
    assert!(written.is_ok(), "{}: {written:?}", file.display());
    let (targets, ignored, task, learnt) = match draws.below(3) {
        0 => ("[a, b]", "[note, kind]", "regression", Learnt::Numbers),
        1 => ("[a]", "[note, kind, b]", "regression", Learnt::Numbers),
        _ => ("[kind]", "[note, a, b]", "classification", Learnt::Classes),
    };
    let yaml = format!(
        "    source: file\n    file: {}\n    targets: {targets}\n    ignore: {ignored}\n    task: {task}\n    scale: {}\n",
        serde_json::Value::from(file.display().to_string()),
        one_in(draws, 2)
    );
    (yaml, learnt)
}

fn fahlman(draws: &mut Stream) -> String {
    let mut quickprop = |epsilon: &[f64]| {
        format!(
            "{{epsilon: {:?}, mu: {:?}, decay: {}, patience: {}, change: {:?}, epochs: {}}}",
            one_of(draws, epsilon),
            one_of(draws, &[1.75, 2.0]),
            one_of(draws, &["0.0", "1.0e-4"]),
            one_of(draws, &[0, 3, 12]),
            one_of(draws, &[0.0, 0.01, 0.3]),
            between(draws, 1, 40)
        )
    };
    let (output, candidates) = (quickprop(&[0.35, 1.0, 5.0]), quickprop(&[1.0, 100.0, 1000.0]));
    let patience = match one_of(draws, &[0, 0, 1, 2]) {
        0 => String::new(),
        patience => format!("      patience: {patience}\n"),
    };
    format!(
        "    fahlman:\n      output: {output}\n      candidates: {candidates}\n      pool: {}\n      weight_range: {:?}\n      \
         threshold: {:?}\n      prime_offset: {:?}\n",
        between(draws, 1, 20),
        one_of(draws, &[0.1, 1.0]),
        one_of(draws, &[0.4, 0.1, 0.9]),
        one_of(draws, &[0.0, 0.1])
    ) + &patience
}

fn juniper(draws: &mut Stream) -> String {
    format!(
        "    juniper:\n      learning_rate: {:?}\n      output_epochs: {}\n      pool: {}\n      candidate_learning_rate: {:?}\n      \
         candidate_epochs: {}\n      candidate_patience: {}\n      correlation_threshold: {:?}\n      patience: {}\n      \
         target_accuracy: {:?}\n",
        one_of(draws, &[0.01, 0.2]),
        between(draws, 1, 40),
        between(draws, 1, 20),
        one_of(draws, &[0.01, 0.5]),
        between(draws, 1, 40),
        one_of(draws, &[0, 3, 30]),
        one_of(draws, &[0.0, 5.0e-4, 0.3]),
        one_of(draws, &[0, 1, 2, 50]),
        one_of(draws, &[0.8, 0.999, 1.0])
    )
}

fn policy(draws: &mut Stream) -> String {
    let mut yaml = format!("evaluate:\n  every: {}\n", one_of(draws, &[0, 1, 5, 25]));
    if one_in(draws, 2) {
        let metric = one_of(draws, &["error_bits", "train_loss", "accuracy"]);
        yaml += &format!("best:\n  metric: {metric}\n  goal: {}\n", one_of(draws, &["min", "max"]));
    }
    yaml
}
