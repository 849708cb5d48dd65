#!/usr/bin/env bash
# The tests of the Python package that need only Python and NumPy, in a virtual environment of their own. Where Python
# 3.11 or NumPy is not to be had, they are skipped, and said so. `run_torch.sh` has the others.
set -euo pipefail
cd "$(dirname "$0")/.."
skip() {
    echo "skipped: the tests of the Python package ($1)" >&2
    exit 0
}
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || skip "they need Python 3.11 or later"
venv=target/venv
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv --system-site-packages "$venv" 2>/dev/null || skip "python3 has no venv"
fi
python=$PWD/$venv/bin/python
"$python" -c 'import numpy, pytest' 2>/dev/null ||
    "$venv/bin/pip" install -q --disable-pip-version-check numpy pytest ml_dtypes 2>/dev/null ||
    skip "NumPy and pytest are not here and cannot be had: pip install numpy pytest"

# What maturin would build, without it: what the project has built already is not built again.
cargo build -q --target-dir ../target
package=target/package
rm -rf "$package" && mkdir -p "$package" && cp -r rekindle "$package/"
rm -f "$package"/rekindle/*.so "$package"/rekindle/*.pyd
while read -r built module; do
    if [ -f "../target/debug/$built" ]; then cp "../target/debug/$built" "$package/rekindle/$module"; fi
done <<'END'
lib_rekindle.so _rekindle.abi3.so
lib_rekindle.dylib _rekindle.abi3.so
_rekindle.dll _rekindle.pyd
END
cp -r tests "$package/"
cd "$package"
PYTHONPATH=$PWD exec "$python" -m pytest -q -p no:cacheprovider tests/test_states.py tests/test_runs.py
