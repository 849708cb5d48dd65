#!/usr/bin/env bash
# The tables of docs/benchmarks.md about learning more: students with and without a teacher, and what a model keeps of a first
# text while it learns another.
#   tools/lifelong.sh students|forgetting TEXT [STEPS]    TEXT such as tinyshakespeare.txt; 1500 steps by default; needs jq
# MORE is how many steps learn what comes later, twice as many unless set.
set -euo pipefail
what=$1 text=$(realpath "$2") steps=${3:-1500}
more=${MORE:-$((steps * 2))}
rekindle=${REKINDLE:-$PWD/target/release/rekindle}
threads=${THREADS:-2}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
# What is measured on is the end of the text, which no training sees.
bytes=$(stat -c %s "$text")
head -c $((bytes * 9 / 10)) "$text" > learnt.txt
tail -c +$((bytes * 9 / 10 + 1)) "$text" > unseen.txt
cat > large.yaml <<YAML
system: gpt
model: {layers: 4, heads: 4, width: 128, context: 64}
training:
  tokenizer: {kind: byte_pairs, vocabulary: 512}
  pretraining: {data: {file: learnt.txt, evaluation: 0.02}, steps: $steps, batch: 12, learning_rate: 0.002, warmup: 100}
evaluate: {every: 100000}
checkpoint: {every_seconds: 600}
YAML
train() { "$rekindle" train large.yaml --quiet --threads "$threads" "$@" > /dev/null 2>&1; }
bits() { "$rekindle" evaluate "$1" --data "$2" --threads "$threads" --json 2> /dev/null | jq .bits_per_byte; }

students() {
    echo "| seed | teacher | half of it, alone | half of it, with the teacher |"
    echo "|---|---|---|---|"
    for seed in 0 1 2; do
        train --run "teacher-$seed" --set "seed=$seed"
        # 0.42 million parameters beside 0.93 million.
        train --run "alone-$seed" --set "seed=$seed" --set model.layers=2 --set model.width=112
        train --run "taught-$seed" --set "seed=$seed" --set model.layers=2 --set model.width=112 --teacher "teacher-$seed"
        echo "| $seed | $(bits "teacher-$seed" unseen.txt) | $(bits "alone-$seed" unseen.txt) | $(bits "taught-$seed" unseen.txt) |"
    done
}

forgetting() {
    train --run first
    train --run untrained --stop-at 0 || true
    echo "bits a byte of the first text: $(bits untrained unseen.txt) before training, $(bits first unseen.txt) after it"
    echo "| kept by | first text, bits a byte | of what was gained is left | dialogues, bits a byte |"
    echo "|---|---|---|---|"
    local ways=(
        "nothing|null" "replay 1 %|{replay: 0.01}" "replay 5 %|{replay: 0.05}" "replay 10 %|{replay: 0.1}"
        "replay 20 %|{replay: 0.2}" "self-replay 10 %|{self_replay: 0.1}" "self-replay 20 %|{self_replay: 0.2}"
        "EWC 1|{ewc: 1.0}" "EWC 10|{ewc: 10.0}" "replay 10 % and EWC 0.1|{replay: 0.1, ewc: 0.1}"
        "replay 10 % and EWC 0.3|{replay: 0.1, ewc: 0.3}" "replay 10 % and EWC 1|{replay: 0.1, ewc: 1.0}"
        "replay 20 % and EWC 1|{replay: 0.2, ewc: 1.0}"
    )
    local before after kept name
    before=$(bits untrained unseen.txt) after=$(bits first unseen.txt)
    for way in "${ways[@]}"; do
        name=${way%%|*}
        rm -rf learnt
        "$rekindle" resume first --fork learnt --quiet --threads "$threads" --json \
            --set "training.continual=[{data: {source: dialogues, count: 4000, evaluation: 0.05}, steps: $more, batch: 12, learning_rate: 0.001, warmup: 50, retain: ${way#*|}}]" \
            > learnt.json 2> /dev/null
        kept=$(bits learnt unseen.txt)
        jq -rs --arg name "$name" --argjson before "$before" --argjson after "$after" --argjson kept "$kept" \
            '.[-1] | "| \($name) | \($kept * 1000 | round / 1000) | \((($before - $kept) / ($before - $after) * 1000 | round) / 10) % | \(.metrics.bits_per_byte * 1000 | round / 1000) |"' learnt.json
    done
}

"$what"
