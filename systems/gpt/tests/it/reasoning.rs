//! Problems of reasoning are learnt, by a model that is told of the tree of their texts, and what they follow from is
//! kept and checked.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests make the files that are read")]

use rekindle_gpt::Gpt;
use rekindle_gpt::train::State;
use rekindle_reason::FactCache;
use rekindle_train::{ConfigOf, System};

/// Everything about reasoning that a run can have.
const REASONING: [&str; 9] = [
    "model={layers: 2, heads: 2, width: 16, context: 96, structure: {depth: true, tree: true, bias: true, mask: true}}",
    "training.tokenizer={kind: words, vocabulary: 400, symbols: {}}",
    "training.precision=f32",
    "training.pretraining.data={source: reasoning, suites: [rules, dyck, entailment], steps: true, \
     random_positions: true, count: 60, evaluation: 0.1}",
    "training.pretraining.steps=8",
    "training.pretraining.accumulate=1",
    "training.tuning=null",
    "training.adapt=null",
    "training.facts=5",
];

fn reasoning(more: &[&str]) -> ConfigOf<Gpt> {
    crate::common::small(&[&REASONING, more].concat())
}

/// As [`crate::common::hashes`], from the beginning.
fn hashes(config: &ConfigOf<Gpt>, every: u64, threads: usize) -> (Vec<String>, State) {
    crate::common::hashes(config, crate::common::initial(config), every, threads)
}

#[test]
fn facts_masks_and_biases_are_the_same_after_any_stop() {
    let config = reasoning(&[]);
    let (straight, state) = hashes(&config, u64::MAX, 1);
    assert_eq!(straight.len(), 8);
    assert!(hashes(&config, 1, 2).0 == straight);
    assert!(hashes(&config, 3, 3).0 == straight);
    // Of five problems those about brackets follow from nothing.
    let facts = state.facts.unwrap();
    assert!((3..=4).contains(&facts.len()), "{}", facts.len());
    assert!(facts.verify().unwrap().checked >= 3);
    assert!(state.model.network.reads_structure());
}

#[test]
fn a_fact_that_was_changed_is_found() {
    let config = reasoning(&[]);
    let (_, mut state) = hashes(&config, u64::MAX, 1);
    let written = serde_json::to_string(state.facts.as_ref().unwrap()).unwrap();
    let changed = written.replacen("\"goal\":\"", "\"goal\":\"not ", 1);
    assert_ne!(changed, written);
    state.facts = Some(serde_json::from_str::<FactCache>(&changed).unwrap());
    let error = Gpt::attach(&config, &state, &rekindle_train::Resources::new(1)).err().unwrap().to_string();
    assert!(error.contains("was changed"), "{error}");
}

#[test]
fn symbols_of_logic_and_declared_names_are_tokens_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("symbols.yaml");
    std::fs::write(&file, "predicates: {sibling_of: 2}\nfunctions: {anne: 0}\n").unwrap();
    let setting = format!("training.tokenizer.symbols.file={}", file.display());
    let state = crate::common::initial(&reasoning(&[&setting]));
    let tokenizer = state.model.tokenizer();
    for symbol in ["∧", "∨", "→", "↔", "∀", "∃", "⊆", "λ", "~", "(", ")", "sibling_of", "anne"]
    {
        let tokens = tokenizer.encode_ordinary(format!("x{symbol}y").as_bytes());
        let own = tokenizer.token_of(symbol.as_bytes()).unwrap();
        assert!(tokens.contains(&own), "{symbol}: {tokens:?}");
        assert!(!tokenizer.is_special(own));
    }
    std::fs::write(&file, "predicates: {forall: 2}\n").unwrap();
    let error = crate::common::refused(&reasoning(&[&setting]));
    assert!(error.contains("symbols.yaml") && error.contains("`forall` is reserved"), "{error}");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let adapts = "training.adapt={every: 700, policy: {limit: 900}}";
    for (settings, expected) in [
        (&["model.heads=1"][..], "at least two are needed"),
        (&[adapts], "leave out `model.structure`"),
        (&["training.pretraining.data.suites=[]"], "name at least one"),
        (&["training.pretraining.data.suites=[dyck, dyck]"], "each once"),
        (&["training.facts=200000"], "at most 100000"),
        (&["training.pretraining.data={source: facts, count: 60}"], "no phase learns `source: reasoning`"),
    ] {
        let error = crate::common::refused(&reasoning(settings));
        assert!(error.contains(expected), "{settings:?}: {error}");
    }
}
