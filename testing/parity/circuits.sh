#!/bin/sh
# Circuits in the programs that own their formats: ABC, Yosys, a C compiler, Golly, ONNX Runtime.
#
#     testing/parity/circuits.sh
#
# REKINDLE is the binary, target/release/rekindle unless set. On Debian: apt-get install berkeley-abc yosys golly gcc;
# pip install onnxruntime numpy. PYTHON is the interpreter that has them, python3 unless set. RUN is a run of `life`, which
# is trained unless set.
#
# A line for each check; exit code 1 when one fails, and a line `skipped: ...` for each program that is absent.
set -eu
cd "$(dirname "$0")/../.."
rekindle=$(realpath "${REKINDLE:-target/release/rekindle}" 2> /dev/null || echo none)
python=${PYTHON:-python3}
[ -x "$rekindle" ] || { echo "skipped: all, $rekindle is not built"; exit 0; }
run=$(realpath "${RUN:-none}" 2> /dev/null || echo none)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0
check() { # NAME EXPECTED-IN-OUTPUT COMMAND...
    name=$1 expected=$2; shift 2
    if "$@" > log 2>&1 && { [ -z "$expected" ] || grep -q -- "$expected" log; }; then echo "ok: $name"; else
        echo "FAILED: $name"; tail -n 5 log; failed=1
    fi
}
has() { command -v "$1" > /dev/null 2>&1 || { echo "skipped: $1 is not installed"; return 1; }; }

if [ -d "$run" ]; then "$rekindle" cp "$run" run > /dev/null; else "$rekindle" train life --run run -q > /dev/null; fi
for ending in aag aig blif v c rle onnx; do
    "$rekindle" export run "all.$ending" > /dev/null 2>&1
    "$rekindle" circuit simplify run -o "small.$ending" > /dev/null
done
echo "the circuit of life: $("$rekindle" circuit simplify run -o again.aag | head -n 1)"

abc=$(command -v berkeley-abc || command -v abc || echo berkeley-abc)
if has "$abc"; then
    check "ABC: simplified AIGER equals the original's" "Networks are equivalent" "$abc" -c "cec -n all.aig small.aig"
    check "ABC: BLIF equals AIGER" "Networks are equivalent" "$abc" -c "cec -n all.blif small.aig"
    check "ABC: simplified BLIF equals AIGER" "Networks are equivalent" "$abc" -c "cec -n small.blif all.aig"
    "$abc" -c "read_blif all.blif; strash; dc2; write_aiger theirs.aig" > /dev/null
    check "ABC: its AIGER is read and proven equal" "^equal" "$rekindle" circuit check run theirs.aig
fi
if has yosys; then
    check "Yosys: simplified Verilog equals the original's" "SUCCESS!" yosys -p \
        "read_verilog all.v; rename circuit gold; read_verilog small.v; rename circuit gate; proc;
         miter -equiv -flatten gold gate miter; sat -verify -prove trigger 0 miter"
fi
if has gcc; then
    cat > main.c << 'C'
#include <stdint.h>
#include <stdio.h>
void circuit(const uint64_t *in, uint64_t *out);
int main(void) {
    for (int row = 0; row < 512; row++) {
        uint64_t in[9], out; int count = 0, cell = row >> 4 & 1;
        for (int i = 0; i < 9; i++) { in[i] = row >> i & 1 ? ~0ull : 0; count += row >> i & 1; }
        circuit(in, &out);
        if (out != (count == 3 || (cell && count == 4) ? ~0ull : 0)) { printf("row %d\n", row); return 1; }
    }
    printf("all rows\n");
}
C
    for file in all small; do
        check "gcc: $file.c compiles without a warning" "" gcc -std=c99 -Wall -Wno-unused-variable -Werror -O1 main.c "$file.c" -o "$file"
        check "gcc: $file.c is right on all 512 rows" "all rows" "./$file"
    done
fi
if has bgolly; then
    # A cell lives on, and is born where its upper left neighbour lives and its upper one does not: tells the order
    # of a neighbourhood's bits from those that are mirrored or transposed.
    printf 'aag 11 9 0 1 2\n2\n4\n6\n8\n10\n12\n14\n16\n18\n23\n20 5 2\n22 21 11\n' > order.aag
    "$rekindle" circuit simplify order.aag -o order.rle > /dev/null
    { head -n 1 order.rle | sed 's/^x = 0, y = 0/x = 2, y = 1/'; echo '2o!'; } > one.rle
    bgolly -m 1 -o born.rle one.rle > /dev/null 2>&1 || true
    check "Golly: an asymmetric rule" '^2o[$]2bo!' cat born.rle
    r_pentomino='b2o$2o$bo!'
    { head -n 1 small.rle | sed 's/^x = 0, y = 0/x = 3, y = 3/'; echo "$r_pentomino"; } > learnt.rle
    { echo 'x = 3, y = 3, rule = B3/S23'; echo "$r_pentomino"; } > known.rle
    for kind in learnt known; do bgolly -m 200 -o "$kind.out.rle" "$kind.rle" > /dev/null 2>&1 || true; done
    for kind in learnt known; do grep -v '^[x#]' "$kind.out.rle" > "$kind.cells"; done
    [ -s known.cells ] || echo "Golly wrote nothing" > known.cells
    check "Golly: the learnt rule is B3/S23 for 200 generations" "" cmp learnt.cells known.cells
fi
if "$python" -c "import onnxruntime, numpy" 2> /dev/null; then
    cat > run.py << 'PYTHON'
import numpy, onnxruntime
rows = numpy.arange(512)
inputs = (rows[:, None] >> numpy.arange(9) & 1).astype(bool)
count = inputs.sum(1)
expected = (count == 3) | (inputs[:, 4] & (count == 4))
for file in ["all.onnx", "small.onnx"]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    found, = session.run(None, {"inputs": inputs})
    assert found.shape == (512, 1) and (found[:, 0] == expected).all(), file
print("all rows")
PYTHON
    check "ONNX Runtime: both models are right on all 512 rows" "all rows" "$python" run.py
else
    echo "skipped: $python has no onnxruntime"
fi
exit $failed
