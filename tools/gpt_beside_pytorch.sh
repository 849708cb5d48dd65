#!/bin/sh
# How fast a small GPT-2 is trained, ours beside PyTorch on the same cores: the same network, optimiser and
# number of tokens, in turn, so that other work on the machine slows all of them. PyTorch is run eagerly, with its
# usual AdamW and with the fused one. Medians are printed, and the load of the machine before and after.
# Needs PyTorch in the python that PYTHON names: python3 -m venv venv && venv/bin/pip install torch.
# Usage: PYTHON=venv/bin/python tools/gpt_beside_pytorch.sh [TURNS]
set -eu
cd "$(dirname "$0")/.."
turns=${1:-3}
python=${PYTHON:-python3}
cores=${CORES:-0,1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo build --quiet --release -p rekindle-gpt --example training_speed
example=${CARGO_TARGET_DIR:-target}/release/examples/training_speed

# Runs a command, and notes what it measured under a name.
measure() {
    name=$1
    shift
    line=$(taskset -c "$cores" "$@")
    echo "$name: $line"
    echo "$line" | sed 's/.*: \([0-9]*\) tokens a second/\1/' >>"$scratch/$name"
}

median() { sort -n "$scratch/$1" | awk '{ all[NR] = $1 } END { print (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) / 2 }'; }

echo "load before: $(cut -d' ' -f1-3 /proc/loadavg)"
turn=0
while [ "$turn" -lt "$turns" ]; do
    measure rekindle "$example"
    measure pytorch "$python" tools/gpt_pytorch.py
    measure pytorch-fused "$python" tools/gpt_pytorch.py --fused
    turn=$((turn + 1))
done
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
for name in pytorch pytorch-fused; do
    echo "$(median rekindle) $(median "$name") $name" |
        awk '{ printf "median: rekindle %.0f, %s %.0f tokens a second; ours / theirs: %.2f\n", $1, $3, $2, $1 / $2 }'
done
