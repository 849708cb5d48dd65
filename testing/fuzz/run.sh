#!/bin/sh
# Fuzzes one target, or each in turn: fuzz/run.sh [TARGET [SECONDS]]. Prints a line of the table in
# fuzz/README.md for each; ends with an error when one found something.
set -eu
cd "$(dirname "$0")"
seconds=${2:-120}
targets=${1:-}
[ -n "$targets" ] || targets=$(cargo fuzz list --fuzz-dir .)
# The flags of sanitizers and of coverage are those of nightly; the stable compiler takes them too.
export RUSTC_BOOTSTRAP=1
commit=$(git rev-parse --short=10 HEAD)
failed=0
for target in $targets; do
    case $target in
        circuit | config | dimacs | english | facts | genome_file | key_text | search | smtlib | statements | table | tokenizer_json | tptp | wrapped_key) dictionary=text ;;
        json | json_gz | safetensors) dictionary=formats ;;
        gguf | hugging_face | lopos* | rustgpt_* | texts) dictionary=models ;;
        *) dictionary=store ;;
    esac
    # A gzipped file may grow 1100-fold, a node may refer to a box of 1 MiB with every third byte.
    case $target in
        idx | json_gz | index_node) length=4096 ;;
        *) length=16384 ;;
    esac
    mkdir -p "corpus/$target" "logs"
    log=logs/$target.log
    status=0
    RAYON_NUM_THREADS=1 nice -n 19 cargo fuzz run --fuzz-dir . "$target" "corpus/$target" "seeds/$target" -- \
        -dict="dictionaries/$dictionary.dict" -max_len="$length" -max_total_time="$seconds" \
        -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout="${FUZZ_TIMEOUT:-2}" -print_final_stats=1 \
        >"$log" 2>&1 || status=$?
    stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -n 1; }
    findings=$(grep -c 'Test unit written to' "$log" || true)
    ran=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second.*/\1/p' "$log")
    executions=$(stat number_of_executed_units)
    echo "| $target | $executions | ${ran:-less} | $findings | $(stat peak_rss_mb) | $commit |"
    [ "$status" -eq 0 ] || failed=1
done
exit $failed
