#!/bin/sh
# Every transcript in docs/errors.md, run: what stands behind `>` is typed into
# `hand`, and its words must be the other lines, to the letter. In a network of
# its own, without capabilities unless the block says root. Also: every errno of
# the table has its section, and every section a transcript.
set -u
cd "$(dirname "$0")/../.." || exit 2

if [ "${1:-}" != inside ]; then
    ${MAKE:-make} --no-print-directory lessons >/dev/null || exit 1
    for how in 'unshare -rn' 'unshare -n'; do
        $how true 2>/dev/null && exec $how sh "$0" inside
    done
    echo 'errors: no private network on this machine, nothing was tried'
    exit 0
fi
ip link set lo up || exit 1

hand=$PWD/${BUILD:-build}/lessons/01-blocking/hand
page=docs/errors.md
box=$(mktemp -d) || exit 2
trap 'rm -rf "$box"' EXIT
failed=0
wrong() {
    failed=$((failed + 1))
    echo "NOT SO: $page:$*"
}

# One file a transcript: NUMBER of its line, then `root` where that is said.
awk -v box="$box" '
    /^```hand/ { file = box "/" NR; print $2 > file; next }
    /^```/ { file = "" }
    file { print > file }' $page
chmod 755 "$box"

# The other end's answer comes through the kernel's queue, on a busy machine a
# moment later than the next line; so a transcript has a few attempts.
attempt() { # file
    who=$(head -n 1 "$1")
    prepare=$(sed -n 's/^\$ //p' "$1")
    sed -n '2,$s/^> //p' "$1" >"$box/typed"
    sed -n '2,$p' "$1" | grep -v '^[$>] ' >"$box/wanted"
    drop='setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all'
    [ "$who" = root ] && drop=
    unshare -n sh -c "ip link set lo up && { ${prepare:-:}; } && exec $drop '$hand'" \
        <"$box/typed" 2>&1 | tail -n +2 >"$box/said"
    cmp -s "$box/wanted" "$box/said"
}
count=0
for file in $(cd "$box" && ls | sort -n); do
    count=$((count + 1))
    for try in 1 2 3 4 5; do
        attempt "$box/$file" && continue 2
    done
    wrong "$file: the transcript says one thing and hand another"
    diff "$box/wanted" "$box/said" | sed 's/^/    /'
done

section() { awk -v head="## $1" '/^## / { on = $0 == head } on' $page; }
for name in $(grep -o '^| .*\[E[A-Z]*\]' $page | sed 's/.*\[//; s/\]//' | sort -u); do
    section "$name" | grep -q '^```hand' ||
        wrong " $name is in the table and has no section with a transcript"
done
for name in $(sed -n 's/^## \(E[A-Z]*\)$/\1/p' $page); do
    grep -q "^|.*\[$name\]" $page || wrong " $name has a section and is not in the table"
done
[ $count -gt 0 ] || wrong ' it has no transcripts'

echo "errors: $count transcripts run, $failed wrong"
[ $failed = 0 ]
