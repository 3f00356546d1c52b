#!/bin/sh
# docs/coverage.md: every link leads to a heading that exists in the file it
# names, every item is taught somewhere or says with which lesson it comes, and
# no lesson that exists is announced any longer. The same for the links of the
# other pages in docs/.
set -u
cd "$(dirname "$0")/.." || exit 2
box=$(mktemp -d) || exit 2
trap 'rm -rf "$box"' EXIT
wrong() {
    echo "NOT SO: $*"
    echo x >>"$box/wrong"
}

# A page's anchors, as GitHub makes them of its headings.
anchors() {
    awk '/^```/ { fence = !fence } !fence && /^#+ / { sub(/^#+ +/, ""); print }' "$1" |
        tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g' |
        awk '{ print $0 (seen[$0]++ ? "-" seen[$0] - 1 : "") }'
}
# "page target" of every link within the kit.
for page in docs/*.md README.md CONTRIBUTING.md lessons/*/README.md labs/*/README.md; do
    [ -e "$page" ] || continue
    awk '/^```/ { fence = !fence } !fence' "$page" |
        grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//' |
        grep -vE '^(https?|mailto):' | sed "s|^|$page |"
done >"$box/links"

while read -r page target; do
    file=${target%%#*}
    anchor=
    case $target in *#*) anchor=${target#*#} ;; esac
    path=$page
    [ -n "$file" ] && path=$(dirname "$page")/$file
    if [ ! -e "$path" ]; then
        wrong "$page links to $target: there is no such file"
    elif [ -n "$anchor" ] && ! anchors "$path" | grep -qx -- "$anchor"; then
        wrong "$page links to $target: $path has no heading of that name"
    fi
done <"$box/links"

# Every row of an item leads somewhere.
grep -E '^\| ' docs/coverage.md | grep -vE '^\| (item|call|what they say) ' >"$box/rows"
while IFS= read -r row; do
    case $row in
    *'](../lessons/'* | *'](errors.md#'* | *'comes with lesson '*) ;;
    *) wrong "docs/coverage.md: taught nowhere: $row" ;;
    esac
done <"$box/rows"
for lesson in lessons/*/README.md; do
    number=$(echo "$lesson" | sed 's|lessons/0*\([0-9]*\)-.*|\1|')
    grep -oE 'comes with lesson [0-9]+(,? (and )?lesson [0-9]+)*' docs/coverage.md |
        grep -qwE "lesson $number" &&
        wrong "docs/coverage.md: lesson $number exists, but is still said to come"
    grep -q "(\.\./$lesson#" docs/coverage.md ||
        wrong "docs/coverage.md: nothing leads to $lesson"
done

links=$(wc -l <"$box/links")
rows=$(wc -l <"$box/rows")
count=0
[ -e "$box/wrong" ] && count=$(wc -l <"$box/wrong")
echo "coverage: $rows items, $links links, $count wrong"
[ "$count" = 0 ] && [ "$rows" -gt 30 ] && [ "$links" -gt 30 ]
