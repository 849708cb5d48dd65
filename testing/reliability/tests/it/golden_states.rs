//! Exactness across machines: short trainings of every system end with the states that are written
//! here, on every machine, with any number of threads, and with all kernels.
//!
//! A hash changes only where training itself is meant to change; the change log says why.

use std::path::Path;

use rekindle_compute::KernelPath;
use rekindle_reliability::random_configs::life::{End, Life, in_child};

use crate::alone;

/// A preset or the text of a config, what is set on top, the step at which it stops, and its state then.
struct Golden {
    system: &'static str,
    config: Config,
    settings: &'static [&'static str],
    stop_at: u64,
    state: &'static str,
}

enum Config {
    Preset(&'static str),
    Text(&'static str),
}

use Config::{Preset, Text};

/// With everything on that a training of a language model can have.
const GPT: &str = "
system: gpt
seed: 3
model: {layers: 2, heads: 2, width: 32, context: 48, dropout: 0.1}
training:
  tokenizer: {vocabulary: 300}
  precision: f16
  parts: 3
  pretraining:
    data: {source: facts, count: 40, evaluation: 0.1}
    steps: 2
    batch: 1
    learning_rate: 0.01
    warmup: 1
  tuning:
    data: {source: dialogues, count: 40, evaluation: 0.1}
    steps: 2
    batch: 1
    learning_rate: 0.005
  adapt:
    every: 100
    rows: distilled
    policy: {limit: 340, least_count: 4, most_at_once: 12, pruning: lru, prune_share: 0.02}
";

const GOLDEN: &[Golden] = &[
    Golden {
        system: "logic",
        config: Preset("life"),
        settings: &["training.batch=2"],
        stop_at: 20,
        state: "8820b2d072c23df3040abd57e986a0dbcd8d34a1e5b725997074bf665bb2a304",
    },
    Golden {
        system: "logic",
        config: Preset("checkerboard"),
        settings: &["training.batch=1", "training.refinement=null"],
        stop_at: 1,
        state: "05f8836036a9c65b5296a9569f819fd94c6af37a0ac8019d6ac0035df9076649",
    },
    // Two attempts, and their repairs.
    Golden {
        system: "logic",
        config: Preset("checkerboard"),
        settings: &[
            "training.epochs=2",
            "training.refinement.repair_steps=2",
            "training.refinement.attempts=2",
        ],
        stop_at: 8,
        state: "9096a5456c8b516cebed1155f52e34ba5557cec757500d4e977dc8dab53b3134",
    },
    Golden {
        system: "logic",
        config: Preset("checkerboard-async"),
        settings: &[],
        stop_at: 1,
        state: "f5a2c0037238fb3d65b3516c73f3af75ff3d7ba668d5841281f7cc109c544299",
    },
    Golden {
        system: "cascor",
        config: Preset("spirals"),
        settings: &[],
        stop_at: 400,
        state: "83a9619993e467ebaff13dd4278fff17c2b60e5317b7aa2e4b55dffddbd88b7b",
    },
    Golden {
        system: "cascor",
        config: Preset("spirals-juniper"),
        settings: &[],
        stop_at: 120,
        state: "c6f45537f0f23131e04c6de2ff6c2ec66acf7c7b445c2040c6c0f28b7c56e4a7",
    },
    Golden {
        system: "wnn",
        config: Preset("wnn-search"),
        settings: &[],
        stop_at: 2,
        state: "cab75aac94a7f74f23aea3bb6325fc7e2f7059d9413d054f7995413b45debf02",
    },
    Golden {
        system: "wisard",
        config: Preset("glyphs"),
        settings: &[],
        stop_at: 10_000,
        state: "747a2864fa45c65cc182e447e31981af61b8c7974f7a9a32aba0ac6e5ef1f8fa",
    },
    Golden {
        system: "wisard-exact",
        config: Preset("wisard-exact"),
        settings: &[],
        stop_at: 10_000,
        state: "17709ad42a0a0297654c79eb111c6a4a81348b59c356bec4086a47632bbeeb9a",
    },
    Golden {
        system: "lgn",
        config: Preset("digits"),
        settings: &[],
        stop_at: 10_000,
        state: "a5fbed06e9a13921305586d1eea88e093b04b2c42e5604274dcfbb7d3cbc3c95",
    },
    Golden {
        system: "dwn",
        config: Preset("dwn"),
        settings: &["training.epochs=2"],
        stop_at: 10_000,
        state: "c3d05d953e0fa089a0724e9f218fe6bab1d903858515258c1d3355ffbfb42323",
    },
    Golden {
        system: "gpt",
        config: Text(GPT),
        settings: &[],
        stop_at: 4,
        state: "137abc742c66041239ba123e2aaa5127cfed0374abd7c10879de8cfc78921583",
    },
];

impl Golden {
    /// The state hash that this machine comes to.
    fn found(&self, directory: &Path, threads: usize, kernels: KernelPath) -> String {
        let config = directory.join("config.yaml");
        let text = match self.config {
            Preset(name) => rekindle_systems::registry().config_text(name).unwrap().yaml,
            Text(text) => text.to_owned(),
        };
        rekindle_formats::files::write(&config, text.as_bytes()).unwrap();
        let life = Life {
            system: self.system.to_owned(),
            config,
            settings: self.settings.iter().map(|&setting| setting.to_owned()).collect(),
            threads,
            stop_at: Some(self.stop_at),
            ..Life::default()
        };
        let program = env!("CARGO_BIN_EXE_reliability").as_ref();
        match in_child(program, &life, kernels).unwrap().ended.unwrap().end {
            End::Done { state_hash, .. } => state_hash,
            End::Diverged { metric } => panic!("{}: {metric} diverged", self.system),
        }
    }
}

#[test]
fn short_trainings_come_to_the_same_states_on_every_machine() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let mut differing = Vec::new();
    for golden in GOLDEN {
        for (kernels, threads) in KernelPath::available().into_iter().zip([2, 3, 1].into_iter().cycle()) {
            let found = golden.found(directory.path(), threads, kernels);
            if found != golden.state {
                let name = match golden.config {
                    Preset(name) => name,
                    Text(_) => golden.system,
                };
                differing.push(format!("{name}, {threads} threads, {}: {found}", kernels.name()));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
