#!/bin/sh
# What 8-bit weights cost and gain: perplexity of a text and tokens per second of a model, in 32-bit floats and in
# 8-bit numbers. MODEL is a run, or a file or directory of another program, such as a GPT-2 of the Hugging Face
# library; see systems/gpt/examples/perplexity.rs for the rest. Without MODEL, the preset `gpt` is trained first,
# which takes minutes.
# Usage: tools/int8_perplexity.sh [MODEL [TEXT] [--threads N] [--tokens N]]
set -eu
root=$(dirname "$0")/..
target=${CARGO_TARGET_DIR:-$root/target}
cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p rekindle-gpt --example perplexity
if [ $# -eq 0 ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p rekindle-cli
    "$target/release/rekindle" train gpt --quiet --run "$scratch/gpt"
    set -- "$scratch/gpt"
fi
"$target/release/examples/perplexity" "$@"
