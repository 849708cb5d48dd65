#!/bin/sh
# Networks between `rekindle` and the Juniper program (https://github.com/pcalnon/juniper-cascor), both ways.
#
#     testing/parity/cascor.sh CHECKOUT
#
# CHECKOUT (or JUNIPER_CASCOR) is a checkout of that program. PYTHON is an interpreter that has torch, h5py,
# matplotlib, PyYAML and columnar; without it they are installed from PyPI into target/parity/cascor-python.
# REKINDLE is the binary, target/release/rekindle unless set.
#
# A line for each check; exit code 1 when one fails, 0 and a line `skipped: ...` where something is absent.
set -eu
cd "$(dirname "$0")/../.."
here=testing/parity
rekindle=${REKINDLE:-target/release/rekindle}
checkout=${1:-${JUNIPER_CASCOR:-}}

skip() { echo "skipped: $1"; exit 0; }
[ -n "$checkout" ] && [ -d "$checkout/src/cascade_correlation" ] || skip "no checkout of juniper-cascor was given"
[ -x "$rekindle" ] || skip "$rekindle is not built"
if [ -z "${PYTHON:-}" ]; then
    command -v python3 > /dev/null || skip "there is no python3"
    PYTHON=target/parity/cascor-python/bin/python
    if [ ! -x "$PYTHON" ]; then
        python3 -m venv target/parity/cascor-python
        "$PYTHON" -m pip install --quiet torch numpy h5py matplotlib pyyaml columnar \
            || { rm -rf target/parity/cascor-python; skip "the packages cannot be installed"; }
    fi
fi

work=target/parity/cascor
rm -rf "$work"
mkdir -p "$work"
failures=0
log=$work/log

# check NAME COMMAND...: one line, with the last line that the command printed.
check() {
    what=$1
    shift
    if "$@" > "$log" 2>&1; then verdict=equal; else verdict=DIFFERENT; failures=$((failures + 1)); fi
    echo "$verdict  $what: $(tail -n 1 "$log")"
}

# Exit code 3 of an import tells that not all was carried over, which is so of every snapshot.
import() {
    code=0
    "$rekindle" import "$1" --run "$2" > "$2.import" 2>&1 || code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || { cat "$2.import"; return 1; }
}

# there SNAPSHOT RUN ROWS ANSWERS: imports what the original wrote; the answers must be those it gave.
there() {
    import "$1" "$2" && "$rekindle" predict "$2" --data "$3" --out "$2.csv" \
        && "$PYTHON" "$here/cascor.py" compare "$2.csv" "$4"
}

# back RUN NAME ROWS: exports; the original loads it and gives the same answers.
back() {
    "$rekindle" export "$1" "$work/$2.h5" && "$rekindle" predict "$1" --data "$3" --out "$work/$2.csv" \
        && "$PYTHON" "$here/cascor.py" answers "$checkout" "$work/$2.h5" "$3" \
        && "$PYTHON" "$here/cascor.py" compare "$work/$2.csv" "$work/$2.original.csv"
}

"$PYTHON" "$here/cascor.py" make "$checkout" "$work" > "$log" 2>&1 || { cat "$log"; exit 1; }
rows=$work/rows.csv

for snapshot in "$work"/*.h5; do
    name=$(basename "$snapshot" .h5)
    run=$work/run-$name
    check "$name of the original, imported" there "$snapshot" "$run" "$rows" "$work/$name.csv"
    check "$name, exported and loaded by the original" back "$run" "again-$name" "$rows"
    check "$name, trained on and saved by the original" \
        there "$work/again-$name.trained.h5" "$run-trained" "$rows" "$work/again-$name.trained.csv"
done

target_accuracy() {
    "$rekindle" inspect "$work/run-Tanh" --json | grep -o '"candidate_patience":30.*"target_accuracy": *0\.9}' \
        && "$PYTHON" "$here/cascor.py" answers "$checkout" "$work/again-Tanh.h5" "$rows"
}
check "the target accuracy of 0.9" target_accuracy

# train NAME SETTING...: a small run of the Juniper variant, exported and loaded by the original.
train() {
    trained=$1
    preset=$2
    shift 2
    settings=
    for setting in "$@"; do settings="$settings --set $setting"; done
    # shellcheck disable=SC2086
    "$rekindle" train "$preset" --run "$work/trained-$trained" --quiet $settings || return 1
    back "$work/trained-$trained" "out-$trained" "$rows"
}

small="training.data.points=100 training.method.juniper.output_epochs=50 training.method.juniper.candidate_epochs=50
    training.method.juniper.pool=8 model.max_hidden=3"
for activation in tanh logistic sigmoid relu leakyrelu elu selu gelu softplus hardtanh softshrink tanhshrink identity; do
    # shellcheck disable=SC2086
    check "$activation units trained here, loaded by the original" \
        train "$activation" spirals-juniper "model.hidden=$activation" $small
done
check "Fahlman's method with linear outputs, loaded by the original" \
    train fahlman spirals model.output=linear model.max_hidden=4

refused() {
    "$rekindle" train spirals --run "$work/sigmoid-outputs" --quiet --set model.max_hidden=1 || return 1
    if "$rekindle" export "$work/sigmoid-outputs" "$work/sigmoid-outputs.h5"; then return 1; fi
}
check "sigmoid outputs are refused" refused

[ "$failures" -eq 0 ] || { echo "$failures checks failed"; exit 1; }
