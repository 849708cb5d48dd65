#!/bin/sh
# What was measured, in the programs that read it: TensorBoard, pandas.
#
#     testing/parity/metrics.sh
#
# REKINDLE is the binary, target/release/rekindle unless set. pip install tensorboard pandas. PYTHON is the interpreter that
# has them, python3 unless set.
#
# A line for each check; exit code 1 when one fails, and a line `skipped: ...` for each program that is absent.
set -eu
cd "$(dirname "$0")/../.."
rekindle=$(realpath "${REKINDLE:-target/release/rekindle}" 2> /dev/null || echo none)
[ -x "$rekindle" ] || { echo "skipped: all, $rekindle is not built"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$rekindle" train checkerboard --run run --stop-at 60 --quiet > log 2>&1
for file in run.csv run.jsonl run.tfevents; do "$rekindle" export run "$file" > log; done
exec "${PYTHON:-python3}" - <<'PYTHON'
import json

rows = [json.loads(line) for line in open("run.jsonl")]
measured = [row for row in rows if "hard_loss" in row]
failed = False


def check(name, found):
    global failed
    print("ok:" if found else "FAILED:", name)
    failed |= not found


try:
    import pandas
except ImportError:
    print("skipped: pandas is not installed")
else:
    table = pandas.read_csv("run.csv")
    check("pandas reads the CSV", list(table["step"]) == [row["step"] for row in rows])
    check("its numbers are those of the JSON", list(table["hard_loss"].dropna()) == [row["hard_loss"] for row in measured])
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("skipped: tensorboard is not installed")
else:
    events = EventAccumulator("run.tfevents", size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    found = [(one.step, one.value) for one in events.Scalars("hard_loss")]
    check("TensorBoard reads the metrics", found == [(row["step"], row["hard_loss"]) for row in measured])
    tags = events.Tags()
    check("all metrics are there", {name for row in rows for name in row} - {"step"} == set(tags["scalars"]))
    spread = [events.Histograms(name)[0].histogram_value for name in tags["histograms"]]
    check("the arrays are there", spread and all(sum(one.bucket) == one.num for one in spread))
    check("the pictures are there", all(events.Images(name)[0].encoded_image_string[:4] == b"\x89PNG" for name in tags["images"]))
    check("the config is there", b"system: logic" in events.Tensors("config")[0].tensor_proto.string_val[0])
raise SystemExit(failed)
PYTHON
