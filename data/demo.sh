#!/bin/sh
# The main job on data/: train, score, write. `make demo` runs it with the project installed.
set -eu
cd "$(dirname "$0")/.."
RUN=runs/demo
rm -rf "$RUN"
run() {
    printf '\n$'
    for word; do
        case $word in *" "*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    "$@"
}

run charlm train data/demo.txt --level word --split unicode --min-count 3 --minutes 0.6 --out "$RUN"
CHARLM_MODEL=$RUN
export CHARLM_MODEL
run charlm score "the apple and pair salad" "the apple and pear salad"
run charlm score "The cat, which already ate fish, was full." \
    "The cat, which already ate fish, were full."
run charlm score "The cats, which already ate fish, was full." \
    "The cats, which already ate fish, were full."
run charlm score --words "The cats, which already ate fish, was full."
run charlm sample --prompt "Cats average 15" --temperature 0
run charlm sample --temperature 0.8 --lines 5 --seed 1
