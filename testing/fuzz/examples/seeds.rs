//! Writes the seeds of the fuzz targets: `cargo run --example seeds`, in `fuzz/`.

#![allow(clippy::disallowed_methods, reason = "inputs and seeds are files")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use rekindle::records::{About, Row, Schema, StoredSignature};
use rekindle::storage::MemoryStorage;
use rekindle::tree::{Array, DType, Scalar, state_hash};
use rekindle::{Compression, EntryPath, Hash, Node, RunOptions, Store, Tree, Writer};
use rekindle_cascor::{Cascor, Dataset};
use rekindle_formats::FORMATS;
use rekindle_formats::table::{Column, Table, Values};
use rekindle_fuzz::{Chunk, Objects, identity, pack, record};
use rekindle_gpt::data::SPECIAL_TOKENS;
use rekindle_gpt::formats::gguf::{self, Quantization};
use rekindle_gpt::formats::hugging_face;
use rekindle_gpt::formats::lopos::{self, Checksum, Version};
use rekindle_gpt::formats::rustgpt::{self, Encoding};
use rekindle_gpt::model::{Block, Network, Sampling};
use rekindle_gpt::train::Optimizer;
use rekindle_keys::{Identities, Recipients, SigningKey, Unlock, unwrap_key, wrap_key};
use rekindle_logic::{HardCircuit, Model, State, presets};
use rekindle_reason::syntax::parse;
use rekindle_reason::{Auto, Budget, FactCache, Knowledge};
use rekindle_tokenizer::Tokenizer;
use rekindle_train::{ConfigOf, ConfigText, Family, TrainingState};
use rekindle_wisard::Wisard;
use rekindle_wnn::Wnn;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let memory = MemoryStorage::new();
    write_run(&memory)?;
    let objects = memory.to_objects();
    packs(&objects)?;
    nodes()?;
    codecs(&objects)?;
    sealed(&objects)?;
    histories()?;
    files(memory)?;
    keys()?;
    texts()?;
    systems()?;
    models()?;
    knowledge()?;
    for (number, seed) in [&[10, 0, 2, 60, 0][..], &[4, 255, 3, 9, 0]].iter().enumerate() {
        let pattern: Vec<u8> = (0..120u32).map(|i| (i * i % 251) as u8).collect();
        write("save", &number.to_string(), &[seed, pattern.as_slice()].concat())?;
    }
    Ok(())
}

fn knowledge() -> Outcome {
    write("statements", "rule", b"p(f(a), 'b c')\nforall x y. p(x, y) & ~(x = y) => exists z. q(z) <-> r\n(lambda x. s(x))(a)\n")?;
    write("english", "people", b"Anne is kind. If someone is kind and not big then they like the cat.\nAll round, big people are nice.\n")?;
    write("dimacs", "contradiction", b"c small\np cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0 -1 -2 0\n")?;
    write("tptp", "theorem", b"% Status : Theorem\nfof(a, axiom, ! [X] : (p(X) => q(f(X), b))).\ncnf(b, axiom, p(a) | ~ r).\nfof(c, conjecture, ? [X] : q(X, b)).\n")?;
    write("smtlib", "swaps", b"(declare-sort U 0)(declare-const a U)(declare-fun f (U) U)(assert (let ((x (f a))) (= x a)))(assert (forall ((y U)) (distinct y a)))\n")?;
    let knowledge = Knowledge::parse("kind(anne)\nforall x. kind(x) implies round(x)\nbig(bob) or big(anne)\n")?;
    let mut facts = FactCache::default();
    for goal in ["round(anne)", "big(anne)", "exists x. big(x)"] {
        facts.prove(&mut Auto::built_in(), &parse(goal)?, &knowledge, Budget::default())?;
    }
    write("facts", "three", &serde_json::to_vec(&facts)?)
}

fn write(target: &str, name: &str, bytes: &[u8]) -> Outcome {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&dir)?;
    Ok(fs::write(dir.join(name), bytes)?)
}

/// A state with a node of every kind.
fn state(step: u64) -> Result<Tree, Box<dyn Error>> {
    let weights = (0..600u32).flat_map(|i| ((i as f32).sin() + step as f32 * 1e-4).to_le_bytes()).collect();
    let wires = (0..2000u32).map(|i| (i * 7 % 10) as u8 + step as u8 % 2).collect();
    let small = Array::new(DType::U16, vec![2], vec![1, 2, 3, 4])?;
    let scalars =
        [Scalar::I64(-5), Scalar::F64(0.1), Scalar::Char('é'), Scalar::Bool(true), Scalar::U128(1 << 90)];
    let map = BTreeMap::from([(1u32, 2u8), (3, 4)]);
    let map = map.into_iter().map(|(key, value)| (Scalar::U32(key), Node::Scalar(Scalar::U8(value))));
    let field = |name: &str, node| (name.to_owned(), node);
    Ok(Node::Struct(vec![
        field("weights", Node::Array(Array::new(DType::F32, vec![20, 30], weights)?)),
        field("wires", Node::Array(Array::new(DType::U8, vec![2000], wires)?)),
        field("small", Node::Array(small)),
        field("scalars", Node::List(scalars.into_iter().map(Node::Scalar).collect())),
        field("map", Node::Map(map.collect())),
        field("some", Node::Some(Box::new(Node::Null))),
        field("variant", Node::Variant("Adam".to_owned(), Box::new(Node::Null))),
        field("text", Node::Scalar(Scalar::Str("a long text ".repeat(200)))),
    ]))
}

fn write_run(memory: &MemoryStorage) -> Outcome {
    let mut store = Writer::create(Arc::new(memory.clone()), "logic", None, "seeds")?;
    store.set_compression(Compression::Small);
    for step in [6, 7] {
        let mut save = store.save()?;
        let arrays =
            &mut |path: &EntryPath, array: &Array| save.array(path, array.kind().clone(), array.data());
        let stored = state(step)?.try_map_arrays(arrays)?;
        let about = About {
            system: "logic".to_owned(),
            schema: Some(Schema { name: "logic".to_owned(), version: 1 }),
            metrics: BTreeMap::from([("loss".to_owned(), 0.5)]),
            config: serde_json::json!({"model": {"width": 3}}),
            environment: BTreeMap::from([("threads".to_owned(), "2".to_owned())]),
            changes: vec!["a: 1 -> 2".to_owned()],
        };
        let row = Row::from_iter([("loss".to_owned(), serde_json::json!(0.5))]);
        save.commit(step, &stored, about, &[row])?;
    }
    store.set_tag("best-of-all", 7, false)?;
    store.set_note(Some(7), "a note")?;
    let signature = StoredSignature { public_key: "ed25519:00".to_owned(), signature: "00".to_owned() };
    Ok(store.put_signature(7, &signature)?)
}

/// The packs of the run, whole and as a part whose end the target makes good.
fn packs(objects: &Objects) -> Outcome {
    for (number, (_, bytes)) in objects.iter().filter(|(name, _)| name.starts_with("packs/")).enumerate() {
        write("pack", &format!("whole-{number}"), &[&[1], bytes.as_slice()].concat())?;
        let (inside, end) = bytes[8..].split_at(bytes.len() - 48);
        let index_len = u64::from_le_bytes(*end.first_chunk().ok_or("a pack is longer")?) as u16;
        write("pack", &format!("inside-{number}"), &[&[2], &index_len.to_le_bytes()[..], inside].concat())?;
    }
    Ok(())
}

/// One piece of an index node, with its length before it.
fn piece(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_le_bytes()[..], bytes].concat()
}

fn nodes() -> Outcome {
    let array = b"\x03\x05\x01\x80\x08@#\x01";
    let nodes: &[(&str, &[&[u8]])] = &[
        ("scalars", &[b"\x04\x03\x10\x01\x17\x05\x00\x1e\x02\x00\x00\x00\x00\x00\x00\x00ab"]),
        ("inline", &[b"\x02\x0b\x01\x01\x00\x00\x80\x3f"]),
        ("array", &[array]),
        ("boxes", &[b"\x03\x05\x02\x02\x80\x80\x40@#\x02@#\x02"]),
        ("string", &[b"\x08\x80\x80\x40@#\x02"]),
        ("struct", &[b"\x05\x02\x01a\x00\x01b\x01\x00"]),
        ("map", &[b"\x06\x02\x16\x01\x00\x16\x02\x00"]),
        ("variant", &[b"\x07\x04Adam\x09@#\x00"]),
        ("runs", &[b"\x02\x00\x00", b"\x84\x02@#\x03@#\x03"]),
        ("shared", &[b"\x04\x02\x00\x00", b"\x04\x02\x09@#\x03\x09@#\x03", b"\x04\x02\x09@#\x04\x09@#\x04"]),
        ("deep", &[&[0x01; 140]]),
    ];
    for (name, pieces) in nodes {
        let bytes: Vec<u8> = pieces.iter().flat_map(|bytes| piece(bytes)).collect();
        write("index_node", name, &bytes)?;
    }
    Ok(())
}

/// What the engine stored of the state, and a few that it would not write.
fn codecs(objects: &Objects) -> Outcome {
    let mut number = 0;
    for (_, bytes) in objects.iter().filter(|(name, _)| name.starts_with("packs/")) {
        let at = bytes.len() - 40;
        let index_len = u64::from_le_bytes(*bytes[at..].first_chunk().ok_or("a pack is longer")?) as usize;
        let (mut index, mut position) = (&bytes[at - index_len..at], 8);
        while index.len() > 40 {
            let (raw, len) =
                (&index[32..34], u32::from_le_bytes([index[36], index[37], index[38], index[39]]));
            let codec = index[40];
            let stored = &bytes[position..position + len as usize];
            position += len as usize;
            index = &index[41 + 32 * [0, 1, 1, 1, 2, 2, 1, 2][usize::from(codec)]..];
            if codec > 0 {
                write("codecs", &number.to_string(), &[&[codec - 1], raw, &[0, 0], stored].concat())?;
                number += 1;
            }
        }
    }
    // Packed: one value only, so that the radix is 1.
    let packed = [&[2, 64, 0, 0, 0][..], &[5; 8], &[1, 0, 1, 0]].concat();
    write("codecs", "packed-constant", &packed)?;
    let packed = [&[2, 20, 0, 0, 0][..], &[0; 8], &[1, 0, 10, 0], &[9; 16]].concat();
    write("codecs", "packed-digits", &packed)?;
    // A patch: one operation, then differences that are all zero.
    let patch = [&[4, 64, 0, 0, 0][..], &[2, 0, 0, 0], &[0, 2, 0, 0, 0, 64, 0], &[2, 1, 0, 0, 0, 0]].concat();
    write("codecs", "patch", &patch)?;
    // Planes: two of them, one sparse.
    let sparse = [&[0, 1, 0, 0, 0, 3][..], &[0, 2, 0, 0, 0, 7, 8]].concat();
    let planes = [&[1, 16, 0, 0, 0][..], &[0x82], &[2, 1, 0, 0, 0, 9], &[3, 13, 0, 0, 0], &sparse].concat();
    write("codecs", "planes-sparse", &planes)
}

/// The body of sealed JSON: all that the seal covers.
fn body(sealed: &[u8]) -> &[u8] {
    &sealed[..sealed.len() - 82]
}

fn sealed(objects: &Objects) -> Outcome {
    let null = state_hash(&Tree::Null);
    write("commit_record", "null", body(&record(Hash::of(&[0]), null, None)))?;
    write("identity", "null", body(&identity()))?;
    for (name, bytes) in objects {
        let (target, head): (_, &[u8]) = match name.split_once('/').unwrap_or((name, "")) {
            ("rekindle.json", _) => ("identity", b""),
            ("commits", "000000000007.json") => ("commit_record", b""),
            ("refs", _) => ("tag", b"best-of-all\n"),
            ("notes", _) => ("sealed_json", b"\x01"),
            ("signatures", _) => ("sealed_json", b"\x02"),
            _ => continue,
        };
        write(target, "run", &[head, body(bytes)].concat())?;
    }
    let encrypted = br#"{"format": 2, "run": "0123456789abcdef", "created": 1, "sealed": "AAAA""#;
    write("identity", "encrypted", encrypted)?;
    write("sealed_json", "trash", b"\x051700000000\n")
}

fn histories() -> Outcome {
    let row = "{\"step\": 1, \"loss\": 0.5}";
    write("history_segment", "one", format!("{{\"previous\": null}}\n{row}\n").as_bytes())?;
    let two = format!("{{\"previous\": null}}\n{row}\n\n{{\"previous\": \"@#\u{1}\"}}\n{row}\n");
    write("history_segment", "two", two.as_bytes())?;
    let later = format!("{{\"previous\": \"@#\u{0}\"}}\n{row}\n");
    write("history_segment", "before-is-missing", later.as_bytes())
}

fn files(memory: MemoryStorage) -> Outcome {
    let store = Store::open(Arc::new(memory))?;
    let checkpoint = store.checkpoint(7)?;
    let dir = std::env::temp_dir().join(format!("rekindle-seeds-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    for (format, target) in FORMATS.iter().zip(["archive", "safetensors", "json", "json_gz"]) {
        let path = dir.join("file");
        format.write(&checkpoint, &path)?;
        let bytes = fs::read(&path)?;
        let whole: &[u8] = if target == "json" { b"" } else { b"\x01" };
        write(target, "run", &[whole, bytes.as_slice()].concat())?;
        let inside = match target {
            "archive" => {
                let at = bytes.len() - 40;
                [&[0], &bytes[at..at + 2], &bytes[8..at]].concat()
            }
            "safetensors" => [&[0], &bytes[..2], &bytes[8..]].concat(),
            _ => continue,
        };
        write(target, "inside", &inside)?;
    }
    fs::remove_dir_all(&dir)?;
    let header = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"by":"hand"}}"#;
    let foreign = [&[0, header.len() as u8, 0], &header[..], &[0; 8]].concat();
    write("safetensors", "foreign", &foreign)?;
    let small = format!(
        "{{\"rekindle\": 1, \"checkpoint\": {{\"step\": 1, \"state_hash\": \"{}\", \"system\": \"\", \"schema\": null, \
         \"metrics\": {{}}, \"config\": null, \"environment\": {{}}, \"changes\": [], \"history\": []}}, \"state\": null}}",
        state_hash(&Tree::Null)
    );
    write("json", "null", small.as_bytes())?;
    let mut inside = vec![0];
    inside.write_all(small.as_bytes())?;
    write("json_gz", "null", &inside)
}

/// A key that is wrapped anew is another file: what is there is kept while it opens.
fn keys() -> Outcome {
    const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    const PUBLIC: &str = "ed25519:19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    let texts = [IDENTITY, RECIPIENT, PUBLIC, PRIVATE_PEM, PUBLIC_PEM, &"ab".repeat(64)];
    for (number, text) in texts.iter().enumerate() {
        write("key_text", &number.to_string(), text.as_bytes())?;
    }
    let scrypt = "age-encryption.org/v1\n-> scrypt gUjEymFKMVXQEKdMMHL24Q 2\n\
                  O+2IQSuZNNOzVmrnkrCJbbpUHk2n0WKSPqmcBwDZRrg\n--- AAAA\n";
    write("wrapped_key", "scrypt", scrypt.as_bytes())?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/wrapped_key/armored");
    let unlock = Unlock::Identities(Identities::parse(IDENTITY)?);
    if fs::read(&path).is_ok_and(|wrapped| unwrap_key(&wrapped, &unlock).is_ok()) {
        return Ok(());
    }
    SigningKey::from_pem(PRIVATE_PEM)?;
    let key = rekindle_keys::DataKey::from_bytes([7; 32]);
    let wrapped = wrap_key(&key, &Recipients::Keys(vec![RECIPIENT.parse()?]))?;
    unwrap_key(&wrapped, &unlock)?;
    write("wrapped_key", "armored", &wrapped)?;
    let text = String::from_utf8(wrapped)?;
    let digits: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, digits)?;
    write("wrapped_key", "binary", &bytes)
}

fn texts() -> Outcome {
    write("config", "life", presets::LIFE.as_bytes())?;
    for system in
        [&rekindle_gpt::Gpt::presets()[0], &Cascor::presets()[0], &Wnn::presets()[0], &Wisard::presets()[0]]
    {
        write("config", system.name, system.yaml.as_bytes())?;
    }
    write("search", "small", b"context_size: 4\npatience: null\nce_percentile: 0.5\n")?;
    let set = [presets::LIFE, "\n--set training.epochs=5\n--set best=null"].concat();
    write("config", "set", set.as_bytes())?;
    let model = Model {
        channels: 1,
        kernels: 3,
        kernel_gates: vec![8, 4, 2, 1],
        update_gates: vec![2, 1],
        pass_logit: 10.0,
        identity_start: false,
    };
    let circuit = HardCircuit::from_state(&model, &State::new(&model, 1)?)?;
    write("circuit", "small", serde_json::to_string(&circuit)?.as_bytes())?;
    for (name, text) in [("path", "a.b_c.0"), ("quoted", "a.\"b.c\".\"\""), ("dtype", "bf16")] {
        write("entry_path", name, text.as_bytes())?;
    }
    write("entry_path", "hash", Hash::of(b"").to_string().as_bytes())?;
    // The pack of one null is the smallest.
    let (_, bytes) = pack(&[Chunk::raw(&[0])]);
    write("pack", "null", &[&[1], bytes.as_slice()].concat())
}

/// Files of the systems.
fn systems() -> Outcome {
    let genome = r#"{"bits_per_cluster": [2, 3], "neurons_per_cluster": [2, 1], "connections": [0, 1, 2, 3, 4, 5, 6]}"#;
    write("genome_file", "genome", format!(r#"{{"genome": {genome}, "fitness": 1.5}}"#).as_bytes())?;
    write(
        "genome_file",
        "results",
        format!(r#"{{"phase1_ga": {{}}, "final": {{"genome": {genome}}}}}"#).as_bytes(),
    )?;
    let phase = format!(
        r#"{{"phase_result": {{"phase_name": "Phase 1a: GA Neurons Only", "strategy_type": "GA", "final_fitness": 1.5,
        "iterations_run": 3, "best_genome": {genome}, "final_population": [{genome}]}},
        "_metadata": {{"phase_key": "1a", "rotation_seed": 42}}}}"#
    );
    write("genome_file", "phase", phase.as_bytes())?;
    write("table", "csv", b"a,b\n1,x\n-2.5e3,\"y \"\"z\"\"\"\n")?;
    let dir = tempfile::tempdir()?;
    let table = dir.path().join("table.npy");
    Table::new(vec![Column { name: "a".to_owned(), values: Values::Numbers(vec![1.0, -2.0]) }])?
        .write(&table)?;
    write("table", "npy", &fs::read(table)?)?;
    let pictures = [[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2].as_slice(), &[1, 2, 3, 4]].concat();
    write("idx", "pictures", &pictures)?;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&pictures)?;
    write("idx", "packed", &packed.finish()?)?;
    write("idx", "labels", &[0, 0, 8, 1, 0, 0, 0, 2, 7, 1])?;
    let text = b"the cat and the other cat sat there";
    for (name, tokenizer) in
        [("pairs", Tokenizer::train_byte_pair(text, 262)?), ("words", Tokenizer::train_words(text, 5)?)]
    {
        write("tokenizer_json", name, tokenizer.to_hugging_face()?.to_string().as_bytes())?;
    }
    write("snapshot", "untrained", &snapshot(dir.path())?)
}

/// A network without hidden units.
fn snapshot(dir: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = ConfigText { origin: "seed".into(), yaml: rekindle_cascor::presets::SPIRALS_JUNIPER.into() };
    let config: ConfigOf<Cascor> = text.config(&[])?;
    let (model, training, seed) = (config.model, config.training, config.seed);
    let preparation = Dataset::load(&training.data, model.output, seed)?.preparation;
    let state = rekindle_cascor::State::new(&model, &training, preparation, seed)?;
    let mut run = RunOptions::new().system("cascor").create_in(Arc::new(MemoryStorage::new()))?;
    run.save(0, &TrainingState { seed, model, training, state })?;
    let store = Store::open(Arc::clone(run.store().storage()))?;
    let path = dir.join("network.h5");
    Cascor::formats()[0].write(&store.checkpoint(0)?, &path)?;
    Ok(fs::read(path)?)
}

/// Model files of other programs.
fn models() -> Outcome {
    let dir = tempfile::tempdir()?;
    let shape = rekindle_gpt::model::ModelConfig {
        block: Block::Gpt2,
        layers: 1,
        heads: 1,
        width: 2,
        feed_forward: Some(2),
        context: 2,
        tied: false,
        attention_biases: false,
        dropout: 0.0,
        structure: rekindle_gpt::model::StructureConfig::default(),
        sampling: Sampling::default(),
    };
    let words = ["a", "b", "c"].map(str::to_owned);
    lopos_files(dir.path(), &Network::random(&shape, 3, 1), &words)?;
    let stack = rekindle_gpt::model::ModelConfig { block: Block::Rustgpt, ..shape.clone() };
    rustgpt_files(dir.path(), &Network::random(&stack, 3, 1), &words)?;
    hugging_face_files(dir.path(), &shape)?;
    gguf_files(dir.path(), &shape)?;
    write("texts", "list", &[&[3], &br#"["a cat", {"text": "a dog"}]"#[..]].concat())?;
    write("texts", "dialogues", &[&[3], &br#"[{"instruction": "a", "output": "b"}]"#[..]].concat())?;
    let said = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#;
    write("texts", "lines", format!("\x01{said}\n\"a\"\n").as_bytes())?;
    write("texts", "chat", format!("\0{{\"version\": 1, \"conversations\": [{said}]}}").as_bytes())?;
    write("texts", "running", b"\x02a cat sat there")
}

fn lopos_files(dir: &Path, network: &Network, words: &[String]) -> Outcome {
    let path = dir.join("file.lopos");
    for (kind, name, version, sum) in [
        (0, "shipped", Version::LoopOs, 0),
        (1, "named-crc", Version::Named(Checksum::Crc32), 4),
        (2, "named-sha", Version::Named(Checksum::Sha256), 32),
    ] {
        lopos::write(&path, network, version)?;
        let bytes = fs::read(&path)?;
        write("lopos", name, &[&[kind], &bytes[..bytes.len() - sum]].concat())?;
        write("lopos", &format!("{name}-whole"), &[&[0], bytes.as_slice()].concat())?;
    }
    // The layout of the plan: no rows and columns before the matrices.
    lopos::write(&path, network, Version::LoopOs)?;
    let shipped = fs::read(&path)?;
    let (mut planned, mut rest) = (shipped[..33].to_vec(), &shipped[33..]);
    while let Some((extents, numbers)) = rest.split_at_checked(8) {
        let extent =
            |at: usize| extents[at..].first_chunk().map_or(0, |&bytes| u32::from_le_bytes(bytes) as usize);
        let (matrix, after) = numbers.split_at(4 * extent(0) * extent(4));
        planned.extend_from_slice(matrix);
        rest = after;
    }
    write("lopos", "planned", &[&[1], planned.as_slice()].concat())?;
    lopos::write_vocabulary(&path, words)?;
    write("lopos_words", "small", &fs::read(&path)?)
}

fn rustgpt_files(dir: &Path, network: &Network, words: &[String]) -> Outcome {
    let path = dir.join("file");
    let optimizer = Optimizer::new(network);
    for (encoding, target) in [(Encoding::Json, "rustgpt_json"), (Encoding::Bincode, "rustgpt_binary")] {
        rustgpt::write(&path, network, words, Some(&optimizer), encoding)?;
        let mut bytes = fs::read(&path)?;
        if encoding == Encoding::Json {
            bytes = serde_json::to_vec(&serde_json::from_slice::<serde_json::Value>(&bytes)?)?;
        }
        write(target, "small", &bytes)?;
        let form = if encoding == Encoding::Json { 2 } else { 3 };
        write("rustgpt_container", target, &[&[form], bytes.as_slice()].concat())?;
    }
    let bytes =
        b"\0{\"version\": 1, \"checksum\": \"\", \"data\": [1, 2], \"metadata\": {\"architecture\": \"x\"}}";
    write("rustgpt_container", "torn", bytes)
}

fn gguf_files(dir: &Path, shape: &rekindle_gpt::model::ModelConfig) -> Outcome {
    let path = dir.join("file.gguf");
    let tokenizer = Tokenizer::train_byte_pair(b"the cat and the other cat", 260)?;
    let tokenizer = tokenizer.with_special_tokens(&SPECIAL_TOKENS)?;
    let network = Network::random(shape, tokenizer.len(), 1);
    for (name, quantization) in
        [("f32", Quantization::F32), ("f16", Quantization::F16), ("q8_0", Quantization::Q8)]
    {
        gguf::write(&path, &network, &tokenizer, quantization)?;
        write("gguf", name, &fs::read(&path)?)?;
    }
    Ok(())
}

fn hugging_face_files(dir: &Path, shape: &rekindle_gpt::model::ModelConfig) -> Outcome {
    let path = dir.join("directory");
    let tokenizer = Tokenizer::train_words(b"the cat and the other cat", 4)?;
    let with_biases =
        rekindle_gpt::model::ModelConfig { attention_biases: true, tied: true, ..shape.clone() };
    for (name, shape) in [("plain", shape), ("tied", &with_biases)] {
        let network = Network::random(shape, tokenizer.len(), 1);
        hugging_face::write(&path, &network, &tokenizer)?;
        let piece = |bytes: &[u8]| [&(bytes.len() as u16).to_le_bytes()[..], bytes].concat();
        let compact = |name: &str| -> Result<Vec<u8>, Box<dyn Error>> {
            let value: serde_json::Value = serde_json::from_slice(&fs::read(path.join(name))?)?;
            Ok(serde_json::to_vec(&value)?)
        };
        let (config, tokens) = (compact("config.json")?, compact("tokenizer.json")?);
        let parameters = fs::read(path.join("model.safetensors"))?;
        let (len, parameters) = parameters.split_first_chunk().ok_or("a file is longer")?;
        let (header, numbers) = parameters.split_at(u64::from_le_bytes(*len) as usize);
        let bytes = [&[0], &piece(&config)[..], &piece(&tokens), &piece(header), numbers].concat();
        write("hugging_face", name, &bytes)?;
        let without = [&[0], &piece(&config)[..], &piece(b""), &piece(header), numbers].concat();
        write("hugging_face", &format!("{name}-without-tokens"), &without)?;
        fs::remove_dir_all(&path)?;
    }
    Ok(())
}
