#!/bin/sh
# How many lines of viz/decode the unit tests and the fuzz corpus reach, by
# gcov; fails below 95 %. `make coverage` prints the same, with every line that
# nothing reached.
set -u
cd "$(dirname "$0")/.." || exit 2
least=${LEAST:-95}
where=build/coverage
CC=${GCC:-gcc}
if ! command -v "$CC" >/dev/null 2>&1 || ! command -v gcov >/dev/null 2>&1; then
    echo 'decode coverage: skipped, there is no gcc with gcov here'
    exit 0
fi
rm -rf "$where" && mkdir -p "$where" || exit 2
flags='-std=c11 -D_GNU_SOURCE -O0 -g -I.'
# shellcheck disable=SC2086 # flags are words
for source in viz/decode/*.c; do
    $CC $flags --coverage -c -o "$where/$(basename "$source" .c).o" "$source" || exit 1
done
check=$(pkg-config --libs check 2>/dev/null || echo -lcheck)
# shellcheck disable=SC2086
for test in decode read; do
    $CC $flags --coverage -o "$where/check_$test" tests/unit/check_$test.c \
        viz/capture/*.c common/clock.c "$where"/*.o $check -lpcap || exit 1
    CK_FORK=no "$where/check_$test" >"$where/$test.log" 2>&1 || {
        cat "$where/$test.log"
        exit 1
    }
done
# shellcheck disable=SC2086
$CC $flags --coverage -o "$where/fuzz_decode" tests/fuzz/fuzz_decode.c \
    tests/fuzz/main.c "$where"/*.o || exit 1
"$where/fuzz_decode" tests/fuzz/corpus/decode || exit 1

# gcov's words: `File 'viz/decode/ip.c'`, `Lines executed:97.50% of 80`.
(cd "$where" && gcov -r -s ../.. ./*.gcda 2>/dev/null) |
    awk '/^File/ { file = $2; gsub("\047", "", file) }
         /^Lines executed/ && file ~ /^viz\/decode\/.*\.c$/ {
             split($2, part, "[:%]")
             lines = $4
             hit = part[2] * lines / 100
             printf "  %-24s %6.2f %% of %d lines\n", file, part[2], lines
             all += lines; reached += hit; file = ""
         }
         END { printf "%.2f %d\n", all ? 100 * reached / all : 0, all }' >"$where/table"
sed '$d' "$where/table"
[ "${SHOW:-}" = 1 ] && grep -n '#####' "$where"/*.c.gcov | sed "s|$where/||"
read -r percent lines <<TOTAL
$(tail -n 1 "$where/table")
TOTAL
echo "decode coverage: $percent % of $lines lines (at least $least %)"
awk -v p="$percent" -v l=$least 'BEGIN { exit !(p >= l) }'
