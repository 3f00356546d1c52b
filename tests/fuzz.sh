#!/bin/sh
# The fuzz targets of tests/fuzz (docs/fuzzing.md). In `make test`: every stored
# input through every target built by gcc with sanitizers, then FUZZ_SECONDS
# (20) of libFuzzer each, two at a time. `make fuzz`: FUZZ_RUNS (100,000,000)
# executions each, or SECONDS= each, one after the other.
#
#   [FUZZ_SECONDS=N] [ONLY=decode] sh tests/fuzz.sh [long]
set -u
cd "$(dirname "$0")/.." || exit 2
mode=${1:-short}
make=${MAKE:-make}
corpus=tests/fuzz/corpus
built=build/fuzz/clang/fuzz
work=build/fuzz
targets=${ONLY:-$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')}
export DEPS=skip
failed=0

# --- stored inputs -----------------------------------------------------------

replay() {
    $make --no-print-directory SAN=address fuzz-programs || exit 1
    inputs=0
    for target in $targets; do
        if build/address/fuzz/"$target" "$corpus/$target" >"$work/replay" 2>&1; then
            inputs=$((inputs + $(sed -n 's/ inputs$//p' "$work/replay")))
        else
            echo "$target: a stored input fails:"
            head -n 20 "$work/replay"
            failed=$((failed + 1))
        fi
    done
    echo "  $inputs stored inputs replayed"
}

# --- new ones ----------------------------------------------------------------

can_fuzz() {
    printf '#include <stddef.h>\nint LLVMFuzzerTestOneInput(const char *, size_t);\nint LLVMFuzzerTestOneInput(const char *d, size_t n) { (void)d; (void)n; return 0; }\n' |
        clang -fsanitize=fuzzer,address -x c - -o "$work/can" >"$work/why" 2>&1
}

# Findings, the growing corpus and the log of a target are in build/fuzz.
fuzz() { # target, libFuzzer's limits...
    target=$1
    shift
    mkdir -p "$work/corpus/$target" "$work/findings"
    dictionary=
    [ -f "tests/fuzz/$target.dict" ] && dictionary=-dict=tests/fuzz/$target.dict
    length=600
    [ "$target" = document ] && length=3000
    # shellcheck disable=SC2086 # no dictionary is no word
    "$built/$target" "$@" $dictionary -max_len=$length -timeout=10 \
        -rss_limit_mb=2000 -print_final_stats=1 \
        -artifact_prefix="$work/findings/$target-" \
        "$work/corpus/$target" "$corpus/$target" >"$work/$target.log" 2>&1
    echo $? >"$work/$target.status"
}

tell() { # target
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$1.log")
    total=$((total + ${runs:-0}))
    [ "$(cat "$work/$1.status")" = 0 ] && return
    failed=$((failed + 1))
    echo "$1: a finding after ${runs:-?} executions:"
    grep -E 'not true|ERROR|runtime error|SUMMARY|Test unit' "$work/$1.log" | head -n 6
}

fuzz_all() { # libFuzzer's limits...
    running=
    for target in $targets; do
        fuzz "$target" "$@" &
        running="$running $!"
        if [ "$mode" = long ] || [ "$(echo "$running" | wc -w)" = 2 ]; then
            # shellcheck disable=SC2086 # pids are words
            wait $running
            running=
        fi
    done
    wait
    total=0
    for target in $targets; do
        tell "$target"
    done
}

mkdir -p "$work"
[ "$mode" = long ] || replay
if ! can_fuzz; then
    tail -n 2 "$work/why"
    [ $failed = 0 ] || exit 1
    [ "$mode" = long ] && echo "clang cannot link libFuzzer here (libclang-rt, compiler-rt)" && exit 2
    echo "fuzz: stored inputs passed; new ones skipped: no libFuzzer here"
    exit 0
fi
$make --no-print-directory SAN=fuzz CC=clang fuzz-programs || exit 1
if [ "$mode" != long ]; then
    fuzz_all -max_total_time="${FUZZ_SECONDS:-20}"
elif [ -n "${FUZZ_SECONDS:-}" ]; then
    fuzz_all -max_total_time="$FUZZ_SECONDS"
else
    fuzz_all -runs="${FUZZ_RUNS:-100000000}"
fi
echo "fuzz: $total executions of $(echo "$targets" | wc -w) targets, $failed findings"
[ $failed = 0 ]
