#!/bin/sh
# Run each unit test program (Check, one process a test) and add up: the last
# line is `N passed, N failed`.
set -u
passed=0
failed=0
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    # Check's own deadline guards against a hang; instrumented builds are slow.
    CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-5} CK_VERBOSITY=normal \
        "$program" >"$log" 2>&1
    status=$?
    line=$(grep -E '^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+' \
        "$log" | tail -n 1)
    checks=$(echo "$line" | sed -n 's/.*Checks: \([0-9]*\),.*/\1/p')
    bad=$(echo "$line" | sed -n 's/.*Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2/p')
    bad=$((${bad% *} + ${bad#* })) 2>/dev/null || bad=
    if [ -z "$checks" ] || [ "$checks" = 0 ] || [ -z "$bad" ]; then
        echo "  ${program##*/}: no result (status $status)"
        tail -n 15 "$log"
        failed=$((failed + 1))
        continue
    fi
    passed=$((passed + checks - bad))
    failed=$((failed + bad))
    if [ "$bad" != 0 ] || [ $status != 0 ]; then
        [ "$bad" = 0 ] && failed=$((failed + 1))
        echo "  ${program##*/}: $bad of $checks failed (status $status)"
        grep -vE '^(Running|[0-9]+%)' "$log" | head -n 60
    else
        printf '  %-28s %3d passed\n' "${program##*/}" "$checks"
    fi
done
echo "unit tests: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
