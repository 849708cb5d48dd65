//! The README and the guide are true: whoever types their commands from top to bottom sees each end as the page says.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at files directly")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use crate::common::{World, outcome};

/// What makes a training or a proof short, by its preset.
const SHORT: [(&str, &str); 12] = [
    ("life", "--set training.epochs=60 --set evaluate.every=20 --set checkpoint.every_steps=20"),
    (
        "checkerboard",
        "--set training.epochs=24 --set evaluate.every=8 --set checkpoint.every_steps=8 \
         --set training.refinement=null",
    ),
    ("letter-g", "--set training.epochs=4 --set training.refinement=null"),
    ("parity-8", "--stop-at 100"),
    ("spirals-juniper", "--stop-at 20"),
    ("wnn-search", SHORT_SEARCH),
    ("gpt", SHORT_LANGUAGE_MODEL),
    (
        "gpt-logic",
        "--set training.pretraining.steps=4 --set training.pretraining.batch=2 \
         --set training.pretraining.data.count=200 --set training.facts=2",
    ),
    (
        "gpt-shapes",
        "--set training.pretraining.steps=4 --set training.pretraining.batch=2 \
         --set training.pretraining.data.count=200",
    ),
    ("gpt-shakespeare", "--set training.pretraining.steps=4 --set training.pretraining.batch=2"),
    ("rustgpt", "--set training.pretraining.epochs=2 --set training.tuning.epochs=2"),
    ("mine.yaml", "--set training.epochs=60"),
];
const SHORT_SEARCH: &str = "--set training.data.vocabulary=300 --set training.data.train_tokens=5000 \
     --set training.data.eval_tokens=1000 --set training.search.ga_generations=2 \
     --set training.search.population_size=4 --set training.search.ts_iterations=2 \
     --set training.search.neighbors_per_iter=10";
const SHORT_LANGUAGE_MODEL: &str = "--set training.tokenizer.vocabulary=300 \
     --set training.pretraining.data.count=200 --set training.tuning.data.count=200 \
     --set training.pretraining.steps=12 --set training.tuning.steps=12 --set evaluate.every=4 \
     --set training.pretraining.batch=2 --set training.tuning.batch=2";

/// Steps that belong to the full length of a training, and what they are in the short one.
const FEWER: [(&str, &str); 2] = [("epochs=3100", "epochs=80"), ("epochs=3200", "epochs=100")];

#[test]
fn every_command_of_the_readme_and_the_guide_ends_as_the_page_says() {
    let pages = pages();
    let failures: String = thread::scope(|scope| {
        let followed: Vec<_> = pages.iter().map(|page| scope.spawn(|| follow(page))).collect();
        followed.into_iter().map(|page| page.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_guide_names_every_command() {
    let text: String = pages().iter().map(|page| read(page)).collect();
    let help = World::new().ok("--help");
    let groups = help.split("\nOptions:").next().unwrap_or_default();
    let named = groups.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let commands: Vec<&str> = named.collect();
    assert!(commands.contains(&"train"), "{help}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let is_named = [" ", "\n"].iter().any(|end| text.contains(&format!("\nrekindle {command}{end}")));
        assert!(is_named, "no page has a line with `rekindle {command}`");
    }
}

#[test]
fn rust_in_the_guide_is_compiled_elsewhere() {
    let crates = root().join("crates/rekindle");
    let compiled = read(&crates.join("examples/own_loop.rs"))
        + &read(&crates.join("src/migrate.rs")).replace("/// ", "");
    // A page that is compiled as a whole.
    let as_a_whole = read(&root().join("crates/train/src/lib.rs"));
    let pages = markdown_in(&root().join("docs/guide"));
    for page in
        pages.into_iter().filter(|page| !as_a_whole.contains(&*page.file_name().unwrap().to_string_lossy()))
    {
        for block in blocks(&read(&page), "rust") {
            assert!(
                compiled.contains(&block.text),
                "{}: this is compiled nowhere:\n{}",
                page.display(),
                block.text
            );
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = markdown_in(&root());
    for folder in ["docs", "docs/guide", "docs/decisions"] {
        documents.extend(markdown_in(&root().join(folder)));
    }
    for document in documents {
        for link in links(&read(&document)) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link} does not exist", document.display());
            let found = heading.is_empty() || read(&target).lines().any(|line| anchor(line) == heading);
            assert!(found, "{}: {link} has no such heading", document.display());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    files.sort();
    files
}

fn pages() -> Vec<PathBuf> {
    let mut pages = markdown_in(&root().join("docs/guide"));
    pages.push(root().join("README.md"));
    pages
}

/// Types the commands of a page in a directory of its own; tells what did not end as the page says.
fn follow(page: &Path) -> String {
    let world = World::new();
    put_files_of_the_reader(&world);
    for block in blocks(&read(page), "sh").into_iter().filter(|block| block.is_run) {
        for command in commands(&block.text) {
            let expected = expected_code(&command);
            let found = outcome(shell(&world, &shortened(&command)).output().unwrap());
            if found.code != expected || found.stderr.contains("panicked") {
                return format!(
                    "{}: exit code {} in place of {expected}: {command}\n{}{}\n",
                    page.display(),
                    found.code,
                    found.stdout,
                    found.stderr
                );
            }
        }
    }
    String::new()
}

fn shell(world: &World, command: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_rekindle"));
    let places = env::var_os("PATH").unwrap_or_default();
    let places = [binary.parent().unwrap().to_owned()].into_iter().chain(env::split_paths(&places));
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(world.path("")).env("PATH", env::join_paths(places).unwrap());
    for variable in ["REKINDLE_KERNELS", "REKINDLE_IDENTITY", "REKINDLE_PASSPHRASE"] {
        shell.env_remove(variable);
    }
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

struct Block {
    text: String,
    /// No comment before it says that it is not.
    is_run: bool,
}

/// The blocks of a page in this language.
fn blocks(page: &str, language: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut open, mut before) = (None::<Block>, "");
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        match &mut open {
            Some(_) if is_fence => blocks.extend(open.take()),
            Some(block) => writeln!(block.text, "{line}").unwrap(),
            None if line == format!("```{language}") => {
                open = Some(Block { text: String::new(), is_run: !before.starts_with("<!-- not run:") });
            }
            None => before = line,
        }
    }
    blocks
}

/// The commands of a block: a line each, or as many as a here-document has.
fn commands(block: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = block.lines();
    while let Some(line) = lines.next() {
        let mut command = line.to_owned();
        if let Some((_, word)) = line.split_once("<<'") {
            let end = word.trim_end_matches('\'');
            for line in lines.by_ref() {
                write!(command, "\n{line}").unwrap();
                if line == end {
                    break;
                }
            }
        }
        commands.push(command);
    }
    commands
}

fn expected_code(command: &str) -> i32 {
    let said = command.split_once("# exit code ").map_or("0", |(_, said)| said);
    said.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// The same command with less to train. What the page sets comes later and wins.
fn shortened(command: &str) -> String {
    let fewer = FEWER.iter().fold(command.to_owned(), |command, (from, to)| command.replace(from, to));
    let mut words: Vec<&str> = fewer.split(' ').collect();
    let Some(verb) = words.iter().position(|word| ["train", "prove"].contains(word)) else { return fewer };
    let subject = words[verb..].iter().position(|word| SHORT.iter().any(|(preset, _)| preset == word));
    if let Some(subject) = subject.map(|subject| verb + subject) {
        let added = SHORT.iter().find(|(preset, _)| *preset == words[subject]).unwrap().1;
        words.insert(subject + 1, added);
    }
    words.join(" ")
}

/// The files that a reader has: a table, texts, and the two of RustGPT.
fn put_files_of_the_reader(world: &World) {
    let mut table = "sepal_length,sepal_width,petal_length,petal_width,species\n".to_owned();
    for row in 0..60 {
        let (name, petal) = [("setosa", 1.4), ("versicolor", 4.3), ("virginica", 5.6)][row % 3];
        let change = (row * 7 % 11) as f64 / 20.0;
        writeln!(table, "{:.2},3.{},{:.2},{:.2},{name}", 5.0 + change, row % 5, petal + change, petal / 3.0)
            .unwrap();
    }
    world.write("iris.csv", table.as_bytes());
    let words =
        ["river", "wind", "hill", "sea", "rain", "stone", "bird", "night", "field", "light", "tree", "boat"];
    let text: String = (0..4000_usize)
        .map(|line| {
            let word = |factor: usize| words[(line * factor + line / factor) % words.len()];
            format!("The {} of the {} follows a {} to the {}.\n", word(5), word(7), word(11), word(13))
        })
        .collect();
    world.write("book.txt", text.as_bytes());
    world.write("mine.txt", &text.as_bytes()[..20_000]);
    world.write("pretraining_data.json", br#"["The sun rises in the east.", "Rain makes the grass wet."]"#);
    world.write(
        "chat_training_data.json",
        br#"["User: What makes the grass wet? Assistant: Rain.", "User: Is it wet? Assistant: Yes."]"#,
    );
}

/// What lies in parentheses behind brackets and is no address of the web.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets.filter(|target| !target.contains("://") && !target.contains(' ')).map(str::to_owned).collect()
}

/// What a heading is linked by, as GitHub makes it.
fn anchor(line: &str) -> String {
    let heading = line.strip_prefix('#').unwrap_or_default().trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}
