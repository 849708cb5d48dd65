//! GGUF.

use std::path::Path;

use rekindle_gpt::LanguageModel;
use rekindle_gpt::data::SPECIAL_TOKENS;
use rekindle_gpt::formats::gguf::{Quantization, read, write};
use rekindle_gpt::formats::{Imported, ImportedVocabulary, ModelFormat, detect, hugging_face};
use rekindle_gpt::model::{ModelConfig, Network};
use rekindle_tokenizer::{Conventions, Frame, Tokenizer};

use crate::formats::networks::{byte_pairs, gpt2, network, rustgpt};
use crate::formats::{hostile, reference};

#[test]
fn the_head_is_that_of_version_3_and_tensors_are_aligned() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let tokenizer = byte_pairs();
    let model = ModelConfig { feed_forward: Some(64), ..gpt2(1, 2, 32) };
    let one = network(&model, tokenizer.len(), 2);
    let mut lengths = Vec::new();
    for quantization in [Quantization::F32, Quantization::F16, Quantization::Q8] {
        let warnings = write(&path, &one, &tokenizer, quantization).unwrap();
        assert_eq!(warnings.len(), 1, "only that it learnt no dialogues: {warnings:?}");
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
    let refused = |network: &_, tokenizer: &_, quantization| {
        write(&path, network, tokenizer, quantization).unwrap_err().to_string()
    };
    let mut one = network(&gpt2(1, 2, 32), tokenizer.len(), 2);
    let words = Tokenizer::train_words(b"a b c", 4).unwrap();
    assert!(refused(&one, &words, Quantization::F32).contains("only byte pairs"));
    let whole = Tokenizer::train_words_and_bytes(b"a b c b c", 258).unwrap();
    assert!(refused(&one, &whole, Quantization::F32).contains("whole words before it merges"));
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
    // Nothing is said of the use of its tokens.
    let tokenizer = tokenizer.with_conventions(Conventions::default());
    let small = network(&gpt2(1, 2, 8), tokenizer.len(), 2);
    let warnings = write(&path, &small, &tokenizer, Quantization::Q8).unwrap();
    assert!(warnings[0].contains("16 bits") && warnings[1].contains("no token ends a text"));
}

/// What a file of a network holds, read.
fn written(path: &Path, network: &Network, tokenizer: &Tokenizer, quantization: Quantization) -> Imported {
    write(path, network, tokenizer, quantization).unwrap();
    read(path).unwrap()
}

fn tokenizer_of(imported: &Imported) -> &Tokenizer {
    match &imported.vocabulary {
        Some(ImportedVocabulary::Tokenizer(tokenizer)) => tokenizer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_written_comes_back_within_its_precision() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let tokenizer = byte_pairs().with_special_tokens(&SPECIAL_TOKENS).unwrap();
    for (tied, attention_biases) in [(false, true), (true, false)] {
        let model = ModelConfig { feed_forward: Some(64), tied, attention_biases, ..gpt2(2, 2, 32) };
        let one = network(&model, tokenizer.len(), 2);
        let expected = reference::logits(&one, &[1, 99, 283, 4]);
        for (quantization, limit) in
            [(Quantization::F32, 0.0), (Quantization::F16, 0.02), (Quantization::Q8, 0.3)]
        {
            let imported = written(&path, &one, &tokenizer, quantization);
            let found = reference::logits(&imported.network, &[1, 99, 283, 4]);
            let pairs = found.iter().flatten().zip(expected.iter().flatten());
            let largest = pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
            assert!(largest <= limit, "{quantization:?}: {largest}");
            assert_eq!(imported.network.output.is_none(), tied);
            let back = tokenizer_of(&imported);
            assert_eq!(back.to_hugging_face().unwrap(), tokenizer.to_hugging_face().unwrap());
            assert_eq!(back.conventions().unwrap().eos.as_deref(), Some("<|endoftext|>"));
            // Its template is the one that is written for these tokens.
            assert_eq!(back.conventions().unwrap().chat_template, None);
        }
        let again = directory.path().join("again.gguf");
        let imported = written(&path, &one, &tokenizer, Quantization::F16);
        write(&again, &imported.network, tokenizer_of(&imported), Quantization::F16).unwrap();
        assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&path).unwrap());
    }
}

#[test]
fn the_use_of_tokens_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let conventions = Conventions {
        bos: Some("the".to_owned()),
        eos: Some("<|endoftext|>".to_owned()),
        unknown: None,
        pad: Some("<|endoftext|>".to_owned()),
        chat_template: Some("{{ bos_token }}".to_owned()),
    };
    let plain = byte_pairs().with_special_tokens(&["the"]).unwrap();
    let the = plain.token_of(b"the").unwrap();
    let frame = Frame { before: vec![the], after: Vec::new() };
    let tokenizer = plain.with_conventions(conventions).with_frame(frame).unwrap();
    let one = network(&gpt2(1, 2, 8), tokenizer.len(), 2);
    let imported = written(&path, &one, &tokenizer, Quantization::F32);
    let back = tokenizer_of(&imported);
    assert_eq!((back.conventions(), back.frame()), (tokenizer.conventions(), tokenizer.frame()));
    assert!(imported.warnings.iter().any(|warning| warning.contains("chat template is kept")));
    // What the format cannot say is said.
    let twice = tokenizer.with_frame(Frame { before: vec![the, the], after: Vec::new() }).unwrap();
    let warnings = write(&path, &one, &twice, Quantization::F32).unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("puts around a text are not written")));
}

#[test]
fn rows_that_stand_for_no_token_are_left_out_with_a_word() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let tokenizer = byte_pairs();
    write(&path, &network(&gpt2(1, 2, 8), 288, 2), &tokenizer, Quantization::F32).unwrap();
    let (model, notes) = LanguageModel::from_file_with_warnings(&path).unwrap();
    assert_eq!(model.network.vocabulary(), 283);
    assert!(notes[0].contains("the rows 283 to 287 are left out"), "{notes:?}");
}

/// A file with one value of its metadata or of a tensor changed, found by the bytes before it.
fn with_bytes(bytes: &[u8], behind: &[u8], offset: usize, new: &[u8]) -> Vec<u8> {
    let place = bytes.windows(behind.len()).position(|window| window == behind).unwrap();
    let start = place + behind.len() + offset;
    [&bytes[..start], new, &bytes[start + new.len()..]].concat()
}

#[test]
fn what_is_wrong_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let tokenizer = byte_pairs();
    write(&path, &network(&gpt2(1, 2, 32), tokenizer.len(), 2), &tokenizer, Quantization::Q8).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let u32 = |number: u32| number.to_le_bytes();
    // Behind its name, a value has four bytes of its type, a text eight more of its length; a tensor four of its
    // dimensions and eight for each.
    for (behind, offset, new, expected) in [
        (
            "general.architecture",
            12,
            &b"gptx"[..],
            "the architecture `gptx`, which is not supported: only `gpt2`",
        ),
        ("tokenizer.ggml.model", 12, b"bert", "the tokenizer `bert`"),
        ("tokenizer.ggml.pre", 12, b"llama", "text cut as `llama` does"),
        ("gpt2.block_count", 4, &u32(2), "has no `blk.1.attn_norm.weight`"),
        ("gpt2.block_count", 4, &u32(0), "`model.layers` is 0"),
        ("gpt2.block_count", 0, &u32(6), "it must be a whole number"),
        ("gpt2.attention.head_count", 4, &u32(5), "`model.heads` is 5"),
        ("gpt2.embedding_length", 4, &u32(64), "283 x 64 is what the metadata ask for"),
        ("gpt2.context_length", 4, &u32(1 << 31), "`model.context` is 2147483648"),
        ("general.alignment", 4, &u32(24), "a power of two"),
        (
            "blk.0.attn_qkv.weight",
            20,
            &u32(12),
            "`blk.0.attn_qkv.weight` of type Q4_K, which is not supported",
        ),
        ("blk.0.attn_qkv.weight", 24, &u32(8), "tensors begin at multiples of 32"),
        ("blk.0.attn_qkv.weight", 28, &u32(1), "tensor `blk.0.attn_qkv.weight`"),
        ("GGUF", 0, &u32(1), "version 1 of GGUF"),
        ("GGUF", 0, &u32(3 << 24), "most significant byte first"),
        ("GGUF", 4, &[0xff; 8], "bytes"),
    ] {
        std::fs::write(&path, with_bytes(&bytes, behind.as_bytes(), offset, new)).unwrap();
        let error = match read(&path) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{behind} at {offset} was read"),
        };
        assert!(error.contains(expected), "{behind}: {error}");
    }
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(detect(&path), Some(ModelFormat::Gguf));
    read(&path).unwrap();
}

#[test]
fn torn_and_changed_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.gguf");
    let tokenizer = Tokenizer::train_byte_pair(b"ab", 256).unwrap();
    write(&path, &network(&gpt2(1, 1, 2), tokenizer.len(), 5), &tokenizer, Quantization::F16).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let read = |path: &Path| read(path).map(drop);
    hostile::torn(&path, &bytes, read);
    hostile::changed(&path, &bytes, read);
}

/// Writes what `tools/check_gguf.py` compares, and prints how to run it:
///
///     cargo test -p rekindle-gpt --test it formats -- --ignored --nocapture for_gguf_py
#[test]
#[ignore = "writes files for tools/check_gguf.py"]
fn for_gguf_py() {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gguf");
    let tokenizer = byte_pairs();
    let _ = std::fs::remove_dir_all(&base);
    std::fs::create_dir_all(&base).unwrap();
    for (name, tied, inner) in [("untied", false, 96), ("tied", true, 100)] {
        let shape = ModelConfig { feed_forward: Some(inner), context: 32, ..gpt2(2, 4, 64) };
        let network = network(&ModelConfig { tied, attention_biases: tied, ..shape }, tokenizer.len(), 21);
        let directory = base.join(name);
        hugging_face::write(&directory, &network, &tokenizer).unwrap();
        for (quantization, ending) in
            [(Quantization::F32, "f32"), (Quantization::F16, "f16"), (Quantization::Q8, "q8_0")]
        {
            let path = base.join(format!("{name}-{ending}.gguf"));
            write(&path, &network, &tokenizer, quantization).unwrap();
            println!("tools/check_gguf.py {} {}", path.display(), directory.display());
        }
    }
}
