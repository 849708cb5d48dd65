//! LOPOS.

use std::path::Path;

use proptest::prelude::*;
use rekindle_gpt::formats::lopos::{
    Checksum, Version, read, read_vocabulary, read_with_vocabulary, write, write_vocabulary,
};
use rekindle_gpt::formats::{ImportedVocabulary, ModelFileError, ModelFormat, detect};
use rekindle_gpt::model::ModelConfig;
use serde_json::Value;

use crate::formats::hostile;
use crate::formats::networks::{any_gpt2, bits, gpt2, largest_difference, network, rustgpt, samples};
use crate::formats::reference;

const VERSIONS: [Version; 3] =
    [Version::LoopOs, Version::Named(Checksum::Crc32), Version::Named(Checksum::Sha256)];

fn error(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    read(path).unwrap_err().to_string()
}

#[test]
fn a_file_of_the_original_answers_as_it_does_there() {
    let Some(samples) = samples("loopos") else { return };
    let expected: Value =
        serde_json::from_slice(&std::fs::read(samples.join("expected.json")).unwrap()).unwrap();
    let imported =
        read_with_vocabulary(&samples.join("small.lopos"), Some(&samples.join("tokenizer.vocab"))).unwrap();
    assert!(imported.warnings.iter().any(|note| note.contains("no checksum")));
    for case in expected["small"]["cases"].as_array().unwrap() {
        let tokens: Vec<u32> = serde_json::from_value(case["token_ids"].clone()).unwrap();
        let logits: Vec<Vec<f64>> = serde_json::from_value(case["logits"].clone()).unwrap();
        let found = reference::logits(&imported.network, &tokens);
        let difference = largest_difference(&found.concat(), &logits.concat());
        println!("LoopOS: largest difference of scores {difference:e}");
        assert!(difference < 1e-4);
        let greedy: Vec<u32> = serde_json::from_value(case["greedy_generate_max_length_16"].clone()).unwrap();
        // The first three tokens are the prompt.
        assert_eq!(reference::greedy(&imported.network, &tokens[..3], greedy.len(), 0), greedy);
    }
    let planned = read(&samples.join("small_plan.lopos")).unwrap();
    assert_eq!(bits(&planned.network), bits(&imported.network));
    assert!(!planned.warnings.iter().any(|note| note.contains("no checksum")));
    let Some(ImportedVocabulary::Words { words, lower_case: true, unknown: Some(1) }) = imported.vocabulary
    else {
        panic!()
    };
    assert_eq!((words.len(), &*words[20], &*words[24]), (100, "café", "<unused-24>"));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("again.lopos");
    write(&path, &imported.network, Version::LoopOs).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(samples.join("small.lopos")).unwrap());
}

#[test]
fn odd_files_that_the_original_takes_are_refused() {
    let Some(samples) = samples("loopos") else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("odd.lopos");
    let whole = std::fs::read(samples.join("small.lopos")).unwrap();
    let trailing = error(&path, &[&whole[..], b"garbage"].concat());
    assert!(trailing.contains("something stands behind its end"), "{trailing}");
    let torn = error(&path, &whole[..whole.len() - 1000]);
    assert!(torn.contains("torn"), "{torn}");
    let mut other = whole.clone();
    other[5] = 99;
    assert!(error(&path, &other).contains("is of version 99"));
    let mut plan = std::fs::read(samples.join("small_plan.lopos")).unwrap();
    plan[5000] ^= 1;
    assert!(error(&path, &plan).contains("CRC-32"));
}

/// A file in the layout of the plan, from one that has the same matrices with their extents.
fn planned(shipped: &[u8], extents: &[(usize, usize)], checksum: Checksum) -> Vec<u8> {
    let mut bytes = shipped[..33].to_vec();
    let mut offset = 33;
    for (rows, columns) in extents {
        bytes.extend(&shipped[offset + 8..][..4 * rows * columns]);
        offset += 8 + 4 * rows * columns;
    }
    assert_eq!(offset, shipped.len());
    match checksum {
        Checksum::Crc32 => {
            let mut sum = flate2::Crc::new();
            sum.update(&bytes);
            bytes.extend(sum.sum().to_le_bytes());
        }
        Checksum::Sha256 => {
            let sum = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
            bytes.extend(sum);
        }
    }
    bytes
}

#[test]
fn both_checksums_of_the_plan_are_enforced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.lopos");
    let model = ModelConfig { feed_forward: Some(32), context: 16, ..gpt2(1, 2, 8) };
    let one = network(&model, 100, 3);
    write(&path, &one, Version::LoopOs).unwrap();
    let shipped = std::fs::read(&path).unwrap();
    // The check value of the format's description.
    assert_eq!(shipped.len(), 10_489);
    let mut extents = vec![(100, 8), (16, 8), (8, 24), (8, 8), (8, 32), (1, 32), (32, 8), (1, 8)];
    extents.extend([(1, 8); 6]);
    extents.push((8, 100));
    for checksum in [Checksum::Crc32, Checksum::Sha256] {
        let mut bytes = planned(&shipped, &extents, checksum);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(bits(&read(&path).unwrap().network), bits(&one));
        bytes[4000] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(read(&path), Err(ModelFileError::Checksum { .. })));
    }
}

#[test]
fn named_matrices_begin_at_multiples_of_64_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.lopos");
    let one = network(&gpt2(1, 2, 8), 11, 4);
    write(&path, &one, Version::Named(Checksum::Sha256)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(&bytes[..9], b"LOPOS\x02\0\0\0");
    // The first entry: length of the name, the name, rows, columns, offset.
    assert_eq!(&bytes[34..45], b"\x09\0token_emb");
    let offset = u64::from_le_bytes(*bytes[53..].first_chunk().unwrap()) as usize;
    assert_eq!(offset % 64, 0);
    let first = f32::from_le_bytes(*bytes[offset..].first_chunk().unwrap());
    assert_eq!(first, one.token_embedding.as_slice()[0]);
    assert_eq!(detect(&path), Some(ModelFormat::Lopos));
}

#[test]
fn what_loopos_does_not_have_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.lopos");
    let refused = |one| write(&path, &one, Version::LoopOs).unwrap_err().to_string();
    let biased = network(&ModelConfig { attention_biases: true, ..gpt2(1, 2, 8) }, 11, 4);
    assert!(refused(biased).contains("`layers/0/attention/joined/bias` is not zero"));
    let other = network(&rustgpt(1, 8), 11, 4);
    assert!(refused(other).contains("`layers/3/norm` must normalise"));
    assert!(!path.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_network_comes_back_to_the_bit(mut one in any_gpt2()) {
        for (name, _, array) in one.arrays_mut() {
            if name.ends_with("attention/joined/bias") || name.ends_with("attention/output/bias") {
                array.fill(0.0);
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lopos");
        for version in VERSIONS {
            write(&path, &one, version).unwrap();
            let back = read(&path).unwrap().network;
            let expected: Vec<_> = bits(&one).into_iter()
                .filter(|(name, _)| !name.contains("attention/joined/bias") && !name.contains("attention/output/bias"))
                .collect();
            let found = bits(&back);
            prop_assert_eq!(&found[..expected.len()], &expected[..]);
            prop_assert_eq!(back.output_weight(), one.output_weight());
        }
    }
}

#[test]
fn torn_and_changed_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.lopos");
    let one = network(&gpt2(1, 1, 2), 3, 5);
    for version in VERSIONS {
        write(&path, &one, version).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        hostile::torn(&path, &bytes, |path| read(path).map(drop));
        let changed = hostile::changed(&path, &bytes, |path| read(path).map(drop));
        if version != Version::LoopOs {
            assert_eq!(changed, 0, "a change was not seen");
        }
        hostile::longer(&path, &bytes, |path| read(path).map(drop));
    }
}

#[test]
fn absurd_extents_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.lopos");
    for version in [1_u32, 2] {
        for extents in
            [[1 << 24; 6], [1, 1, 1 << 24, 1, 1, 1], [i32::MAX as u32; 6], [0; 6], [7, 2, 1, 1, 1, 1]]
        {
            let mut bytes = b"LOPOS".to_vec();
            bytes.extend(version.to_le_bytes());
            bytes.extend(extents.iter().flat_map(|extent: &u32| extent.to_le_bytes()));
            bytes.extend([1; 100]);
            let error = error(&path, &bytes);
            assert!(error.contains("header"), "{error}");
        }
    }
}

#[test]
fn words_go_out_and_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vocab");
    let words: Vec<String> = ["<pad>", "<unk>", "the", "café", "'"].map(str::to_owned).to_vec();
    write_vocabulary(&path, &words).unwrap();
    assert_eq!(read_vocabulary(&path).unwrap(), words);
    let network_path = directory.path().join("a.lopos");
    write(&network_path, &network(&gpt2(1, 1, 2), 5, 6), Version::LoopOs).unwrap();
    let imported = read(&network_path).unwrap();
    let expected = ImportedVocabulary::Words { words: words.clone(), lower_case: true, unknown: Some(1) };
    assert_eq!(imported.vocabulary, Some(expected));
    let error = |text: &str| {
        std::fs::write(&path, text).unwrap();
        read_vocabulary(&path).unwrap_err().to_string()
    };
    assert!(error("vocab_size=2\n").contains("---"));
    assert!(error("vocab_size=x\n---\n").contains("line 1"));
    assert!(error("---\n0 a\n").contains("line 2"));
    assert!(error("---\n0\ta\n0\tb\n").contains("line 3"));
    assert!(error("---\n1\ta\n").contains("token 0"));
    assert!(error("---\n4000000000\ta\n").contains("not so many"));
    assert!(error("vocab_size=3\n---\n0\ta\n").contains("says 3"));
    assert!(write_vocabulary(&path, &["a\tb".to_owned()]).is_err());
}
