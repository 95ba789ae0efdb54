#!/bin/sh
# The main job on data/: train, score, write. `make demo` runs it with the project installed.
set -eu
cd "$(dirname "$0")/.."
RUN=runs/demo
rm -rf "$RUN"
say() { printf '\n$ %s\n' "$*"; }

say charlm train data/demo.txt --minutes 1.2 --out "$RUN"
charlm train data/demo.txt --minutes 1.2 --out "$RUN"

say 'charlm score "the apple and pair salad" "the apple and pear salad"'
charlm score --model "$RUN" "the apple and pair salad" "the apple and pear salad"

say 'charlm score … was or were, behind a clause'
charlm score --model "$RUN" "The cat, which already ate fish, was full." \
    "The cat, which already ate fish, were full."
charlm score --model "$RUN" "The cats, which already ate fish, was full." \
    "The cats, which already ate fish, were full."

say 'charlm sample --prompt "Cats average 15" --temperature 0'
charlm sample --model "$RUN" --prompt "Cats average 15" --temperature 0

say charlm sample --temperature 0.8 --lines 5 --seed 1
charlm sample --model "$RUN" --temperature 0.8 --lines 5 --seed 1
