#!/bin/sh
# `make bench`: the benchmarks, a part each: tests/bench/PART.sh, which leaves
# its table in build/bench/PART.txt and one JSON object in build/bench/PART.json.
# Prints the tables; JSON=FILE gets the objects, with the machine they ran on.
#
#   ONLY='viz' JSON=bench.json sh tests/bench/run.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
out=build/bench
mkdir -p $out
load() { cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown; }

cores=$(nproc 2>/dev/null || echo 1)
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)
memory=$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo 2>/dev/null)
before=$(load)
echo "machine: $cores x ${cpu:-unknown CPU}, ${memory:-unknown memory}, $(uname -sr)"
echo "load before: $before"
if awk -v load="${before%% *}" -v cores="$cores" 'BEGIN { exit !(load > cores / 2) }'; then
    echo 'The machine is busy: believe seconds of CPU and ratios, not the clock.'
fi

status=0
done=
for part in ${ONLY:-pool viz}; do
    if [ ! -f "tests/bench/$part.sh" ]; then
        echo "There is no benchmark $part; there are: $(ls tests/bench/*.sh |
            sed 's|.*/||; s|\.sh$||' | grep -v '^run$' | tr '\n' ' ')" >&2
        exit 2
    fi
    rm -f "$out/$part.txt" "$out/$part.json"
    sh "tests/bench/$part.sh" || status=1
    [ -f "$out/$part.txt" ] && { echo; cat "$out/$part.txt"; }
    [ -f "$out/$part.json" ] && done="$done $part"
done

if [ -n "${JSON:-}" ]; then
    {
        printf '{"version":1,"machine":{"cores":%d,"cpu":"%s","memory":"%s","system":"%s","load_before":"%s","load_after":"%s"},"parts":[' \
            "$cores" "${cpu:-}" "${memory:-}" "$(uname -sr)" "$before" "$(load)"
        comma=
        for part in $done; do
            printf '%s\n' "$comma"
            cat "$out/$part.json"
            comma=,
        done
        echo ']}'
    } >"$JSON" || status=2
    echo "JSON: $JSON"
fi
exit $status
