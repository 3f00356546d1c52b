#!/bin/sh
# That the benchmark itself can be trusted: its captures hold what they say, its
# table and JSON come out whole, and what of its goals does not hang on how fast
# the machine is now: counts, memory, pictures. Never a time.
#
#   sh tests/bench.sh
set -u
cd "$(dirname "$0")/.." || exit 2
make=${MAKE:-make}
bench=build/bench
viz=build/bin/viz
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
. tests/assert.sh
holds() { # what, condition of awk
    if awk "BEGIN { exit !($2) }" 2>/dev/null; then
        passed=$((passed + 1))
    else
        echo "  $1: untrue: $2"
        failed=$((failed + 1))
    fi
}

$make --no-print-directory $viz bench-programs || exit 2

# --- the captures -----------------------------------------------------------

capture() { # kind, count, seed
    $bench/make_capture "$1" "$2" "$3" "$work/$1-$3.pcap"
}
said() { # file, word: the figure of --summary
    $viz -r "$work/$1" --summary 2>/dev/null |
        sed -n "/^total/,\$s/^  $2 *\([0-9]*\).*/\1/p"
}

for kind in 'few 30000' 'many 3000'; do
    set -- $kind
    capture "$1" "$2" 5 >"$work/truth"
    is "$1: packets, by viz" "$(sed 's/ .*//' "$work/truth")" \
        "$(said "$1-5.pcap" packets)"
    is "$1: sent again, by viz" "$(sed 's/.*packets, \([0-9]*\).*/\1/' \
        "$work/truth")" "$(said "$1-5.pcap" retransmissions)"
done
is 'the few have so many packets' 30000 "$(said few-5.pcap packets)"
is 'their connections' 4 "$(said few-5.pcap connections)"
is 'connections of the many' 3000 "$(said many-5.pcap connections)"
holds 'something was sent again' "$(said few-5.pcap retransmissions) > 0"
for kind in 'few 30000' 'many 3000' 'scan 3000'; do
    set -- $kind
    capture "$1" "$2" 5 >/dev/null
    cp "$work/$1-5.pcap" "$work/first"
    capture "$1" "$2" 5 >/dev/null
    cmp -s "$work/first" "$work/$1-5.pcap"
    is "$1: the same seed, the same bytes" 0 $?
    capture "$1" "$2" 6 >/dev/null
    cmp -s "$work/$1-5.pcap" "$work/$1-6.pcap"
    is "$1: another seed, other bytes" 1 $?
done
$bench/make_capture few 10 1 "$work/none" >/dev/null 2>&1
is 'too few packets for four transfers' 2 $?

if command -v tshark >/dev/null; then
    for name in few-5 many-5 scan-5; do
        tshark -r "$work/$name.pcap" -o tcp.check_checksum:TRUE \
            -o ip.check_checksum:TRUE -T fields -e tcp.stream \
            -e tcp.checksum.status -e ip.checksum.status -e _ws.malformed \
            >"$work/fields" 2>/dev/null
        is "$name: packets with something wrong, by tshark" 0 \
            "$(awk -F '\t' '$2 == 0 || $3 != 1 || $4 != ""' "$work/fields" | wc -l)"
        is "$name: connections, by tshark" "$(said $name.pcap connections)" \
            "$(cut -f 1 "$work/fields" | sort -u | wc -l)"
    done
fi

# --- the benchmark, in little -----------------------------------------------

SHORT=1 RUNS=1 ONLY=viz JSON="$work/bench.json" sh tests/bench/run.sh \
    >"$work/table" 2>"$work/complaints"
is 'status of the benchmark' 0 $?
is 'complaints' '' "$(cat "$work/complaints")"
for words in 'bare libpcap loop' 'viz --summary' 'viz --json' 'few connections' \
    'many connections' 'a SYN scan' 'goals:'; do
    grep -q "$words" "$work/table"
    is "the table has '$words'" 0 $?
done
if command -v python3 >/dev/null; then
    python3 - "$work/bench.json" >"$work/figures" 2>"$work/why" <<'PYTHON'
import json, sys
rows = json.load(open(sys.argv[1]))["parts"][0]["rows"]
for row in rows:
    for key in ("value", "rss_mb", "status"):
        if key in row:
            print(row["case"], row["what"], key, row[key], sep="|")
PYTHON
    is 'the JSON can be read' '' "$(cat "$work/why")"
    row() { sed -n "s/^$1|$2|$3|//p" "$work/figures"; }
    is 'runs that failed' 0 "$(grep '|status|' "$work/figures" | grep -cv '|0$')"
    holds 'memory of a scan, from a file' "$(row scan 'viz --summary' rss_mb) <= 200"
    if grep -q '^live|datagrams sent' "$work/figures"; then
        # fewer than the ring holds: nothing can be lost, however busy we are
        is 'datagrams that viz has seen' 10000 "$(row live 'seen by viz' value)"
        is 'datagrams that it has missed' 0 \
            "$(row live 'not captured, as its title bar says' value)"
        is 'seen and missed, and what the kernel had' 0 \
            "$(row live 'seen and missed, less what lo has had' value)"
        holds 'nothing is missed of a transfer of 20 MB' \
            "$(row live 'not captured of them' value) == 0"
        # more than it holds, while viz cannot take any
        holds 'a full ring is on the screen' \
            "$(row live 'stopped: missed, as its title bar says' value) > 0"
        is 'then, seen and missed, and what the kernel had' 0 \
            "$(row live 'stopped: the two, less what lo has had' value)"
        holds 'pictures a second' \
            "$(row live 'pictures a second under flood' value) <= 30"
        is 'datagrams that never came to the screen' 0 \
            "$(row live 'packet to screen, at rest: never' value)"
        holds 'what the scan made viz forget is on the screen' \
            "$(row 'live scan' 'packets forgotten, as its title bar says' value) > 0"
        holds 'memory of a scan, live' "$(row 'live scan' memory value) <= 256"
    else
        echo '  (live: not measured, no private network here)'
    fi
fi

echo "bench: $passed passed, $failed failed"
[ $failed = 0 ]
