//! GGUF.

use std::path::Path;

use rekindle_gpt::formats::gguf::{Quantization, write};
use rekindle_gpt::formats::{SpecialTokens, hugging_face};
use rekindle_gpt::model::ModelConfig;
use rekindle_tokenizer::Tokenizer;

use crate::formats::networks::{byte_pairs, gpt2, network, rustgpt};

#[test]
fn the_head_is_that_of_version_3_and_tensors_are_aligned() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let tokenizer = byte_pairs();
    let model = ModelConfig { feed_forward: Some(64), ..gpt2(1, 2, 32) };
    let one = network(&model, tokenizer.len(), 2);
    let mut lengths = Vec::new();
    for quantization in [Quantization::F32, Quantization::F16, Quantization::Q8] {
        let warnings = write(&path, &one, &tokenizer, SpecialTokens::of(&tokenizer), quantization).unwrap();
        assert!(warnings.is_empty());
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..8], b"GGUF\x03\0\0\0");
        // Two embeddings, twelve arrays of the block, two of the last normalisation, the output.
        assert_eq!(bytes[8], 17);
        assert_eq!(bytes.len() % 32, 0);
        lengths.push(bytes.len());
    }
    assert!(lengths[1] * 10 < lengths[0] * 7 && lengths[2] < lengths[1]);
}

#[test]
fn what_readers_would_not_understand_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let tokenizer = byte_pairs();
    let special = SpecialTokens::default();
    let refused = |network: &_, tokenizer: &_, quantization| {
        write(&path, network, tokenizer, special, quantization).unwrap_err().to_string()
    };
    let mut one = network(&gpt2(1, 2, 32), tokenizer.len(), 2);
    let words = Tokenizer::train_words(b"a b c", 4).unwrap();
    assert!(refused(&one, &words, Quantization::F32).contains("only byte pairs"));
    let small = network(&gpt2(1, 2, 32), 5, 2);
    assert!(refused(&small, &tokenizer, Quantization::F32).contains("has 283 tokens"));
    let other = network(&rustgpt(1, 32), tokenizer.len(), 2);
    assert!(refused(&other, &tokenizer, Quantization::F32).contains("`layers/3/norm`"));
    one.token_embedding.as_mut_slice()[3] = 1e6;
    assert!(
        refused(&one, &tokenizer, Quantization::F16)
            .contains("`token_embedding` has a weight that is too large")
    );
    one.token_embedding.as_mut_slice()[3] = 1e8;
    assert!(refused(&one, &tokenizer, Quantization::Q8).contains("`token_embedding`"));
    assert!(!path.exists());
    let warnings =
        write(&path, &network(&gpt2(1, 2, 8), tokenizer.len(), 2), &tokenizer, special, Quantization::Q8)
            .unwrap();
    assert!(warnings[0].contains("16 bits") && warnings[1].contains("no token ends a text"));
}

/// Writes what `tools/check_gguf.py` compares, and prints how to run it:
///
///     cargo test -p rekindle-gpt --test it formats -- --ignored --nocapture for_gguf_py
#[test]
#[ignore = "writes files for tools/check_gguf.py"]
fn for_gguf_py() {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gguf");
    let tokenizer = byte_pairs();
    let special = SpecialTokens::of(&tokenizer);
    let _ = std::fs::remove_dir_all(&base);
    std::fs::create_dir_all(&base).unwrap();
    for (name, tied, inner) in [("untied", false, 96), ("tied", true, 100)] {
        let shape = ModelConfig { feed_forward: Some(inner), context: 32, ..gpt2(2, 4, 64) };
        let network = network(&ModelConfig { tied, attention_biases: tied, ..shape }, tokenizer.len(), 21);
        let directory = base.join(name);
        hugging_face::write(&directory, &network, &tokenizer, special).unwrap();
        for (quantization, ending) in
            [(Quantization::F32, "f32"), (Quantization::F16, "f16"), (Quantization::Q8, "q8_0")]
        {
            let path = base.join(format!("{name}-{ending}.gguf"));
            write(&path, &network, &tokenizer, special, quantization).unwrap();
            println!("tools/check_gguf.py {} {}", path.display(), directory.display());
        }
    }
}
