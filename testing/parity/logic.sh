#!/bin/sh
# Circuits between `rekindle` and Logicars (https://github.com/rplsmn/logicars), both ways.
#
#     testing/parity/logic.sh CHECKOUT
#
# CHECKOUT (or LOGICARS) is a checkout of that program. Its library and the program that asks it are built in
# target/parity/logic-build, which needs cargo and crates.io. REKINDLE is the binary, target/release/rekindle
# unless set; EPOCHS how long the Game of Life is trained, 3000 unless set.
#
# A line for each check; exit code 1 when one fails, 0 and a line `skipped: ...` where something is absent.
set -eu
cd "$(dirname "$0")/../.."
here=$PWD/testing/parity
rekindle=${REKINDLE:-target/release/rekindle}
checkout=${1:-${LOGICARS:-}}
epochs=${EPOCHS:-3000}

skip() { echo "skipped: $1"; exit 0; }
[ -n "$checkout" ] && [ -f "$checkout/src/circuit.rs" ] || skip "no checkout of logicars was given"
[ -x "$rekindle" ] || skip "$rekindle is not built"
command -v python3 > /dev/null || skip "there is no python3"
checkout=$(cd "$checkout" && pwd)

# The program that asks Logicars is a workspace of its own, outside of this one.
build=target/parity/logic-build
mkdir -p "$build"
cat > "$build/Cargo.toml" << MANIFEST
[package]
name = "logic_original"
version = "0.0.0"
edition = "2021"
publish = false

[[bin]]
name = "logic_original"
path = "$here/logic_original.rs"

[dependencies]
logicars = { path = "$checkout" }

[profile.dev]
opt-level = 1
debug = false

[workspace]
MANIFEST
cargo build --quiet --manifest-path "$build/Cargo.toml" --target-dir "$build/target" 2> "$build/log" \
    || { tail -n 5 "$build/log"; skip "logicars cannot be built"; }
original=$build/target/debug/logic_original
cargo build --quiet -p rekindle-logic --example boards
boards=${CARGO_TARGET_DIR:-target}/debug/examples/boards

work=target/parity/logic
rm -rf "$work"
mkdir -p "$work"
log=$work/log
failures=0

# check NAME COMMAND...: one line, with the last line that the command printed.
check() {
    what=$1
    shift
    if "$@" > "$log" 2>&1; then verdict=equal; else verdict=DIFFERENT; failures=$((failures + 1)); fi
    echo "$verdict  $what: $(tail -n 1 "$log")"
}

# board WIDTH CHANNELS SEED
board() {
    python3 -c 'import random, sys
width, channels, seed = map(int, sys.argv[1:])
draw = random.Random(seed)
row = lambda: "".join(draw.choice("01") for _ in range(width))
print("\n\n".join("\n".join(row() for _ in range(width)) for _ in range(channels)))' "$@"
}

# same_boards CIRCUIT CHANNELS: Logicars and the circuit as it runs here, on boards of several sizes.
same_boards() {
    tried=0
    for width in 3 16 33 64; do
        for steps in 1 2 20; do
            board "$width" "$2" "$((width + steps))" > "$work/board"
            "$boards" "$1" "$steps" zero < "$work/board" > "$work/here" || return 1
            "$original" "$1" "$steps" "$work/written.json" < "$work/board" > "$work/there" || return 1
            cmp "$work/here" "$work/there" || return 1
            tried=$((tried + 1))
        done
    done
    cmp "$1" "$work/written.json" && echo "$tried boards, and the file as Logicars writes it"
}

# Exit code 3 of an import tells that not all was carried over, which is so of every circuit.
import() {
    code=0
    "$rekindle" import "$1" --run "$2" || code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 3 ]
}

# through CIRCUIT RUN: imported, described, drawn and exported, it is the same file.
through() {
    import "$1" "$2" && "$rekindle" plot "$2" --what boards --out "$2.png" \
        && "$rekindle" export "$2" "$2.circuit.json" && cmp "$1" "$2.circuit.json" \
        && "$rekindle" describe "$2"
}

for circuit in "$checkout"/checkerboard_model.json "$checkout"/checkerboard_async.json; do
    name=$(basename "$circuit" .json)
    check "$name of Logicars, imported and exported" through "$circuit" "$work/$name"
    check "$name, the same boards" same_boards "$circuit" 8
done

"$rekindle" train life --run "$work/life" --set "training.epochs=$epochs" --set checkpoint.keep_last=100 \
    --set "checkpoint.every_steps=$((epochs / 3 + 1))" > "$log" 2>&1 || { cat "$log"; exit 1; }
half=$((epochs / 3 + 1))
for step in 0 "$half" "$epochs"; do
    "$rekindle" export "$work/life@$step" "$work/life-$step.circuit.json" > "$log" 2>&1 || { cat "$log"; exit 1; }
    check "life after $step epochs, the same boards" same_boards "$work/life-$step.circuit.json" 1
    check "life after $step epochs, imported and exported" through "$work/life-$step.circuit.json" "$work/life-again-$step"
done
check "the circuit that the run left, as it is exported" \
    cmp "$work/life/artifacts/circuit.json" "$work/life-$epochs.circuit.json"
"$rekindle" train checkerboard --run "$work/checkerboard" --set training.epochs=3 --set training.refinement=null > "$log" 2>&1 \
    || { cat "$log"; exit 1; }
"$rekindle" export "$work/checkerboard" "$work/checkerboard.circuit.json" > "$log" 2>&1
check "checkerboard after 3 epochs, the same boards" same_boards "$work/checkerboard.circuit.json" 8

[ "$failures" -eq 0 ] || { echo "$failures checks failed"; exit 1; }
