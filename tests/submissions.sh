#!/bin/sh
# Every submission of tests/submissions/ earns what its `expect` file says:
# right programs all points, wrong ones their name and only that name, bad ones
# one clear message; nothing is left running. RUNS=50 repeats each; ONLY=name
# takes those whose name has it, NOT=name leaves them out; JOBS=n grades so many
# at once.
set -u
cd "$(dirname "$0")/.." || exit 2
grade=${GRADE:-build/bin/grade}
runs=${RUNS:-1}
only=${ONLY:-}
# A grade keeps about one core busy.
jobs=${JOBS:-$(nproc 2>/dev/null || echo 1)}
log=$(mktemp) || exit 2
list=$(mktemp) || exit 2
trap 'rm -f "$log" "$list"' EXIT

if [ ! -x "$grade" ]; then
    echo "There is no $grade. Type: make all" >&2
    echo '0 passed, 1 failed'
    exit 2
fi
for folder in tests/submissions/[0-9][0-9]-*/*/; do
    name=$(basename "$folder")
    case $name in *"$only"*) ;; *) continue ;; esac
    [ -n "${NOT:-}" ] && case $name in *"$NOT"*) continue ;; esac
    printf '%s\n' "${folder%/}"
done >"$list"
xargs -P "$jobs" -I '{}' python3 tests/submissions/judge.py "$grade" '{}' "$runs" \
    <"$list" >"$log" 2>&1
LC_ALL=C sort "$log" | grep '^ok '
grep -v '^ok ' "$log"
passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^FAILED ' "$log")
# A judge that broke down is a failure too.
all=$(wc -l <"$list")
[ "$all" -eq $((passed + failed)) ] || failed=$((all - passed))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
