//! Directories of the Hugging Face library.

use std::collections::HashMap;
use std::path::Path;

use half::{bf16, f16};
use proptest::prelude::*;
use rekindle_gpt::LanguageModel;
use rekindle_gpt::data::SPECIAL_TOKENS;
use rekindle_gpt::formats::hugging_face::{read, read_partial, write};
use rekindle_gpt::formats::{ImportedVocabulary, ModelFormat, detect, lopos};
use rekindle_gpt::model::{ModelConfig, Network};
use rekindle_tokenizer::Tokenizer;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde_json::{Value, json};

use crate::formats::networks::{any_gpt2, bits, byte_pairs, gpt2, largest_difference, network};
use crate::formats::{hostile, reference};

/// A directory with a small network.
fn directory(model: &ModelConfig) -> (tempfile::TempDir, Network, Tokenizer) {
    let tokenizer = byte_pairs();
    let network = network(model, tokenizer.len(), 9);
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &network, &tokenizer).unwrap();
    (directory, network, tokenizer)
}

fn error(path: &Path) -> String {
    read(path).unwrap_err().to_string()
}

/// Changes a member of the config.
fn set(path: &Path, member: &str, value: Value) {
    let path = path.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    match value {
        Value::Null => drop(config.as_object_mut().unwrap().remove(member)),
        value => config[member] = value,
    }
    std::fs::write(path, config.to_string()).unwrap();
}

type Tensors = HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// Writes the tensors anew as `change` makes them.
fn rewrite(path: &Path, change: impl FnOnce(&mut Tensors)) {
    let path = path.join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Tensors = tensors
        .iter()
        .map(|(name, view)| (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec())))
        .collect();
    change(&mut tensors);
    let views = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    std::fs::write(path, serialize(views, None).unwrap()).unwrap();
}

#[test]
fn a_network_with_all_biases_comes_back_as_it_was() {
    let (directory, network, tokenizer) = directory(&ModelConfig { attention_biases: true, ..gpt2(2, 2, 8) });
    assert_eq!(detect(directory.path()), Some(ModelFormat::HuggingFace));
    let imported = read(directory.path()).unwrap();
    assert_eq!(imported.network, network);
    let Some(ImportedVocabulary::Tokenizer(read)) = imported.vocabulary else { panic!("it has one") };
    assert_eq!(read.to_hugging_face().unwrap(), tokenizer.to_hugging_face().unwrap());
    let conventions = read.conventions().unwrap();
    assert_eq!((&conventions.bos, conventions.eos.as_deref()), (&None, Some("<|endoftext|>")));
    assert!(imported.optimizer.is_none());
}

#[test]
fn a_network_without_attention_biases_gets_zeros() {
    let (directory, network, _) = directory(&gpt2(1, 2, 8));
    let imported = read(directory.path()).unwrap().network;
    assert_eq!(reference::logits(&imported, &[1, 2, 3]), reference::logits(&network, &[1, 2, 3]));
    // Where the file has none either, the network does without them.
    rewrite(directory.path(), |tensors| {
        tensors.retain(|name, _| !name.ends_with("c_attn.bias") && !name.ends_with("attn.c_proj.bias"));
    });
    assert_eq!(read(directory.path()).unwrap().network, network);
    // So LoopOS can have it back.
    let path = directory.path().join("a.lopos");
    lopos::write(&path, &imported, lopos::Version::LoopOs).unwrap();
    assert_eq!(lopos::read(&path).unwrap().network, network);
}

#[test]
fn the_config_says_what_the_library_needs() {
    let (directory, ..) = directory(&ModelConfig { tied: true, ..gpt2(1, 2, 8) });
    let config: Value =
        serde_json::from_slice(&std::fs::read(directory.path().join("config.json")).unwrap()).unwrap();
    assert_eq!(config["layer_norm_epsilon"].as_f64(), Some(1e-5));
    assert_eq!(config["tie_word_embeddings"], true);
    assert_eq!((&config["bos_token_id"], &config["pad_token_id"]), (&Value::Null, &Value::Null));
    assert_eq!(config["eos_token_id"].as_u64(), Some(config["vocab_size"].as_u64().unwrap() - 1));
    let parameters = std::fs::read(directory.path().join("model.safetensors")).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&parameters).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");
    assert!(metadata.info("lm_head.weight").is_none());
}

#[test]
fn names_masks_and_halves_of_other_writers_are_taken() {
    let (directory, network, _) =
        directory(&ModelConfig { attention_biases: true, tied: true, ..gpt2(1, 2, 8) });
    rewrite(directory.path(), |tensors| {
        *tensors = std::mem::take(tensors)
            .into_iter()
            .map(|(name, tensor)| (name.trim_start_matches("transformer.").to_owned(), tensor))
            .collect();
        tensors.insert("h.0.attn.bias".to_owned(), (Dtype::BOOL, vec![1, 1, 2, 2], vec![1; 4]));
        tensors.insert("h.0.attn.masked_bias".to_owned(), (Dtype::F32, vec![], vec![0; 4]));
        tensors.insert("lm_head.weight".to_owned(), (Dtype::F32, vec![1], vec![0; 4]));
    });
    let imported = read(directory.path()).unwrap();
    assert_eq!(imported.network, network);
    assert!(imported.warnings.iter().any(|note| note.contains("lm_head.weight")));
    for dtype in [Dtype::F16, Dtype::BF16] {
        let half = |number: f32| match dtype {
            Dtype::F16 => f16::from_f32(number).to_le_bytes(),
            _ => bf16::from_f32(number).to_le_bytes(),
        };
        rewrite(directory.path(), |tensors| {
            let rows: Vec<u8> =
                network.token_embedding.as_slice().iter().flat_map(|&number| half(number)).collect();
            let shape = vec![network.vocabulary(), network.width()];
            tensors.insert("wte.weight".to_owned(), (dtype, shape, rows));
        });
        let found = read(directory.path()).unwrap().network;
        for (found, number) in found.token_embedding.as_slice().iter().zip(network.token_embedding.as_slice())
        {
            assert!((found - number).abs() <= number.abs() / 128.0);
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    let model = ModelConfig { attention_biases: true, ..gpt2(1, 2, 8) };
    let wrong_config = |member: &str, value: Value, expected: &str| {
        let (directory, ..) = directory(&model);
        set(directory.path(), member, value);
        let error = error(directory.path());
        assert!(error.contains(expected), "{error}");
    };
    wrong_config("n_layer", json!(2), "has no `transformer.h.1.ln_1.weight`");
    wrong_config("n_embd", json!(10), "tensor `transformer.wte.weight` is 283 x 8, but 283 x 10");
    wrong_config("n_head", json!(3), "`model.heads` is 3: the width of 8 must be divisible by it");
    wrong_config("activation_function", json!("silu"), "`silu`, which is not supported: it can be gelu_new");
    wrong_config("model_type", json!("llama"), "`llama`, which is not supported: only `gpt2`");
    wrong_config("model_type", Value::Null, "no `model_type`");
    wrong_config("scale_attn_weights", json!(false), "`scale_attn_weights`: false");
    wrong_config("vocab_size", json!(4_000_000_000_u32), "vocab_size is 4000000000");
    wrong_config("n_embd", json!(16_384), "tensor `transformer.wte.weight`");
    wrong_config("layer_norm_epsilon", json!(-1), "epsilon");

    let wrong_tensors = |change: &dyn Fn(&mut Tensors), expected: &str| {
        let (directory, ..) = directory(&model);
        rewrite(directory.path(), |tensors| change(tensors));
        let error = error(directory.path());
        assert!(error.contains(expected), "{error}");
    };
    let other = |dtype, shape: &[usize], bytes| (dtype, shape.to_vec(), vec![0; bytes]);
    wrong_tensors(
        &|tensors| {
            drop(tensors.insert("transformer.h.1.ln_1.weight".to_owned(), other(Dtype::F32, &[8], 32)))
        },
        "tensor `transformer.h.1.ln_1.weight` is there, but a GPT-2 of 1 layers",
    );
    wrong_tensors(
        &|tensors| drop(tensors.insert("transformer.wpe.weight".to_owned(), other(Dtype::I16, &[9, 8], 144))),
        "tensor `transformer.wpe.weight` of type I16",
    );
    wrong_tensors(
        &|tensors| drop(tensors.insert("ln_f.bias".to_owned(), other(Dtype::F32, &[8], 32))),
        "ln_f.bias` is there twice",
    );
    wrong_tensors(
        &|tensors| drop(tensors.remove("transformer.h.0.mlp.c_fc.bias")),
        "has no `transformer.h.0.mlp.c_fc.bias`",
    );
    wrong_tensors(
        &|tensors| {
            let (_, _, bytes) = tensors.get_mut("transformer.ln_f.bias").unwrap();
            bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
        },
        "`layers/2/norm/bias` is NaN",
    );
    let (directory, ..) = directory(&model);
    std::fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    assert!(error(directory.path()).contains("has no `model.safetensors`"));
}

#[test]
fn a_partial_load_says_what_is_fresh() {
    let (directory, network, _) = directory(&ModelConfig { attention_biases: true, ..gpt2(1, 2, 8) });
    rewrite(directory.path(), |tensors| {
        tensors.remove("transformer.h.0.mlp.c_fc.weight");
        tensors.insert("score.weight".to_owned(), (Dtype::F32, vec![2], vec![0; 8]));
        tensors.insert("transformer.ln_f.bias".to_owned(), (Dtype::F32, vec![3], vec![0; 12]));
    });
    let (imported, partial) = read_partial(directory.path(), 5).unwrap();
    assert_eq!(partial.initialised, ["transformer.h.0.mlp.c_fc.weight", "transformer.ln_f.bias"]);
    assert_eq!(partial.unused, ["transformer.score.weight"]);
    let (found, expected) = (bits(&imported.network), bits(&network));
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        let is_fresh = name.ends_with("up/weight") || name == "layers/2/norm/bias";
        assert_eq!(found == expected, !is_fresh, "{name}");
    }
    assert_eq!(bits(&read_partial(directory.path(), 5).unwrap().0.network), found);
    set(directory.path(), "n_layer", json!(256));
    set(directory.path(), "n_inner", json!(100_000));
    set(directory.path(), "n_embd", json!(16_000));
    let error = read_partial(directory.path(), 5).unwrap_err().to_string();
    assert!(error.contains("too few would be left"), "{error}");
}

#[test]
fn a_directory_appears_as_a_whole_or_not_at_all() {
    let (directory, network, tokenizer) = directory(&gpt2(1, 2, 8));
    let error = write(directory.path(), &network, &tokenizer).unwrap_err().to_string();
    assert!(error.contains("there is something in the directory"), "{error}");
    let path = directory.path().join("new");
    let refused = |network: &Network| write(&path, network, &tokenizer).unwrap_err().to_string();
    assert!(refused(&crate::formats::networks::network(&gpt2(1, 2, 8), 5, 1)).contains("has 283 tokens"));
    let other =
        crate::formats::networks::network(&crate::formats::networks::rustgpt(1, 8), tokenizer.len(), 1);
    assert!(refused(&other).contains("`layers/3/norm`"));
    assert!(!path.exists());
    write(&path, &network, &tokenizer).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    let expected = [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    assert_eq!(files, expected);
}

#[test]
fn torn_and_changed_parameters_are_refused() {
    let (directory, ..) = directory(&gpt2(1, 1, 1));
    let path = directory.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let read = |_: &Path| read(directory.path()).map(drop);
    hostile::torn(&path, &bytes, read);
    hostile::longer(&path, &bytes, read);
    hostile::changed(&path, &bytes, read);
    hostile::changed(&path, &bytes, |_| read_partial(directory.path(), 1).map(drop));
    std::fs::write(&path, &bytes).unwrap();
    let path = directory.path().join("config.json");
    let bytes = std::fs::read(&path).unwrap();
    hostile::changed(&path, &bytes, read);
}

/// The tokenizer of a directory.
fn tokenizer_in(path: &Path) -> Tokenizer {
    match read(path).unwrap().vocabulary {
        Some(ImportedVocabulary::Tokenizer(tokenizer)) => tokenizer,
        other => panic!("{other:?}"),
    }
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_tokens_that_the_files_name_are_kept_through_import_and_export() {
    let (directory, network, tokenizer) = directory(&ModelConfig { attention_biases: true, ..gpt2(1, 2, 8) });
    let path = directory.path();
    let settings = json!({
        "bos_token": { "content": "<|endoftext|>" }, "eos_token": "b", "unk_token": "<|endoftext|>",
        "pad_token": null, "chat_template": "{{ messages }}",
    });
    std::fs::write(path.join("tokenizer_config.json"), settings.to_string()).unwrap();
    // The config only fills what the other files leave open.
    set(path, "pad_token_id", json!(97));
    let imported = read(path).unwrap();
    assert!(imported.warnings.iter().any(|warning| warning.contains("chat template is kept")));
    let read_tokenizer = tokenizer_in(path);
    assert_eq!(read_tokenizer.encode_ordinary(b"ab"), tokenizer.encode_ordinary(b"ab"));
    let again = path.join("again");
    write(&again, &network, &read_tokenizer).unwrap();
    let written = json_of(&again.join("tokenizer_config.json"));
    assert_eq!(
        (&written["bos_token"], &written["eos_token"], &written["unk_token"], &written["pad_token"]),
        (&json!("<|endoftext|>"), &json!("b"), &json!("<|endoftext|>"), &json!("a"))
    );
    assert_eq!(written["chat_template"], "{{ messages }}");
    let config = json_of(&again.join("config.json"));
    assert_eq!((&config["bos_token_id"], &config["pad_token_id"]), (&json!(282), &json!(97)));
    assert_eq!(tokenizer_in(&again).conventions(), read_tokenizer.conventions());
}

#[test]
fn a_model_of_dialogues_is_written_with_its_chat_template() {
    let tokenizer = byte_pairs().with_special_tokens(&SPECIAL_TOKENS).unwrap();
    let network = network(&gpt2(1, 2, 8), tokenizer.len(), 9);
    let directory = tempfile::tempdir().unwrap();
    let warnings = write(directory.path(), &network, &tokenizer).unwrap();
    assert!(warnings.iter().all(|warning| !warning.contains("chat template")), "{warnings:?}");
    let written = json_of(&directory.path().join("tokenizer_config.json"));
    assert!(written["chat_template"].as_str().unwrap().contains("add_generation_prompt"));
    // An answer ends where a turn does, not only where a text does.
    let generation = json_of(&directory.path().join("generation_config.json"));
    assert_eq!(generation["eos_token_id"], json!([282, 285]));
    let imported = read(directory.path()).unwrap();
    assert!(imported.warnings.iter().all(|warning| !warning.contains("chat template")));
    let base = byte_pairs();
    let plain = crate::formats::networks::network(&gpt2(1, 2, 8), base.len(), 9);
    let warnings = write(&directory.path().join("base"), &plain, &base).unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("no chat template is written")));
}

#[test]
fn what_a_tokenizer_puts_around_a_text_is_kept() {
    let (directory, network, _) = directory(&ModelConfig { attention_biases: true, ..gpt2(1, 2, 8) });
    let path = directory.path().join("tokenizer.json");
    let mut file = json_of(&path);
    file["post_processor"] =
        json!({ "type": "RobertaProcessing", "cls": ["<|endoftext|>", 282], "sep": ["a", 97] });
    std::fs::write(&path, file.to_string()).unwrap();
    let tokenizer = tokenizer_in(directory.path());
    assert_eq!(tokenizer.framed(tokenizer.encode(b"b")), [282, 98, 97]);
    let again = directory.path().join("again");
    write(&again, &network, &tokenizer).unwrap();
    assert_eq!(json_of(&again.join("tokenizer.json"))["post_processor"]["type"], "TemplateProcessing");
    assert_eq!(tokenizer_in(&again).frame(), tokenizer.frame());
}

#[test]
fn vocab_json_and_merges_txt_make_the_tokenizer() {
    let (directory, _, tokenizer) = directory(&ModelConfig { attention_biases: true, ..gpt2(1, 2, 8) });
    let path = directory.path();
    let file = json_of(&path.join("tokenizer.json"));
    std::fs::remove_file(path.join("tokenizer.json")).unwrap();
    let without = read(path).unwrap();
    assert!(without.vocabulary.is_none());
    assert!(without.warnings.iter().any(|warning| warning.contains("neither tokenizer.json nor vocab.json")));
    std::fs::write(path.join("vocab.json"), file["model"]["vocab"].to_string()).unwrap();
    let lines = file["model"]["merges"].as_array().unwrap().iter();
    let lines: Vec<String> =
        lines.map(|pair| format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    std::fs::write(path.join("merges.txt"), format!("#version: 0.2\n{}\n", lines.join("\n"))).unwrap();
    std::fs::write(path.join("added_tokens.json"), r#"{"<|endoftext|>": 282}"#).unwrap();
    let text = "the cat ran to the café<|endoftext|>";
    assert_eq!(tokenizer_in(path).encode(text.as_bytes()), tokenizer.encode(text.as_bytes()));
    let model = LanguageModel::from_file(path).unwrap();
    assert_eq!(model.tokenizer().encode(text.as_bytes()), tokenizer.encode(text.as_bytes()));
    let settings = json!({ "bos_token": "<|endoftext|>", "add_bos_token": true, "add_prefix_space": true });
    std::fs::write(path.join("tokenizer_config.json"), settings.to_string()).unwrap();
    let tokenizer = tokenizer_in(path);
    assert_eq!(tokenizer.frame().before, [282]);
    assert_eq!(tokenizer.encode(b"the"), tokenizer.encode(b" the"));
}

#[test]
fn a_tokenizer_of_another_model_is_refused_and_padding_is_said() {
    let (directory, ..) = directory(&ModelConfig { attention_biases: true, ..gpt2(1, 2, 8) });
    let path = directory.path();
    let grow = |rows: usize| {
        set(path, "vocab_size", json!(rows));
        rewrite(path, |tensors| {
            for name in ["transformer.wte.weight", "lm_head.weight"] {
                let (_, shape, bytes) = tensors.get_mut(name).unwrap();
                *shape = vec![rows, 8];
                bytes.resize(rows * 8 * 4, 0);
            }
        });
    };
    grow(512);
    let (model, notes) = LanguageModel::from_file_with_warnings(path).unwrap();
    assert_eq!(model.network.vocabulary(), 283);
    assert!(notes[0].contains("the rows 283 to 511 are left out"), "{notes:?}");
    grow(1027);
    let error = LanguageModel::from_file(path).unwrap_err().to_string();
    assert!(error.contains("283 tokens, but the network has rows for 1027"), "{error}");
    grow(200);
    let error = LanguageModel::from_file(path).unwrap_err().to_string();
    assert!(error.contains("283 tokens, but the network has rows for 200"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn any_network_comes_back_to_the_bit(one in any_gpt2()) {
        let text = "ab".repeat(9);
        let tokenizer = Tokenizer::train_byte_pair(text.as_bytes(), 256).unwrap();
        let mut large = one.clone();
        let mut grown = rekindle::Matrix::zeros(tokenizer.len(), one.width());
        for (number, old) in grown.as_mut_slice().iter_mut().zip(one.token_embedding.as_slice().iter().cycle()) {
            *number = *old;
        }
        large.token_embedding = grown.clone();
        if let Some(output) = &mut large.output {
            output.weight = grown;
        }
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &large, &tokenizer).unwrap();
        let back = read(directory.path()).unwrap().network;
        let is_kept = |(name, _): &(String, Vec<u32>)| !name.contains("attention/joined/bias") && !name.contains("attention/output/bias");
        let kept = |network: &Network| bits(network).into_iter().filter(is_kept).collect::<Vec<_>>();
        prop_assert_eq!(kept(&back), kept(&large));
        prop_assert_eq!(back.output.is_none(), one.output.is_none());
    }
}

/// Writes what `tools/check_hugging_face.py` compares, and prints how to run it:
///
///     cargo test -p rekindle-gpt --test it formats -- --ignored --nocapture for_the_library
#[test]
#[ignore = "writes files for tools/check_hugging_face.py"]
fn for_the_library() {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hugging_face");
    let tokenizer = byte_pairs();
    for (name, tied, attention_biases) in [("untied", false, false), ("tied", true, true)] {
        let shape = ModelConfig { feed_forward: Some(96), context: 32, ..gpt2(3, 4, 32) };
        let network = network(&ModelConfig { tied, attention_biases, ..shape }, tokenizer.len(), 21);
        let path = base.join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&base).unwrap();
        write(&path, &network, &tokenizer).unwrap();
        let prompt =
            |index: u32| (0..3 + 5 * index).map(|i| (i * i * 7 + 31 * index) % 282).collect::<Vec<u32>>();
        let end = tokenizer.len() as u32 - 1;
        let case = |prompt: Vec<u32>| {
            let logits = reference::logits(&network, &prompt);
            json!({ "tokens": prompt, "logits": logits, "greedy": reference::greedy(&network, &prompt, 32, end) })
        };
        let cases: Vec<Value> = (0..5).map(prompt).map(case).collect();
        let text = "the cat ran to the café, and THE dog's mat<|endoftext|> 東京";
        let answers =
            json!({ "cases": cases, "text": text, "text_tokens": tokenizer.encode(text.as_bytes()) });
        let answers_path = base.join(format!("{name}.json"));
        std::fs::write(&answers_path, answers.to_string()).unwrap();
        println!("tools/check_hugging_face.py compare {} {}", path.display(), answers_path.display());
    }
}

/// Reads what `tools/check_hugging_face.py write DIRECTORY ANSWERS.json` wrote; it is given as
/// `CHECK_DIRECTORY` and `CHECK_ANSWERS`.
#[test]
#[ignore = "reads files of tools/check_hugging_face.py"]
fn from_the_library() {
    let [directory, answers] =
        ["CHECK_DIRECTORY", "CHECK_ANSWERS"].map(|name| std::env::var_os(name).unwrap());
    let imported = read(Path::new(&directory)).unwrap();
    let answers: Value = serde_json::from_slice(&std::fs::read(answers).unwrap()).unwrap();
    for case in answers["cases"].as_array().unwrap() {
        let tokens: Vec<u32> = serde_json::from_value(case["tokens"].clone()).unwrap();
        let logits: Vec<Vec<f64>> = serde_json::from_value(case["logits"].clone()).unwrap();
        let found = reference::logits(&imported.network, &tokens);
        let difference = largest_difference(&found.concat(), &logits.concat());
        println!("largest difference of scores {difference:e}");
        assert!(difference < 1e-4);
    }
    let Some(ImportedVocabulary::Tokenizer(tokenizer)) = imported.vocabulary else { panic!() };
    let tokens: Vec<u32> = serde_json::from_value(answers["text_tokens"].clone()).unwrap();
    assert_eq!(tokenizer.encode(answers["text"].as_str().unwrap().as_bytes()), tokens);
}
