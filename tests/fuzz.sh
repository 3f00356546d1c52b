#!/bin/sh
# The fuzz targets of tests/fuzz (docs/fuzzing.md). In `make test`: every stored
# input through every target built by gcc with sanitizers, then FUZZ_SECONDS
# (50) of libFuzzer each, two at a time, with inputs that depend on the commit
# only. `make fuzz`, `make fuzz-afl`: FUZZ_RUNS (100,000,000) executions each, or
# SECONDS= each, JOBS (1) at a time, at random.
#
#   [FUZZ_SECONDS=N] [ONLY=decode] [SEED=N] sh tests/fuzz.sh [long|afl]
set -u
cd "$(dirname "$0")/.." || exit 2
mode=${1:-short}
make=${MAKE:-make}
corpus=tests/fuzz/corpus
san=fuzz
[ -n "${BARE:-}" ] && san=fuzz-bare
built=build/$san/clang/fuzz
work=build/fuzz
targets=${ONLY:-$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')}
jobs=${JOBS:-1}
[ "$mode" = short ] && jobs=${JOBS:-2}
[ "$mode" = short ] && FUZZ_SECONDS=${FUZZ_SECONDS:-50}
afl=build/afl${BARE:+-bare}
found=$work/afl${BARE:+-bare}
SEED=${SEED:-}
export DEPS=skip
failed=0

# What the address sanitizer does beside looking at each access costs more than
# the targets themselves: freed memory is kept for 1 MB (not 256), and who
# allocated a block is not written down (a replay of the finding says that).
export ASAN_OPTIONS="quarantine_size_mb=1:thread_local_quarantine_size_kb=64:\
malloc_context_size=0:max_malloc_fill_size=256${ASAN_OPTIONS:+:$ASAN_OPTIONS}"

# What broke, of the output of a target.
why() { # file
    grep -E 'not true|ERROR|runtime error|SUMMARY' "$1" | cut -c1-200 | head -n 4 | sed 's/^/  /'
}

# --- stored inputs -----------------------------------------------------------

replay() {
    $make --no-print-directory SAN=address fuzz-programs || exit 1
    inputs=0
    for target in $targets; do
        if build/address/fuzz/"$target" "$corpus/$target" >"$work/replay" 2>&1; then
            inputs=$((inputs + $(sed -n 's/ inputs$//p' "$work/replay")))
        else
            failed=$((failed + 1))
            for input in "$corpus/$target"/*; do
                build/address/fuzz/"$target" "$input" >"$work/replay" 2>&1 && continue
                echo "$target: a stored input fails:"
                why "$work/replay"
                echo "  again: $make SAN=address fuzz-programs && build/address/fuzz/$target $input"
            done
        fi
    done
    echo "  $inputs stored inputs replayed"
}

# --- libFuzzer ---------------------------------------------------------------

can_fuzz() {
    printf '#include <stddef.h>\nint LLVMFuzzerTestOneInput(const char *, size_t);\nint LLVMFuzzerTestOneInput(const char *d, size_t n) { (void)d; (void)n; return 0; }\n' |
        clang -fsanitize=fuzzer,address -x c - -o "$work/can" >"$work/why" 2>&1
}

# The longest input, bytes: a lesson is longer than a few packets.
longest() { # target
    [ "$1" = document ] && echo 3000 || echo 600
}

dictionary() { # target, option
    [ -f "tests/fuzz/$1.dict" ] && echo "$2tests/fuzz/$1.dict"
}

# The same commit always meets the same inputs, another commit others: 31 bits of
# its tree; 1 where there is none. 0 would be a random one.
seed_of_tree() {
    tree=$(git -c safe.directory='*' rev-parse -q --verify 'HEAD^{tree}' 2>/dev/null | cut -c1-8)
    seed=$((0x${tree:-0} >> 1))
    echo $((seed > 0 ? seed : 1))
}

# Findings, the growing corpus and the log of a target are in build/fuzz.
libfuzzer() { # target, libFuzzer's options...
    target=$1
    shift
    # shellcheck disable=SC2046 # no dictionary is no word
    "$built/$target" $(dictionary "$target" -dict=) -reload=0 \
        -timeout=60 -rss_limit_mb=2000 -print_final_stats=1 \
        -artifact_prefix="$work/findings/$target-" "$@" >>"$work/$target.log" 2>&1
}

# From the stored inputs, in one order on every machine, and from nothing that
# an earlier run has left.
from_stored() { # target, libFuzzer's options...
    rm -rf "$work/short/$1"
    mkdir -p "$work/short/$1"
    find "$corpus/$1" -type f | LC_ALL=C sort | tr '\n' , | sed 's/,$//' >"$work/$1.stored"
    libfuzzer "$@" -seed="$SEED" -seed_inputs=@"$work/$1.stored" "$work/short/$1"
}

from_grown() { # target, libFuzzer's options...
    mkdir -p "$work/corpus/$1"
    libfuzzer "$@" ${SEED:+-seed="$SEED"} "$work/corpus/$1" "$corpus/$1"
}

# Four fifths with inputs of 64 bytes, which go three times as fast, and one
# fifth with long ones.
fuzz() { # target
    mkdir -p "$work/findings"
    : >"$work/$1.log"
    if [ -n "${FUZZ_SECONDS:-}" ]; then
        limit=-max_total_time n=$FUZZ_SECONDS
    else
        limit=-runs n=${FUZZ_RUNS:-100000000}
    fi
    long=$(((n + 4) / 5)) # 0 would be without a limit
    short=$((n > long ? n - long : 1))
    run=from_grown
    [ "$mode" = short ] && run=from_stored
    $run "$1" $limit=$short -max_len=64 &&
        $run "$1" $limit=$long -max_len="$(longest "$1")"
    echo $? >"$work/$1.status"
}

# Last, for who sees only the end of an output: the input itself, and how to see
# it again.
tell_finding() { # target
    input=$(sed -n 's/.*Test unit written to //p' "$work/$1.log" | tail -n 1)
    echo "$1: a finding after $runs executions${SEED:+, seed $SEED}:"
    why "$work/$1.log"
    again="$make SAN=address fuzz-programs && build/address/fuzz/$1"
    if [ ! -f "$input" ]; then
        echo "  no input was kept; the whole log: $work/$1.log"
    elif [ "$(wc -c <"$input")" -gt 768 ]; then
        echo "  the input: $input; the same seed meets it again: SEED=${SEED:-} ONLY=$1 sh tests/fuzz.sh"
        echo "  again: $again $input"
    else
        echo "  the input in base64: $(base64 <"$input" | tr -d '\n')"
        echo "  again: echo BASE64 | base64 -d >finding && $again finding"
    fi
}

tell() { # target
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$1.log" |
        awk '{ n += $1 } END { print n + 0 }')
    total=$((total + runs))
    [ "$mode" = short ] || echo "  $1: $runs executions"
    [ "$(cat "$work/$1.status")" = 0 ] && return
    failed=$((failed + 1))
    tell_finding "$1"
}

# --- AFL++ -------------------------------------------------------------------

# Goes on where it was stopped.
afl() { # target
    limit="-E ${FUZZ_RUNS:-100000000}"
    [ -n "${FUZZ_SECONDS:-}" ] && limit="-V $FUZZ_SECONDS"
    # shellcheck disable=SC2046,SC2086 # words
    AFL_AUTORESUME=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        ASAN_OPTIONS=$ASAN_OPTIONS:abort_on_error=1:symbolize=0 \
        afl-fuzz -i "$corpus/$1" -o "$found/$1" -m none -t 1000 $limit \
        -G "$(longest "$1")" $(dictionary "$1" -x) -- \
        "$afl/fuzz/$1" >"$work/$1.log" 2>&1
    echo $? >"$work/$1.status"
}

of_stats() { # target, name
    sed -n "s/^$2 *: *//p" "$found/$1/default/fuzzer_stats" 2>/dev/null
}

tell_afl() { # target
    runs=$(of_stats "$1" execs_done)
    crashes=$(of_stats "$1" saved_crashes)
    hangs=$(of_stats "$1" saved_hangs)
    total=$((total + ${runs:-0}))
    echo "  $1: ${runs:-no} executions, those of earlier times included"
    if [ "$(cat "$work/$1.status")" != 0 ]; then
        failed=$((failed + 1))
        tail -n 8 "$work/$1.log"
    elif [ "$crashes$hangs" != 00 ]; then
        failed=$((failed + crashes + hangs))
        echo "$1: $crashes crashes, $hangs hangs: $found/$1/default"
    fi
}

# --- all of them -------------------------------------------------------------

each() { # how to run one, how to tell of it
    running=
    total=0
    for target in $targets; do
        $1 "$target" &
        running="$running $!"
        if [ "$(echo "$running" | wc -w)" = "$jobs" ]; then
            # shellcheck disable=SC2086 # pids are words
            wait $running
            running=
        fi
    done
    wait
    for target in $targets; do
        $2 "$target"
    done
    echo "fuzz${SEED:+, seed $SEED}: $total executions, $failed findings"
    [ $failed = 0 ]
}

mkdir -p "$found"
if [ "$mode" = afl ]; then
    if ! command -v afl-clang-fast >/dev/null; then
        echo "AFL++ is not installed (Debian, Ubuntu: apt-get install afl++)"
        exit 2
    fi
    san=address
    [ -n "${BARE:-}" ] && san=
    $make --no-print-directory BUILD="$afl" SAN=$san CC=afl-clang-fast fuzz-programs || exit 1
    each afl tell_afl
    exit
fi
[ "$mode" = long ] || replay
if ! can_fuzz; then
    tail -n 2 "$work/why"
    [ $failed = 0 ] || exit 1
    [ "$mode" = long ] && echo "clang cannot link libFuzzer here (libclang-rt, compiler-rt)" && exit 2
    echo "fuzz: stored inputs passed; new ones skipped: no libFuzzer here"
    exit 0
fi
$make --no-print-directory SAN=$san CC=clang fuzz-programs || exit 1
[ "$mode" = short ] && SEED=${SEED:-$(seed_of_tree)}
each fuzz tell
