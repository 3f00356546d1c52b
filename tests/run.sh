#!/bin/sh
# `make test`: everything CI runs, a stage a line. Stops for nothing, tells at
# the end which stages failed, and with which words: often the end is all that
# one sees. Each stage's whole output is in build/test-logs.
set -u
cd "$(dirname "$0")/.." || exit 2
logs=build/test-logs
mkdir -p $logs
make="${MAKE:-make} --no-print-directory"
export DEPS=skip
jobs=$(nproc 2>/dev/null || echo 2)
failed=
passed=0

# The last lines of a stage that say something: not what was built, nor what
# passed.
last() { # name, lines
    grep -vE '^  (CC|AR|LD|TEST|FUZZ) |^ok |: \*\*\* Waiting|^  [a-z_]+ +[0-9]+ passed$' \
        "$logs/$1.log" | tail -n "$2" | cut -c1-400 | sed 's/^/    /'
}

stage() { # name, command...
    name=$1
    shift
    printf '%-34s' "$name ..."
    begun=$(date +%s)
    "$@" >"$logs/$name.log" 2>&1 </dev/null
    status=$?
    took=$(($(date +%s) - begun))
    if [ $status = 0 ]; then
        passed=$((passed + 1))
        printf 'ok     %4d s   %s\n' $took "$(tail -n 1 "$logs/$name.log" | cut -c1-60)"
    else
        failed="$failed $name"
        printf 'FAILED %4d s   status %d\n' $took $status
        last "$name" 40
    fi
}

# A folder of tests brings its own runner: tests/NAME.sh.
stage lint sh tests/lint.sh
stage build-gcc $make -j"$jobs" all
stage build-clang $make -j"$jobs" CC=clang all
stage unit $make -j"$jobs" unit
stage build-address $make -j"$jobs" SAN=address all
stage unit-address $make -j"$jobs" SAN=address unit
for name in golden golden-screens docs headless confine hostile \
    terminals stops mishaps join terms lossy alarms \
    calls export pool fuzz decode-coverage bench bench-pool coverage commands lab-commands \
    lessons/programs lessons/errors lab kernel-truth wireshark fields promises lessons/play grading submissions; do
    script=tests/$name.sh
    [ -e $script ] || continue
    name=$(echo "${script#tests/}" | tr / - | sed 's/\.sh$//')
    stage "$name" sh $script
done

if [ -n "$failed" ]; then
    count=$(echo "$failed" | wc -w)
    for name in $failed; do
        echo "$name failed; the end of $logs/$name.log:"
        last "$name" $((count < 5 ? 15 / count : 3))
    done
    echo "stages: $passed passed, $count failed:$failed"
    exit 1
fi
echo "stages: $passed passed, 0 failed"
