#!/usr/bin/env bash
# Plays a new user's first day with the command, stumble by stumble, and prints what happens at each as a table.
# Exit code 1 when one of them is not as it should be.
#   tools/first_day.sh [PROGRAM]          default: target/release/rekindle
set -uo pipefail
rekindle=$(realpath "${1:-target/release/rekindle}")
[ -x "$rekindle" ] || { echo "there is no $rekindle" >&2; exit 2; }
day=$(mktemp -d)
trap 'rm -rf "$day"' EXIT
cd "$day" || exit 2
unset REKINDLE_KERNELS COLUMNS
export LC_ALL=C.UTF-8
failed=0

# One row: what is tried, whether it is as it should be, and what happened in a few words.
row() {
    local what=$1 verdict=$2 found=$3
    [ "$verdict" = yes ] || failed=1
    printf '| %s | %s | %s |\n' "$what" "$verdict" "$(tr '\n|' ' /' <<<"$found" | cut -c1-150)"
}
# Runs a command; its output and exit code are left in `said` and `code`.
run() {
    said=$("$rekindle" "$@" 2>&1)
    code=$?
}
# A row that holds when the code is the one given and the output has the text.
expect() {
    local what=$1 wanted=$2 text=$3
    shift 3
    run "$@"
    if grep -qx -- "$wanted" <<<"$code" && grep -q -- "$text" <<<"$said"; then verdict=yes; else verdict=NO; fi
    row "$what" $verdict "exit $code: $(grep -m1 -- "$text" <<<"$said" || head -n 1 <<<"$said")"
}

quick="--set training.epochs=60 --set evaluate.every=20 --set checkpoint.every_steps=20 -q"
{
    echo x,y,kind
    for i in $(seq 1 120); do echo "$((i % 7)),$((i % 5)),$([ $((i % 7)) -gt 3 ] && echo far || echo near)"; done
} >table.csv
cp table.csv moved.csv
tr ',' ';' <table.csv >semicolons.csv
{ echo "x,y,kind"; echo "1,,near"; } >holes.csv

echo '| what is tried | as it should be | what happens |'
echo '|---|---|---|'
# shellcheck disable=SC2086
run train life --run runs/life $quick
row 'a first training' "$([ $code = 0 ] && echo yes || echo NO)" "exit $code"

# Data and runs that move.
run train wisard --data table.csv --target kind --run runs/table -q
row 'a table of one'"'"'s own, `--target kind`' "$([ $code = 0 ] && echo yes || echo NO)" "exit $code: $(tail -n 1 <<<"$said")"
expect 'the data lie elsewhere on resume' 0 'step' resume runs/table --data moved.csv -q
run train wisard --data moved.csv --target kind --run runs/other -q
one=$("$rekindle" status runs/table --json | grep -o '"state_hash":"[^"]*"')
two=$("$rekindle" status runs/other --json | grep -o '"state_hash":"[^"]*"')
row 'the same table under two names, the same state' "$([ "$one" = "$two" ] && echo yes || echo NO)" "$one"
(cd / && "$rekindle" resume "$day/runs/life" -q --set training.epochs=80 >/dev/null 2>&1)
code=$?
row 'a run is resumed from another directory' "$([ $code = 0 ] && echo yes || echo NO)" "exit $code"
expect 'columns between semicolons' 0 'separated' train wisard --data semicolons.csv --target kind --run runs/semi
expect 'a missing value is refused with its place' 2 'in row 1' train wisard --data holes.csv --target kind --run runs/holes
expect 'labelled data: accuracy, confusion, calibration' 0 'calibration error' evaluate runs/table --data table.csv
expect 'answers with the inputs and how probable each class is' 0 'kind_is_far' predict runs/table --data table.csv --inputs --probabilities

# Stopping.
for signal in INT HUP TERM; do
    "$rekindle" train life --run "runs/stop-$signal" --set training.epochs=100000000 -q >/dev/null 2>&1 &
    pid=$!
    sleep 2
    kill -$signal $pid
    sleep 0.0005
    [ $signal = INT ] && kill -$signal $pid 2>/dev/null
    wait $pid
    code=$?
    saved=$("$rekindle" status "runs/stop-$signal" --json | grep -o '"step":[0-9]*')
    row "SIG$signal$([ $signal = INT ] && echo ', twice within a millisecond') saves" \
        "$([ $code -gt 128 ] && [ "$saved" != '"step":0' ] && echo yes || echo NO)" "exit $code, $saved"
done
row 'a stopped run is called stopped' "$("$rekindle" status runs/stop-INT | grep -q 'state  *stopped' && echo yes || echo NO)" "$("$rekindle" status runs/stop-INT | grep '^state ')"
expect 'a finished run says that it is' 0 'nothing to do\|finished' resume runs/life -q

# Keeping runs.
expect 'a metric that does not exist deletes nothing' 2 'there is no metric\|no checkpoint has' prune runs/life --keep-best TYPO:max
"$rekindle" keygen --signing sign.pem --json >public.json
public=$(grep -o 'ed25519:[^"]*' public.json)
"$rekindle" sign runs/life --key sign.pem >/dev/null 2>&1
expect 'sign, then verify --signed-by' 0 'good' verify runs/life --signed-by "$public"
before=$(du -sb runs/life | cut -f1)
"$rekindle" gc runs/life --grace 0 >/dev/null 2>&1
after=$(du -sb runs/life | cut -f1)
row 'gc never makes a run grow' "$([ "$after" -le "$before" ] && echo yes || echo NO)" "$before bytes, then $after"
"$rekindle" export runs/life x.safetensors >/dev/null 2>&1
expect 'the same once more' 2 'there already' export runs/life x.safetensors
expect 'with --force' 0 'wrote' export runs/life x.safetensors --force

# Errors.
mkdir adir
expect 'import of a directory that is no model' 2 'config.json' import adir --run runs/i
expect 'a negative number of threads' 2 'threads' train life --threads -1
expect 'a misspelt key' 2 'did you mean' train life --set training.epoch=5
expect '`1e3` is a number' 0 '1000' show-config life --set training.epochs=1e3
expect 'a wrong type in plain words' 2 'whole number' show-config life --set training.epochs=many
head -c 20000 /dev/urandom >random.bin
expect 'random bytes as a text are noticed' 0 'which no text has' train gpt --data random.bin --run runs/random --stop-at 0
printf 'ab' >tiny.txt
expect 'two bytes are too little' 2 'tiny.txt' train gpt --data tiny.txt --run runs/tiny
name=$(printf 'r\377')
"$rekindle" train life --run "$name" --set training.epochs=5 -q >/dev/null 2>said.txt
code=$?
row 'a name that is not UTF-8' "$(grep -q panicked said.txt && echo NO || echo yes)" "exit $code"

# Screens, JSON, help.
COLUMNS=80 "$rekindle" ls runs/life >ls.txt
widest=$(wc -L <ls.txt)
row '`ls RUN` at 80 columns shows the loss first' "$([ "$widest" -le 80 ] && grep -q 'hard_loss\|loss' ls.txt && echo yes || echo NO)" "$(sed -n 2p ls.txt)"
COLUMNS=40 "$rekindle" ls >ls.txt
widest=$(wc -L <ls.txt)
row '`ls` at 40 columns' "$([ "$widest" -le 44 ] && echo yes || echo NO)" "widest line: $widest"
"$rekindle" train life --run runs/json --json --set training.epochs=60 >events.txt 2>/dev/null
row 'progress as JSON lines' "$(grep -q '"event":"ended"' events.txt && echo yes || echo NO)" "$(cut -c1-60 events.txt | head -n 2)"
expect 'wrong usage as JSON' 2 '"code":2' ls --nonsense --json
TERM=dumb "$rekindle" train life --run runs/dumb --set training.epochs=60 >/dev/null 2>dumb.txt
row 'progress on a dumb terminal' "$(grep -q 'step 60' dumb.txt && echo yes || echo NO)" "$(tail -n 1 dumb.txt)"
missing=
for command in $("$rekindle" --help | sed '/^Options:/,$d' | sed -n 's/^  \([a-z][a-z-]*\)  *[A-Z].*/\1/p' | grep -v '^help$'); do
    "$rekindle" "$command" --help | grep -q '^Examples:' || missing="$missing $command"
done
row 'every help has examples' "$([ -z "$missing" ] && echo yes || echo NO)" "${missing:-none is missing}"
expect 'a manual page' 0 '.TH' man train
row 'Tab knows presets' "$(COMPLETE=bash _CLAP_COMPLETE_INDEX=2 _CLAP_IFS=$'\n' _CLAP_COMPLETE_COMP_TYPE=9 _CLAP_COMPLETE_SPACE=true "$rekindle" -- rekindle train li 2>&1 | grep -q life && echo yes || echo NO)" "$(COMPLETE=bash _CLAP_COMPLETE_INDEX=2 _CLAP_IFS=$'\n' _CLAP_COMPLETE_COMP_TYPE=9 _CLAP_COMPLETE_SPACE=true "$rekindle" -- rekindle train li 2>&1)"
row 'Tab knows steps and tags' "$(COMPLETE=bash _CLAP_COMPLETE_INDEX=2 _CLAP_IFS=$'\n' _CLAP_COMPLETE_COMP_TYPE=9 _CLAP_COMPLETE_SPACE=true "$rekindle" -- rekindle inspect runs/life@ 2>&1 | grep -q latest && echo yes || echo NO)" "$(COMPLETE=bash _CLAP_COMPLETE_INDEX=2 _CLAP_IFS=$'\n' _CLAP_COMPLETE_COMP_TYPE=9 _CLAP_COMPLETE_SPACE=true "$rekindle" -- rekindle inspect runs/life@ 2>&1)"
expect 'learning curves' 0 'wrote' plot runs/life --out curve.svg
row 'with the titles of the axes' "$(grep -q 'step<' curve.svg && echo yes || echo NO)" "$(grep -o '>[a-z ]*step[a-z ]*<' curve.svg | head -n 1)"
expect 'as PNG' 0 'wrote' plot runs/life --out curve.png
expect 'what this machine can do' 0 'processor' doctor

# A chat.
cat >gpt.yaml <<'LINES'
system: gpt
model: {layers: 1, heads: 2, width: 32, context: 48}
training:
  tokenizer: {vocabulary: 300}
  pretraining: {data: {source: facts, count: 200}, steps: 8, batch: 4, learning_rate: 0.01}
  tuning: {data: {source: dialogues, count: 200}, steps: 8, batch: 4, learning_rate: 0.005}
LINES
run train gpt.yaml --run runs/gpt -q
row 'a small language model' "$([ $code = 0 ] && echo yes || echo NO)" "exit $code: $(tail -n 1 <<<"$said")"
printf 'hello\n/save /nowhere/x.json\n/bye\n' | "$rekindle" chat runs/gpt --file talk.json >/dev/null 2>&1
row 'a chat is kept, and a bad path is not' "$([ -s talk.json ] && echo yes || echo NO)" "$(head -c 60 talk.json)"
expect 'perplexity and bits per byte' 0 'bits per byte' evaluate runs/gpt --data table.csv
expect 'GGUF out' 0 'wrote' export runs/gpt gpt.gguf
expect 'and in' '0\|3' 'made' import gpt.gguf --run runs/gguf
exit $failed
