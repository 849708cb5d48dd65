//! Whatever a user or a disk gets wrong: a message that names it, and nothing half done.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests make the files that are read")]

use std::path::Path;

use rekindle::Matrix;
use rekindle_compute::KernelPath;
use rekindle_gpt::inference::{Decoder, Generation, GenerationSettings, WeightPrecision, WhenFull};
use rekindle_gpt::model::{Block, ModelConfig, Network, Sampling, StructureConfig, Vocabulary};
use rekindle_gpt::train::State;
use rekindle_gpt::{Gpt, LanguageModel};
use rekindle_tokenizer::{Adaptive, Policy, Tokenizer};
use rekindle_train::{ConfigOf, Family, Resources, System};

fn check(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// The message of a config that cannot be trained.
fn config_refused(settings: &[&str]) -> String {
    crate::common::refused(&crate::common::small(settings))
}

/// The message of a state that the config cannot go on with.
fn state_refused(config: &ConfigOf<Gpt>, state: &State) -> String {
    Gpt::attach(config, state, &Resources::new(1)).err().unwrap().to_string()
}

/// A setting that has this file learnt.
fn learns(file: &Path) -> String {
    format!("training.pretraining.data.file={}", serde_json::Value::from(file.to_str().unwrap()))
}

#[test]
fn values_that_cannot_be() {
    for (settings, parts) in [
        (&["model.heads=3"][..], &["model.heads", "32", "divisible"][..]),
        (&["model.heads=0"], &["model.heads", "0"]),
        (&["model.layers=100000"], &["model.layers", "256"]),
        (&["model.context=1"], &["model.context", "from 2"]),
        (&["model.width=2000000000"], &["model.width", "16384"]),
        (&["model.dropout=1"], &["model.dropout", "0.9"]),
        (&["model.block=rustgpt"], &["model.block", "one head"]),
        (&["training.pretraining.epochs=2"], &["training.pretraining.epochs", "`steps` says already"]),
        (&["training.pretraining.steps=null"], &["training.pretraining.steps", "`steps` or `epochs`"]),
        (&["training.pretraining.steps=0"], &["training.pretraining.steps", "positive"]),
        (
            &["training.pretraining.steps=null", "training.pretraining.epochs=2"],
            &["training.pretraining.epochs", "running text has no epochs"],
        ),
        (&["training.pretraining.batch=0"], &["training.pretraining.batch"]),
        (&["training.pretraining.learning_rate=0"], &["training.pretraining.learning_rate"]),
        (&["training.tuning.data.evaluation=1"], &["training.tuning.data.evaluation"]),
        (&["training.tuning.data.source=file"], &["training.tuning.data.file", "name a text"]),
        (&["training.optimizer.betas=[0.9, 1.0]"], &["training.optimizer.betas"]),
        (&["training.optimizer.clip=-1"], &["training.optimizer.clip"]),
        (&["training.tokenizer.vocabulary=1"], &["training.tokenizer.vocabulary"]),
        (&["training.tokenizer.file=missing.json"], &["`missing.json`"]),
        (&["training.adapt.every=0"], &["training.adapt.every"]),
        (&["training.adapt.policy.limit=280"], &["training.adapt", "limit", "280"]),
        (&["training.adapt.policy.limit=0"], &["training.adapt.policy", "limit"]),
        (&["training.parts=0"], &["training.parts"]),
    ] {
        check(&config_refused(settings), parts);
    }
}

#[test]
fn texts_that_cannot_be_learnt() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content, parts) in [
        ("empty.txt", &b""[..], &["empty.txt", "empty", "nothing to learn"][..]),
        ("blank.txt", b" \n\t\n", &["blank.txt", "nothing to learn"]),
        ("letter.txt", b"a", &["letter.txt", "too few"]),
        ("torn.json", b"[\"a text\", ", &["torn.json", "not JSON"]),
        ("binary.json", b"\xff\xfe\x00", &["binary.json", "UTF-8"]),
        ("empty.json", b"[]", &["empty.json", "the list is empty"]),
        ("number.json", b"5", &["number.json", "a list of texts"]),
        ("object.json", b"{\"talks\": []}", &["object.json", "`conversations`"]),
        ("numbers.json", b"[\"a text\", 5]", &["numbers.json", "item 2", "`messages`"]),
        ("mixed.json", b"[\"a text\", {\"messages\": []}]", &["mixed.json", "texts and dialogues"]),
        (
            "role.json",
            b"[{\"messages\": [{\"role\": \"narrator\", \"content\": \"x\"}]}]",
            &["role.json", "item 1", "`narrator`", "assistant"],
        ),
        ("lines.jsonl", b"{\"text\": \"fine\"}\n{\"text\": \n", &["lines.jsonl", "line 2"]),
        ("silent.json", b"[{\"messages\": []}]", &["silent.json", "empty"]),
        ("short.json", b"[\"\", \"\"]", &["short.json", "nothing to learn"]),
    ] {
        let file = dir.path().join(name);
        std::fs::write(&file, content).unwrap();
        let settings = ["training.tuning=null", "training.adapt=null", &learns(&file)];
        check(&config_refused(&settings), parts);
    }
    check(&config_refused(&[&learns(&dir.path().join("missing.txt"))]), &["missing.txt"]);
    check(&config_refused(&[&learns(dir.path())]), &[dir.path().to_str().unwrap()]);
}

#[test]
fn bytes_that_are_no_text_are_learnt() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bytes.bin");
    let bytes: Vec<u8> = (0..5000_u32).map(|index| (index * index % 251) as u8 ^ 0x80).collect();
    assert!(std::str::from_utf8(&bytes).is_err());
    std::fs::write(&file, &bytes).unwrap();
    for kind in ["byte_pairs", "bytes"] {
        let kind = format!("training.tokenizer.kind={kind}");
        let config = crate::common::small(&[&learns(&file), &kind, "training.tuning=null"]);
        let mut state = crate::common::initial(&config);
        let mut runtime = crate::common::attach(&config, &state, 1);
        let metrics = runtime.step(&mut state).unwrap();
        assert!(metrics["loss"].is_finite() && runtime.evaluate(&state).unwrap()["validation_loss"] > 0.0);
        let tokenizer = state.model.tokenizer();
        assert_eq!(tokenizer.decode(&tokenizer.encode(&bytes)).unwrap(), bytes);
    }
}

#[test]
fn a_text_that_was_changed_or_lies_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first.txt"), dir.path().join("second.txt"));
    let text = "the sun rises in the east, and water flows downhill. ".repeat(20);
    std::fs::write(&first, &text).unwrap();
    let config =
        |file: &Path| crate::common::small(&[&learns(file), "training.tuning=null", "training.adapt=null"]);
    let state = crate::common::initial(&config(&first));
    std::fs::write(&second, &text).unwrap();
    crate::common::attach(&config(&second), &state, 1);
    std::fs::write(&first, text.replace("east", "west")).unwrap();
    check(&state_refused(&config(&first), &state), &["first.txt", "another one", "other data"]);
}

#[test]
fn files_of_the_command_line() {
    let option = |files: &[&str]| {
        let files: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
        Gpt::options()[0].settings(&files)
    };
    assert_eq!(option(&["a b.txt"]).unwrap(), ["training.pretraining.data.file=\"a b.txt\""]);
    assert_eq!(option(&["a.txt", "b.json"]).unwrap().len(), 2);
    let refused = option(&["a.txt", "b.json", "c.json"]).unwrap_err().to_string();
    check(&refused, &["2 at most", "not 3"]);
}

/// A small network, and a tokenizer of as many tokens.
fn parts() -> (Tokenizer, Network) {
    let tokenizer = Tokenizer::train_byte_pair(b"to be or not to be", 258).unwrap();
    let network = Network::random(&model(), tokenizer.len(), 1);
    (tokenizer, network)
}

fn model() -> ModelConfig {
    ModelConfig {
        block: Block::Gpt2,
        layers: 1,
        heads: 2,
        width: 8,
        feed_forward: None,
        context: 12,
        tied: false,
        attention_biases: false,
        dropout: 0.0,
        structure: StructureConfig::default(),
        sampling: Sampling::default(),
    }
}

#[test]
fn vocabulary_and_network_that_disagree() {
    let (tokenizer, _) = parts();
    let refused = |tokens: usize| {
        let network = Network::random(&model(), tokens, 1);
        let model = LanguageModel::new(Vocabulary::Fixed(tokenizer.clone()), network, Sampling::default());
        model.unwrap_err().to_string()
    };
    for tokens in [257, 259] {
        check(&refused(tokens), &["the tokenizer has 258 tokens", &tokens.to_string(), "same model"]);
    }
}

#[test]
fn numbers_of_tokens_that_there_are_not() {
    let (tokenizer, network) = parts();
    let vocabulary = Vocabulary::Fixed(tokenizer.clone());
    let model = LanguageModel::new(vocabulary, network, Sampling::default()).unwrap();
    let path = KernelPath::from_environment().unwrap();
    let error = model.logits(path, &[1, 258, 2]).unwrap_err().to_string();
    check(&error, &["token 258 at position 1", "258 of the network"]);
    check(&model.logits(path, &[1; 13]).unwrap_err().to_string(), &["13 tokens", "at most 12"]);
    let mut decoder = Decoder::new(&model.network, WeightPrecision::F32, 1).unwrap();
    check(&decoder.feed(&[u32::MAX]).unwrap_err().to_string(), &["token 4294967295"]);

    let mut start = |settings: &GenerationSettings, prompt: &[u32]| {
        Generation::start(&mut decoder, &tokenizer, settings, prompt).map(drop).unwrap_err().to_string()
    };
    let settings = GenerationSettings::default();
    check(&start(&settings, &[300]), &["token 300"]);
    check(&start(&settings, &[7; 13]), &["the prompt has 13 tokens", "at most 12", "slide"]);
    let stop = GenerationSettings { stop_tokens: vec![999], ..settings.clone() };
    check(&start(&stop, &[7]), &["stop_tokens", "999"]);
    let stop = GenerationSettings { stop_strings: vec![String::new()], ..settings.clone() };
    check(&start(&stop, &[7]), &["stop_strings"]);
    let slides = GenerationSettings { when_full: WhenFull::Slide, max_tokens: 30, ..settings };
    let mut generation = Generation::start(&mut decoder, &tokenizer, &slides, &[7; 13]).unwrap();
    assert!(generation.all(|piece| piece.is_ok()));
    assert_eq!(generation.outcome().tokens.len(), 30);
}

#[test]
fn a_state_that_is_of_another_config() {
    let config = crate::common::small(&[]);
    let state = crate::common::initial(&config);
    for (settings, parts) in [
        (&["model.layers=1"][..], &["the state does not fit"][..]),
        (&["model.layers=3"], &["the state does not fit"]),
        (&["model.width=64"], &["token_embedding"]),
        (&["model.feed_forward=64"], &["feed_forward/up"]),
        (&["model.context=32"], &["position_embedding"]),
        (&["model.heads=4"], &["heads", "2", "4"]),
        (&["model.tied=true"], &["arrays"]),
        (&["model.attention_biases=true"], &["bias"]),
        (&["model.heads=1", "model.block=rustgpt"], &["layers/0"]),
        (&["training.precision=f32"], &["precision"]),
    ] {
        check(&state_refused(&crate::common::small(settings), &state), parts);
    }
}

#[test]
fn a_state_that_contradicts_itself() {
    let config = crate::common::small(&[]);
    let state = crate::common::initial(&config);
    let refused = |change: &dyn Fn(&mut State)| {
        let mut changed = state.clone();
        change(&mut changed);
        state_refused(&config, &changed)
    };
    check(&refused(&|state| state.optimizer.token_updates.truncate(1)), &["the optimizer knows"]);
    check(
        &refused(&|state| drop(state.optimizer.moments.remove("position_embedding"))),
        &["the optimizer has no moments for `position_embedding`"],
    );
    check(
        &refused(&|state| {
            let moments = state.optimizer.moments["position_embedding"].clone();
            state.optimizer.moments.insert("layers/9".to_owned(), moments);
        }),
        &["moments for `layers/9`"],
    );
    check(
        &refused(&|state| {
            let moments = state.optimizer.moments.get_mut("position_embedding").unwrap();
            moments.first.truncate(1);
        }),
        &["the moments of `position_embedding`"],
    );
    check(
        &refused(&|state| {
            let rows = state.model.network.vocabulary() + 1;
            state.model.network.token_embedding = Matrix::zeros(rows, 32);
        }),
        &["the state does not fit"],
    );
    check(
        &refused(&|state| state.model.network.token_embedding.as_mut_slice()[5] = f32::NAN),
        &["token_embedding", "NaN"],
    );
    check(&refused(&|state| state.texts.clear()), &["text"]);
}

#[test]
fn a_change_of_the_vocabulary_past_its_limit() {
    let (tokenizer, _) = parts();
    let policy = |limit| Policy { limit, ..Policy::default() };
    let error = Adaptive::new(tokenizer.clone(), policy(257)).unwrap_err().to_string();
    check(&error, &["limit", "257"]);
    let mut adaptive = Adaptive::new(tokenizer, policy(260)).unwrap();
    check(&adaptive.set_policy(policy(100)).unwrap_err().to_string(), &["limit", "100"]);
    assert_eq!(adaptive.policy().limit, 260);
}

#[test]
fn a_run_that_begins_from_another_has_the_policy_of_its_config() {
    let old =
        crate::common::initial(&crate::common::small(&["training.adapt=null", "training.precision=f32"]));
    let config = crate::common::small(&["training.precision=f32"]);
    let begun = |config: &ConfigOf<Gpt>, from: &State| {
        let mut state = crate::common::initial(config);
        state.model = from.model.clone();
        Gpt::adopt(config, &mut state).map(|()| state)
    };
    let state = begun(&config, &old).unwrap();
    let Vocabulary::Adaptive(adaptive) = &state.model.vocabulary else { panic!("it cannot grow") };
    assert_eq!(adaptive.policy().limit, 340);
    let other = crate::common::small(&["training.precision=f32", "training.adapt.policy.limit=350"]);
    let state = begun(&other, &state).unwrap();
    let Vocabulary::Adaptive(adaptive) = &state.model.vocabulary else { panic!("it cannot grow") };
    assert_eq!(adaptive.policy().limit, 350);
    let narrow = crate::common::small(&[
        "training.precision=f32",
        "training.tokenizer.vocabulary=260",
        "training.adapt.policy.limit=280",
    ]);
    check(&begun(&narrow, &old).unwrap_err().to_string(), &["limit", "280"]);
}
