#!/usr/bin/env bash
# Language models beside the programs whose files they are: transformers, llama.cpp and LoopOS.
#
#     testing/parity/gpt.sh
#
# REKINDLE  the program [default: target/release/rekindle]
# PYTHON    a Python with torch, transformers, gguf and xllamacpp (llama.cpp as a wheel)
#           [default: one is made in target/parity/gpt-venv]
# LOOPOS    a checkout of LoopOS; without it that part is skipped. Its loader is built with g++.
#
# A line for each check; the exit code is 1 when one of them differs.
set -u
cd "$(dirname "$0")/../.."
rekindle=$(realpath "${REKINDLE:-target/release/rekindle}" 2>/dev/null)
if [ ! -x "$rekindle" ]; then
    echo "skipped: there is no ${REKINDLE:-target/release/rekindle}; build it with cargo build --release"
    exit 0
fi
python=${PYTHON:-target/parity/gpt-venv/bin/python}
if ! "$python" -c "import torch, transformers, gguf, xllamacpp" 2>/dev/null; then
    if [ -n "${PYTHON:-}" ]; then
        echo "skipped: $PYTHON has not all of torch, transformers, gguf and xllamacpp"
        exit 0
    fi
    mkdir -p target/parity
    if ! { python3 -m venv target/parity/gpt-venv &&
        "$python" -m pip install --quiet torch transformers gguf xllamacpp jinja2; }; then
        echo "skipped: torch, transformers, gguf and xllamacpp cannot be installed"
        exit 0
    fi
fi
script=$(realpath testing/parity/gpt.py)
python=$(realpath --no-symlinks "$python")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

small="--set model.layers=2 --set model.heads=2 --set model.width=32 --set model.context=64
    --set training.tokenizer.vocabulary=400 --set training.pretraining.data.count=300
    --set training.tuning.data.count=600 --set training.pretraining.steps=60 --set training.tuning.steps=120"
cd "$work" || exit 1
# shellcheck disable=SC2086
"$rekindle" train gpt --run run $small --quiet >train.log 2>&1 || { cat train.log; exit 1; }
for file in m.hf m.gguf m.f16.gguf m.q8_0.gguf m.lopos; do
    "$rekindle" export run "$file" >/dev/null 2>&1 || { echo "DIFFERS: export of $file"; exit 1; }
done
failures=0
"$python" "$script" "$rekindle" || failures=1

if [ -z "${LOOPOS:-}" ]; then
    echo "skipped: LoopOS (LOOPOS names no checkout)"
    exit $failures
fi
# The loader needs no graphics card: a matrix of the processor stands for one of OpenCL.
mkdir -p stub/math
cat >stub/math/opencl_matrix.hpp <<'CPP'
#pragma once
#include "math/cpu_matrix.hpp"
namespace LoopOS { namespace Math {
struct OpenCLMatrix : CPUMatrix {
    using CPUMatrix::CPUMatrix;
    static bool is_initialized() { return true; }
    static void initialize_opencl() {}
};
} }
CPP
cat >greedy.cpp <<'CPP'
#include <iostream>
#include <string>
#include <vector>
#include "utils/model_loader.hpp"

// MODEL VOCABULARY STEPS TOKEN...: goes on with the tokens.
int main(int count, char** arguments) {
    try {
        auto loaded = LoopOS::Utils::ModelLoader::load_complete_model(arguments[1], arguments[2]);
        auto& model = *std::get<0>(loaded);
        std::vector<int> tokens;
        for (int index = 4; index < count; ++index) tokens.push_back(std::stoi(arguments[index]));
        for (int step = std::stoi(arguments[3]); step > 0; --step) {
            auto logits = model.forward(tokens);
            size_t last = logits->rows() - 1, best = 0;
            for (size_t token = 1; token < logits->cols(); ++token)
                if (logits->at(last, token) > logits->at(last, best)) best = token;
            tokens.push_back(static_cast<int>(best));
            std::cerr << "token " << best << "\n";
        }
    } catch (const std::exception& error) {
        std::cerr << "refused: " << error.what() << "\n";
        return 1;
    }
}
CPP
source=$LOOPOS/src
if ! g++ -std=c++17 -O1 -fopenmp -Istub -I"$LOOPOS/include" greedy.cpp "$source"/transformer/*.cpp \
    "$source"/math/{cpu_matrix,autograd,parameter}.cpp \
    "$source"/utils/{serialization,model_loader,logger,profiler,tokenizer}.cpp -o greedy 2>build.log; then
    echo "skipped: LoopOS (its loader does not build: $(grep -m1 error build.log))"
    exit $failures
fi
printf 'vocab_size=2\nnext_id=2\ntotal_tokens=2\n---\n0\t<pad>\t0\n1\t<unk>\t0\n' >words.vocab
theirs=$(./greedy m.lopos words.vocab 12 5 9 70 2>&1 | sed -n 's/^token //p' | tr '\n' ' ')
ours=$("$rekindle" generate m.lopos --prompt "<5> <9> <70>" --temperature 0 --max-tokens 12 --json |
    "$python" -c "import json, sys; print(*json.load(sys.stdin)['tokens'], '')")
if [ -n "$theirs" ] && [ "$theirs" = "$ours" ]; then
    echo "equal: LoopOS loads m.lopos and goes on with the same 12 tokens"
else
    echo "DIFFERS: LoopOS goes on with '$theirs', rekindle with '$ours'"
    failures=1
fi
exit $failures
