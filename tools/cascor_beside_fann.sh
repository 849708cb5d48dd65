#!/bin/sh
# Trials on the two spirals, ours beside the cascade training of libfann with its defaults, on one
# core and the same points. Needs a C compiler and libfann (Debian: apt-get install libfann-dev).
# Usage: tools/cascor_beside_fann.sh [TRIALS]
set -eu
cd "$(dirname "$0")/.."
trials=${1:-20}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc -O3 -o "$scratch/fann" tools/fann_spirals.c -lfann -lm
cargo build --quiet --release -p rekindle-cascor --example trials
theirs=$(taskset -c 0 "$scratch/fann" "$trials")
ours=$(taskset -c 0 target/release/examples/trials 100)
echo "libfann:  $theirs"
echo "rekindle: $ours"
milliseconds() { echo "$1" | sed 's/.* \([0-9.]*\) ms a trial in the mean.*/\1/'; }
echo "$(milliseconds "$ours") $(milliseconds "$theirs")" | awk '{ printf "ours / theirs: %.4f (%.0f times as fast)\n", $1 / $2, $2 / $1 }'
