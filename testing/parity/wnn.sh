#!/usr/bin/env bash
# Genome, phase and results files beside the program that owns the format: it loads ours, we load its, and what
# went through the other one is the same as before.
#
#   testing/parity/wnn.sh CHECKOUT        (or WNN_ORIGINAL=CHECKOUT)
#
# CHECKOUT is https://github.com/lacg/wnn at commit 46c954b, the last whose genomes have a number of address bits
# for each cluster. REKINDLE names our binary, `target/release/rekindle` when it is not set. PyYAML is installed
# below target/parity; PyTorch is used where Python has it, and loading files needs none of it.
set -euo pipefail
cd "$(dirname "$0")/../.."
original=${1:-${WNN_ORIGINAL:-}}
rekindle=${REKINDLE:-target/release/rekindle}
skip() { echo "skipped: $1"; exit 0; }
[ -n "$original" ] || skip "no checkout of the original program is named (WNN_ORIGINAL)"
[ -f "$original/src/wnn/ram/experiments/phased_search.py" ] || skip "$original is no checkout of the original program"
grep -q bits_per_cluster "$original/src/wnn/ram/strategies/connectivity/adaptive_cluster.py" \
    || skip "$original is of a later version, whose genomes have another schema; check out 46c954b"
command -v python3 >/dev/null || skip "there is no python3"
[ -x "$rekindle" ] || skip "there is no $rekindle; build it, or name another as REKINDLE"
venv=target/parity/wnn
[ -x "$venv/bin/python" ] || python3 -m venv --system-site-packages "$venv"
"$venv/bin/python" -c 'import yaml' 2>/dev/null || "$venv/bin/pip" install --quiet PyYAML \
    || skip "PyYAML cannot be installed"
exec "$venv/bin/python" testing/parity/wnn.py "$original" "$(realpath "$rekindle")"
