#!/usr/bin/env bash
# The table of docs/benchmarks.md about what language models are told of the tree of a text: the same small model, told
# nothing, one thing, or all, for three seeds, asked problems that are alike, deeper, longer and drawn otherwise.
#   tools/gpt_structure.sh [STEPS] [COUNT]        1500 steps and 300 problems of each kind by default; needs jq
set -euo pipefail
steps=${1:-1500} count=${2:-300}
rekindle=${REKINDLE:-$PWD/target/release/rekindle}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cat > plain.yaml <<YAML
system: gpt
model: {layers: 3, heads: 4, width: 64, context: 160, tied: true, sampling: {temperature: 0.0}}
training:
  tokenizer: {kind: words, vocabulary: 400, symbols: {}}
  parts: 2
  pretraining:
    data: {source: reasoning, suites: [dyck, listops, arithmetic, entailment], random_positions: true, count: 60000, evaluation: 0.005}
    steps: $steps
    batch: 32
    learning_rate: 0.003
    warmup: 100
evaluate: {every: 10000}
checkpoint: {every_seconds: 600}
YAML
told=("" "depth: true" "tree: true" "bias: true" "mask: true" "depth: true, tree: true, bias: true, mask: true")
names=(plain depth tree bias mask all)
for index in "${!names[@]}"; do
    for seed in 0 1 2; do
        run=${names[index]}-$seed
        "$rekindle" train plain.yaml --quiet --threads 1 --run "$run" --set "seed=$seed" --set "model.structure={${told[index]}}" > /dev/null
        "$rekindle" evaluate "$run" --threads 1 --suite dyck --suite listops --suite arithmetic --suite entailment --count "$count" --json > "$run.json" 2> /dev/null
        rm -rf "$run"
    done
done
echo "| told | suite | in_distribution | deeper | longer | shifted |"
echo "|---|---|---|---|---|---|"
for name in "${names[@]}"; do
    jq -rs --arg name "$name" '
        [.[].suites[] | {suite, split, share: (100 * .right / .asked)}] | group_by(.suite)[]
        | . as $of | $of[0].suite as $suite
        | [ "in_distribution", "deeper", "longer", "shifted" ]
        | map(. as $split | [$of[] | select(.split == $split) | .share] | (add / length) as $mean
              | "\($mean | round) (\(min | round) to \(max | round))")
        | "| \($name) | \($suite) | " + join(" | ") + " |"' "$name"-*.json
done
