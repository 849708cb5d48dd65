//! The help texts: commands in groups, and examples for each.

use std::fmt::Write;

use clap::Command;

/// The commands by what they are for.
const GROUPS: [(&str, &[&str]); 7] = [
    ("Train", &["train", "resume", "learn", "forget", "status", "presets", "show-config", "prove", "audit"]),
    ("Look into runs", &["ls", "inspect", "diff", "plot", "report", "describe", "verify"]),
    (
        "Ask trained models",
        &["predict", "evaluate", "generate", "chat", "ask", "validate", "simulate", "tokenizer", "circuit"],
    ),
    ("Reason", &["reason", "problems"]),
    ("Keep runs", &["tag", "note", "prune", "gc", "repair", "cp", "mv", "rm"]),
    ("Other programs and other people", &["export", "import", "encrypt", "rekey", "keygen", "sign"]),
    ("Other", &["doctor", "man", "completions", "help"]),
];

/// Commands as they are typed, by the command that they show; `tokenizer build` is one of two words.
const EXAMPLES: [(&str, &[&str]); 51] = [
    (
        "train",
        &[
            "rekindle train life",
            "rekindle train spirals --run runs/first --set seed=7",
            "rekindle train wisard --data iris.csv --target species",
            "rekindle train life --from runs/life@best --only perception",
        ],
    ),
    (
        "resume",
        &[
            "rekindle resume runs/life",
            "rekindle resume runs/life --set training.epochs=5000",
            "rekindle resume runs/life@best --fork runs/other",
        ],
    ),
    (
        "learn",
        &[
            "rekindle learn runs/wisard-exact --data more.csv",
            "rekindle learn runs/wisard-mnist --data images.gz --data labels.gz",
            "rekindle learn runs/gpt --data new.txt --set steps=300",
        ],
    ),
    (
        "forget",
        &[
            "rekindle forget runs/wisard-exact --data rows.csv",
            "rekindle forget runs/wisard-exact --data rows.csv --erase",
        ],
    ),
    ("status", &["rekindle status runs/life", "rekindle status runs/life --json"]),
    ("presets", &["rekindle presets"]),
    (
        "show-config",
        &[
            "rekindle show-config life > mine.yaml",
            "rekindle show-config runs/life",
            "rekindle show-config life --explain",
            "rekindle show-config life --schema > life.schema.json",
        ],
    ),
    (
        "prove",
        &[
            "rekindle prove life --kills 5",
            "rekindle prove runs/life@1200 --steps 200 --kills 3",
            "rekindle prove --kills 20 -- python train.py",
        ],
    ),
    (
        "audit",
        &[
            "rekindle audit runs/life --spans 5",
            "rekindle audit runs/life --threads 1 --seed 7",
            "rekindle audit runs/mine -- python train.py",
        ],
    ),
    ("ls", &["rekindle ls", "rekindle ls runs/life", "rekindle ls --recursive --sort saved"]),
    (
        "inspect",
        &[
            "rekindle inspect runs/life@best",
            "rekindle inspect runs/life state.update.layers.0.logits --rows 0..4",
            "rekindle inspect runs/life --history --training",
            "rekindle inspect model.safetensors",
        ],
    ),
    ("diff", &["rekindle diff runs/life@latest~1 runs/life", "rekindle diff a.safetensors b.safetensors"]),
    (
        "plot",
        &[
            "rekindle plot runs/life --metric hard_loss --metric soft_loss",
            "rekindle plot runs/life --size 160x100mm --out curves.png",
            "rekindle plot runs/life runs/checkerboard --metric hard_loss --scale linear",
            "rekindle plot runs/spirals --what boundary --out spirals.png",
        ],
    ),
    (
        "report",
        &[
            "rekindle report runs/life",
            "rekindle report runs/a runs/b@best --title 'Two learning rates' --out rates.html",
        ],
    ),
    (
        "simulate",
        &[
            "rekindle simulate runs/lizard --board 40x40 --out lizard.gif",
            "rekindle simulate runs/checkerboard --board 64x64 --steps 160 --damage 80:20 --out healing.png",
            "rekindle simulate runs/checkerboard runs/checkerboard-async --bombing 10 --steps 4000 --curves bombs.svg",
        ],
    ),
    ("describe", &["rekindle describe runs/spirals"]),
    (
        "verify",
        &[
            "rekindle verify runs/life",
            "rekindle verify runs/life --depth sample --sample 10%",
            "rekindle verify runs/life --signed-by me.pub",
        ],
    ),
    ("predict", &["rekindle predict runs/wisard --data new.csv --id name --out answers.csv"]),
    (
        "evaluate",
        &[
            "rekindle evaluate runs/wisard --data unseen.csv",
            "rekindle evaluate runs/gpt --data text.txt --json",
        ],
    ),
    (
        "generate",
        &[
            "rekindle generate runs/gpt --prompt 'Rain is' --temperature 0.8 --seed 1",
            "cat question.txt | rekindle generate ./gpt2 --prompt - --max-tokens 50",
        ],
    ),
    ("chat", &["rekindle chat runs/gpt", "rekindle chat runs/gpt --file talk.json --temperature 0"]),
    (
        "ask",
        &[
            "rekindle ask runs/gpt 'What color is snow?'",
            "rekindle ask runs/gpt-shapes 'Draw a large red circle in the middle.' --out red.png",
            "rekindle ask runs/gpt-shapes 'What is this?' --picture red.png",
        ],
    ),
    ("validate", &["rekindle validate runs/gpt", "rekindle validate ./gpt2"]),
    (
        "tokenizer",
        &[
            "rekindle tokenizer build text.txt --vocabulary 2000 --out tokenizer.json",
            "rekindle tokenizer encode tokenizer.json --text 'to be or not to be'",
        ],
    ),
    ("tokenizer build", &["rekindle tokenizer build a.txt b.txt --vocabulary 2000 --out tokenizer.json"]),
    ("tokenizer encode", &["rekindle tokenizer encode tokenizer.json --text 'to be or not to be'"]),
    ("tokenizer decode", &["rekindle tokenizer decode tokenizer.json 12 7 301"]),
    ("tokenizer stats", &["rekindle tokenizer stats tokenizer.json text.txt"]),
    (
        "circuit",
        &[
            "rekindle circuit info runs/life",
            "rekindle circuit simplify runs/life --out life.aag --certificate life.proof.json",
            "rekindle circuit check life.proof.json",
        ],
    ),
    (
        "circuit simplify",
        &[
            "rekindle circuit simplify runs/life@best --out life.c",
            "rekindle circuit simplify life.circuit.json --out life.aag --certificate life.proof.json",
        ],
    ),
    (
        "circuit check",
        &["rekindle circuit check life.proof.json", "rekindle circuit check runs/life life.aag"],
    ),
    ("circuit info", &["rekindle circuit info runs/life", "rekindle circuit info life.aag --json"]),
    (
        "reason",
        &[
            "rekindle reason 'round(anne)' --knowledge people.logic --proof",
            "rekindle reason 'Is Anne round?' --knowledge people.txt --closed",
            "rekindle reason --knowledge problem.cnf --engine sat --json",
            "rekindle reason 'exists x. round(x)' --knowledge people.logic --graph people.svg",
        ],
    ),
    (
        "problems",
        &[
            "rekindle problems rules --split deeper --count 100 -o deeper.jsonl",
            "rekindle problems entailment --part test --seed 7 --check z3",
        ],
    ),
    ("tag", &["rekindle tag runs/life@best golden", "rekindle tag runs/life"]),
    ("note", &["rekindle note runs/life@golden 'the one of the paper'", "rekindle note runs/life@golden"]),
    (
        "prune",
        &[
            "rekindle prune runs/life --keep-last 3 --dry-run",
            "rekindle prune runs/life --keep-best hard_loss",
        ],
    ),
    ("doctor", &["rekindle doctor", "rekindle doctor /mnt/scratch"]),
    ("man", &["rekindle man train | man -l -", "rekindle man --out ~/.local/share/man/man1"]),
    ("completions", &["rekindle completions bash > ~/.local/share/bash-completion/completions/rekindle"]),
    ("gc", &["rekindle gc runs/life"]),
    ("repair", &["rekindle repair runs/life"]),
    ("cp", &["rekindle cp runs/life /mnt/backup/life"]),
    ("mv", &["rekindle mv runs/life runs/life-of-monday"]),
    ("rm", &["rekindle rm runs/life"]),
    (
        "export",
        &["rekindle export runs/life@best life.safetensors", "rekindle export runs/life life.rekindle"],
    ),
    ("import", &["rekindle import life.rekindle --run runs/imported"]),
    ("encrypt", &["rekindle encrypt runs/life runs/secret --recipient AGE1..."]),
    ("rekey", &["rekindle rekey runs/secret --recipient AGE1... --identity me.key"]),
    ("keygen", &["rekindle keygen me.key", "rekindle keygen --signing sign.key"]),
    ("sign", &["rekindle sign runs/life@best --key sign.key"]),
];

/// `command` with its commands in groups and examples in the help of each.
pub fn arrange(command: Command) -> Command {
    let groups = groups(&command);
    let groups = groups.trim_end();
    let command = EXAMPLES.iter().fold(command, |command, (name, examples)| {
        let text = format!("Examples:\n  {}", examples.join("\n  "));
        let add = |command: Command| command.after_help(text.clone());
        match name.split_once(' ') {
            Some((first, second)) => command.mut_subcommand(first, |first| first.mut_subcommand(second, add)),
            None => command.mut_subcommand(name, add),
        }
    });
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}\n\nOptions:\n{{options}}{{after-help}}"
    );
    command.help_template(template)
}

/// The commands in groups, each with its line.
fn groups(command: &Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{title}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map_or_else(
                || "Print this message or the help of a command".to_owned(),
                ToString::to_string,
            );
            let _ = writeln!(text, "  {name:<12} {about}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn every_command_is_in_a_group_and_has_an_example() {
        let command = Cli::command();
        for name in command.get_subcommands().map(Command::get_name) {
            assert!(GROUPS.iter().any(|(_, names)| names.contains(&name)), "{name} is in no group");
        }
        for name in command.get_subcommands().map(Command::get_name) {
            assert!(EXAMPLES.iter().any(|(of, _)| *of == name), "{name} has no example");
        }
    }

    #[test]
    fn the_list_of_commands_fits_80_columns() {
        let wide: Vec<String> = groups(&Cli::command())
            .lines()
            .filter(|line| line.chars().count() > 80)
            .map(str::to_owned)
            .collect();
        assert!(wide.is_empty(), "{}", wide.join("\n"));
    }

    #[test]
    fn examples_are_taken() {
        let registry = rekindle_systems::registry();
        for example in EXAMPLES.iter().flat_map(|(_, examples)| *examples) {
            let pieces = example.split(" | ");
            let words = pieces.filter(|piece| piece.starts_with("rekindle ")).last().unwrap_or(example);
            let words = words.strip_prefix("rekindle ").unwrap_or(words);
            let words = words.split(" > ").next().unwrap_or_default();
            let quoted: Vec<&str> = words.split('\'').collect();
            let mut arguments = vec!["rekindle".to_owned()];
            for (index, piece) in quoted.iter().enumerate() {
                match index % 2 {
                    0 => arguments.extend(piece.split_whitespace().map(str::to_owned)),
                    _ => arguments.push((*piece).to_owned()),
                }
            }
            let taken = crate::command(&registry).try_get_matches_from(&arguments);
            assert!(taken.is_ok(), "{example}: {}", taken.unwrap_err());
        }
    }
}
