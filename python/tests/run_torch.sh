#!/usr/bin/env bash
# The tests that need PyTorch and its kin, in a virtual environment: `python/tests/run_torch.sh [DIRECTORY]`. It makes the
# environment when it is not there (torch is a download of some gigabytes), builds the package into it, and runs all
# tests of the package. What is not installed is skipped, and said.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${1:-python/target/venv-torch}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q pytest ml_dtypes torch torchdata transformers accelerate lightning jax orbax-checkpoint
fi
"$venv/bin/pip" install -q ./python
if [ -z "${REKINDLE:-}" ]; then
    cargo build -q --release -p rekindle-cli
    export REKINDLE=$PWD/target/release/rekindle
fi
cd python
exec "$OLDPWD/${venv#"$OLDPWD"/}/bin/python" -m pytest -q -rs tests
