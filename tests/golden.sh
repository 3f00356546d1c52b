#!/bin/sh
# What viz prints without a screen: each tests/golden/NAME.args is a command
# line, as typed behind `viz`; NAME.expected is its output, then what it said
# on standard error and its status. Compared byte for byte: nothing in them may
# change from run to run. RECORD=1 writes them anew (then read the diff).
#
#   sh tests/golden.sh [NAME-PART]      only names that contain it
set -u
cd "$(dirname "$0")/.." || exit 2
viz=${VIZ:-build/bin/viz}
export LC_ALL=C.UTF-8
passed=0
failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

if [ ! -x "$viz" ]; then
    echo "$viz is not built: type make all" >&2
    exit 2
fi

for args in tests/golden/*"${1:-}"*.args; do
    [ -e "$args" ] || continue
    name=$(basename "$args" .args)
    expected=tests/golden/$name.expected
    eval "set -- $(tr '\n' ' ' <"$args")" # our own: quotes as in a shell
    "$viz" "$@" >"$work/got" 2>"$work/errors" </dev/null
    status=$?
    [ -s "$work/errors" ] && sed 's/^/stderr: /' "$work/errors" >>"$work/got"
    [ $status = 0 ] || echo "status: $status" >>"$work/got"
    if [ "${RECORD:-}" = 1 ]; then
        cp "$work/got" "$expected"
        passed=$((passed + 1))
    elif diff -u "$expected" "$work/got"; then
        passed=$((passed + 1))
    else
        echo "  golden: $name differs (viz $(cat "$args"))"
        failed=$((failed + 1))
    fi
done

# An expected output without its command line tests nothing.
for expected in tests/golden/*.expected; do
    [ -e "${expected%.expected}.args" ] && continue
    echo "  golden: $expected has no .args beside it"
    failed=$((failed + 1))
done
echo "golden outputs: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
