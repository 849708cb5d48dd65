//! RustGPT.

use std::path::Path;

use proptest::prelude::*;
use rekindle_gpt::formats::rustgpt::{Encoding, read, write};
use rekindle_gpt::formats::{ImportedVocabulary, ModelFileError, ModelFormat, detect};
use rekindle_gpt::model::Network;
use rekindle_gpt::train::Optimizer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::formats::networks::{
    any_rustgpt, bits, gpt2, largest_difference, network, optimizer, rustgpt, samples, words,
};
use crate::formats::{hostile, reference};

const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::Bincode];

fn error(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    read(path).unwrap_err().to_string()
}

/// A small network, its words and its optimiser.
fn small() -> (Network, Vec<String>, Optimizer) {
    let network = network(&rustgpt(1, 2), 3, 8);
    let optimizer = optimizer(&network, 7);
    (network, words(3), optimizer)
}

#[test]
fn files_of_the_original_answer_as_they_do_there() {
    let Some(samples) = samples("rustgpt") else { return };
    let expected: Value =
        serde_json::from_slice(&std::fs::read(samples.join("expected.json")).unwrap()).unwrap();
    for (model, file) in [
        ("model_small", "model_small.bin"),
        ("model_tiny", "model_tiny.bin"),
        ("model_tiny", "model_tiny.json"),
    ] {
        let expected = &expected[model];
        let imported = read(&samples.join(file)).unwrap();
        assert_eq!(imported.network.parameters() as u64, expected["total_parameters"].as_u64().unwrap());
        let tokens: Vec<u32> = serde_json::from_value(expected["fixed_prompt_ids"].clone()).unwrap();
        let bits: Vec<u32> = serde_json::from_value(expected["last_position_logits_bits"].clone()).unwrap();
        let logits: Vec<f64> = bits.into_iter().map(|bits| f32::from_bits(bits).into()).collect();
        let found = reference::logits(&imported.network, &tokens).pop().unwrap();
        let difference = largest_difference(&found, &logits);
        println!("RustGPT: largest difference of scores, {file}: {difference:e}");
        assert!(difference < 1e-5);
        for prompt in expected["prompts"].as_array().into_iter().flatten() {
            let tokens: Vec<u32> = serde_json::from_value(prompt["token_ids"].clone()).unwrap();
            let answer: Vec<u32> = serde_json::from_value(prompt["greedy_output_ids"].clone()).unwrap();
            let end = expected["eos_id"].as_u64().unwrap() as u32;
            let found = reference::greedy(&imported.network, &tokens, 80, end);
            assert_eq!(found[tokens.len()..], answer);
        }
        let optimizer = imported.optimizer.unwrap();
        assert!(optimizer.updates > 0);
        assert!(
            optimizer.moments["layers/0/attention/joined/weight"].second.iter().all(|&moment| moment >= 0.0)
        );
        let Some(ImportedVocabulary::Words { words, lower_case: false, unknown: None }) = imported.vocabulary
        else {
            panic!()
        };
        assert_eq!(&words[..3], ["hello", "world", "this"]);
    }
}

#[test]
fn both_forms_of_a_model_of_the_original_are_the_same() {
    let Some(samples) = samples("rustgpt") else { return };
    for name in ["model_tiny", "model_tiny_fresh"] {
        let [json, bin] =
            ["json", "bin"].map(|ending| read(&samples.join(format!("{name}.{ending}"))).unwrap());
        assert_eq!(bits(&json.network), bits(&bin.network));
        assert_eq!((&json.vocabulary, &json.optimizer), (&bin.vocabulary, &bin.optimizer));
    }
    assert_eq!(detect(&samples.join("model_tiny.json")), Some(ModelFormat::RustGptJson));
    assert_eq!(detect(&samples.join("model_tiny.bin")), Some(ModelFormat::RustGptBincode));
    assert_eq!(detect(&samples.join("model_small.bin")), Some(ModelFormat::RustGptBincode));
    assert_eq!(detect(&samples.join("expected.json")), None);
    assert_eq!(detect(&samples.join("pretraining_data.json")), None);
}

/// Of a fresh model the original's files hold no caches: ours are the same byte for byte, but for
/// the order of the two maps, which is random there.
#[test]
fn a_fresh_model_goes_out_as_the_original_writes_it() {
    let Some(samples) = samples("rustgpt") else { return };
    let directory = tempfile::tempdir().unwrap();
    let imported = read(&samples.join("model_tiny_fresh.bin")).unwrap();
    let Some(ImportedVocabulary::Words { words, .. }) = &imported.vocabulary else { panic!() };
    let file = |encoding| {
        let path = directory.path().join("again");
        write(&path, &imported.network, words, imported.optimizer.as_ref(), encoding).unwrap();
        std::fs::read(&path).unwrap()
    };
    let behind_words = |bytes: Vec<u8>, mark: &[u8]| {
        let start = bytes.windows(mark.len()).rposition(|window| window == mark).unwrap();
        bytes[start..].to_vec()
    };
    let theirs = std::fs::read(samples.join("model_tiny_fresh.bin")).unwrap();
    let mark = "\u{5}hello\u{5}world\u{4}this".as_bytes();
    assert_eq!(behind_words(file(Encoding::Bincode), mark), behind_words(theirs, mark));
    let theirs = std::fs::read(samples.join("model_tiny_fresh.json")).unwrap();
    let mark = b"\"words\": [";
    assert_eq!(behind_words(file(Encoding::Json), mark), behind_words(theirs, mark));
}

#[test]
fn numbers_that_are_not_finite_are_named() {
    let Some(samples) = samples("rustgpt") else { return };
    for file in ["model_tiny_nonfinite.json", "model_tiny_nonfinite.bin"] {
        let error = read(&samples.join(file)).unwrap_err().to_string();
        println!("{error}");
        assert!(error.contains("network[0].Embeddings.token_embeddings"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_model_comes_back_to_the_bit((one, memory) in any_rustgpt()) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        let words = words(one.vocabulary());
        for encoding in ENCODINGS {
            write(&path, &one, &words, Some(&memory), encoding).unwrap();
            let back = read(&path).unwrap();
            prop_assert_eq!(bits(&back.network), bits(&one));
            prop_assert_eq!(&back.network, &one);
            prop_assert_eq!(back.optimizer.as_ref(), Some(&memory));
            let expected = ImportedVocabulary::Words { words: words.clone(), lower_case: false, unknown: None };
            prop_assert_eq!(back.vocabulary, Some(expected));
        }
    }
}

#[test]
fn what_rustgpt_does_not_have_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    let refused = |network: &Network, words: &[String], optimizer: Option<&Optimizer>| {
        write(&path, network, words, optimizer, Encoding::Bincode).unwrap_err().to_string()
    };
    let (one, words, memory) = small();
    let other = network(&gpt2(1, 1, 2), 3, 1);
    assert!(refused(&other, &words, None).contains("`layers/0/attention/norm`"));
    assert!(refused(&one, &words[..2], None).contains("are 2"));
    let twice = [words[0].clone(), words[1].clone(), words[0].clone()];
    assert!(refused(&one, &twice, None).contains("token 2 is the word"));
    let mut late = memory.clone();
    late.token_updates[1] = 3;
    assert!(refused(&one, &words, Some(&late)).contains("token 1 3 times"));
    let mut more = memory.clone();
    more.moments.remove("output/weight");
    assert!(refused(&one, &words, Some(&more)).contains("no moments for `output/weight`"));
    let mut network = one.clone();
    network.output.as_mut().unwrap().bias[0] = f32::NAN;
    assert!(refused(&network, &words, None).contains("`output/bias`"));
    assert!(!path.exists());
}

#[test]
fn torn_and_changed_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    let (one, words, memory) = small();
    for encoding in ENCODINGS {
        write(&path, &one, &words, Some(&memory), encoding).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        hostile::torn(&path, &bytes, |path| read(path).map(drop));
        hostile::changed(&path, &bytes, |path| read(path).map(drop));
    }
    hostile::longer(&path, &std::fs::read(&path).unwrap(), |path| read(path).map(drop));
}

#[test]
fn absurd_sizes_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    let huge = [&[253][..], &u64::MAX.to_le_bytes()].concat();
    // A number of words, of layers, and of the numbers of an array.
    assert!(error(&path, &huge).contains("vocab.encode"));
    let no_words = [0, 0, 0];
    assert!(error(&path, &[&no_words[..], &huge].concat()).contains("number of layers"));
    let array = [&no_words[..], &[1, 0, 1], &huge, &huge, &huge].concat();
    assert!(error(&path, &array).contains("network[0].Embeddings.token_embeddings"));
    let many = [&[252, 1, 0, 16, 0][..], &vec![0; 1 << 21]].concat();
    assert!(error(&path, &many).contains("at most 1048576 can be"));
    let head = r#"{"vocab": {"encode": {}, "decode": {}, "words": []}, "network": [{"X":"#;
    let deep = [head.as_bytes().to_vec(), vec![b'['; 100_000]].concat();
    let deep = error(&path, &deep);
    assert!(deep.contains("not as it should be"), "{deep}");
    let layer = r#"{"LayerNorm": {"epsilon": 1e-5, "gamma": {"v": 1, "dim": [1e30, 1e30], "data": [1]}}}]}"#;
    let text = head.replace(r#"{"X":"#, layer);
    let error = error(&path, text.as_bytes());
    assert!(error.contains("network[0].LayerNorm.gamma"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(bytes: Vec<u8>, words in 0..3_u8) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        // Past the vocabulary, where the layers begin.
        let bytes = if words == 0 { [&[0, 0, 0, 2, 0, 1][..], &bytes].concat() } else { bytes };
        std::fs::write(&path, bytes).unwrap();
        let _ = detect(&path);
        prop_assert!(read(&path).is_err());
    }
}

/// The container of later versions around a model.
fn container(model: &[u8]) -> Value {
    let checksum: String = Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"version": 1, "checksum": checksum, "data": model, "metadata": {"saved_at": "2025-10-20T00:00:00Z",
        "architecture": "Transformer", "num_parameters": 1, "embedding_dim": 2, "num_layers": 6, "description": null}})
}

/// In the order in which RustGPT writes the members, which is how files are recognised.
fn text(container: &Value) -> Vec<u8> {
    let member = |name: &str| format!("\"{name}\": {}", container[name]);
    let members = ["version", "checksum", "data", "metadata"].map(member);
    format!("{{\n  {}\n}}", members.join(",\n  ")).into_bytes()
}

#[test]
fn containers_are_opened_and_their_checksum_is_enforced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    let (one, words, memory) = small();
    for encoding in ENCODINGS {
        write(&path, &one, &words, Some(&memory), encoding).unwrap();
        let mut container = container(&std::fs::read(&path).unwrap());
        std::fs::write(&path, text(&container)).unwrap();
        assert_eq!(detect(&path), Some(ModelFormat::RustGptContainer));
        let imported = read(&path).unwrap();
        assert_eq!(bits(&imported.network), bits(&one));
        assert!(!imported.warnings.iter().any(|note| note.contains("no checksum")));
        container["data"][40] = json!(container["data"][40].as_u64().unwrap() ^ 1);
        std::fs::write(&path, text(&container)).unwrap();
        assert!(matches!(read(&path), Err(ModelFileError::Checksum { kind: "SHA-256", .. })));
        container["version"] = json!(3);
        std::fs::write(&path, text(&container)).unwrap();
        assert!(matches!(read(&path), Err(ModelFileError::Version { found: 3, .. })));
    }
}

#[test]
fn layers_of_later_versions_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("later.bin");
    let layers =
        json!([{"TokenEmbeddings": {"x": [[1, 2], {"y": null}]}}, {"PolyAttention": {}}, {"SwiGLU": {}}]);
    let model =
        format!(r#"{{"vocab": {{"encode": {{}}, "decode": {{}}, "words": []}}, "network": {layers}}}"#);
    let error_of = |bytes: &[u8]| error(&path, bytes);
    let error = error_of(&text(&container(model.as_bytes())));
    assert!(
        error.contains("(PolyAttention, SwiGLU, TokenEmbeddings), of the architecture `Transformer`"),
        "{error}"
    );
    let error = error_of(&text(&container(&[0, 0, 0, 1, 9])));
    assert!(error.contains("a layer of kind 9 in network[0]"), "{error}");
}
