#!/usr/bin/env bash
# Prints the figures of docs/benchmarks.md that the `rekindle` command shows: the presets for ten
# seeds, and the proof of exact resume for every thread count and kernel path of this machine.
# Run it from the project's root; it takes about half an hour on two cores.
#   tools/figures.sh [life] [checkerboard] [prove] [cascor] [wnn] [gpt]
set -euo pipefail
cargo build --release --quiet
rekindle=$PWD/target/release/rekindle
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# The value of a field in the JSON object on standard input.
field() { grep -o "\"$1\":[^,}]*" | tail -1 | cut -d: -f2; }

seeds() {
    echo "preset seed seconds right tried hard_loss first_epoch_with_hard_loss_0"
    for seed in 1 2 3 4 5 6 7 8 9 10; do
        begun=$(date +%s%N)
        result=$("$rekindle" train "$1" --quiet --json --set seed=$seed --run "$1-$seed" | tail -1)
        tenths=$((($(date +%s%N) - begun) / 100000000))
        first=$(grep '"hard_loss":0\.0' "$1-$seed/metrics.jsonl" | head -1 | field step || true)
        printf '%s %s %s %s %s %s %s\n' "$1" $seed "$((tenths / 10)).$((tenths % 10))" "$(field right <<<"$result")" \
            "$(field tried <<<"$result")" "$(field hard_loss <<<"$result")" "${first:-never}"
    done
}

# Proofs with so many kills for each subject.
proofs() {
    wanted=$1
    shift
    echo "subject kernels threads kills equal state_hash"
    for subject in "$@"; do
        for kernels in avx512 avx2 scalar; do
            for threads in 1 2; do
                if ! REKINDLE_KERNELS=$kernels "$rekindle" train life --without-run --stop-at 0 --quiet >/dev/null 2>&1; then
                    echo "$subject: $kernels skipped, this machine lacks it"
                    continue
                fi
                # shellcheck disable=SC2086
                result=$(REKINDLE_KERNELS=$kernels "$rekindle" prove $subject --kills $wanted --threads $threads --json 2>/dev/null)
                kills=$(grep -o '"at":' <<<"$result" | wc -l)
                echo "$subject $kernels $threads $kills $(field equal <<<"$result") $(field straight <<<"$result")"
            done
        done
    done
}

# The proof of a language model with everything on that a run can have, on the fastest kernels: the portable
# ones are far slower, and that they give the same bits is a test (systems/gpt/src/model/pass/tests.rs).
proof_of_gpt() {
    for threads in 1 2; do
        "$rekindle" prove gpt --steps 40 --kills 20 --threads $threads \
            --set model.dropout=0.1 --set training.precision=f16 --set training.pretraining.batch=2 \
            --set training.pretraining.data.count=400 --set training.tuning.data.count=400 \
            --set 'training.adapt={"every": 1500, "policy": {"limit": 1040, "least_count": 4,
                "most_at_once": 12, "pruning": "lru", "prune_share": 0.02}}'
    done
}

for what in "${@:-life checkerboard prove}"; do
    for each in $what; do
        case $each in
            prove) proofs 20 life "checkerboard --steps 20" ;;
            cascor) proofs 200 spirals ;;
            wnn) proofs 100 wnn-search ;;
            gpt) proof_of_gpt ;;
            *) seeds "$each" ;;
        esac
    done
done
