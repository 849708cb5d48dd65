//! Tokens are compared with those of the Hugging Face library, in both directions: what is trained
//! here and exported, and what the library trained and is read here.
//!
//! It needs a Python with the package `tokenizers`, and so is asked for:
//! `PYTHON=venv/bin/python cargo test -p rekindle-tokenizer --test it hugging_face -- --ignored`.
//! `TEXT` names a further file of UTF-8 to compare on.
#![allow(clippy::disallowed_methods, reason = "a test makes its files")]

use std::path::{Path, PathBuf};
use std::process::Command;

use rekindle_tokenizer::{Adaptive, Policy, Pruning, Tokenizer, WordRules};

/// What cutting and joining may trip over.
const MIXED: &str = "It's we'll 'tis I'M you'Re 'sure don't  do\tthat.\r\n\r\n\r\n  x² Ⅷ ٣٤ 12½ 3.14%\n\
    na\u{ef}ve nai\u{308}ve e\u{301}\u{302} \u{301}alone क्षि ไทย 漢字かな交じり文。한국어 עִבְרִית\u{a0}\u{a0}nbsp\u{2003}\u{3000}wide \
    👩\u{200d}👩\u{200d}👧\u{fe0f} 🏳\u{fe0f}\u{200d}🌈 😀😀!? «»“”‘’—–…‿⁀ €€ ∑√ Ⓐⓑ🄰 \u{0}\u{1}\u{7f}\u{85}\u{ad}\u{feff}\u{2028}\u{2029} \
    a_b __init__ \u{200c}zwnj\u{200c} <unk> <|endoftext|> <▁pad▁>x<▁pad▁ >  <|endoftext|><|endoftext|> ǅ ʰ ª º \
    trailing space \n \n  ";

struct Library {
    python: String,
    dir: tempfile::TempDir,
    texts: Vec<PathBuf>,
}

impl Library {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mixed = dir.path().join("mixed.txt");
        std::fs::write(&mixed, MIXED.repeat(3)).unwrap();
        // All characters that are assigned in the version of Unicode that the library knows too.
        let every = dir.path().join("every.txt");
        let text: String = ('\u{0}'..='\u{24ff}').map(|c| format!("a{c}a {c} {c}{c}1{c}1 \n{c}")).collect();
        std::fs::write(&every, text).unwrap();
        let mut texts = vec![mixed, every];
        texts.extend(std::env::var_os("TEXT").map(PathBuf::from));
        Self { python: std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned()), dir, texts }
    }

    fn run(&self, arguments: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/check_tokenizer.py");
        let output = Command::new(&self.python).arg(script).args(arguments).output().unwrap();
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {complained}");
        println!("{said}");
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// The tokens of every text are those of the library.
    fn compare(&self, tokenizer: &Tokenizer, json: &str) {
        for text in &self.texts {
            let tokens = tokenizer.encode(&std::fs::read(text).unwrap());
            let listed: Vec<String> = tokens.iter().map(u32::to_string).collect();
            std::fs::write(self.path("tokens"), listed.join(" ")).unwrap();
            self.run(&["compare", json, text.to_str().unwrap(), &self.path("tokens")]);
        }
    }
}

/// Small letters, and a token for unknown words.
fn lower_case_rules() -> WordRules {
    WordRules { lower_case: true, unknown: Some(1), joins_punctuation: true, ..WordRules::default() }
}

/// Half of the words of a text.
fn listed(text: &[u8], rules: WordRules) -> Tokenizer {
    let all = Tokenizer::train_listed_words(text, WordRules { unicode_space: true, ..WordRules::default() })
        .unwrap();
    let words: Vec<&[u8]> = (0..all.len() as u32).filter_map(|token| all.token_bytes(token)).collect();
    let words: Vec<&[u8]> = words.into_iter().step_by(2).collect();
    Tokenizer::from_words(&words, rules).unwrap()
}

#[test]
#[ignore = "needs a Python with the package `tokenizers`"]
fn what_is_trained_here_has_the_same_tokens_there() {
    let library = Library::new();
    for text in &library.texts {
        let text = std::fs::read(text).unwrap();
        for tokenizer in [
            Tokenizer::train_byte_pair(&text, 256).unwrap(),
            Tokenizer::train_byte_pair(&text, 2000).unwrap(),
            Tokenizer::train_words(&text, 1000).unwrap(),
            Tokenizer::train_words_and_bytes(&text, 1000).unwrap(),
            listed(&text, lower_case_rules()),
            listed(&text, WordRules { unicode_space: true, unknown: Some(0), ..WordRules::default() }),
        ] {
            let json = library.path("ours.json");
            std::fs::write(&json, tokenizer.to_hugging_face().unwrap().to_string()).unwrap();
            library.compare(&tokenizer, &json);
        }
    }
}

#[test]
#[ignore = "needs a Python with the package `tokenizers`"]
fn what_has_grown_and_shrunk_here_has_the_same_tokens_there() {
    let library = Library::new();
    let special = ["<|endoftext|>", "<▁pad▁>", "don't"];
    for text in &library.texts {
        let text = std::fs::read(text).unwrap();
        for tokenizer in [
            Tokenizer::train_byte_pair(&text[..text.len() / 3], 300).unwrap(),
            Tokenizer::train_words_and_bytes(&text[..text.len() / 3], 300).unwrap(),
        ] {
            let tokenizer = tokenizer.with_special_tokens(&special).unwrap();
            let policy = Policy {
                limit: 420,
                least_count: 2,
                most_at_once: 40,
                pruning: Pruning::Lru,
                prune_share: 0.1,
                ..Policy::default()
            };
            let mut adaptive = Adaptive::new(tokenizer, policy).unwrap();
            let mut pruned = 0;
            for part in text.chunks(text.len() / 12 + 1) {
                adaptive.observe(part);
                if let Some(change) = adaptive.propose() {
                    adaptive.apply(&change).unwrap();
                    pruned += change.removed().len();
                }
            }
            println!("{adaptive:?}: {pruned} tokens were pruned");
            let json = library.path("adaptive.json");
            std::fs::write(&json, adaptive.tokenizer().to_hugging_face().unwrap().to_string()).unwrap();
            library.compare(adaptive.tokenizer(), &json);
            let read = Tokenizer::from_hugging_face(&std::fs::read(&json).unwrap()).unwrap();
            assert_eq!(&read, adaptive.tokenizer());
        }
    }
}

#[test]
#[ignore = "needs a Python with the package `tokenizers`"]
fn what_is_trained_there_has_the_same_tokens_here() {
    let library = Library::new();
    for text in &library.texts {
        for kind in
            ["byte-pair", "byte-pair-unknown", "byte-pair-whole", "runs", "spaces", "marks", "word-piece"]
        {
            // The library takes minutes to learn from a long text in one piece.
            if kind == "byte-pair-whole" && std::fs::metadata(text).unwrap().len() > 10_000 {
                continue;
            }
            let json = library.path("theirs.json");
            library.run(&["train", kind, "2000", text.to_str().unwrap(), &json]);
            let tokenizer = Tokenizer::from_hugging_face(&std::fs::read(&json).unwrap()).unwrap();
            library.compare(&tokenizer, &json);
            // And once more after it was written here.
            let again = library.path("again.json");
            std::fs::write(&again, tokenizer.to_hugging_face().unwrap().to_string()).unwrap();
            let read = Tokenizer::from_hugging_face(&std::fs::read(&again).unwrap()).unwrap();
            assert_eq!(read.identity(), tokenizer.identity());
            library.compare(&read, &again);
        }
    }
}
